//! What the generators reach, measured with the oracle: a comparison over inputs that never get anywhere proves nothing.

use super::{Rng, config, request};
use crate::oracle::{conditions_reached, decide};
use serde_json::Value;
use std::collections::BTreeMap;

const CONFIGS: u64 = 1000;
const REQUESTS: usize = 60;

#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, label: impl Into<String>) {
        *self.counts.entry(label.into()).or_default() += 1;
    }

    fn of(&self, label: &str) -> usize {
        self.counts.get(label).copied().unwrap_or(0)
    }
}

fn measure() -> (Tally, usize) {
    let mut tally = Tally::default();
    let mut total = 0;
    for seed in 0..CONFIGS {
        let config = config(seed);
        let mut rng = Rng::new(seed ^ 0x5eed);
        for _ in 0..REQUESTS {
            let request = request(&config, &mut rng);
            let answer = decide(&config, &request);
            total += 1;
            note_answer(&mut tally, &config, &request, &answer);
            for (label, holds) in conditions_reached(&config, &request) {
                let kind = match holds {
                    Some(true) => "holds",
                    Some(false) => "fails",
                    None => "open",
                };
                tally.add(format!("condition {label} {kind}"));
                let (attribute, _) = label.split_once(' ').unwrap_or((&label, ""));
                tally.add(format!("attribute {attribute} {kind}"));
                for word in label.split(' ').skip(1) {
                    tally.add(format!("matcher {word} {kind}"));
                }
            }
        }
    }
    (tally, total)
}

fn note_answer(tally: &mut Tally, config: &Value, request: &Value, answer: &Value) {
    let place = ["ingress", "hop", "inbound"].into_iter().find(|place| !request[*place].is_null()).unwrap_or("none");
    if answer["error"].is_string() {
        tally.add("error");
        return;
    }
    let Some(outcome) = answer["outcome"].as_str() else {
        tally.add(format!("inbound {}", answer["remember"] != serde_json::json!([])));
        return;
    };
    tally.add(format!("{place} {outcome}"));
    tally.add(format!("outcome {outcome}"));
    if let Some(reason) = answer["reason"].as_str() {
        tally.add(format!("reason {reason}"));
    }
    for note in answer["notes"].as_array().into_iter().flatten() {
        tally.add(format!("note {note}"));
    }
    if let Some(found) = answer["found"]["in"].as_str() {
        tally.add(format!("{place} found {found}"));
    }
    for (name, carries) in [
        ("set_headers", answer["set_headers"] != serde_json::json!({})),
        ("remove_headers", answer["remove_headers"] != serde_json::json!([])),
        ("remember", answer["remember"] != serde_json::json!([])),
        ("set_cookie", !answer["set_cookie"].is_null()),
        ("baggage", !answer["set_headers"]["baggage"].is_null()),
    ] {
        if carries {
            tally.add(format!("{place} {name}"));
        }
    }
    for group in config["groups"].as_array().into_iter().flatten() {
        for rule in group["rules"].as_array().into_iter().flatten() {
            if group["name"] == answer["group"] && rule["name"] == answer["rule"] {
                for action in ["lane", "lane_from", "split", "sticky"] {
                    if !rule[action].is_null() {
                        tally.add(format!("{place} action {action}"));
                    }
                }
                if group["keep_lane"] == true && answer["found"]["in"] == "header" {
                    tally.add("keep_lane");
                }
            }
        }
    }
}

#[test]
fn the_generators_reach_every_outcome() {
    let (tally, total) = measure();
    let shares = [
        ("outcome routed", 20),
        ("outcome fell_back", 3),
        ("outcome unavailable", 3),
        ("outcome no_route", 3),
        ("outcome pass", 3),
        ("outcome undetermined", 2),
    ];
    for (label, percent) in shares {
        let count = tally.of(label);
        assert!(count * 100 >= total * percent, "{label}: {count} of {total}");
    }
    let wanted = [
        "error",
        "inbound true",
        "inbound false",
        "keep_lane",
        "ingress action lane",
        "ingress action lane_from",
        "ingress action split",
        "ingress action sticky",
        "hop action lane",
        "hop action lane_from",
        "hop action split",
        "hop action sticky",
        "reason not_in_lane",
        "reason no_endpoints",
        "reason none_healthy",
        "reason below_min_healthy",
        "note \"unknown_lane\"",
        "note \"below_min_healthy\"",
        "note \"context_full\"",
        "note \"no_trace_id\"",
        "ingress found header",
        "ingress found cookie",
        "ingress found query",
        "ingress found baggage",
        "hop found header",
        "hop found baggage",
        "hop found trace_id",
        "hop found source",
        "hop found rule",
        "hop found cookie",
        "hop found query",
        "ingress set_headers",
        "ingress remove_headers",
        "ingress remember",
        "ingress set_cookie",
        "ingress baggage",
        "hop set_headers",
        "hop remember",
        "hop baggage",
    ];
    let unreached: Vec<&str> = wanted.into_iter().filter(|label| tally.of(label) < 20).collect();
    assert!(unreached.is_empty(), "{unreached:?} in {:#?}", tally.counts);
}

#[test]
fn every_condition_holds_and_fails() {
    let (tally, _) = measure();
    let attributes = ["method", "path", "headers", "query", "cookies", "baggage", "source", "percent"];
    let matchers =
        ["exact", "prefix", "suffix", "contains", "in", "regex", "range", "present", "segments", "or_missing", "not", "ignore_case"];
    let labels = attributes.map(|name| format!("attribute {name}")).into_iter().chain(matchers.map(|name| format!("matcher {name}")));
    for label in labels {
        for kind in ["holds", "fails"] {
            let count = tally.of(&format!("{label} {kind}"));
            assert!(count >= 200, "{label} {kind}: {count}");
        }
    }
    for name in ["headers", "cookies", "baggage", "percent"] {
        let count = tally.of(&format!("attribute {name} open"));
        assert!(count >= 50, "{name} open: {count}");
    }
}

#[test]
fn a_seed_gives_the_same_inputs() {
    for seed in 0..20 {
        let (first, second) = (config(seed), config(seed));
        assert_eq!(first, second);
        let requests = |config: &Value| -> Vec<Value> {
            let mut rng = Rng::new(seed);
            (0..20).map(|_| request(config, &mut rng)).collect()
        };
        assert_eq!(requests(&first), requests(&second));
    }
}

/// S5: groups with a service name in common differ in guiding header and baggage key; groups that share a gateway and one
/// of these agree on `trust_client`.
#[test]
fn groups_that_meet_keep_the_rules() {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.map(|one| one.as_str().unwrap_or_default().to_ascii_lowercase()).collect()
    };
    let names = |group: &Value| -> Vec<String> {
        let services = group["services"].as_array().into_iter().flatten();
        let mut names = Vec::new();
        for service in services {
            names.extend(texts(&service["aliases"]));
            names.extend(service["host"].as_str().map(str::to_ascii_lowercase));
        }
        names
    };
    let guiding = |group: &Value| {
        let header = group["guiding_header"].as_str();
        header.unwrap_or("x-asm-prefer-tag").to_ascii_lowercase()
    };
    let mut met = 0;
    for seed in 0..2000 {
        let config = config(seed);
        let groups = super::request::list(&config["groups"]);
        for (index, one) in groups.iter().enumerate() {
            for other in &groups[index + 1..] {
                let key = &one["context"]["baggage"];
                let same_key = !key.is_null() && *key == other["context"]["baggage"];
                let alike = guiding(one) == guiding(other) || same_key;
                let shared = names(one).iter().any(|name| names(other).contains(name));
                assert!(!(alike && shared), "seed {seed}");
                let (at, also_at) = (texts(&one["gateways"]), texts(&other["gateways"]));
                let meet = at.is_empty() || also_at.is_empty() || at.iter().any(|g| also_at.contains(g));
                let trusts = |group: &Value| group["trust_client"] == true;
                assert!(!(alike && meet) || trusts(one) == trusts(other), "seed {seed}");
                met += usize::from(shared);
            }
        }
    }
    assert!(met > 500, "only {met} pairs of groups share a service");
}
