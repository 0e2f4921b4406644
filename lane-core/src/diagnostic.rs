//! What is wrong, or doubtful, in a configuration: a stable code, the field, what was found, what to do.
//! Every problem of a document is collected before anything is reported; drawing a diagnostic (with the line
//! of the file) is the front-end's business. Style: lower-case start, no final period, user text in backticks.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::Serialize;

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration works, but perhaps not as meant.
    Warning,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $title:literal;)*) => {
        /// A kind of diagnostic. Numbers are never reused; `LANE06xx` are warnings, all others errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as printed, for example `LANE0102`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("LANE", $number),)* }
            }

            /// What this kind of diagnostic says, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    // The document
    Syntax = "0001", "text that is no document";
    UnknownField = "0002", "unknown field";
    DuplicateKey = "0003", "key written twice";
    WrongType = "0004", "value of the wrong type";
    MissingField = "0005", "required field left out";
    TooLarge = "0006", "document beyond its limits";
    UnsupportedYaml = "0007", "YAML feature that is not supported";
    Version = "0008", "unknown schema version";
    // Names
    BadName = "0101", "name that is no Kubernetes label value";
    UnknownReference = "0102", "reference to something that is not declared";
    DuplicateName = "0103", "name used twice";
    BadHeaderName = "0104", "name that is no HTTP header name";
    ReservedHeader = "0105", "header that cannot carry lane context";
    BadBaggageKey = "0106", "key that is no baggage key";
    BadHost = "0107", "text that is no host";
    BadAttributeName = "0108", "name that no request attribute can have";
    ContextClash = "0109", "two carriers of context that clash";
    TrustDisagreement = "0110", "groups that share context but not its trust";
    // Lanes and modes
    BaselineMissing = "0201", "baseline that is needed but not named";
    LaneIncomplete = "0202", "lane that must contain every service";
    FallbackForbidden = "0203", "fallback where there is none";
    FallbackRepeats = "0204", "fallback to the lane itself or to one lane twice";
    EmptyLabels = "0205", "subset without labels";
    KeepLane = "0206", "keep_lane away from a trusted second gateway";
    MinHealthyPercent = "0207", "percentage out of range";
    // Rules
    Action = "0301", "rule without exactly one action";
    StickyWithoutSplit = "0302", "sticky without a split";
    Weights = "0303", "weights that cannot be shared out";
    SplitRepeats = "0304", "lane twice in one split";
    StickyWithoutKey = "0305", "sticky without a key";
    GenerateAtHop = "0306", "cookie generated where there is no client";
    EmptyList = "0307", "empty list";
    // Conditions
    MatcherShape = "0401", "wrappers of a matcher in the wrong order";
    EmptyText = "0402", "empty text that would hold for everything";
    Regex = "0403", "regular expression that is not RE2's";
    Range = "0404", "range that holds for nothing or for everything";
    MatcherPlace = "0405", "matcher that does not fit this attribute";
    BadCidr = "0406", "text that is no address range";
    BadKey = "0407", "key that is not one";
    // Limits
    Limit = "0501", "configuration beyond a limit";
    RegexTooLarge = "0502", "regular expression beyond a limit";
    // Warnings
    UnreachableRule = "0601", "rule that can never decide";
    UnusedLane = "0602", "lane that no rule leads to";
    NoCatchAll = "0603", "permissive group that does not take every request";
    SharedServiceTag = "0604", "two lanes with the same endpoints";
    UnstableTraceHeader = "0605", "trace-id header that changes at every hop";
    MisspeltTraceHeader = "0606", "trace-id header that is probably misspelt";
    PlainRegex = "0607", "regular expression that is a plain text";
    GuidingHeaderMatched = "0608", "condition on the guiding header of a permissive group";
    CapturesEveryHost = "0609", "rule that turns unmatched traffic of every gateway into 404";
}

impl Code {
    /// Whether this kind is an error or a warning.
    #[must_use]
    pub fn severity(self) -> Severity {
        if self >= Self::UnreachableRule { Severity::Warning } else { Severity::Error }
    }

    /// The code of this text, in any case, with or without `LANE` before the number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.get(4..).map(String::from);
        let wanted = text.trim();
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(wanted) || number(code.as_str()).is_some_and(|number| number == wanted))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One step from a value of the document to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The field or map key of this name.
    Field(String),
    /// The entry of a list, counted from 0.
    Index(usize),
}

/// Where in a document something stands, written `groups[0].rules[3].match`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// The whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The field or key `name` of the value here.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.into()))
    }

    /// The entry `index` of the list here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The steps from the document's root.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                // Host names and the like hold dots, which would read as steps.
                Step::Field(name) if name.is_empty() || name.contains(['.', '[', ']', '"']) => write!(f, "[{name:?}]")?,
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a walk through a document stands: steps that point at those above, so that going down costs nothing and
/// a [`FieldPath`] is made only where there is something to report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here<'a> {
    above: Option<&'a Here<'a>>,
    field: Option<&'a str>,
    index: Option<usize>,
}

impl<'a> Here<'a> {
    /// The whole document.
    pub(crate) const ROOT: Here<'static> = Here { above: None, field: None, index: None };

    /// The field or key `name` of the value here.
    pub(crate) const fn field(&'a self, name: &'a str) -> Self {
        Here { above: Some(self), field: Some(name), index: None }
    }

    /// The entry `index` of the list that is the field here.
    pub(crate) const fn index(self, index: usize) -> Self {
        Here { index: Some(index), ..self }
    }
}

impl From<Here<'_>> for FieldPath {
    fn from(here: Here<'_>) -> Self {
        let mut steps = Vec::new();
        let mut at = Some(&here);
        while let Some(Here { above, field, index }) = at {
            steps.extend(index.map(Step::Index));
            steps.extend(field.map(|name| Step::Field(name.into())));
            at = *above;
        }
        steps.reverse();
        Self(steps)
    }
}

impl From<&Here<'_>> for FieldPath {
    fn from(here: &Here<'_>) -> Self {
        (*here).into()
    }
}

/// Messages are cut to this many bytes: they quote what users write, and users write anything.
const LONGEST_MESSAGE: usize = 500;

/// One problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The kind of problem, with a page of its own.
    pub code: Code,
    /// The field at fault.
    pub path: FieldPath,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Another field that belongs to the problem, and what it has to do with it.
    pub related: Option<(FieldPath, String)>,
}

impl Diagnostic {
    /// A problem of this kind at this field.
    #[must_use]
    pub fn new(code: Code, path: impl Into<FieldPath>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: cut(message.into()), help: None, related: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(cut(help.into()));
        self
    }

    /// With another field that belongs to the problem.
    #[must_use]
    pub fn related(mut self, path: impl Into<FieldPath>, note: impl Into<String>) -> Self {
        self.related = Some((path.into(), note.into()));
        self
    }

    /// Whether this is an error or a warning.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.code, self.path, self.message)
    }
}

/// `text`, or its beginning where it is beyond all reading.
fn cut(mut text: String) -> String {
    if text.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Why a configuration was refused: all its errors, and the warnings beside them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CompileError {
    /// Every problem, in document order; at least one is an error.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.diagnostics.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

/// The declared name that `wanted` was probably meant to be, as help text.
///
/// Near means at most a third of the letters wrong, so that short names do not match everything.
#[must_use]
pub fn did_you_mean<'a>(wanted: &str, declared: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wanted, &mut declared.into_iter()).map(|name| alloc::format!("did you mean `{name}`?"))
}

/// Compiled once, whatever is iterated over.
fn nearest<'a>(wanted: &str, declared: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| text.chars().map(|letter| letter.to_ascii_lowercase()).collect::<Vec<char>>();
    let wanted = letters(wanted);
    let limit = (wanted.len() / 3).max(1);
    let mut nearest = None;
    for name in declared {
        let candidate = letters(name);
        if candidate.len().abs_diff(wanted.len()) <= limit {
            let distance = distance(&wanted, &candidate);
            // Of names that are equally near the first by letters, since some are declared in no order.
            if distance <= limit && nearest.is_none_or(|least| (distance, name) < least) {
                nearest = Some((distance, name));
            }
        }
    }
    nearest.map(|(_, name)| name)
}

/// How many letters must be added, removed, replaced or swapped with their neighbour to make one text of the other
/// (optimal string alignment). No kept library does this without std.
fn distance(one: &[char], other: &[char]) -> usize {
    // Three rows of the table: the one being made, the one before, and the one before that.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current: Vec<usize> = Vec::with_capacity(other.len() + 1);
        current.push(row + 1);
        for (column, against) in other.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(letter != against);
            let mut cost = replaced.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let is_letter = |texts: &[char], at: Option<usize>, letter: &char| at.and_then(|at| texts.get(at)) == Some(letter);
            if is_letter(one, row.checked_sub(1), against) && is_letter(other, column.checked_sub(1), letter) {
                cost = cost.min(at(&before, column.wrapping_sub(1)) + 1);
            }
            current.push(cost);
        }
        before = core::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_and_swaps() {
        let between = |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>());
        for (one, other, edits) in [
            ("", "", 0),
            ("", "ab", 2),
            ("v1", "v1", 0),
            ("v22", "v2", 1),
            ("bta", "beta", 1),
            ("abcd", "acbd", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(between(one, other), edits, "{one} {other}");
            assert_eq!(between(other, one), edits, "{other} {one}");
        }
    }

    #[test]
    fn only_what_is_near_is_meant() {
        assert_eq!(did_you_mean("serivces", ["services", "lanes"]).as_deref(), Some("did you mean `services`?"));
        assert_eq!(did_you_mean("v9", ["beta"]), None);
    }
}
