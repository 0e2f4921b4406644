//! Wrong configurations: every file of `tests/invalid` is refused with an error on the right line that says the right
//! thing and nothing beside it; documents made to hurt are refused; and every kind of diagnostic is met.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by failing")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use lane_core::{
    Options,
    diagnostic::{Code, Severity},
};
use lane_formats::{Format, Located, Refused};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "yaml" || kind == "json")).collect();
    files.sort();
    files
}

fn findings(path: &Path, options: &Options) -> Result<Vec<Located>, Vec<Located>> {
    let format = Format::of_path(path.to_str().unwrap());
    match lane_formats::load_bytes(&fs::read(path).unwrap(), format, options) {
        Ok(loaded) => Ok(loaded.warnings),
        Err(refused) => Err(refused.findings),
    }
}

/// The `expect` lines of a file: line and word.
fn expectations(path: &Path) -> Vec<(usize, String)> {
    let beside = path.with_extension("expect");
    let bytes = fs::read(if beside.exists() { &beside } else { path }).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter_map(|line| line.trim_start_matches("# ").strip_prefix("expect: line "));
    let expectations = lines.map(|line| line.split_once(": ").map(|(line, word)| (line.parse().unwrap(), word.trim().to_owned())).unwrap());
    expectations.collect()
}

#[test]
fn every_wrong_file_is_refused_on_its_line_and_nothing_else_is_reported() {
    let files = files();
    assert!(files.len() >= 200, "only {} files", files.len());
    let mut failures = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let expected = expectations(file);
        if expected.is_empty() {
            failures.push(format!("{name}: expects nothing"));
        }
        let found = match findings(file, &Options::default()) {
            Err(found) => found,
            Ok(_) => {
                failures.push(format!("{name}: accepted"));
                continue;
            }
        };
        let errors: Vec<&Located> = found.iter().filter(|finding| finding.severity == Severity::Error).collect();
        // What is told, the field's path included.
        let says = |finding: &Located, word: &str| finding.to_string().contains(word);
        for (line, word) in &expected {
            if !errors.iter().any(|error| error.line == *line && says(error, word)) {
                let there: Vec<String> = errors.iter().filter(|error| error.line == *line).map(ToString::to_string).collect();
                failures.push(format!("{name}: no error on line {line} says `{word}`: {there:?}"));
            }
        }
        for error in errors {
            if !expected.iter().any(|(line, _)| *line == error.line) {
                failures.push(format!("{name}: not expected: {error}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n  {}", failures.len(), failures.join("\n  "));
}

#[test]
fn every_error_says_what_to_do_and_keeps_to_the_style() {
    let mut failures = Vec::new();
    for file in files() {
        for finding in findings(&file, &Options::default()).unwrap_err() {
            let begins_well =
                finding.message.chars().next().is_some_and(|first| !first.is_uppercase() || finding.message.starts_with("YAML"));
            let ends_well = !finding.message.ends_with('.') && finding.help.as_ref().is_none_or(|help| !help.ends_with('.'));
            if !begins_well || !ends_well {
                failures.push(finding.to_string());
            }
        }
    }
    assert!(failures.is_empty(), "lower-case start, no final period:\n  {}", failures.join("\n  "));
}

/// Documents that cost much to whoever reads them carelessly.
mod bombs {
    use super::*;

    fn refused(what: &str, text: &str, format: Format) -> Refused {
        match lane_formats::load(text, format, &Options::default()) {
            Ok(_) => panic!("{what} was accepted"),
            Err(refused) => {
                assert!(refused.findings.iter().any(|finding| finding.severity == Severity::Error), "{what}: no error");
                refused
            }
        }
    }

    fn group(lines: &str) -> String {
        format!("version: 1\ngroups:\n  - name: g\n    mode: strict\n    services: [{{host: a.svc}}]\n    lanes: [{{name: v1}}]\n{lines}")
    }

    #[test]
    fn an_alias_bomb() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
        }
        refused("an alias bomb", &text, Format::Yaml);
        // Where values are looked at, too.
        refused("an alias bomb in a field", &(text + &group("    gateways: *a11\n")), Format::Yaml);
    }

    #[test]
    fn two_hundred_and_eighty_kilobytes_of_aliases() {
        let text = format!("a: &a x\nb: [{}*a]\n", "*a, ".repeat(70_000));
        refused("many aliases", &text, Format::Yaml);
        let text = format!("a: &a [{}]\nb: [{}*a]\n", "x, ".repeat(1_000), "*a, ".repeat(70_000));
        refused("many aliases of a long list", &text, Format::Yaml);
    }

    #[test]
    fn a_hundred_kilobytes_of_brackets() {
        for open in ["[", "{", "{a: ", "[{a: ", "- ", "? ", "[[]", "{\"a\":"] {
            let text = open.repeat(100_000 / open.len());
            refused(open, &text, Format::Yaml);
            refused(open, &text, Format::Json);
            refused(open, &group(&format!("    rules: {text}")), Format::Yaml);
        }
        let closed = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        refused("a closed nest", &closed, Format::Yaml);
        refused("a closed nest", &closed, Format::Json);
    }

    #[test]
    fn more_than_sixteen_mebibytes() {
        let longest = Options::default().limits.document_bytes;
        let text = format!("{}{}", group(""), "#".repeat(longest));
        for format in [Format::Yaml, Format::Json] {
            let refused = refused("16 MiB and more", text.get(..=longest).unwrap(), format);
            assert_eq!(refused.findings.first().unwrap().code, Code::TooLarge);
        }
        // Up to there it is read.
        assert!(lane_formats::load(text.get(..longest).unwrap(), Format::Yaml, &Options::default()).is_ok());
    }

    #[test]
    fn deep_nesting_by_indentation() {
        let mut text = String::new();
        for level in 0..3_000 {
            text.push_str(&format!("{}a:\n", " ".repeat(level)));
        }
        refused("3,000 levels", &text, Format::Yaml);
    }

    #[test]
    fn deep_conditions() {
        for (open, close) in [("{not: ", "}"), ("{all: [", "]}"), ("{any: [", "]}")] {
            for levels in [65, 1_000] {
                let entry = format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
                refused(open, &group(&format!("    rules: [{{name: r, service: a.svc, lane: v1, match: [{entry}]}}]\n")), Format::Yaml);
            }
        }
    }

    #[test]
    fn a_hundred_thousand_anchors() {
        let anchors: String = (0..100_000).map(|number| format!("- &a{number} x\n")).collect();
        refused("anchors", &anchors, Format::Yaml);
        refused("anchors in a field", &group(&format!("    gateways:\n{anchors}\n    extra: 1\n")), Format::Yaml);
    }

    #[test]
    fn very_long_keys_and_values() {
        let long = "k".repeat(8 << 20);
        for text in [format!("{long}: 1\n"), format!("? {long}\n: 1\n"), format!("version: {long}\n"), format!("\"{long}\": 1\n")] {
            refused("a long key", &text, Format::Yaml);
        }
        refused("a long key", &format!("{{\"{long}\": 1}}"), Format::Json);
        let told = refused("a long lane name", &group(&format!("    baseline: {long}\n")), Format::Yaml).to_string();
        assert!(told.len() < 4 << 20, "the report on a long name has {} bytes", told.len());
    }

    #[test]
    fn a_list_of_a_million_items() {
        let items = "x,".repeat(1_000_000);
        refused("a million items", &format!("[{items}x]"), Format::Yaml);
        refused("a million items in a field", &group(&format!("    gateways: [{items}x]\n    extra: 1\n")), Format::Yaml);
        refused("a million numbers", &format!("[{}1]", "1,".repeat(1_000_000)), Format::Json);
        let wrong = format!("{{\"version\": 1, \"groups\": [{}1]}}", "1,".repeat(1_000_000));
        refused("a million groups that are none", &wrong, Format::Json);
    }

    #[test]
    fn expressions_that_explode() {
        for regex in ["(.*a){50}", "((a{100}){100}){100}", "(a|b|ab)*c.{500}", "[ab]*a[ab]{30}", "(?i)(x+x+)+y{400}.*z{500}"] {
            let lines = format!("    rules: [{{name: r, service: a.svc, lane: v1, match: [{{path: {{regex: '{regex}'}}}}]}}]\n");
            match lane_formats::load(&group(&lines), Format::Yaml, &Options::default()) {
                // Within the limits is within the limits.
                Ok(_) => {}
                Err(refused) => {
                    let mut errors = refused.findings.iter().filter(|finding| finding.severity == Severity::Error);
                    assert!(errors.all(|finding| matches!(finding.code, Code::RegexTooLarge | Code::Regex)), "{regex}: {refused}");
                }
            }
        }
        // Thousands of different ones are beyond what all may take together.
        let rule = |number: usize| {
            format!("      - {{name: r{number}, service: a.svc, lane: v1, match: [{{path: {{regex: '.*x{number}y[ab]*a[ab]{{8}}'}}}}]}}\n")
        };
        let rules: String = (0..3_000).map(rule).collect();
        refused("3,000 expressions", &group(&format!("    rules:\n{rules}")), Format::Yaml);
    }
}

/// Documents for the kinds that no file of `tests/invalid` produces: mostly warnings, which refuse nothing.
fn further_cases() -> Vec<(Code, String)> {
    let group = |mode: &str, lines: &str| format!("version: 1\ngroups:\n  - name: g\n    mode: {mode}\n{lines}");
    let plain = "    services: [{host: a.svc}]\n    lanes: [{name: v1}, {name: v2}]\n";
    let strict = |lines: &str| group("strict", &format!("{plain}    gateways: [gw]\n{lines}"));
    let permissive = |lines: &str| group("permissive", &format!("{plain}    gateways: [gw]\n    baseline: v1\n{lines}"));
    let rule = |condition: &str| format!("    rules: [{{name: r, service: a.svc, lane: v2, match: [{condition}]}}]\n");
    let two = "    rules: [{name: r, service: a.svc, lane: v2}, {name: s, service: a.svc, lane: v1}]\n";
    vec![
        (Code::UnreachableRule, strict(two)),
        (Code::UnusedLane, strict("    rules: [{name: r, service: a.svc, lane: v2}]\n")),
        (Code::NoCatchAll, permissive(&rule("{path: {exact: /a}}"))),
        (
            Code::SharedServiceTag,
            group("strict", "    services: [{host: a.svc}]\n    lanes: [{name: v1, service_tag: t}, {name: v2, service_tag: t}]\n"),
        ),
        (Code::UnstableTraceHeader, strict("    context: {trace_id: x-b3-spanid}\n")),
        (Code::MisspeltTraceHeader, strict("    context: {trace_id: x-b3-trace-id}\n")),
        (Code::PlainRegex, strict(&rule("{path: {regex: /a}}"))),
        (Code::GuidingHeaderMatched, permissive(&rule("{headers: {x-asm-prefer-tag: {exact: v1}}}"))),
        (Code::CapturesEveryHost, group("strict", &format!("{plain}{}", rule("{path: {exact: /a}}")))),
        (Code::BadAttributeName, strict(&rule("{cookies: {a=b: {exact: c}}}"))),
        (Code::RegexTooLarge, strict(&rule("{path: {regex: '.*a[ab]{18}'}}"))),
        (Code::TooLarge, format!("{}#{}", strict(""), " ".repeat(16 << 20))),
    ]
}

#[test]
fn every_kind_of_diagnostic_is_met() {
    let mut met = BTreeSet::new();
    for file in files() {
        met.extend(findings(&file, &Options::default()).unwrap_err().iter().map(|finding| finding.code));
    }
    for (code, text) in further_cases() {
        let findings = match lane_formats::load(&text, Format::Yaml, &Options::default()) {
            Ok(loaded) => loaded.warnings,
            Err(refused) => refused.findings,
        };
        let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&code), "{code} is not told about:\n{}\n{findings:#?}", text.get(..text.len().min(1_000)).unwrap());
        met.extend(codes);
    }
    let mut options = Options::default();
    options.limits.rules = 0;
    let text = further_cases().remove(0).1;
    met.extend(lane_formats::load(&text, Format::Yaml, &options).unwrap_err().findings.iter().map(|finding| finding.code));
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !met.contains(code)).collect();
    assert!(missing.is_empty(), "nothing produces {missing:?}");
}
