//! Documents in bulk: what serde reads, this reader reads as the same configuration, in both languages; and no
//! truncated or mangled text makes it panic or point outside of the text.
#![cfg(feature = "yaml")]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::{fs, path::Path};

use lane_core::{Options, config::Config};
use lane_formats::{Format, cases::Suite, load, read, request::Ask};
use proptest::prelude::*;

/// The configurations of all examples and vectors, as JSON.
fn configurations() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let document = read(&fs::read_to_string(path).unwrap(), Format::Yaml, &Options::default()).unwrap();
            all.push(serde_json::to_string(&document.config).unwrap());
        }
    }
    for topic in fs::read_dir(root.join("tests/vectors")).unwrap().map(|topic| topic.unwrap().path()).filter(|path| path.is_dir()) {
        for entry in fs::read_dir(topic).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
            all.extend(vector.get("config").filter(|config| config.is_object()).map(ToString::to_string));
        }
    }
    assert!(all.len() > 50, "only {} configurations", all.len());
    all
}

/// YAML of a JSON value in block style, with keys and texts plain where that is safe.
fn block(value: &serde_json::Value, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&format!("\n{pad}{}:", scalar(key)));
                block(value, indent + 1, out);
            }
        }
        serde_json::Value::Array(values) if !values.is_empty() => {
            for value in values {
                out.push_str(&format!("\n{pad}-"));
                block(value, indent + 1, out);
            }
        }
        serde_json::Value::String(text) => out.push_str(&format!(" {}", scalar(text))),
        other => out.push_str(&format!(" {other}")),
    }
}

fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let is_special = matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false");
    if is_word && !is_special { text.into() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[test]
fn serde_and_this_reader_agree_in_both_languages() {
    for text in configurations() {
        let wanted: Config = serde_json::from_str(&text).unwrap();
        let json = read(&text, Format::Json, &Options::default()).unwrap();
        assert_eq!(json.config, wanted);
        // JSON is YAML, if it is not one endless line.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(read(&pretty, Format::Yaml, &Options::default()).unwrap().config, wanted, "{pretty}");
        if text.contains('\n') || text.contains("\\n") || text.contains("\\u") {
            continue;
        }
        let mut yaml = String::new();
        block(&value, 0, &mut yaml);
        assert_eq!(read(&yaml, Format::Yaml, &Options::default()).unwrap().config, wanted, "{yaml}");
    }
}

/// Reads a text in every way; all findings must lie inside it.
fn survives(text: &str) {
    for format in [Format::Yaml, Format::Json] {
        let findings = match load(text, format, &Options::default()) {
            Ok(loaded) => loaded.warnings,
            Err(refused) => refused.findings,
        };
        let suite = Suite::read(text, format, &Options::default());
        for finding in findings
            .iter()
            .chain(suite.iter().flat_map(|_| &[]))
            .chain(suite.as_ref().err().into_iter().flat_map(|refused| &refused.findings))
        {
            assert!(text.get(finding.range.clone()).is_some(), "{:?} of {text:?}", finding.range);
            assert!(finding.line >= 1 && finding.column >= 1);
        }
    }
    // Whether it is a request does not matter here.
    let _either = Ask::parse(text);
}

fn example() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sticky-canary.yaml")).unwrap()
}

#[test]
fn truncated_documents_are_refused_or_read() {
    let yaml = example();
    let json = configurations().swap_remove(0);
    for text in [yaml, json] {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            survives(text.get(..end).unwrap());
        }
    }
}

/// Pieces that mean something to a parser.
const PIECES: [&str; 32] = [
    "[", "]", "{", "}", ",", ":", ": ", "- ", "? ", "&a ", "*a", "!x ", "!!str ", "|", ">", "\"", "'", "#", "%", "@", "`", "\n", "\r",
    "\t", "  ", "---\n", "...\n", "<<: ", "~", "\u{feff}", "\u{85}", "0x",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn mangled_documents_do_no_harm(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..PIECES.len(), 0_usize..12), 1..8),
        is_json in any::<bool>(),
    ) {
        let mut text = if is_json { r#"{"version":1,"groups":[{"name":"g","mode":"strict","services":[{"host":"a"}],"lanes":[{"name":"s"}]}]}"#.to_owned() } else { example() };
        for (at, piece, removed) in edits {
            let boundary = |wanted: usize, text: &str| (wanted..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
            let start = boundary(at.index(text.len() + 1), &text);
            let end = boundary((start + removed).min(text.len()), &text);
            text.replace_range(start..end, PIECES.get(piece).unwrap());
        }
        survives(&text);
    }

    #[test]
    fn any_text_does_no_harm(pieces in prop::collection::vec(prop_oneof![(0_usize..PIECES.len()).prop_map(|piece| PIECES.get(piece).unwrap().to_string()), "\\PC{0,4}"], 0..40)) {
        survives(&pieces.concat());
    }
}
