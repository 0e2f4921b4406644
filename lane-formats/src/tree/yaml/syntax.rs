//! The YAML scanner's errors as messages that say what to do. The common slips have their own words; the rest
//! is passed on as the scanner puts it.

use core::ops::Range;

use lane_core::diagnostic::Code;
use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use crate::{
    place::{Lines, Span},
    shape::words::short,
    tree::Failure,
};

/// What a scanner's error means; `open` is the innermost list or map that is not closed yet.
pub(crate) fn explain(text: &str, open: Option<Span>, error: &ScanError) -> Failure {
    let start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let end = start + rest.chars().next().filter(|next| !next.is_control()).map_or(0, char::len_utf8);
    let at = Span::new(start, end);
    let here = |message: &str| Failure::new(Code::Syntax, at, message);
    // What is open is where one has to look, not the end of the file.
    let opened =
        |closing: char| Failure::new(Code::Syntax, open.unwrap_or(at), format!("the `{closing}` that ends what begins here is missing"));
    match error.kind() {
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::UnclosedFlowCollection { open: '[' } => opened(']'),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping | ErrorKind::UnclosedFlowCollection { .. } => {
            opened('}')
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => here(&format!("`{close}` ends what `{open}` began")),
        ErrorKind::MisplacedFlowCollectionEnd => {
            here("a closing bracket stands where nothing is open").help("text that begins with a bracket is quoted")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => here("expected `,` or `]`").help("text that holds `,`, `: ` or brackets is quoted"),
        ErrorKind::ExpectedFlowMappingSeparator => here("expected `,` or `}`").help("text that holds `,`, `: ` or brackets is quoted"),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            // The scanner may have passed the tab, or still stand on the line before it.
            let before = text.get(..start).unwrap_or_default();
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            let passed = before.get(line..).and_then(|line| line.find('\t')).map(|tab| line + tab);
            let tab = passed.unwrap_or_else(|| start + rest.find('\t').unwrap_or_default());
            Failure::new(Code::Syntax, Span::new(tab, tab + 1), "a tab stands where YAML wants spaces").help("indent with spaces")
        }
        ErrorKind::UnknownAnchor => {
            let word = rest.split([' ', ',', ']', '}', '\n', '\r', '\t']).next().unwrap_or_default();
            let span = Span::new(start, start + word.len());
            let word = short(word);
            let failure = Failure::new(Code::Syntax, span, format!("the alias `{word}` repeats nothing that is anchored before it"));
            failure.help(format!("text that begins with `*` is quoted: `\"{word}\"`"))
        }
        ErrorKind::MissingAnchorOrAliasName => here("a `*` or `&` stands alone").help("quote it: `\"*\"`"),
        ErrorKind::UnclosedQuotedScalar => here("the quote that begins here is not closed"),
        ErrorKind::InvalidQuotedScalarIndent => {
            here("text in quotes goes on in a line that is not indented").help("perhaps a quote above is not closed")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            let escape = unknown_escape(rest).unwrap_or_default();
            let at = Span::new(start + escape.start, start + escape.end);
            let failure = Failure::new(Code::Syntax, at, format!("`{}` is no escape", rest.get(escape).unwrap_or_default()));
            failure.help("in double quotes `\\` begins an escape; write regular expressions in single quotes")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            here("text stands behind a closing quote").help("quote all of it, or nothing")
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::BlockSequenceEntryNotAllowed => here("this line does not fit the lines above it").help("check how far it is indented"),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            here("expected a key with `:` after it").help("check how far this line and the one before it are indented")
        }
        ErrorKind::MappingKeyNotAllowed => here("a key stands inside a value").help("text that holds `: ` is quoted"),
        ErrorKind::UnexpectedCharacter { character } => {
            here(&format!("text cannot begin with `{}`", character.escape_debug())).help("quote the text")
        }
        ErrorKind::RecursionLimitExceeded => Failure::too_deep(at),
        _ => {
            let failure = here(&format!("this is not YAML: {}", error.info()));
            let bracket = open.filter(|open| text.get(open.start..).is_some_and(|rest| rest.starts_with(['[', '{'])));
            match bracket {
                Some(open) => {
                    failure.help(format!("perhaps the bracket in line {} is not closed", Lines::new(text).position(open.start).0))
                }
                None => failure,
            }
        }
    }
}

/// The first escape in a text in double quotes that YAML does not have.
fn unknown_escape(quoted: &str) -> Option<Range<usize>> {
    let mut characters = quoted.char_indices();
    while let Some((start, character)) = characters.next() {
        if character == '\\' {
            let (at, escaped) = characters.next()?;
            if !"0abt\tnvfe \"/\\N_LPxuU\n\r".contains(escaped) {
                return Some(start..at + escaped.len_utf8());
            }
        }
    }
    None
}
