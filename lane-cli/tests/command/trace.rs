//! `lane trace`: the worked examples of section 9, and what a user tries next.

use serde_json::json;

use crate::harness::lane;

const PERMISSIVE: &str = "examples/permissive.yaml";
const STRICT: &str = "examples/strict.yaml";
const CANARY: &str = "examples/sticky-canary.yaml";

#[test]
fn strict_lanes_come_out_as_in_section_9() {
    for (lane_name, version) in [("s1", "v1"), ("s2", "v2"), ("s3", "v3")] {
        let header = format!("x-asm-prefer-tag: {lane_name}");
        let run = lane(&["trace", STRICT, "-H", &header, "--path", "/mock", "-n", "100"]).exits(0).quiet();
        let line = format!("100 x -> mocka(version: {version})-> mockb(version: {version})-> mockc(version: {version})\n");
        assert!(run.out.starts_with(&line), "{}", run.out);
    }
    lane(&["trace", STRICT, "-H", "x-asm-prefer-tag: s2", "--path", "/mock", "-n", "100"]).exits(0).golden("trace-strict");
    for elsewhere in
        [&["-H", "x-asm-prefer-tag: s2", "--path", "/other"][..], &["-H", "x-asm-prefer-tag: s4", "--path", "/mock"], &["--path", "/mock"]]
    {
        let run = lane(&[&["trace", STRICT], elsewhere].concat()).exits(0).quiet();
        assert!(run.out.starts_with("100 x -> 404 no_route\n"), "{}", run.out);
    }
}

#[test]
fn permissive_lanes_come_out_as_in_section_9() {
    lane(&["trace", PERMISSIVE, "-n", "100"]).exits(0).quiet().golden("trace-permissive");
    lane(&["trace", PERMISSIVE, "-n", "10"]).exits(0).quiet().golden("trace-each");
    let trace = lane(&["trace", PERMISSIVE, "-n", "1000", "--json"]).exits(0).quiet().lines().remove(0);
    assert_eq!(trace["lanes"], json!({"v1": 400, "v2": 300, "v3": 300}));
    let cells = |row: usize| {
        trace["table"]["rows"][row]["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell["lane"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (cells(0), cells(1), cells(2)),
        (vec!["v1".into(); 3], vec!["v2".into(), "v1".into(), "v2".into()], vec!["v3".into(), "v3".into(), "v1".into()])
    );
    assert_eq!(trace["shares"][1], json!({"lane": "v2", "weight": 30, "numerator": 3, "denominator": 10, "observed": 300}));
    assert_eq!(trace["ways"][0]["hops"][0]["decision"]["service"], "mockb.default.svc.cluster.local");
}

#[test]
fn random_rolls_come_near_and_are_always_the_same() {
    let trace = |seed: &str| lane(&["trace", PERMISSIVE, "-n", "2000", "--seed", seed, "--json"]).exits(0).lines().remove(0);
    let first = trace("1");
    for (name, exact) in [("v1", 800), ("v2", 600), ("v3", 600)] {
        let observed = first["lanes"][name].as_i64().unwrap();
        assert!((observed - exact).abs() < 100, "{name}: {observed}");
    }
    assert_eq!(first, trace("1"));
    assert_ne!(first["lanes"], trace("2")["lanes"]);
}

#[test]
fn sticky_clients_vary_unless_they_are_given() {
    lane(&["trace", CANARY, "shop.example", "-n", "1000"]).exits(0).quiet().golden("trace-sticky");
    for arguments in [&["--key", "user-7"][..], &["-H", "cookie: uid=user-7"], &["-H", "x-user-id: user-7"]] {
        let run = lane(&[&["trace", CANARY, "shop.example", "-n", "50"], arguments].concat()).exits(0).quiet();
        assert!(run.out.starts_with("50 x -> frontend("), "one client, one lane: {}", run.out);
    }
    let anonymous = lane(&["trace", CANARY, "shop.example", "--key", "", "-n", "200", "--json"]).exits(0).lines().remove(0);
    assert_eq!(anonymous["ways"][0]["ingress"]["set_cookie"]["name"], "shop-lane");
    assert!(anonymous["lanes"]["canary"].as_u64().is_some_and(|count| count > 0), "{}", anonymous["lanes"]);
}

#[test]
fn what_is_down_is_served_by_another_or_by_nobody() {
    lane(&["trace", PERMISSIVE, "--down", "mockb/v3"]).exits(0).quiet().golden("trace-down");
    let run = lane(&["trace", PERMISSIVE, "--down", "mockb/v1", "--down", "mockb/v3"]).exits(0).quiet();
    assert!(run.out.starts_with(" 40 x -> mocka(version: v1)-> 503 unavailable\n"), "{}", run.out);
    lane(&["trace", PERMISSIVE, "--down", "mockb/v9"]).exits(2).complains("no lane `v9`");
}

#[test]
fn the_lane_travels_by_trace_id_too() {
    lane(&["trace", "examples/trace-id.yaml", "orders.example", "-H", "cookie: gray=1"]).exits(0).quiet().golden("trace-by-trace-id");
}

#[test]
fn chain_group_and_gateway_can_be_chosen() {
    let run = lane(&["trace", PERMISSIVE, "--chain", "mocka,mockc", "-n", "1"]).exits(0).quiet();
    assert!(run.out.starts_with("-> mocka(version: v2)-> mockc(version: v2)\n"), "{}", run.out);
    let run = lane(&["trace", PERMISSIVE, "--chain", "mocka,mokb", "-n", "1"])
        .exits(0)
        .complains("no group has a service `mokb`; did you mean `mockb`?");
    assert!(run.out.starts_with("-> mocka(version: v2)-> mokb\n"), "{}", run.out);
    let run = lane(&["trace", "examples/multi-group.yaml", "--group", "mobile", "api.example", "-H", "x-build: 6000"]).exits(0).quiet();
    assert!(run.out.starts_with("100 x -> bff(version: beta)-> auth(version: beta)\n"), "{}", run.out);
    lane(&["trace", "examples/multi-group.yaml"]).exits(2).complains("choose one with `--gateway`");
    lane(&["trace", PERMISSIVE, "--group", "mok"]).exits(2).complains("did you mean `mock`?");
    lane(&["trace", PERMISSIVE, "-n", "0"]).exits(2);
}

#[test]
fn a_request_that_is_not_ours_says_what_is_missing() {
    lane(&["trace", CANARY]).exits(0).quiet().golden("trace-pass");
}
