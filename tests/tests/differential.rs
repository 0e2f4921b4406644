//! Router and oracle on generated configurations and requests: every decision must be the same, with the index
//! and without it, explained and not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by failing")]

use std::thread;

use lane_core::{Indexing, Options};
use lane_formats::{Format, request::Ask};
use lane_tests::{
    generate::{self, Rng},
    oracle,
};
use serde_json::{Value, json};

/// Configurations and requests of each; `LANE_DIFFERENTIAL_CONFIGS` asks for more.
const CONFIGS: u64 = 4_000;
const REQUESTS: u64 = 50;

fn answer(ask: &Result<Ask, lane_formats::request::AskError>, router: &lane_core::Router) -> Value {
    match ask.as_ref().map_err(ToString::to_string).and_then(|ask| ask.answer(router).map_err(|error| error.to_string())) {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => json!({ "error": error }),
    }
}

/// The vector that pins a disagreement.
fn dump(config: &Value, request: &Value, wanted: &Value) -> String {
    let case = json!({ "name": "found-by-comparison", "cites": [], "request": request, "expect": wanted });
    json!({ "about": "", "config": config, "cases": [case] }).to_string()
}

fn compare(seed: u64) {
    let config = generate::config(seed);
    let text = config.to_string();
    let load = |indexing: Indexing| {
        let mut options = Options::default();
        options.indexing = indexing;
        match lane_formats::load(&text, Format::Json, &options) {
            Ok(loaded) => loaded.router,
            Err(refused) => panic!("seed {seed}: a valid configuration was refused: {:#?}\n{text}", refused.findings),
        }
    };
    let [auto, indexed, linear] = [Indexing::Auto, Indexing::Always, Indexing::Never].map(load);
    let mut rng = Rng::new(seed ^ 0x5eed);
    for _ in 0..REQUESTS {
        let request = generate::request(&config, &mut rng);
        let ask = Ask::from_value(&request);
        let wanted = oracle::decide(&config, &request);
        let given = answer(&ask, &auto);
        if wanted.get("error").is_some() {
            assert!(given.get("error").is_some(), "seed {seed}: unreadable, and answered\n{request}\n{given}");
            continue;
        }
        assert_eq!(given, wanted, "seed {seed}\n{}", dump(&config, &request, &wanted));
        assert_eq!(answer(&ask, &indexed), wanted, "seed {seed}, by the index\n{}", dump(&config, &request, &wanted));
        assert_eq!(answer(&ask, &linear), wanted, "seed {seed}, without index\n{}", dump(&config, &request, &wanted));
        // Where a request arrives nothing is decided, so nothing is explained.
        if request.get("inbound").is_none() {
            let explained = ask.unwrap().explain(&indexed).unwrap();
            assert_eq!(serde_json::to_value(explained.0).unwrap(), wanted, "seed {seed}, explained");
        }
    }
}

#[test]
fn router_and_oracle_agree() {
    let configs = std::env::var("LANE_DIFFERENTIAL_CONFIGS").ok().and_then(|count| count.parse().ok()).unwrap_or(CONFIGS);
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || (half..configs).step_by(2).for_each(compare));
        }
    });
}
