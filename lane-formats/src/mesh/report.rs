//! What an export or an import could not say, and what to do about it. Kinds have codes of their own, in one row
//! with those of configurations, and pages beside theirs.

use core::{fmt, ops::Range};
use std::collections::HashSet;

use lane_core::diagnostic::{FieldPath, Severity, Step};
use serde_json::{Value, json};

use crate::{
    Places,
    place::{Lines, Span},
};

macro_rules! codes {
    ($($variant:ident = $number:literal, $severity:ident, $title:literal;)*) => {
        /// A kind of note. Numbers are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as printed, for example `LANE0701`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("LANE", $number),)* }
            }

            /// What this kind of note says, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// How much a note of this kind weighs where losses are not asked for.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    // Export
    Lost = "0701", Error, "something that the mesh cannot do";
    Approximated = "0702", Warning, "something that the mesh does almost";
    Assumed = "0703", Warning, "something that must hold besides";
    NothingThere = "0704", Error, "nothing to work on";
    // Import
    UnknownKind = "0711", Error, "resource that is not read";
    UnknownField = "0712", Error, "field that the resource does not have";
    Ignored = "0713", Warning, "field without effect on lanes";
    Unsupported = "0714", Error, "field that lanes cannot say";
    MissingSubset = "0715", Error, "subset that no DestinationRule declares";
    Conflict = "0716", Error, "resources that contradict each other";
    Malformed = "0717", Error, "value that the mesh would refuse";
    MissingReference = "0718", Error, "resource that is referred to and not there";
    Unreachable = "0719", Warning, "route that no request can reach";
}

impl Code {
    /// Whether what is told here changes decisions: an error that `--lossy` makes a warning.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Lost
                | Self::UnknownKind
                | Self::UnknownField
                | Self::Unsupported
                | Self::MissingSubset
                | Self::Conflict
                | Self::MissingReference
        )
    }

    /// The code of this text, in any case, with or without `LANE` before the number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let wanted = text.trim();
        let is = |code: &Self| code.as_str().eq_ignore_ascii_case(wanted) || code.as_str().get(4..) == Some(wanted);
        Self::ALL.iter().copied().find(is)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a note belongs in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the files that were handed over, counted from 0.
    pub file: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The bytes of the text; of a value of many lines those of its first.
    pub range: Range<usize>,
}

/// One thing that a reader of the result must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much it weighs.
    pub severity: Severity,
    /// The kind, with a page of its own.
    pub code: Code,
    /// The field that it is about: of the configuration (export) or of the resource (import).
    pub path: FieldPath,
    /// Where that stands; none for what is about no text.
    pub place: Option<Place>,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place that belongs to it, and what it has to do with it.
    pub related: Option<(Place, String)>,
}

impl Note {
    pub(crate) fn new(code: Code, path: FieldPath, message: impl Into<String>) -> Self {
        Self { severity: code.severity(), code, path, place: None, message: message.into(), help: None, related: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The note as the command's `--json` prints it; `files` are the names of the texts.
    #[must_use]
    pub fn to_json(&self, files: &[&str]) -> Value {
        let place = self.place.as_ref();
        json!({
            "severity": self.severity,
            "code": self.code.as_str(),
            "file": place.and_then(|place| files.get(place.file)),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "path": self.path,
            "message": self.message,
            "help": self.help,
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}: ", place.line, place.column)?;
        }
        write!(f, "{}: ", self.code)?;
        if !self.path.steps().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// Everything that is to be told about an export or an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The notes, in the order in which they were found.
    pub notes: Vec<Note>,
    lossy: bool,
    /// Nothing was asked to be left out.
    unasked: bool,
    /// What was told already.
    told: HashSet<(Code, FieldPath, String)>,
    /// The place in the document of the only group that is exported.
    group: Option<usize>,
}

impl Report {
    pub(crate) fn new(lossy: bool) -> Self {
        Self { lossy, ..Self::default() }
    }

    /// Paths of the first group are those of the group at this place.
    pub(crate) fn keep_places(&mut self, group: Option<usize>) {
        self.group = group;
    }

    /// Adds a note, unless the same was told already.
    pub(crate) fn add(&mut self, mut note: Note) {
        if self.lossy && note.code.is_loss() {
            note.severity = Severity::Warning;
        }
        if let (Some(group), [Step::Field(groups), Step::Index(0), rest @ ..]) = (self.group, note.path.steps()) {
            let mut path = FieldPath::root().field(groups).index(group);
            for step in rest {
                path = match step {
                    Step::Field(name) => path.field(name),
                    Step::Index(index) => path.index(*index),
                };
            }
            note.path = path;
        }
        if self.told.insert((note.code, note.path.clone(), note.message.clone())) {
            self.notes.push(note);
        }
    }

    /// What the mesh cannot do.
    pub(crate) fn lost(&mut self, path: &FieldPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Note::new(Code::Lost, path.clone(), message).help(help));
    }

    /// What the mesh does almost.
    pub(crate) fn approximated(&mut self, path: &FieldPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Note::new(Code::Approximated, path.clone(), message).help(help));
    }

    /// What the mesh cannot do, and was asked to leave out.
    pub(crate) fn left_out(&mut self, path: &FieldPath, message: impl Into<String>, help: impl Into<String>) {
        let lossy = self.lossy;
        self.lossy |= !self.unasked;
        self.lost(path, message, help);
        self.lossy = lossy;
    }

    /// What is left out is lost, whoever asks for it.
    pub(crate) fn nothing_is_asked_for(&mut self) {
        self.unasked = true;
    }

    /// What must hold besides.
    pub(crate) fn assumed(&mut self, path: &FieldPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Note::new(Code::Assumed, path.clone(), message).help(help));
    }

    /// Whether there is an error: then the result is not what was asked for.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Error)
    }

    /// Whether something that changes decisions was left out or changed, asked for or not.
    #[must_use]
    pub fn has_losses(&self) -> bool {
        self.notes.iter().any(|note| note.code.is_loss() || note.code == Code::Approximated)
    }

    /// Finds the notes' places in the text that the configuration was read from, and sorts them by place.
    pub fn locate(&mut self, text: &str, places: &Places) {
        let lines = Lines::new(text);
        for note in &mut self.notes {
            let range = places.range(&note.path);
            note.place = Some(place(&lines, 0, Span::new(range.start, range.end)));
        }
        self.sort();
    }

    pub(crate) fn sort(&mut self) {
        let place = |note: &Note| note.place.as_ref().map(|place| (place.file, place.range.start));
        self.notes.sort_by(|one, other| place(one).cmp(&place(other)).then(one.code.cmp(&other.code)));
    }
}

pub(crate) fn place(lines: &Lines<'_>, file: usize, span: Span) -> Place {
    let (line, column) = lines.position(span.start);
    Place { file, line, column, range: lines.first_line(span) }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".into(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
