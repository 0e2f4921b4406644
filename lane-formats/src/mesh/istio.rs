//! Istio: VirtualServices and DestinationRules, and what ASM adds to them.
//!
//! What a mesh cannot tell apart is not told of each export: a request with several lines of the guiding header is an
//! unknown lane to lane (S10), and in Envoy meets the first lane that any of them names; a request without method or
//! path does not occur.

mod condition;
mod export;
pub(super) mod import;

pub(super) use export::export;
pub(super) use import::{import, string_match};

/// The matches of a gateway that together ask for these tests; none, and a note, where Istio cannot.
pub(super) fn matches(tests: &super::flat::Tests, report: &mut super::Report) -> Option<Vec<serde_json::Value>> {
    condition::matches(tests, condition::Side::Gateway, report)
}
