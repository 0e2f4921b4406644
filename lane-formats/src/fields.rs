//! Reading data out of a tree by hand, with every problem collected: requests and test files, whose shapes are
//! small and whose messages are their own.

use lane_core::diagnostic::{Code, FieldPath, did_you_mean};

use crate::{
    bytes::Bytes,
    place::Finding,
    shape::{check::repeated, words},
    tree::{Node, Value, plain_number},
};

/// A value and the path that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct At<'n> {
    pub(crate) node: &'n Node,
    pub(crate) path: FieldPath,
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Finding>);

impl<'n> At<'n> {
    pub(crate) fn root(node: &'n Node) -> Self {
        Self { node, path: FieldPath::root() }
    }

    /// A field of this map, if it is there.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        self.node.get(name).map(|entry| Self { node: &entry.value, path: self.path.field(name) })
    }
}

impl Problems {
    pub(crate) fn add(&mut self, code: Code, at: &At<'_>, message: impl Into<String>) {
        self.0.push(Finding::new(code, at.node.span, at.path.clone(), message));
    }

    pub(crate) fn expected(&mut self, what: &str, at: &At<'_>) {
        let finding = match &at.node.value {
            Value::Refused(refusal) => {
                Finding::new(refusal.code, at.node.span, at.path.clone(), refusal.message.clone()).maybe_help(refusal.help.clone())
            }
            value => {
                let finding = Finding::new(
                    Code::WrongType,
                    at.node.span,
                    at.path.clone(),
                    format!("expected {what}, found {}", words::found(at.node)),
                );
                finding.maybe_help(matches!(value, Value::Null).then(|| "write a value, or leave the field out".into()))
            }
        };
        self.0.push(finding);
    }

    /// A map with these fields only, each at most once.
    pub(crate) fn record(&mut self, at: &At<'_>, known: &[&str]) -> bool {
        let Some(entries) = self.map(at) else { return false };
        for (key, value) in entries {
            if !known.contains(&key) {
                let help = did_you_mean(key, known.iter().copied()).unwrap_or_else(|| match known {
                    [] => "no field is known here".into(),
                    known => format!("known here: {}", known.join(", ")),
                });
                let span = at.node.get(key).map_or(value.node.span, |entry| entry.key.span);
                self.0
                    .push(Finding::new(Code::UnknownField, span, value.path, format!("unknown field `{}`", words::short(key))).help(help));
            }
        }
        true
    }

    /// The entries of a map with any keys, each at most once.
    pub(crate) fn map<'n>(&mut self, at: &At<'n>) -> Option<Vec<(&'n str, At<'n>)>> {
        let Value::Map(entries) = &at.node.value else {
            self.expected("a map", at);
            return None;
        };
        for (entry, before) in repeated(entries) {
            let path = at.path.field(&entry.key.text);
            let finding =
                Finding::new(Code::DuplicateKey, entry.key.span, path, format!("`{}` is written twice", words::short(&entry.key.text)));
            self.0.push(finding.related(before, "first written here"));
        }
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            match &entry.key.refused {
                Some(refusal) => {
                    let finding = Finding::new(refusal.code, entry.key.span, at.path.clone(), refusal.message.clone());
                    self.0.push(finding.maybe_help(refusal.help.clone()));
                }
                None => all.push((&*entry.key.text, At { node: &entry.value, path: at.path.field(&entry.key.text) })),
            }
        }
        Some(all)
    }

    pub(crate) fn list<'n>(&mut self, at: &At<'n>) -> Option<Vec<At<'n>>> {
        let Value::List(nodes) = &at.node.value else {
            self.expected("a list", at);
            return None;
        };
        Some(nodes.iter().enumerate().map(|(index, node)| At { node, path: at.path.index(index) }).collect())
    }

    pub(crate) fn text<'n>(&mut self, at: &At<'n>) -> Option<&'n str> {
        match &at.node.value {
            Value::Text(text) => Some(text),
            Value::Number(number) => {
                let finding =
                    Finding::new(Code::WrongType, at.node.span, at.path.clone(), format!("expected text, found {}", words::found(at.node)));
                self.0.push(finding.help(format!("quote it: `\"{number}\"`")));
                None
            }
            _ => {
                self.expected("text", at);
                None
            }
        }
    }

    /// Text, or `{"base64": …}`.
    pub(crate) fn bytes(&mut self, at: &At<'_>) -> Option<Bytes> {
        if !matches!(at.node.value, Value::Map(_)) {
            return self.text(at).map(Bytes::from);
        }
        if !self.record(at, &["base64"]) {
            return None;
        }
        let Some(inner) = at.field("base64") else {
            self.expected("text or `{\"base64\": …}`", at);
            return None;
        };
        let bytes = Bytes::from_base64(self.text(&inner)?);
        if bytes.is_none() {
            self.add(Code::WrongType, &inner, "this is not base64");
        }
        bytes
    }

    /// A whole number from 0.
    pub(crate) fn count<T: std::str::FromStr>(&mut self, at: &At<'_>) -> Option<T> {
        let number = match &at.node.value {
            Value::Number(number) => plain_number(number).parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.expected("a whole number from 0", at);
        }
        number
    }
}
