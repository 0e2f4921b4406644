//! How a text is to be read. The wrapper has checked what people gave; here only its own JSON is read.

use lane_core::Options;
use lane_formats::Format;
use serde::Deserialize;

use crate::failure::Failure;

/// How a text is to be read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) format: Format,
    pub(crate) options: Options,
}

/// What the wrapper writes.
#[derive(Deserialize)]
struct Written {
    yaml: bool,
    #[serde(default)]
    limits: Vec<(String, usize)>,
}

pub(crate) fn read(text: &str) -> Result<Reading, Failure> {
    let written: Written = serde_json::from_str(text).map_err(|error| Failure::usage(error.to_string()))?;
    let mut options = Options::default();
    let limits = &mut options.limits;
    for (name, value) in written.limits {
        let limit = match name.as_str() {
            "rules" => &mut limits.rules,
            "automata_bytes" => &mut limits.automata_bytes,
            "regex_bytes" => &mut limits.regex_bytes,
            "lanes" => &mut limits.lanes,
            "services" => &mut limits.services,
            "groups" => &mut limits.groups,
            "subsets" => &mut limits.subsets,
            "condition_levels" => &mut limits.condition_levels,
            "document_bytes" => &mut limits.document_bytes,
            _ => return Err(Failure::usage(format!("there is no limit `{name}`"))),
        };
        *limit = value;
    }
    Ok(Reading { format: if written.yaml { Format::Yaml } else { Format::Json }, options })
}
