//! What stands in the index's place where it is left out: rules are tried one by one, always. The walks do so anyway
//! when they explain or when a request was only partly recorded, so nothing is decided here.

use alloc::vec::Vec;

use crate::{
    condition::Facts,
    intern::{RuleId, ServiceId},
    request::Headers,
    router::{Plan, RulesFound},
};

/// Without an index all hosts are scanned.
pub(crate) const SCANNED: usize = usize::MAX;

/// The rules that the walks try.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Rules that hold at hops, with their services.
    at_hops: Vec<(ServiceId, RuleId)>,
    scanned: usize,
}

impl Index {
    /// Notes which rules there are, and has the walks try all of them.
    pub(crate) fn build(plan: &mut Plan, _scanned: usize) -> Self {
        plan.indexed = false;
        let rules = || plan.groups.iter().flat_map(|group| group.rules.iter()).map(RuleId::of);
        let scanned = |id| {
            let rule = plan.rule(id);
            plan.host_patterns(rule).len() * (usize::from(rule.at_gateway) + usize::from(rule.at_hop))
        };
        let at_hops = rules().filter(|id| plan.rule(*id).at_hop).map(|id| (plan.rule(id).service, id));
        Self { at_hops: at_hops.collect(), scanned: rules().map(scanned).sum() }
    }

    /// Nothing is found: no walk asks.
    pub(crate) fn gateway<H: Headers + ?Sized>(&self, _: &Plan, _: Option<u32>, _: &Facts<'_, '_, H>) -> (bool, Option<RuleId>) {
        (false, None)
    }

    /// Nothing is found: no walk asks.
    pub(crate) fn hop<H: Headers + ?Sized>(&self, _: &Plan, _: ServiceId, _: &Facts<'_, '_, H>) -> Option<RuleId> {
        None
    }

    /// All rules that hold at hops of a service, in order.
    pub(crate) fn hop_rules(&self, service: ServiceId) -> impl Iterator<Item = RuleId> {
        self.at_hops.iter().filter(move |(of, _)| *of == service).map(|(_, rule)| *rule)
    }

    /// How rules are found.
    pub(crate) fn found(&self) -> RulesFound {
        RulesFound { scanned: self.scanned, ..RulesFound::default() }
    }

    /// What this costs in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.at_hops.capacity() * size_of::<(ServiceId, RuleId)>()
    }
}
