//! The answer: small, by value, ids only. Names are looked up in the router that gave it; what a front-end
//! prints (section 7) is made of both.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::intern::{GroupId, LaneId, RuleId, ServiceId, SubsetId};

/// What becomes of the request (S29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The lane itself serves.
    Routed,
    /// Another lane serves in its place.
    FellBack,
    /// This traffic is none of ours; nothing is decided.
    Pass,
    /// Ours, but no lane takes it.
    NoRoute,
    /// A lane takes it, but no candidate can serve.
    Unavailable,
    /// It depends on something that was not recorded, or on a roll that was not given.
    Undetermined,
}

impl Outcome {
    /// The HTTP status that fits: 200, 404 or 503; 0 where nobody can say.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Routed | Self::FellBack | Self::Pass => 200,
            Self::NoRoute => 404,
            Self::Unavailable => 503,
            Self::Undetermined => 0,
        }
    }
}

/// Why a candidate was passed over (S24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The lane does not contain the service.
    NotInLane,
    /// The subset has no endpoints.
    NoEndpoints,
    /// No endpoint of the subset is healthy.
    NoneHealthy,
    /// Fewer endpoints are healthy than the service asks for.
    BelowMinHealthy,
}

/// Where the lane name was found (S22, S29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundIn {
    /// A header: the guiding header, or the one that `lane_from` names.
    Header,
    /// A baggage member.
    Baggage,
    /// The cookie that `lane_from` names.
    Cookie,
    /// The query parameter that `lane_from` names.
    Query,
    /// The lane that was remembered for the trace id.
    TraceId,
    /// The caller's own lane.
    Source,
    /// A rule that holds at hops.
    Rule,
}

/// Remarks beside a decision (S29).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Notes(u8);

impl Notes {
    /// No remarks.
    pub const NONE: Self = Self(0);
    /// The lane serves although fewer of its endpoints are healthy than the service asks for.
    pub const BELOW_MIN_HEALTHY: Self = Self(1);
    /// The baggage has no room for the lane.
    pub const CONTEXT_FULL: Self = Self(2);
    /// The group's context is a trace id and the request has none.
    pub const NO_TRACE_ID: Self = Self(4);
    /// The lane name that was found is no lane of the group.
    pub const UNKNOWN_LANE: Self = Self(8);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::BELOW_MIN_HEALTHY, "below_min_healthy"),
        (Self::CONTEXT_FULL, "context_full"),
        (Self::NO_TRACE_ID, "no_trace_id"),
        (Self::UNKNOWN_LANE, "unknown_lane"),
    ];

    /// These remarks and those.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Whether these remarks hold all of those.
    #[must_use]
    pub const fn has(self, note: Self) -> bool {
        self.0 & note.0 == note.0
    }

    /// The names of the remarks, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(note, _)| self.has(*note)).map(|(_, name)| name)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// One decision. Every field but `outcome` is `None` where nothing of the kind was decided (S29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the request.
    pub outcome: Outcome,
    /// The group that decided.
    pub group: Option<GroupId>,
    /// The rule that decided.
    pub rule: Option<RuleId>,
    /// The lane to which the request belongs.
    pub lane: Option<LaneId>,
    /// The service that is called.
    pub service: Option<ServiceId>,
    /// The endpoints that serve.
    pub subset: Option<SubsetId>,
    /// The lane of those endpoints: `lane` itself, or the one to which it fell back.
    pub serving: Option<LaneId>,
    /// Why the lane itself does not serve.
    pub reason: Option<Reason>,
    /// Where the lane name was found.
    pub found: Option<FoundIn>,
    /// Remarks.
    pub notes: Notes,
    /// The roll from which a cookie is to be made, see [`Router::cookie`](crate::Router::cookie).
    pub(crate) cookie: Option<u64>,
    /// Where the decision was made.
    pub(crate) place: Place,
}

/// Where a decision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a gateway: its position among those that the configuration names, if it names it.
    Gateway(Option<u32>),
    /// At a service-to-service call.
    Hop,
}

impl Decision {
    /// A decision that decides nothing yet.
    pub(crate) const fn blank(outcome: Outcome, place: Place) -> Self {
        Self {
            outcome,
            group: None,
            rule: None,
            lane: None,
            service: None,
            subset: None,
            serving: None,
            reason: None,
            found: None,
            notes: Notes::NONE,
            cookie: None,
            place,
        }
    }

    /// Whether some group decided about this request and its endpoints are known: only then is anything set or remembered (S18, S26).
    #[must_use]
    pub const fn serves(&self) -> bool {
        matches!(self.outcome, Outcome::Routed | Outcome::FellBack)
    }
}
