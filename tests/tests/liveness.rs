//! Endpoint counts that change while others decide: counts are never torn, nothing set means live, and what was
//! cleared counts as live again (S24).
#![expect(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use lane_core::{Decision, Endpoints, LaneId, Liveness, Options, Outcome, Reason, Request, Router, ServiceId, SubsetId};
use lane_formats::Format;

const CONFIG: &str = r#"{"version": 1, "groups": [{
    "name": "g", "mode": "permissive", "baseline": "v1",
    "services": [{"host": "a.svc", "min_healthy_percent": 50}, {"host": "b.svc"}],
    "lanes": [{"name": "v1"}, {"name": "v2"}]}]}"#;

/// A router with the two lanes of its service `a.svc`.
struct Fixture {
    router: Router,
    service: ServiceId,
    base: LaneId,
    other: LaneId,
}

impl Fixture {
    fn new() -> Self {
        let router = lane_formats::load(CONFIG, Format::Json, &Options::default()).unwrap().router;
        let group = router.groups().next().unwrap();
        let [base, other] = ["v1", "v2"].map(|name| router.lane_in(group, name).unwrap());
        let service = router.service_in(group, "a.svc").unwrap();
        Self { service, base, other, router }
    }

    fn subset(&self, lane: LaneId) -> SubsetId {
        self.router.subset(self.service, lane).unwrap()
    }

    /// A call of `a.svc` in lane v2.
    fn call(&self, liveness: &Liveness) -> Decision {
        self.router.hop("a.svc", &Request::new(&[("x-asm-prefer-tag", "v2")]), liveness)
    }
}

fn counts(total: u32, healthy: u32) -> Endpoints {
    Endpoints { total, healthy }
}

#[test]
fn what_was_never_set_counts_as_live() {
    let fixture = Fixture::new();
    for liveness in [Liveness::all_live(), fixture.router.liveness()] {
        assert_eq!(liveness.get(fixture.subset(fixture.other)), None);
        let decision = fixture.call(&liveness);
        assert_eq!((decision.outcome, decision.serving), (Outcome::Routed, Some(fixture.other)));
    }
}

#[test]
fn a_table_in_which_all_is_live_cannot_be_set() {
    let fixture = Fixture::new();
    let liveness = Liveness::all_live();
    assert!(!liveness.set(fixture.subset(fixture.other), counts(1, 0)));
    assert!(!liveness.clear(fixture.subset(fixture.other)));
    assert_eq!(liveness.get(fixture.subset(fixture.other)), None);
    assert_eq!(fixture.call(&liveness).outcome, Outcome::Routed);
}

#[test]
fn counts_are_kept_as_set_for_one_subset_only_until_they_are_cleared() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let subset = fixture.subset(fixture.other);
    for endpoints in [counts(0, 0), counts(1, 0), counts(1, 1), counts(u32::MAX, 0), counts(u32::MAX, u32::MAX)] {
        assert!(liveness.set(subset, endpoints));
        assert_eq!(liveness.get(subset), Some(endpoints));
        assert_eq!(liveness.get(fixture.subset(fixture.base)), None);
        assert!(liveness.clear(subset));
        assert_eq!(liveness.get(subset), None);
        assert_eq!(fixture.call(&liveness).outcome, Outcome::Routed);
    }
}

#[test]
fn healthy_endpoints_above_the_total_count_as_all_healthy() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let subset = fixture.subset(fixture.other);
    for total in [0, 1, u32::MAX - 1] {
        assert!(liveness.set(subset, counts(total, u32::MAX)));
        assert_eq!(liveness.get(subset), Some(counts(total, total)));
    }
}

#[test]
fn each_count_has_its_reason() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let cases = [
        (counts(0, 0), Some(Reason::NoEndpoints)),
        (counts(3, 0), Some(Reason::NoneHealthy)),
        (counts(3, 1), Some(Reason::BelowMinHealthy)),
        (counts(2, 1), None),
    ];
    for (endpoints, reason) in cases {
        liveness.set(fixture.subset(fixture.other), endpoints);
        let decision = fixture.call(&liveness);
        assert_eq!(decision.reason, reason, "{endpoints:?}");
        assert_eq!(decision.serving, Some(if reason.is_some() { fixture.base } else { fixture.other }), "{endpoints:?}");
        // The lane carried on is not changed by a fallback (S25).
        assert_eq!(decision.lane, Some(fixture.other));
    }
}

/// Runs `read` on two threads while one writes each of `written` in turn, as often as `rounds` says.
fn while_writing(rounds: usize, liveness: &Liveness, subset: SubsetId, written: &[Endpoints], read: impl Fn() + Sync) {
    let done = AtomicBool::new(false);
    liveness.set(subset, written.first().copied().unwrap());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // At least once after the last write too.
                let mut last = false;
                while !last {
                    last = done.load(Ordering::Acquire);
                    read();
                }
            });
        }
        for endpoints in written.iter().cycle().take(rounds) {
            liveness.set(subset, *endpoints);
        }
        done.store(true, Ordering::Release);
    });
}

#[test]
fn counts_are_never_torn() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let subset = fixture.subset(fixture.other);
    let written = [counts(7, 7), counts(1_000_000, 3), counts(0, 0), counts(u32::MAX, u32::MAX)];
    while_writing(500_000, &liveness, subset, &written, || {
        let read = liveness.get(subset);
        assert!(read.is_none_or(|read| written.contains(&read)), "nobody wrote {read:?}");
    });
}

#[test]
fn a_decision_never_mixes_two_updates() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let subset = fixture.subset(fixture.other);
    // Each of these is enough; total of one with healthy of another would be none healthy or too few.
    while_writing(200_000, &liveness, subset, &[counts(2, 1), counts(1_000, 1_000), counts(10, 5)], || {
        let decision = fixture.call(&liveness);
        assert_eq!((decision.outcome, decision.reason), (Outcome::Routed, None));
    });
    // None of these is, each for one reason of two.
    while_writing(200_000, &liveness, subset, &[counts(0, 0), counts(1_000, 1)], || {
        let decision = fixture.call(&liveness);
        assert_eq!(decision.outcome, Outcome::FellBack);
        assert!(matches!(decision.reason, Some(Reason::NoEndpoints | Reason::BelowMinHealthy)), "{:?}", decision.reason);
    });
}

#[test]
fn one_table_serves_every_clone_of_the_router() {
    let fixture = Fixture::new();
    let liveness = fixture.router.liveness();
    let clone = fixture.router.clone();
    liveness.set(fixture.subset(fixture.other), counts(0, 0));
    let decision = clone.hop("a.svc", &Request::new(&[("x-asm-prefer-tag", "v2")]), &liveness);
    assert_eq!(decision, fixture.call(&liveness));
    assert_eq!(decision.outcome, Outcome::FellBack);
}
