//! Looking into a router: names of ids, ids of names, what a decision found. For reports and front-ends; the walks need none of it.

use alloc::{borrow::Cow, vec::Vec};

use crate::{
    attribute::{Attributes, Guide, Key, Value},
    condition::joined_lines,
    decision::{Decision, FoundIn, Place},
    intern::{GroupId, LaneId, RuleId, ServiceId, SubsetId},
    request::{Headers, Request},
};

use super::{Action, Context, Plan, Router};

impl Router {
    /// The groups, in document order.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = GroupId> + use<> {
        (0..self.0.groups.len()).map(|index| GroupId::of(crate::intern::dense(index)))
    }

    /// The lanes of a group, in document order.
    pub fn lanes(&self, group: GroupId) -> impl Iterator<Item = LaneId> + use<> {
        self.0.group(group).lanes.iter().map(LaneId::of)
    }

    /// The services of a group, in document order.
    pub fn services(&self, group: GroupId) -> impl Iterator<Item = ServiceId> + use<> {
        self.0.group(group).services.iter().map(ServiceId::of)
    }

    /// The rules of a group, in document order.
    pub fn rules(&self, group: GroupId) -> impl Iterator<Item = RuleId> + use<> {
        self.0.group(group).rules.iter().map(RuleId::of)
    }

    /// The group's name.
    #[must_use]
    pub fn group_name(&self, group: GroupId) -> &str {
        self.0.str(self.0.group(group).name)
    }

    /// The lane's name, which requests carry.
    #[must_use]
    pub fn lane_name(&self, lane: LaneId) -> &str {
        self.0.str(self.0.lane(lane).name)
    }

    /// The value of the workload label that marks the lane's endpoints.
    #[must_use]
    pub fn service_tag(&self, lane: LaneId) -> &str {
        self.0.str(self.0.lane(lane).service_tag)
    }

    /// The rule's name.
    #[must_use]
    pub fn rule_name(&self, rule: RuleId) -> &str {
        self.0.str(self.0.rule(rule).name)
    }

    /// The service's host.
    #[must_use]
    pub fn service_host(&self, service: ServiceId) -> &str {
        self.0.str(self.0.service(service).host)
    }

    /// The group of a service.
    #[must_use]
    pub fn group_of(&self, service: ServiceId) -> GroupId {
        self.0.service(service).group
    }

    /// The lane that serves every service of the group, if one is named.
    #[must_use]
    pub fn baseline(&self, group: GroupId) -> Option<LaneId> {
        self.0.group(group).baseline
    }

    /// The service's endpoints that belong to the lane; none where the lane does not contain the service.
    #[must_use]
    pub fn subset(&self, service: ServiceId, lane: LaneId) -> Option<SubsetId> {
        self.0.subset(service, lane)
    }

    /// The labels that select the lane's endpoints of the service.
    pub fn subset_labels(&self, service: ServiceId, lane: LaneId) -> impl Iterator<Item = (&str, &str)> {
        self.0.labels(service, lane)
    }

    /// The lanes that may serve in a lane's place: itself, then its fallback lanes in order, those left out that do not contain the service.
    pub fn candidates(&self, service: ServiceId, lane: LaneId) -> impl Iterator<Item = (LaneId, SubsetId)> {
        let lanes = core::iter::once(lane).chain(self.0.fallback(lane).iter().copied());
        lanes.filter_map(move |lane| Some((lane, self.0.subset(service, lane)?)))
    }

    /// The lane of this name in the group.
    #[must_use]
    pub fn lane_in(&self, group: GroupId, name: &str) -> Option<LaneId> {
        self.0.lane_named(group, name.as_bytes())
    }

    /// The service that this host or alias names in the group.
    #[must_use]
    pub fn service_in(&self, group: GroupId, name: &str) -> Option<ServiceId> {
        self.services_named(name).iter().copied().find(|service| self.group_of(*service) == group)
    }

    /// The services that a called name stands for, one a group, in group order (S21).
    #[must_use]
    pub fn services_named(&self, name: &str) -> &[ServiceId] {
        self.0.callees.get(&self.0.patterns, name.as_bytes())
    }

    /// The lane name as it was found, for `decision` about this same `request` (S29).
    pub fn found_value<'a, H: Headers + ?Sized>(&'a self, decision: &Decision, request: &Request<'a, H>) -> Option<Cow<'a, [u8]>> {
        self.0.found_value(decision, &self.0.attributes(request))
    }
}

impl Plan {
    fn found_value<'a, H: Headers + ?Sized>(&'a self, decision: &Decision, attributes: &Attributes<'_, 'a, H>) -> Option<Cow<'a, [u8]>> {
        let group = self.group(decision.group?);
        let guide = || match attributes.guide(group.guiding.header).present()? {
            Guide::Name(name) => Some(Cow::Borrowed(name)),
            Guide::Torn => {
                let lines = attributes.lines(group.guiding.header).filter(|line| !line.is_empty());
                Some(Cow::Owned(joined_lines(lines).collect::<Vec<_>>()))
            }
        };
        // The attribute that the rule's `lane_from` reads, unless the request kept the lane that it brought (S16).
        let given = decision.rule.filter(|_| !self.is_kept(decision, attributes)).and_then(|rule| match self.rule(rule).action {
            Action::From(key) if key != Key::Header(group.guiding.header) => Some(key),
            _ => None,
        });
        match (decision.found?, given, group.context) {
            (FoundIn::Source | FoundIn::Rule, ..) => {
                decision.lane.map(|lane| Cow::Borrowed(self.patterns.pool.bytes(self.lane(lane).name)))
            }
            (_, Some(key), _) => attributes.with_key(key, |value: Value<'_>| value.bytes().collect::<Vec<_>>()).present().map(Cow::Owned),
            (FoundIn::Header, None, _) => guide(),
            (FoundIn::Baggage, None, Context::Baggage(key)) => {
                let value = attributes.lane_in_baggage(key).present()?;
                Some(value.bytes().collect::<Vec<_>>().into())
            }
            (FoundIn::TraceId, ..) => {
                let mut remembered = attributes.request.remembered.iter();
                remembered.find(|(name, _)| *name == self.str(group.name)).map(|(_, lane)| Cow::Borrowed(lane.as_bytes()))
            }
            _ => None,
        }
    }

    /// Whether the decision kept the lane that the guiding header names, although its rule reads another header.
    fn is_kept<H: Headers + ?Sized>(&self, decision: &Decision, attributes: &Attributes<'_, '_, H>) -> bool {
        let (Some(id), Some(rule), Place::Gateway(_)) = (decision.group, decision.rule, decision.place) else { return false };
        let guide = attributes.guide(self.group(id).guiding.header).present();
        self.rule(rule).keeps_lane && guide.is_some_and(|guide| self.lane_of_guide(id, guide).is_some())
    }
}
