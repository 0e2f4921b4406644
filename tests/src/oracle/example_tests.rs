//! The worked examples of section 9, and one decision spelled out in full.

use super::decide;
use serde_json::{Value, json};

pub(super) fn strict() -> Value {
    let lane = |name: &str, tag: &str| json!({ "name": name, "service_tag": tag });
    json!({ "version": 1, "groups": [{
        "name": "shop", "mode": "strict",
        "services": [{ "host": "mocka" }, { "host": "mockb" }, { "host": "mockc" }],
        "lanes": [lane("s1", "v1"), lane("s2", "v2"), lane("s3", "v3")],
        "rules": [{
            "name": "entry", "service": "mocka",
            "match": [{ "path": { "exact": "/mock" } }],
            "lane_from": { "header": "x-asm-prefer-tag" },
        }],
    }] })
}

pub(super) fn permissive() -> Value {
    json!({ "version": 1, "groups": [{
        "name": "shop", "mode": "permissive", "baseline": "v1",
        "guiding_header": "version", "context": { "baggage": "version" },
        "services": [
            { "host": "mocka", "aliases": ["a"] },
            { "host": "mockb", "aliases": ["b"] },
            { "host": "mockc", "aliases": ["c"] },
        ],
        "lanes": [
            { "name": "v1" },
            { "name": "v2", "services": ["mocka", "mockc"] },
            { "name": "v3", "services": ["mocka", "mockb"] },
        ],
        "rules": [{
            "name": "everyone", "service": "mocka",
            "split": [
                { "lane": "v1", "weight": 40 },
                { "lane": "v2", "weight": 30 },
                { "lane": "v3", "weight": 30 },
            ],
        }],
    }] })
}

fn chain(config: &Value, header: &str, value: Option<&str>, roll: u64) -> Vec<String> {
    let given: Vec<Value> = value.map(|value| json!([header, value])).into_iter().collect();
    let entry = decide(config, &json!({ "ingress": { "gateway": "g" }, "path": "/mock", "headers": given, "roll": roll }));
    let lane = entry["lane"].as_str().unwrap_or("none").to_owned();
    let mut tags = vec![tag(&entry)];
    for service in ["mockb", "mockc"] {
        let hop = decide(config, &json!({ "hop": { "service": service }, "headers": [[header, lane]] }));
        tags.push(tag(&hop));
    }
    tags
}

fn tag(decision: &Value) -> String {
    let labels = &decision["subset"]["labels"];
    labels["ASM_TRAFFIC_TAG"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn strict_lanes_stay_apart() {
    let config = strict();
    for (lane, service_tag) in [("s1", "v1"), ("s2", "v2"), ("s3", "v3")] {
        for roll in 0..100 {
            let tags = chain(&config, "x-asm-prefer-tag", Some(lane), roll);
            assert_eq!(tags, [service_tag; 3]);
        }
    }
    for (path, lane) in [("/other", "s1"), ("/mock", "s4"), ("/mock", "")] {
        let decision = decide(
            &config,
            &json!({
                "ingress": { "gateway": "g" }, "path": path,
                "headers": [["x-asm-prefer-tag", lane]],
            }),
        );
        assert_eq!(decision["status"], 404, "{path} {lane}");
    }
}

#[test]
fn permissive_lanes_fall_back_and_split_40_30_30() {
    let config = permissive();
    let mut counts = [0; 3];
    for roll in 0..100 {
        let tags = chain(&config, "version", None, roll);
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        match tags.as_slice() {
            ["v1", "v1", "v1"] => counts[0] += 1,
            ["v2", "v1", "v2"] => counts[1] += 1,
            ["v3", "v3", "v1"] => counts[2] += 1,
            other => panic!("{other:?} stands in no row of the table"),
        }
    }
    assert_eq!(counts, [40, 30, 30]);
}

#[test]
fn the_decision_of_section_7() {
    let request = json!({
        "hop": { "service": "b" },
        "headers": [["version", "v2"], ["baggage", "version=v2"]],
    });
    assert_eq!(
        decide(&permissive(), &request),
        json!({
            "outcome": "fell_back", "status": 200, "group": "shop", "rule": null, "lane": "v2",
            "service": "mockb",
            "subset": { "lane": "v1", "labels": { "ASM_TRAFFIC_TAG": "v1" } },
            "fallback": { "from": "v2", "to": "v1" }, "reason": "not_in_lane",
            "found": { "value": "v2", "in": "header" },
            "set_headers": {}, "remove_headers": [], "set_cookie": null, "remember": [],
            "notes": [], "undetermined": [],
        })
    );
}
