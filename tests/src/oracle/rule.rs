//! Whether one rule holds and which lane it then gives (S16): hosts, match, and kept lane or action, in three values.

use super::attribute::{guiding, hosts_hold, named};
use super::condition::{Scope, rule_matches};
use super::document::{Group, text};
use super::request::Request;
use super::truth::{Seen, Truth, Unseen};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where the lane of a rule that holds comes from.
#[derive(Clone)]
pub(super) enum Choice<'a> {
    /// Named by the request, which says so literally, and where: `header`, `cookie`, `query`, `baggage`.
    Named {
        lane: &'a str,
        place: &'static str,
    },
    Fixed(&'a str),
    Split,
}

/// Whether a rule whose hosts hold does so as a whole; an error lists what would have had to be seen.
pub(super) fn choose<'a>(scope: Scope<'a>, may_keep: bool) -> Result<Option<Choice<'a>>, BTreeSet<String>> {
    let Scope { group, rule, request, .. } = scope;
    let kept = if may_keep && group.keeps_lane() { kept(group, request) } else { Ok(None) };
    // An unseen guiding header leaves the lane open even where the rule holds either way.
    let (holds, choice) = match (kept, action(group, rule, request)) {
        (Ok(Some(kept)), _) => (Truth::Holds, Some(kept)),
        (Ok(None), Ok(action)) => (Truth::of(Ok(action.is_some())), action),
        (Ok(None), Err(unseen)) => (Truth::of(Err(unseen)), None),
        (Err(unseen), Ok(_)) => (Truth::of(Err(unseen)), None),
        (Err(kept), Err(action)) => {
            let both = [Truth::of(Err(kept)), Truth::of(Err(action))];
            (Truth::all(both), None)
        }
    };
    match Truth::all([rule_matches(scope), holds]) {
        Truth::Holds => Ok(choice),
        Truth::Fails => Ok(None),
        Truth::Unknown(attributes) => Err(attributes),
    }
}

/// The hosts are always seen, so they are asked first.
pub(super) fn hosts(rule: &Value, request: &Request) -> bool {
    hosts_hold(rule, request)
}

/// S16, `keep_lane`: the lane of the group that the guiding header names.
fn kept<'a>(group: Group<'a>, request: &Request) -> Seen<Option<Choice<'a>>> {
    let guided = guiding(request, group)?;
    let lane = guided.and_then(|guided| group.lane_name(&guided.value));
    Ok(lane.map(|lane| Choice::Named { lane, place: "header" }))
}

fn action<'a>(group: Group<'a>, rule: &'a Value, request: &Request) -> Result<Option<Choice<'a>>, Unseen> {
    if let Some(lane) = rule["lane"].as_str() {
        return Ok(Some(Choice::Fixed(lane)));
    }
    let from = &rule["lane_from"];
    if from.is_null() {
        return Ok(Some(Choice::Split));
    }
    let value = if text(from, "header").eq_ignore_ascii_case(group.guiding()) {
        guiding(request, group)?.map(|guided| guided.value)
    } else {
        named(request, from)?
    };
    let lane = value.and_then(|value| group.lane_name(&value));
    Ok(lane.map(|lane| Choice::Named { lane, place: place_of(from) }))
}

fn place_of(from: &Value) -> &'static str {
    ["header", "cookie", "query"].into_iter().find(|place| from[*place].is_string()).unwrap_or("baggage")
}
