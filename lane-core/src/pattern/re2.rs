//! RE2's language, seen through the parser of `regex-syntax` (S9). A pattern that RE2 refuses, or that the two
//! would read differently, is refused; the one difference that every second pattern meets, `\s` without the
//! vertical tab, is rewritten.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::String,
    vec::Vec,
};

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, FlagsItemKind, GroupKind, HexLiteralKind,
    Literal, LiteralKind, RepetitionKind, RepetitionRange, Span,
};

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong, with the piece of the pattern in backticks.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<&'static str>,
}

/// RE2's bound on counted repetition, nested ones multiplied.
const MAX_REPEAT: u32 = 1000;

/// RE2's `\s`, for use inside brackets.
const SPACE: &str = r"\t\n\x0C\r ";
/// All other bytes.
const NOT_SPACE: &str = r"\x00-\x08\x0B\x0E-\x1F\x21-\xFF";

/// A pattern as the engine's library is to read it.
#[derive(Debug)]
pub(crate) struct Checked<'p> {
    /// The pattern, rewritten where the library would read it differently; where `is_apart`, what of it stands behind `prefix`.
    pub(crate) pattern: Cow<'p, str>,
    /// Whether the pattern means the same when the prefix is compared apart: many patterns differ in the prefix
    /// only, and then share all the rest.
    pub(crate) is_apart: bool,
    /// What the pattern says, where that needs no regular expression.
    pub(crate) plain: Option<Plain>,
    /// The text with which everything that it matches begins.
    pub(crate) prefix: String,
    /// A text that everything that it matches holds: the longest found, or nothing.
    pub(crate) required: String,
    /// Whether it may share an automaton with others: at most one part repeats without end over nearly any
    /// byte. The states of two such parts in each of many expressions multiply.
    pub(crate) shares: bool,
}

/// A pattern that is a plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// The pattern matches this text only.
    Exact(String),
    /// The pattern matches what begins so.
    Prefix(String),
}

/// Checks a pattern, and rewrites what must be.
pub(crate) fn check(pattern: &str) -> Result<Checked<'_>, Refusal> {
    if pattern.is_empty() {
        return Err(Refusal {
            message: "the regular expression is empty".to_owned(),
            help: Some("write `exact: \"\"` for the empty value"),
        });
    }
    let tree = ast::parse::Parser::new().parse(pattern).map_err(|error| Refusal {
        message: format!("`{}`: {}", pattern.get(error.span().start.offset..error.span().end.offset).unwrap_or(pattern), error.kind()),
        help: help_for(error.kind()),
    })?;
    let mut checker = Checker { pattern, edits: Vec::new() };
    checker.ast(&tree, MAX_REPEAT)?;
    let (prefix, behind) = prefix(&tree);
    let is_apart = behind.is_some();
    let shares = floating_parts(&tree) <= 1;
    let required = required(&tree);
    Ok(Checked { pattern: checker.rewritten(behind.unwrap_or(0)), is_apart, plain: plain(&tree), prefix, required, shares })
}

fn help_for(error: &ast::ErrorKind) -> Option<&'static str> {
    match error {
        ast::ErrorKind::UnsupportedLookAround => Some("RE2 has no look-around; use the wrapper `not`, or several conditions"),
        ast::ErrorKind::UnsupportedBackreference => Some("RE2 has no back-references"),
        ast::ErrorKind::EscapeUnrecognized => Some("to mean the character itself, leave the `\\` out"),
        ast::ErrorKind::RepetitionMissing => Some("put a `\\` before an operator that is meant as a character"),
        _ => None,
    }
}

struct Checker<'p> {
    pattern: &'p str,
    /// Pieces to replace, in order.
    edits: Vec<(Span, String)>,
}

impl<'p> Checker<'p> {
    fn refuse<T>(&self, span: &Span, message: &str, help: Option<&'static str>) -> Result<T, Refusal> {
        Err(Refusal { message: format!("`{}`: {message}", self.text(span)), help })
    }

    fn text(&self, span: &Span) -> &'p str {
        self.pattern.get(span.start.offset..span.end.offset).unwrap_or(self.pattern)
    }

    /// Checks a piece of the pattern inside which counted repetition may still multiply by `budget`.
    fn ast(&mut self, tree: &Ast, budget: u32) -> Result<(), Refusal> {
        match tree {
            Ast::Empty(_) | Ast::Dot(_) => Ok(()),
            Ast::Flags(flags) => self.flags(&flags.flags),
            Ast::Literal(literal) => self.literal(literal, false),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::EndText
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => Ok(()),
                _ => self.refuse(&assertion.span, "RE2 has no such assertion", Some("`\\b` is RE2's word boundary")),
            },
            Ast::ClassUnicode(class) => self.refuse(
                &class.span,
                "matching is on bytes, Unicode classes are not supported",
                Some("name the ASCII characters that are meant"),
            ),
            Ast::ClassPerl(class) => {
                self.perl(class, |space| format!("[{space}]"));
                Ok(())
            }
            Ast::ClassBracketed(class) => match &class.kind {
                ClassSet::Item(item) => self.class_item(item),
                ClassSet::BinaryOp(op) => self.refuse(
                    &op.span,
                    "RE2 has no set operations in classes",
                    Some("put a `\\` before characters that are meant as such"),
                ),
            },
            Ast::Repetition(repetition) => self.repetition(repetition, budget),
            Ast::Group(group) => {
                match &group.kind {
                    GroupKind::NonCapturing(flags) => self.flags(flags)?,
                    GroupKind::CaptureName { name, .. } if !name.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                        self.refuse(&name.span, "group names are ASCII letters, digits and `_`", None)?;
                    }
                    GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => {}
                }
                self.ast(&group.ast, budget)
            }
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|tree| self.ast(tree, budget)),
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|tree| self.ast(tree, budget)),
        }
    }

    fn flags(&self, flags: &Flags) -> Result<(), Refusal> {
        let unknown = flags.items.iter().find(|item| match item.kind {
            FlagsItemKind::Negation => false,
            FlagsItemKind::Flag(flag) => {
                !matches!(flag, Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed)
            }
        });
        match unknown {
            Some(item) => self.refuse(&item.span, "RE2 has no such flag", Some("RE2's flags are `i`, `m`, `s` and `U`")),
            None => Ok(()),
        }
    }

    fn literal(&self, literal: &Literal, in_class: bool) -> Result<(), Refusal> {
        match literal.kind {
            LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
            | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
                self.refuse(&literal.span, "RE2 has no such escape", Some("write the character itself, or its bytes as `\\xHH`"))
            }
            LiteralKind::HexBrace(HexLiteralKind::X) if !literal.c.is_ascii() => {
                self.refuse(&literal.span, "matching is on bytes", Some("write the character's bytes as `\\xHH`"))
            }
            _ if in_class && !literal.c.is_ascii() => self.refuse(
                &literal.span,
                "matching is on bytes, a character beyond ASCII cannot stand in a class",
                Some("write an alternation, for example `(?:a|é)`"),
            ),
            _ => Ok(()),
        }
    }

    fn class_item(&mut self, item: &ClassSetItem) -> Result<(), Refusal> {
        match item {
            ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) => Ok(()),
            ClassSetItem::Literal(literal) => self.literal(literal, true),
            ClassSetItem::Range(range) => {
                self.literal(&range.start, true)?;
                self.literal(&range.end, true)
            }
            ClassSetItem::Unicode(class) => self.refuse(&class.span, "matching is on bytes, Unicode classes are not supported", None),
            ClassSetItem::Perl(class) => {
                self.perl(class, str::to_owned);
                Ok(())
            }
            ClassSetItem::Bracketed(class) => {
                self.refuse(&class.span, "RE2 has no class inside a class", Some("write `\\[` where the bracket itself is meant"))
            }
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.class_item(item)),
        }
    }

    /// `\s` has the vertical tab for the library and not for RE2: it is written out.
    fn perl(&mut self, class: &ClassPerl, wrap: impl Fn(&str) -> String) {
        if class.kind == ClassPerlKind::Space {
            self.edits.push((class.span, wrap(if class.negated { NOT_SPACE } else { SPACE })));
        }
    }

    fn repetition(&mut self, repetition: &ast::Repetition, budget: u32) -> Result<(), Refusal> {
        let op = &repetition.op;
        if let Ast::Repetition(_) = *repetition.ast {
            return self.refuse(&repetition.span, "RE2 refuses a repetition of a repetition", Some("put the inner one into `(?:…)`"));
        }
        if let Ast::Literal(literal) = &*repetition.ast
            && !literal.c.is_ascii()
        {
            let help = "put the character into `(?:…)`";
            return self.refuse(&repetition.span, "matching is on bytes, only the character's last byte would repeat", Some(help));
        }
        let mut budget = budget;
        if let RepetitionKind::Range(range) = &op.kind {
            let digits = self.text(&op.span).trim_end_matches('?');
            if digits.starts_with("{,") || !digits.bytes().all(|byte| byte.is_ascii_digit() || b"{,}".contains(&byte)) {
                let help = "write the lower bound, for example `{0,3}`, or `\\{` for the brace itself";
                return self.refuse(&op.span, "RE2 reads this as plain text", Some(help));
            }
            let (min, most) = match *range {
                RepetitionRange::Exactly(count) => (count, count),
                RepetitionRange::AtLeast(min) => (min, min),
                RepetitionRange::Bounded(min, max) => (min, max),
            };
            if min.max(most) > MAX_REPEAT {
                return self.refuse(&op.span, "RE2 counts to 1000 at most", None);
            }
            budget /= most.max(1);
            if budget == 0 {
                return self.refuse(&repetition.span, "RE2 counts to 1000 at most, nested repetitions multiplied", None);
            }
        }
        self.ast(&repetition.ast, budget)
    }

    /// The pattern from an offset on, behind which all edits are.
    fn rewritten(&self, from: usize) -> Cow<'p, str> {
        if self.edits.is_empty() {
            return Cow::Borrowed(self.pattern.get(from..).unwrap_or_default());
        }
        let mut rewritten = String::new();
        let mut done = from;
        for (span, text) in &self.edits {
            rewritten.push_str(self.pattern.get(done..span.start.offset).unwrap_or_default());
            rewritten.push_str(text);
            done = span.end.offset;
        }
        rewritten.push_str(self.pattern.get(done..).unwrap_or_default());
        Cow::Owned(rewritten)
    }
}

/// The plain text that the pattern says, if it is one: literals, perhaps between `^` and `$`, perhaps with `.*` at the end.
fn plain(tree: &Ast) -> Option<Plain> {
    let parts = match tree {
        Ast::Concat(concat) => &concat.asts[..],
        Ast::Literal(_) => core::slice::from_ref(tree),
        _ => return None,
    };
    let is = |part: &Ast, kind: AssertionKind| matches!(part, Ast::Assertion(assertion) if assertion.kind == kind);
    let parts = match parts {
        [first, rest @ ..] if is(first, AssertionKind::StartLine) => rest,
        _ => parts,
    };
    let (parts, anchored) = match parts {
        [rest @ .., last] if is(last, AssertionKind::EndLine) => (rest, true),
        _ => (parts, false),
    };
    let is_any = |part: &Ast| {
        matches!(part, Ast::Repetition(repetition)
            if matches!(*repetition.ast, Ast::Dot(_)) && matches!(repetition.op.kind, RepetitionKind::ZeroOrMore))
    };
    let (parts, prefix) = match parts {
        [rest @ .., last] if is_any(last) && !anchored => (rest, true),
        _ => (parts, false),
    };
    let mut text = String::new();
    for part in parts {
        match part {
            Ast::Literal(literal) if literal.c.is_ascii() => text.push(literal.c),
            _ => return None,
        }
    }
    if text.is_empty() {
        return None;
    }
    Some(if prefix { Plain::Prefix(text) } else { Plain::Exact(text) })
}

/// The literals at the beginning of a pattern, and where the pattern goes on behind them if that part means the same alone.
fn prefix(tree: &Ast) -> (String, Option<usize>) {
    let parts = match tree {
        Ast::Concat(concat) => &concat.asts[..],
        tree => core::slice::from_ref(tree),
    };
    let is_start = |part: &Ast| matches!(part, Ast::Assertion(assertion) if assertion.kind == AssertionKind::StartLine);
    let anchors = parts.iter().take_while(|part| is_start(part)).count();
    let literals = parts.iter().skip(anchors).map_while(|part| match part {
        Ast::Literal(literal) if literal.c.is_ascii() => Some(literal.c),
        _ => None,
    });
    let prefix: String = literals.collect();
    let behind = parts.get(anchors + prefix.len()..).unwrap_or_default();
    let stands_alone = !prefix.is_empty() && !behind.iter().any(looks_back);
    let offset = behind.first().map_or(tree.span().end.offset, |part| part.span().start.offset);
    (prefix, stands_alone.then_some(offset))
}

/// The longest run of literals that every match holds, as far as a look at the parts in a row tells.
fn required(tree: &Ast) -> String {
    let parts = match tree {
        Ast::Concat(concat) => &concat.asts[..],
        tree => core::slice::from_ref(tree),
    };
    // Flags change what literals mean, from where they stand on.
    if parts.iter().any(|part| matches!(part, Ast::Flags(_))) {
        return String::new();
    }
    let longer = |one: String, other: String| if other.len() > one.len() { other } else { one };
    let (mut longest, mut run) = (String::new(), String::new());
    for part in parts {
        match part {
            Ast::Literal(literal) if literal.c.is_ascii() => run.push(literal.c),
            Ast::Group(group) if group.flags().is_none_or(|flags| flags.items.is_empty()) => {
                longest = longer(longer(longest, core::mem::take(&mut run)), required(&group.ast));
            }
            _ => longest = longer(longest, core::mem::take(&mut run)),
        }
    }
    longer(longest, run)
}

/// Whether what a piece matches may depend on what stands before it.
fn looks_back(tree: &Ast) -> bool {
    match tree {
        Ast::Assertion(assertion) => !matches!(assertion.kind, AssertionKind::EndLine | AssertionKind::EndText),
        Ast::Repetition(repetition) => looks_back(&repetition.ast),
        Ast::Group(group) => looks_back(&group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().any(looks_back),
        Ast::Concat(concat) => concat.asts.iter().any(looks_back),
        _ => false,
    }
}

/// How many parts of a pattern repeat without end over nearly any byte.
fn floating_parts(tree: &Ast) -> usize {
    match tree {
        Ast::Repetition(repetition) => {
            let endless = match &repetition.op.kind {
                RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => true,
                RepetitionKind::Range(range) => matches!(range, RepetitionRange::AtLeast(_)),
                RepetitionKind::ZeroOrOne => false,
            };
            let inner = floating_parts(&repetition.ast);
            // What stands inside an endless repetition counts as often as it likes.
            if endless && (inner > 0 || is_broad(&repetition.ast)) { inner * 2 + 1 } else { inner }
        }
        Ast::Group(group) => floating_parts(&group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().map(floating_parts).sum(),
        Ast::Concat(concat) => concat.asts.iter().map(floating_parts).sum(),
        _ => 0,
    }
}

/// Whether a piece matches most single bytes.
fn is_broad(tree: &Ast) -> bool {
    match tree {
        Ast::Dot(_) => true,
        Ast::ClassPerl(class) => class.negated,
        Ast::ClassBracketed(class) => class.negated,
        Ast::Group(group) => is_broad(&group.ast),
        _ => false,
    }
}

impl Plain {
    /// How the same is written without a regular expression.
    pub(crate) fn suggestion(&self) -> String {
        match self {
            Self::Exact(text) => format!("exact: {text:?}"),
            Self::Prefix(text) => format!("prefix: {text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_re2_refuses_or_reads_differently_is_refused() {
        for pattern in [
            "",
            "(?=a)",
            "(?<!a)b",
            r"(a)\1",
            "(?x)a",
            "(?u)a",
            "(?R)a",
            r"\u0041",
            r"\x{e9}",
            "[é]",
            r"[\xe9]",
            "é*",
            "a**",
            "a+*",
            "a{2}{3}",
            "a{,3}",
            "a{ 2 }",
            "a{1001}",
            "(?:a{100}){100}",
            "[a&&b]",
            r"[\w--a]",
            "[a[b]]",
            r"\pN",
            r"\<a",
            r"\b{start}",
            r"\Qa\E",
            r"\C",
            r"\Z",
            "{",
            "a{",
            "(?P<a.b>x)",
            "(",
            "[z-a]",
            r"\8",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn what_both_read_alike_is_kept() {
        for pattern in [
            "/a|/ab",
            r"\d+\w*\b",
            "(?i)a",
            "(?i:a)b",
            "[^a-z]",
            r"\x41",
            r"\xE9",
            "é",
            "(?:é)*",
            "[[:alpha:]]",
            "a{2,5}?",
            "(?P<n>x)",
            "(|a)",
            r"\/",
        ] {
            let together = check(pattern)
                .map(|checked| if checked.is_apart { checked.prefix + &checked.pattern } else { checked.pattern.into_owned() });
            // Escapes of the prefix are resolved.
            assert_eq!(together, Ok(pattern.replace(r"\/", "/").replace(r"\x41", "A")));
        }
    }

    #[test]
    fn white_space_has_no_vertical_tab() {
        let rewritten = |pattern| check(pattern).map(|checked| checked.pattern.into_owned()).unwrap_or_default();
        assert_eq!(rewritten(r"a\s"), r"[\t\n\x0C\r ]");
        assert_eq!(rewritten(r"a\b\s"), r"a\b[\t\n\x0C\r ]");
        assert_eq!(rewritten(r"[\s,]\S"), r"[\t\n\x0C\r ,][\x00-\x08\x0B\x0E-\x1F\x21-\xFF]");
    }

    #[test]
    fn a_literal_beginning_stands_apart_where_the_rest_does_not_look_back() {
        let apart =
            |pattern| check(pattern).ok().filter(|checked| checked.is_apart).map(|checked| (checked.prefix, checked.pattern.into_owned()));
        assert_eq!(apart("^/svc-12/v[0-9]+/.*$"), Some(("/svc-12/v".into(), "[0-9]+/.*$".into())));
        assert_eq!(apart(r"/a\.b"), Some(("/a.b".into(), "".into())));
        assert_eq!(apart(r"a\b.*"), None);
        assert_eq!(apart("(?i)a"), None);
        assert_eq!(apart("ab*"), Some(("a".into(), "b*".into())));
        assert_eq!(apart("a|b"), None);
    }

    #[test]
    fn plain_texts_are_told() {
        let plain = |pattern| check(pattern).ok().and_then(|checked| checked.plain);
        assert_eq!(plain("/a"), Some(Plain::Exact("/a".into())));
        assert_eq!(plain("^v1$"), Some(Plain::Exact("v1".into())));
        assert_eq!(plain(r"/a\.b.*"), Some(Plain::Prefix("/a.b".into())));
        assert_eq!(plain("a.b"), None);
        assert_eq!(plain(".*"), None);
        assert_eq!(plain("a|b"), None);
    }
}
