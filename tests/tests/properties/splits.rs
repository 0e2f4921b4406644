//! Weights: who is chosen how often, and who moves when they change (S19, S20).

use std::collections::BTreeMap;

use lane_core::{Liveness, Request, Router};
use lane_tests::generate::Rng;
use serde_json::{Value, json};

use super::router;

type Weights<'a> = [(&'a str, u32)];

/// A router whose only rule splits by these weights.
fn split(weights: &Weights<'_>, sticky: Option<Value>) -> Router {
    let lanes: Vec<Value> = weights.iter().map(|(lane, _)| json!({ "name": lane })).collect();
    let shares: Vec<Value> = weights.iter().map(|(lane, weight)| json!({ "lane": lane, "weight": weight })).collect();
    let mut rule = json!({ "name": "r", "service": "a.svc", "split": shares });
    if let Some(sticky) = sticky {
        rule["sticky"] = sticky;
    }
    router(&json!({ "version": 1, "groups": [{
        "name": "g", "mode": "strict", "services": [{ "host": "a.svc" }], "lanes": lanes, "rules": [rule],
    }] }))
}

/// The lane of a request with this roll and this key.
fn lane(router: &Router, roll: Option<u64>, key: Option<&str>) -> String {
    let headers = [("x-user", key.unwrap_or_default())];
    let request = Request { roll, ..Request::new(&headers) };
    let decision = router.ingress("gw", &request, &Liveness::all_live());
    decision.lane.map_or_else(|| format!("{:?}", decision.outcome), |lane| router.lane_name(lane).to_owned())
}

fn sticky(method: &str) -> Option<Value> {
    Some(json!({ "keys": [{ "header": "x-user" }], "method": method }))
}

const LANES: [&str; 6] = ["v1", "v2", "v3", "gray", "blue", "v2.1"];

/// Weights of two lanes and more, some of them 0, not all.
fn weights(rng: &mut Rng, largest: usize) -> Vec<(&'static str, u32)> {
    let count = rng.between(2, LANES.len());
    let mut weights: Vec<(&str, u32)> =
        rng.some(&LANES, count).into_iter().map(|lane| (lane, if rng.chance(25) { 0 } else { rng.between(1, largest) as u32 })).collect();
    if weights.iter().all(|(_, weight)| *weight == 0) {
        weights[0].1 = 1;
    }
    weights
}

fn keys(rng: &mut Rng, count: usize) -> Vec<String> {
    (0..count).map(|_| format!("user-{:x}", rng.number())).collect()
}

#[test]
fn shares_over_a_full_period_of_rolls_are_exactly_the_weights() {
    let mut rng = Rng::new(19);
    for round in 0..100 {
        let weights = weights(&mut rng, 100);
        let router = split(&weights, None);
        let total: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        // Any period will do, also the last one that fits into 64 bits.
        let start = rng.pick(&[0, 1, rng.clone().number() / 2, u64::MAX - total + 1]);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for roll in 0..total {
            *counts.entry(lane(&router, Some(start + roll), None)).or_default() += 1;
        }
        let wanted: BTreeMap<String, u32> =
            weights.iter().filter(|(_, weight)| *weight > 0).map(|(lane, weight)| ((*lane).to_owned(), *weight)).collect();
        assert_eq!(counts, wanted, "round {round}, from {start}: {weights:?}");
    }
}

#[test]
fn weight_0_is_never_chosen() {
    let mut rng = Rng::new(4);
    for _ in 0..60 {
        let weights = weights(&mut rng, 5);
        for sticky in [None, sticky("rendezvous"), sticky("ranges"), Some(json!({ "generate": { "cookie": "c", "ttl_seconds": 60 } }))] {
            let router = split(&weights, sticky);
            for key in keys(&mut rng, 40) {
                for chosen in [lane(&router, Some(rng.number()), Some(&key)), lane(&router, Some(rng.number()), None)] {
                    assert!(weights.iter().any(|(lane, weight)| *lane == chosen && *weight > 0), "{chosen} of {weights:?}");
                }
            }
        }
    }
}

#[test]
fn scaling_and_reordering_rendezvous_weights_moves_nobody() {
    let mut rng = Rng::new(20);
    for _ in 0..60 {
        let weights = weights(&mut rng, 1_000);
        let before = split(&weights, sticky("rendezvous"));
        let factor = rng.pick(&[2, 3, 10, 1_000, 65_536]);
        let scaled: Vec<_> = weights.iter().map(|(lane, weight)| (*lane, weight * factor)).collect();
        let turned = rng.some(&scaled, usize::MAX);
        let after = [split(&scaled, sticky("rendezvous")), split(&turned, sticky("rendezvous"))];
        for key in keys(&mut rng, 60) {
            let wanted = lane(&before, None, Some(&key));
            for router in &after {
                assert_eq!(lane(router, None, Some(&key)), wanted, "{key} moved: {weights:?} -> {turned:?}");
            }
        }
    }
}

#[test]
fn raising_one_weight_only_moves_keys_into_that_lane() {
    let mut rng = Rng::new(2);
    let mut moved = 0;
    for _ in 0..100 {
        let weights = weights(&mut rng, 100);
        let raised = rng.below(weights.len());
        let mut more = weights.clone();
        more[raised].1 += rng.between(1, 200) as u32;
        let [before, after] = [&weights, &more].map(|weights| split(weights, sticky("rendezvous")));
        for key in keys(&mut rng, 60) {
            let (old, new) = (lane(&before, None, Some(&key)), lane(&after, None, Some(&key)));
            assert!(old == new || new == weights[raised].0, "{key} moved from {old} to {new}: {weights:?} -> {more:?}");
            moved += usize::from(old != new);
        }
    }
    assert!(moved > 500, "only {moved} keys moved at all");
}

#[test]
fn a_new_lane_takes_keys_from_all_and_moves_none_between_the_others() {
    let mut rng = Rng::new(3);
    for _ in 0..100 {
        let weights = weights(&mut rng, 100);
        let mut more = weights.clone();
        more.insert(rng.between(0, more.len()), ("new", rng.between(1, 100) as u32));
        let [before, after] = [&weights, &more].map(|weights| split(weights, sticky("rendezvous")));
        for key in keys(&mut rng, 60) {
            let (old, new) = (lane(&before, None, Some(&key)), lane(&after, None, Some(&key)));
            assert!(old == new || new == "new", "{key} moved from {old} to {new}: {weights:?} -> {more:?}");
        }
    }
}

#[test]
fn a_key_decides_whatever_the_roll_is() {
    let mut rng = Rng::new(5);
    for method in ["rendezvous", "ranges"] {
        for _ in 0..100 {
            let weights = weights(&mut rng, 100);
            let router = split(&weights, sticky(method));
            for key in keys(&mut rng, 20) {
                let wanted = lane(&router, None, Some(&key));
                assert_eq!(lane(&router, Some(rng.number()), Some(&key)), wanted, "{method}, {key}: {weights:?}");
            }
        }
    }
}

#[test]
fn observed_shares_of_keys_come_near_the_weights() {
    let mut rng = Rng::new(6);
    let weights = [("v1", 40), ("v2", 30), ("v3", 30)];
    for method in ["rendezvous", "ranges"] {
        let router = split(&weights, sticky(method));
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        for key in keys(&mut rng, 10_000) {
            *counts.entry(lane(&router, None, Some(&key))).or_default() += 1.0 / 100.0;
        }
        for (lane, weight) in weights {
            // Five standard deviations of a share of 20,000.
            assert!((counts[lane] - f64::from(weight)).abs() < 2.5, "{method}: {lane} has {} %", counts[lane]);
        }
    }
}
