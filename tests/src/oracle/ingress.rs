//! The ingress decision (section 4): groups and rules in document order, the first rule that holds decides.

use super::answer::{Decision, Found};
use super::carry;
use super::condition::Scope;
use super::document::{Group, groups, rule_at, text};
use super::request::Request;
use super::resolve::{host_of, resolve};
use super::rule::{self, Choice};
use super::split::draw;
use super::truth::Unseen;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn decide(config: &Value, request: &Request, gateway: &str) -> Decision {
    let mut a_host_held = false;
    for group in groups(config) {
        if !group.holds_at(gateway) {
            continue;
        }
        for rule in group.rules() {
            if !rule_at(rule, "gateway") || !rule::hosts(rule, request) {
                continue;
            }
            a_host_held = true;
            let scope = Scope { config, group, rule, request };
            match rule::choose(scope, true) {
                Ok(None) => {}
                Ok(Some(choice)) => return enter(scope, gateway, choice),
                Err(attributes) => return Decision::undetermined(attributes),
            }
        }
    }
    // S16: `pass` when no rule's hosts held, this traffic is none of ours.
    let mut decision = Decision::new(if a_host_held { "no_route" } else { "pass" });
    decision.carry(carry::at_ingress(config, request, gateway, None));
    decision
}

/// S17: the rule gives a lane, the destination is resolved for the rule's service.
fn enter(scope: Scope<'_>, gateway: &str, choice: Choice<'_>) -> Decision {
    let Scope { config, group, rule, request } = scope;
    let host = host_of(group, text(rule, "service"));
    let (lane, cookie, found) = match choice {
        Choice::Fixed(lane) => (lane, None, None),
        Choice::Named { lane, place } => {
            let value = lane.as_bytes().to_vec();
            (lane, None, Some(Found { value, place }))
        }
        Choice::Split => match draw(rule, request) {
            Ok((lane, cookie)) => (lane, cookie, None),
            Err(unseen) => return split_undetermined(group, rule, host, unseen),
        },
    };

    let mut decision = Decision::resolved(group, host, lane, &resolve(group, host, lane, request));
    decision.rule = Some(text(rule, "name").to_owned());
    decision.found = found;
    // S28: a group that decides on a request without trace id cannot remember its lane, also beside `unavailable`.
    if group.trace_header().is_some() && carry::trace_id(group, request).is_none() {
        decision.note("no_trace_id");
    }
    let deciding = if decision.is_unavailable() {
        None
    } else {
        decision.cookie = cookie;
        Some((group, lane))
    };
    decision.carry(carry::at_ingress(config, request, gateway, deciding));
    decision
}

/// A rule that holds for certain, whose split needs what was not given.
pub(super) fn split_undetermined(group: Group<'_>, rule: &Value, host: &str, Unseen(attribute): Unseen) -> Decision {
    let mut decision = Decision::undetermined(BTreeSet::from([attribute]));
    decision.group = Some(group.name().to_owned());
    decision.rule = Some(text(rule, "name").to_owned());
    decision.service = Some(host.to_owned());
    decision
}
