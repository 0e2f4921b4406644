//! S24: which subset serves a (service, lane). The lane first, then its fallback list, in order and once.

use super::document::{Group, text};
use super::request::Request;
use serde_json::Value;

/// What came of the candidates.
pub(super) struct Resolved<'a> {
    /// The lane that serves; none is `unavailable`.
    pub(super) serving: Option<&'a str>,
    /// Why the lane itself did not serve.
    pub(super) reason: Option<&'static str>,
    /// One below its minimum serves after all.
    pub(super) below_minimum: bool,
}

pub(super) fn resolve<'a>(group: Group<'a>, host: &str, lane: &'a str, request: &Request) -> Resolved<'a> {
    let declared = group.lane(lane.as_bytes());
    let fallback = declared.map(|lane| group.fallback(lane));
    let candidates = std::iter::once(lane).chain(fallback.unwrap_or_default());
    let tried: Vec<(&str, Option<&'static str>)> =
        candidates.map(|candidate| (candidate, passed_over(group, host, candidate, request))).collect();

    let serves = tried.iter().find(|(_, reason)| reason.is_none());
    let last_resort = tried.iter().find(|(_, reason)| *reason == Some("below_min_healthy"));
    let serving = serves.or(last_resort).map(|(lane, _)| *lane);
    let itself = serving == Some(lane);
    Resolved { serving, reason: tried[0].1.filter(|_| !itself), below_minimum: serves.is_none() && last_resort.is_some() }
}

/// Why a candidate cannot serve; without liveness a declared subset counts as live.
fn passed_over(group: Group<'_>, host: &str, lane: &str, request: &Request) -> Option<&'static str> {
    let contains = group.lane(lane.as_bytes()).is_some_and(|lane| group.lane_contains(lane, host));
    if !contains {
        return Some("not_in_lane");
    }
    let (endpoints, healthy) = request.liveness(host, lane)?;
    let minimum = group.service(host).and_then(|service| service["min_healthy_percent"].as_u64()).unwrap_or(0);
    if endpoints == 0 {
        Some("no_endpoints")
    } else if healthy == 0 {
        Some("none_healthy")
    } else if u128::from(healthy) * 100 < u128::from(minimum) * u128::from(endpoints) {
        Some("below_min_healthy")
    } else {
        None
    }
}

/// The declared host of a service in this group.
pub(super) fn host_of<'a>(group: Group<'a>, name: &'a str) -> &'a str {
    group.service(name).map_or(name, |service: &'a Value| text(service, "host"))
}
