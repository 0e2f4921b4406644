//! The examples on the pages of the diagnostics are tried out: the wrong one gives the page's code, the right one
//! gives nothing of the kind, and no error at all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use lane_core::{
    Options,
    diagnostic::{Code, Severity},
};
use lane_formats::{Format, Located, load};

/// The group of which the examples show fields.
const GROUP: &[(&str, &str)] = &[
    ("name", "name: shop"),
    ("mode", "mode: permissive"),
    ("gateways", "gateways: [ingressgateway]"),
    ("baseline", "baseline: v1"),
    ("services", "services: [{host: cart}, {host: stock}]"),
    ("lanes", "lanes: [{name: v1}, {name: v2, services: [cart]}]"),
    ("rules", "rules: [{name: all, service: cart, lane: v1}]"),
];

/// A whole document from an example, which shows a document or some fields of the group.
fn document(example: &str, code: Code) -> String {
    // Nobody wants to read all of it.
    let example = &example.replace("...", &format!("{}{{}}{}", "{not: ".repeat(65), "}".repeat(65)));
    let fields: Vec<&str> =
        example.lines().filter(|line| !line.starts_with([' ', '#'])).filter_map(|line| line.split(':').next()).collect();
    if fields.contains(&"groups") {
        return if fields.contains(&"version") { example.clone() } else { format!("version: 1\n{example}") };
    }
    // This one is about a group without gateways.
    let left_out = |field: &str| fields.contains(&field) || (code == Code::CapturesEveryHost && field == "gateways");
    let rest = GROUP.iter().filter(|(field, _)| !left_out(field)).map(|(_, line)| *line);
    let lines: Vec<_> = rest.chain(example.lines()).collect();
    format!("version: 1\ngroups:\n  - {}\n", lines.join("\n    "))
}

/// What is found in a document.
fn findings(text: &str) -> Vec<Located> {
    match load(text, Format::Yaml, &Options::default()) {
        Ok(loaded) => loaded.warnings,
        Err(refused) => refused.findings,
    }
}

#[test]
fn examples_are_as_wrong_and_as_right_as_they_say() {
    let mut complaints = Vec::new();
    for code in Code::ALL {
        let page = lane_cli::pages::page(*code).unwrap();
        let mut examples = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let (Some(wrong), Some(right), None) = (examples.next(), examples.next(), examples.next()) else {
            panic!("the page of {code} does not have two examples");
        };
        let found = findings(&document(wrong, *code));
        if !found.iter().any(|finding| finding.code == *code) {
            complaints.push(format!("{code}: the wrong example gives {found:#?}"));
        }
        let found = findings(&document(right, *code));
        if found.iter().any(|finding| finding.code == *code || finding.severity == Severity::Error) {
            complaints.push(format!("{code}: the right example gives {found:#?}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
