//! Places as JavaScript counts them: strings there are UTF-16, and an offset is a number of 16-bit units.

use core::ops::Range;

use lane_core::diagnostic::{Code, FieldPath, Severity};
use lane_formats::Located;
use serde::Serialize;

/// A problem of a configuration; the wrapper adds the file's name.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnostic {
    severity: Severity,
    code: Code,
    line: usize,
    column: usize,
    path: FieldPath,
    message: String,
    help: Option<String>,
    start: usize,
    end: usize,
    related: Option<Related>,
}

/// Another place that belongs to a problem.
#[derive(Debug, Serialize)]
struct Related {
    start: usize,
    end: usize,
    message: String,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    start: usize,
    end: usize,
    line: usize,
    end_line: usize,
}

#[cfg(feature = "mesh")]
impl Span {
    /// Of the first unit, and behind the last.
    pub(crate) fn offsets(&self) -> (usize, usize) {
        (self.start, self.end)
    }
}

/// So many bytes are between two offsets that are remembered.
const STRIDE: usize = 128;

/// A text whose offsets are asked for.
pub(crate) struct Text<'t> {
    text: &'t str,
    /// The 16-bit units, and the lines ended, before every byte that is a multiple of [`STRIDE`].
    counts: Vec<Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    units: usize,
    lines: usize,
}

impl<'t> Text<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut counts = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut before = Counts::default();
        for (index, chunk) in text.as_bytes().chunks(STRIDE).enumerate() {
            counts.push(before);
            before = before.and(chunk, text.as_bytes().get((index + 1) * STRIDE));
        }
        if counts.is_empty() {
            counts.push(before);
        }
        Self { text, counts }
    }

    /// What stands before a byte.
    fn before(&self, offset: usize) -> Counts {
        let offset = offset.min(self.text.len());
        let index = (offset / STRIDE).min(self.counts.len().saturating_sub(1));
        let counts = self.counts.get(index).copied().unwrap_or_default();
        let bytes = self.text.as_bytes();
        counts.and(bytes.get(index * STRIDE..offset).unwrap_or_default(), bytes.get(offset))
    }

    /// The part of the text between two bytes.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let (start, end) = (self.before(range.start), self.before(range.end));
        // Of a part that ends with a line, the last character is what stands before the break.
        let inside = self.text.get(range.clone()).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let last = self.before(range.start + inside.len());
        Span { start: start.units, end: end.units, line: start.lines + 1, end_line: last.lines + 1 }
    }

    pub(crate) fn diagnostics(&self, findings: Vec<Located>) -> Vec<Diagnostic> {
        findings.into_iter().map(|finding| self.diagnostic(finding)).collect()
    }

    fn diagnostic(&self, finding: Located) -> Diagnostic {
        let units = |offset| self.before(offset).units;
        let related = |(range, message): (Range<usize>, String)| Related { start: units(range.start), end: units(range.end), message };
        Diagnostic {
            severity: finding.severity,
            code: finding.code,
            line: finding.line,
            column: finding.column,
            path: finding.path,
            message: finding.message,
            help: finding.help,
            start: units(finding.range.start),
            end: units(finding.range.end),
            related: finding.related.map(related),
        }
    }
}

impl Counts {
    /// These, and what stands in some bytes of UTF-8 behind them, up to `next`. Lines end as YAML's do: at `\n`, `\r\n`, or a lone `\r`.
    fn and(mut self, bytes: &[u8], next: Option<&u8>) -> Self {
        let following = bytes.iter().skip(1).chain(next).map(Some).chain([None]);
        for (byte, following) in bytes.iter().zip(following) {
            // A character is counted at its first byte; one of four bytes is two units.
            self.units += usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0);
            self.lines += usize::from(*byte == b'\n' || (*byte == b'\r' && following != Some(&b'\n')));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_javascript() {
        let line = "a: \u{e4}\u{20ac}\u{1f600}x\r\n";
        let text = line.repeat(500);
        let known = Text::new(&text);
        for (offset, _) in text.char_indices() {
            let (before, _) = text.split_at(offset);
            assert_eq!(known.before(offset).units, before.encode_utf16().count());
            assert_eq!(known.before(offset).lines, before.matches('\n').count());
        }
        assert_eq!(known.before(usize::MAX).units, text.encode_utf16().count());
    }

    #[test]
    fn a_span_ends_on_the_line_of_its_last_character() {
        let text = Text::new("a\rb\r\nc\n\n");
        assert_eq!(text.span(0..1), Span { start: 0, end: 1, line: 1, end_line: 1 });
        assert_eq!(text.span(2..7), Span { start: 2, end: 7, line: 2, end_line: 3 });
        assert_eq!(text.span(2..8), Span { start: 2, end: 8, line: 2, end_line: 3 });
        assert_eq!(text.span(5..5), Span { start: 5, end: 5, line: 3, end_line: 3 });
        assert_eq!(Text::new("").span(0..0), Span { start: 0, end: 0, line: 1, end_line: 1 });
    }
}
