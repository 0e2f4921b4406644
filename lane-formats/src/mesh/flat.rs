//! Conditions as meshes have them: alternatives, in each of which all tests must hold. `all`, `any` and `not` are
//! multiplied out; a negated test is a test again, because S8 makes absence a matter of its own.

use lane_core::{
    config::{Entry, Matcher, Percent, Range},
    diagnostic::FieldPath,
};

/// More alternatives than these are not written: nobody could read them, and meshes limit them too.
const MAX_ALTERNATIVES: usize = 256;

/// What a test looks at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attribute {
    Method,
    Path,
    Header(String),
    Query(String),
    Cookie(String),
    Baggage(String),
    SourceService,
    SourceLabel(String),
    SourceIp,
    Percent(Percent),
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    In(Vec<String>),
    Regex(String),
    Range(Range),
    Segments(String),
    /// A value is there, whatever it is.
    Any,
    /// What is only reported: address ranges, shares.
    Opaque,
}

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) attribute: Attribute,
    /// Where it stands in the configuration.
    pub(super) path: FieldPath,
    /// Holds without a value.
    pub(super) or_missing: bool,
    /// Holds for the values for which the kind does not.
    pub(super) not: bool,
    pub(super) ignore_case: bool,
    pub(super) kind: Kind,
}

/// Tests that must all hold.
pub(super) type Tests = Vec<Test>;

/// A matcher of the configuration on an attribute.
pub(super) fn test(attribute: Attribute, matcher: &Matcher, path: FieldPath) -> Test {
    let mut test = Test { attribute, path, or_missing: false, not: false, ignore_case: false, kind: Kind::Any };
    let mut matcher = matcher;
    loop {
        test.kind = match matcher {
            Matcher::OrMissing(inner) => {
                test.or_missing = true;
                matcher = inner;
                continue;
            }
            Matcher::Not(inner) => {
                test.not = true;
                matcher = inner;
                continue;
            }
            Matcher::IgnoreCase(inner) => {
                test.ignore_case = true;
                matcher = inner;
                continue;
            }
            Matcher::Exact(text) => Kind::Exact(text.clone()),
            Matcher::Prefix(text) => Kind::Prefix(text.clone()),
            Matcher::Suffix(text) => Kind::Suffix(text.clone()),
            Matcher::Contains(text) => Kind::Contains(text.clone()),
            Matcher::In(texts) => Kind::In(texts.clone()),
            Matcher::Regex(text) => Kind::Regex(text.clone()),
            Matcher::Range(range) => Kind::Range(*range),
            Matcher::Segments(text) => Kind::Segments(text.clone()),
            Matcher::Present(true) => Kind::Any,
            // Absent: no value, and of those that are there none will do.
            Matcher::Present(false) => {
                test.or_missing = true;
                test.not = true;
                Kind::Any
            }
        };
        return test;
    }
}

impl Test {
    /// The test that holds where this one does not (S8).
    fn negated(mut self) -> Self {
        self.or_missing = !self.or_missing;
        self.not = !self.not;
        self
    }

    /// Whether the test holds for this value, where that can be told without the engine.
    pub(super) fn holds_for(&self, value: &str) -> Option<bool> {
        let fold = |text: &str| if self.ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let value = &*fold(value);
        let plain = match &self.kind {
            Kind::Exact(text) => value == fold(text),
            Kind::Prefix(text) => value.starts_with(&fold(text)),
            Kind::Suffix(text) => value.ends_with(&fold(text)),
            Kind::Contains(text) => value.contains(&fold(text)),
            Kind::In(texts) => texts.iter().any(|text| value == fold(text)),
            Kind::Any => true,
            Kind::Regex(_) | Kind::Range(_) | Kind::Segments(_) | Kind::Opaque => return None,
        };
        Some(plain != self.not)
    }

    /// Whether nothing but absence will do.
    pub(super) fn wants_absence(&self) -> bool {
        self.kind == Kind::Any && self.not && self.or_missing
    }

    /// Whether the test holds always.
    fn holds_always(&self) -> bool {
        self.kind == Kind::Any && !self.not && self.or_missing
    }

    /// Whether the test holds never.
    fn holds_never(&self) -> bool {
        self.kind == Kind::Any && self.not && !self.or_missing
    }
}

/// The alternatives of a `match`; none for too many.
pub(super) fn alternatives(entries: Option<&Vec<Entry>>, path: &FieldPath) -> Option<Vec<Tests>> {
    let Some(entries) = entries else { return Some(vec![Vec::new()]) };
    let mut all = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        all.extend(of_entry(entry, &path.index(index), true)?);
        if all.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    Some(all)
}

/// The alternatives under which the entry holds, or does not.
fn of_entry(entry: &Entry, path: &FieldPath, holds: bool) -> Option<Vec<Tests>> {
    let mut pieces: Vec<Vec<Tests>> = Vec::new();
    let mut literal = |test: Test| {
        let test = if holds { test } else { test.negated() };
        pieces.push(if test.holds_always() {
            vec![Vec::new()]
        } else if test.holds_never() {
            Vec::new()
        } else {
            vec![vec![test]]
        });
    };
    if let Some(matcher) = &entry.method {
        literal(test(Attribute::Method, matcher, path.field("method")));
    }
    if let Some(matcher) = &entry.path {
        literal(test(Attribute::Path, matcher, path.field("path")));
    }
    for (name, matcher) in &entry.headers {
        literal(test(Attribute::Header(name.clone()), matcher, path.field("headers").field(name)));
    }
    for (name, matcher) in &entry.query {
        literal(test(Attribute::Query(name.clone()), matcher, path.field("query").field(name)));
    }
    for (name, matcher) in &entry.cookies {
        literal(test(Attribute::Cookie(name.clone()), matcher, path.field("cookies").field(name)));
    }
    for (name, matcher) in &entry.baggage {
        literal(test(Attribute::Baggage(name.clone()), matcher, path.field("baggage").field(name)));
    }
    let opaque = |attribute: Attribute, path: FieldPath| Test {
        attribute,
        path,
        or_missing: false,
        not: false,
        ignore_case: false,
        kind: Kind::Opaque,
    };
    if let Some(source) = &entry.source {
        let path = path.field("source");
        if let Some(matcher) = &source.service {
            literal(test(Attribute::SourceService, matcher, path.field("service")));
        }
        for (name, matcher) in &source.labels {
            literal(test(Attribute::SourceLabel(name.clone()), matcher, path.field("labels").field(name)));
        }
        if source.ip.is_some() {
            literal(opaque(Attribute::SourceIp, path.field("ip")));
        }
    }
    if let Some(percent) = &entry.percent {
        literal(opaque(Attribute::Percent(percent.clone()), path.field("percent")));
    }
    for (name, inner, each) in [("all", &entry.all, true), ("any", &entry.any, false)] {
        let Some(inner) = inner else { continue };
        let mut parts = Vec::new();
        for (index, entry) in inner.iter().enumerate() {
            parts.push(of_entry(entry, &path.field(name).index(index), holds)?);
        }
        // Under `not`, all and any change places.
        pieces.push(if each == holds { product(parts)? } else { parts.concat() });
    }
    if let Some(inner) = &entry.not {
        pieces.push(of_entry(inner, &path.field("not"), !holds)?);
    }
    let alternatives = if holds { product(pieces)? } else { pieces.concat() };
    (alternatives.len() <= MAX_ALTERNATIVES).then_some(alternatives)
}

/// One of each, in all ways.
fn product(parts: Vec<Vec<Tests>>) -> Option<Vec<Tests>> {
    let mut all: Vec<Tests> = vec![Vec::new()];
    for part in parts {
        if all.len().saturating_mul(part.len()) > MAX_ALTERNATIVES {
            return None;
        }
        let mut next = Vec::with_capacity(all.len() * part.len());
        for before in &all {
            for tests in &part {
                let mut joined = before.clone();
                for test in tests {
                    if !joined.iter().any(|one| one.attribute == test.attribute && one.same_question(test)) {
                        joined.push(test.clone());
                    }
                }
                next.push(joined);
            }
        }
        all = next;
    }
    Some(all)
}

impl Test {
    fn same_question(&self, other: &Self) -> bool {
        (self.or_missing, self.not, self.ignore_case, &self.kind) == (other.or_missing, other.not, other.ignore_case, &other.kind)
    }
}

/// The expression of RE2 for which the value must match as a whole; none for what no short expression says.
pub(super) fn expression(kind: &Kind, ignore_case: bool) -> Option<String> {
    let quoted = regex_syntax::escape;
    let plain = match kind {
        Kind::Exact(text) => quoted(text),
        Kind::Prefix(text) => format!("{}.*", quoted(text)),
        Kind::Suffix(text) => format!(".*{}", quoted(text)),
        Kind::Contains(text) => format!(".*{}.*", quoted(text)),
        Kind::In(texts) => texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join("|"),
        Kind::Regex(text) => text.clone(),
        Kind::Any | Kind::Range(_) | Kind::Segments(_) | Kind::Opaque => return None,
    };
    Some(match (ignore_case, kind) {
        (false, Kind::In(texts)) if texts.len() > 1 => format!("(?:{plain})"),
        (false, _) => plain,
        (true, _) => format!("(?i:{plain})"),
    })
}

/// Whether the kind holds for the empty text; yes where that cannot be told.
pub(super) fn holds_for_nothing(kind: &Kind) -> bool {
    match kind {
        Kind::Exact(text) | Kind::Prefix(text) | Kind::Suffix(text) | Kind::Contains(text) => text.is_empty(),
        Kind::In(texts) => texts.iter().any(String::is_empty),
        Kind::Range(_) | Kind::Segments(_) => false,
        Kind::Any | Kind::Opaque => true,
        Kind::Regex(text) => {
            let parsed = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(text);
            // An expression that holds for no text at all has no least length.
            parsed.map_or(true, |expression| expression.properties().minimum_len() == Some(0))
        }
    }
}
