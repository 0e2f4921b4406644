//! What a decision passes on (S18, S26, S26a): headers set and removed, the baggage line, what to remember.

use super::answer::text_of;
use super::attribute::guiding;
use super::baggage::{Line, carried, rewrite};
use super::document::{Group, groups};
use super::request::{Request, trim};
use super::trace;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A trace id and the lane it belongs to from now on.
pub(super) struct Association {
    group: String,
    trace_id: Vec<u8>,
    lane: String,
}

impl Association {
    pub(super) fn to_json(&self) -> Value {
        json!({ "group": self.group, "trace_id": text_of(&self.trace_id), "lane": self.lane })
    }
}

/// What is passed on.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) set: Vec<(String, Vec<u8>)>,
    pub(super) removed: BTreeSet<String>,
    pub(super) remember: Option<Association>,
    pub(super) context_full: bool,
}

impl Carried {
    fn baggage(&mut self, (line, full): (Line, bool)) {
        match line {
            Line::Untouched => {}
            Line::Set(line) => self.set.push(("baggage".to_owned(), line)),
            Line::Removed => {
                self.removed.insert("baggage".to_owned());
            }
        }
        self.context_full |= full;
    }

    /// S10, S26: set when the value as read differs from the lane's name.
    fn guide(&mut self, request: &Request, group: Group<'_>, lane: &str) {
        if present_lane(request, group).as_deref() != Some(lane.as_bytes()) {
            let value = lane.as_bytes().to_vec();
            self.set.push((group.guiding().to_owned(), value));
        }
    }
}

/// The guiding header's value for what is set: one that was not seen counts as absent.
fn present_lane(request: &Request, group: Group<'_>) -> Option<Vec<u8>> {
    guiding(request, group).ok()?.map(|guided| guided.value)
}

/// S18: what a client sent as lane context goes, what the deciding group says stays. Without a deciding group (`pass`,
/// `no_route`, `unavailable`) nothing is set or remembered.
pub(super) fn at_ingress(config: &Value, request: &Request, gateway: &str, deciding: Option<(Group<'_>, &str)>) -> Carried {
    let mut headers = BTreeSet::new();
    let mut members = Vec::new();
    for group in groups(config) {
        let trusted = group.trusts_client() && group.holds_at(gateway);
        if trusted {
            continue;
        }
        members.extend(group.restore_headers());
        if !deciding.is_some_and(|(deciding, _)| deciding.is(group)) {
            headers.insert(group.guiding().to_ascii_lowercase());
            members.extend(group.baggage_key());
        }
    }

    let mut carried = Carried::default();
    let mut own = None;
    if let Some((group, lane)) = deciding {
        // What is set is never also removed, even where it needs no setting.
        headers.remove(&group.guiding().to_ascii_lowercase());
        own = group.baggage_key().map(|key| (key, lane));
        members.retain(|member| Some(*member) != group.baggage_key());
        carried.guide(request, group, lane);
        carried.remember =
            trace_id(group, request).map(|trace_id| Association { group: group.name().to_owned(), trace_id, lane: lane.to_owned() });
    }
    headers.retain(|name| !request.lines(name).is_empty());
    carried.removed = headers;
    carried.baggage(rewrite(request, &members, own));
    carried
}

/// S26: on a hop. Without a lane only headers are restored.
pub(super) fn at_hop(request: &Request, group: Group<'_>, lane: Option<&str>) -> Carried {
    let mut result = Carried::default();
    if let Some(lane) = lane {
        result.guide(request, group, lane);
        if let Some(key) = group.baggage_key() {
            result.baggage(rewrite(request, &[], Some((key, lane))));
        }
    }
    for name in group.restore_headers() {
        if !request.lines(name).is_empty() {
            continue;
        }
        if let Some(value) = carried(request, name)
            && restorable(&value)
        {
            result.set.push((name.to_owned(), value));
        }
    }
    result.remember = association(group, request);
    result
}

/// A legal header value (RFC 9110), not empty and without outer blanks.
fn restorable(value: &[u8]) -> bool {
    let legal = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    !value.is_empty() && trim(value) == value && value.iter().all(legal)
}

/// The trace id the request carries for a group whose context is one.
pub(super) fn trace_id(group: Group<'_>, request: &Request) -> Option<Vec<u8>> {
    trace::carried(request, group.trace_header()?)
}

/// S26, S26a: the trace id there, and the lane that the guiding header names.
pub(super) fn association(group: Group<'_>, request: &Request) -> Option<Association> {
    let trace_id = trace_id(group, request)?;
    let lane = group.lane_name(&present_lane(request, group)?)?;
    Some(Association { group: group.name().to_owned(), trace_id, lane: lane.to_owned() })
}
