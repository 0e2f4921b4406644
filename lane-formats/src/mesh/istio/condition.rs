//! Conditions as `HTTPMatchRequest`s: what a VirtualService can ask of a request, and what it cannot.
//!
//! Istio writes one Envoy route for each match. Header values without a kind (`{}`) ask for presence; `withoutHeaders`
//! takes a missing header for an empty one, except where it asks for presence.

use serde_json::{Map, Value, json};

use crate::mesh::{
    Report,
    flat::{Attribute, Kind, Test, Tests, expression, holds_for_nothing},
};

/// Istio refuses longer expressions.
const MAX_REGEX: usize = 1024;

/// Where the match will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// At a gateway, where the caller is nobody that Istio knows.
    Gateway,
    /// In the sidecars of callers.
    Mesh,
}

/// One thing that a match asks.
#[derive(Clone, Debug, PartialEq)]
enum Ask {
    Uri(Value, bool),
    Method(Value),
    Header(String, Value),
    Without(String, Value),
    Query(String, Value),
    SourceLabel(String, String),
}

/// The matches that together ask for these tests; none, and a note, where Istio cannot.
pub(super) fn matches(tests: &Tests, side: Side, report: &mut Report) -> Option<Vec<Value>> {
    let mut all: Vec<Vec<Ask>> = vec![Vec::new()];
    for test in settled(tests)? {
        let ways = ways(&test, side, report)?;
        all = all.iter().flat_map(|before| ways.iter().map(move |way| [before.as_slice(), way.as_slice()].concat())).collect();
    }
    let mut written = Vec::with_capacity(all.len());
    for asks in all {
        let Some(request) = request(asks) else {
            if let Some(test) = tests.first() {
                let message = "two conditions of this entry are on one attribute, and Istio takes one";
                report.lost(&test.path, message, "say both with one `regex`");
            }
            return None;
        };
        written.push(request);
    }
    Some(written)
}

/// The tests without those that another one on the same value settles; none where they cannot hold together.
fn settled(tests: &Tests) -> Option<Tests> {
    let mut kept: Tests = Vec::new();
    for test in tests {
        let exact = tests.iter().find_map(|other| match &other.kind {
            Kind::Exact(value) if other.attribute == test.attribute && plain(other) && !std::ptr::eq(other, test) => Some(value),
            _ => None,
        });
        match exact.and_then(|value| test.holds_for(value)) {
            Some(true) if !plain(test) || !matches!(test.kind, Kind::Exact(_)) => {}
            Some(false) => return None,
            _ => kept.push(test.clone()),
        }
    }
    Some(kept)
}

fn plain(test: &Test) -> bool {
    !test.or_missing && !test.not && !test.ignore_case
}

/// The ways in which a test can be asked; any of them will do.
fn ways(test: &Test, side: Side, report: &mut Report) -> Option<Vec<Vec<Ask>>> {
    let Test { path, or_missing, not, ignore_case, kind, .. } = test;
    match &test.attribute {
        Attribute::Header(name) => {
            let name = name.to_ascii_lowercase();
            let wanted = if *kind == Kind::Any { json!({}) } else { string_match(test, report)? };
            Some(header_ways(&name, wanted, test))
        }
        Attribute::Cookie(name) => {
            let (there, wanted) = cookie(name, test, report)?;
            report.approximated(
                path,
                format!("the cookie `{name}` is looked for by a regular expression on each `cookie` line by itself"),
                "a request with several `cookie` lines may be taken otherwise; a header says it exactly",
            );
            let (has, has_not) = (Ask::Header("cookie".into(), there.clone()), Ask::Without("cookie".into(), there));
            let (is, is_not) = (Ask::Header("cookie".into(), wanted.clone()), Ask::Without("cookie".into(), wanted));
            Some(match (or_missing, not) {
                (false, false) => vec![vec![is]],
                (true, false) => vec![vec![has_not], vec![is]],
                (false, true) => vec![vec![has, is_not]],
                (true, true) => vec![vec![is_not]],
            })
        }
        Attribute::Query(name) => match (or_missing, not, kind) {
            (false, false, Kind::Any) => Some(vec![vec![Ask::Query(name.clone(), json!({}))]]),
            (false, false, _) => Some(vec![vec![Ask::Query(name.clone(), string_match(test, report)?)]]),
            _ => {
                report.lost(path, "Istio cannot ask what a query parameter is not", "turn the rules around: one for the parameter first");
                None
            }
        },
        Attribute::Method if test.wants_absence() => {
            report.lost(path, "every request of a mesh has a method", "leave the entry out");
            None
        }
        // There is a method always, so `or_missing` adds nothing.
        Attribute::Method => match (not, kind) {
            (_, Kind::Any) => Some(vec![Vec::new()]),
            (false, _) => Some(vec![vec![Ask::Method(string_match(test, report)?)]]),
            (true, _) => Some(vec![vec![Ask::Without(":method".into(), string_match(test, report)?)]]),
        },
        Attribute::Path => match (not, kind) {
            (false, Kind::Any) => Some(vec![Vec::new()]),
            (true, _) => {
                report.lost(path, "Istio cannot ask what a path is not", "turn the rules around: one for the path first");
                None
            }
            (false, Kind::Segments(below)) => {
                let below = below.trim_end_matches('/');
                let uri = |value: Value| vec![Ask::Uri(value, false)];
                let under = uri(json!({ "prefix": format!("{below}/") }));
                Some(if below.is_empty() { vec![under] } else { vec![uri(json!({ "exact": below })), under] })
            }
            (false, Kind::Exact(text)) => Some(vec![vec![Ask::Uri(json!({ "exact": text }), *ignore_case)]]),
            (false, Kind::Prefix(text)) => Some(vec![vec![Ask::Uri(json!({ "prefix": text }), *ignore_case)]]),
            (false, _) => Some(vec![vec![Ask::Uri(string_match(test, report)?, false)]]),
        },
        Attribute::SourceLabel(name) => match kind {
            Kind::Exact(value) if side == Side::Mesh && plain(test) => Some(vec![vec![Ask::SourceLabel(name.clone(), value.clone())]]),
            _ if side == Side::Gateway => {
                report.lost(path, "a gateway of Istio does not know its callers' labels", "ask at the hop: `at: [hop]`");
                None
            }
            _ => {
                report.lost(path, "Istio compares callers' labels by equality only", "write the label with `exact`");
                None
            }
        },
        Attribute::Baggage(key) => {
            report.lost(path, format!("Istio cannot look into baggage for the member `{key}`"), "have it sent as a header too");
            None
        }
        Attribute::SourceService => {
            report.lost(path, "Istio does not know the calling service", "ask for a label of its workload: `source: {labels: …}`");
            None
        }
        Attribute::SourceIp => {
            report.lost(path, "a VirtualService cannot ask for the caller's address", "`lane export envoy` can");
            None
        }
        Attribute::Percent(_) => {
            report.lost(path, "Istio cannot choose a share of keys", "use a `split` without `sticky`, or `lane export envoy`");
            None
        }
    }
}

fn header_ways(name: &str, wanted: Value, test: &Test) -> Vec<Vec<Ask>> {
    let present = || Ask::Header(name.to_owned(), json!({}));
    let absent = || Ask::Without(name.to_owned(), json!({}));
    let is = || Ask::Header(name.to_owned(), wanted.clone());
    let is_not = || Ask::Without(name.to_owned(), wanted.clone());
    match (test.or_missing, test.not) {
        (false, false) => vec![vec![is()]],
        (true, true) if test.kind == Kind::Any => vec![vec![absent()]],
        (true, false) => vec![vec![absent()], vec![is()]],
        (false, true) => vec![vec![present(), is_not()]],
        // A missing header is taken for an empty one.
        (true, true) if holds_for_nothing(&test.kind) => vec![vec![absent()], vec![present(), is_not()]],
        (true, true) => vec![vec![is_not()]],
    }
}

/// The kind as Istio's `StringMatch`.
fn string_match(test: &Test, report: &mut Report) -> Option<Value> {
    match (&test.kind, test.ignore_case) {
        (Kind::Exact(text), false) => return Some(json!({ "exact": text })),
        (Kind::Prefix(text), false) => return Some(json!({ "prefix": text })),
        _ => {}
    }
    let Some(regex) = expression(&test.kind, test.ignore_case) else {
        report.lost(&test.path, "Istio has no ranges of numbers", "write the numbers as `in` or as a `regex`");
        return None;
    };
    if regex.len() > MAX_REGEX {
        let message = format!("as a regular expression this has {} bytes, and Istio takes {MAX_REGEX}", regex.len());
        report.lost(&test.path, message, "split it over several entries of `match`");
        return None;
    }
    Some(json!({ "regex": regex }))
}

/// Expressions on a `cookie` line for the first cookie of this name: that there is one, and that it is as wanted.
fn cookie(name: &str, test: &Test, report: &mut Report) -> Option<(Value, Value)> {
    let quoted = regex_syntax::escape;
    let value = match &test.kind {
        Kind::Exact(text) => quoted(text),
        Kind::Prefix(text) => format!("{}[^;]*", quoted(text)),
        Kind::Suffix(text) => format!("[^;]*{}", quoted(text)),
        Kind::Contains(text) => format!("[^;]*{}[^;]*", quoted(text)),
        Kind::In(texts) => texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join("|"),
        Kind::Any => "[^;]*".into(),
        _ => {
            report.lost(
                &test.path,
                "Istio has no cookies, and no expression on the `cookie` header says this",
                "use `exact`, `prefix` or `in`",
            );
            return None;
        }
    };
    let value = if test.ignore_case { format!("(?i:{value})") } else { format!("(?:{value})") };
    // Cookies before it have other names.
    let before = format!("(?:[ \\t]*{};)*", not_beginning(&format!("{name}=")));
    let line = |value: &str| format!("{before}[ \\t]*{}=(?:\"{value}\"|{value})(?:;.*)?", quoted(name));
    let (there, wanted) = (line("[^;]*"), line(&value));
    if wanted.len() > MAX_REGEX {
        report.lost(
            &test.path,
            format!("as a regular expression this has {} bytes, and Istio takes {MAX_REGEX}", wanted.len()),
            "have it sent as a header",
        );
        return None;
    }
    Some((json!({ "regex": there }), json!({ "regex": wanted })))
}

/// An expression for text without `;` that does not begin so.
fn not_beginning(text: &str) -> String {
    let mut expression = String::new();
    for letter in text.chars().rev() {
        let one = regex_syntax::escape(letter.encode_utf8(&mut [0; 4]));
        let inside = if matches!(letter, '^' | ']' | '\\' | '-' | '[') { format!("\\{letter}") } else { letter.to_string() };
        let deeper = if expression.is_empty() { String::new() } else { format!("|{one}{expression}") };
        expression = format!("(?:|[^;{inside}][^;]*{deeper})");
    }
    expression
}

/// One `HTTPMatchRequest`; none where two things are asked of what takes one.
fn request(asks: Vec<Ask>) -> Option<Value> {
    let mut request = Map::new();
    for ask in asks {
        let fits = match ask {
            Ask::Uri(value, ignore_case) => {
                let first = request.insert("uri".into(), value).is_none();
                if ignore_case {
                    request.insert("ignoreUriCase".into(), json!(true));
                }
                first
            }
            Ask::Method(value) => request.insert("method".into(), value).is_none(),
            Ask::Header(name, value) => put(&mut request, "headers", name, value),
            Ask::Without(name, value) => put(&mut request, "withoutHeaders", name, value),
            Ask::Query(name, value) => put(&mut request, "queryParams", name, value),
            Ask::SourceLabel(name, value) => put(&mut request, "sourceLabels", name, json!(value)),
        };
        if !fits {
            return None;
        }
    }
    Some(request.into())
}

/// Puts a value into a map of the request. Presence goes without saying where a value is asked for.
fn put(request: &mut Map<String, Value>, field: &str, name: String, value: Value) -> bool {
    let Some(map) = request.entry(field).or_insert_with(|| json!({})).as_object_mut() else { return false };
    let presence = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    match map.get(&name) {
        None => {
            map.insert(name, value);
            true
        }
        Some(before) if *before == value => true,
        Some(before) if field == "headers" && presence(before) => {
            map.insert(name, value);
            true
        }
        Some(_) => field == "headers" && presence(&value),
    }
}
