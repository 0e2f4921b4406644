//! A strict group never leaves its lane: requests followed through a gateway and every call behind it.

use lane_formats::request::Ask;
use lane_tests::generate::Rng;
use serde_json::{Value, json};

use super::{World, answer};

/// What the caller's sidecar knows of its own workload.
#[derive(Clone, Copy, Debug)]
enum Knows {
    Lane,
    Labels,
    Nothing,
}

/// A request's header lines, as they go on behind a decision.
fn carried(lines: &[Value], decision: &Value) -> Vec<Value> {
    let set = decision["set_headers"].as_object().unwrap();
    let removed: Vec<&str> = decision["remove_headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let goes = |line: &Value| {
        let name = line[0].as_str().unwrap();
        removed.iter().copied().chain(set.keys().map(String::as_str)).any(|gone| gone.eq_ignore_ascii_case(name))
    };
    let mut lines: Vec<Value> = lines.iter().filter(|line| !goes(line)).cloned().collect();
    lines.extend(set.iter().map(|(name, value)| json!([name, value])));
    lines
}

/// Whether no two lanes of the group have endpoints in common.
fn lanes_are_told_apart(group: &Value) -> bool {
    let lanes = group["lanes"].as_array().unwrap();
    let tags: Vec<&Value> =
        lanes.iter().map(|lane| if lane["service_tag"].is_null() { &lane["name"] } else { &lane["service_tag"] }).collect();
    let differ = tags.iter().enumerate().all(|(at, tag)| !tags[..at].contains(tag));
    differ && lanes.iter().all(|lane| lane["labels"].is_null())
}

/// Follows a request; returns how many calls were made.
fn follow(world: &World, group: &Value, request: &Value, first: &Value, knows: Knows, rng: &mut Rng) -> usize {
    let lane = first["lane"].as_str().unwrap();
    let mut lines = carried(request["headers"].as_array().map_or(&[], Vec::as_slice), first);
    let mut caller = first.clone();
    let services = group["services"].as_array().unwrap();
    let chain = rng.some(services, services.len());
    for (calls, service) in chain.iter().enumerate() {
        let mut source = json!({ "service": caller["service"] });
        match knows {
            Knows::Lane => source["lane"] = json!(lane),
            Knows::Labels => source["labels"] = caller["subset"]["labels"].clone(),
            Knows::Nothing => source = json!({}),
        }
        let mut call = json!({ "hop": { "service": service["host"] }, "source": source, "headers": lines });
        for field in ["roll", "live", "method", "authority", "path"] {
            if let Some(value) = request.get(field) {
                call[field] = value.clone();
            }
        }
        let decision = answer(&world.router, &call);
        let told = || format!("seed {}, {knows:?}\n{request}\n{first}\n{call}\n{decision}", world.seed);
        assert_eq!(decision["lane"], lane, "{}", told());
        assert_eq!(decision["fallback"], Value::Null, "{}", told());
        if decision["outcome"] != "routed" {
            assert_eq!(decision["outcome"], "unavailable", "{}", told());
            return calls;
        }
        assert_eq!(decision["subset"]["lane"], lane, "{}", told());
        lines = carried(&lines, &decision);
        caller = decision;
    }
    chain.len()
}

#[test]
fn a_strict_group_never_leaves_its_lane() {
    let (mut calls, mut seeds) = (0, 0);
    for seed in 0..2_500 {
        let config = lane_tests::generate::config(seed);
        let [group] = config["groups"].as_array().unwrap().as_slice() else { continue };
        if group["mode"] != "strict" {
            continue;
        }
        seeds += 1;
        let world = World::new(seed, 25);
        let mut rng = Rng::new(seed);
        for request in &world.requests {
            if Ask::from_value(request).is_err() || request.get("ingress").is_none() || request.get("recorded").is_some() {
                continue;
            }
            let first = answer(&world.router, request);
            assert_ne!(first["outcome"], "fell_back", "seed {seed}\n{request}");
            if first["outcome"] != "routed" {
                continue;
            }
            for knows in [Knows::Lane, Knows::Nothing] {
                calls += follow(&world, group, request, &first, knows, &mut rng);
            }
            if lanes_are_told_apart(group) {
                calls += follow(&world, group, request, &first, Knows::Labels, &mut rng);
            }
        }
    }
    assert!(seeds > 150 && calls > 1_500, "only {calls} calls in {seeds} configurations");
}
