//! Conditions, keys and values in words: what a rule wanted and what the request had.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use crate::{
    attribute::{Guide, Key, Known, Value},
    condition::{Attribute, Condition, ConditionId, Facts, Truth},
    config::Method,
    intern::LaneId,
    pattern::{Kind, Matcher, host::HostPattern},
    request::Headers,
    router::{Action, Plan, Rule},
    split::Split,
};

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What was looked at, for example `header x-user-group`.
    pub attribute: String,
    /// What was wanted, for example `in: ["qa", "staff"]`.
    pub wanted: String,
    /// What the request has; none if it has nothing of the kind. Bytes that are not UTF-8 are escaped.
    pub actual: Option<String>,
}

/// Values as text; bytes that are not UTF-8 are escaped.
pub(super) fn show(value: Value<'_>) -> String {
    let bytes: Vec<u8> = value.bytes().collect();
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().escape_ascii().to_string())
}

fn show_bytes(bytes: &[u8]) -> String {
    show(Value::Plain(bytes))
}

fn quoted(texts: impl Iterator<Item = String>) -> String {
    texts.map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
}

/// Why the rule's hosts do not hold.
pub(super) fn host<H: Headers + ?Sized>(plan: &Plan, rule: &Rule, facts: &Facts<'_, '_, H>) -> Failure {
    let patterns = plan.host_patterns(rule).iter().map(|pattern| match *pattern {
        HostPattern::Any => String::from("*"),
        HostPattern::Suffix(text) => format!("*{}", plan.str(text)),
        HostPattern::Exact(text) => plan.str(text).to_string(),
    });
    Failure {
        attribute: String::from("host"),
        wanted: format!("one of [{}]", quoted(patterns)),
        actual: facts.attributes.host().map(show_bytes),
    }
}

/// Why the rule's `lane_from` does not hold.
pub(super) fn lane_from<H: Headers + ?Sized>(plan: &Plan, rule: &Rule, facts: &Facts<'_, '_, H>) -> Failure {
    let group = plan.group(rule.group);
    let wanted = format!("the name of a lane of group {:?}", plan.str(group.name));
    let Action::From(key) = rule.action else { return Failure { attribute: String::from("lane"), wanted, actual: None } };
    let actual = match (key, facts.attributes.guide(group.guiding.header)) {
        (Key::Header(header), Known::Present(Guide::Torn)) if header == group.guiding.header => Some(String::from("lines that differ")),
        _ => facts.attributes.with_key(key, show).present(),
    };
    Failure { attribute: self::key(plan, key), wanted, actual }
}

/// Where a key stands, for example `cookie uid`.
pub(super) fn key(plan: &Plan, key: Key) -> String {
    match key {
        Key::Header(header) => format!("header {}", plan.names.name(header)),
        Key::Cookie(name) => format!("cookie {}", plan.str(name)),
        Key::Query(name) => format!("query {}", plan.str(name)),
        Key::Baggage(key) => format!("baggage {}", plan.str(key)),
        Key::TraceId(header) => format!("trace id in {}", plan.names.name(header)),
        Key::SourceIp => String::from("source ip"),
    }
}

/// Collects the conditions because of which a tree does not hold: of `all` the first, of `any` that of each entry.
pub(super) fn failures<H: Headers + ?Sized>(plan: &Plan, id: ConditionId, facts: &Facts<'_, '_, H>, found: &mut Vec<Failure>) {
    let conditions = &plan.conditions;
    match conditions.node(id) {
        Some(Condition::All { first, count }) => {
            let failed = conditions.children(first, count).iter().find(|child| conditions.holds(**child, facts) == Truth::No);
            if let Some(child) = failed {
                failures(plan, *child, facts, found);
            }
        }
        Some(Condition::Any { first, count }) => {
            for child in conditions.children(first, count) {
                failures(plan, *child, facts, found);
            }
        }
        Some(Condition::Not(child)) => {
            // What is negated holds: it is told as it stands.
            let mut held = Vec::new();
            leaves(plan, child, facts, &mut held);
            let parts: Vec<_> = held.iter().map(|held| format!("{} {}", held.attribute, held.wanted)).collect();
            let actual = held.iter().find_map(|held| held.actual.clone());
            found.push(Failure { attribute: String::from("not"), wanted: format!("not: {}", parts.join(" and ")), actual });
        }
        Some(leaf) => found.extend(describe(plan, leaf, facts)),
        None => {}
    }
}

/// The conditions of a tree that hold.
fn leaves<H: Headers + ?Sized>(plan: &Plan, id: ConditionId, facts: &Facts<'_, '_, H>, found: &mut Vec<Failure>) {
    let conditions = &plan.conditions;
    match conditions.node(id) {
        Some(Condition::All { first, count } | Condition::Any { first, count }) => {
            for child in conditions.children(first, count) {
                if conditions.holds(*child, facts) == Truth::Yes {
                    leaves(plan, *child, facts, found);
                }
            }
        }
        Some(Condition::Not(child)) => failures(plan, child, facts, found),
        Some(leaf) => found.extend(describe(plan, leaf, facts)),
        None => {}
    }
}

/// A single condition: what it looks at, what it wants, what is there.
fn describe<H: Headers + ?Sized>(plan: &Plan, leaf: Condition, facts: &Facts<'_, '_, H>) -> Option<Failure> {
    let attributes = facts.attributes;
    Some(match leaf {
        Condition::Test { attribute, matcher } => {
            let (attribute, actual) = match attribute {
                Attribute::Method => (String::from("method"), attributes.request.method.map(show_bytes)),
                Attribute::Path => (String::from("path"), attributes.path().map(show_bytes)),
                Attribute::Header { header, joined } => {
                    let lines: Vec<_> = attributes.lines(header).map(show_bytes).collect();
                    let actual = (!lines.is_empty()).then(|| lines.join(if joined { "," } else { " | " }));
                    (format!("header {}", plan.names.name(header)), actual)
                }
                Attribute::Query(name) => (format!("query {}", plan.str(name)), attributes.query(name).map(show_bytes)),
                Attribute::Cookie(name) => (format!("cookie {}", plan.str(name)), attributes.cookie(name).present().map(show_bytes)),
                Attribute::Baggage(key) => {
                    (format!("baggage {}", plan.str(key)), attributes.baggage(key).present().map(|value| show(Value::Encoded(value))))
                }
                Attribute::SourceService { group } => (String::from("source service"), facts.source_service(group).map(String::from)),
                Attribute::SourceLabel(name) => {
                    let name = plan.str(name);
                    (format!("source label {name}"), attributes.source_label(name).map(String::from))
                }
            };
            Failure { attribute, wanted: self::matcher(plan, matcher), actual }
        }
        Condition::SourceIp(networks) => {
            let networks = plan.conditions.networks(networks).iter().map(ToString::to_string);
            Failure {
                attribute: String::from("source ip"),
                wanted: format!("in [{}]", networks.collect::<Vec<_>>().join(", ")),
                actual: attributes.source_ip().map(|ip| ip.to_string()),
            }
        }
        Condition::Percent(percent) => {
            let percent = plan.conditions.share(percent)?;
            Failure {
                attribute: format!("percent of {}", key(plan, percent.of)),
                wanted: format!("bucket below {} of 10000", percent.below),
                actual: facts.bucket(percent).present().map(|bucket| format!("bucket {bucket}")),
            }
        }
        Condition::All { .. } | Condition::Any { .. } | Condition::Not(_) => return None,
    })
}

/// A matcher as it is written.
fn matcher(plan: &Plan, matcher: Matcher) -> String {
    let text = |name: &str, text, fold: bool| format!("{}{name}: {:?}", if fold { "ignore_case: " } else { "" }, plan.str(text));
    let kind = match matcher.kind {
        Kind::Exact { text: value, fold } => text("exact", value, fold),
        Kind::Prefix { text: value, fold } => text("prefix", value, fold),
        Kind::Suffix { text: value, fold } => text("suffix", value, fold),
        Kind::Contains { text: value, fold } => text("contains", value, fold),
        Kind::In { set, fold } => {
            let texts = plan.patterns.sets.get(set as usize).into_iter().flatten();
            let texts = quoted(texts.map(|text| plan.str(*text).to_string()));
            format!("{}in: [{texts}]", if fold { "ignore_case: " } else { "" })
        }
        Kind::Regex(regex) => {
            let pattern = plan.patterns.regexes.literals(regex).map_or("", |texts| plan.str(texts.written));
            format!("regex: {pattern:?}")
        }
        Kind::Range(range) => {
            let bounds = plan.patterns.ranges.get(range as usize).map(|range| {
                let min = (range.min > i64::MIN).then(|| format!("min: {}", range.min));
                let max = range.below.map(|below| format!("max: {below}"));
                min.into_iter().chain(max).collect::<Vec<_>>().join(", ")
            });
            format!("range: {{{}}}", bounds.unwrap_or_default())
        }
        Kind::Present(present) => format!("present: {present}"),
        Kind::Segments(value) => format!("segments: {:?}", if plan.str(value).is_empty() { "/" } else { plan.str(value) }),
    };
    format!("{}{}{kind}", if matcher.or_missing { "or_missing: " } else { "" }, if matcher.not { "not: " } else { "" })
}

/// How a key drew a lane.
#[derive(Default)]
pub(super) struct Draw {
    /// For `ranges`: the hash, modulo the sum of the weights.
    pub(super) value: Option<u64>,
    /// For `rendezvous`: the scores.
    pub(super) scores: Vec<(LaneId, f64)>,
}

impl Draw {
    pub(super) fn of(split: &Split, method: Method, salt: Option<&str>, key: Value<'_>) -> Self {
        match method {
            Method::Ranges => Self { value: Some(split.range_value(salt, key)), scores: Vec::new() },
            Method::Rendezvous => {
                Self { value: None, scores: split.scores(salt, key).map(|(target, score)| (target.lane, score)).collect() }
            }
        }
    }
}
