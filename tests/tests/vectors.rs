//! The shared vectors, run by the engine and by the oracle.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says what failed by failing")]

use std::collections::{BTreeMap, BTreeSet};

use lane_core::Options;
use lane_formats::{Format, request::Ask};
use lane_tests::{oracle, vectors};
use serde_json::{Value, json};

#[test]
fn the_engine_answers_every_vector() {
    let (mut count, mut failures) = (0, Vec::new());
    for file in vectors::files().unwrap() {
        let loaded = match lane_formats::load(&file.config.to_string(), Format::Json, &Options::default()) {
            Ok(loaded) => loaded,
            Err(refused) => {
                failures.push(format!("{}: refused: {:?}", file.name, refused.findings));
                continue;
            }
        };
        for case in &file.cases {
            count += 1;
            let answer = match Ask::from_value(&case.request).and_then(|ask| ask.answer(&loaded.router)) {
                Ok(answer) => serde_json::to_value(answer).unwrap(),
                Err(error) => json!({ "error": error.to_string() }),
            };
            let differences = vectors::differences(&case.expect, &answer);
            if !differences.is_empty() {
                failures.push(format!("{} ({}):\n    {}", case.name, case.cites.join(" "), differences.join("\n    ")));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} vectors fail:\n  {}", failures.len(), failures.join("\n  "));
    println!("vectors: rust {count}");
}

#[test]
fn the_oracle_answers_every_vector() {
    for file in vectors::files().unwrap() {
        for case in &file.cases {
            let differences = vectors::differences(&case.expect, &oracle::decide(&file.config, &case.request));
            assert!(differences.is_empty(), "{}:\n  {}", case.name, differences.join("\n  "));
        }
    }
}

#[test]
fn the_manifest_counts_what_is_there() {
    let files = vectors::files().unwrap();
    let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for file in &files {
        *topics.entry(&file.topic).or_default() += file.cases.len();
        for case in &file.cases {
            assert!(names.insert(&case.name), "two cases are named {}", case.name);
            assert!(!case.cites.is_empty(), "{} cites nothing", case.name);
        }
    }
    let manifest: Value = serde_json::from_str(&std::fs::read_to_string(vectors::folder().join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest, json!({ "files": files.len(), "cases": names.len(), "topics": topics }));
}
