//! What a walk tells about itself while it walks. The plain walk tells nobody and pays nothing;
//! [`explain`](crate::explain) writes it all down.

use crate::{
    attribute::{Guide, Known, Value, names::HeaderId},
    condition::Facts,
    decision::Reason,
    intern::{GroupId, LaneId, RuleId, ServiceId},
    request::Headers,
    split::DrawnBy,
};

use super::Plan;

/// Listens to a walk. Every method does nothing unless a recorder wants to know.
pub(crate) trait Recorder {
    /// Whether every rule must be walked, instead of those only that the index lets through.
    const WALKS_ALL: bool;

    /// A rule was tried.
    fn tried<H: Headers + ?Sized>(&mut self, _plan: &Plan, _rule: RuleId, _verdict: Tried, _facts: &Facts<'_, '_, H>) {}

    /// A lane name was looked for.
    fn looked(&mut self, _plan: &Plan, _group: GroupId, _place: LookedIn, _found: Found<'_>) {}

    /// A rule's split was drawn.
    fn drawn<H: Headers + ?Sized>(&mut self, _plan: &Plan, _rule: RuleId, _lane: LaneId, _by: DrawnBy, _facts: &Facts<'_, '_, H>) {}

    /// A lane was considered for serving.
    fn considered(&mut self, _plan: &Plan, _service: ServiceId, _lane: LaneId, _passed_over: Option<Reason>) {}

    /// The decision depends on this header, which was not recorded.
    fn unseen(&mut self, _plan: &Plan, _header: HeaderId) {}

    /// The decision depends on a roll, which was not given.
    fn needs_roll(&mut self) {}
}

/// How trying a rule ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The rule decides.
    Holds,
    /// The request's authority is none of the rule's hosts.
    OtherHost,
    /// A condition does not hold.
    Failed,
    /// `lane_from` names no lane.
    NamesNoLane,
    /// The rule may or may not hold.
    Unknown,
}

/// Where a lane name was looked for at a hop (S22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookedIn {
    GuidingHeader,
    /// The baggage member, or the lane remembered for the trace id.
    Context,
    /// The caller's own lane.
    Source,
    /// Rules that hold at hops.
    Rules,
}

/// What was found there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'v> {
    Nothing,
    /// This name, as found.
    Name(Value<'v>),
    /// Lines that differ.
    Torn,
    /// This lane.
    Lane(LaneId),
    /// The header was not recorded.
    Unseen,
}

impl<'v> From<Known<Value<'v>>> for Found<'v> {
    fn from(known: Known<Value<'v>>) -> Self {
        match known {
            Known::Present(name) => Self::Name(name),
            Known::Absent => Self::Nothing,
            Known::Unseen(_) => Self::Unseen,
        }
    }
}

impl<'v> From<Known<Guide<'v>>> for Found<'v> {
    fn from(known: Known<Guide<'v>>) -> Self {
        match known {
            Known::Present(Guide::Torn) => Self::Torn,
            Known::Present(Guide::Name(name)) => Self::Name(Value::Plain(name)),
            Known::Absent => Self::Nothing,
            Known::Unseen(_) => Self::Unseen,
        }
    }
}

/// The recorder of the plain walk.
pub(crate) struct Silent;

impl Recorder for Silent {
    const WALKS_ALL: bool = false;
}

/// A recorder that may be left out while running: one walk is compiled where two types make two.
impl<R: Recorder> Recorder for Option<R> {
    const WALKS_ALL: bool = true;

    fn tried<H: Headers + ?Sized>(&mut self, plan: &Plan, rule: RuleId, verdict: Tried, facts: &Facts<'_, '_, H>) {
        if let Some(recorder) = self {
            recorder.tried(plan, rule, verdict, facts);
        }
    }

    fn looked(&mut self, plan: &Plan, group: GroupId, place: LookedIn, found: Found<'_>) {
        if let Some(recorder) = self {
            recorder.looked(plan, group, place, found);
        }
    }

    fn drawn<H: Headers + ?Sized>(&mut self, plan: &Plan, rule: RuleId, lane: LaneId, by: DrawnBy, facts: &Facts<'_, '_, H>) {
        if let Some(recorder) = self {
            recorder.drawn(plan, rule, lane, by, facts);
        }
    }

    fn considered(&mut self, plan: &Plan, service: ServiceId, lane: LaneId, passed_over: Option<Reason>) {
        if let Some(recorder) = self {
            recorder.considered(plan, service, lane, passed_over);
        }
    }

    fn unseen(&mut self, plan: &Plan, header: HeaderId) {
        if let Some(recorder) = self {
            recorder.unseen(plan, header);
        }
    }

    fn needs_roll(&mut self) {
        if let Some(recorder) = self {
            recorder.needs_roll();
        }
    }
}
