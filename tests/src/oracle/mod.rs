//! The oracle: a naive evaluator that reads the configuration document in the order of the specification's sentences.
//! It compiles nothing, indexes nothing and shares no code with the engine, so that both can be compared on random
//! inputs. It expects a valid configuration; whether one is valid is not decided here.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure here is a broken test, and JSON is read by index"
)]

mod answer;
mod attribute;
mod baggage;
mod carry;
mod condition;
mod document;
mod hop;
mod ingress;
mod request;
mod resolve;
mod rule;
mod split;
mod trace;
mod truth;

#[cfg(test)]
mod example_tests;
#[cfg(test)]
mod hop_tests;
#[cfg(test)]
mod ingress_tests;
#[cfg(test)]
mod match_tests;
#[cfg(test)]
mod recorded_tests;

use document::groups;
use request::{Place, Request};
use serde_json::{Value, json};

/// What the specification says about one request (section 8) under one configuration (section 2): the decision object of
/// section 7, `{"remember": …}` for `inbound`, `{"error": …}` for a request that cannot be read.
pub fn decide(config: &Value, request: &Value) -> Value {
    let request = match Request::read(config, request) {
        Ok(request) => request,
        Err(message) => return json!({ "error": message }),
    };
    match &request.place {
        Place::Ingress { gateway } => ingress::decide(config, &request, gateway).to_json(),
        Place::Hop { service } => hop::decide(config, &request, service).to_json(),
        Place::Inbound => json!({ "remember": inbound(config, &request) }),
    }
}

/// S26a: every group with a trace-id context whose trace id is there and whose guiding header names one of its lanes.
fn inbound(config: &Value, request: &Request) -> Vec<Value> {
    groups(config).into_iter().filter_map(|group| carry::association(group, request)).map(|association| association.to_json()).collect()
}

/// For measuring what a generator reaches: each matcher and other single condition of every rule as
/// (`attribute kind`, whether it holds; none when undetermined).
pub fn conditions_reached(config: &Value, request: &Value) -> Vec<(String, Option<bool>)> {
    let mut reached = Vec::new();
    if let Ok(request) = Request::read(config, request) {
        for group in groups(config) {
            for rule in group.rules() {
                let scope = condition::Scope { config, group, rule, request: &request };
                condition::reached(scope, &mut reached);
            }
        }
    }
    reached
}
