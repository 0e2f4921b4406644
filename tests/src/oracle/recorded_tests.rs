//! Traps of three-valued decisions (section 8, `recorded`), and of requests that cannot be read.

use super::decide;
use super::example_tests::permissive;
use serde_json::{Value, json};

fn ask(rule: Value, seen: &[&str], headers: Value) -> Value {
    let mut config = permissive();
    let mut rule = rule;
    rule["name"] = json!("r");
    rule["service"] = json!("mocka");
    config["groups"][0]["rules"] = json!([rule]);
    decide(
        &config,
        &json!({
            "ingress": { "gateway": "g" }, "path": "/x", "roll": 5,
            "headers": headers, "recorded": { "headers": seen },
        }),
    )
}

#[test]
fn siblings_settle_unseen_conditions() {
    let a = json!({ "headers": { "A": { "exact": "1" } } });
    let b = json!({ "cookies": { "b": { "exact": "1" } } });
    let path = json!({ "path": { "exact": "/x" } });
    let wrong = json!({ "path": { "exact": "/y" } });
    for (entry, wanted) in [
        (json!({ "any": [a, path] }), "routed"),
        (json!({ "all": [a, wrong] }), "no_route"),
        (json!({ "not": a }), "undetermined"),
        (json!({ "any": [a, b, wrong] }), "undetermined"),
        (json!({ "any": [json!({ "all": [b, wrong] }), a] }), "undetermined"),
    ] {
        let decision = ask(json!({ "match": [entry], "lane": "v2" }), &[], json!([]));
        assert_eq!(decision["outcome"], wanted, "{entry}");
    }
    let entry = json!({ "any": [{ "all": [b, wrong] }, a] });
    let decision = ask(json!({ "match": [entry], "lane": "v2" }), &[], json!([]));
    assert_eq!(decision["undetermined"], json!(["header a"]));
    assert_eq!((&decision["status"], &decision["group"]), (&json!(0), &Value::Null));
}

#[test]
fn an_action_that_fails_settles_an_undetermined_match() {
    let rule = json!({
        "match": [{ "headers": { "a": { "exact": "1" } } }], "lane_from": { "query": "lane" },
    });
    assert_eq!(ask(rule, &[], json!([]))["outcome"], "no_route");
    let rule = json!({
        "match": [{ "headers": { "a": { "exact": "1" } } }], "lane_from": { "cookie": "lane" },
    });
    let decision = ask(rule, &[], json!([]));
    assert_eq!(decision["undetermined"], json!(["header a", "header cookie"]));
}

#[test]
fn an_unseen_key_before_a_present_one_leaves_the_split_open() {
    let split = json!([{ "lane": "v1", "weight": 1 }, { "lane": "v2", "weight": 1 }]);
    let rule = json!({ "split": split, "sticky": { "keys": [{ "cookie": "c" }, { "header": "b" }] } });
    let decision = ask(rule.clone(), &["b"], json!([["b", "1"]]));
    assert_eq!(decision["undetermined"], json!(["header cookie"]));
    assert_eq!((&decision["rule"], &decision["service"]), (&json!("r"), &json!("mocka")));
    let decision = ask(rule, &["cookie", "b"], json!([["b", "1"]]));
    assert_eq!(decision["outcome"], "routed");
}

#[test]
fn unseen_headers_count_as_absent_for_what_is_passed_on() {
    let headers = json!([["version", "v2"], ["baggage", "version=v2"]]);
    let decision = ask(json!({ "lane": "v2" }), &[], headers);
    let set = json!({ "version": "v2", "baggage": "version=v2" });
    assert_eq!(decision["set_headers"], set);
}

#[test]
fn an_unseen_guiding_header_ends_a_hop() {
    let decision = decide(&permissive(), &json!({ "hop": { "service": "a" }, "recorded": { "headers": ["baggage"] } }));
    assert_eq!(decision["undetermined"], json!(["header version"]));
    assert_eq!((&decision["service"], &decision["group"]), (&json!("mocka"), &Value::Null));
}

#[test]
fn unreadable_requests_are_errors() {
    for request in [
        json!({}),
        json!([]),
        json!({ "ingress": {}, "hop": { "service": "a" } }),
        json!({ "hop": {} }),
        json!({ "inbound": {}, "roll": -1 }),
        json!({ "inbound": {}, "roll": "18446744073709551616" }),
        json!({ "inbound": {}, "headers": [["a"]] }),
        json!({ "inbound": {}, "headers": [["a", { "base64": "*" }]] }),
        json!({ "inbound": {}, "live": { "a": { "v1": [1, 1] } } }),
        json!({ "inbound": {}, "live": { "mocka": { "v9": [1, 1] } } }),
        json!({ "inbound": {}, "live": { "mocka": { "v1": [1, 2] } } }),
    ] {
        let answer = decide(&permissive(), &request);
        assert!(answer["error"].is_string(), "{request}: {answer}");
    }
}
