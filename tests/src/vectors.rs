//! The shared vectors: configurations, requests and what must be answered, the same files for every language.
//! Here they are found, counted against the manifest, and compared.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// One file of vectors.
#[derive(Debug)]
pub struct File {
    /// `topic/NN-name`.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// The configuration.
    pub config: Value,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// `topic/NN-name/case`.
    pub name: String,
    /// The sentences of the semantics that the case pins.
    pub cites: Vec<String>,
    /// The request (section 8).
    pub request: Value,
    /// What the answer must hold, by key.
    pub expect: Value,
}

/// The folder of the vectors.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// All vectors, in the order of their names.
///
/// # Errors
///
/// A file that cannot be read or has another shape, with its name.
pub fn files() -> Result<Vec<File>, String> {
    let mut paths = Vec::new();
    for topic in entries(&folder())?.into_iter().filter(|path| path.is_dir()) {
        paths.extend(entries(&topic)?);
    }
    paths.iter().map(|path| read(path).map_err(|error| format!("{}: {error}", path.display()))).collect()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<File, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let part = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let topic = path.parent().and_then(part).ok_or("no topic")?;
    let name = format!("{topic}/{}", part(path).ok_or("no name")?);
    let cases = file.get_mut("cases").and_then(Value::as_array_mut).map(std::mem::take).ok_or("no `cases`")?;
    let cases = cases.into_iter().map(|mut case| {
        let case_name = case.get("name").and_then(Value::as_str).ok_or("a case without `name`")?;
        let cites = case.get("cites").and_then(Value::as_array).ok_or("a case without `cites`")?;
        Ok(Case {
            name: format!("{name}/{case_name}"),
            cites: cites.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            request: case.get_mut("request").map(Value::take).ok_or("a case without `request`")?,
            expect: case.get_mut("expect").map(Value::take).ok_or("a case without `expect`")?,
        })
    });
    let cases = cases.collect::<Result<Vec<_>, &str>>()?;
    Ok(File { config: file.get_mut("config").map(Value::take).ok_or("no `config`")?, name, topic, cases })
}

/// The keys of `expect` in which an answer differs, with both values.
#[must_use]
pub fn differences(expect: &Value, answer: &Value) -> Vec<String> {
    let expected = expect.as_object().into_iter().flatten();
    let differing = expected.filter(|(key, wanted)| answer.get(key.as_str()) != Some(wanted));
    differing.map(|(key, wanted)| format!("{key}: wanted {wanted}, got {}", answer.get(key).unwrap_or(&Value::Null))).collect()
}
