//! From text to a router: reading, compiling, and a place in the text for every problem. A text is refused with
//! all its problems at once, sorted by place.

use std::{collections::HashSet, str};

use lane_core::{
    Compiled, Options, Router,
    config::Config,
    diagnostic::{Code, Diagnostic, FieldPath, Severity, Step},
};
use serde::Deserialize;

use crate::{
    place::{Finding, Lines, Located, Span},
    shape::{
        Shapes,
        check::{Checked, Dropped, check},
    },
    tree::{self, Failure, Node, Place},
};

/// The languages in which a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML 1.2, core schema.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file's name tells: `.json` is JSON, all else YAML.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let ends = path.len().checked_sub(5).and_then(|start| path.get(start..));
        if ends.is_some_and(|ending| ending.eq_ignore_ascii_case(".json")) { Self::Json } else { Self::Yaml }
    }
}

/// A configuration as data, and where in its text each value stands.
#[derive(Clone, Debug)]
pub struct Document {
    /// The configuration.
    pub config: Config,
    /// The places of its values.
    pub places: Places,
}

/// Where in a text the values of a configuration stand.
#[derive(Clone, Debug)]
pub struct Places(Node);

impl Places {
    /// The bytes of the value at this path, or of the nearest value around it that exists.
    #[must_use]
    pub fn range(&self, path: &FieldPath) -> core::ops::Range<usize> {
        self.0.place(path).value.range()
    }
}

/// A configuration that was read and compiled.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The router.
    pub router: Router,
    /// What it was compiled from.
    pub config: Config,
    /// Where in the text its values stand.
    pub places: Places,
    /// What is doubtful, sorted by place.
    pub warnings: Vec<Located>,
}

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Every problem, sorted by place; at least one is an error.
    pub findings: Vec<Located>,
    /// No document could be parsed at all.
    pub unparsable: bool,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (position, finding) in self.findings.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// Reads a configuration, without compiling it.
///
/// # Errors
///
/// Everything that is wrong with the text or with the shape of the document.
pub fn read(text: &str, format: Format, options: &Options) -> Result<Document, Refused> {
    let root = parse(text, format, options.limits.document_bytes)?;
    let findings = check(text, &root, Shapes::of_config()).findings;
    if findings.is_empty() { build(root).map_err(|findings| refused(text, findings)) } else { Err(refused(text, findings)) }
}

/// A configuration from a tree of the right shape.
fn build(root: Node) -> Result<Document, Vec<Finding>> {
    match Config::deserialize(&root) {
        Ok(config) => Ok(Document { config, places: Places(root) }),
        // The shape was right, so this is a value that only its type knows to be wrong.
        Err(error) => Err(vec![Finding::new(Code::WrongType, root.span, FieldPath::root(), error.0)]),
    }
}

pub(crate) fn refused(text: &str, findings: Vec<Finding>) -> Refused {
    Refused { findings: Lines::new(text).locate_all(findings), unparsable: false }
}

/// Reads and compiles a configuration.
///
/// # Errors
///
/// Everything that is wrong with it, and the warnings beside it.
pub fn load(text: &str, format: Format, options: &Options) -> Result<Loaded, Refused> {
    let root = parse(text, format, options.limits.document_bytes)?;
    match compile(text, root, options) {
        Ok((router, Document { config, places }, warnings)) => {
            let warnings = if warnings.is_empty() { Vec::new() } else { Lines::new(text).locate_all(warnings) };
            Ok(Loaded { router, config, places, warnings })
        }
        Err(findings) => Err(refused(text, findings)),
    }
}

/// Checks and compiles a configuration that stands in a tree, perhaps as part of another document.
pub(crate) fn compile(text: &str, root: Node, options: &Options) -> Result<(Router, Document, Vec<Finding>), Vec<Finding>> {
    let checked = check(text, &root, Shapes::of_config());
    if !checked.findings.is_empty() {
        return Err(with_errors_of_the_rest(checked, &root, options));
    }
    let document = build(root)?;
    let findings = |diagnostics: Vec<Diagnostic>| diagnostics.into_iter().map(|diagnostic| document.places.finding(diagnostic)).collect();
    match Router::compile(&document.config, options) {
        Ok(Compiled { router, warnings, .. }) => {
            let warnings = findings(warnings);
            Ok((router, document, warnings))
        }
        Err(error) => Err(findings(error.diagnostics)),
    }
}

/// The findings about a document's shape, and the errors that compiling finds in what is left without the fields at
/// fault: all errors are reported together. What may be wrong only because a field is left out is not reported.
fn with_errors_of_the_rest(checked: Checked, root: &Node, options: &Options) -> Vec<Finding> {
    let Checked { mut findings, without } = checked;
    let Some(dropped) = without else { return findings };
    let rest = root.without(&dropped.iter().map(|dropped| dropped.key).collect());
    let Ok(config) = Config::deserialize(&rest) else { return findings };
    let Err(error) = Router::compile(&config, options) else { return findings };
    let places = Places(rest);
    let follows = Follows::of(&dropped);
    let errors = error.diagnostics.into_iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    findings.extend(errors.filter(|diagnostic| !follows.may(diagnostic)).map(|diagnostic| places.finding(diagnostic)));
    findings
}

/// Tells which problems may follow from fields that are left out: those of their records, around these, and beside the fields.
struct Follows<'d> {
    records: HashSet<&'d [Step]>,
    around: HashSet<&'d [Step]>,
}

impl<'d> Follows<'d> {
    fn of(dropped: &'d [Dropped]) -> Self {
        let parent = |dropped: &'d Dropped| dropped.path.steps().split_last().map_or(&[][..], |(_, record)| record);
        let records: HashSet<_> = dropped.iter().map(parent).collect();
        let around = records.iter().flat_map(|record| (0..=record.len()).filter_map(|length| record.get(..length))).collect();
        Self { records, around }
    }

    fn may(&self, problem: &Diagnostic) -> bool {
        // What is wrong with a value that is there does not come from another that is not.
        let needs_others = matches!(
            problem.code,
            Code::Action
                | Code::BaselineMissing
                | Code::ContextClash
                | Code::EmptyLabels
                | Code::FallbackForbidden
                | Code::KeepLane
                | Code::LaneIncomplete
                | Code::Range
                | Code::StickyWithoutKey
                | Code::StickyWithoutSplit
                | Code::TrustDisagreement
        );
        let steps = problem.path.steps();
        needs_others && self.beside_or_around(steps)
    }

    fn beside_or_around(&self, steps: &[Step]) -> bool {
        self.around.contains(steps) || steps.split_last().is_some_and(|(_, record)| self.records.contains(record))
    }
}

/// Reads and compiles a configuration from bytes, which must be UTF-8.
///
/// # Errors
///
/// As [`load`]; bytes that are not UTF-8 are text that is no document.
pub fn load_bytes(bytes: &[u8], format: Format, options: &Options) -> Result<Loaded, Refused> {
    match str::from_utf8(bytes) {
        Ok(text) => load(text, format, options),
        Err(error) => {
            let valid = error.valid_up_to();
            let text = bytes.get(..valid).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
            let message = format!("the text is not UTF-8: byte {valid} does not belong there");
            let help = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this is UTF-16; save the file as UTF-8",
                _ => "save the file as UTF-8",
            };
            Err(unparsable(text, Failure::new(Code::Syntax, Span::at(valid), message).help(help)))
        }
    }
}

/// Parses a text into a tree.
pub(crate) fn parse(text: &str, format: Format, document_bytes: usize) -> Result<Node, Refused> {
    if text.len() > document_bytes {
        let message = format!("the document has {} bytes, more than the {document_bytes} that are allowed", text.len());
        return Err(unparsable("", Failure::new(Code::TooLarge, Span::at(0), message)));
    }
    let tree = match format {
        Format::Json => tree::json::read(text),
        #[cfg(feature = "yaml")]
        Format::Yaml => tree::yaml::read(text),
        #[cfg(not(feature = "yaml"))]
        Format::Yaml => Err(Failure::new(Code::Syntax, Span::at(0), "this build reads JSON only").help("write the configuration as JSON")),
    };
    tree.map_err(|failure| unparsable(text, failure))
}

fn unparsable(text: &str, failure: Failure) -> Refused {
    let Failure { code, span, message, help } = failure;
    let finding = Finding::new(code, span, FieldPath::root(), message).maybe_help(help);
    // What YAML has and we do not take is a document all the same.
    let unparsable = code != Code::UnsupportedYaml;
    Refused { findings: Lines::new(text).locate_all(vec![finding]), unparsable }
}

impl Places {
    fn finding(&self, diagnostic: Diagnostic) -> Finding {
        let span = self.span(diagnostic.code, &diagnostic.path);
        let related = diagnostic.related.map(|(path, note)| (self.span(diagnostic.code, &path), note));
        Finding { code: diagnostic.code, span, path: diagnostic.path, message: diagnostic.message, help: diagnostic.help, related }
    }

    /// The place of a problem: the value of its path, or the key where the key is what is wrong.
    fn span(&self, code: Code, path: &FieldPath) -> Span {
        let Place { value, key, exact } = self.0.place(path);
        let last_is_key = exact && matches!(path.steps().last(), Some(Step::Field(_)));
        match key {
            Some(key) if last_is_key && is_about_a_key(code, path) => key,
            _ => value,
        }
    }
}

/// Whether a problem of this kind at a path that ends in a key is the key's. The maps whose keys are names are few.
fn is_about_a_key(code: Code, path: &FieldPath) -> bool {
    let about_names = matches!(
        code,
        Code::BadHeaderName
            | Code::BadAttributeName
            | Code::BadBaggageKey
            | Code::ReservedHeader
            | Code::UnknownReference
            | Code::DuplicateName
            | Code::BadName
            | Code::BadHost
            | Code::GuidingHeaderMatched
    );
    let mut before = path.steps().iter().rev().skip(1);
    let map =
        matches!(before.next(), Some(Step::Field(name)) if ["headers", "query", "cookies", "baggage", "labels"].contains(&name.as_str()));
    // The labels of a lane are two maps deep.
    let labels = matches!(before.next(), Some(Step::Field(name)) if name == "labels");
    about_names && (map || labels)
}

#[cfg(test)]
mod tests;
