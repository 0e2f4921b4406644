//! Walks a tree beside its shape and collects everything that does not fit, each with its place. One problem
//! never hides another: what cannot be understood is skipped, and the walk goes on beside it.

use std::collections::HashMap;

use lane_core::{
    config::Hundredths,
    diagnostic::{Code, FieldPath, did_you_mean},
};

use super::{Field, Id, Shape, Shapes, words};
use crate::{
    place::{Finding, Span},
    tree::{Entry, Node, Refusal, Value, plain_number},
};

/// How many problems are listed; memory is what this bounds.
const MOST: usize = 10_000;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Everything that is wrong.
    pub(crate) findings: Vec<Finding>,
    /// The fields without which the document has the right shape; none if it cannot do without what is wrong.
    pub(crate) without: Option<Vec<Dropped>>,
}

/// A field or map entry that may be left out.
#[derive(Debug)]
pub(crate) struct Dropped {
    /// Where its key begins, which tells it from all others.
    pub(crate) key: usize,
    pub(crate) path: FieldPath,
}

/// Everything that is wrong with the shape of a document.
pub(crate) fn check(text: &str, root: &Node, shapes: &Shapes) -> Checked {
    let mut checker =
        Checker { text, shapes, path: Vec::new(), optional: None, checked: Checked { findings: Vec::new(), without: Some(Vec::new()) } };
    checker.value(shapes.root, root);
    checker.checked
}

/// The keys of a map that were written before, with their first place: what every reader of a tree must report.
pub(crate) fn repeated(entries: &[Entry]) -> Vec<(&Entry, Span)> {
    /// Up to here comparing all with all is quicker than hashing.
    const FEW: usize = 16;
    let keys = || entries.iter().filter(|entry| entry.key.refused.is_none());
    if entries.len() <= FEW {
        let before = |position, entry: &Entry| keys().take(position).find(|before| before.key.text == entry.key.text);
        return keys().enumerate().filter_map(|(position, entry)| Some((entry, before(position, entry)?.key.span))).collect();
    }
    let mut first: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
    let mut repeated = Vec::new();
    for entry in keys() {
        let before = *first.entry(&entry.key.text).or_insert(entry.key.span);
        if before != entry.key.span {
            repeated.push((entry, before));
        }
    }
    repeated
}

#[derive(Clone, Copy)]
enum At<'t> {
    Field(&'t str),
    Index(usize),
}

struct Checker<'t> {
    text: &'t str,
    shapes: &'t Shapes,
    path: Vec<At<'t>>,
    /// The nearest field around here that may be left out: where its key begins, and how long its path is.
    optional: Option<(usize, usize)>,
    checked: Checked,
}

impl<'t> Checker<'t> {
    fn value(&mut self, id: Id, node: &'t Node) {
        if self.checked.findings.len() > MOST {
            self.checked.without = None;
            return;
        }
        let shape = self.shapes.get(id);
        match (shape, &node.value) {
            (_, Value::Refused(refusal)) => self.refused(refusal, node.span),
            (Shape::Text, Value::Text(_)) | (Shape::Bool, Value::Bool(_)) | (Shape::Any, _) => {}
            (Shape::Integer(min, max), Value::Number(number))
                if plain_number(number).parse::<i128>().is_ok_and(|number| (*min..=*max).contains(&number)) => {}
            (Shape::Percent, Value::Number(number)) if Hundredths::parse(&plain_number(number)).is_some() => {}
            (Shape::Choice(words, _), Value::Text(word)) if words.iter().any(|known| **known == **word) => {}
            (Shape::List(inner), Value::List(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.inside(At::Index(index), |checker| checker.value(*inner, node));
                }
            }
            (Shape::Map(inner), Value::Map(entries)) => {
                self.keys(entries);
                for entry in entries.iter() {
                    self.in_entry(entry, true, *inner);
                }
            }
            (Shape::Record(fields), Value::Map(entries)) => {
                self.keys(entries);
                self.fields(fields, entries);
                self.missing(fields, node, entries);
            }
            (Shape::Choice(_, fields), Value::Map(entries)) if !fields.is_empty() => {
                self.keys(entries);
                self.fields(fields, entries);
                self.exactly_one(shape, fields, node, entries);
            }
            _ => {
                let message = format!("expected {}, found {}", words::expected(shape), words::found(node));
                let written = self.text.get(node.span.start..node.span.end).unwrap_or_default();
                let help = words::advice(shape, node, written);
                self.report(Finding::new(Code::WrongType, node.span, self.here(), message).maybe_help(help));
            }
        }
    }

    /// Keys that we do not take, or that were written before.
    fn keys(&mut self, entries: &'t [Entry]) {
        for entry in entries {
            if let Some(refusal) = &entry.key.refused {
                let finding = Finding::new(refusal.code, entry.key.span, self.here(), refusal.message.clone());
                self.report_entry(entry, finding.maybe_help(refusal.help.clone()));
            }
        }
        for (entry, before) in repeated(entries) {
            let path = self.here().field(&entry.key.text);
            let message = format!("`{}` is written twice", words::short(&entry.key.text));
            self.report_entry(entry, Finding::new(Code::DuplicateKey, entry.key.span, path, message).related(before, "first written here"));
        }
    }

    fn fields(&mut self, fields: &[Field], entries: &'t [Entry]) {
        for entry in entries.iter().filter(|entry| entry.key.refused.is_none()) {
            let name = &*entry.key.text;
            match fields.iter().find(|field| field.name == name) {
                Some(field) => self.in_entry(entry, !field.required, field.shape),
                None => {
                    let known = || words::names(fields);
                    let help =
                        did_you_mean(name, known()).unwrap_or_else(|| format!("known here: {}", known().collect::<Vec<_>>().join(", ")));
                    let path = self.here().field(name);
                    self.report_entry(
                        entry,
                        Finding::new(Code::UnknownField, entry.key.span, path, format!("unknown field `{}`", words::short(name)))
                            .help(help),
                    );
                }
            }
        }
    }

    fn missing(&mut self, fields: &[Field], node: &Node, entries: &[Entry]) {
        // What a merge key or a key of the wrong kind was to bring is not missed.
        if entries.iter().any(|entry| entry.key.refused.is_some()) {
            return;
        }
        for field in fields.iter().filter(|field| field.required) {
            if !entries.iter().any(|entry| *entry.key.text == *field.name) {
                let help = match field.name.as_str() {
                    // The only one there is.
                    "version" => "write `version: 1`".into(),
                    name => format!("write `{name}:` with {}", words::expected(self.shapes.get(field.shape))),
                };
                let finding = Finding::new(Code::MissingField, node.span, self.here(), format!("the field `{}` is missing", field.name));
                self.report(finding.help(help));
            }
        }
    }

    fn exactly_one(&mut self, shape: &Shape, fields: &[Field], node: &Node, entries: &[Entry]) {
        let is_known = |entry: &&Entry| fields.iter().any(|field| *field.name == *entry.key.text);
        let mut known: Vec<&Entry> = entries.iter().filter(is_known).collect();
        known.dedup_by(|later, earlier| later.key.text == earlier.key.text);
        match known.as_slice() {
            [] if entries.is_empty() => {
                let message = format!("expected {}, found an empty map", words::expected(shape));
                self.report(Finding::new(Code::WrongType, node.span, self.here(), message));
            }
            [] | [_] => {}
            [first, rest @ ..] => {
                for entry in rest {
                    let message = format!("`{}` stands beside `{}`, where only one field may stand", entry.key.text, first.key.text);
                    let path = self.here().field(&entry.key.text);
                    self.report(Finding::new(Code::WrongType, entry.key.span, path, message).related(first.key.span, "the first one"));
                }
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal, span: Span) {
        self.report(Finding::new(refusal.code, span, self.here(), refusal.message.clone()).maybe_help(refusal.help.clone()));
    }

    fn inside(&mut self, step: At<'t>, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    fn in_entry(&mut self, entry: &'t Entry, is_optional: bool, shape: Id) {
        let around = self.optional;
        if is_optional {
            self.optional = Some((entry.key.span.start, self.path.len() + 1));
        }
        self.inside(At::Field(&entry.key.text), |checker| checker.value(shape, &entry.value));
        self.optional = around;
    }

    fn here(&self) -> FieldPath {
        path_of(&self.path)
    }

    /// Takes a problem down, up to what anybody reads.
    fn push(&mut self, finding: Finding) {
        match self.checked.findings.len() {
            0..MOST => self.checked.findings.push(finding),
            MOST => {
                let message = format!("more than {MOST} problems: the rest is not listed");
                self.checked.findings.push(Finding::new(Code::TooLarge, finding.span, finding.path, message));
            }
            _ => {}
        }
    }

    /// A problem with a value, which goes with the nearest optional field around it.
    fn report(&mut self, finding: Finding) {
        self.push(finding);
        let around = |length| path_of(self.path.get(..length).unwrap_or(&self.path));
        let dropped = self.optional.map(|(key, length)| Dropped { key, path: around(length) });
        match (dropped, &mut self.checked.without) {
            (Some(dropped), Some(without)) => without.push(dropped),
            (None, without) => *without = None,
            (Some(_), None) => {}
        }
    }

    /// A problem with an entry that should not be there.
    fn report_entry(&mut self, entry: &Entry, finding: Finding) {
        let dropped = Dropped { key: entry.key.span.start, path: self.here().field(&entry.key.text) };
        if let Some(without) = &mut self.checked.without {
            without.push(dropped);
        }
        self.push(finding);
    }
}

fn path_of(steps: &[At<'_>]) -> FieldPath {
    steps.iter().fold(FieldPath::root(), |path, step| match step {
        At::Field(name) => path.field(name),
        At::Index(index) => path.index(*index),
    })
}
