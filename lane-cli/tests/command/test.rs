//! `lane test`.

use std::fs;

use crate::harness::{compare, fed, lane};

const CASES: &str = "lane-cli/tests/data/cases.yaml";
const FAILING: &str = "lane-cli/tests/data/failing.yaml";
const WRONG: &str = "lane-cli/tests/data/wrong-cases.yaml";

#[test]
fn good_cases_pass() {
    lane(&["test", CASES]).exits(0).quiet().golden("test-passing");
    let run = lane(&["test", "--only-failures", CASES]).exits(0).quiet();
    assert_eq!(run.out, "2 cases: 2 passed; rules covered: 1 of 1 (100 %)\n");
}

#[test]
fn failed_cases_show_what_was_wanted_and_why_it_came_otherwise() {
    lane(&["test", FAILING]).exits(1).quiet().golden("test-failing");
    lane(&["test", "--only-failures", CASES, FAILING]).exits(1).quiet();
}

#[test]
fn files_with_errors_are_drawn_and_the_others_run() {
    lane(&["test", WRONG, CASES]).exits(1).golden("test-wrong-file");
    lane(&["test", "no/such.yaml", CASES]).exits(2).complains("cannot read `no/such.yaml`: no such file");
    fed(&["test", "-"], b"cases: [").exits(2).complains("LANE0001");
    fed(&["test", "-"], b"cases: []").exits(2).complains("does not say which configuration it tests");
    fed(&["test", "-", "--config", "examples/strict.yaml"], b"cases: []").exits(0);
    fed(&["test", "-"], b"config: no/such.yaml\ncases: []").exits(2).complains("cannot read `no/such.yaml`");
    fed(&["test", "-"], b"config: lane-cli/tests/data/wrong.yaml\ncases: []").exits(1).complains("LANE0102");
}

#[test]
fn cases_are_chosen_by_name() {
    let run = lane(&["test", CASES, "--run", "^v2"]).exits(0).quiet();
    assert_eq!(run.out, "pass v2 has no mockb\n1 case: 1 passed, 1 not run; rules covered: 1 of 1 (100 %)\n");
    lane(&["test", CASES, "--run", "v9"]).exits(2).complains("no case's name matches `v9`");
    lane(&["test", CASES, "--run", "("]).exits(2);
}

#[test]
fn coverage_of_rules_can_be_asked_for() {
    let suite = concat!(
        "config: examples/sticky-canary.yaml\ncases:\n",
        "  - {name: named people, request: {ingress: {gateway: ingressgateway}, authority: shop.example, headers: [[x-user-id, u-1001]]}, expect: {rule: allow-list}}\n",
    );
    let run = fed(&["test", "-", "--fail-under", "34"], suite.as_bytes()).exits(1).quiet();
    run.golden("test-coverage");
    fed(&["test", "-", "--fail-under", "33"], suite.as_bytes()).exits(0).quiet();
    let run = fed(&["test", "-", "--coverage"], suite.as_bytes()).exits(0).quiet();
    assert!(run.out.contains("not covered: no case was decided by rule `robots` of group `shop`"), "{}", run.out);
    lane(&["test", CASES, "--fail-under", "101"]).exits(2);
}

#[test]
fn rules_that_decide_inside_the_chain_are_covered() {
    let suite = r#"
config:
  version: 1
  groups:
    - name: g
      mode: permissive
      gateways: [gw]
      baseline: v1
      services: [{host: a}, {host: b}]
      lanes: [{name: v1}, {name: v2}]
      rules:
        - {name: enter, service: a, lane: v1}
        - {name: jobs, at: [hop], service: b, lane: v2, match: [{source: {service: {exact: a}}}]}
cases:
  - {name: jobs, request: {hop: {service: b}, source: {service: a}}, chain: {b: v2}}
  - {name: enter, request: {ingress: {gateway: gw}}, chain: {a: v1, b: v1}}
"#;
    let run = fed(&["test", "-"], suite.as_bytes()).exits(0).quiet();
    assert!(run.out.ends_with("rules covered: 2 of 2 (100 %)\n"), "{}", run.out);
}

#[test]
fn junit_is_written_beside_and_instead() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    lane(&["test", FAILING, "--junit", file.to_str().unwrap()]).exits(1).quiet();
    let without_times = |xml: String| {
        let mut pieces = xml.split(" time=\"");
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |xml, piece| xml + piece.split_once('"').unwrap().1)
    };
    let xml = without_times(fs::read_to_string(&file).unwrap());
    compare("test-junit", &xml);
    assert_eq!(without_times(lane(&["test", FAILING, "--junit", "-"]).exits(1).quiet().out), xml);
    lane(&["test", CASES, "--junit", "no/such/folder/report.xml"])
        .exits(2)
        .complains("cannot write `no/such/folder/report.xml`: no such file");
}
