//! JSON to the tree. `serde_json` does the reading; each value is first lifted as a slice of the text
//! (`RawValue` borrows it), so its place is the slice's distance from the start.

use std::{fmt, sync::Arc};

use lane_core::diagnostic::Code;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Entry, Failure, Key, MAX_DEPTH, MAX_VALUES, Node, Value};
use crate::place::Span;

/// Reads a JSON document.
pub(crate) fn read(text: &str) -> Result<Node, Failure> {
    let mut reader = Reader { text, values: 0 };
    // RFC 8259 lets a parser ignore a byte-order mark.
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    if json.trim_ascii().is_empty() {
        return Err(Failure::new(Code::Syntax, Span::at(0), "the text holds no document"));
    }
    // One pass over everything, which does not recurse, before anything is built.
    let whole: &RawValue = reader.parse(json)?;
    reader.node(whole, 0)
}

impl Node {
    /// The tree of a value that was parsed by others, without places; none if it is too deep.
    pub(crate) fn from_json(value: &serde_json::Value, depth: usize) -> Option<Self> {
        if depth > MAX_DEPTH {
            return None;
        }
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
            serde_json::Value::String(text) => Value::Text(text.as_str().into()),
            serde_json::Value::Array(values) => {
                Value::List(values.iter().map(|value| Self::from_json(value, depth + 1)).collect::<Option<_>>()?)
            }
            serde_json::Value::Object(map) => {
                let key = |text: &str| Key { text: text.into(), span: Span::default(), refused: None };
                let entry = |(text, value): (&String, _)| Some(Entry { key: key(text), value: Self::from_json(value, depth + 1)? });
                Value::Map(map.iter().map(entry).collect::<Option<_>>()?)
            }
        };
        Some(Self { span: Span::default(), value })
    }
}

struct Reader<'t> {
    text: &'t str,
    values: usize,
}

impl<'t> Reader<'t> {
    fn offset(&self, slice: &str) -> usize {
        (slice.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn parse<T: Deserialize<'t>>(&self, slice: &'t str) -> Result<T, Failure> {
        serde_json::from_str(slice).map_err(|error| self.failure(slice, &error))
    }

    fn failure(&self, slice: &str, error: &serde_json::Error) -> Failure {
        let before = slice.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let said = error.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
        // serde_json's column is that of the byte it stumbled over, counted from 1; for control characters that of the one before.
        let column = error.column().saturating_sub(usize::from(!said.starts_with("control character")));
        let within = (0..=(before + column).min(slice.len())).rev().find(|offset| slice.is_char_boundary(*offset)).unwrap_or_default();
        let start = self.offset(slice) + within;
        let rest = self.text.get(start..).unwrap_or_default();
        let end = start + rest.chars().next().map_or(0, char::len_utf8);
        let previous = self.text.get(..start).and_then(|before| before.trim_end().chars().next_back());
        let failure = |said: &str| Failure::new(Code::Syntax, Span::new(start, end), format!("this is not JSON: {said}"));
        match rest.chars().next() {
            Some(closing @ ('}' | ']')) if previous == Some(',') => {
                failure(&format!("a comma stands before `{closing}`")).help("leave the comma out")
            }
            Some('\'') => failure(said).help("text stands in double quotes"),
            Some('/' | '#') => failure(said).help("JSON has no comments; YAML has"),
            _ if error.is_eof() => failure(said).help("a bracket or a quote is opened and not closed"),
            _ => failure(said),
        }
    }

    fn node(&mut self, raw: &'t RawValue, depth: usize) -> Result<Node, Failure> {
        let slice = raw.get();
        let start = self.offset(slice);
        let span = Span::new(start, start + slice.len());
        self.values += 1;
        if depth > MAX_DEPTH {
            return Err(Failure::too_deep(Span::new(start, start + 1)));
        }
        if self.values > MAX_VALUES {
            return Err(Failure::too_many(Span::at(start)));
        }
        let value = match slice.as_bytes().first() {
            Some(b'{') => {
                let pairs: Pairs<'t> = self.parse(slice)?;
                let entries: Result<Arc<[_]>, _> = pairs.0.into_iter().map(|(key, value)| self.entry(key, value, depth)).collect();
                Value::Map(entries?)
            }
            Some(b'[') => {
                let values: Vec<&'t RawValue> = self.parse(slice)?;
                if self.values + values.len() > MAX_VALUES {
                    return Err(Failure::too_many(Span::new(start, start + 1)));
                }
                let nodes: Result<Arc<[_]>, _> = values.into_iter().map(|value| self.node(value, depth + 1)).collect();
                Value::List(nodes?)
            }
            Some(b'"') => Value::Text(self.parse::<String>(slice)?.into()),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => Value::Number(slice.into()),
        };
        Ok(Node { span, value })
    }

    fn entry(&mut self, key: &'t RawValue, value: &'t RawValue, depth: usize) -> Result<Entry, Failure> {
        let start = self.offset(key.get());
        let text = self.parse::<String>(key.get())?.into();
        let key = Key { text, span: Span::new(start, start + key.get().len()), refused: None };
        Ok(Entry { key, value: self.node(value, depth + 1)? })
    }
}

/// The entries of an object as slices, in order, repeated keys included.
struct Pairs<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'t> Deserialize<'t> for Pairs<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'t> Visitor<'t> for All {
            type Value = Pairs<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Pairs<'t>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(All)
    }
}
