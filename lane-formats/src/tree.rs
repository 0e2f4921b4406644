//! A document as a tree in which every value and every key knows its place, whichever language it was written in.
//!
//! serde alone would stop at the first problem, lose the places under enums and never show a key that was written
//! twice. So text becomes this tree first, [`crate::shape`] finds everything that is wrong with it in one go, and
//! only then [`build`] hands it to serde.

use std::{collections::HashSet, sync::Arc};

use lane_core::diagnostic::{Code, FieldPath, Step};

use crate::place::Span;

pub(crate) mod build;
pub(crate) mod json;
#[cfg(feature = "yaml")]
pub(crate) mod scalar;
#[cfg(feature = "yaml")]
pub(crate) mod yaml;

/// How deep values may stand inside each other: 64 levels of conditions take two each, and some room around them.
/// The stack is what this bounds, so it is no option; more levels than fit here can only be compiled from data.
pub(crate) const MAX_DEPTH: usize = 192;
/// How many values a document may hold, keys aside; memory is what this bounds.
pub(crate) const MAX_VALUES: usize = 4_000_000;

/// A value and where it stands. Clones share what is inside.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// A value of a document.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number as it was written.
    Number(Arc<str>),
    Text(Arc<str>),
    List(Arc<[Node]>),
    /// All entries in order, those of a key that is written twice as well.
    Map(Arc<[Entry]>),
    /// What the language has and we do not take.
    #[cfg_attr(not(feature = "yaml"), expect(dead_code, reason = "JSON has nothing that we do not take"))]
    Refused(Arc<Refusal>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Node,
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
    /// Why this is no key that we take.
    pub(crate) refused: Option<Arc<Refusal>>,
}

/// Something that is reported where it is met, and not looked into.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Why no tree could be made of a text.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn too_deep(span: Span) -> Self {
        Self::new(Code::TooLarge, span, format!("values stand more than {MAX_DEPTH} deep inside each other"))
    }

    pub(crate) fn too_many(span: Span) -> Self {
        Self::new(Code::TooLarge, span, format!("the document holds more than {MAX_VALUES} values"))
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) value: Span,
    /// The key before it, if it is the value of one.
    pub(crate) key: Option<Span>,
    /// Whether the whole path was followed.
    pub(crate) exact: bool,
}

impl Node {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| *entry.key.text == *key),
            _ => None,
        }
    }

    /// The value as JSON, without places; of a key that is written twice the last value stays.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Refused(_) => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => serde_json::from_str(&plain_number(number)).unwrap_or_else(|_| Json::String(number.to_string())),
            Value::Text(text) => Json::String(text.to_string()),
            Value::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.text.to_string(), entry.value.to_json()));
                Json::Object(entries.collect())
            }
        }
    }

    /// The tree without the entries whose keys begin at these offsets.
    pub(crate) fn without(&self, keys: &HashSet<usize>) -> Self {
        let value = match &self.value {
            Value::List(nodes) => Value::List(nodes.iter().map(|node| node.without(keys)).collect()),
            Value::Map(entries) => {
                let kept = entries.iter().filter(|entry| !keys.contains(&entry.key.span.start));
                Value::Map(kept.map(|entry| Entry { key: entry.key.clone(), value: entry.value.without(keys) }).collect())
            }
            other => other.clone(),
        };
        Self { span: self.span, value }
    }

    /// The place of a path, or of the nearest value around it that exists.
    pub(crate) fn place(&self, path: &FieldPath) -> Place {
        let mut node = self;
        let mut place = Place { value: self.span, key: None, exact: true };
        for step in path.steps() {
            let next = match (step, &node.value) {
                (Step::Index(index), Value::List(nodes)) => nodes.get(*index).map(|node| (node, None)),
                (Step::Field(name), Value::Map(_)) => node.get(name).map(|entry| (&entry.value, Some(entry.key.span))),
                _ => None,
            };
            let Some((inner, key)) = next else { return Place { exact: false, ..place } };
            node = inner;
            place = Place { value: inner.span, key, exact: true };
        }
        place
    }
}

/// A number in the notation that JSON and [`str::parse`] share; what no number looks like is left alone.
pub(crate) fn plain_number(written: &str) -> std::borrow::Cow<'_, str> {
    let digits = written.strip_prefix('+').unwrap_or(written);
    let based = |prefix: &str, radix: u32| digits.strip_prefix(prefix).and_then(|digits| u128::from_str_radix(digits, radix).ok());
    if let Some(number) = based("0x", 16).or_else(|| based("0o", 8)) {
        return number.to_string().into();
    }
    if digits.starts_with('.') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return format!("0{digits}").into();
    }
    match digits.strip_suffix('.') {
        Some(whole) if !whole.is_empty() => whole.into(),
        _ => digits.into(),
    }
}
