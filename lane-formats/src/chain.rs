//! One request through the whole chain: the gateway's decision, then one at every call, with the lane carried as
//! the deciding group says. The applications in between pass on no more than that, so what a chain shows is what
//! is needed, and what breaks when a service forgets it.

use lane_core::{
    Liveness, Router, TraceTable,
    config::{Config, Context, Group, Mode},
};
use serde::Serialize;

use crate::{
    bytes::Bytes,
    decision::{Answer, Remembered, Report},
    request::{Ask, AskError, Place, Source},
};

mod shares;
mod table;
mod tree;

pub use shares::{Share, shares};
pub use table::{Cell, Row, Table, table};
pub use tree::{Branch, Call, Tree, tree};

/// The guiding header of a group that names none.
const DEFAULT_GUIDING_HEADER: &str = "x-asm-prefer-tag";

/// What to trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceOptions {
    /// The request where it enters: at a gateway, or at a first call. Its roll and its endpoint counts hold for the whole chain.
    pub ask: Ask,
    /// The services in the order in which they are called. Left out: those of the deciding group from the first one on, in document order.
    pub services: Option<Vec<String>>,
}

/// A request's way through the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// The gateway's decision; none where the request enters at a call.
    pub ingress: Option<Report>,
    /// The calls, in order, up to the first that nobody serves.
    pub hops: Vec<Hop>,
    /// Whether every service was reached.
    pub complete: bool,
    /// For every lane of the deciding group, who serves each service.
    pub table: Option<Table>,
    /// The parts of the deciding rule's split.
    pub shares: Option<Vec<Share>>,
}

/// One call of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// The calling service's host; none where it is not known.
    pub from: Option<String>,
    /// The called name.
    pub service: String,
    /// The header lines that the calling application passed on.
    pub passed_on: Vec<(String, Bytes)>,
    /// What the caller's sidecar remembered of the request that it serves.
    pub remembered: Vec<Remembered>,
    /// The decision.
    pub decision: Report,
}

impl Chain {
    /// Every decision, in order.
    pub fn decisions(&self) -> impl Iterator<Item = &Report> {
        self.ingress.iter().chain(self.hops.iter().map(|hop| &hop.decision))
    }

    /// Every decision with the service that it is about; a gateway that names none is left out.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &Report)> {
        let ingress = self.ingress.iter().filter_map(|report| Some((report.service.as_deref()?, report)));
        ingress.chain(self.hops.iter().map(|hop| (hop.service.as_str(), &hop.decision)))
    }

    /// The request of every decision, in order, each to be asked on its own; `entered` is the one that was traced.
    #[must_use]
    pub fn asks(&self, entered: &Ask) -> Vec<Ask> {
        let mut asks = vec![entered.clone()];
        // The first decision, wherever it was made, is about the request that entered.
        let called = self.hops.iter().skip(usize::from(self.ingress.is_none()));
        asks.extend(self.decisions().zip(called).map(|(before, hop)| Ask {
            authority: Some(hop.service.as_str().into()),
            headers: hop.passed_on.clone(),
            source: workload(before),
            remembered: lanes_of(&hop.remembered),
            live: entered.live.clone(),
            roll: entered.roll,
            ..Ask::new(Place::Hop { service: hop.service.clone() })
        }));
        asks
    }
}

/// The workload that a decision leads to.
fn workload(decision: &Report) -> Source {
    let labels = decision.subset.as_ref().map(|subset| subset.labels.clone().into_iter().collect());
    Source { service: decision.service.clone(), labels: labels.unwrap_or_default(), ..Source::default() }
}

/// Follows a request through the chain.
///
/// `config` must be what `router` was compiled from.
///
/// # Errors
///
/// The request's endpoint counts name a service or a lane that the router does not have, or the request is `inbound`.
pub fn trace(router: &Router, config: &Config, options: &TraceOptions) -> Result<Chain, AskError> {
    let liveness = options.ask.liveness(router)?;
    let mut walk = Walk::new(router, &config.groups, &liveness, options.ask.roll);
    let mut chain = Chain { ingress: None, hops: Vec::new(), complete: false, table: None, shares: None };
    let Some(first) = options.ask.answer_with(router, &liveness).decision() else {
        return Err(AskError::inbound("a chain begins at a gateway or at a call"));
    };
    let group = group_of(config, &first);
    chain.table = group.map(|group| table(router, group, &liveness));
    chain.shares = group.and_then(|group| shares(group, first.rule.as_deref()?));
    let called = match &options.ask.place {
        Place::Hop { service } => Some(service.clone()),
        _ => first.service.clone(),
    };
    let services = options.services.clone().unwrap_or_else(|| services_from(group, first.service.as_deref()));
    walk.arrive(&options.ask.headers, &first);
    let goes_on = first.reaches_endpoints();
    match &options.ask.place {
        Place::Hop { service } => {
            let from = options.ask.source.service.clone();
            chain.hops.push(Hop {
                from,
                service: service.clone(),
                passed_on: options.ask.headers.clone(),
                remembered: Vec::new(),
                decision: first,
            });
        }
        _ => chain.ingress = Some(first),
    }
    // The list may begin with the service that the request entered.
    let is_entered = |service: &String| called.as_ref().is_some_and(|called| same_service(router, service, called));
    let skip = usize::from(services.first().is_some_and(is_entered));
    let mut rest = services.iter().skip(skip);
    chain.complete = goes_on
        && rest.all(|service| {
            let hop = walk.call(service);
            let goes_on = hop.as_ref().is_some_and(|hop| hop.decision.reaches_endpoints());
            chain.hops.extend(hop);
            goes_on
        });
    Ok(chain)
}

/// The group that decided; with one group only, that one.
fn group_of<'c>(config: &'c Config, report: &Report) -> Option<&'c Group> {
    match (&report.group, config.groups.as_slice()) {
        (Some(name), groups) => groups.iter().find(|group| group.name == *name),
        (None, [group]) => Some(group),
        (None, _) => None,
    }
}

/// The hosts of a group from this one on.
fn services_from(group: Option<&Group>, first: Option<&str>) -> Vec<String> {
    let hosts = group.into_iter().flat_map(|group| &group.services).map(|service| &service.host);
    hosts.skip_while(|host| first.is_some_and(|first| !first.eq_ignore_ascii_case(host))).cloned().collect()
}

/// Whether two names stand for the same service.
pub(crate) fn same_service(router: &Router, one: &str, other: &str) -> bool {
    let (one, other) = (router.services_named(one), router.services_named(other));
    !one.is_empty() && one == other
}

impl Report {
    /// Whether the request reaches a workload: it is served, or none of our business.
    fn reaches_endpoints(&self) -> bool {
        use lane_core::Outcome::{FellBack, Pass, Routed};
        matches!(self.outcome, Routed | FellBack | Pass)
    }
}

/// A request on its way: where it is, and what it carries.
#[derive(Clone)]
struct Walk<'w> {
    router: &'w Router,
    groups: &'w [Group],
    liveness: &'w Liveness,
    roll: Option<u64>,
    /// The group that decided last.
    group: Option<&'w Group>,
    /// The header lines with which the request reached the workload.
    headers: Vec<(String, Bytes)>,
    /// The workload: its service and its labels.
    workload: Source,
    /// What the workload's sidecar remembered.
    remembered: Vec<Remembered>,
}

impl<'w> Walk<'w> {
    fn new(router: &'w Router, groups: &'w [Group], liveness: &'w Liveness, roll: Option<u64>) -> Self {
        Self { router, groups, liveness, roll, group: None, headers: Vec::new(), workload: Source::default(), remembered: Vec::new() }
    }

    /// The workload that was called gets the request, changed as was decided.
    fn arrive(&mut self, headers: &[(String, Bytes)], decision: &Report) {
        if let Some(name) = &decision.group {
            self.group = self.groups.iter().find(|group| group.name == *name);
        }
        let changes = |name: &str| {
            let removed = decision.remove_headers.iter().any(|removed| removed.eq_ignore_ascii_case(name));
            removed || decision.set_headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name))
        };
        self.headers = headers.iter().filter(|(name, _)| !changes(name)).chain(&decision.set_headers).cloned().collect();
        self.workload = workload(decision);
        let inbound = Ask { headers: self.headers.clone(), ..Ask::new(Place::Inbound) };
        self.remembered = match inbound.answer_with(self.router, self.liveness) {
            Answer::Inbound { remember } => remember,
            Answer::Decision(_) => Vec::new(),
        };
    }

    /// The request with which the workload calls a service.
    fn ask(&self, service: &str) -> Ask {
        Ask {
            authority: Some(service.into()),
            headers: self.group.map(|group| passed_on(group, &self.headers)).unwrap_or_default(),
            source: self.workload.clone(),
            remembered: lanes_of(&self.remembered),
            roll: self.roll,
            ..Ask::new(Place::Hop { service: service.into() })
        }
    }

    /// The workload calls a service, and the request goes on from there if it is served.
    fn call(&mut self, service: &str) -> Option<Hop> {
        let ask = self.ask(service);
        let decision = ask.answer_with(self.router, self.liveness).decision()?;
        let (from, remembered, passed_on) = (self.workload.service.clone(), self.remembered.clone(), ask.headers);
        if decision.reaches_endpoints() {
            self.arrive(&passed_on, &decision);
        }
        Some(Hop { from, service: service.into(), passed_on, remembered, decision })
    }
}

/// The sidecar's table, asked for the trace id of the call; the request has one trace, so every association in it is meant.
fn lanes_of(remembered: &[Remembered]) -> Vec<(String, String)> {
    let mut table = TraceTable::new(remembered.len(), 1);
    for one in remembered {
        table.remember(&one.group, &one.trace_id.0, &one.lane, 0);
    }
    table.iter(0).map(|(group, _, lane)| (group.to_owned(), lane.to_owned())).collect()
}

/// What an application of this group passes on from a request to the calls that it makes: just the context. In a
/// strict group not even that, because the workload's own lane tells.
fn passed_on(group: &Group, headers: &[(String, Bytes)]) -> Vec<(String, Bytes)> {
    let context = match (group.mode, &group.context) {
        (Mode::Strict, _) => return Vec::new(),
        (Mode::Permissive, None | Some(Context::Header)) => guiding_header(group),
        (Mode::Permissive, Some(Context::Baggage(_))) => "baggage",
        (Mode::Permissive, Some(Context::TraceId(header))) => header,
    };
    headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(context)).cloned().collect()
}

fn guiding_header(group: &Group) -> &str {
    group.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER)
}

#[cfg(test)]
mod tests;
