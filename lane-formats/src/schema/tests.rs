//! The schema is generated here, compared with the one that is checked in, and proved against the documents of the
//! repository.
#![cfg(feature = "yaml")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at what it does not expect")]

use lane_core::{Options, diagnostic::Code};
use serde_json::{Value, json};

use crate::{Format, load_bytes};

use super::json_schema;

fn generate() -> String {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<lane_core::config::Config>().to_value();
    polish(&mut schema);
    let mut first = serde_json::Map::new();
    first.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    first.insert("title".into(), json!("lane configuration"));
    first.insert("description".into(), json!("Lane groups, their services and lanes, and the rules that lead requests into them."));
    for (key, value) in schema.as_object().unwrap() {
        first.entry(key.clone()).or_insert_with(|| value.clone());
    }
    serde_json::to_string_pretty(&Value::Object(first)).unwrap() + "\n"
}

/// A field that may be left out may not be written as `null`: an empty `match:` would hold for every request.
fn polish(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get("type") {
                let first = types.iter().find(|kind| *kind != "null").unwrap().clone();
                map.insert("type".into(), first);
            }
            // Editors do not know formats.
            let bounds = match map.get("format").and_then(Value::as_str) {
                Some("uint32") => json!({"minimum": 0, "maximum": u32::MAX}),
                Some("int64") => json!({"minimum": i64::MIN, "maximum": i64::MAX}),
                _ => Value::Null,
            };
            for (key, bound) in bounds.as_object().into_iter().flatten() {
                map.entry(key.clone()).or_insert_with(|| bound.clone());
            }
            if let Some(Value::Array(any)) = map.remove("anyOf") {
                let rest: Vec<_> = any.into_iter().filter(|schema| *schema != json!({"type": "null"})).collect();
                assert_eq!(rest.len(), 1, "only `null` stands beside a type");
                map.insert("allOf".into(), rest.into());
            }
            for (key, value) in map.iter_mut() {
                // Hover texts are for people who have no numbered sentences before them.
                if let ("description", Value::String(text)) = (key.as_str(), &mut *value) {
                    *text = without_citations(text);
                }
                polish(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(polish),
        _ => {}
    }
}

fn without_citations(text: &str) -> String {
    let mut rest = text.replace('\n', " ");
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|tail| tail.find(" (S")) {
        let open = from + found;
        let Some(close) = rest.get(open..).and_then(|tail| tail.find(')')).map(|close| open + close + 1) else { break };
        if rest.get(open + 3..open + 4).is_some_and(|digit| digit.chars().all(|digit| digit.is_ascii_digit())) {
            rest.replace_range(open..close, "");
        } else {
            from = close;
        }
    }
    rest
}

#[test]
fn the_schema_is_that_of_the_types() {
    let generated = generate();
    if std::env::var_os("LANE_UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/lane.schema.json");
        std::fs::write(path, &generated).expect("the schema can be written");
        return;
    }
    assert!(generated == json_schema(), "the schema has drifted from the types; LANE_UPDATE=1 rewrites it");
}

#[test]
fn citations_are_taken_out_of_descriptions() {
    assert_eq!(without_citations("A thing (S19, S20). More (Some text) here (S1)."), "A thing. More (Some text) here.");
}

/// The documents of a folder beside this package, with their names.
fn documents(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.unwrap().path());
    let documents = entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "json"));
    let mut documents: Vec<_> = documents.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    documents.sort();
    documents
}

fn value(name: &str, text: &str) -> Option<Value> {
    match Format::of_path(name) {
        Format::Json => crate::tree::json::read(text),
        Format::Yaml => crate::tree::yaml::read(text),
    }
    .ok()
    .map(|node| node.to_json())
}

#[test]
fn the_schema_takes_every_example() {
    let validator = jsonschema::draft7::new(&serde_json::from_str(json_schema()).unwrap()).expect("the schema is one");
    let examples = documents("examples");
    assert!(examples.len() >= 7);
    for (name, bytes) in examples {
        let value = value(&name, str::from_utf8(&bytes).unwrap()).expect("an example is YAML");
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_has_the_wrong_shape() {
    let validator = jsonschema::draft7::new(&serde_json::from_str(json_schema()).unwrap()).unwrap();
    let mut seen = 0;
    for (name, bytes) in documents("tests/invalid") {
        let Err(refused) = load_bytes(&bytes, Format::of_path(&name), &Options::default()) else { unreachable!("{name} is wrong") };
        // What JSON values cannot show, duplicate keys and tags, no schema can refuse.
        let is_shape = |code: Code| matches!(code, Code::UnknownField | Code::WrongType | Code::MissingField);
        if !refused.findings.iter().any(|finding| is_shape(finding.code)) {
            continue;
        }
        let value = value(&name, str::from_utf8(&bytes).unwrap()).expect("the document can be parsed");
        // A percentage's places are beyond draft-07 without rounding.
        let places = refused.findings.iter().all(|finding| finding.path.to_string().ends_with(".below"));
        assert!(!validator.is_valid(&value) || places, "{name}: the schema lets it pass");
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} cases of shape");
}
