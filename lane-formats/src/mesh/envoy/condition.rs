//! Conditions (section 3) as clauses of a route. Every leaf can be said in both directions, so `not` needs no help from
//! the order of routes.

use lane_core::{
    config::{Entry, Key, Matcher, Rule, Source},
    diagnostic::FieldPath,
};
use serde_json::{Value, json};

use super::{
    super::Report,
    clause::{Clauses, PathTest, Refusal, Test, object},
    filters::{self, Filters},
    pattern::{self, Kind, Outside},
};

/// A condition that a route cannot test, where it stands, and why.
pub(super) struct Untold {
    pub(super) path: FieldPath,
    pub(super) message: String,
    pub(super) help: &'static str,
}

type Told = Result<Clauses, Untold>;

/// A matcher, taken apart: what it looks for, and what it says of other values and of none.
#[derive(Clone, Copy, Debug)]
enum Leaf<'m> {
    Present(bool),
    Value {
        kind: Kind<'m>,
        /// Holds for values for which the kind does not.
        negated: bool,
        /// Holds where there is no value.
        missing: bool,
    },
}

impl<'m> Leaf<'m> {
    fn of(matcher: &'m Matcher) -> Self {
        let (mut inner, mut negated, mut missing, mut fold) = (matcher, false, false, false);
        loop {
            match inner {
                Matcher::OrMissing(within) => (inner, missing) = (within, true),
                Matcher::Not(within) => (inner, negated) = (within, true),
                Matcher::IgnoreCase(within) => (inner, fold) = (within, true),
                Matcher::Present(present) => return Self::Present(*present),
                _ => return Self::Value { kind: Kind { matcher: inner, fold }, negated, missing },
            }
        }
    }

    /// What holds exactly when this does not.
    const fn complement(self) -> Self {
        match self {
            Self::Present(present) => Self::Present(!present),
            Self::Value { kind, negated, missing } => Self::Value { kind, negated: !negated, missing: !missing },
        }
    }
}

/// Turns the conditions of one rule into clauses.
pub(super) struct Conditions<'a> {
    pub(super) filters: &'a mut Filters,
    pub(super) report: &'a mut Report,
    /// The salt of a `percent` that has none.
    pub(super) salt: String,
}

impl Conditions<'_> {
    /// The rule's `match`.
    pub(super) fn rule(&mut self, rule: &Rule, path: &FieldPath) -> Told {
        let Some(entries) = &rule.matches else { return Ok(Clauses::always()) };
        let path = path.field("match");
        let mut any = Clauses::never();
        for (index, entry) in entries.iter().enumerate() {
            let path = path.index(index);
            let entry = self.entry(entry, true, &path)?;
            any = any.or(entry).map_err(|why| untold(&path, why))?;
        }
        Ok(any)
    }

    /// An entry, or what holds when it does not.
    fn entry(&mut self, entry: &Entry, positive: bool, path: &FieldPath) -> Told {
        let mut parts = Vec::new();
        if let Some(matcher) = &entry.method {
            parts.push(header(":method", leaf(matcher, positive)));
        }
        if let Some(matcher) = &entry.path {
            parts.push(path_test(leaf(matcher, positive)).ok_or_else(|| Untold {
                path: path.field("path"),
                message: "Envoy cannot test that a path does not match this regular expression".into(),
                help: "write it without bytes beyond ASCII in classes and without anchors inside",
            })?);
        }
        for (name, matcher) in &entry.headers {
            parts.push(header(name, leaf(matcher, positive)));
        }
        for (name, matcher) in &entry.query {
            parts.push(query(name, leaf(matcher, positive)).ok_or_else(|| Untold {
                path: path.field("query").field(name),
                message: "Envoy cannot test that a query parameter does not match this regular expression".into(),
                help: "write it without bytes beyond ASCII in classes, without anchors inside, and without `\\b` where it may be empty",
            })?);
        }
        for (name, matcher) in &entry.cookies {
            parts.push(cookie(name, leaf(matcher, positive)));
        }
        for (name, matcher) in &entry.baggage {
            parts.push(baggage(&self.filters.member(name), leaf(matcher, positive)).ok_or_else(|| Untold {
                path: path.field("baggage").field(name),
                message: "Envoy cannot test a baggage member with this regular expression".into(),
                help: "write it without bytes beyond ASCII in classes and without anchors inside",
            })?);
        }
        if let Some(source) = &entry.source {
            parts.extend(self.source(source, positive, &path.field("source")));
        }
        if let Some(percent) = &entry.percent {
            let salt = percent.salt.as_ref().unwrap_or(&self.salt).clone();
            let below = self.filters.percent(&percent.of, &salt, percent.below.0);
            // Without a key there is no bucket, and a key that is empty is none.
            let (has_key, has_none) = (key_present(self.filters, &percent.of, true), key_present(self.filters, &percent.of, false));
            let told = if positive {
                has_key.and(&Clauses::one(Test::Metadata(flag(&below, false))))
            } else {
                has_none.or(Clauses::one(Test::Metadata(flag(&below, true))))
            };
            parts.push(told.map_err(|why| untold(&path.field("percent"), why))?);
        }
        for (name, entries, is_all) in [("all", &entry.all, true), ("any", &entry.any, false)] {
            if let Some(entries) = entries {
                let path = path.field(name);
                let entries = entries.iter().enumerate().map(|(index, entry)| self.entry(entry, positive, &path.index(index)));
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                parts.push(joined(entries, is_all == positive, &path)?);
            }
        }
        if let Some(entry) = &entry.not {
            parts.push(self.entry(entry, !positive, &path.field("not"))?);
        }
        joined(parts, positive, path)
    }

    /// A route table knows the caller's address and nothing else of the caller, which therefore counts as absent (S8).
    fn source(&mut self, source: &Source, positive: bool, path: &FieldPath) -> Vec<Clauses> {
        let mut parts = Vec::new();
        let mut absent = |matcher: &Matcher, path: FieldPath, what: &str| {
            self.report.lost(
                &path,
                format!("a route table does not know the caller's {what}: it counts as absent"),
                "export with the module of lane (`--module`), or use another condition",
            );
            let holds = match Leaf::of(matcher) {
                Leaf::Present(present) => !present,
                Leaf::Value { missing, .. } => missing,
            };
            parts.push(Clauses::when(holds == positive));
        };
        if let Some(matcher) = &source.service {
            absent(matcher, path.field("service"), "service");
        }
        for (name, matcher) in &source.labels {
            absent(matcher, path.field("labels").field(name), "labels");
        }
        if let Some(networks) = &source.ip {
            let ranges: Vec<Value> = networks.iter().map(|network| cidr(network)).collect();
            self.filters.needs_address();
            parts.push(self.address(&ranges, positive));
        }
        parts
    }

    fn address(&self, ranges: &[Value], positive: bool) -> Clauses {
        let matcher = json!({ "key": filters::ADDRESS, "address_match": { "ranges": ranges, "invert_match": !positive } });
        Clauses::one(Test::State(matcher))
    }
}

/// A key that is there and not empty, or one that is not.
pub(super) fn key_present(known: &mut Filters, key: &Key, present: bool) -> Clauses {
    let some = Matcher::Regex(".+".into());
    match key {
        Key::Header(name) => header(name, leaf(&some, present)),
        Key::TraceId(name) => {
            let traced = Matcher::Regex(filters::trace_pattern(name).into());
            let traced = header(name, leaf(&traced, present));
            let Some(zero) = filters::zero_pattern(name) else { return traced };
            let zero = Matcher::Not(Box::new(Matcher::Regex(zero.into())));
            let zero = header(name, leaf(&zero, present));
            let both = if present { traced.and(&zero) } else { traced.or(zero) };
            both.unwrap_or_else(|_| Clauses::never())
        }
        Key::Cookie(name) => cookie(name, leaf(&some, present)),
        Key::Query(name) => query(name, leaf(&some, present)).unwrap_or_else(Clauses::never),
        Key::Baggage(name) => baggage(&known.member(name), leaf(&some, present)).unwrap_or_else(Clauses::never),
        Key::SourceIp(_) => Clauses::when(present),
    }
}

fn leaf(matcher: &Matcher, positive: bool) -> Leaf<'_> {
    let leaf = Leaf::of(matcher);
    if positive { leaf } else { leaf.complement() }
}

fn joined(parts: Vec<Clauses>, all: bool, path: &FieldPath) -> Told {
    let mut joined = Clauses::when(all);
    for part in parts {
        let more = if all { joined.and(&part) } else { joined.or(part) };
        joined = more.map_err(|why| untold(path, why))?;
    }
    Ok(joined)
}

fn untold(path: &FieldPath, why: Refusal) -> Untold {
    let (message, help) = match why {
        Refusal::TooMany => ("these conditions would become more than 128 routes", "split the rule, or say less with `any` and `not`"),
        Refusal::SecondPath => ("Envoy tests a path with one regular expression only", "put the two into one expression"),
    };
    Untold { path: path.clone(), message: message.into(), help }
}

/// Envoy's StringMatcher for a kind.
fn string_match(kind: Kind<'_>) -> Value {
    let plain = |name: &str, text: &str| {
        let mut matcher = object(json!({ name: text }));
        if kind.fold {
            matcher.insert("ignore_case".into(), json!(true));
        }
        Value::Object(matcher)
    };
    match kind.matcher {
        Matcher::Exact(text) => plain("exact", text),
        Matcher::Prefix(text) => plain("prefix", text),
        Matcher::Suffix(text) => plain("suffix", text),
        Matcher::Contains(text) => plain("contains", text),
        Matcher::In(list) if list.len() == 1 => plain("exact", list.first().map_or("", String::as_str)),
        _ => regex(&pattern::of(kind, Outside::NOTHING).unwrap_or_else(|| pattern::NEVER.into())),
    }
}

fn regex(pattern: &str) -> Value {
    // Envoy takes no empty expression.
    let pattern = if pattern.is_empty() { "(?:)" } else { pattern };
    json!({ "safe_regex": { "regex": pattern } })
}

/// A test of a header's lines; any may hold, and under `invert_match` none may (S10).
fn header(name: &str, leaf: Leaf<'_>) -> Clauses {
    let present = |present: bool| Test::Header(json!({ "name": name, "present_match": present }));
    let Leaf::Value { kind, negated, missing } = leaf else {
        let Leaf::Present(wanted) = leaf else { return Clauses::never() };
        return Clauses::one(present(wanted));
    };
    let mut matcher = object(json!({ "name": name }));
    match kind.matcher {
        // Its end is exclusive as well, so the largest integer of all is left out where there is no bound.
        Matcher::Range(range) => {
            let (start, end) = (range.min.unwrap_or(i64::MIN), range.max.unwrap_or(i64::MAX));
            matcher.insert("range_match".into(), json!({ "start": start.to_string(), "end": end.to_string() }))
        }
        _ => matcher.insert("string_match".into(), string_match(kind)),
    };
    if negated {
        matcher.insert("invert_match".into(), json!(true));
    }
    // The pseudo headers are always there.
    if !missing || name.starts_with(':') {
        return Clauses::one(Test::Header(Value::Object(matcher)));
    }
    if pattern::holds_empty(kind.matcher) == Some(!negated) && !matches!(kind.matcher, Matcher::Range(_)) {
        // What holds for nothing at all holds for the empty value: one route instead of two. This is false
        // where the request carries the header and none of its lines holds, as it should be.
        matcher.insert("treat_missing_header_as_empty".into(), json!(true));
        return Clauses::one(Test::Header(Value::Object(matcher)));
    }
    Clauses(vec![present(false).into(), Test::Header(Value::Object(matcher)).into()])
}

/// A test of the path without query and fragment, which every request has (S11).
fn path_test(leaf: Leaf<'_>) -> Option<Clauses> {
    let Leaf::Value { kind, negated, .. } = leaf else {
        let Leaf::Present(wanted) = leaf else { return None };
        return Some(Clauses::when(wanted));
    };
    // The header `:path` holds what follows the path, too.
    let within = pattern::of(kind, Outside::PATH).map(|pattern| format!("(?:{pattern})(?:[?#].*)?"));
    let header =
        |invert: bool| within.as_ref().map(|pattern| json!({ "name": ":path", "string_match": regex(pattern), "invert_match": invert }));
    if negated {
        return header(true).map(|header| Clauses::one(Test::Header(header)));
    }
    let outside = |text: &str| text.contains(['?', '#']);
    let mut specifier = match kind.matcher {
        Matcher::Exact(text) | Matcher::Prefix(text) | Matcher::Segments(text) if outside(text) => return Some(Clauses::never()),
        Matcher::Exact(text) => json!({ "path": text }),
        Matcher::Prefix(text) => json!({ "prefix": text }),
        Matcher::Segments(text) => match text.strip_suffix('/').unwrap_or(text) {
            "" => json!({ "prefix": "/" }),
            text if text.len() > 1 && !text.ends_with('/') => json!({ "path_separated_prefix": text }),
            _ => regex(&pattern::of(kind, Outside::NOTHING)?),
        },
        _ => regex(&pattern::of(kind, Outside::NOTHING)?),
    };
    if kind.fold
        && let (Value::Object(fields), Matcher::Exact(_) | Matcher::Prefix(_)) = (&mut specifier, kind.matcher)
    {
        fields.insert("case_sensitive".into(), json!(false));
    }
    Some(Clauses::one(Test::Path(PathTest { specifier: object(specifier), header: header(false) })))
}

/// A test of the first value of a query parameter (S12). Envoy has no inverted one, so those look at the whole path.
fn query(name: &str, leaf: Leaf<'_>) -> Option<Clauses> {
    let present = |present: bool| Test::Query(json!({ "name": name, "present_match": present }));
    let Leaf::Value { kind, negated, missing } = leaf else {
        let Leaf::Present(wanted) = leaf else { return None };
        return Some(Clauses::one(present(wanted)));
    };
    if !negated {
        let holds = Test::Query(json!({ "name": name, "string_match": string_match(kind) }));
        return Some(if missing { Clauses(vec![present(false).into(), holds.into()]) } else { Clauses::one(holds) });
    }
    let value = pattern::of(kind, Outside::QUERY)?;
    let bare = if pattern::holds_empty(kind.matcher)? { "?" } else { "" };
    let pattern = format!("{}(?:=(?:{value})){bare}(?:[&#].*)?", filters::before_query_value(name));
    let fails = Test::Header(json!({ "name": ":path", "string_match": regex(&pattern), "invert_match": true }));
    let fails = Clauses::one(fails);
    if missing { Some(fails) } else { fails.and(&Clauses::one(present(true))).ok() }
}

/// A test of the first cookie of a name. Inverted, Envoy's holds without the cookie.
fn cookie(name: &str, leaf: Leaf<'_>) -> Clauses {
    let test = |string: Value, invert: bool| {
        let mut matcher = object(json!({ "name": name, "string_match": string }));
        if invert {
            matcher.insert("invert_match".into(), json!(true));
        }
        Test::Cookie(Value::Object(matcher))
    };
    either_way(leaf, |invert| test(regex(".*"), invert), |kind, invert| test(string_match(kind), invert))
}

/// A test of a baggage member, which stands behind a `=` in the metadata, so that an empty one is not an absent one.
/// None where a regular expression cannot stand behind it.
fn baggage(member: &str, leaf: Leaf<'_>) -> Option<Clauses> {
    let pattern = match leaf {
        Leaf::Value { kind, .. } => baggage_pattern(kind)?,
        Leaf::Present(_) => String::new(),
    };
    let test = |string: Value, invert: bool| Test::Metadata(metadata(member, &json!({ "string_match": string }), invert));
    Some(either_way(
        leaf,
        |invert| test(json!({ "prefix": "=" }), invert),
        |kind, invert| {
            let string = match kind.matcher {
                Matcher::Exact(text) if !kind.fold && plain_in_baggage(text) => json!({ "exact": format!("={text}") }),
                _ => regex(&format!("=(?:{pattern})")),
            };
            test(string, invert)
        },
    ))
}

/// The member's octets for which a kind holds: what is no octet of baggage stands there percent-encoded.
fn baggage_pattern(kind: Kind<'_>) -> Option<String> {
    let text = |text: &str| -> String {
        let pieces = text.chars().map(|character| {
            if plain_in_baggage(character.encode_utf8(&mut [0; 4])) {
                return pattern::literal(&character.to_string(), kind.fold);
            }
            let bytes = character.to_string().into_bytes();
            bytes.iter().map(|byte| format!("%{}", pattern::literal(&format!("{byte:02X}"), true))).collect()
        });
        pieces.collect()
    };
    Some(match kind.matcher {
        Matcher::Exact(wanted) => text(wanted),
        Matcher::Prefix(wanted) => format!("{}.*", text(wanted)),
        Matcher::Suffix(wanted) => format!(".*{}", text(wanted)),
        Matcher::Contains(wanted) => format!(".*{}.*", text(wanted)),
        Matcher::In(list) => pattern::alternatives(list.iter().map(|wanted| text(wanted)).collect()),
        _ => pattern::of(kind, Outside::BAGGAGE)?,
    })
}

fn plain_in_baggage(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_graphic() && !"\",;\\%".contains(character))
}

/// A leaf of tests that, inverted, hold also where there is no value.
fn either_way<'m>(leaf: Leaf<'m>, present: impl Fn(bool) -> Test, holds: impl Fn(Kind<'m>, bool) -> Test) -> Clauses {
    match leaf {
        Leaf::Present(wanted) => Clauses::one(present(!wanted)),
        Leaf::Value { kind, negated: false, missing: false } => Clauses::one(holds(kind, false)),
        Leaf::Value { kind, negated: true, missing: true } => Clauses::one(holds(kind, true)),
        Leaf::Value { kind, negated: false, missing: true } => Clauses(vec![present(true).into(), holds(kind, false).into()]),
        Leaf::Value { kind, negated: true, missing: false } => {
            let both = Clauses::one(present(false)).and(&Clauses::one(holds(kind, true)));
            both.unwrap_or_else(|_| Clauses::never())
        }
    }
}

/// A matcher of lane's metadata.
pub(super) fn metadata(key: &str, value: &Value, invert: bool) -> Value {
    let mut matcher = object(json!({ "filter": filters::NAMESPACE, "path": [{ "key": key }], "value": value }));
    if invert {
        matcher.insert("invert".into(), json!(true));
    }
    Value::Object(matcher)
}

fn flag(key: &str, invert: bool) -> Value {
    metadata(key, &json!({ "bool_match": true }), invert)
}

fn cidr(network: &str) -> Value {
    let (address, length) = network.split_once('/').unwrap_or((network, ""));
    let whole = if address.contains(':') { 128 } else { 32 };
    json!({ "address_prefix": address, "prefix_len": length.parse().unwrap_or(whole) })
}

/// The request carries this lane name in the header.
pub(super) fn names_lane(name: &str, lane: &str) -> Clauses {
    Clauses::one(Test::Header(json!({ "name": name, "string_match": { "exact": lane } })))
}

/// The request carries any lane name in the header.
pub(super) fn names_any_lane(name: &str) -> Clauses {
    Clauses::one(Test::Header(json!({ "name": name, "string_match": regex(".+") })))
}

/// The request carries a descendant of this lane's name in the header.
pub(super) fn names_descendant(name: &str, lane: &str) -> Clauses {
    Clauses::one(Test::Header(json!({ "name": name, "string_match": { "prefix": format!("{lane}.") } })))
}

/// The cookie, query parameter or baggage member names the lane.
pub(super) fn cookie_is(name: &str, value: &str) -> Clauses {
    cookie(name, Leaf::of(&Matcher::Exact(value.into())))
}

pub(super) fn query_is(name: &str, value: &str) -> Clauses {
    Clauses::one(Test::Query(json!({ "name": name, "string_match": { "exact": value } })))
}

pub(super) fn member_is(member: &str, value: &str) -> Clauses {
    Clauses::one(Test::Metadata(metadata(member, &json!({ "string_match": { "exact": format!("={value}") } }), false)))
}

pub(super) fn member_descends(member: &str, value: &str) -> Clauses {
    Clauses::one(Test::Metadata(metadata(member, &json!({ "string_match": { "prefix": format!("={value}.") } }), false)))
}

pub(super) fn member_present(member: &str) -> Clauses {
    Clauses::one(Test::Metadata(metadata(member, &json!({ "string_match": regex("=.+") }), false)))
}
