//! A decision as data: the object of section 7, with every name looked up in the router that decided. The fields
//! stand in the order in which they are printed (S29).

use std::collections::BTreeMap;

use lane_core::{BUFFER_BYTES, Change, Decision, FoundIn, Headers, Notes, Outcome, Reason, Remember, Request, Router};
use serde::{Serialize, Serializer};

use crate::bytes::Bytes;

/// One decision, as every front-end prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What becomes of the request.
    pub outcome: Outcome,
    /// The HTTP status that fits.
    pub status: u16,
    /// The group that decided.
    pub group: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The lane to which the request belongs.
    pub lane: Option<String>,
    /// The called service's host; the name as given where it is nobody's.
    pub service: Option<String>,
    /// The endpoints that serve.
    pub subset: Option<Subset>,
    /// Which lane serves in which one's place.
    pub fallback: Option<Fallback>,
    /// Why the lane itself does not serve.
    pub reason: Option<Reason>,
    /// The lane name as found, and where.
    pub found: Option<Found>,
    /// Headers to set, by name as configured.
    #[serde(serialize_with = "as_map")]
    pub set_headers: Vec<(String, Bytes)>,
    /// Headers to remove: lower-case names, sorted.
    pub remove_headers: Vec<String>,
    /// The cookie to set for the client.
    pub set_cookie: Option<SetCookie>,
    /// What to remember for the request's trace id.
    pub remember: Vec<Remembered>,
    /// Remarks, sorted.
    pub notes: Vec<String>,
    /// What the decision depends on and nobody recorded, sorted.
    pub undetermined: Vec<String>,
}

/// The endpoints of one service that belong to one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subset {
    /// The lane.
    pub lane: String,
    /// The labels that select them.
    pub labels: BTreeMap<String, String>,
}

/// One lane serving in another's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// The request's lane.
    pub from: String,
    /// The lane that serves.
    pub to: String,
}

/// A lane name, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The name as found.
    pub value: Bytes,
    /// Where.
    #[serde(rename = "in")]
    pub place: FoundIn,
}

/// A cookie to set for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// How long the client keeps it.
    pub ttl_seconds: u32,
}

/// A lane to remember for a trace id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// The group.
    pub group: String,
    /// The trace id.
    pub trace_id: Bytes,
    /// The lane.
    pub lane: String,
}

impl From<Remember<'_>> for Remembered {
    fn from(remember: Remember<'_>) -> Self {
        Self { group: remember.group.into(), trace_id: remember.trace_id.into(), lane: remember.lane.into() }
    }
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "nearly every answer is a decision")]
pub enum Answer {
    /// A decision, at a gateway or at a hop.
    Decision(Report),
    /// What a sidecar remembers of a request that arrives at its workload (S26a).
    Inbound {
        /// One for each group whose lane it knows.
        remember: Vec<Remembered>,
    },
}

impl Answer {
    /// The decision, if one was made.
    #[must_use]
    pub fn decision(self) -> Option<Report> {
        match self {
            Self::Decision(report) => Some(report),
            Self::Inbound { .. } => None,
        }
    }
}

impl Report {
    /// The report on a decision about `request`; `called` is the called name of a hop, as given, and `undetermined`
    /// what an explanation lists.
    pub fn new<H: Headers + ?Sized>(
        router: &Router,
        decision: &Decision,
        request: &Request<'_, H>,
        called: Option<&str>,
        undetermined: Vec<String>,
    ) -> Self {
        let lane = decision.lane.map(|lane| router.lane_name(lane).to_owned());
        let serving = decision.serving.map(|lane| router.lane_name(lane).to_owned());
        let subset = decision.service.zip(decision.serving).filter(|_| decision.subset.is_some()).map(|(service, lane)| Subset {
            lane: router.lane_name(lane).into(),
            labels: router.subset_labels(service, lane).map(|(name, value)| (name.into(), value.into())).collect(),
        });
        let found = decision.found.and_then(|place| Some(Found { value: (&*router.found_value(decision, request)?).into(), place }));
        let fallback = match (decision.outcome, &lane, &serving) {
            (Outcome::FellBack, Some(from), Some(to)) => Some(Fallback { from: from.clone(), to: to.clone() }),
            _ => None,
        };
        let Changes { set_headers, remove_headers, notes } = Changes::of(router, decision, request);
        Self {
            outcome: decision.outcome,
            status: decision.outcome.status(),
            group: decision.group.map(|group| router.group_name(group).into()),
            rule: decision.rule.map(|rule| router.rule_name(rule).into()),
            lane,
            service: decision.service.map_or(called, |service| Some(router.service_host(service))).map(Into::into),
            subset,
            fallback,
            reason: decision.reason,
            found,
            set_headers,
            remove_headers,
            set_cookie: router.cookie(decision).map(|cookie| SetCookie {
                name: cookie.name.into(),
                value: String::from_utf8_lossy(&cookie.value).into_owned(),
                ttl_seconds: cookie.ttl_seconds,
            }),
            remember: router.remember(decision, request).map(Remembered::from).into_iter().collect(),
            notes: decision.notes.and(notes).names().map(Into::into).collect(),
            undetermined,
        }
    }
}

/// What a decision does to the headers of a request.
struct Changes {
    set_headers: Vec<(String, Bytes)>,
    remove_headers: Vec<String>,
    notes: Notes,
}

impl Changes {
    fn of<H: Headers + ?Sized>(router: &Router, decision: &Decision, request: &Request<'_, H>) -> Self {
        let mut buffer = [0; BUFFER_BYTES];
        let mut set_headers = Vec::new();
        let mut remove_headers = Vec::new();
        let notes = router.changes(decision, request, &mut buffer, |change| match change {
            Change::Set { name, value } => set_headers.push((name.to_owned(), Bytes::from(value))),
            Change::Remove { name } => remove_headers.push(name.to_owned()),
        });
        remove_headers.sort_unstable();
        remove_headers.dedup();
        Self { set_headers, remove_headers, notes }
    }
}

fn as_map<S: Serializer>(pairs: &[(String, Bytes)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
