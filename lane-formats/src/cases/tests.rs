//! Test files as people write them, and what is said about wrong ones.
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use super::*;

#[cfg(feature = "yaml")]
const SUITE: &str = r#"
config:
  version: 1
  groups:
    - name: mock
      mode: permissive
      gateways: [gw]
      guiding_header: version
      context: {baggage: version}
      baseline: v1
      services: [{host: mocka.svc, aliases: [mocka]}, {host: mockb.svc, aliases: [mockb]}, {host: mockc.svc, aliases: [mockc]}]
      lanes:
        - name: v1
        - {name: v2, services: [mocka.svc, mockc.svc]}
      rules:
        - {name: testers, service: mocka.svc, match: [{headers: {x-user-group: {exact: qa}}}], lane: v2}
cases:
  - name: tester
    request: {ingress: {gateway: gw}, headers: [[x-user-group, qa]]}
    expect: {outcome: routed, status: 200, lane: v2, subset: {lane: v2}, set_headers: {version: v2, baggage: version=v2}}
    chain: {mocka: v2, mockb: v1, mockc: v2}
  - name: nobody
    request: {ingress: {gateway: gw}}
    expect: {outcome: no_route, lane: null}
    chain: {mocka: no_route, mockb: not reached}
  - name: wrong on purpose
    request: {hop: {service: mockb}, headers: [[version, v2]]}
    expect: {outcome: routed, found: {in: baggage}, subset: {lane: v2}}
    chain: {mockb: v2, mockc: v2}
  - name: calls after the entry
    request: {ingress: {gateway: gw}, headers: [[x-user-group, qa]]}
    chain: {mockc: v2, mockb: v1}
"#;

#[cfg(feature = "yaml")]
fn run(suite: &Suite) -> Vec<Vec<(String, String, String)>> {
    let Some(SuiteConfig::Inline(loaded)) = &suite.config else { unreachable!("the configuration stands in the file") };
    let run = |case: &Case| case.run(&loaded.router, &loaded.config).unwrap();
    let shown = |difference: Difference| (difference.key, difference.wanted.to_string(), difference.actual.to_string());
    suite.cases.iter().map(|case| run(case).into_iter().map(shown).collect()).collect()
}

#[cfg(feature = "yaml")]
#[test]
fn a_case_tells_what_differs() {
    let suite = Suite::read(SUITE, Format::Yaml, &Options::default()).unwrap();
    assert_eq!(suite.cases.iter().map(|case| case.line).collect::<Vec<_>>(), [18, 22, 26, 30]);
    let difference = |key: &str, wanted: &str, actual: &str| (key.to_owned(), wanted.to_owned(), actual.to_owned());
    let wrong = vec![
        difference("outcome", "\"routed\"", "\"fell_back\""),
        difference("found.in", "\"baggage\"", "\"header\""),
        difference("subset.lane", "\"v2\"", "\"v1\""),
        difference("chain.mockb", "\"v2\"", "\"v1\""),
    ];
    assert_eq!(run(&suite), [vec![], vec![], wrong, vec![]]);
}

#[cfg(feature = "yaml")]
#[test]
fn everything_wrong_in_a_file_is_reported_with_its_place() {
    let text = r#"
config:
  version: 1
  groups: [{name: g, mode: strict, services: [{host: a.svc}], lanes: [{name: s1}], rules: [{name: r, service: a.svc, lane: s2}]}]
cases:
  - name: one
    request: {hop: {service: a.svc}, livve: {}}
    expect: {outcom: routed}
  - name: one
    request: {hop: {service: a.svc}, roll: -1}
    expect: {outcome: routed}
  - name: nothing
    request: {inbound: {}}
  - name: one
    request: {inbound: {}}
    expect: {remember: []}
  - name: one
    request: {inbound: {}}
    expect: {remember: []}
"#;
    let refused = Suite::read(text, Format::Yaml, &Options::default()).unwrap_err();
    let errors = refused.findings.iter().filter(|finding| finding.severity == lane_core::diagnostic::Severity::Error);
    let shown: Vec<_> = errors.map(|finding| format!("{}:{} {} {}", finding.line, finding.column, finding.path, finding.message)).collect();
    let wanted = [
        "4:124 config.groups[0].rules[0].lane group `g` has no lane `s2`",
        "7:38 cases[0].request.livve unknown field `livve`",
        "8:14 cases[0].expect.outcom a decision has no field `outcom`",
        "10:44 cases[1].request.roll expected a whole number from 0 to 18446744073709551615, or such a number as text, found the number `-1`",
        "12:5 cases[2] one of `expect` and `chain` is needed: the case expects nothing",
        "17:11 cases[4].name the name `one` is used twice",
    ];
    assert_eq!(shown, wanted);
}

#[test]
fn json_is_read_too_and_a_path_is_a_path() {
    let text =
        r#"{"config": "lanes.yaml", "cases": [{"name": "a", "cites": ["S1"], "request": {"inbound": {}}, "expect": {"remember": []}}]}"#;
    let suite = Suite::read(text, Format::Json, &Options::default()).unwrap();
    assert!(matches!(&suite.config, Some(SuiteConfig::Path(path)) if path == "lanes.yaml"));
    assert_eq!(suite.cases.len(), 1);
}
