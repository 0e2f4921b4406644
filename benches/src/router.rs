//! The engine as a subject: compiled by the index or not, asked call by call, its answer as one number.

use lane_core::{Decision, Indexing, Liveness, Options, Request, Router, config::Config};

use crate::{
    harness::Subject,
    workload::{Call, Line, Place},
};

/// Limits that 100,000 rules of every workload fit into.
#[must_use]
pub fn options(indexing: Indexing) -> Options {
    let mut options = Options::default();
    options.indexing = indexing;
    options.limits.lanes = 200_000;
    options.limits.automata_bytes = 4 << 30;
    options
}

/// Compiles.
#[must_use]
pub fn compile(config: &Config, indexing: Indexing) -> Router {
    match Router::compile(config, &options(indexing)) {
        Ok(compiled) => compiled.router,
        Err(refused) => panic!("a workload is refused: {refused:?}"),
    }
}

/// Everything about one decision that the endpoints depend on, as one number.
#[must_use]
#[inline]
pub fn answer(decision: &Decision) -> u64 {
    let rule = decision.rule.map_or(0, |rule| rule.index() as u64 + 1);
    let subset = decision.subset.map_or(0, |subset| subset.index() as u64 + 1);
    rule << 32 | subset
}

/// The rule of an answer.
#[must_use]
pub fn rule_of(answer: u64) -> Option<usize> {
    ((answer >> 32) as usize).checked_sub(1)
}

/// A router and its table of endpoints, every subset alive.
#[derive(Debug)]
pub struct Engine {
    /// The router.
    pub router: Router,
    live: Liveness,
}

impl Engine {
    /// Compiles.
    #[must_use]
    pub fn new(config: &Config, indexing: Indexing) -> Self {
        let router = compile(config, indexing);
        let live = router.liveness();
        Self { router, live }
    }

    /// Decides.
    #[inline]
    #[must_use]
    pub fn decide(&self, place: &Place, request: &Request<'_, [Line<'_>]>) -> Decision {
        match place {
            Place::Ingress => self.router.ingress("", request, &self.live),
            Place::Hop(service) => self.router.hop(service, request, &self.live),
        }
    }

    /// The answers to these calls.
    #[must_use]
    pub fn answers(&self, calls: &[Call], requests: &[Request<'_, [Line<'_>]>]) -> Vec<u64> {
        calls.iter().zip(requests).map(|(call, request)| answer(&self.decide(&call.place, request))).collect()
    }

    /// The engine as a subject. Calls are of one place: all at the gateway, or all at hops.
    #[must_use]
    pub fn subject<'a>(
        &'a self,
        name: impl Into<String>,
        calls: &'a [Call],
        requests: &'a [Request<'a, [Line<'a>]>],
        expected: &'a [u64],
    ) -> Subject<'a> {
        if calls.iter().all(|call| call.place == Place::Ingress) {
            return Subject::new(name, expected, |index| answer(&self.router.ingress("", &requests[index], &self.live)));
        }
        let service = |call: &'a Call| match &call.place {
            Place::Hop(service) => service.as_str(),
            Place::Ingress => panic!("calls are of one place"),
        };
        let services: Vec<&str> = calls.iter().map(service).collect();
        Subject::new(name, expected, move |index| answer(&self.router.hop(services[index], &requests[index], &self.live)))
    }
}
