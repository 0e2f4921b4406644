//! Where in a text something stands, for people: lines and columns from byte offsets, and findings that carry
//! them. Drawing a finding is the front-end's business.

use core::ops::Range;

use lane_core::diagnostic::{Code, FieldPath, Severity};
use serde_json::{Value, json};

/// Bytes of a text, from start to before end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) const fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// The part of the span on its first line: enough to point at a map or a list of many lines.
    fn first_line(self, text: &str) -> Range<usize> {
        let inside = text.get(self.start..self.end).unwrap_or_default();
        let line = inside.split(['\n', '\r']).next().unwrap_or_default();
        self.start..self.start + line.trim_end().len()
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A finding before its lines are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) path: FieldPath,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) related: Option<(Span, String)>,
}

impl Finding {
    pub(crate) fn new(code: Code, span: Span, path: FieldPath, message: impl Into<String>) -> Self {
        Self { code, span, path, message: message.into(), help: None, related: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(crate) fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related = Some((span, note.into()));
        self
    }
}

/// A finding with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// How much it weighs.
    pub severity: Severity,
    /// The kind of problem, with a page of its own.
    pub code: Code,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The bytes of the text at fault; of a value of many lines those of its first.
    pub range: Range<usize>,
    /// The field at fault.
    pub path: FieldPath,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place that belongs to the problem, and what it has to do with it.
    pub related: Option<(Range<usize>, String)>,
}

impl Located {
    /// The finding as `lane check --json` prints it; `file` is the name under which the text is known.
    #[must_use]
    pub fn to_json(&self, file: Option<&str>) -> Value {
        json!({
            "severity": self.severity,
            "code": self.code,
            "file": file,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message,
            "help": self.help,
        })
    }
}

impl core::fmt::Display for Located {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}: {}: ", self.line, self.column, self.code)?;
        if !self.path.steps().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// A text that counts its lines once.
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        // A byte-order mark stands in no column.
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut starts = vec![first];
        // YAML breaks lines at a lone carriage return too.
        let breaks = |position: usize, byte: u8| byte == b'\n' || (byte == b'\r' && bytes.get(position + 1) != Some(&b'\n'));
        starts.extend(bytes.iter().enumerate().filter(|(position, byte)| breaks(*position, **byte)).map(|(position, _)| position + 1));
        Self { text, starts }
    }

    /// Line and column, from 1, of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        (line, 1 + self.characters(self.start(line), offset))
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line - 1).copied().unwrap_or_default()
    }

    fn characters(&self, from: usize, to: usize) -> usize {
        let bytes = self.text.as_bytes().get(from..to.min(self.text.len())).unwrap_or_default();
        // Bytes that do not begin a character are not counted, so any offset will do.
        bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
    }

    /// The part of a span on its first line.
    #[cfg(feature = "mesh")]
    pub(crate) fn first_line(&self, span: Span) -> Range<usize> {
        span.first_line(self.text)
    }

    /// Findings with their places, sorted by place, each once.
    pub(crate) fn locate_all(&self, mut findings: Vec<Finding>) -> Vec<Located> {
        let place = |finding: &Finding| (finding.span, finding.code);
        findings.sort_by(|left, right| place(left).cmp(&place(right)).then_with(|| left.path.cmp(&right.path)));
        // What an alias repeats is wrong in one place.
        findings.dedup_by(|later, earlier| place(later) == place(earlier) && later.message == earlier.message);
        // Columns are counted on from the finding before: a document may be one long line.
        let mut before = (self.start(1), 1, 1);
        let locate = |finding: Finding| {
            let (offset, line, column) = before;
            let here = self.line(finding.span.start);
            let column =
                if here == line { column + self.characters(offset, finding.span.start) } else { self.position(finding.span.start).1 };
            before = (finding.span.start.max(self.start(1)), here, column);
            Located {
                severity: finding.code.severity(),
                code: finding.code,
                line: here,
                column,
                range: finding.span.first_line(self.text),
                path: finding.path,
                message: finding.message,
                help: finding.help,
                related: finding.related.map(|(span, note)| (span.first_line(self.text), note)),
            }
        };
        findings.into_iter().map(locate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_break_as_in_yaml() {
        let text = "\u{feff}ä: 1\r\nb: ü2\rc: 3\n";
        let lines = Lines::new(text);
        let position = |wanted: &str| text.find(wanted).map(|offset| lines.position(offset));
        assert_eq!(position("ä"), Some((1, 1)));
        assert_eq!(position("1"), Some((1, 4)));
        assert_eq!(position("2"), Some((2, 5)));
        assert_eq!(position("c"), Some((3, 1)));
        assert_eq!(lines.position(text.len() + 9), (4, 1));
    }

    #[test]
    fn a_finding_of_many_lines_points_at_its_first() {
        let text = "a:\n  - b: 1  \n    c: 2\n";
        let finding = Finding::new(Code::WrongType, Span::new(7, 22), FieldPath::root().field("a"), "no").help("yes");
        let again = finding.clone();
        let located = Lines::new(text).locate_all(vec![finding, again]);
        let [located] = located.as_slice() else { unreachable!("the same finding is reported once") };
        assert_eq!((located.range.clone(), located.line, located.column), (7..11, 2, 5));
        let json = located.to_json(Some("f.yaml")).to_string();
        let wanted = r#"{"severity":"error","code":"LANE0004","file":"f.yaml","line":2,"column":5,"path":"a","message":"no","help":"yes"}"#;
        assert_eq!(json, wanted);
        assert_eq!(located.to_string(), "2:5: LANE0004: a: no (yes)");
    }
}
