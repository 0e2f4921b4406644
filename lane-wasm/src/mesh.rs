//! Configurations as resources of a mesh, and back.

use lane_core::diagnostic::Severity;
use lane_formats::mesh::{self, ExportOptions, ImportOptions, Input, MeshFormat, Note, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    failure::{self, Failure},
    options::Reading,
    places::Text,
};

/// What the wrapper writes about an export or an import.
#[derive(Deserialize)]
struct Written {
    format: String,
    group: Option<String>,
    #[serde(default)]
    gateways: Vec<String>,
    namespace: Option<String>,
    guiding_header: Option<String>,
    #[serde(default)]
    upstream: bool,
    #[serde(default)]
    with_listeners: bool,
    #[serde(default)]
    lossy: bool,
}

impl Written {
    fn read(text: &str) -> Result<(MeshFormat, Self), Failure> {
        let written: Self = serde_json::from_str(text).map_err(|error| Failure::usage(error.to_string()))?;
        let names = || MeshFormat::ALL.map(MeshFormat::name).join(", ");
        let unknown =
            || Failure::usage_with(format!("there is no mesh format `{}`", written.format), Some(format!("there are {}", names())));
        Ok((MeshFormat::parse(&written.format).ok_or_else(unknown)?, written))
    }
}

/// A resource file.
#[derive(Deserialize)]
struct File {
    name: String,
    text: String,
}

#[derive(Serialize)]
struct Exported {
    documents: Vec<Value>,
    yaml: String,
    notes: Vec<NoteDescription>,
}

#[derive(Serialize)]
struct Imported {
    config: Option<lane_core::config::Config>,
    yaml: Option<String>,
    notes: Vec<NoteDescription>,
}

#[derive(Serialize)]
struct NoteDescription {
    severity: Severity,
    code: &'static str,
    file: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    path: String,
    message: String,
    help: Option<String>,
    start: Option<usize>,
    end: Option<usize>,
}

/// The configuration in a text as documents of a mesh. Where the text is nobody's own, notes have no places.
pub(crate) fn export(text: &str, reading: &Reading, located: bool, options: &str) -> Result<String, Failure> {
    let (format, written) = Written::read(options)?;
    let loaded = lane_formats::load(text, reading.format, &reading.options).map_err(|refused| Failure::refused(text, refused))?;
    let options = ExportOptions {
        group: written.group,
        gateways: written.gateways,
        namespace: written.namespace,
        upstream: written.upstream,
        with_listeners: written.with_listeners,
        lossy: written.lossy,
        ..ExportOptions::default()
    };
    let mut exported = mesh::export(&loaded.config, format, &options);
    if located {
        exported.report.locate(text, &loaded.places);
    }
    let yaml = exported.to_yaml().map_err(|error| Failure::usage(error.to_string()))?;
    let notes = notes(exported.report.notes, &[Text::new(text)]);
    failure::json(&Exported { documents: exported.documents, yaml, notes })
}

/// Resource files, a JSON list of `{name, text}`, as a configuration.
pub(crate) fn import(files: &str, options: &str) -> Result<String, Failure> {
    let (format, written) = Written::read(options)?;
    let files: Vec<File> = serde_json::from_str(files).map_err(|error| Failure::usage(error.to_string()))?;
    let inputs: Vec<_> = files.iter().map(|file| Input { name: &file.name, text: &file.text }).collect();
    let options = ImportOptions { group: written.group, guiding_header: written.guiding_header, lossy: written.lossy };
    let imported = mesh::import(&inputs, format, &options);
    let yaml = imported.to_yaml().map_err(|error| Failure::usage(error.to_string()))?;
    let texts: Vec<_> = files.iter().map(|file| Text::new(&file.text)).collect();
    let notes = notes(imported.report.notes, &texts);
    failure::json(&Imported { config: imported.config, yaml, notes })
}

fn notes(notes: Vec<Note>, texts: &[Text<'_>]) -> Vec<NoteDescription> {
    let describe = |note: Note| {
        let place = note.place.as_ref();
        let span = |place: &Place| Some(texts.get(place.file)?.span(place.range.clone()));
        let (start, end) = place.and_then(span).map(|span| span.offsets()).unzip();
        NoteDescription {
            severity: note.severity,
            code: note.code.as_str(),
            file: place.map(|place| place.file),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            path: note.path.to_string(),
            message: note.message,
            help: note.help,
            start,
            end,
        }
    };
    notes.into_iter().map(describe).collect()
}
