//! Compiled matchers: tests of one value (S7), host patterns ([`host`]) and regular expressions ([`regex`]).
//! Texts live in one pool and the rest in side tables, so that a compiled matcher is a few words that can be
//! copied, printed and sized.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::cmp::Ordering;

use memchr::{memchr2, memmem};

use crate::bytes::same_bytes;

pub(crate) mod host;
pub(crate) mod re2;
pub(crate) mod regex;

use regex::Regexes;

/// A text in a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text {
    start: u32,
    length: u32,
}

impl Text {
    /// No text.
    pub(crate) const EMPTY: Self = Self { start: 0, length: 0 };

    pub(crate) const fn len(self) -> usize {
        self.length as usize
    }

    /// The bytes from `start` up to `end` of this text.
    pub(crate) fn part(self, start: usize, end: usize) -> Self {
        Self { start: self.start + crate::intern::dense(start), length: crate::intern::dense(end.saturating_sub(start)) }
    }
}

/// All texts of a compiled router, end to end.
#[derive(Debug, Default)]
pub(crate) struct Pool(String);

impl Pool {
    /// Adds a text.
    pub(crate) fn add(&mut self, text: &str) -> Text {
        let start = self.0.len();
        self.0.push_str(text);
        Text { start: crate::intern::dense(start), length: crate::intern::dense(text.len()) }
    }

    /// The text.
    #[inline]
    pub(crate) fn str(&self, text: Text) -> &str {
        let start = text.start as usize;
        self.0.get(start..start + text.length as usize).unwrap_or_default()
    }

    /// The text's bytes.
    #[inline]
    pub(crate) fn bytes(&self, text: Text) -> &[u8] {
        let start = text.start as usize;
        self.0.as_bytes().get(start..start + text.length as usize).unwrap_or_default()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity()
    }

    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }
}

/// A compiled matcher: the wrappers of S7 and what is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Matcher {
    /// Holds where there is no value.
    pub(crate) or_missing: bool,
    /// Holds for values for which the kind does not.
    pub(crate) not: bool,
    pub(crate) kind: Kind,
}

/// What a matcher looks for. `fold` ignores the case of ASCII letters; its texts are lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Exact {
        text: Text,
        fold: bool,
    },
    Prefix {
        text: Text,
        fold: bool,
    },
    Suffix {
        text: Text,
        fold: bool,
    },
    Contains {
        text: Text,
        fold: bool,
    },
    In {
        set: u32,
        fold: bool,
    },
    Regex(u32),
    Range(u32),
    Present(bool),
    /// The pattern without its trailing slash; empty for `/`.
    Segments(Text),
}

/// An integer range; `below` is exclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) min: i64,
    pub(crate) below: Option<i64>,
}

/// The side tables of compiled matchers.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) pool: Pool,
    /// Each sorted by bytes.
    pub(crate) sets: Vec<Box<[Text]>>,
    pub(crate) ranges: Vec<Range>,
    pub(crate) regexes: Regexes,
}

impl Patterns {
    /// Whether `kind` holds for a value that lies in one piece.
    pub(crate) fn holds(&self, kind: Kind, value: &[u8]) -> bool {
        match kind {
            Kind::Exact { text, fold: false } => same_bytes(value, self.pool.bytes(text)),
            Kind::Exact { text, fold: true } => value.eq_ignore_ascii_case(self.pool.bytes(text)),
            Kind::Prefix { text, fold: false } => value.starts_with(self.pool.bytes(text)),
            Kind::Suffix { text, fold: false } => value.ends_with(self.pool.bytes(text)),
            Kind::Contains { text, fold: false } => memmem::find(value, self.pool.bytes(text)).is_some(),
            Kind::Prefix { text, fold: true } => {
                let text = self.pool.bytes(text);
                value.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
            }
            Kind::Suffix { text, fold: true } => {
                let text = self.pool.bytes(text);
                value.len().checked_sub(text.len()).and_then(|start| value.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(text))
            }
            Kind::Contains { text, fold: true } => contains_fold(value, self.pool.bytes(text)),
            Kind::Segments(text) => is_below(value, self.pool.bytes(text)),
            Kind::Regex(_) | Kind::In { .. } | Kind::Range(_) | Kind::Present(_) => self.holds_streamed(kind, value.iter().copied()),
        }
    }

    /// Whether `kind` holds for a value that is read byte by byte: percent-encoded, or several lines joined.
    pub(crate) fn holds_streamed(&self, kind: Kind, value: impl Iterator<Item = u8> + Clone) -> bool {
        let lower = |fold: bool| move |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
        match kind {
            Kind::Exact { text, fold } => value.map(lower(fold)).eq(self.pool.bytes(text).iter().copied()),
            Kind::Prefix { text, fold } => starts_with(value.map(lower(fold)), self.pool.bytes(text)),
            Kind::Suffix { text, fold } => {
                let text = self.pool.bytes(text);
                let start = value.clone().count().checked_sub(text.len());
                start.is_some_and(|start| value.skip(start).map(lower(fold)).eq(text.iter().copied()))
            }
            Kind::Contains { text, fold } => {
                let (text, mut rest) = (self.pool.bytes(text), value.map(lower(fold)));
                loop {
                    if starts_with(rest.clone(), text) {
                        return true;
                    }
                    if rest.next().is_none() {
                        return false;
                    }
                }
            }
            Kind::In { set, fold } => {
                let set = self.sets.get(set as usize).map_or(&[][..], |set| set);
                let order = |text: &Text| -> Ordering { self.pool.bytes(*text).iter().copied().cmp(value.clone().map(lower(fold))) };
                set.binary_search_by(order).is_ok()
            }
            Kind::Regex(regex) => self.regexes.matches(regex, &self.pool, value),
            Kind::Range(range) => integer(value)
                .zip(self.ranges.get(range as usize))
                .is_some_and(|(value, range)| value >= range.min && range.below.is_none_or(|below| value < below)),
            Kind::Present(present) => present,
            Kind::Segments(text) => {
                let (text, mut rest) = (self.pool.bytes(text), value);
                if text.is_empty() {
                    return rest.next() == Some(b'/');
                }
                text.iter().all(|byte| rest.next() == Some(*byte)) && rest.next().is_none_or(|next| next == b'/')
            }
        }
    }
}

fn starts_with(mut value: impl Iterator<Item = u8>, text: &[u8]) -> bool {
    text.iter().all(|byte| value.next() == Some(*byte))
}

/// Whether the path is `text` or lies below it (S11).
fn is_below(path: &[u8], text: &[u8]) -> bool {
    match path.strip_prefix(text) {
        Some(rest) if text.is_empty() => rest.first() == Some(&b'/'),
        Some(rest) => rest.first().is_none_or(|next| *next == b'/'),
        None => false,
    }
}

fn contains_fold(value: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else { return true };
    let mut rest = value;
    while let Some(position) = memchr2(*first, first.to_ascii_uppercase(), rest) {
        let Some(candidate) = rest.get(position..) else { return false };
        if candidate.get(..text.len()).is_some_and(|candidate| candidate.eq_ignore_ascii_case(text)) {
            return true;
        }
        rest = candidate.get(1..).unwrap_or_default();
    }
    false
}

/// The integer that decimal digits with an optional `-` spell; nothing else is one (S7).
fn integer(mut digits: impl Iterator<Item = u8> + Clone) -> Option<i64> {
    let negative = digits.clone().next() == Some(b'-');
    if negative {
        digits.next();
    }
    let mut value: Option<i64> = None;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        // Counted downwards, because the smallest i64 has no positive counterpart.
        value = Some(value.unwrap_or(0).checked_mul(10)?.checked_sub(digit)?);
    }
    let value = value?;
    if negative { Some(value) } else { value.checked_neg() }
}
