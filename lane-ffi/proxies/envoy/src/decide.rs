//! One decision for one request: the engine is asked, then Envoy about the endpoints of the clusters that the answer
//! depends on, and the engine again only if these have changed since anybody last looked. What is to be done to the
//! request is left in a scratch of the thread, so that a decision allocates nothing once the scratch has its size.

use core::{cell::RefCell, fmt::Write, net::IpAddr, ops::Range};
use std::sync::Arc;

use lane_core::{BUFFER_BYTES, Change, Decision, Endpoints, Liveness, Notes, Outcome, Request, Source, SubsetId};
use smallvec::SmallVec;

use crate::{
    abi::{HeaderLines, Hosts, Store},
    memory::Memory,
    plans::{self, Clusters},
    settings::{Role, Settings},
};

/// What a decision asks of the proxy around it. `'i` is the life of the module's configuration.
pub trait Host<'i> {
    /// Whether every header that carries a lane must be told its value, also where it stays as it is: a cluster
    /// specifier can only have headers removed by the route's configuration, and then sets what is to stay.
    const STATES_ALL: bool;

    /// The request's header lines, pseudo headers first.
    fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s>;

    /// A random number.
    fn roll(&self) -> Option<u64>;

    /// The client's address with port.
    fn source_address(&self) -> Option<&[u8]>;

    /// The endpoints of a cluster; none where there is no such cluster.
    fn hosts(&mut self, cluster: &'i str) -> Option<Hosts>;
}

/// Where the request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'i> {
    /// To this cluster.
    Cluster(&'i str),
    /// Lane leaves it alone.
    Pass,
    /// Nowhere: this is the answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Why, as a word for access logs.
        why: &'static str,
    },
}

/// Room for one decision, kept from request to request.
#[derive(Debug)]
pub struct Scratch {
    store: Store,
    buffer: Box<[u8; BUFFER_BYTES]>,
    changes: Changes,
    /// The value of the `set-cookie` line for the response; mostly empty.
    pub cookie: String,
}

/// Header changes that own their bytes: setting a header may move the lines that a decision was made of.
#[derive(Debug, Default)]
pub struct Changes {
    bytes: Vec<u8>,
    list: Vec<(Range<usize>, Option<Range<usize>>)>,
}

impl Changes {
    fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
    }

    fn push(&mut self, name: &str, value: Option<&[u8]>) {
        let name = self.keep(name.as_bytes());
        // Plans may spell names as they like; metadata is looked up by the one spelling that there is.
        if let Some(name) = self.bytes.get_mut(name.clone()) {
            name.make_ascii_lowercase();
        }
        let value = value.map(|value| self.keep(value));
        self.list.push((name, value));
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn text(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Names in lower case with new values; none: the header is removed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        // Names come from the plan, which is text.
        self.list
            .iter()
            .filter_map(|(name, value)| Some((core::str::from_utf8(self.text(name)).ok()?, value.as_ref().map(|value| self.text(value)))))
    }

    fn has(&self, name: &str) -> bool {
        self.iter().any(|(changed, _)| changed.eq_ignore_ascii_case(name))
    }

    /// States the value of a header that stays as it is.
    fn state(&mut self, name: &str, lines: HeaderLines<'_>) {
        let mut values = lines.iter().filter(|(line, value)| line.eq_ignore_ascii_case(name.as_bytes()) && !value.is_empty());
        let Some((_, first)) = values.next() else { return };
        if values.clone().all(|(_, value)| value == first) {
            return self.push(name, Some(first));
        }
        // Several lines are one list (RFC 9110, 5.3).
        let range = self.keep(name.as_bytes());
        let start = self.bytes.len();
        self.bytes.extend_from_slice(first);
        for (_, value) in values {
            self.bytes.push(b',');
            self.bytes.extend_from_slice(value);
        }
        self.list.push((range, Some(start..self.bytes.len())));
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { store: Store::default(), buffer: Box::new([0; BUFFER_BYTES]), changes: Changes::default(), cookie: String::new() }
    }
}

impl Scratch {
    /// What is to be done to the request's headers after a decision.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Lends the thread's scratch, or a new one where the thread's is lent already: Envoy may resolve a route while
    /// a filter hook runs.
    pub fn lend<T>(use_it: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::default();
        }
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => use_it(&mut scratch),
            Err(_) => use_it(&mut Self::default()),
        })
    }
}

/// The pseudo headers of a request.
#[derive(Default)]
struct Pseudo<'h> {
    method: Option<&'h [u8]>,
    authority: Option<&'h [u8]>,
    path: Option<&'h [u8]>,
}

impl<'h> Pseudo<'h> {
    fn of(lines: HeaderLines<'h>) -> Self {
        let mut pseudo = Self::default();
        for (name, value) in lines.iter() {
            match name {
                b":method" => pseudo.method = Some(value),
                b":authority" => pseudo.authority = Some(value),
                b":path" => pseudo.path = Some(value),
                _ => {}
            }
        }
        pseudo
    }
}

/// One use of the module, ready to decide.
#[derive(Debug)]
pub struct Instance {
    /// What was configured.
    pub settings: Settings,
    clusters: Arc<Clusters>,
    /// None where no group's context is a trace id.
    memory: Option<Arc<Memory>>,
    all_live: Liveness,
}

/// So often a decision is made anew because endpoint counts changed meanwhile. Two rounds settle a lane with any
/// number of fallbacks; more are needed only when other threads see endpoints change at the same time.
const MOST_ROUNDS: usize = 4;

impl Instance {
    /// Compiles what was configured.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the plan, or what is wrong with the settings.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let plan = plans::plan(&settings.plan)?;
        let clusters = plans::clusters(&plan, &settings.cluster)?;
        let memory = plan.remembers.then(|| Memory::shared(&settings.trace_table));
        Ok(Self { settings, clusters, memory, all_live: Liveness::all_live() })
    }

    fn liveness(&self) -> &Liveness {
        if self.settings.health { &self.clusters.liveness } else { &self.all_live }
    }

    /// Decides about one request. Header changes and cookie are left in the scratch.
    pub fn decide<'i, H: Host<'i>>(&'i self, host: &mut H, scratch: &mut Scratch) -> Verdict<'i> {
        let mut rounds = 0;
        loop {
            let decision = self.ask(host, scratch);
            rounds += 1;
            if rounds == MOST_ROUNDS || !self.settings.health || !self.refresh(host, &decision) {
                return self.verdict(&decision);
            }
        }
    }

    /// Remembers the lane of a request that arrives at the workload (S26a).
    pub fn arrive<'i, H: Host<'i>>(&'i self, host: &H, scratch: &mut Scratch) {
        scratch.changes.clear();
        scratch.cookie.clear();
        let Some(memory) = &self.memory else { return };
        let (_, headers) = host.headers(&mut scratch.store).split_pseudo();
        self.clusters.plan.router.inbound(&Request::new(&headers), |remember| memory.remember(&remember));
    }

    /// Asks the engine once.
    fn ask<'i, H: Host<'i>>(&'i self, host: &H, scratch: &mut Scratch) -> Decision {
        let Scratch { store, buffer, changes, cookie } = scratch;
        changes.clear();
        cookie.clear();
        let plan = &*self.clusters.plan;
        let router = &plan.router;
        let (pseudo, headers) = host.headers(store).split_pseudo();
        let Pseudo { method, authority, path } = Pseudo::of(pseudo);
        let mut request = Request { method, authority, path, roll: host.roll(), ..Request::new(&headers) };
        #[cfg(feature = "probe")]
        probe::apply(self, headers, &mut request);

        let workload = &self.settings.workload;
        let labels: SmallVec<[(&str, &str); 8]>;
        let lanes;
        let remembered: SmallVec<[(&str, &str); 4]>;
        let decision = if self.settings.role == Role::Gateway {
            if plan.asks_source_ip {
                request.source.ip = host.source_address().and_then(ip_of);
            }
            router.ingress(&self.settings.gateway, &request, self.liveness())
        } else {
            labels = workload.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            request.source =
                Source { service: workload.service.as_deref(), labels: &labels, lane: workload.lane.as_deref(), ip: workload.ip };
            if let Some(memory) = &self.memory {
                lanes = memory.lanes(router, &request);
                remembered = lanes.iter().map(|(group, lane)| (*group, &**lane)).collect();
                request.remembered = &remembered;
            }
            // What is no text is no service's name either.
            let called = || authority.and_then(|authority| core::str::from_utf8(authority).ok()).unwrap_or_default();
            let service = self.settings.service.as_deref().unwrap_or_else(called);
            router.hop(service, &request, self.liveness())
        };

        let _: Notes = router.changes(&decision, &request, buffer, |change| match change {
            Change::Set { name, value } => changes.push(name, Some(value)),
            Change::Remove { name } => changes.push(name, None),
        });
        if H::STATES_ALL && self.settings.role == Role::Gateway {
            for name in &plan.context_headers {
                if !changes.has(name) {
                    changes.state(name, headers);
                }
            }
        }
        if let (Some(memory), Some(remember)) = (&self.memory, router.remember(&decision, &request)) {
            memory.remember(&remember);
        }
        if let Some(set) = router.cookie(&decision) {
            let value = core::str::from_utf8(&set.value).unwrap_or_default();
            // As Envoy writes the cookies of its hash policies. Writing to a string cannot fail.
            let _ = write!(cookie, "{}={value}; Max-Age={}; Path=/; HttpOnly", set.name, set.ttl_seconds);
        }
        decision
    }

    /// Asks the proxy about the clusters on which the decision depends, and says whether anything is new.
    fn refresh<'i, H: Host<'i>>(&'i self, host: &mut H, decision: &Decision) -> bool {
        let (Some(service), Some(lane)) = (decision.service, decision.lane) else { return false };
        // What the lane's own endpoints serve does not depend on those of its fallback lanes.
        let own = decision.outcome == Outcome::Routed && !decision.notes.has(Notes::BELOW_MIN_HEALTHY);
        let candidates = self.clusters.plan.router.candidates(service, lane).take(if own { 1 } else { usize::MAX });
        candidates.fold(false, |changed, (_, subset)| self.count(host, subset) || changed)
    }

    fn count<'i, H: Host<'i>>(&'i self, host: &mut H, subset: SubsetId) -> bool {
        // A cluster that the proxy does not have has no endpoints.
        let Hosts { total, healthy } = host.hosts(self.clusters.name(subset)).unwrap_or_default();
        let dense = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let endpoints = Endpoints { total: dense(total), healthy: dense(healthy.min(total)) };
        let changed = self.clusters.liveness.get(subset) != Some(endpoints);
        if changed {
            self.clusters.liveness.set(subset, endpoints);
        }
        changed
    }

    fn verdict(&self, decision: &Decision) -> Verdict<'_> {
        let status = decision.outcome.status();
        match (decision.outcome, decision.subset) {
            (Outcome::Routed | Outcome::FellBack, Some(subset)) => Verdict::Cluster(self.clusters.name(subset)),
            (Outcome::Pass, _) => Verdict::Pass,
            (Outcome::NoRoute, _) => Verdict::Answer { status, why: "lane_no_route" },
            (Outcome::Unavailable, _) => Verdict::Answer { status, why: "lane_unavailable" },
            // Envoy shows all headers and gives a roll, so this does not occur; it must not pass for an answer of ours either.
            (Outcome::Undetermined | Outcome::Routed | Outcome::FellBack, _) => Verdict::Answer { status: 503, why: "lane_undetermined" },
        }
    }
}

/// The address of `address:port`, in brackets where it is IPv6.
fn ip_of(address: &[u8]) -> Option<IpAddr> {
    let address: core::net::SocketAddr = core::str::from_utf8(address).ok()?.parse().ok()?;
    Some(address.ip())
}

/// What only tests need.
#[cfg(feature = "probe")]
mod probe {
    use lane_core::Request;

    use super::{HeaderLines, Instance};

    /// `x-lane-probe: panic` panics, `x-lane-probe-roll` gives the roll.
    pub(super) fn apply<'h>(instance: &Instance, headers: HeaderLines<'h>, request: &mut Request<'_, HeaderLines<'h>>) {
        if !instance.settings.probe {
            return;
        }
        for (name, value) in headers.iter() {
            match name {
                #[expect(clippy::panic, reason = "this is what the probe is for")]
                b"x-lane-probe" if value == b"panic" => panic!("as the request asks"),
                b"x-lane-probe-roll" => request.roll = core::str::from_utf8(value).ok().and_then(|roll| roll.parse().ok()),
                _ => {}
            }
        }
    }
}
