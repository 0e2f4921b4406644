//! Values that satisfy a matcher, or just miss it. Regexes come from a table with values, since inverting one is no
//! matter for a generator.

use super::{Rng, VALUES};
use serde_json::Value;

/// Regexes that RE2 and the engine read alike, with values around them.
pub(super) const VALUE_REGEXES: &[(&str, &[&str])] = &[
    ("[ab]+", &["a", "abba", "abc", "a\nb"]),
    ("(?i)qa|st.*", &["QA", "qa1", "STaff", "xst"]),
    (r"v\d(\.\d+)?", &["v1", "v2.10", "v2.", "v٣"]),
    (r"\w+", &["a_1", "a-1", "café"]),
    (".", &["a", "é", "ab"]),
    (".*", &["", "anything", "a b"]),
    ("a|ab", &["a", "ab", "abb"]),
    ("[^a]", &["b", "a", "é"]),
    (r"\S+\s\S+", &["x y", "x\ty", "xy"]),
    ("(a|b),(a|b)", &["a,b", "a, b", "b,b,a"]),
    (r"\d{1,2}", &["1", "42", "007"]),
    ("caf..", &["café", "caf12", "cafe"]),
    ("café", &["café", "cafe"]),
    ("^a$", &["a", "aa"]),
    (r"(?:x y|\bab\b)", &["x y", "ab"]),
    ("x{0,2}a*", &["", "xx", "xaaa", "xxx"]),
];

pub(super) const PATH_REGEXES: &[(&str, &[&str])] = &[
    ("/mock(/.*)?", &["/mock", "/mock/x", "/mockx"]),
    ("/[a-z]+", &["/x", "/mock", "/Mock", "/mock/"]),
    ("/(?:a|mock).*", &["/a%2Fb", "/mockx", "/b"]),
    ("(?i)/MOCK", &["/mock", "/Mock", "/mocks"]),
    ("/m.c.", &["/mock", "/m.cx", "/moock"]),
];

/// A value that mostly satisfies the matcher; none stands for absence.
pub(super) fn sample(rng: &mut Rng, matcher: &Value) -> Option<String> {
    let (kind, wanted) = matcher.as_object()?.iter().next()?;
    let text = wanted.as_str().unwrap_or_default();
    let value = match kind.as_str() {
        "or_missing" if rng.chance(30) => return None,
        "or_missing" => return sample(rng, wanted),
        "not" if rng.chance(20) => return sample(rng, wanted),
        "not" => rng.pick(VALUES).to_owned(),
        "ignore_case" => return sample(rng, wanted).map(|value| swap_case(rng, &value)),
        "present" if wanted == false => return None,
        "exact" => text.to_owned(),
        "prefix" => format!("{text}{}", rng.pick(&["", "x", "2"])),
        "suffix" => format!("{}{text}", rng.pick(&["", "x", "2"])),
        "contains" => format!("{}{text}{}", rng.pick(&["", "x"]), rng.pick(&["", "x", "/"])),
        "in" => {
            let choices = wanted.as_array().map_or(&[][..], Vec::as_slice);
            rng.pick(choices).as_str()?.to_owned()
        }
        "segments" => {
            let bare = text.trim_end_matches('/');
            format!("{bare}{}", rng.pick(&["", "/", "/x", "x"]))
        }
        "range" => near(rng, wanted),
        "regex" => {
            let mut tables = VALUE_REGEXES.iter().chain(PATH_REGEXES);
            match tables.find(|(regex, _)| *regex == text) {
                Some((_, samples)) => rng.pick(samples).to_owned(),
                None => rng.pick(VALUES).to_owned(),
            }
        }
        _ => rng.pick(VALUES).to_owned(),
    };
    Some(value)
}

/// Numbers at the bounds of a range, sometimes written unusually.
fn near(rng: &mut Rng, range: &Value) -> String {
    let bound = match (range["min"].as_i64(), range["max"].as_i64()) {
        (Some(min), Some(max)) => rng.pick(&[min, max]),
        (min, max) => min.or(max).unwrap_or(0),
    };
    let number = bound.wrapping_add(rng.pick(&[-1, 0, 0, 1]));
    match rng.below(12) {
        0 => format!("+{number}"),
        1 => format!("{number}.0"),
        2 => format!("{number}0000000000000000000"),
        3 if number >= 0 => format!("00{number}"),
        4 => "-".to_owned(),
        _ => number.to_string(),
    }
}

pub(super) fn swap_case(rng: &mut Rng, value: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    value.chars().map(|c| if rng.chance(40) { swap(c) } else { c }).collect()
}

/// Case changed, or one byte off: what should not be taken for the original.
pub(super) fn near_miss(rng: &mut Rng, value: &str) -> String {
    let mut characters: Vec<char> = value.chars().collect();
    match rng.below(4) {
        0 => return swap_case(rng, value),
        1 => characters.push('x'),
        2 => {
            characters.pop();
        }
        _ => {
            let at = rng.below(characters.len());
            if let Some(character) = characters.get_mut(at) {
                *character = 'z';
            }
        }
    }
    characters.into_iter().collect()
}
