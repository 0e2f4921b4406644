//! What the types people meet may be used for: sharing a router between threads, copying a decision.

use lane_core::{Decision, Liveness, Request, Router, TraceTable};

/// A decision fits into two cache lines, whatever it decides.
const DECISION_BYTES: usize = 128;

fn shared_between_threads<T: Send + Sync + 'static>() {}
fn cheap_to_clone<T: Clone>() {}
fn by_value<T: Copy + Send + Sync + 'static>() {}
fn moved_to_its_owner<T: Send + 'static>() {}

#[test]
fn a_router_is_shared_and_a_decision_is_copied() {
    shared_between_threads::<Router>();
    cheap_to_clone::<Router>();
    shared_between_threads::<Liveness>();
    by_value::<Decision>();
    moved_to_its_owner::<TraceTable>();
}

#[test]
fn a_request_is_a_view_that_is_copied() {
    fn view<T: Copy + Send + Sync>(_: T) {}
    let headers = [("x-a", "1")];
    view(Request::new(&headers));
}

#[test]
fn a_router_is_one_pointer_and_a_decision_is_small() {
    assert_eq!(size_of::<Router>(), size_of::<usize>());
    assert!(size_of::<Decision>() <= DECISION_BYTES, "a decision has {} bytes", size_of::<Decision>());
}
