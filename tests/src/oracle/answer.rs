//! The decision as data (section 7, S29): all keys, in order, values that are not UTF-8 as base64.

use super::carry::{Association, Carried};
use super::document::Group;
use super::resolve::Resolved;
use super::split::Cookie;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) fn text_of(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

/// The lane name as found, and where.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) value: Vec<u8>,
    pub(super) place: &'static str,
}

pub(super) struct Decision {
    outcome: &'static str,
    pub(super) group: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) lane: Option<String>,
    pub(super) service: Option<String>,
    subset: Value,
    fallback: Value,
    reason: Option<&'static str>,
    pub(super) found: Option<Found>,
    pub(super) carried: Carried,
    pub(super) cookie: Option<Cookie>,
    notes: BTreeSet<&'static str>,
    undetermined: BTreeSet<String>,
}

impl Decision {
    pub(super) fn new(outcome: &'static str) -> Decision {
        Decision {
            outcome,
            group: None,
            rule: None,
            lane: None,
            service: None,
            subset: Value::Null,
            fallback: Value::Null,
            reason: None,
            found: None,
            carried: Carried::default(),
            cookie: None,
            notes: BTreeSet::new(),
            undetermined: BTreeSet::new(),
        }
    }

    pub(super) fn undetermined(attributes: BTreeSet<String>) -> Decision {
        Decision { undetermined: attributes, ..Decision::new("undetermined") }
    }

    /// S25: `routed` when the lane itself serves, `fell_back` otherwise; `unavailable` when nothing does.
    pub(super) fn resolved(group: Group<'_>, host: &str, lane: &str, resolved: &Resolved<'_>) -> Decision {
        let outcome = match resolved.serving {
            Some(serving) if serving == lane => "routed",
            Some(_) => "fell_back",
            None => "unavailable",
        };
        let mut decision = Decision::new(outcome);
        decision.group = Some(group.name().to_owned());
        decision.lane = Some(lane.to_owned());
        decision.service = Some(host.to_owned());
        decision.reason = resolved.reason;
        if let Some(serving) = resolved.serving {
            decision.subset = subset(group, host, serving);
            if serving != lane {
                decision.fallback = json!({ "from": lane, "to": serving });
            }
        }
        if resolved.below_minimum {
            decision.note("below_min_healthy");
        }
        decision
    }

    pub(super) fn note(&mut self, note: &'static str) {
        self.notes.insert(note);
    }

    pub(super) fn is_unavailable(&self) -> bool {
        self.outcome == "unavailable"
    }

    pub(super) fn carry(&mut self, carried: Carried) {
        if carried.context_full {
            self.note("context_full");
        }
        self.carried = carried;
    }

    pub(super) fn to_json(&self) -> Value {
        let status = match self.outcome {
            "routed" | "fell_back" | "pass" => 200,
            "no_route" => 404,
            "unavailable" => 503,
            _ => 0,
        };
        let found = self.found.as_ref();
        let found = found.map(|found| json!({ "value": text_of(&found.value), "in": found.place }));
        let set: Map<String, Value> = self.carried.set.iter().map(|(name, value)| (name.clone(), text_of(value))).collect();
        let remember = self.carried.remember.iter();
        let remember: Vec<Value> = remember.map(Association::to_json).collect();
        json!({
            "outcome": self.outcome,
            "status": status,
            "group": self.group,
            "rule": self.rule,
            "lane": self.lane,
            "service": self.service,
            "subset": self.subset,
            "fallback": self.fallback,
            "reason": self.reason,
            "found": found,
            "set_headers": set,
            "remove_headers": self.carried.removed,
            "set_cookie": self.cookie.as_ref().map(Cookie::to_json),
            "remember": remember,
            "notes": self.notes,
            "undetermined": self.undetermined,
        })
    }
}

fn subset(group: Group<'_>, host: &str, lane: &str) -> Value {
    let declared = group.lane(lane.as_bytes());
    let labels: Map<String, Value> = declared
        .map(|declared| group.subset_labels(declared, host))
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "lane": lane, "labels": labels })
}
