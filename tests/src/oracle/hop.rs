//! The hop decision (section 5): where the lane name is looked for (S22), what an unknown or missing one means (S23), and
//! the subset that serves.

use super::answer::{Decision, Found};
use super::attribute::guiding;
use super::baggage;
use super::carry;
use super::condition::Scope;
use super::document::{Group, groups_of, rule_at, text};
use super::ingress::split_undetermined;
use super::request::Request;
use super::resolve::{host_of, resolve};
use super::rule::{self, Choice};
use super::split::draw;
use super::truth::{Seen, Unseen};
use serde_json::Value;
use std::collections::BTreeSet;

/// A lane name as it was found in one group.
struct Lookup<'a> {
    group: Group<'a>,
    rule: Option<&'a str>,
    found: Found,
    lane: Name<'a>,
}

enum Name<'a> {
    Known(&'a str),
    /// S10: different lines of the guiding header have no ancestor.
    Unknown {
        ambiguous: bool,
    },
}

/// The walk ends early with this decision.
type Ended<T> = Result<T, Box<Decision>>;

pub(super) fn decide(config: &Value, request: &Request, called: &str) -> Decision {
    let holders = groups_of(config, called);
    let Some(first) = holders.first() else {
        // S21: nothing is touched.
        let mut decision = Decision::new("pass");
        decision.service = Some(called.to_owned());
        return decision;
    };
    let host = host_of(*first, called);
    match look_up(config, request, called, &holders) {
        Err(ended) => *ended,
        Ok(Some(lookup)) => found(request, called, lookup),
        Ok(None) => not_found(request, called, host, &holders),
    }
}

/// S22: each source over all groups that hold the service, in group order, before the next source.
fn look_up<'a>(config: &'a Value, request: &'a Request, called: &str, holders: &[Group<'a>]) -> Ended<Option<Lookup<'a>>> {
    let order: [Step; 3] = if holders[0].permissive() { [in_header, in_context, in_source] } else { [in_source, in_header, in_context] };
    for step in order {
        for group in holders {
            match step(*group, request) {
                Ok(None) => {}
                Ok(lookup) => return Ok(lookup),
                Err(Unseen(attribute)) => {
                    let attributes = BTreeSet::from([attribute]);
                    return Err(Box::new(undetermined(holders[0], called, attributes)));
                }
            }
        }
    }
    for group in holders {
        if let Some(lookup) = in_rules(config, *group, request, called, holders[0])? {
            return Ok(Some(lookup));
        }
    }
    Ok(None)
}

type Step = for<'a> fn(Group<'a>, &Request) -> Seen<Option<Lookup<'a>>>;

fn named<'a>(group: Group<'a>, value: Vec<u8>, place: &'static str) -> Lookup<'a> {
    let lane = match group.lane_name(&value) {
        Some(lane) => Name::Known(lane),
        None => Name::Unknown { ambiguous: false },
    };
    Lookup { group, rule: None, found: Found { value, place }, lane }
}

fn in_header<'a>(group: Group<'a>, request: &Request) -> Seen<Option<Lookup<'a>>> {
    Ok(guiding(request, group)?.map(|guided| {
        let mut lookup = named(group, guided.value, "header");
        if guided.ambiguous {
            lookup.lane = Name::Unknown { ambiguous: true };
        }
        lookup
    }))
}

/// The baggage member, or the lane remembered for the trace id; empty values count as absent.
fn in_context<'a>(group: Group<'a>, request: &Request) -> Seen<Option<Lookup<'a>>> {
    if let Some(key) = group.baggage_key() {
        let value = baggage::value(request, key)?.filter(|value| !value.is_empty());
        return Ok(value.map(|value| named(group, value, "baggage")));
    }
    if group.trace_header().is_some() {
        let lane = request.remembered(group);
        return Ok(lane.map(|lane| named(group, lane.as_bytes().to_vec(), "trace_id")));
    }
    Ok(None)
}

/// The caller's own lane; in permissive mode the baseline counts as none.
fn in_source<'a>(group: Group<'a>, request: &Request) -> Seen<Option<Lookup<'a>>> {
    let own = own_lane(group, request).filter(|lane| !(group.permissive() && group.baseline() == Some(*lane)));
    Ok(own.map(|lane| named(group, lane.as_bytes().to_vec(), "source")))
}

/// `source.lane` when it names a lane; else by the labels of the caller's service, or by the service tag alone when the
/// caller's service is not given; what matches no lane is no lane.
fn own_lane<'a>(group: Group<'a>, request: &Request) -> Option<&'a str> {
    let source = &request.source;
    if let Some(lane) = source.lane.as_deref()
        && let Some(lane) = group.lane_name(lane.as_bytes())
    {
        return Some(lane);
    }
    let labelled = |wanted: &[(&str, &str)]| {
        wanted.iter().all(|(name, value)| {
            let mut labels = source.labels.iter();
            labels.any(|(label, text)| label == name && text == value)
        })
    };
    let caller = source.service.as_deref().filter(|name| !name.is_empty());
    let mut lanes = group.lanes().iter();
    let lane = match caller {
        Some(name) => {
            let host = text(group.service(name)?, "host");
            lanes.find(|lane| group.lane_contains(lane, host) && labelled(&group.subset_labels(lane, host)))
        }
        None => lanes.find(|lane| labelled(&[(group.tag_label(), group.service_tag(lane))])),
    };
    lane.map(|lane| text(lane, "name"))
}

/// The group's rules `at` hop for the called service: the first that holds.
fn in_rules<'a>(config: &'a Value, group: Group<'a>, request: &'a Request, called: &str, first: Group<'a>) -> Ended<Option<Lookup<'a>>> {
    let host = host_of(group, called);
    for rule in group.rules() {
        let for_service = host_of(group, text(rule, "service")) == host;
        if !rule_at(rule, "hop") || !for_service || !rule::hosts(rule, request) {
            continue;
        }
        let scope = Scope { config, group, rule, request };
        let choice = rule::choose(scope, false).map_err(|attributes| Box::new(undetermined(first, called, attributes)))?;
        let (lane, place) = match choice {
            None => continue,
            Some(Choice::Fixed(lane)) => (lane, "rule"),
            Some(Choice::Named { lane, place }) => (lane, place),
            Some(Choice::Split) => match draw(rule, request) {
                Ok((lane, _)) => (lane, "rule"),
                Err(unseen) => {
                    return Err(Box::new(split_undetermined(group, rule, host, unseen)));
                }
            },
        };
        let value = lane.as_bytes().to_vec();
        return Ok(Some(Lookup { group, rule: Some(text(rule, "name")), found: Found { value, place }, lane: Name::Known(lane) }));
    }
    Ok(None)
}

fn undetermined(first: Group<'_>, called: &str, attributes: BTreeSet<String>) -> Decision {
    let mut decision = Decision::undetermined(attributes);
    decision.service = Some(host_of(first, called).to_owned());
    decision
}

/// S23: an unknown name goes as `unknown_lane` says.
fn found(request: &Request, called: &str, lookup: Lookup<'_>) -> Decision {
    let group = lookup.group;
    let host = host_of(group, called);
    let (lane, known) = match lookup.lane {
        Name::Known(lane) => (Some(lane), true),
        Name::Unknown { ambiguous } => (
            replacement(group, &lookup.found.value, ambiguous).or_else(|| {
                let rejects = group.unknown_lane() == "reject";
                group.baseline().filter(|_| !rejects)
            }),
            false,
        ),
    };
    let mut decision = match lane {
        Some(lane) => {
            let resolved = resolve(group, host, lane, request);
            let mut decision = Decision::resolved(group, host, lane, &resolved);
            if !decision.is_unavailable() {
                decision.carry(carry::at_hop(request, group, Some(lane)));
            }
            decision
        }
        None => {
            let mut decision = Decision::new("no_route");
            decision.group = Some(group.name().to_owned());
            decision.service = Some(host.to_owned());
            decision
        }
    };
    if !known {
        decision.note("unknown_lane");
    }
    decision.rule = lookup.rule.map(str::to_owned);
    decision.found = Some(lookup.found);
    decision
}

/// `nearest_ancestor` cuts the name at its last `.` until a lane of that name exists.
fn replacement<'a>(group: Group<'a>, name: &[u8], ambiguous: bool) -> Option<&'a str> {
    if group.unknown_lane() != "nearest_ancestor" || ambiguous {
        return None;
    }
    let mut name = name;
    while let Some(dot) = name.iter().rposition(|byte| *byte == b'.') {
        name = &name[..dot];
        if let Some(lane) = group.lane_name(name) {
            return Some(lane);
        }
    }
    None
}

/// S23: the first group with a baseline serves by it; the request stays without a lane.
fn not_found(request: &Request, called: &str, host: &str, holders: &[Group<'_>]) -> Decision {
    let with_baseline = holders.iter().find_map(|group| Some((*group, group.baseline()?)));
    let Some((group, baseline)) = with_baseline else {
        let mut decision = Decision::new("no_route");
        decision.service = Some(host.to_owned());
        return decision;
    };
    let host = host_of(group, called);
    let resolved = resolve(group, host, baseline, request);
    let mut decision = Decision::resolved(group, host, baseline, &resolved);
    if !decision.is_unavailable() {
        decision.carry(carry::at_hop(request, group, None));
    }
    decision
}
