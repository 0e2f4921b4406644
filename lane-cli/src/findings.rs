//! Drawing the findings of a configuration as rustc draws its own: code, place, caret, related place, help.

use std::{
    io::{self, Write},
    ops::Range,
};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};
use lane_core::diagnostic::Severity;
use lane_formats::{Located, mesh::Note};

use crate::{paint::count, source::Source};

/// Places farther apart than this many bytes are drawn as two pieces: what lies between need not be looked at.
const NEAR: usize = 4096;

/// A longer line is not drawn.
const LONG_LINE: usize = 1000;

/// What is shown of a long line before the place, in bytes; behind it, twice as much.
const AROUND: usize = 30;

/// What is drawn of a finding, whoever found it.
#[derive(Debug)]
pub struct Picture<'f> {
    severity: Severity,
    code: &'f str,
    /// None for what stands nowhere.
    range: Option<Range<usize>>,
    message: &'f str,
    help: Option<&'f str>,
    related: Option<(Range<usize>, &'f str)>,
}

impl<'f> From<&'f Located> for Picture<'f> {
    fn from(finding: &'f Located) -> Self {
        Self {
            severity: finding.severity,
            code: finding.code.as_str(),
            range: Some(finding.range.clone()),
            message: &finding.message,
            help: finding.help.as_deref(),
            related: finding.related.as_ref().map(|(range, note)| (range.clone(), note.as_str())),
        }
    }
}

impl<'f> From<&'f Note> for Picture<'f> {
    fn from(note: &'f Note) -> Self {
        // A picture shows one file; what belongs to it in another is told by the note's own words.
        let file = note.place.as_ref().map(|place| place.file);
        let related = note.related.as_ref().filter(|(place, _)| Some(place.file) == file);
        Self {
            severity: note.severity,
            code: note.code.as_str(),
            range: note.place.as_ref().map(|place| place.range.clone()),
            message: &note.message,
            help: note.help.as_deref(),
            related: related.map(|(place, text)| (place.range.clone(), text.as_str())),
        }
    }
}

/// Draws each finding, with an empty line after it.
pub fn draw<'f, F>(findings: &'f [F], source: &Source, out: &mut dyn Write, colours: bool) -> io::Result<()>
where
    Picture<'f>: From<&'f F>,
{
    draw_pictures(findings.iter().map(Picture::from), source, out, colours)
}

/// Draws each picture, with an empty line after it.
pub fn draw_pictures<'f>(
    pictures: impl IntoIterator<Item = Picture<'f>>,
    source: &Source,
    out: &mut dyn Write,
    colours: bool,
) -> io::Result<()> {
    let mut pictures = pictures.into_iter().peekable();
    if pictures.peek().is_none() {
        return Ok(());
    }
    let text = source.text();
    let page = Page::new(&source.name, &text);
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    for picture in pictures {
        writeln!(out, "{}\n", page.draw(&picture, &renderer))?;
    }
    Ok(())
}

/// `2 errors, 1 warning`, or `ok`.
#[must_use]
pub fn summary(findings: &[Located]) -> String {
    summary_of(findings.iter().map(|finding| finding.severity))
}

/// The same from the weights alone.
pub fn summary_of(severities: impl IntoIterator<Item = Severity>) -> String {
    let (mut errors, mut warnings) = (0, 0);
    severities.into_iter().for_each(|severity| match severity {
        Severity::Error => errors += 1,
        Severity::Warning => warnings += 1,
    });
    match (errors, warnings) {
        (0, 0) => "ok".into(),
        (0, _) => count(warnings, "warning"),
        (_, 0) => count(errors, "error"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

/// A document and where its lines begin.
struct Page<'a> {
    name: &'a str,
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Page<'a> {
    fn new(name: &'a str, text: &'a str) -> Self {
        // A byte-order mark stands in no column.
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let lines = std::iter::once(first).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1)).collect();
        Self { name, text, lines }
    }

    fn draw(&self, finding: &Picture<'_>, renderer: &Renderer) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let help = finding.help.map(normalize_untrusted_str);
        let title = level.primary_title(finding.message).id(finding.code);
        let mut group = Group::with_title(title);
        let Some(range) = finding.range.clone() else {
            if let Some(help) = &help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            return renderer.render(&[group]);
        };
        let primary = self.within(range);
        let related = finding.related.as_ref().map(|(range, note)| (self.within(range.clone()), normalize_untrusted_str(note)));
        match &related {
            Some((range, note)) if self.drawn_together(&primary, range) => {
                let window = self.window(primary.start.min(range.start)..primary.end.max(range.end));
                let mark = AnnotationKind::Primary.span(window.inside(&primary));
                let other = AnnotationKind::Context.span(window.inside(range)).label(note.as_str());
                group = group.element(window.snippet().path(self.name).annotation(mark).annotation(other));
            }
            _ => {
                group = self.piece(group, &primary, None, AnnotationKind::Primary);
                if let Some((range, note)) = &related {
                    group = self.piece(group, range, Some(note), AnnotationKind::Context);
                }
            }
        }
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// Adds one place with its line.
    fn piece<'g>(&'g self, group: Group<'g>, range: &Range<usize>, note: Option<&'g str>, kind: AnnotationKind) -> Group<'g> {
        if !self.in_long_line(range) {
            let window = self.window(range.clone());
            let mark = kind.span(window.inside(range)).label(note);
            return group.element(window.snippet().path(self.name).annotation(mark));
        }
        // A caret far to the right of a screen helps nobody: the place in figures, and its neighbourhood in words.
        let (line, column) = self.position(range.start);
        let around = normalize_untrusted_str(&self.neighbourhood(range));
        let around = note.map_or_else(|| format!("in `{around}`"), |note| format!("{note}: `{around}`"));
        group.element(Origin::path(self.name).line(line).char_column(column)).element(Level::NOTE.message(around))
    }

    /// The lines that the range touches.
    fn window(&self, range: Range<usize>) -> Window<'a> {
        let line = self.line(range.start);
        let start = self.line_start(line);
        let end = self.line_end(self.line(range.end));
        Window { text: self.text.get(start..end).unwrap_or_default(), start, line }
    }

    /// The beginning of the range and what stands around it in its line.
    fn neighbourhood(&self, range: &Range<usize>) -> String {
        let line = self.line(range.start);
        let (first, last) = (self.line_start(line), self.line_end(line));
        let start = self.border(first.max(range.start.saturating_sub(AROUND)));
        let end = self.border(last.min(range.start + 2 * AROUND));
        let cut = |away: bool| if away { "…" } else { "" };
        format!("{}{}{}", cut(start > first), self.text.get(start..end).unwrap_or_default(), cut(end < last))
    }

    /// The range, kept inside the text, on letters' borders, and inside one line: a caret under a whole block says less.
    fn within(&self, range: Range<usize>) -> Range<usize> {
        let start = self.border(range.start);
        let end = self.border(range.end.max(start));
        start..end.min(self.line_end(self.line(start))).max(start)
    }

    /// The border between letters at the offset, or the next one behind it.
    fn border(&self, offset: usize) -> usize {
        (offset..self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(self.text.len())
    }

    /// Whether both places fit into one picture.
    fn drawn_together(&self, one: &Range<usize>, other: &Range<usize>) -> bool {
        one.start.abs_diff(other.start) <= NEAR && !self.in_long_line(one) && !self.in_long_line(other)
    }

    fn in_long_line(&self, range: &Range<usize>) -> bool {
        let line = self.line(range.start);
        self.line_end(line) - self.line_start(line) > LONG_LINE
    }

    /// The line that holds the offset, counted from 0.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or_default()
    }

    /// Where the line ends, its line break not counted.
    fn line_end(&self, line: usize) -> usize {
        let start = self.line_start(line);
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end).unwrap_or_default();
        start + text.strip_suffix('\r').unwrap_or(text).len()
    }

    /// Line and column of an offset, counted from 1, columns in characters.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let before = self.text.get(self.line_start(line)..offset).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }
}

/// Whole lines of a document, cut out so that drawing does not read all of it.
struct Window<'a> {
    text: &'a str,
    start: usize,
    /// Counted from 0.
    line: usize,
}

impl<'a> Window<'a> {
    fn snippet<T: Clone>(&self) -> Snippet<'a, T> {
        Snippet::source(self.text).line_start(self.line + 1)
    }

    fn inside(&self, range: &Range<usize>) -> Range<usize> {
        let at = |offset: usize| offset.saturating_sub(self.start).min(self.text.len());
        at(range.start)..at(range.end)
    }
}
