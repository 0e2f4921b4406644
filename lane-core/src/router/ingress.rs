//! The walk at a gateway (S16): the rules in order, the first that holds decides. Trying one rule is the same
//! at a hop, so it lives here for both.

use crate::{
    attribute::{Attributes, Key, Known},
    condition::{Facts, Truth},
    config::At,
    decision::{Decision, FoundIn, Notes, Outcome, Place},
    intern::{GroupId, LaneId, RuleId},
    liveness::Liveness,
    request::Headers,
    split::{Draw, Target},
};

use super::{
    Action, Context, Plan, Rule,
    recorder::{Recorder, Tried},
};

/// What trying a rule says about the request.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    /// The rule does not hold; whether its hosts did.
    No { host_held: bool },
    /// The rule decides, for the lane to which its action leads.
    Holds(Led),
    /// The rule may or may not hold, or its action may lead to one lane or another.
    Unknown,
}

/// Where the action of a rule leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Led {
    To { target: Target, found: Option<FoundIn> },
    Split(u32),
}

impl Plan {
    pub(crate) fn ingress<H: Headers + ?Sized, R: Recorder>(
        &self,
        gateway: &str,
        attributes: &Attributes<'_, '_, H>,
        liveness: &Liveness,
        recorder: &mut R,
    ) -> Decision {
        let gateway = self.gateways.get(gateway);
        let place = Place::Gateway(gateway);
        let facts = self.facts(attributes);
        let (host_held, ended) = if H::PARTIAL || R::WALKS_ALL || !self.indexed {
            self.walk(self.gateway_rules(gateway), At::Gateway, &facts, recorder)
        } else {
            let (host_held, found) = self.index.gateway(self, gateway, &facts);
            (host_held, found.map(|rule| (rule, self.leads(rule, At::Gateway, attributes))))
        };
        match ended {
            None => Decision::blank(if host_held { Outcome::NoRoute } else { Outcome::Pass }, place),
            Some((_, None)) => Decision::blank(Outcome::Undetermined, place),
            Some((rule, Some(led))) => self.conclude(rule, led, place, &facts, liveness, recorder),
        }
    }

    /// Tries rules one by one. Returns whether the hosts of any held, and the rule that ended the walk, without
    /// where it leads if that cannot be told.
    #[inline(never)]
    pub(super) fn walk<H: Headers + ?Sized>(
        &self,
        rules: impl Iterator<Item = RuleId>,
        at: At,
        facts: &Facts<'_, '_, H>,
        recorder: &mut impl Recorder,
    ) -> (bool, Option<(RuleId, Option<Led>)>) {
        facts.attributes.find_all();
        let mut host_held = false;
        for rule in rules {
            match self.attempt(rule, at, facts, recorder) {
                Verdict::No { host_held: held } => host_held |= held,
                Verdict::Holds(led) => return (true, Some((rule, Some(led)))),
                Verdict::Unknown => return (true, Some((rule, None))),
            }
        }
        (host_held, None)
    }

    /// Where a rule leads whose hosts and conditions hold, if it leads anywhere; everything is known of the request.
    #[cfg_attr(feature = "index", inline(always))]
    pub(super) fn leads<H: Headers + ?Sized>(&self, rule: RuleId, at: At, attributes: &Attributes<'_, '_, H>) -> Option<Led> {
        let rule = self.rule(rule);
        match rule.action {
            Action::Lane(target) if !rule.keeps_lane => Some(Led::To { target, found: None }),
            Action::Split(split) if !rule.keeps_lane => Some(Led::Split(split)),
            _ => self.kept(rule, at, attributes).present().or_else(|| self.led(rule, attributes).present()),
        }
    }

    /// Whether such a rule leads anywhere: most do, whatever the request.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn leads_anywhere<H: Headers + ?Sized>(&self, rule: RuleId, at: At, attributes: &Attributes<'_, '_, H>) -> bool {
        !matches!(self.rule(rule).action, Action::From(_)) || self.leads(rule, at, attributes).is_some()
    }

    /// The rules that hold at a gateway, in order.
    fn gateway_rules(&self, gateway: Option<u32>) -> impl Iterator<Item = RuleId> {
        let groups = self.groups.iter().filter(move |group| self.holds_at(group, gateway));
        groups.flat_map(|group| group.rules.iter()).map(RuleId::of).filter(|rule| self.rule(*rule).at_gateway)
    }

    /// Tries one rule: its hosts, its conditions, its action, in three values.
    fn attempt<H: Headers + ?Sized>(&self, id: RuleId, at: At, facts: &Facts<'_, '_, H>, recorder: &mut impl Recorder) -> Verdict {
        let rule = self.rule(id);
        let host = facts.attributes.host();
        if !self.host_patterns(rule).iter().any(|pattern| pattern.holds(&self.patterns.pool, host)) {
            recorder.tried(self, id, Tried::OtherHost, facts);
            return Verdict::No { host_held: false };
        }
        let matched = rule.condition.map_or(Truth::Yes, |condition| self.conditions.holds(condition, facts));
        if matched == Truth::No {
            recorder.tried(self, id, Tried::Failed, facts);
            return Verdict::No { host_held: true };
        }
        // A kept lane settles the action; where it cannot be told, the action may settle it, but not for which lane.
        let kept = self.kept(rule, at, facts.attributes);
        let led = match kept {
            Known::Present(_) => kept,
            Known::Absent => self.led(rule, facts.attributes),
            Known::Unseen(_) => kept,
        };
        match (matched, led) {
            (_, Known::Absent) => {
                recorder.tried(self, id, Tried::NamesNoLane, facts);
                Verdict::No { host_held: true }
            }
            (Truth::Yes, Known::Present(led)) => {
                recorder.tried(self, id, Tried::Holds, facts);
                Verdict::Holds(led)
            }
            _ => {
                recorder.tried(self, id, Tried::Unknown, facts);
                self.unseen(rule, kept, facts, recorder);
                Verdict::Unknown
            }
        }
    }

    /// Tells the recorder of every header on which the rule depends.
    fn unseen<H: Headers + ?Sized>(&self, rule: &Rule, kept: Known<Led>, facts: &Facts<'_, '_, H>, recorder: &mut impl Recorder) {
        if let Some(condition) = rule.condition {
            self.conditions.unseen(condition, facts, &mut |header| recorder.unseen(self, header));
        }
        let led = match kept {
            Known::Present(_) => kept,
            Known::Absent | Known::Unseen(_) => self.led(rule, facts.attributes),
        };
        for led in [kept, led] {
            if let Known::Unseen(header) = led {
                recorder.unseen(self, header);
            }
        }
    }

    /// The lane that the request already carries and keeps (S16).
    fn kept<H: Headers + ?Sized>(&self, rule: &Rule, at: At, attributes: &Attributes<'_, '_, H>) -> Known<Led> {
        if at == At::Hop || !rule.keeps_lane {
            return Known::Absent;
        }
        attributes.guide(self.group(rule.group).guiding.header).and_then(|guide| {
            let lane = self.lane_of_guide(rule.group, guide);
            lane.map(|lane| Led::To { target: self.target(rule.service, lane), found: Some(FoundIn::Header) }).into()
        })
    }

    /// Where the rule's action leads; absent where `lane_from` names no lane.
    #[inline]
    fn led<H: Headers + ?Sized>(&self, rule: &Rule, attributes: &Attributes<'_, '_, H>) -> Known<Led> {
        match rule.action {
            Action::Lane(target) => Known::Present(Led::To { target, found: None }),
            Action::Split(split) => Known::Present(Led::Split(split)),
            Action::From(key) => {
                let lane = self.named_by(rule.group, key, attributes);
                lane.map(|lane| Led::To { target: self.target(rule.service, lane), found: Some(found_in(key)) })
            }
        }
    }

    /// The lane that a `lane_from` names.
    fn named_by<H: Headers + ?Sized>(&self, group: GroupId, key: Key, attributes: &Attributes<'_, '_, H>) -> Known<LaneId> {
        match key {
            Key::Header(header) if header == self.group(group).guiding.header => {
                attributes.guide(header).and_then(|guide| self.lane_of_guide(group, guide).into())
            }
            key => attributes.with_key(key, |value| self.lane_of_value(group, value)).and_then(Known::from),
        }
    }

    /// Completes the decision of a rule that holds.
    #[cfg_attr(feature = "index", inline(always))]
    pub(super) fn conclude<H: Headers + ?Sized>(
        &self,
        id: RuleId,
        led: Led,
        place: Place,
        facts: &Facts<'_, '_, H>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Decision {
        let rule = self.rule(id);
        let undetermined = || Decision {
            group: Some(rule.group),
            rule: Some(id),
            service: Some(rule.service),
            ..Decision::blank(Outcome::Undetermined, place)
        };
        let (target, found, cookie) = match led {
            Led::To { target, found } => (target, found, None),
            Led::Split(split) => match self.splits.get(split as usize).map(|split| split.draw(facts.attributes, &self.patterns.pool)) {
                Some(Draw::Lane { target, by, cookie }) => {
                    recorder.drawn(self, id, target.lane, by, facts);
                    (target, None, cookie)
                }
                Some(Draw::Unseen(header)) => {
                    recorder.unseen(self, header);
                    return undetermined();
                }
                Some(Draw::NeedsRoll) | None => {
                    recorder.needs_roll();
                    return undetermined();
                }
            },
        };
        let found = if place == Place::Hop { found.or(Some(FoundIn::Rule)) } else { found };
        let mut decision =
            self.resolve(rule.service, target, liveness, recorder).decision(place, rule.group, rule.service, target.lane, found);
        decision.rule = Some(id);
        if decision.serves() {
            decision.cookie = cookie;
        }
        if rule.is_traced
            && let (Place::Gateway(_), Context::TraceId(header)) = (place, self.group(rule.group).context)
            && facts.attributes.trace_id(header).present().is_none()
        {
            decision.notes = decision.notes.and(Notes::NO_TRACE_ID);
        }
        decision
    }
}

fn found_in(key: Key) -> FoundIn {
    match key {
        Key::Header(_) => FoundIn::Header,
        Key::Cookie(_) => FoundIn::Cookie,
        Key::Query(_) => FoundIn::Query,
        Key::Baggage(_) => FoundIn::Baggage,
        // `lane_from` has no other kinds (S4).
        Key::TraceId(_) | Key::SourceIp => FoundIn::TraceId,
    }
}
