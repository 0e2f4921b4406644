//! What holds for every configuration and every request, whatever they are. Inputs come from seeds, so that the seed in a
//! failure is enough to see it again.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what failed by failing")]

use lane_core::{Options, Router};
use lane_formats::{Format, request::Ask};
use lane_tests::generate::{self, Rng};
use serde_json::{Value, json};

mod inputs;
mod rules;
mod splits;
mod strict;

/// A generated configuration with its router, and requests for it.
struct World {
    seed: u64,
    config: Value,
    router: Router,
    requests: Vec<Value>,
}

impl World {
    fn new(seed: u64, requests: usize) -> Self {
        let config = generate::config(seed);
        let mut rng = Rng::new(seed ^ 0x9_0bbe);
        let requests = (0..requests).map(|_| generate::request(&config, &mut rng)).collect();
        Self { seed, router: router(&config), config, requests }
    }

    /// The requests that can be read, with their answers.
    fn answers(&self) -> impl Iterator<Item = (&Value, Value)> {
        let readable = self.requests.iter().map(|request| (request, answer(&self.router, request)));
        readable.filter(|(_, answer)| answer.get("error").is_none())
    }
}

fn router(config: &Value) -> Router {
    let loaded = lane_formats::load(&config.to_string(), Format::Json, &Options::default());
    loaded.unwrap_or_else(|refused| panic!("refused:\n{refused}\n{config}")).router
}

/// What the router answers to a request as data.
fn answer(router: &Router, request: &Value) -> Value {
    match Ask::from_value(request).and_then(|ask| ask.answer(router)) {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => json!({ "error": error.to_string() }),
    }
}
