//! Rules that cannot matter: those that hold for nobody, those behind one that holds for everyone, those of other gateways.

use lane_tests::generate::Rng;
use serde_json::{Value, json};

use super::{World, answer, router};

/// Conditions that hold for no request, certainly, even where headers were not recorded.
fn never(rng: &mut Rng) -> Value {
    rng.pick(&[
        json!([{ "not": {} }]),
        json!([{ "any": [{ "not": {} }, { "all": [{}, { "not": {} }] }] }]),
        json!([{ "path": { "exact": "/a" }, "all": [{ "path": { "exact": "/b" } }] }]),
        json!([{ "path": { "segments": "/nowhere/at/all" }, "not": {} }, { "not": { "not": { "not": {} } } }]),
        json!([{ "headers": { "x-a": { "exact": "a" } }, "not": {} }]),
    ])
}

#[test]
fn a_rule_that_cannot_match_changes_nothing() {
    for seed in 0..200 {
        let world = World::new(seed, 25);
        let mut rng = Rng::new(seed);
        let mut config = world.config.clone();
        for group in config["groups"].as_array_mut().unwrap() {
            let mut rule = json!({
                "name": "never", "at": ["gateway", "hop"], "service": group["services"][0]["host"],
                "lane": group["lanes"][0]["name"], "match": never(&mut rng),
            });
            // A rule whose hosts hold makes the traffic ours (S16), so this one's are nobody's, or those of a rule that is there.
            rule["hosts"] = json!(["nobody.invalid"]);
            let rules = group["rules"].as_array().cloned().unwrap_or_default();
            let gateway = |rule: &&Value| rule["at"].is_null() || rule["at"].as_array().unwrap().contains(&json!("gateway"));
            if let Some(known) = rules.iter().find(gateway)
                && rng.chance(60)
            {
                rule["hosts"] = if known["hosts"].is_null() { json!(["*"]) } else { known["hosts"].clone() };
            }
            let mut rules = rules;
            rules.insert(rng.between(0, rules.len()), rule);
            group["rules"] = json!(rules);
        }
        let with = router(&config);
        for (request, wanted) in world.answers() {
            assert_eq!(answer(&with, request), wanted, "seed {seed}\n{request}\n{config}");
        }
    }
}

#[test]
fn a_rule_behind_one_that_holds_for_everyone_changes_nothing() {
    for seed in 300..420 {
        let mut world = World::new(seed, 25);
        let mut rng = Rng::new(seed);
        let everyone =
            |group: &Value| json!({ "name": "everyone", "service": group["services"][0]["host"], "lane": group["lanes"][0]["name"] });
        for group in world.config["groups"].as_array_mut().unwrap() {
            let everyone = everyone(group);
            let mut rules = group["rules"].as_array().cloned().unwrap_or_default();
            rules.insert(rng.between(0, rules.len()), everyone);
            group["rules"] = json!(rules);
        }
        let long = router(&world.config);
        let mut cut = world.config.clone();
        for group in cut["groups"].as_array_mut().unwrap() {
            let rules = group["rules"].as_array().unwrap();
            let end = rules.iter().position(|rule| rule["name"] == "everyone").unwrap();
            group["rules"] = json!(rules[..=end]);
        }
        let short = router(&cut);
        for request in world.requests.iter().filter(|request| request.get("ingress").is_some()) {
            assert_eq!(answer(&long, request), answer(&short, request), "seed {seed}\n{request}");
        }
    }
}

#[test]
fn the_order_of_match_entries_changes_nothing() {
    for seed in 500..650 {
        let world = World::new(seed, 20);
        let mut rng = Rng::new(seed);
        let mut config = world.config.clone();
        for group in config["groups"].as_array_mut().unwrap() {
            for rule in group.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(entries) = rule["match"].as_array() {
                    rule["match"] = json!(rng.some(entries, usize::MAX));
                }
            }
        }
        let turned = router(&config);
        for (request, wanted) in world.answers() {
            assert_eq!(answer(&turned, request), wanted, "seed {seed}\n{request}");
        }
    }
}

#[test]
fn groups_that_hold_at_other_gateways_only_decide_nothing_here() {
    for seed in 800..900 {
        let world = World::new(seed, 25);
        for (request, wanted) in world.answers() {
            let Some(gateway) = request["ingress"]["gateway"].as_str() else { continue };
            let Some(name) = wanted["group"].as_str() else { continue };
            let group = world.config["groups"].as_array().unwrap().iter().find(|group| group["name"] == name).unwrap();
            let here = group["gateways"].as_array().is_none_or(|gateways| gateways.contains(&json!(gateway)));
            assert!(here, "seed {seed}: {name} decided at {gateway}\n{request}");
        }
    }
}
