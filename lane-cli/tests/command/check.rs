//! `lane check`.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{command, fed, lane, root};

const WRONG: &str = "lane-cli/tests/data/wrong.yaml";
const DOUBTFUL: &str = "lane-cli/tests/data/doubtful.yaml";
const GOOD: &str = "examples/permissive.yaml";

#[test]
fn errors_are_drawn() {
    lane(&["check", WRONG]).exits(1).quiet().golden("check-errors");
}

#[test]
fn warnings_are_drawn_and_no_errors() {
    lane(&["check", DOUBTFUL]).exits(0).quiet().golden("check-warnings");
    lane(&["check", "--strict", DOUBTFUL]).exits(1).quiet();
}

#[test]
fn a_good_file_is_ok() {
    let run = lane(&["check", GOOD]).exits(0).quiet();
    assert_eq!(run.out, format!("{GOOD}: ok\n"));
    lane(&["check", "--strict", GOOD]).exits(0);
    assert_eq!(lane(&["check", "--json", GOOD]).exits(0).quiet().out, "");
}

#[test]
fn json_has_the_keys_of_section_8() {
    let run = lane(&["check", "--json", WRONG]).exits(1).quiet();
    let double = r#"{"severity":"error","code":"LANE0103","file":"lane-cli/tests/data/wrong.yaml","line":15,"column":15,"path":"groups[0].lanes[2].name","message":""#;
    assert!(run.out.lines().any(|line| line.starts_with(double)), "{}", run.out);
    for finding in run.lines() {
        let keys: Vec<_> = finding.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["severity", "code", "file", "line", "column", "path", "message", "help"]);
    }
    let warnings = lane(&["check", "--json", "--strict", DOUBTFUL]).exits(1).lines();
    assert!(!warnings.is_empty() && warnings.iter().all(|warning| warning["severity"] == json!("warning")));
}

#[test]
fn standard_input_is_read_too() {
    let run = fed(&["check", "-"], &fs::read(root().join(GOOD)).unwrap()).exits(0);
    assert_eq!(run.out, "<stdin>: ok\n");
    fed(&["check", "-"], b"groups: [").exits(2).quiet();
}

#[test]
fn what_cannot_be_read_or_parsed_is_exit_code_2() {
    lane(&["check", "no/such.yaml"]).exits(2).golden("check-unreadable");
    lane(&["check", "examples"]).exits(2).complains("cannot read `examples`: it is a directory");
    for nothing in [&b""[..], b"\xff\xfe", b"a: b: c", b"{\"version\": 1", b"\x00"] {
        fed(&["check", "-"], nothing).exits(2).quiet();
    }
}

#[test]
fn one_unreadable_file_does_not_hide_the_others() {
    let run = lane(&["check", WRONG, "no/such.yaml", GOOD]).exits(2).complains("cannot read `no/such.yaml`: no such file");
    assert!(run.out.contains("wrong.yaml: ") && run.out.ends_with("permissive.yaml: ok\n"), "{}", run.out);
}

#[test]
fn long_lines_are_drawn_in_part() {
    let filler = "x".repeat(100_000);
    let text = format!(r#"{{"version": 1, "groups": [{{"name": "{filler}", "mode": "permissive", "baselin": "{filler}"}}]}}"#);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.json");
    fs::write(&file, text).unwrap();
    let run = lane(&["check", file.to_str().unwrap()]).exits(1).quiet();
    assert!(run.out.len() < 4000, "{} bytes", run.out.len());
    assert!(run.out.contains("long.json:1:100062\n") && run.out.contains(r#"x", "mode": "permissive", "baselin": "xxx"#), "{}", run.out);
}

#[test]
fn a_byte_order_mark_stands_in_no_column() {
    let run = fed(&["check", "-"], "\u{feff}verzion: 1\r\ngroups: []\r\n".as_bytes()).exits(1).quiet();
    assert!(run.out.contains(" --> <stdin>:1:1\n") && run.out.contains("1 | verzion: 1\n  | ^^^^^^^\n"), "{}", run.out);
}

#[test]
fn bombs_are_refused_soon() {
    let mut laughs = String::from("groups:\n  - &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let inner = format!("*a{}", level - 1);
        laughs += &format!("  - &a{level} [{}]\n", [inner.as_str(); 9].join(", "));
    }
    for bomb in [laughs, "[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        let begun = Instant::now();
        assert_ne!(fed(&["check", "-"], bomb.as_bytes()).quiet().code, 0);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

#[test]
fn thousands_of_findings_do_not_take_long() {
    let rules: String = (0..5000).map(|number| format!("      - {{name: r{number}, service: cart, lane: nowhere}}\n")).collect();
    let text = format!(
        "version: 1\ngroups:\n  - name: shop\n    mode: permissive\n    baseline: v1\n    services: [{{host: cart}}]\n    lanes: [{{name: v1}}]\n    rules:\n{rules}"
    );
    let begun = Instant::now();
    let run = fed(&["check", "-"], text.as_bytes()).exits(1);
    assert!(run.out.matches("error[LANE0102]").count() == 5000 && run.out.contains("<stdin>: 5000 errors"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let output = command(&["check", WRONG]).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(output.stdout.contains(&0x1b));
    let output = command(&["check", WRONG]).env_remove("NO_COLOR").output().unwrap();
    assert!(!output.stdout.contains(&0x1b), "this is no terminal");
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let run = fed(&["check", "-"], b"version: 1\ngroups: []\n\"\\e[31m\\u202e\": 1\n").exits(1);
    assert!(!run.out.contains(['\u{1b}', '\u{202e}']), "{:?}", run.out);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    for arguments in [&["check", WRONG][..], &["schema"], &["explain"], &["--help"]] {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        assert!(output.status.code().is_some_and(|code| code < 2), "{arguments:?}: {}", output.status);
    }
}

#[test]
fn stats_tell_what_the_router_costs() {
    let run = lane(&["check", "--stats", GOOD]).exits(0).quiet();
    assert!(run.out.contains("lanes 3, subsets 7, rules 1,"), "{}", run.out);
    let run = lane(&["check", "--stats", "--json", GOOD]).exits(0).quiet();
    assert!(run.out.contains(r#""stats":{"groups":1,"services":3,"lanes":3,"subsets":7,"rules":1"#), "{}", run.out);
}
