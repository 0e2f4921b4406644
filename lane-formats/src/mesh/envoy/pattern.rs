//! RE2 patterns for what Envoy has no matcher of its own: lists, ranges, and values that are a part of a longer text
//! (a query parameter of a path). Envoy matches a pattern against the whole text, so none of them is anchored.

use lane_core::config::{Matcher, Range};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Look},
};

/// A pattern that matches nothing.
pub(super) const NEVER: &str = r"\b\B";

/// What a matcher looks for, without its wrappers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind<'m> {
    pub(super) matcher: &'m Matcher,
    pub(super) fold: bool,
}

/// The bytes that a value cannot hold because they end it; written as in a character class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside(pub(super) &'static str);

impl Outside {
    /// A value that is a text of its own.
    pub(super) const NOTHING: Self = Self("");
    /// A path in front of query and fragment.
    pub(super) const PATH: Self = Self("?#");
    /// A value in a query.
    pub(super) const QUERY: Self = Self("&#");

    /// A value of a baggage member.
    pub(super) const BAGGAGE: Self = Self(",;");

    fn any(self) -> String {
        if self.0.is_empty() { ".*".into() } else { format!("[^{}]*", self.0) }
    }

    fn has(self, character: char) -> bool {
        self.0.contains(character)
    }

    fn holds(self, text: &str) -> bool {
        text.contains(|character| self.has(character))
    }
}

/// The values for which a kind holds, as a pattern; none where a regular expression cannot be put so.
pub(super) fn of(kind: Kind<'_>, outside: Outside) -> Option<String> {
    let any = outside.any();
    let text = |text: &str| literal(text, kind.fold);
    let within = |wanted: &str, pattern: String| if outside.holds(wanted) { NEVER.to_owned() } else { pattern };
    Some(match kind.matcher {
        Matcher::Exact(wanted) => within(wanted, text(wanted)),
        Matcher::Prefix(wanted) => within(wanted, format!("{}{any}", text(wanted))),
        Matcher::Suffix(wanted) => within(wanted, format!("{any}{}", text(wanted))),
        Matcher::Contains(wanted) => within(wanted, format!("{any}{}{any}", text(wanted))),
        Matcher::In(list) => {
            let known = list.iter().filter(|wanted| !outside.holds(wanted));
            alternatives(known.map(|wanted| text(wanted)).collect())
        }
        Matcher::Range(range) => self::range(*range),
        Matcher::Segments(wanted) => match wanted.strip_suffix('/').unwrap_or(wanted) {
            "" => format!("/{any}"),
            wanted => within(wanted, format!("{}(?:/{any})?", text(wanted))),
        },
        Matcher::Regex(pattern) if outside.0.is_empty() => pattern.clone(),
        Matcher::Regex(pattern) => restricted(pattern, outside)?,
        // Wrappers are off, and presence is no matter of values.
        _ => return None,
    })
}

/// Whether the kind holds for the empty value; none where that cannot be told.
pub(super) fn holds_empty(matcher: &Matcher) -> Option<bool> {
    match matcher {
        Matcher::Exact(wanted) => Some(wanted.is_empty()),
        Matcher::In(list) => Some(list.iter().any(String::is_empty)),
        Matcher::Regex(pattern) => {
            let hir = parse(pattern)?;
            let has_words = hir.properties().look_set().iter().any(|look| !matches!(look, Look::Start | Look::End));
            // A look at a word's edge can fail on nothing; other expressions match it when they need no byte.
            (!has_words).then(|| hir.properties().minimum_len() == Some(0))
        }
        _ => Some(false),
    }
}

/// This text and no other, its ASCII letters in either case where `fold` says so.
pub(super) fn literal(text: &str, fold: bool) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if fold && character.is_ascii_alphabetic() {
            pattern.extend(['[', character.to_ascii_lowercase(), character.to_ascii_uppercase(), ']']);
        } else {
            if r"\.+*?()|[]{}^$".contains(character) {
                pattern.push('\\');
            }
            pattern.push(character);
        }
    }
    pattern
}

/// Any text of characters not outside, but this one.
pub(super) fn but(text: &str, outside: Outside) -> String {
    let mut pattern = format!("[^{}]+", outside.0);
    for character in text.chars().rev() {
        let mut escaped = String::new();
        if r"\]^-[".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
        pattern = format!("(?:[^{escaped}{}][^{}]*|{}(?:{pattern}))?", outside.0, outside.0, literal(&character.to_string(), false));
    }
    pattern
}

/// One of these patterns.
pub(super) fn alternatives(mut patterns: Vec<String>) -> String {
    patterns.dedup();
    match patterns.as_slice() {
        [] => NEVER.into(),
        [only] => only.clone(),
        _ => format!("(?:{})", patterns.join("|")),
    }
}

/// The decimal integers of a range: digits with an optional `-`, zeros in front allowed (S7).
pub(super) fn range(range: Range) -> String {
    let min = range.min.unwrap_or(i64::MIN);
    // Exclusive; without a bound the largest integer belongs to it.
    let max = range.max.map_or(Some(i64::MAX), |max| max.checked_sub(1));
    let Some(max) = max.filter(|max| *max >= min) else { return NEVER.into() };
    let mut patterns = Vec::new();
    if min <= 0 && max >= 0 {
        patterns.push("-?0+".to_owned());
    }
    if max > 0 {
        patterns.push(format!("0*{}", magnitudes(min.max(1).unsigned_abs(), max.unsigned_abs())));
    }
    if min < 0 {
        patterns.push(format!("-0*{}", magnitudes(max.min(-1).unsigned_abs(), min.unsigned_abs())));
    }
    alternatives(patterns)
}

/// The positive integers from `low` to `high`, without zeros in front.
fn magnitudes(low: u64, high: u64) -> String {
    let mut patterns = Vec::new();
    let mut low = low;
    while low <= high {
        let digits = low.ilog10() + 1;
        let last = 10_u64.checked_pow(digits).map_or(u64::MAX, |power| power - 1);
        let top = last.min(high);
        patterns.push(same_length(low.to_string().as_bytes(), top.to_string().as_bytes()));
        let Some(next) = top.checked_add(1) else { break };
        low = next;
    }
    alternatives(patterns)
}

/// The numbers between two that have equally many digits, both included.
fn same_length(low: &[u8], high: &[u8]) -> String {
    let ([first, low_rest @ ..], [last, high_rest @ ..]) = (low, high) else { return String::new() };
    let digits = |first: u8, last: u8| match last.checked_sub(first) {
        Some(0) => char::from(first).to_string(),
        Some(9) => "[0-9]".to_owned(),
        _ => format!("[{}-{}]", char::from(first), char::from(last)),
    };
    let rest = |count: usize| match count {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        _ => format!("[0-9]{{{count}}}"),
    };
    let (all_low, all_high) = (low_rest.iter().all(|digit| *digit == b'0'), high_rest.iter().all(|digit| *digit == b'9'));
    if first == last {
        return if all_low && all_high {
            format!("{}{}", char::from(*first), rest(low_rest.len()))
        } else {
            format!("{}{}", char::from(*first), same_length(low_rest, high_rest))
        };
    }
    let mut patterns = Vec::new();
    let (mut from, mut to) = (*first, *last);
    if !all_low {
        patterns.push(format!("{}{}", char::from(from), same_length(low_rest, &vec![b'9'; low_rest.len()])));
        from += 1;
    }
    let mut tail = None;
    if !all_high {
        tail = Some(format!("{}{}", char::from(to), same_length(&vec![b'0'; high_rest.len()], high_rest)));
        to -= 1;
    }
    if from <= to {
        patterns.push(format!("{}{}", digits(from, to), rest(low_rest.len())));
    }
    patterns.extend(tail);
    alternatives(patterns)
}

fn parse(pattern: &str) -> Option<Hir> {
    // As the engine reads it: bytes, ASCII classes (S9).
    ParserBuilder::new().utf8(false).unicode(false).build().parse(pattern).ok()
}

/// A regular expression that matches only texts without the bytes outside: so it may stand inside a longer pattern.
fn restricted(pattern: &str, outside: Outside) -> Option<String> {
    let hir = parse(pattern)?;
    print(unanchored(&hir), outside)
}

/// The expression without the anchors around it, which say nothing where the whole text must match.
fn unanchored(hir: &Hir) -> Vec<&Hir> {
    let is = |hir: &&Hir, wanted: Look| matches!(hir.kind(), HirKind::Look(look) if *look == wanted);
    let HirKind::Concat(parts) = hir.kind() else { return vec![hir] };
    let mut parts: &[Hir] = parts;
    while let [first, rest @ ..] = parts
        && is(&first, Look::Start)
    {
        parts = rest;
    }
    while let [rest @ .., last] = parts
        && is(&last, Look::End)
    {
        parts = rest;
    }
    parts.iter().collect()
}

fn print<'h>(parts: impl IntoIterator<Item = &'h Hir>, outside: Outside) -> Option<String> {
    parts.into_iter().map(|hir| part(hir, outside)).collect()
}

fn part(hir: &Hir, outside: Outside) -> Option<String> {
    Some(match hir.kind() {
        HirKind::Empty => String::new(),
        HirKind::Literal(text) => {
            let text = core::str::from_utf8(&text.0).ok()?;
            if outside.holds(text) { NEVER.into() } else { literal(text, false) }
        }
        HirKind::Class(class) => self::class(class, outside)?,
        // The bytes around a value are no word characters, as the nothing around a whole text is none.
        HirKind::Look(Look::WordAscii) => r"\b".into(),
        HirKind::Look(Look::WordAsciiNegate) => r"\B".into(),
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => {
            let inner = part(&repetition.sub, outside)?;
            let bounds = match (repetition.min, repetition.max) {
                (0, Some(1)) => "?".into(),
                (0, None) => "*".into(),
                (1, None) => "+".into(),
                (min, None) => format!("{{{min},}}"),
                (min, Some(max)) if min == max => format!("{{{min}}}"),
                (min, Some(max)) => format!("{{{min},{max}}}"),
            };
            format!("(?:{inner}){bounds}")
        }
        HirKind::Capture(capture) => format!("(?:{})", part(&capture.sub, outside)?),
        HirKind::Concat(parts) => print(parts, outside)?,
        HirKind::Alternation(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(|hir| part(hir, outside)).collect();
            format!("(?:{})", parts?.join("|"))
        }
    })
}

/// A class without the bytes outside. It holds all bytes beyond ASCII or none, or cannot be said in a way that does not
/// depend on how RE2 reads the text.
fn class(class: &Class, outside: Outside) -> Option<String> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let has = |byte: u32| ranges.iter().any(|(start, end)| (*start..=*end).contains(&byte));
    let beyond: Vec<bool> = (0x80..=0xff).map(has).collect();
    let open = beyond.iter().all(|has| *has);
    if !open && beyond.iter().any(|has| *has) {
        return None;
    }
    let wanted = |byte: u8| has(byte.into()) && !outside.has(char::from(byte));
    // What is listed: the members of a closed class, the ASCII that an open one lacks.
    let listed: Vec<u8> = (0..0x80).filter(|byte| wanted(*byte) != open).collect();
    if listed.is_empty() {
        return Some(if open { "(?s:.)".into() } else { NEVER.into() });
    }
    let mut body = String::new();
    let mut index = 0;
    while let Some(first) = listed.get(index) {
        let run = listed.iter().skip(index).zip(*first..).take_while(|(listed, next)| **listed == *next).count();
        let last = *first + u8::try_from(run - 1).ok()?;
        for byte in if run > 2 { vec![*first, b'-', last] } else { (*first..=last).collect() } {
            match byte {
                b'-' if run > 2 && byte != *first && byte != last => body.push('-'),
                byte if byte.is_ascii_alphanumeric() => body.push(char::from(byte)),
                byte => body.push_str(&format!(r"\x{byte:02x}")),
            }
        }
        index += run;
    }
    Some(format!("[{}{body}]", if open { "^" } else { "" }))
}
