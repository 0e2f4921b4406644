//! A request that branches: a service calls several others, and each of them others again. Every call carries what
//! its caller passes on from the request that it serves, so siblings know nothing of each other.

use lane_core::{Router, config::Config};
use serde::Serialize;

use super::{Hop, Walk};
use crate::{
    decision::Report,
    request::{Ask, AskError},
};

/// A call that a service makes, and the calls that the called service makes in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The called name.
    pub service: String,
    /// What it calls.
    pub calls: Vec<Call>,
}

/// A request's way through a call graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// The decision about the request that entered, at a gateway or at a first call.
    pub entry: Report,
    /// The calls of the service that it entered; none where nobody serves it.
    pub calls: Vec<Branch>,
}

/// One call of a call graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The call.
    #[serde(flatten)]
    pub hop: Hop,
    /// The request of the call, to be asked on its own; its endpoint counts are those of the request that entered.
    #[serde(skip)]
    pub ask: Ask,
    /// What the called service calls; none where nobody serves the call.
    pub calls: Vec<Branch>,
}

/// Follows a request through a call graph. `calls` are made by the service that the request enters.
///
/// `config` must be what `router` was compiled from.
///
/// # Errors
///
/// The request's endpoint counts name a service or a lane that the router does not have, or the request is `inbound`.
pub fn tree(router: &Router, config: &Config, ask: &Ask, calls: &[Call]) -> Result<Tree, AskError> {
    let liveness = ask.liveness(router)?;
    let mut walk = Walk::new(router, &config.groups, &liveness, ask.roll);
    let Some(entry) = ask.answer_with(router, &liveness).decision() else {
        return Err(AskError::inbound("a chain begins at a gateway or at a call"));
    };
    if !entry.reaches_endpoints() {
        return Ok(Tree { entry, calls: Vec::new() });
    }
    walk.arrive(&ask.headers, &entry);
    let calls = branches(&walk, ask, calls);
    Ok(Tree { entry, calls })
}

fn branches(walk: &Walk<'_>, entered: &Ask, calls: &[Call]) -> Vec<Branch> {
    let branch = |call: &Call| {
        let mut walk = walk.clone();
        let ask = Ask { live: entered.live.clone(), ..walk.ask(&call.service) };
        let hop = walk.call(&call.service)?;
        let calls = if hop.decision.reaches_endpoints() { branches(&walk, entered, &call.calls) } else { Vec::new() };
        Some(Branch { hop, ask, calls })
    };
    calls.iter().filter_map(branch).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what failed by failing")]
mod tests {
    use lane_core::Options;

    use super::*;
    use crate::{Format, load, request::Place};

    const CONFIG: &str = include_str!("../../../examples/permissive.yaml");

    fn call(service: &str, calls: Vec<Call>) -> Call {
        Call { service: service.into(), calls }
    }

    #[test]
    fn every_branch_stays_in_its_lane() {
        let loaded = load(CONFIG, Format::Yaml, &Options::default()).unwrap();
        let ask = Ask { roll: Some(75), ..Ask::new(Place::Ingress { gateway: "ingressgateway".into() }) };
        let calls = [call("mockb", vec![call("mockc", vec![])]), call("mockc", vec![]), call("elsewhere", vec![])];
        let tree = tree(&loaded.router, &loaded.config, &ask, &calls).unwrap();
        let serving = |report: &Report| report.subset.as_ref().map_or("nobody".into(), |subset| subset.lane.clone());
        assert_eq!(serving(&tree.entry), "v3");
        let [b, c, other] = tree.calls.as_slice() else { panic!("three calls") };
        assert_eq!((serving(&b.hop.decision), serving(&b.calls[0].hop.decision)), ("v3".into(), "v1".into()));
        assert_eq!((serving(&c.hop.decision), c.hop.from.as_deref()), ("v1".into(), Some("mocka.default.svc.cluster.local")));
        assert_eq!(b.calls[0].hop.decision.lane.as_deref(), Some("v3"));
        assert_eq!(other.hop.decision.outcome, lane_core::Outcome::Pass);
        // Asked on its own, every call is answered alike.
        assert_eq!(b.ask.answer(&loaded.router).unwrap().decision(), Some(b.hop.decision.clone()));
    }
}
