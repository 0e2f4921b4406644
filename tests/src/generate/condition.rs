//! Random conditions: every field, matcher kind and wrapper of section 3, nested a few levels deep.

use super::sample::{PATH_REGEXES, VALUE_REGEXES};
use super::{COOKIES, HEADERS, LABELS, MEMBERS, METHODS, PATHS, QUERIES, Rng, SERVICES, TRACE_HEADERS, VALUES};
use serde_json::{Map, Value, json};

/// Names of the group that conditions may look at.
pub(super) struct Names<'a> {
    pub(super) guiding: &'a str,
}

/// An entry of `match`; now and then one without conditions (S15).
pub(super) fn entry(rng: &mut Rng, names: &Names<'_>, depth: usize) -> Value {
    let mut entry = Map::new();
    let count = rng.pick(&[0, 1, 1, 1, 1, 1, 1, 2, 2, 3]);
    for _ in 0..count {
        let (field, condition) = condition(rng, names, depth);
        entry.insert(field.to_owned(), condition);
    }
    Value::Object(entry)
}

fn condition(rng: &mut Rng, names: &Names<'_>, depth: usize) -> (&'static str, Value) {
    let kinds = if depth == 0 { 13 } else { 18 };
    match rng.below(kinds) {
        0 => ("method", text_matcher(rng, METHODS, METHODS)),
        1 | 2 => ("path", path_matcher(rng)),
        3..=5 => {
            let mut pool = HEADERS.to_vec();
            pool.push(names.guiding);
            pool.push("cookie");
            ("headers", matchers(rng, &pool))
        }
        6 => ("query", matchers(rng, QUERIES)),
        7 | 8 => ("cookies", matchers(rng, COOKIES)),
        9 => ("baggage", matchers(rng, MEMBERS)),
        10 | 11 => ("source", source(rng)),
        12 => ("percent", percent(rng, names)),
        13 => ("all", entries(rng, names, depth - 1, 0)),
        14 | 15 => ("any", entries(rng, names, depth - 1, 1)),
        _ => ("not", entry(rng, names, depth - 1)),
    }
}

fn entries(rng: &mut Rng, names: &Names<'_>, depth: usize, least: usize) -> Value {
    let count = rng.between(least, 2);
    let entries: Vec<Value> = (0..count).map(|_| entry(rng, names, depth)).collect();
    json!(entries)
}

fn matchers(rng: &mut Rng, pool: &[&str]) -> Value {
    let count = rng.pick(&[1, 1, 1, 2]);
    let mut map = Map::new();
    for name in rng.some(pool, count) {
        map.insert(name.to_owned(), value_matcher(rng));
    }
    Value::Object(map)
}

fn value_matcher(rng: &mut Rng) -> Value {
    let regexes: Vec<&str> = VALUE_REGEXES.iter().map(|(regex, _)| *regex).collect();
    text_matcher(rng, VALUES, &regexes)
}

fn path_matcher(rng: &mut Rng) -> Value {
    if rng.chance(25) {
        let pattern = rng.pick(&["/", "/mock", "/mock/", "/a%2Fb"]);
        let inner = json!({ "segments": pattern });
        return wrap(rng, inner, false);
    }
    let regexes: Vec<&str> = PATH_REGEXES.iter().map(|(regex, _)| *regex).collect();
    text_matcher(rng, PATHS, &regexes)
}

/// S7: a kind with its wrappers.
fn text_matcher(rng: &mut Rng, values: &[&str], regexes: &[&str]) -> Value {
    let long: Vec<&str> = values.iter().copied().filter(|v| !v.is_empty()).collect();
    let (inner, folds) = match rng.below(16) {
        0..=2 => (json!({ "exact": rng.pick(values) }), true),
        3 | 4 => (json!({ "prefix": part(rng, &long, true) }), true),
        5 | 6 => (json!({ "suffix": part(rng, &long, false) }), true),
        7 | 8 => (json!({ "contains": part(rng, &long, true) }), true),
        9 | 10 => {
            let count = rng.between(1, 3);
            (json!({ "in": rng.some(values, count) }), true)
        }
        11 | 12 => (json!({ "regex": rng.pick(regexes) }), false),
        13 | 14 => (json!({ "range": range(rng) }), false),
        _ => return json!({ "present": rng.chance(60) }),
    };
    wrap(rng, inner, folds)
}

/// A beginning or an end of a value, not empty, cut between characters.
fn part(rng: &mut Rng, values: &[&str], beginning: bool) -> String {
    let characters: Vec<char> = rng.pick(values).chars().collect();
    let length = rng.between(1, characters.len());
    if beginning { characters[..length].iter().collect() } else { characters[characters.len() - length..].iter().collect() }
}

fn wrap(rng: &mut Rng, mut matcher: Value, folds: bool) -> Value {
    if folds && rng.chance(25) {
        matcher = json!({ "ignore_case": matcher });
    }
    if rng.chance(20) {
        matcher = json!({ "not": matcher });
    }
    if rng.chance(15) {
        matcher = json!({ "or_missing": matcher });
    }
    matcher
}

/// S6: a range has a bound and holds for something.
fn range(rng: &mut Rng) -> Value {
    let min = rng.pick(&[i64::MIN, -3, 0, 1, 7, 42]);
    match rng.below(3) {
        0 => json!({ "min": min }),
        1 => json!({ "max": rng.pick(&[-2, 1, 7, 8, 43, i64::MAX]) }),
        _ => {
            let width = rng.pick(&[1, 4, 50]);
            json!({ "min": min, "max": min + width })
        }
    }
}

fn source(rng: &mut Rng) -> Value {
    let mut source = Map::new();
    for field in rng.some(&["service", "labels", "ip"], 1) {
        let condition = match field {
            "service" => {
                let hosts: Vec<&str> = SERVICES.iter().map(|(host, _)| *host).collect();
                let regexes = [r"mock[ab]\..*", ".*"];
                text_matcher(rng, &hosts, &regexes)
            }
            "labels" => matchers(rng, LABELS),
            _ => {
                let nets = ["10.0.0.0/8", "10.0.0.7/32", "192.168.1.0/24", "fd00::/8", "0.0.0.0/0", "::/0"];
                let count = rng.between(1, 2);
                json!(rng.some(&nets, count))
            }
        };
        source.insert(field.to_owned(), condition);
    }
    Value::Object(source)
}

fn percent(rng: &mut Rng, names: &Names<'_>) -> Value {
    let below = rng.pick(&[json!(0), json!(100), json!(50), json!(12.5), json!(0.29), json!(33.33), json!(99.99), json!(0.01)]);
    let mut percent = json!({ "of": key(rng, names), "below": below });
    if rng.chance(30) {
        percent["salt"] = json!(rng.pick(&["", "pepper"]));
    }
    percent
}

/// A sticky key, the `of` of a percentage.
pub(super) fn key(rng: &mut Rng, names: &Names<'_>) -> Value {
    match rng.below(14) {
        0..=2 => json!({ "cookie": rng.pick(COOKIES) }),
        3..=5 => json!({ "header": rng.pick(HEADERS) }),
        6 => json!({ "header": names.guiding }),
        7 | 8 => json!({ "query": rng.pick(QUERIES) }),
        9 | 10 => json!({ "baggage": rng.pick(MEMBERS) }),
        11 | 12 => json!({ "trace_id": rng.pick(TRACE_HEADERS) }),
        _ => json!({ "source_ip": true }),
    }
}
