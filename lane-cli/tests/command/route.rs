//! `lane route` with one request.

use crate::harness::{fed, lane};

const PERMISSIVE: &str = "examples/permissive.yaml";
const STRICT: &str = "examples/strict.yaml";
const CANARY: &str = "examples/sticky-canary.yaml";

#[test]
fn a_request_at_a_gateway() {
    lane(&["route", PERMISSIVE, "/", "--roll", "45"]).exits(0).quiet().golden("route-ingress");
    lane(&["route", PERMISSIVE, "/", "--roll", "45", "--explain"]).exits(0).quiet().golden("route-ingress-explained");
    lane(&["route", STRICT, "/other", "-H", "x-asm-prefer-tag: s2", "--explain"]).exits(0).quiet().golden("route-no-route");
    lane(&["route", CANARY, "http://shop.example/cart", "-H", "cookie: uid=7", "--explain"]).exits(0).quiet().golden("route-sticky");
    lane(&["route", CANARY, "http://other.example/", "--explain"]).exits(0).quiet().golden("route-pass");
}

#[test]
fn a_call_inside_the_chain() {
    lane(&["route", PERMISSIVE, "--service", "mockb", "-H", "version: v2", "--explain"]).exits(0).quiet().golden("route-hop");
    lane(&["route", PERMISSIVE, "--service", "mockb", "--from-service", "mocka", "--from", "ASM_TRAFFIC_TAG=v2"])
        .exits(0)
        .quiet()
        .golden("route-hop-source");
    lane(&["route", PERMISSIVE, "--service", "mockb", "-H", "version: v2", "--down", "mockb/v1", "--explain"])
        .exits(0)
        .quiet()
        .golden("route-hop-unavailable");
    lane(&["route", PERMISSIVE, "--service", "elsewhere", "--explain"]).exits(0).golden("route-hop-pass");
    lane(&["route", PERMISSIVE, "--service", "mokb"]).exits(0).complains("no group has a service `mokb`; did you mean `mockb`?");
    let own = lane(&["route", STRICT, "--service", "mockb", "--from-lane", "s3", "-H", "x-asm-prefer-tag: s1", "--json"]).exits(0).lines();
    assert_eq!(own[0]["found"], serde_json::json!({"value": "s3", "in": "source"}));
    lane(&["route", "examples/trace-id.yaml", "--service", "api", "--remembered", "orders=gray", "--explain"])
        .exits(0)
        .quiet()
        .golden("route-remembered");
}

#[test]
fn a_split_without_a_roll_shows_its_shares() {
    lane(&["route", PERMISSIVE]).exits(0).quiet().golden("route-undetermined");
    lane(&["route", CANARY, "shop.example"]).exits(0).quiet().golden("route-undetermined-sticky");
}

#[test]
fn json_is_the_object_of_section_7() {
    let run =
        lane(&["route", PERMISSIVE, "--service", "mockb", "-H", "version: v2", "-H", "baggage: version=v2", "--json"]).exits(0).quiet();
    let wanted = concat!(
        r#"{"outcome":"fell_back","status":200,"group":"mock","rule":null,"lane":"v2","service":"mockb.default.svc.cluster.local","#,
        r#""subset":{"lane":"v1","labels":{"ASM_TRAFFIC_TAG":"v1"}},"fallback":{"from":"v2","to":"v1"},"reason":"not_in_lane","#,
        r#""found":{"value":"v2","in":"header"},"set_headers":{},"remove_headers":[],"set_cookie":null,"remember":[],"notes":[],"undetermined":[]}"#,
        "\n"
    );
    assert_eq!(run.out, wanted);
    let explained = lane(&["route", PERMISSIVE, "--roll", "45", "--json", "--explain"]).exits(0).lines();
    let [explained] = explained.as_slice() else { panic!("one line") };
    assert_eq!(explained["decision"]["lane"], "v2");
    assert!(explained["explanation"]["steps"].is_array());
}

#[test]
fn urls_hosts_and_methods_are_taken_apart() {
    let lane_of = |arguments: &[&str]| {
        let all: Vec<_> = ["route", "lane-cli/tests/data/attributes.yaml", "--json"].iter().chain(arguments).copied().collect();
        lane(&all).exits(0).quiet().lines()[0]["rule"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(lane_of(&["http://by-host.example:8080/x"]), "by-host");
    assert_eq!(lane_of(&["by-host.example"]), "by-host");
    assert_eq!(lane_of(&["http://other.example/", "--host", "by-host.example"]), "by-host");
    assert_eq!(lane_of(&["-H", "Host: by-host.example"]), "by-host");
    assert_eq!(lane_of(&["/by-path?x=1"]), "by-path");
    assert_eq!(lane_of(&["http://other.example/", "--path", "/by-path"]), "by-path");
    assert_eq!(lane_of(&["-X", "DELETE"]), "by-method");
    assert_eq!(lane_of(&["-H", "x-one: 1", "-H", "x-two: 2"]), "by-two-headers");
    assert_eq!(lane_of(&["/?q=%41"]), "by-query");
    assert_eq!(lane_of(&["--from-ip", "::ffff:10.1.2.3"]), "by-address");
    assert_eq!(lane_of(&[]), "else");
}

#[test]
fn slips_are_told_with_a_remedy() {
    lane(&["route", PERMISSIVE, "--down", "mokb/v1"]).exits(2).golden("route-bad-service");
    lane(&["route", PERMISSIVE, "--down", "mockb/v11"]).exits(2).complains("no lane `v11`").complains("did you mean `v1`?");
    lane(&["route", PERMISSIVE, "--down", "mockb"]).exits(2).complains("`mockb` is no `SERVICE/LANE`");
    lane(&["route", PERMISSIVE, "-H", "version"]).exits(2).complains("`version` is no header");
    lane(&["route", PERMISSIVE, "--from", "version"]).exits(2).complains("`version` is no `LABEL=VALUE`");
    lane(&["route", PERMISSIVE, "--roll", "-1"]).exits(2);
    lane(&["route", PERMISSIVE, "--from-ip", "10.0.0"]).exits(2);
    lane(&["route", PERMISSIVE, "--remembered", "mok=v2"]).exits(2).complains("did you mean `mock`?");
    lane(&["route", PERMISSIVE, "--from-service", "mokb"]).exits(2).complains("did you mean `mockb`?");
    lane(&["route", PERMISSIVE, "--service", "mockb", "--gateway", "x"]).exits(2);
    lane(&["route", PERMISSIVE, "--gateway", "ingresgateway"]).exits(0).complains("did you mean `ingressgateway`?");
    lane(&["route", "examples/multi-group.yaml"]).exits(2).complains("choose one with `--gateway`: `partners`, `public`");
    lane(&["route", "lane-cli/tests/data/wrong.yaml"]).exits(1).complains("error[LANE0102]");
    fed(&["route", "-"], b"a: [").exits(2).complains("LANE0001");
    fed(&["route", "-", "--requests", "-"], b"").exits(2).complains("cannot both be standard input");
}

#[test]
#[cfg(unix)]
fn header_values_may_hold_any_bytes() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let mut command = crate::harness::command(&["route", PERMISSIVE, "--service", "mockb", "--json", "-H"]);
    let output = command.arg(OsStr::from_bytes(b"version: v\xff2")).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["found"]["value"], serde_json::json!({"base64": "dv8y"}));
}
