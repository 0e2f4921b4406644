//! The walk at a service-to-service call (S21 to S23): where the request's lane is looked for, source by
//! source, and what becomes of a name that no lane has.

use crate::{
    attribute::{Attributes, Guide, Known, Value},
    config::{At, Mode, UnknownLane},
    decision::{Decision, FoundIn, Notes, Outcome, Place},
    intern::{GroupId, LaneId, RuleId, ServiceId},
    liveness::Liveness,
    request::Headers,
};

use super::{
    Context, Group, Plan,
    ingress::Led,
    recorder::{Found, LookedIn, Recorder},
};

/// What looking in one place for one group gave.
enum Look<'r> {
    Nothing,
    /// A name, as found.
    Name(Value<'r>, FoundIn),
    /// Header lines that differ name no lane and have no ancestor (S10).
    Torn,
    /// A lane.
    Lane(LaneId, FoundIn),
    /// A rule that holds, and where it leads.
    Rule(RuleId, Led),
    /// It cannot be told.
    Unknown,
}

static PERMISSIVE: [LookedIn; 4] = [LookedIn::GuidingHeader, LookedIn::Context, LookedIn::Source, LookedIn::Rules];
static STRICT: [LookedIn; 4] = [LookedIn::Source, LookedIn::GuidingHeader, LookedIn::Context, LookedIn::Rules];

/// It cannot be told which lane serves.
fn undetermined(service: Option<ServiceId>) -> Decision {
    Decision { service, ..Decision::blank(Outcome::Undetermined, Place::Hop) }
}

impl Plan {
    pub(crate) fn hop<H: Headers + ?Sized>(
        &self,
        service: &str,
        attributes: &Attributes<'_, '_, H>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Decision {
        let called = self.callees.first_and_all(&self.patterns, service.as_bytes());
        let Some((first, services)) = called else { return Decision::blank(Outcome::Pass, Place::Hop) };
        let group = self.service(first).group;
        // The first place settles most calls, so each mode's stands here, outside the loop over the others.
        let places = match self.group(group).mode {
            Mode::Permissive => match self.by_guiding_header(group, attributes, recorder) {
                Look::Nothing => &PERMISSIVE,
                look => return self.serve(first, look, attributes, liveness, recorder),
            },
            Mode::Strict => match self.by_source(group, attributes, recorder) {
                Look::Nothing => &STRICT,
                look => return self.serve(first, look, attributes, liveness, recorder),
            },
        };
        self.hop_further(services, places, attributes, liveness, recorder)
    }

    /// Looks in all places but the first for all services, and in that for all but the first service.
    #[inline(never)]
    fn hop_further<H: Headers + ?Sized>(
        &self,
        services: &[ServiceId],
        places: &[LookedIn],
        attributes: &Attributes<'_, '_, H>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Decision {
        for (place, service) in places.iter().flat_map(|place| services.iter().map(move |service| (place, service))).skip(1) {
            let id = self.service(*service).group;
            let look = match place {
                LookedIn::GuidingHeader => self.by_guiding_header(id, attributes, recorder),
                LookedIn::Context => self.by_context(id, attributes, recorder),
                LookedIn::Source => self.by_source(id, attributes, recorder),
                LookedIn::Rules => self.by_rules(*service, attributes, recorder),
            };
            match look {
                Look::Nothing => {}
                // A call of an undetermined lane is told by the name's first service.
                Look::Unknown => return undetermined(services.first().copied()),
                look => return self.serve(*service, look, attributes, liveness, recorder),
            }
        }
        // Nothing found: the first group with a baseline serves by it (S23).
        for service in services {
            let group = self.service(*service).group;
            if let Some(baseline) = self.group(group).baseline {
                let target = self.target(*service, baseline);
                return self.resolve(*service, target, liveness, recorder).decision(Place::Hop, group, *service, baseline, None);
            }
        }
        Decision { service: services.first().copied(), ..Decision::blank(Outcome::NoRoute, Place::Hop) }
    }

    /// Serves what was found for a service.
    #[cfg_attr(feature = "index", inline(always))]
    fn serve<H: Headers + ?Sized>(
        &self,
        service: ServiceId,
        look: Look<'_>,
        attributes: &Attributes<'_, '_, H>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Decision {
        let id = self.service(service).group;
        let (name, found) = match look {
            Look::Name(name, found) => (Some(name), found),
            Look::Torn => (None, FoundIn::Header),
            Look::Lane(lane, found) => return self.serve_lane(service, lane, found, liveness, recorder),
            Look::Rule(rule, led) => return self.conclude(rule, led, Place::Hop, &self.facts(attributes), liveness, recorder),
            Look::Nothing | Look::Unknown => return undetermined(Some(service)),
        };
        match name.and_then(|name| self.lane_of_value(id, name)) {
            Some(lane) => self.serve_lane(service, lane, found, liveness, recorder),
            None => self.unknown_lane(service, name, found, liveness, recorder),
        }
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn serve_lane(&self, service: ServiceId, lane: LaneId, found: FoundIn, liveness: &Liveness, recorder: &mut impl Recorder) -> Decision {
        let (group, target) = (self.service(service).group, self.target(service, lane));
        self.resolve(service, target, liveness, recorder).decision(Place::Hop, group, service, lane, Some(found))
    }

    /// Serves a name that no lane has (S23); none stands for lines that differ.
    #[inline(never)]
    fn unknown_lane(
        &self,
        service: ServiceId,
        name: Option<Value<'_>>,
        found: FoundIn,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Decision {
        let id = self.service(service).group;
        let Group { unknown, baseline, .. } = *self.group(id);
        let lane = match unknown {
            UnknownLane::Reject => None,
            UnknownLane::Baseline => baseline,
            UnknownLane::NearestAncestor => name.and_then(|name| self.ancestor(id, name)).or(baseline),
        };
        let mut decision = match lane {
            Some(lane) => self.serve_lane(service, lane, found, liveness, recorder),
            None => {
                Decision { group: Some(id), service: Some(service), found: Some(found), ..Decision::blank(Outcome::NoRoute, Place::Hop) }
            }
        };
        decision.notes = decision.notes.and(Notes::UNKNOWN_LANE);
        decision
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn by_guiding_header<'r, H: Headers + ?Sized>(
        &self,
        group: GroupId,
        attributes: &Attributes<'_, 'r, H>,
        recorder: &mut impl Recorder,
    ) -> Look<'r> {
        let header = self.group(group).guiding.header;
        let known = attributes.guide(header);
        recorder.looked(self, group, LookedIn::GuidingHeader, known.into());
        self.look(known, recorder, |guide| match guide {
            Guide::Name(name) => Look::Name(Value::Plain(name), FoundIn::Header),
            Guide::Torn => Look::Torn,
        })
    }

    /// What looking gave, by what is known of the place.
    #[cfg_attr(feature = "index", inline(always))]
    fn look<'r, T>(&self, known: Known<T>, recorder: &mut impl Recorder, found: impl FnOnce(T) -> Look<'r>) -> Look<'r> {
        match known {
            Known::Absent => Look::Nothing,
            Known::Present(value) => found(value),
            Known::Unseen(header) => {
                recorder.unseen(self, header);
                Look::Unknown
            }
        }
    }

    /// The baggage member, or the lane remembered for the trace id; empty ones count as absent (S22).
    fn by_context<'r, H: Headers + ?Sized>(
        &self,
        id: GroupId,
        attributes: &Attributes<'_, 'r, H>,
        recorder: &mut impl Recorder,
    ) -> Look<'r> {
        let group = self.group(id);
        let (known, found_in) = match group.context {
            Context::Header => return Look::Nothing,
            Context::Baggage(key) => (attributes.lane_in_baggage(key), FoundIn::Baggage),
            Context::TraceId(_) => {
                let name = self.str(group.name);
                let remembered = attributes.request.remembered.iter().find(|(group, _)| *group == name).map(|(_, lane)| *lane);
                let remembered = remembered.filter(|lane| !lane.is_empty()).map(|lane| Value::Plain(lane.as_bytes()));
                (Known::from(remembered), FoundIn::TraceId)
            }
        };
        recorder.looked(self, id, LookedIn::Context, known.into());
        self.look(known, recorder, |name| Look::Name(name, found_in))
    }

    /// The caller's own lane (S22).
    fn by_source<'r, H: Headers + ?Sized>(
        &self,
        id: GroupId,
        attributes: &Attributes<'_, 'r, H>,
        recorder: &mut impl Recorder,
    ) -> Look<'r> {
        let group = self.group(id);
        let lane = self.own_lane(id, attributes).filter(|lane| group.mode == Mode::Strict || Some(*lane) != group.baseline);
        recorder.looked(self, id, LookedIn::Source, lane.map_or(Found::Nothing, Found::Lane));
        lane.map_or(Look::Nothing, |lane| Look::Lane(lane, FoundIn::Source))
    }

    /// The lane of the calling workload: by name, else the first whose labels for the calling service it bears.
    fn own_lane<H: Headers + ?Sized>(&self, id: GroupId, attributes: &Attributes<'_, '_, H>) -> Option<LaneId> {
        let source = &attributes.request.source;
        if let Some(lane) = source.lane.and_then(|name| self.lane_named(id, name.as_bytes())) {
            return Some(lane);
        }
        if source.labels.is_empty() {
            return None;
        }
        let group = self.group(id);
        let lanes = || group.lanes.iter().map(LaneId::of);
        let bears = |name: &str, value: &str| attributes.source_label(name) == Some(value);
        // Empty values count as absent (S22).
        match source.service.filter(|service| !service.is_empty()) {
            Some(caller) => {
                let callers = self.callees.get(&self.patterns, caller.as_bytes());
                let caller = *callers.iter().find(|service| self.service(**service).group == id)?;
                let mut members = lanes().filter(|lane| self.subset(caller, *lane).is_some());
                members.find(|lane| self.labels(caller, *lane).all(|(name, value)| bears(name, value)))
            }
            None => lanes().find(|lane| bears(self.str(group.tag_label), self.str(self.lane(*lane).service_tag))),
        }
    }

    /// The rules that hold at hops of the service.
    fn by_rules<'r, H: Headers + ?Sized, R: Recorder>(
        &self,
        service: ServiceId,
        attributes: &Attributes<'_, 'r, H>,
        recorder: &mut R,
    ) -> Look<'r> {
        let facts = self.facts(attributes);
        let ended = if H::PARTIAL || R::WALKS_ALL || !self.indexed {
            self.walk(self.index.hop_rules(service), At::Hop, &facts, recorder).1
        } else {
            self.index.hop(self, service, &facts).map(|rule| (rule, self.leads(rule, At::Hop, attributes)))
        };
        match ended {
            None => Look::Nothing,
            Some((_, None)) => Look::Unknown,
            Some((rule, Some(led))) => Look::Rule(rule, led),
        }
    }
}
