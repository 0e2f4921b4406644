//! Why a decision is what it is, as data: a recorder on the same walks, so that what it tells is what happened
//! (S30). It walks every rule, without the index; the decision is the same one.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use crate::{
    attribute::{Value, names::HeaderId},
    condition::Facts,
    config::Method,
    decision::{Decision, Reason},
    intern::{GroupId, LaneId, RuleId, ServiceId},
    liveness::Liveness,
    request::{Headers, Request},
    router::{
        Action, Plan, Router,
        recorder::{Found, LookedIn, Recorder, Tried},
    },
    split::{DrawnBy, cookie_value},
};

mod describe;

pub use describe::Failure;

/// A decision, and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The decision; the same one that is given without explaining.
    #[serde(skip)]
    pub decision: Decision,
    /// What the request would have to tell for the decision to be determined: `header NAME` or `roll`, sorted.
    pub undetermined: Vec<String>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// One thing that a walk did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A rule was tried (S16).
    Rule {
        /// The rule's group.
        group: String,
        /// The rule.
        rule: String,
        /// How it ended.
        result: RuleResult,
    },
    /// A lane name was looked for at a hop (S22).
    Look {
        /// For this group.
        group: String,
        /// Where.
        place: Place,
        /// What was found; none if nothing was, or if it cannot be told.
        found: Option<String>,
        /// Whether a header that was asked for was not recorded.
        unseen: bool,
    },
    /// A split was drawn (S19, S20).
    Draw {
        /// The rule whose split it is.
        rule: String,
        /// What decided.
        by: By,
        /// The part of each lane, in document order.
        shares: Vec<Drawn>,
        /// The lane that was drawn.
        lane: String,
    },
    /// A lane was considered for serving (S24).
    Candidate {
        /// The called service.
        service: String,
        /// The lane.
        lane: String,
        /// Why it was passed over; none if it serves.
        passed_over: Option<Reason>,
    },
}

/// How trying a rule ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleResult {
    /// The rule decides.
    Holds,
    /// The request's authority is none of the rule's hosts, or `lane_from` names no lane, or conditions do not
    /// hold: for each entry of `match` the first that does not.
    Failed(Vec<Failure>),
    /// The rule may or may not hold: it depends on headers that were not recorded.
    Undetermined,
}

/// Where a lane name was looked for at a hop (S22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The group's guiding header.
    GuidingHeader,
    /// The group's baggage member, or the lane remembered for the trace id.
    Context,
    /// The caller's own lane.
    Source,
}

/// What decided a draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Only one lane has a weight.
    OnlyWeight,
    /// The roll, modulo the sum of the weights.
    Roll {
        /// The remainder.
        value: u64,
        /// The sum.
        total: u64,
    },
    /// A client's key.
    Key {
        /// Where it stands, for example `cookie uid`.
        key: String,
        /// How it chose.
        method: Method,
        /// For `ranges`: its hash, modulo the sum of the weights.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<u64>,
    },
}

/// A lane's part in a draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawn {
    /// The lane.
    pub lane: String,
    /// Its weight.
    pub weight: u32,
    /// The first value of its range, and the first behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
    /// Its rendezvous score; the smallest wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl Router {
    /// Decides like [`ingress`](Self::ingress), and tells why.
    pub fn explain_ingress<H: Headers + ?Sized>(&self, gateway: &str, request: &Request<'_, H>, liveness: &Liveness) -> Explanation {
        let mut notebook = Notebook::default();
        let decision = self.0.ingress(gateway, &self.0.attributes(request), liveness, &mut notebook);
        notebook.close(decision)
    }

    /// Decides like [`hop`](Self::hop), and tells why.
    pub fn explain_hop<H: Headers + ?Sized>(&self, service: &str, request: &Request<'_, H>, liveness: &Liveness) -> Explanation {
        let mut notebook = Notebook::default();
        let decision = self.0.hop(service, &self.0.attributes(request), liveness, &mut notebook);
        notebook.close(decision)
    }

    /// Decides like [`ingress`](Self::ingress), and tells why if `explains`. This is one walk for both, which tries every
    /// rule: for programs whose size counts, and that call neither of the others.
    pub fn ingress_or_explain<H: Headers + ?Sized>(
        &self,
        gateway: &str,
        request: &Request<'_, H>,
        liveness: &Liveness,
        explains: bool,
    ) -> (Decision, Option<Explanation>) {
        let mut notebook = explains.then(Notebook::default);
        let decision = self.0.ingress(gateway, &self.0.attributes(request), liveness, &mut notebook);
        (decision, notebook.map(|notebook| notebook.close(decision)))
    }

    /// Decides like [`hop`](Self::hop), and tells why if `explains`; see [`ingress_or_explain`](Self::ingress_or_explain).
    pub fn hop_or_explain<H: Headers + ?Sized>(
        &self,
        service: &str,
        request: &Request<'_, H>,
        liveness: &Liveness,
        explains: bool,
    ) -> (Decision, Option<Explanation>) {
        let mut notebook = explains.then(Notebook::default);
        let decision = self.0.hop(service, &self.0.attributes(request), liveness, &mut notebook);
        (decision, notebook.map(|notebook| notebook.close(decision)))
    }
}

/// The recorder that writes everything down.
#[derive(Default)]
struct Notebook {
    undetermined: Vec<String>,
    steps: Vec<Step>,
}

impl Notebook {
    fn close(mut self, decision: Decision) -> Explanation {
        self.undetermined.sort_unstable();
        self.undetermined.dedup();
        Explanation { decision, undetermined: self.undetermined, steps: self.steps }
    }
}

impl Recorder for Notebook {
    const WALKS_ALL: bool = true;

    fn tried<H: Headers + ?Sized>(&mut self, plan: &Plan, id: RuleId, tried: Tried, facts: &Facts<'_, '_, H>) {
        let rule = plan.rule(id);
        let result = match tried {
            Tried::Holds => RuleResult::Holds,
            Tried::Unknown => RuleResult::Undetermined,
            Tried::OtherHost => RuleResult::Failed(alloc::vec![describe::host(plan, rule, facts)]),
            Tried::NamesNoLane => RuleResult::Failed(alloc::vec![describe::lane_from(plan, rule, facts)]),
            Tried::Failed => {
                let mut failures = Vec::new();
                if let Some(condition) = rule.condition {
                    describe::failures(plan, condition, facts, &mut failures);
                }
                RuleResult::Failed(failures)
            }
        };
        let group = plan.str(plan.group(rule.group).name).to_string();
        self.steps.push(Step::Rule { group, rule: plan.str(rule.name).to_string(), result });
    }

    fn looked(&mut self, plan: &Plan, group: GroupId, place: LookedIn, found: Found<'_>) {
        let place = match place {
            LookedIn::GuidingHeader => Place::GuidingHeader,
            LookedIn::Context => Place::Context,
            LookedIn::Source => Place::Source,
            // Rules tell of themselves.
            LookedIn::Rules => return,
        };
        let (found, unseen) = match found {
            Found::Nothing => (None, false),
            Found::Unseen => (None, true),
            Found::Torn => (Some(String::from("lines that differ")), false),
            Found::Name(name) => (Some(describe::show(name)), false),
            Found::Lane(lane) => (Some(plan.str(plan.lane(lane).name).to_string()), false),
        };
        self.steps.push(Step::Look { group: plan.str(plan.group(group).name).to_string(), place, found, unseen });
    }

    fn drawn<H: Headers + ?Sized>(&mut self, plan: &Plan, id: RuleId, lane: LaneId, by: DrawnBy, facts: &Facts<'_, '_, H>) {
        let rule = plan.rule(id);
        let Action::Split(split) = rule.action else { return };
        let Some(split) = plan.splits.get(split as usize) else { return };
        let name = |lane: LaneId| plan.str(plan.lane(lane).name).to_string();
        let mut end = 0;
        let ranges = split.shares.iter().map(|share| {
            let start = end;
            end += u64::from(share.weight);
            Drawn { lane: name(share.target.lane), weight: share.weight, range: Some((start, end)), score: None }
        });
        let mut shares: Vec<Drawn> = ranges.collect();
        let by = match by {
            DrawnBy::Alone => By::OnlyWeight,
            DrawnBy::Roll(value) => By::Roll { value, total: split.total },
            DrawnBy::Key { position, method } => {
                let Some(sticky) = &split.sticky else { return };
                let salt = sticky.salt.map(|salt| plan.str(salt));
                let (key, drawn) = match (sticky.keys.get(position), facts.attributes.request.roll) {
                    (Some(key), _) => {
                        let drawn = facts.attributes.with_key(*key, |value| describe::Draw::of(split, method, salt, value));
                        (describe::key(plan, *key), drawn.present())
                    }
                    (None, Some(roll)) => {
                        let cookie = sticky.generate.map_or("", |generate| plan.str(generate.cookie));
                        let value = cookie_value(roll);
                        (format!("new cookie {cookie}"), Some(describe::Draw::of(split, method, salt, Value::Plain(&value))))
                    }
                    (None, None) => return,
                };
                let drawn = drawn.unwrap_or_default();
                if method == Method::Rendezvous {
                    for share in &mut shares {
                        share.range = None;
                        share.score = drawn.scores.iter().find(|(lane, _)| name(*lane) == share.lane).map(|(_, score)| *score);
                    }
                }
                By::Key { key, method, value: drawn.value }
            }
        };
        self.steps.push(Step::Draw { rule: plan.str(rule.name).to_string(), by, shares, lane: name(lane) });
    }

    fn considered(&mut self, plan: &Plan, service: ServiceId, lane: LaneId, passed_over: Option<Reason>) {
        let service = plan.str(plan.service(service).host).to_string();
        self.steps.push(Step::Candidate { service, lane: plan.str(plan.lane(lane).name).to_string(), passed_over });
    }

    fn unseen(&mut self, plan: &Plan, header: HeaderId) {
        self.undetermined.push(format!("header {}", plan.names.name(header)));
    }

    fn needs_roll(&mut self) {
        self.undetermined.push(String::from("roll"));
    }
}
