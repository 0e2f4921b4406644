//! `lane import`: the resources of a mesh as a configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use lane_formats::mesh::{self, ImportOptions, Input, MeshFormat};

use super::export::tell;
use crate::{
    failure::{Exit, Failure, Outcome, plain},
    source::{Source, is_stdin},
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Reads the resources that a mesh runs into a configuration, to see and to test it, and reports on standard error each field \
    that is ignored or cannot be said. What would change routing is an error, and nothing is written, unless `--lossy` asks for \
    what is left. Files hold one or many documents, YAML or JSON, and lists of `kubectl get -o yaml`; of a directory all \
    files that end in `.yaml`, `.yml` or `.json` are read, by name.";

/// Arguments of `lane import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lane import istio mesh.yaml > lanes.yaml
  lane import istio --lossy virtual-services/ destination-rules.yaml
  kubectl get asmswimlanegroups,asmswimlanes -A -o yaml | lane import asm -
  lane import gateway-api --group shop routes.yaml

Exit codes: 0 written, 1 errors in the resources or things that lanes cannot say,
2 bad usage or unreadable input. `lane explain LANE0714` says more about one kind of note.")]
pub struct Import {
    /// What to read
    format: ImportFormat,
    /// Resources: files or directories; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Name of a group for which the resources have no name [default: imported]
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The guiding header, where it cannot be told from the resources
    #[arg(long, value_name = "NAME")]
    guiding_header: Option<String>,
    /// Write what is left where lanes cannot say all of it; losses are warnings
    #[arg(long)]
    lossy: bool,
    /// Report as JSON objects, one a line, on standard error
    #[arg(long)]
    json: bool,
}

/// What can be read.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ImportFormat {
    /// Istio, with what ASM adds to it
    Istio,
    /// ASM's lane group and lanes
    Asm,
    /// Gateway API
    GatewayApi,
}

impl From<ImportFormat> for MeshFormat {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Istio => Self::Istio,
            ImportFormat::Asm => Self::Asm,
            ImportFormat::GatewayApi => Self::GatewayApi,
        }
    }
}

impl Import {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let mut sources = Vec::new();
        for path in &self.files {
            if !is_stdin(path) && path.is_dir() {
                for path in files_in(path)? {
                    sources.push(Source::read(&path, streams)?);
                }
            } else {
                sources.push(Source::read(path, streams)?);
            }
        }
        let mut texts = Vec::new();
        for source in &sources {
            let text = std::str::from_utf8(&source.bytes);
            texts.push(
                text.map_err(|_| Failure::with_help(format!("`{}` is not UTF-8", source.name), Some("save the file as UTF-8".into())))?,
            );
        }
        let inputs: Vec<Input<'_>> = sources.iter().zip(&texts).map(|(source, text)| Input { name: &source.name, text }).collect();
        let options = ImportOptions { group: self.group.clone(), guiding_header: self.guiding_header.clone(), lossy: self.lossy };
        let imported = mesh::import(&inputs, self.format.into(), &options);
        tell(&imported.report, &sources, self.json, streams)?;
        if imported.report.has_errors() {
            return Ok(Exit::Findings);
        }
        match imported.to_yaml() {
            Ok(Some(yaml)) => write!(streams.out, "{yaml}")?,
            Ok(None) => return Ok(Exit::Findings),
            Err(error) => return Err(Failure::new(format!("cannot write YAML: {error}"))),
        }
        Ok(Exit::Done)
    }
}

/// The resource files of a directory, by name.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: &std::io::Error| Failure::new(format!("cannot read `{}`: {}", directory.display(), plain(error)));
    let entries = fs::read_dir(directory).map_err(|error| unreadable(&error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if path.is_file() && matches!(ending.as_deref(), Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let help = "files of resources end in `.yaml`, `.yml` or `.json`";
        return Err(Failure::with_help(format!("the directory `{}` holds no resource files", directory.display()), Some(help.into())));
    }
    Ok(files)
}
