//! Traps of the ingress decision (S16 to S20) and of what it passes on (S18, S27, S28).

use super::decide;
use super::example_tests::permissive;
use serde_json::{Value, json};

fn ingress(config: &Value, mut request: Value) -> Value {
    request["ingress"] = json!({ "gateway": "g" });
    decide(config, &request)
}

/// The permissive example with a rule for lane v2 in front, and fields of the group replaced.
fn entering(fields: Value) -> Value {
    let mut config = permissive();
    let group = &mut config["groups"][0];
    group["rules"] = json!([{ "name": "in", "service": "mocka", "lane": "v2" }]);
    for (name, value) in fields.as_object().into_iter().flatten() {
        group[name.as_str()] = value.clone();
    }
    config
}

#[test]
fn s16_no_route_where_a_host_held_else_pass() {
    let mut config = permissive();
    config["groups"][0]["rules"] = json!([{
        "name": "r", "service": "mocka", "lane": "v1", "hosts": ["*.shop.example"],
        "match": [{ "path": { "exact": "/x" } }],
    }]);
    for (authority, outcome) in [
        ("www.shop.example", "no_route"),
        ("WWW.Shop.example:80", "no_route"),
        ("shop.example", "pass"),
        (".shop.example", "pass"),
        ("www.shop.example.", "pass"),
    ] {
        let decision = ingress(&config, json!({ "authority": authority }));
        assert_eq!(decision["outcome"], outcome, "{authority}");
    }
    assert_eq!(ingress(&config, json!({}))["outcome"], "pass");
}

#[test]
fn s18_client_context_is_replaced_and_restored_members_go() {
    let config = entering(json!({ "restore_headers": ["env"] }));
    let decision = ingress(&config, json!({ "headers": [["VERSION", "v3"], ["baggage", "a=1 , version=v3,, env=x;p"]] }));
    assert_eq!(decision["set_headers"], json!({ "version": "v2", "baggage": "version=v2,a=1" }));
    // Same value: nothing to set, unless a member is removed.
    let decision = ingress(&config, json!({ "headers": [["version", "v2"], ["baggage", "a=1,version=v2"]] }));
    assert_eq!(decision["set_headers"], json!({}));
    let decision = ingress(&config, json!({ "headers": [["baggage", "a=1,version=v2,env=x"]] }));
    assert_eq!(decision["set_headers"]["baggage"], "version=v2,a=1");
    // A malformed member stays, whatever it begins with.
    let decision = ingress(&config, json!({ "headers": [["baggage", "version,version=a b"]] }));
    assert_eq!(decision["set_headers"]["baggage"], "version=v2,version,version=a b");
}

#[test]
fn s18_without_a_deciding_group_context_goes_and_nothing_is_set() {
    let mut config = entering(json!({ "restore_headers": ["env"] }));
    config["groups"][0]["rules"][0]["match"] = json!([{ "path": { "exact": "/x" } }]);
    let decision = ingress(&config, json!({ "headers": [["Version", "v3"], ["baggage", "version=v3,env=x"]] }));
    assert_eq!(decision["outcome"], "no_route");
    assert_eq!(decision["remove_headers"], json!(["baggage", "version"]));
    assert_eq!(decision["set_headers"], json!({}));
    let decision = ingress(&config, json!({ "headers": [["baggage", "version=v3, k=1"]] }));
    assert_eq!(decision["set_headers"], json!({ "baggage": "k=1" }));
    config["groups"][0]["trust_client"] = json!(true);
    let decision = ingress(&config, json!({ "headers": [["version", "v3"]] }));
    assert_eq!(decision["remove_headers"], json!([]));
    // Trust ends where the group does not hold.
    config["groups"][0]["gateways"] = json!(["other"]);
    let decision = ingress(&config, json!({ "headers": [["version", "v3"]] }));
    assert_eq!(decision["outcome"], "pass");
    assert_eq!(decision["remove_headers"], json!(["version"]));
}

#[test]
fn s18_what_is_set_is_never_removed_for_another_group() {
    let mut config = entering(json!({}));
    let mut other = config["groups"][0].clone();
    other["name"] = json!("other");
    other["services"] = json!([{ "host": "x" }]);
    other["lanes"] = json!([{ "name": "v1" }]);
    other["rules"] = json!([]);
    let groups = config["groups"].as_array_mut().expect("a list");
    groups.push(other);
    let headers = json!([["version", "v2"], ["baggage", "version=v2"]]);
    let decision = ingress(&config, json!({ "headers": headers }));
    assert_eq!(decision["remove_headers"], json!([]));
    assert_eq!(decision["set_headers"], json!({}));
}

#[test]
fn s18_unavailable_removes_context_and_sets_nothing() {
    let config = entering(json!({ "context": { "trace_id": "b3" } }));
    let dead = json!({ "mocka": { "v1": [0, 0], "v2": [2, 0] } });
    let headers = json!([["version", "v2"]]);
    let decision = ingress(&config, json!({ "live": dead, "headers": headers }));
    assert_eq!(decision["outcome"], "unavailable");
    assert_eq!(decision["reason"], "none_healthy");
    assert_eq!(decision["subset"], Value::Null);
    assert_eq!(decision["remove_headers"], json!(["version"]));
    assert_eq!(decision["notes"], json!(["no_trace_id"]));
}

#[test]
fn s27_writing_refuses_over_the_limits() {
    let config = entering(json!({}));
    let many = |count: usize| vec!["m=1"; count].join(",");
    let baggage = |line: String| ingress(&config, json!({ "headers": [["baggage", line]] }));
    assert_eq!(baggage(many(63))["notes"], json!([]));
    let full = baggage(many(64));
    assert_eq!(full["notes"], json!(["context_full"]));
    assert_eq!(full["set_headers"], json!({ "version": "v2" }));
    let full = baggage(format!("version=v1,{}", many(64)));
    assert_eq!(full["set_headers"]["baggage"], many(64));
    let long = "x".repeat(8192 - "version=v2,m=".len());
    assert_eq!(baggage(format!("m={long}"))["notes"], json!([]));
    assert_eq!(baggage(format!("m={long}x"))["notes"], json!(["context_full"]));
    let removed = baggage(format!("version=v1,m={long}{}", "x".repeat(100)));
    assert_eq!(removed["remove_headers"], json!(["baggage"]));
}

#[test]
fn s16_keep_lane_keeps_under_the_first_rule_whose_match_holds() {
    let config = entering(json!({ "gateways": ["g"], "trust_client": true, "keep_lane": true }));
    let decision = ingress(&config, json!({ "headers": [["version", "v3"]] }));
    assert_eq!(decision["lane"], "v3");
    assert_eq!(decision["found"], json!({ "value": "v3", "in": "header" }));
    let decision = ingress(&config, json!({ "headers": [["version", "v3"], ["version", "v1"]] }));
    assert_eq!((&decision["lane"], &decision["found"]), (&json!("v2"), &Value::Null));
}

fn splitting(sticky: Value, weights: [u64; 3]) -> Value {
    let mut config = permissive();
    let rule = &mut config["groups"][0]["rules"][0];
    for (index, weight) in weights.into_iter().enumerate() {
        rule["split"][index]["weight"] = json!(weight);
    }
    rule["sticky"] = sticky;
    config
}

#[test]
fn s19_generated_cookies_come_back_to_the_same_lane() {
    let generate = json!({ "cookie": "id", "ttl_seconds": 60 });
    for method in ["rendezvous", "ranges"] {
        let sticky = json!({ "generate": generate, "method": method, "salt": "s" });
        let config = splitting(sticky, [40, 30, 30]);
        for roll in 0..50_u64 {
            let first = ingress(&config, json!({ "roll": roll.to_string() }));
            let value = format!("{roll:016x}");
            assert_eq!(first["set_cookie"]["value"], json!(value));
            let again = ingress(&config, json!({ "headers": [["cookie", format!("id={value}")]] }));
            assert_eq!(again["lane"], first["lane"]);
            assert_eq!(again["set_cookie"], Value::Null);
        }
    }
}

#[test]
fn s19_one_positive_weight_needs_nothing() {
    let generate = json!({ "generate": { "cookie": "id", "ttl_seconds": 60 } });
    let config = splitting(generate, [0, 7, 0]);
    let decision = ingress(&config, json!({}));
    assert_eq!((&decision["lane"], &decision["set_cookie"]), (&json!("v2"), &Value::Null));
    let decision = ingress(&config, json!({ "roll": 1 }));
    assert_eq!(decision["set_cookie"]["value"], "0000000000000001");
}

#[test]
fn s20_an_empty_key_gives_way_to_the_next() {
    let keys = json!({ "keys": [{ "header": "a" }, { "header": "b" }] });
    let config = splitting(keys, [40, 30, 30]);
    let by_b = ingress(&config, json!({ "headers": [["b", "7"]] }));
    let by_empty_a = ingress(&config, json!({ "headers": [["a", ""], ["b", "7"]] }));
    assert_eq!(by_b["lane"], by_empty_a["lane"]);
    assert_eq!(ingress(&config, json!({}))["undetermined"], json!(["roll"]));
}

#[test]
fn s28_trace_ids() {
    let id = "80f198ee56343ba864fe8b2a57d3eff7";
    for (header, value, wanted) in [
        ("traceparent", format!("00-{id}-e457b5a2e4d86bd1-01"), Some(id)),
        ("traceparent", format!("00-{id}-e457b5a2e4d86bd1-01-"), None),
        ("traceparent", format!("cc-{id}-e457b5a2e4d86bd1-01-x"), Some(id)),
        ("traceparent", format!("cc-{id}-e457b5a2e4d86bd1-01.x"), None),
        ("traceparent", format!("ff-{id}-e457b5a2e4d86bd1-01"), None),
        ("traceparent", format!("00-{}-e457b5a2e4d86bd1-01", "0".repeat(32)), None),
        ("b3", format!("{id}-e457b5a2e4d86bd1-1"), Some(id)),
        ("b3", id.to_owned(), None),
        ("b3", "0".to_owned(), None),
        ("x-b3-traceid", "as it is".to_owned(), Some("as it is")),
        ("x-b3-traceid", String::new(), None),
    ] {
        let config = entering(json!({ "context": { "trace_id": header } }));
        let decision = ingress(&config, json!({ "headers": [[header, value]] }));
        let remember = wanted.map(|id| json!({ "group": "shop", "trace_id": id, "lane": "v2" }));
        assert_eq!(decision["remember"], json!(Vec::from_iter(remember)), "{value}");
        let notes = if wanted.is_none() { json!(["no_trace_id"]) } else { json!([]) };
        assert_eq!(decision["notes"], notes, "{value}");
    }
}
