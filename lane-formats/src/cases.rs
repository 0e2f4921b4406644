//! Test files: a configuration, and requests with what is expected of them. Reading one reports every problem with
//! its place; running a case tells what differs.
//!
//! ```yaml
//! config: lanes.yaml            # or the configuration itself
//! cases:
//!   - name: a tester reaches v2, but mockb has no v2
//!     request: {ingress: {gateway: ingressgateway}, path: /mock, headers: [[x-user-group, qa]]}
//!     expect: {outcome: routed, lane: v2, subset: {lane: v2}}
//!     chain: {mocka: v2, mockb: v1, mockc: v2}
//! ```

use core::ops::Range;

use lane_core::{
    Options,
    diagnostic::{Code, FieldPath, did_you_mean},
};
use serde_json::{Map, Value as Json};

use crate::{
    Format, Loaded, Refused,
    fields::{At, Problems},
    load::{Document, compile, parse, refused},
    place::{Finding, Lines, Span},
    request::{self, Ask},
    tree::Value,
};

mod run;

pub use run::Difference;

/// A test file.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What the cases are asked of; none where the file does not say.
    pub config: Option<SuiteConfig>,
    /// The cases, in order.
    pub cases: Vec<Case>,
}

/// What a test file's cases are asked of.
#[derive(Clone, Debug)]
pub enum SuiteConfig {
    /// A file, named relative to the test file.
    Path(String),
    /// A configuration in the test file itself.
    Inline(Box<Loaded>),
}

/// One request and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The case's name, unique in the file.
    pub name: String,
    /// The request.
    pub request: Ask,
    /// What some fields of the decision must be (S29).
    pub expect: Map<String, Json>,
    /// The services of the chain in the order in which they are called, each with the lane that must serve it, or
    /// with the outcome where none does.
    pub chain: Option<Vec<(String, String)>>,
    /// The bytes of the case in the file.
    pub range: Range<usize>,
    /// Its line, counted from 1.
    pub line: usize,
}

/// The fields of a decision (S29).
const EXPECTED: [&str; 16] = [
    "outcome",
    "status",
    "group",
    "rule",
    "lane",
    "service",
    "subset",
    "fallback",
    "reason",
    "found",
    "set_headers",
    "remove_headers",
    "set_cookie",
    "remember",
    "notes",
    "undetermined",
];

impl Suite {
    /// Reads a test file; a configuration in it is compiled.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, with its configuration too.
    pub fn read(text: &str, format: Format, options: &Options) -> Result<Self, Refused> {
        let root = parse(text, format, options.limits.document_bytes)?;
        let at = At::root(&root);
        let mut problems = Problems::default();
        let mut suite = Self { config: None, cases: Vec::new() };
        if !problems.record(&at, &["about", "config", "cases"]) {
            return Err(refused(text, problems.0));
        }
        let lines = Lines::new(text);
        suite.config = at.field("config").and_then(|at| config(text, &at, options, &mut problems));
        match at.field("cases") {
            None => problems.add(Code::MissingField, &at, "the field `cases` is missing"),
            Some(at) => {
                for at in problems.list(&at).unwrap_or_default() {
                    let Some(case) = case(&at, &lines, &mut problems) else { continue };
                    if suite.cases.iter().any(|other| other.name == case.name) {
                        problems.add(
                            Code::DuplicateName,
                            &at.field("name").unwrap_or(at),
                            format!("the name `{}` is used twice", case.name),
                        );
                    }
                    suite.cases.push(case);
                }
            }
        }
        if problems.0.is_empty() { Ok(suite) } else { Err(refused(text, problems.0)) }
    }
}

fn config(text: &str, at: &At<'_>, options: &Options, problems: &mut Problems) -> Option<SuiteConfig> {
    if let Value::Text(path) = &at.node.value {
        return Some(SuiteConfig::Path(path.to_string()));
    }
    let within = |finding: Finding| Finding { path: below(&at.path, &finding.path), ..finding };
    match compile(text, at.node.clone(), options) {
        Ok((router, Document { config, places }, warnings)) => {
            let warnings = Lines::new(text).locate_all(warnings.into_iter().map(within).collect());
            Some(SuiteConfig::Inline(Box::new(Loaded { router, config, places, warnings })))
        }
        Err(findings) => {
            problems.0.extend(findings.into_iter().map(within));
            None
        }
    }
}

fn case(at: &At<'_>, lines: &Lines<'_>, problems: &mut Problems) -> Option<Case> {
    if !problems.record(at, &["name", "about", "cites", "request", "expect", "chain"]) {
        return None;
    }
    let mut required = |name: &str| {
        let field = at.field(name);
        if field.is_none() {
            problems.add(Code::MissingField, at, format!("the field `{name}` is missing"));
        }
        field
    };
    let (name, asked) = (required("name"), required("request"));
    let name = name.and_then(|at| problems.text(&at));
    let before = problems.0.len();
    let request = asked.and_then(|at| request::read::read(&at, problems)).filter(|_| problems.0.len() == before);
    let expect = at.field("expect").map(|at| expect(&at, problems)).unwrap_or_default();
    let chain = at.field("chain").map(|at| {
        let steps = problems.map(&at).unwrap_or_default();
        steps.iter().filter_map(|(service, at)| Some(((*service).to_owned(), problems.text(at)?.to_owned()))).collect()
    });
    if at.field("expect").is_none() && chain.is_none() {
        problems.add(Code::MissingField, at, "one of `expect` and `chain` is needed: the case expects nothing");
    }
    let Span { start, end } = at.node.span;
    Some(Case { name: name?.to_owned(), request: request?, expect, chain, range: start..end, line: lines.position(start).0 })
}

fn expect(at: &At<'_>, problems: &mut Problems) -> Map<String, Json> {
    let mut expected = Map::new();
    for (key, value) in problems.map(at).unwrap_or_default() {
        if EXPECTED.contains(&key) {
            expected.insert(key.to_owned(), value.node.to_json());
        } else {
            let help = did_you_mean(key, EXPECTED).unwrap_or_else(|| format!("a decision has: {}", EXPECTED.join(", ")));
            let span = at.node.get(key).map_or(value.node.span, |entry| entry.key.span);
            problems.0.push(Finding::new(Code::UnknownField, span, value.path, format!("a decision has no field `{key}`")).help(help));
        }
    }
    expected
}

/// The path `inner` seen from the value at `outer`.
fn below(outer: &FieldPath, inner: &FieldPath) -> FieldPath {
    use lane_core::diagnostic::Step;
    inner.steps().iter().fold(outer.clone(), |path, step| match step {
        Step::Field(name) => path.field(name),
        Step::Index(index) => path.index(*index),
    })
}

#[cfg(test)]
mod tests;
