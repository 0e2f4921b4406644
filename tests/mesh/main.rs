//! `lane export` and `lane import`: laws on generated configurations, Istio's documents read naively, published schemas,
//! the documents' own examples field by field, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test says what failed by failing, and reads JSON by index"
)]

mod conformance;
mod documents;
mod enforced;
mod interpreter;
mod laws;
mod plain;
mod refusals;
mod schemas;
