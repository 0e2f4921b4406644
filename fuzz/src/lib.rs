//! What a fuzzer runs: each body takes bytes, whatever they are, and panics where the engine breaks a promise. The test
//! suite replays all of them over the corpus and over generated inputs, so that they never rot; libFuzzer's shims are
//! in `fuzz_targets/`.
//!
//! | body | promise |
//! |---|---|
//! | [`config_text`] | any text is read or refused, with places that lie in it; what was read can be written and read again |
//! | [`decision`] | router and oracle agree on configurations and requests made from the bytes |
//! | [`baggage`] | a baggage line is read as the oracle reads it, and what is written is within the limits and reads back |
//! | [`query_and_cookies`] | the same for query parameters and cookies |
//! | [`request_json`] | any line is a request or an error; what was read can be written and read again |
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fuzz body reports by panicking, and JSON is read by index"
)]

mod attributes;
mod config;
mod decision;
mod request;

pub use attributes::{baggage, query_and_cookies};
pub use config::config_text;
pub use decision::decision;
pub use request::request_json;

use lane_core::Router;
use lane_formats::request::Ask;
use serde_json::{Value, json};

/// A body.
pub type Body = fn(&[u8]);

/// All bodies, by the names of their targets and of their folders in the corpus.
pub const BODIES: [(&str, Body); 5] = [
    ("config_text", config_text),
    ("decision", decision),
    ("baggage", baggage),
    ("query_and_cookies", query_and_cookies),
    ("request_json", request_json),
];

/// What the router answers to a request as data.
fn answer(router: &Router, request: &Value) -> Value {
    match Ask::from_value(request).and_then(|ask| ask.answer(router)) {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// Compares router and oracle on one request.
fn agree(config: &Value, router: &Router, request: &Value) -> Value {
    let wanted = lane_tests::oracle::decide(config, request);
    let given = answer(router, request);
    let alike = if wanted.get("error").is_some() { given.get("error").is_some() } else { given == wanted };
    assert!(alike, "the oracle says\n{wanted}\nthe router says\n{given}\nto\n{request}\nunder\n{config}");
    given
}

/// A router of a configuration that is known to be right.
fn router(config: &Value) -> Router {
    let loaded = lane_formats::load(&config.to_string(), lane_formats::Format::Json, &lane_core::Options::default());
    loaded.unwrap_or_else(|refused| panic!("refused:\n{refused}\n{config}")).router
}
