//! Conditions (section 3): entries, matchers, sources, `percent`, in three values. The attributes they look at are read
//! next door.

use super::attribute::{cookie, key, path, query};
use super::baggage;
use super::document::{Group, entries, groups, list, text};
use super::request::Request;
use super::truth::{Seen, Truth};
use ipnet::IpNet;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use xxhash_rust::xxh64::xxh64;

/// Whose condition is asked about which request.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) config: &'a Value,
    pub(super) group: Group<'a>,
    pub(super) rule: &'a Value,
    pub(super) request: &'a Request,
}

/// S15: a rule without `match` holds; else any entry may hold.
pub(super) fn rule_matches(scope: Scope<'_>) -> Truth {
    match scope.rule["match"].as_array() {
        None => Truth::Holds,
        Some(list) => Truth::any(list.iter().map(|one| entry(scope, one))),
    }
}

/// Inside an entry all conditions must hold; an entry without any holds (S15).
fn entry(scope: Scope<'_>, json: &Value) -> Truth {
    Truth::all(entries(json).map(|(field, condition)| field_truth(scope, field, condition)))
}

fn field_truth(scope: Scope<'_>, field: &str, condition: &Value) -> Truth {
    let request = scope.request;
    match field {
        "method" => one(condition, Ok(request.method.clone())),
        "path" => one(condition, Ok(path(request))),
        "headers" => named(condition, |name, matcher| Truth::of(header(scope, name).map(|lines| matcher_holds(matcher, &lines)))),
        "query" => named(condition, |name, matcher| one(matcher, Ok(query(request, name)))),
        "cookies" => named(condition, |name, matcher| one(matcher, cookie(request, name))),
        "baggage" => named(condition, |name, matcher| one(matcher, baggage::value(request, name))),
        "source" => Truth::all(entries(condition).map(|(field, condition)| source(scope, field, condition))),
        "percent" => Truth::of(percent(scope, condition)),
        "all" => Truth::all(list(condition).iter().map(|one| entry(scope, one))),
        "any" => Truth::any(list(condition).iter().map(|one| entry(scope, one))),
        // S8: it negates the entry's result, whatever it came from.
        "not" => entry(scope, condition).not(),
        other => panic!("`{other}` is no condition of a valid configuration"),
    }
}

fn named(map: &Value, truth: impl Fn(&str, &Value) -> Truth) -> Truth {
    Truth::all(entries(map).map(|(name, matcher)| truth(name, matcher)))
}

fn one(matcher: &Value, value: Seen<Option<Vec<u8>>>) -> Truth {
    Truth::of(value.map(|value| matcher_holds(matcher, value.as_slice())))
}

/// S10: each line on its own, or the lines joined with `,`.
fn header(scope: Scope<'_>, name: &str) -> Seen<Vec<Vec<u8>>> {
    let lines = scope.request.see(name)?;
    if scope.group.joins_header_lines() && !lines.is_empty() {
        return Ok(vec![lines.join(&b","[..])]);
    }
    Ok(lines.into_iter().map(<[u8]>::to_vec).collect())
}

fn source(scope: Scope<'_>, field: &str, condition: &Value) -> Truth {
    let source = &scope.request.source;
    match field {
        "service" => {
            let name = source.service.as_deref();
            let host = name.map(|name| source_host(scope, name).as_bytes().to_vec());
            one(condition, Ok(host))
        }
        "labels" => named(condition, |name, matcher| {
            let mut labels = source.labels.iter();
            let label = labels.find(|(label, _)| label == name);
            one(matcher, Ok(label.map(|(_, value)| value.clone().into_bytes())))
        }),
        "ip" => Truth::of(Ok(source.ip.is_some_and(|ip| list(condition).iter().any(|net| within(net, ip))))),
        other => panic!("`{other}` is no source condition of a valid configuration"),
    }
}

/// S13: the host of the service the source names, in the rule's group, else in the first group that knows it.
fn source_host<'a>(scope: Scope<'a>, name: &'a str) -> &'a str {
    let rest = groups(scope.config);
    std::iter::once(scope.group).chain(rest).find_map(|group| group.service(name)).map_or(name, |service| text(service, "host"))
}

fn within(net: &Value, ip: IpAddr) -> bool {
    let net = net.as_str().unwrap_or_default();
    let net: IpNet = net.parse().expect("a valid configuration has CIDRs");
    net.contains(&ip)
}

/// S14: bucket < D x 100, with bucket = XXH64(salt, zero byte, key) mod 10,000. No key: false.
fn percent(scope: Scope<'_>, json: &Value) -> Seen<bool> {
    let Some(value) = key(scope.request, &json["of"])? else {
        return Ok(false);
    };
    let default = format!("{}/{}", scope.group.name(), text(scope.rule, "name"));
    let salt = json["salt"].as_str().unwrap_or(&default);
    let bucket = xxh64(&[salt.as_bytes(), b"\0", &value].concat(), 0) % 10_000;
    Ok(bucket < hundredths(&json["below"]))
}

/// The decimal taken exactly: read from its text, since 0.29 x 100 in floating point is not 29.
fn hundredths(decimal: &Value) -> u64 {
    let text = decimal.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let places: String = places.chars().chain("00".chars()).take(2).collect();
    format!("{whole}{places}").parse().expect("a decimal with at most two places")
}

/// S7, S8: `[or_missing] [not] [ignore_case] kind` over the lines of one attribute; no lines is absence.
fn matcher_holds(matcher: &Value, lines: &[Vec<u8>]) -> bool {
    let (missing_holds, matcher) = unwrap(matcher, "or_missing");
    if let Some(wanted) = matcher["present"].as_bool() {
        return wanted != lines.is_empty();
    }
    if lines.is_empty() {
        return missing_holds;
    }
    let (negated, matcher) = unwrap(matcher, "not");
    let (folded, matcher) = unwrap(matcher, "ignore_case");
    // S10: any line may hold; under `not` no line may hold.
    let any = lines.iter().any(|line| kind_holds(matcher, line, folded));
    any != negated
}

fn unwrap<'a>(matcher: &'a Value, wrapper: &str) -> (bool, &'a Value) {
    match matcher.get(wrapper) {
        Some(inner) => (true, inner),
        None => (false, matcher),
    }
}

fn kind_holds(matcher: &Value, value: &[u8], folded: bool) -> bool {
    let fold = |bytes: &[u8]| {
        if folded { bytes.to_ascii_lowercase() } else { bytes.to_vec() }
    };
    let value = fold(value);
    let (kind, wanted) = entries(matcher).next().expect("a matcher has a kind");
    let text = fold(wanted.as_str().unwrap_or_default().as_bytes());
    match kind.as_str() {
        "exact" => value == text,
        "prefix" => value.starts_with(&text),
        "suffix" => value.ends_with(&text),
        "contains" => value.windows(text.len()).any(|window| window == text),
        "in" => list(wanted).iter().any(|one| fold(one.as_str().unwrap_or_default().as_bytes()) == value),
        "regex" => regex(wanted.as_str().unwrap_or_default()).is_match(&value),
        "range" => in_range(wanted, &value),
        "segments" => segments(&text, &value),
        other => panic!("`{other}` is no kind of a valid configuration"),
    }
}

/// S7: decimal digits with optional `-`; min inclusive, max exclusive, either may be left out.
fn in_range(range: &Value, value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    let Ok(number) = text.parse::<i64>() else {
        return false;
    };
    range["min"].as_i64().is_none_or(|min| number >= min) && range["max"].as_i64().is_none_or(|max| number < max)
}

/// S11: `/a` holds for `/a` and `/a/b`, not `/ab`; `/` for every path beginning with `/`.
fn segments(pattern: &[u8], path: &[u8]) -> bool {
    let pattern = pattern.strip_suffix(b"/").unwrap_or(pattern);
    match path.strip_prefix(pattern) {
        Some([]) => !pattern.is_empty(),
        Some([next, ..]) => *next == b'/',
        None => false,
    }
}

/// RE2's `\s` and `\S`: without the vertical tab, which the crate counts as white space (S9).
fn re2_space(pattern: &str) -> String {
    pattern.replace(r"\s", r"[\t\n\x0C\r ]").replace(r"\S", r"[^\t\n\x0C\r ]")
}

/// S9: RE2's language on bytes, the whole value.
fn regex(pattern: &str) -> Regex {
    // Kept only because compiling in a debug build would take most of the time of a comparison.
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() > 10_000 {
            compiled.clear();
        }
        let compile = || {
            RegexBuilder::new(&format!(r"\A(?:{})\z", re2_space(pattern)))
                .unicode(false)
                .build()
                .expect("a valid configuration's regexes compile")
        };
        compiled.entry(pattern.to_owned()).or_insert_with(compile).clone()
    })
}

/// Every single condition of the rule, by itself.
pub(super) fn reached(scope: Scope<'_>, into: &mut Vec<(String, Option<bool>)>) {
    for one in list(&scope.rule["match"]) {
        reached_entry(scope, one, into);
    }
}

fn reached_entry(scope: Scope<'_>, json: &Value, into: &mut Vec<(String, Option<bool>)>) {
    for (field, condition) in entries(json) {
        match field.as_str() {
            "all" | "any" => {
                for one in list(condition) {
                    reached_entry(scope, one, into);
                }
            }
            "not" => reached_entry(scope, condition, into),
            "percent" => note(scope, field, condition, &Value::Null, into),
            "method" | "path" => note(scope, field, condition, condition, into),
            _ => {
                for (name, matcher) in entries(condition) {
                    note(scope, field, &json!({ name: matcher }), matcher, into);
                }
            }
        }
    }
}

fn note(scope: Scope<'_>, field: &str, condition: &Value, matcher: &Value, into: &mut Vec<(String, Option<bool>)>) {
    let mut label = field.to_owned();
    let mut matcher = matcher;
    while let Some((word, inner)) = entries(matcher).next() {
        label = format!("{label} {word}");
        if !["or_missing", "not", "ignore_case"].contains(&word.as_str()) {
            break;
        }
        matcher = inner;
    }
    let holds = match field_truth(scope, field, condition) {
        Truth::Holds => Some(true),
        Truth::Fails => Some(false),
        Truth::Unknown(_) => None,
    };
    into.push((label, holds));
}
