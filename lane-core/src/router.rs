//! The compiled, immutable thing. Its two walks decide: [`ingress`] at a gateway, [`hop`] at a call inside the
//! chain; both end in [`resolve`], and [`changes`] says what to do to the headers. The walks are generic over
//! a [`Recorder`](recorder::Recorder), so that explaining is the same walk.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use crate::{
    attribute::{
        Attributes, Guide, Key, Value,
        names::{HeaderId, HeaderNames},
    },
    bytes::same_bytes,
    condition::{ConditionId, Conditions, Facts, ServiceNames},
    config::{Mode, UnknownLane},
    decision::{Decision, Notes},
    index::Index,
    intern::{FixedSeed, GroupId, Ids, LaneId, Map, Name, RuleId, ServiceId, SubsetId, Table, dense},
    liveness::Liveness,
    pattern::{Patterns, Pool, Text, host, host::HostPattern},
    request::{Headers, Request},
    split::{Split, Target},
};

pub(crate) mod changes;
mod hop;
mod ingress;
pub(crate) mod inspect;
pub(crate) mod recorder;
mod resolve;
mod stats;

pub use changes::{Change, Cookie, Remember};
pub use stats::{Bytes, RulesFound, Stats};

use recorder::Silent;

/// A compiled configuration. Immutable, cheap to clone and shared freely between threads; to reload, compile
/// another one and swap the handle.
#[derive(Clone, Debug)]
pub struct Router(pub(crate) Arc<Plan>);

/// Everything that the walks read.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) patterns: Patterns,
    pub(crate) conditions: Conditions,
    pub(crate) names: HeaderNames,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) groups: Vec<Group>,
    pub(crate) services: Vec<Service>,
    pub(crate) lanes: Vec<Lane>,
    /// The services that lanes contain, lane by lane; sorted for each.
    pub(crate) members: Vec<ServiceId>,
    /// The lanes that serve in others' place, lane by lane.
    pub(crate) fallbacks: Vec<LaneId>,
    /// Labels of subsets that are not just the service tag, sorted.
    pub(crate) labels: Vec<((LaneId, ServiceId), Labels)>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) splits: Vec<Split>,
    /// How many subsets there are.
    pub(crate) subsets: u32,
    /// The gateways that the configuration names.
    pub(crate) gateways: Gateways,
    pub(crate) callees: Callees,
    pub(crate) lane_names: LaneNames,
    pub(crate) claims: Claims,
    pub(crate) index: Index,
    /// Whether the walks use the index.
    pub(crate) indexed: bool,
}

/// The gateways that a configuration names, numbered.
#[derive(Debug)]
pub(crate) enum Gateways {
    /// So few that comparing is faster than hashing.
    Few(Vec<Name>),
    Many(Map<Name, u32>),
}

impl Gateways {
    const FEW: usize = 4;

    pub(crate) fn of(gateways: Map<Name, u32>) -> Self {
        if gateways.len() > Self::FEW {
            return Self::Many(gateways);
        }
        let mut few: Vec<(u32, Name)> = gateways.into_iter().map(|(name, number)| (number, name)).collect();
        few.sort_unstable();
        Self::Few(few.into_iter().map(|(_, name)| name).collect())
    }

    /// The gateway's number.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        match self {
            Self::Few(names) => names.iter().position(|known| **known == *name).map(dense),
            Self::Many(numbers) => numbers.get(name).copied(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(names) => names.len(),
            Self::Many(numbers) => numbers.len(),
        }
    }
}

/// A compiled lane group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: Text,
    pub(crate) mode: Mode,
    /// Sorted; none: every gateway.
    pub(crate) gateways: Option<Box<[u32]>>,
    pub(crate) guiding: Named,
    pub(crate) context: Context,
    pub(crate) restore: Box<[Named]>,
    pub(crate) baseline: Option<LaneId>,
    pub(crate) tag_label: Text,
    pub(crate) unknown: UnknownLane,
    pub(crate) trust_client: bool,
    pub(crate) services: Ids,
    pub(crate) lanes: Ids,
    pub(crate) rules: Ids,
}

/// A header as the configuration spells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) header: HeaderId,
    pub(crate) spelled: Text,
}

/// How a group's lane name survives the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Context {
    Header,
    Baggage(Text),
    TraceId(HeaderId),
}

/// A compiled service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) group: GroupId,
    /// Its place among the group's services.
    pub(crate) rank: u32,
    pub(crate) host: Text,
    pub(crate) min_healthy_percent: u32,
}

/// A compiled lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) group: GroupId,
    pub(crate) name: Text,
    pub(crate) service_tag: Text,
    pub(crate) members: Members,
    /// The lane's first subset; the others follow in the order of its services.
    pub(crate) first_subset: u32,
    /// In [`Plan::fallbacks`].
    pub(crate) fallback: Ids,
}

/// Label names and values.
pub(crate) type Labels = Box<[(Text, Text)]>;

/// The services that a lane contains.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Members {
    /// All of the group's.
    All,
    /// These, in [`Plan::members`].
    Some(Ids),
}

/// A compiled rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) group: GroupId,
    pub(crate) name: Text,
    pub(crate) service: ServiceId,
    /// Where the rule holds.
    pub(crate) at_gateway: bool,
    pub(crate) at_hop: bool,
    /// Whether the group keeps a lane that a request brings to a gateway.
    pub(crate) keeps_lane: bool,
    /// Whether the group's context is a trace id.
    pub(crate) is_traced: bool,
    /// Patterns in [`Plan::hosts`].
    pub(crate) hosts: Ids,
    /// None holds for every request.
    pub(crate) condition: Option<ConditionId>,
    pub(crate) action: Action,
}

/// What a rule does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Lane(Target),
    From(Key),
    /// A split in [`Plan::splits`].
    Split(u32),
}

/// Called names to services (S21), without regard to case: each name with its service in every group that has it, in group order.
#[derive(Debug, Default)]
pub(crate) struct Callees {
    table: Table<Called>,
    /// The services of all names, name by name.
    services: Vec<ServiceId>,
    seed: FixedSeed,
}

/// What a called name stands for.
#[derive(Clone, Copy, Debug)]
struct Called {
    name: Text,
    /// The first of its services: mostly there is one.
    first: ServiceId,
    all: Ids,
}

impl Callees {
    /// Names with their services; no name twice.
    pub(crate) fn of(names: impl IntoIterator<Item = (Text, Vec<ServiceId>)>, pool: &Pool) -> Self {
        let mut callees = Self::default();
        for (name, services) in names {
            let ids = Ids { first: dense(callees.services.len()), count: dense(services.len()) };
            let Some(first) = services.first().copied() else { continue };
            callees.services.extend(services);
            let Self { table, seed, .. } = &mut callees;
            table.insert(seed.hash_bytes(pool.bytes(name)), Called { name, first, all: ids });
        }
        callees
    }

    /// The services of this name; none where no group has it.
    pub(crate) fn get(&self, patterns: &Patterns, name: &[u8]) -> &[ServiceId] {
        self.first_and_all(patterns, name).map_or(&[], |(_, all)| all)
    }

    /// The first of the services of this name, and all of them.
    #[cfg_attr(feature = "index", inline(always))]
    fn first_and_all(&self, patterns: &Patterns, name: &[u8]) -> Option<(ServiceId, &[ServiceId])> {
        // Mostly calls name a service as it is declared: lower case, without port.
        let called = self.find(patterns, name).or_else(|| self.find_lowered(patterns, name))?;
        Some((called.first, called.all.of(&self.services)))
    }

    #[cold]
    fn find_lowered(&self, patterns: &Patterns, name: &[u8]) -> Option<&Called> {
        host::Lowered::of(host::of_service(name)).and_then(|name| self.find(patterns, name.get()))
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn find(&self, patterns: &Patterns, name: &[u8]) -> Option<&Called> {
        self.table.find(self.seed.hash_bytes(name), |called| same_bytes(patterns.pool.bytes(called.name), name))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.heap_bytes() + self.services.capacity() * size_of::<ServiceId>()
    }
}

/// Lane names to lanes, by group.
#[derive(Debug, Default)]
pub(crate) struct LaneNames {
    table: Table<(Text, LaneId, GroupId)>,
    seed: FixedSeed,
}

impl LaneNames {
    /// Adds a lane.
    pub(crate) fn insert(&mut self, group: GroupId, name: Text, lane: LaneId, pool: &Pool) {
        self.table.insert(Self::hash(&self.seed, group, pool.bytes(name)), (name, lane, group));
    }

    /// The lane of this name in the group.
    #[cfg_attr(feature = "index", inline(always))]
    fn get(&self, group: GroupId, name: &[u8], pool: &Pool) -> Option<LaneId> {
        let same = |(text, _, of): &(Text, LaneId, GroupId)| *of == group && same_bytes(pool.bytes(*text), name);
        self.table.find(Self::hash(&self.seed, group, name), same).map(|(_, lane, _)| *lane)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.heap_bytes()
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn hash(seed: &FixedSeed, group: GroupId, name: &[u8]) -> u64 {
        // Groups mostly have other names for their lanes; where they have the same, a factor keeps them apart.
        seed.hash_bytes(name) ^ u64::from(group.number()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Which groups claim a header or a baggage key as their context (S18); lists are in group order.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// By guiding header, with the header.
    pub(crate) headers: Map<HeaderId, Box<[GroupId]>>,
    /// By key of a baggage context or name in `restore_headers`.
    pub(crate) keys: Map<Box<[u8]>, Box<[GroupId]>>,
}

/// Kubernetes label values, so lane names too, have at most 63 characters (S1).
const LONGEST_LANE_NAME: usize = 63;

/// The beginning of a value that may be a lane's name, as long as such a name can be, and one byte more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameStart {
    bytes: [u8; LONGEST_LANE_NAME + 1],
    length: usize,
}

impl NameStart {
    fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut start = Self { bytes: [0; LONGEST_LANE_NAME + 1], length: 0 };
        for (room, byte) in start.bytes.iter_mut().zip(bytes) {
            *room = byte;
            start.length += 1;
        }
        start
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Plan {
    pub(crate) fn group(&self, id: GroupId) -> &Group {
        at(&self.groups, id.index())
    }

    pub(crate) fn service(&self, id: ServiceId) -> &Service {
        at(&self.services, id.index())
    }

    pub(crate) fn lane(&self, id: LaneId) -> &Lane {
        at(&self.lanes, id.index())
    }

    pub(crate) fn rule(&self, id: RuleId) -> &Rule {
        at(&self.rules, id.index())
    }

    pub(crate) fn str(&self, text: Text) -> &str {
        self.patterns.pool.str(text)
    }

    fn facts<'f, 'r, H: Headers + ?Sized>(&'f self, attributes: &'f Attributes<'f, 'r, H>) -> Facts<'f, 'r, H> {
        Facts { attributes, patterns: &self.patterns, services: self }
    }

    pub(crate) fn attributes<'q, 'r, H: Headers + ?Sized>(&'r self, request: &'q Request<'r, H>) -> Attributes<'q, 'r, H> {
        Attributes::new(request, &self.names, &self.patterns)
    }

    /// The lane of this name in the group.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn lane_named(&self, group: GroupId, name: &[u8]) -> Option<LaneId> {
        self.lane_names.get(group, name, &self.patterns.pool)
    }

    /// The lane that a value names in the group; encoded values are decoded as far as a lane's name can be long.
    #[cfg_attr(feature = "index", inline(always))]
    fn lane_of_value(&self, group: GroupId, value: Value<'_>) -> Option<LaneId> {
        match value {
            Value::Plain(name) => self.lane_named(group, name),
            Value::Encoded(_) => self.lane_named(group, NameStart::of(value.bytes()).get()),
        }
    }

    /// The lane that the guiding header names in the group.
    fn lane_of_guide(&self, group: GroupId, guide: Guide<'_>) -> Option<LaneId> {
        match guide {
            Guide::Name(name) => self.lane_named(group, name),
            Guide::Torn => None,
        }
    }

    /// The nearest lane above a name that no lane has: the name is cut at its last `.` until a lane has it (S23).
    fn ancestor(&self, group: GroupId, value: Value<'_>) -> Option<LaneId> {
        let start = NameStart::of(value.bytes());
        let mut name = start.get();
        while let Some(dot) = memchr::memrchr(b'.', name) {
            name = name.get(..dot).unwrap_or_default();
            if let Some(lane) = self.lane_named(group, name) {
                return Some(lane);
            }
        }
        None
    }

    /// The subset of the service that belongs to the lane, if the lane contains the service.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn subset(&self, service: ServiceId, lane: LaneId) -> Option<SubsetId> {
        let lane = self.lane(lane);
        let rank = match lane.members {
            Members::All => {
                let service = self.service(service);
                (service.group == lane.group).then_some(service.rank)?
            }
            Members::Some(services) => dense(services.of(&self.members).binary_search(&service).ok()?),
        };
        Some(SubsetId::of(lane.first_subset + rank))
    }

    /// The lane and its endpoints of the service.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn target(&self, service: ServiceId, lane: LaneId) -> Target {
        Target { lane, own: self.subset(service, lane) }
    }

    /// The labels of a lane's subset of a service.
    pub(crate) fn labels(&self, service: ServiceId, lane: LaneId) -> impl Iterator<Item = (&str, &str)> {
        let given = self.labels.binary_search_by_key(&(lane, service), |(of, _)| *of).ok().and_then(|at| self.labels.get(at));
        let lane = self.lane(lane);
        let tag = given.is_none().then(|| (self.group(lane.group).tag_label, lane.service_tag));
        let given = given.map_or(&[][..], |(_, labels)| labels);
        given.iter().copied().chain(tag).map(|(name, value)| (self.str(name), self.str(value)))
    }

    /// Whether the group's rules hold at the gateway.
    pub(crate) fn holds_at(&self, group: &Group, gateway: Option<u32>) -> bool {
        let Some(gateways) = &group.gateways else { return true };
        gateway.is_some_and(|gateway| gateways.binary_search(&gateway).is_ok())
    }

    /// The lanes that serve in a lane's place, in order.
    pub(crate) fn fallback(&self, lane: LaneId) -> &[LaneId] {
        self.lane(lane).fallback.of(&self.fallbacks)
    }

    pub(crate) fn host_patterns(&self, rule: &Rule) -> &[HostPattern] {
        rule.hosts.of(&self.hosts)
    }
}

impl ServiceNames for Plan {
    fn host_of(&self, group: u32, name: &str) -> Option<&str> {
        let services = self.callees.get(&self.patterns, name.as_bytes());
        let own = services.iter().find(|service| self.service(**service).group.number() == group);
        own.or(services.first()).map(|service| self.str(self.service(*service).host))
    }
}

/// The entry of an id. Ids come from the compiler, which made the entry; there is always a first one.
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "ids are made together with what they stand for, and a router is asked with its own ids only inside this crate"
)]
fn at<T>(entries: &[T], index: usize) -> &T {
    &entries[index]
}

impl Router {
    /// Decides at a gateway: which rule, which lane, which endpoints (S16, S17).
    ///
    /// `gateway` is the name by which groups list it; a name that no group lists meets the groups that hold everywhere.
    pub fn ingress<H: Headers + ?Sized>(&self, gateway: &str, request: &Request<'_, H>, liveness: &Liveness) -> Decision {
        self.0.ingress(gateway, &self.0.attributes(request), liveness, &mut Silent)
    }

    /// Decides at a service-to-service call: which endpoints of the called service (S21 to S25).
    ///
    /// `service` is the called name as given: host or alias, in any case, with or without port.
    pub fn hop<H: Headers + ?Sized>(&self, service: &str, request: &Request<'_, H>, liveness: &Liveness) -> Decision {
        self.0.hop(service, &self.0.attributes(request), liveness, &mut Silent)
    }

    /// Says what to change in the request's headers after `decision` about this same `request` (S18, S26), and adds
    /// remarks to the decision's own.
    ///
    /// A rewritten `baggage` line and decoded values are put into `buffer`; what `visit` is shown is valid during the call.
    pub fn changes<H: Headers + ?Sized>(
        &self,
        decision: &Decision,
        request: &Request<'_, H>,
        buffer: &mut [u8; crate::BUFFER_BYTES],
        visit: impl FnMut(Change<'_>),
    ) -> Notes {
        self.0.changes(decision, &self.0.attributes(request), buffer, visit)
    }

    /// What to remember for the request's trace id after `decision` about this same `request` (S18, S26).
    pub fn remember<'a, H: Headers + ?Sized>(&'a self, decision: &Decision, request: &Request<'a, H>) -> Option<Remember<'a>> {
        self.0.remember(decision, &self.0.attributes(request))
    }

    /// What a sidecar remembers of a request that arrives at its workload (S26a): the lane of every group with a
    /// trace-id context whose guiding header names one.
    pub fn inbound<'a, H: Headers + ?Sized>(&'a self, request: &Request<'a, H>, visit: impl FnMut(Remember<'a>)) {
        self.0.inbound(&self.0.attributes(request), visit);
    }

    /// Visits the request's trace id (S28) for every group whose context is one, as (group, trace id): by these a host
    /// looks up what it remembers before it asks about a hop.
    pub fn trace_ids<'a, H: Headers + ?Sized>(&'a self, request: &Request<'a, H>, visit: impl FnMut(&'a str, &'a [u8])) {
        self.0.trace_ids(&self.0.attributes(request), visit);
    }

    /// The cookie to set for the client after `decision` (S19).
    #[must_use]
    pub fn cookie(&self, decision: &Decision) -> Option<Cookie<'_>> {
        self.0.cookie(decision)
    }

    /// A table of endpoint counts for this router's subsets; every subset counts as live until set.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        Liveness::with_subsets(self.0.subsets as usize)
    }
}
