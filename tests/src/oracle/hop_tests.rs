//! Traps of the hop decision (S21 to S26a).

use super::decide;
use super::example_tests::{permissive, strict};
use serde_json::{Value, json};

fn hop(config: &Value, mut request: Value) -> Value {
    if request["hop"].is_null() {
        request["hop"] = json!({ "service": "mocka" });
    }
    decide(config, &request)
}

fn with(mut config: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().into_iter().flatten() {
        config["groups"][0][name.as_str()] = value.clone();
    }
    config
}

#[test]
fn s21_names_compare_as_hosts() {
    for name in ["MockA", "a", "mocka.", "mocka:80", "A.:80"] {
        let decision = hop(&permissive(), json!({ "hop": { "service": name } }));
        assert_eq!(decision["outcome"], "routed", "{name}");
        assert_eq!(decision["service"], "mocka");
    }
    let decision = hop(&permissive(), json!({ "hop": { "service": "Else:1" } }));
    assert_eq!((&decision["outcome"], &decision["service"]), (&json!("pass"), &json!("Else:1")));
}

#[test]
fn s22_order_by_mode() {
    let request = json!({
        "headers": [["version", ""], ["baggage", "version=v3"]],
        "source": { "labels": { "ASM_TRAFFIC_TAG": "v2" } },
    });
    let decision = hop(&permissive(), request);
    assert_eq!(decision["found"], json!({ "value": "v3", "in": "baggage" }));
    let request = json!({
        "headers": [["x-asm-prefer-tag", "s3"]],
        "source": { "service": "mockb", "labels": { "ASM_TRAFFIC_TAG": "v2", "x": "y" } },
    });
    let decision = hop(&strict(), request);
    assert_eq!(decision["found"], json!({ "value": "s2", "in": "source" }));
}

#[test]
fn s22_the_baseline_as_own_lane_counts_as_none() {
    let decision = hop(&permissive(), json!({ "source": { "lane": "v1" } }));
    assert_eq!((&decision["found"], &decision["lane"]), (&Value::Null, &json!("v1")));
    assert_eq!(decision["set_headers"], json!({}));
    // A caller in a lane that does not contain the caller's service is in no lane.
    let source = json!({ "service": "mockb", "labels": { "ASM_TRAFFIC_TAG": "v2" } });
    assert_eq!(hop(&permissive(), json!({ "source": source }))["found"], Value::Null);
    let source = json!({ "service": "stranger", "labels": { "ASM_TRAFFIC_TAG": "v2" } });
    assert_eq!(hop(&permissive(), json!({ "source": source }))["found"], Value::Null);
}

#[test]
fn s23_unknown_lanes() {
    let ask = |config: &Value, lines: &[&str]| {
        let lines: Vec<Value> = lines.iter().map(|line| json!(["version", line])).collect();
        hop(config, json!({ "headers": lines }))
    };
    let decision = ask(&permissive(), &["v9"]);
    assert_eq!((&decision["lane"], &decision["notes"]), (&json!("v1"), &json!(["unknown_lane"])));
    assert_eq!(decision["set_headers"]["version"], "v1");
    let nearest = with(permissive(), json!({ "unknown_lane": "nearest_ancestor" }));
    assert_eq!(ask(&nearest, &["v2.a.b"])["lane"], "v2");
    assert_eq!(ask(&nearest, &["v9.a"])["lane"], "v1");
    // Different lines have no ancestor, though their text would.
    let decision = ask(&nearest, &["v2.a", "", "v3.b"]);
    assert_eq!((&decision["lane"], &decision["found"]["value"]), (&json!("v1"), &json!("v2.a,v3.b")));
    assert_eq!(ask(&nearest, &["v2", "", "v2"])["lane"], "v2");
    let reject = with(permissive(), json!({ "unknown_lane": "reject" }));
    let decision = ask(&reject, &["v9"]);
    assert_eq!((&decision["status"], &decision["group"]), (&json!(404), &json!("shop")));
    assert_eq!(decision["lane"], Value::Null);
}

#[test]
fn s24_below_the_minimum_is_the_last_resort() {
    let mut config = permissive();
    config["groups"][0]["services"][0]["min_healthy_percent"] = json!(50);
    let ask = |v2: [u64; 2], v1: [u64; 2]| {
        let live = json!({ "mocka": { "v2": v2, "v1": v1 } });
        hop(&config, json!({ "headers": [["version", "v2"]], "live": live }))
    };
    assert_eq!(ask([2, 1], [0, 0])["outcome"], "routed");
    let decision = ask([4, 1], [1, 1]);
    assert_eq!((&decision["subset"]["lane"], &decision["reason"]), (&json!("v1"), &json!("below_min_healthy")));
    let decision = ask([4, 1], [0, 0]);
    assert_eq!((&decision["outcome"], &decision["reason"]), (&json!("routed"), &Value::Null));
    assert_eq!(decision["notes"], json!(["below_min_healthy"]));
    let decision = ask([4, 0], [0, 0]);
    assert_eq!((&decision["status"], &decision["reason"]), (&json!(503), &json!("none_healthy")));
    assert_eq!(decision["set_headers"], json!({}));
}

#[test]
fn s26_restores_headers_where_absent_and_legal() {
    let config = with(permissive(), json!({ "restore_headers": ["env", "x-t"] }));
    for (member, wanted) in [
        ("env=prod", json!({ "env": "prod" })),
        ("env=%E9", json!({ "env": { "base64": "6Q==" } })),
        ("env=", json!({})),
        ("env=%20a", json!({})),
        ("env=a%0ab", json!({})),
        ("env=a%09b", json!({ "env": "a\tb" })),
        ("env=%7f", json!({})),
        ("env=a,env=b", json!({ "env": "b" })),
    ] {
        let decision = hop(&config, json!({ "headers": [["baggage", member]] }));
        assert_eq!(decision["set_headers"], wanted, "{member}");
    }
    let headers = json!([["baggage", "env=prod"], ["ENV", ""]]);
    assert_eq!(hop(&config, json!({ "headers": headers }))["set_headers"], json!({}));
}

#[test]
fn s26_remembers_the_lane_that_the_guiding_header_names() {
    let config = with(permissive(), json!({ "context": { "trace_id": "x-b3-traceid" } }));
    let headers = json!([["version", "v2"], ["X-B3-TraceId", "t"]]);
    let remember = json!([{ "group": "shop", "trace_id": "t", "lane": "v2" }]);
    assert_eq!(hop(&config, json!({ "headers": headers }))["remember"], remember);
    let inbound = decide(&config, &json!({ "inbound": {}, "headers": headers }));
    assert_eq!(inbound, json!({ "remember": remember }));
    let headers = json!([["x-b3-traceid", "t"]]);
    let decision = hop(&config, json!({ "headers": headers, "remembered": { "shop": "v3" } }));
    assert_eq!(decision["found"], json!({ "value": "v3", "in": "trace_id" }));
    assert_eq!(decision["set_headers"], json!({ "version": "v3" }));
    assert_eq!(decision["remember"], json!([]));
}
