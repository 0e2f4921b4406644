//! Reading the attributes of a request: the headers that the configuration asks for, found in one pass
//! ([`names`]); query, cookies and baggage, scanned in place; the keys of S14 and S20. Nothing is copied.

use core::{
    cell::{Cell, OnceCell},
    fmt::{self, Write},
    net::IpAddr,
};

use memchr::{memchr, memchr2};
use xxhash_rust::xxh64::{Xxh64, xxh64};

use crate::{
    bytes::same_bytes,
    context::{
        baggage::{self, Encoded},
        trace_id,
    },
    pattern::{Patterns, Text, host},
    request::{Headers, Request},
};

pub(crate) mod names;

use names::{HeaderId, HeaderNames, Lines, Seen};

/// A value of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'r> {
    /// Bytes in one piece.
    Plain(&'r [u8]),
    /// A baggage value that may hold percent-encoded bytes.
    Encoded(Encoded<'r>),
}

impl<'r> Value<'r> {
    pub(crate) fn baggage(value: Encoded<'r>) -> Self {
        value.plain().map_or(Self::Encoded(value), Self::Plain)
    }

    /// The value's bytes, one by one.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + Clone + 'r {
        let (plain, encoded) = match self {
            Self::Plain(bytes) => (bytes, Encoded(&[])),
            Self::Encoded(value) => (&[][..], value),
        };
        plain.iter().copied().chain(encoded.bytes())
    }

    fn is_empty(self) -> bool {
        match self {
            // Decoding never makes an empty value out of one that is not.
            Self::Plain(bytes) | Self::Encoded(Encoded(bytes)) => bytes.is_empty(),
        }
    }
}

/// What a request says about one thing that is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known<T> {
    /// This.
    Present(T),
    /// The request carries nothing of the kind.
    Absent,
    /// The recorder could not see this header.
    Unseen(HeaderId),
}

impl<T> Known<T> {
    pub(crate) fn and_then<U>(self, then: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Present(value) => then(value),
            Self::Absent => Known::Absent,
            Self::Unseen(header) => Known::Unseen(header),
        }
    }

    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Known<U> {
        self.and_then(|value| Known::Present(map(value)))
    }

    /// The value, where an unseen header counts as absent.
    pub(crate) fn present(self) -> Option<T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unseen(_) => None,
        }
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Present)
    }
}

/// The guiding header's value as S10 reads it: empty lines are ignored, different lines name nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guide<'r> {
    /// This value.
    Name(&'r [u8]),
    /// Lines that differ.
    Torn,
}

/// The lines of a header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'r> {
    None,
    One(&'r [u8]),
    Several,
}

impl<'r> Line<'r> {
    fn of(mut lines: impl Iterator<Item = &'r [u8]>) -> Self {
        match (lines.next(), lines.next()) {
            (None, _) => Self::None,
            (Some(line), None) => Self::One(line),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// A value of the request that identifies a client or names a lane; names are texts of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Header(HeaderId),
    Cookie(Text),
    Query(Text),
    Baggage(Text),
    TraceId(HeaderId),
    SourceIp,
}

/// A request, with what was found in it so far.
pub(crate) struct Attributes<'q, 'r, H: Headers + ?Sized> {
    pub(crate) request: &'q Request<'r, H>,
    names: &'r HeaderNames,
    patterns: &'r Patterns,
    /// The lines of the headers that are found together, when the first of them is asked for.
    seen: Seen<'r>,
    /// Path and query, told apart when first asked for.
    split_path: OnceCell<(Option<&'r [u8]>, &'r [u8])>,
}

impl<'q, 'r, H: Headers + ?Sized> Attributes<'q, 'r, H> {
    /// Reads nothing yet.
    #[inline]
    pub(crate) fn new(request: &'q Request<'r, H>, names: &'r HeaderNames, patterns: &'r Patterns) -> Self {
        Self { request, names, patterns, seen: Seen::nothing(), split_path: OnceCell::new() }
    }

    /// The header's name, lower case.
    pub(crate) fn name(&self, header: HeaderId) -> &'r str {
        self.names.name(header)
    }

    fn is_unseen(&self, header: HeaderId) -> bool {
        H::PARTIAL && !self.request.headers.recorded(self.names.name(header))
    }

    /// The lines of a header, without outer blanks; none at all where it could not be seen.
    #[inline]
    pub(crate) fn lines(&self, header: HeaderId) -> Lines<'_, 'r, H::Lines<'r>> {
        if self.is_unseen(header) {
            return Lines::AtHand(header, [].iter());
        }
        match self.found(header) {
            Some(lines) => Lines::AtHand(header, lines.iter()),
            None => Lines::Among(self.names.name(header), self.request.headers.lines()),
        }
    }

    /// The first line of a header (S10).
    fn first_line(&self, header: HeaderId) -> Known<&'r [u8]> {
        match self.line(header) {
            Line::One(line) => Known::Present(line),
            Line::None if !H::PARTIAL => Known::Absent,
            Line::None | Line::Several => self.header(header).and_then(|mut lines| lines.next().into()),
        }
    }

    /// The line of a header that mostly has one.
    #[inline(never)]
    pub(crate) fn line(&self, header: HeaderId) -> Line<'r> {
        self.line_here(header)
    }

    /// The same, for the one place that every call inside the chain comes by.
    #[cfg_attr(feature = "index", inline(always))]
    fn line_here(&self, header: HeaderId) -> Line<'r> {
        if self.is_unseen(header) {
            return Line::None;
        }
        if self.found(header).is_some() {
            return Line::of(self.lines(header));
        }
        match self.request.headers.first_line(self.names.name(header)) {
            None => Line::None,
            Some((line, false)) => Line::One(baggage::trim(line)),
            Some((_, true)) => Line::Several,
        }
    }

    /// What the pass over the headers found, if this header is among what it looks for and the pass is worth its while.
    #[inline]
    fn found(&self, header: HeaderId) -> Option<&[names::Kept<'r>]> {
        if self.names.are_few() && !self.seen.is_filled() || !self.names.is_asked(header) {
            return None;
        }
        self.seen().at_hand()
    }

    /// Finds the lines of all asked-for headers now: for who is going to ask for them again and again.
    pub(crate) fn find_all(&self) {
        self.seen();
    }

    fn seen(&self) -> &Seen<'r> {
        if !self.seen.is_filled() {
            self.seen.fill(self.request.headers.lines(), self.names);
        }
        &self.seen
    }

    /// The lines of all headers that the configuration asks for.
    pub(crate) fn asked_lines(&self) -> impl Iterator<Item = (HeaderId, &'r [u8])> {
        let at_hand = self.seen().at_hand();
        let lines = self.request.headers.lines().filter(move |_| at_hand.is_none());
        let anew = lines.filter_map(|(name, value)| Some((self.names.id(name)?, baggage::trim(value))));
        at_hand.into_iter().flatten().filter_map(Cell::get).chain(anew)
    }

    /// The lines of a header of which at least one is there.
    pub(crate) fn header(&self, header: HeaderId) -> Known<Lines<'_, 'r, H::Lines<'r>>> {
        if self.is_unseen(header) {
            return Known::Unseen(header);
        }
        let lines = self.lines(header);
        if lines.clone().next().is_none() { Known::Absent } else { Known::Present(lines) }
    }

    /// The guiding header's value.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn guide(&self, header: HeaderId) -> Known<Guide<'r>> {
        match self.line_here(header) {
            Line::One(line) if !line.is_empty() => Known::Present(Guide::Name(line)),
            Line::None if !H::PARTIAL => Known::Absent,
            _ => self.guide_of_lines(header),
        }
    }

    fn guide_of_lines(&self, header: HeaderId) -> Known<Guide<'r>> {
        self.header(header).and_then(|lines| {
            let mut lines = lines.filter(|line| !line.is_empty());
            let Some(first) = lines.next() else { return Known::Absent };
            Known::Present(if lines.all(|line| line == first) { Guide::Name(first) } else { Guide::Torn })
        })
    }

    /// The path without query and fragment, as received (S11).
    pub(crate) fn path(&self) -> Option<&'r [u8]> {
        self.path_and_query().0
    }

    fn path_and_query(&self) -> (Option<&'r [u8]>, &'r [u8]) {
        *self.split_path.get_or_init(|| {
            let Some(target) = self.request.path else { return (None, &[]) };
            let Some(end) = memchr2(b'?', b'#', target) else { return (Some(target), &[]) };
            let (path, rest) = target.split_at(end);
            // A `?` behind a `#` belongs to the fragment (S12).
            let query = rest.strip_prefix(b"?").unwrap_or_default();
            (Some(path), memchr(b'#', query).and_then(|end| query.get(..end)).unwrap_or(query))
        })
    }

    /// The first value of a query parameter, nothing decoded (S12).
    pub(crate) fn query(&self, name: Text) -> Option<&'r [u8]> {
        let name = self.patterns.pool.bytes(name);
        let query = self.path_and_query().1;
        if query.is_empty() {
            return None;
        }
        pieces(query, b'&')
            .find_map(|pair| behind(pair, name).and_then(|rest| if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"=") }))
    }

    /// The first cookie of this name (S12).
    pub(crate) fn cookie(&self, name: Text) -> Known<&'r [u8]> {
        let name = self.patterns.pool.bytes(name);
        match self.line(HeaderId::COOKIE) {
            Line::One(line) => cookie(line, name).into(),
            Line::None if !H::PARTIAL => Known::Absent,
            Line::None | Line::Several => {
                self.header(HeaderId::COOKIE).and_then(|mut lines| lines.find_map(|line| cookie(line, name)).into())
            }
        }
    }

    /// The value of a baggage member (S27).
    pub(crate) fn baggage(&self, key: Text) -> Known<Encoded<'r>> {
        let key = self.patterns.pool.bytes(key);
        self.header(HeaderId::BAGGAGE).and_then(|lines| baggage::find(lines, key).into())
    }

    /// The value of a baggage member as one that may name a lane; an empty one counts as absent.
    pub(crate) fn lane_in_baggage(&self, key: Text) -> Known<Value<'r>> {
        match self.baggage(key).map(Value::baggage) {
            Known::Present(value) if value.is_empty() => Known::Absent,
            value => value,
        }
    }

    /// The trace id in this header (S28).
    pub(crate) fn trace_id(&self, header: HeaderId) -> Known<&'r [u8]> {
        self.first_line(header).and_then(|line| trace_id::parse(self.name(header), line).into())
    }

    /// The authority's host (S13).
    #[inline]
    pub(crate) fn host(&self) -> Option<&'r [u8]> {
        self.request.authority.map(host::of_authority)
    }

    /// The caller's address; an IPv4-mapped one is IPv4 (S13).
    pub(crate) fn source_ip(&self) -> Option<IpAddr> {
        self.request.source.ip.map(|ip| ip.to_canonical())
    }

    /// The value of a label of the calling workload.
    pub(crate) fn source_label(&self, name: &str) -> Option<&'r str> {
        self.request.source.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| *value)
    }

    /// Reads a key and hands its value on; an empty one counts as absent.
    #[cfg_attr(feature = "index", inline(always))]
    pub(crate) fn with_key<R>(&self, key: Key, then: impl FnOnce(Value<'_>) -> R) -> Known<R> {
        let mut address = None;
        self.key(key, &mut address).map(then)
    }

    /// A key's value; the caller's address is written out in `address`.
    #[cfg_attr(feature = "index", inline(always))]
    fn key<'v>(&self, key: Key, address: &'v mut Option<IpText>) -> Known<Value<'v>>
    where
        'r: 'v,
    {
        // Mostly a key is a header that has one line.
        match key {
            Key::Header(header) => match self.line(header) {
                Line::One(line) if !line.is_empty() => Known::Present(Value::Plain(line)),
                Line::None if !H::PARTIAL => Known::Absent,
                _ => self.other_key(key, address),
            },
            key => self.other_key(key, address),
        }
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn other_key<'v>(&self, key: Key, address: &'v mut Option<IpText>) -> Known<Value<'v>>
    where
        'r: 'v,
    {
        let value = match key {
            Key::Header(header) => self.first_line(header).map(Value::Plain),
            Key::Cookie(name) => self.cookie(name).map(Value::Plain),
            Key::Query(name) => self.query(name).map(Value::Plain).into(),
            Key::Baggage(key) => self.baggage(key).map(Value::baggage),
            Key::TraceId(header) => self.trace_id(header).map(Value::Plain),
            Key::SourceIp => {
                let Some(ip) = self.source_ip() else { return Known::Absent };
                Known::Present(Value::Plain(address.insert(IpText::of(ip)).bytes()))
            }
        };
        match value {
            Known::Present(value) if value.is_empty() => Known::Absent,
            value => value,
        }
    }
}

/// XXH64 with this seed of an optional salt and a zero byte, and the key (S14, S20).
pub(crate) fn hash_key(seed: u64, salt: Option<&str>, key: Value<'_>) -> u64 {
    if let (None, Value::Plain(key)) = (salt, key) {
        return xxh64(key, seed);
    }
    let mut hash = Xxh64::new(seed);
    if let Some(salt) = salt {
        hash.update(salt.as_bytes());
        hash.update(&[0]);
    }
    match key {
        Value::Plain(bytes) => hash.update(bytes),
        Value::Encoded(value) => value.bytes().for_each(|byte| hash.update(&[byte])),
    }
    hash.digest()
}

/// The value of the first cookie of this name in one line.
fn cookie<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    pieces(line, b';').find_map(|item| {
        // Other white space is part of a cookie's name (S12).
        let value = behind(baggage::trim_start(item), name)?.strip_prefix(b"=")?;
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    })
}

/// The pieces of a text between separators.
fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = text.split_at_checked(memchr(separator, text).unwrap_or(text.len()))?;
        rest = after.split_first().map(|(_, after)| after);
        Some(piece)
    })
}

/// What stands behind a name at the beginning of a piece. No name in a configuration holds the `=` that ends it.
fn behind<'p>(piece: &'p [u8], name: &[u8]) -> Option<&'p [u8]> {
    let (start, rest) = piece.split_at_checked(name.len())?;
    same_bytes(start, name).then_some(rest)
}

/// An address as canonical text (RFC 5952), on the stack.
#[derive(Clone, Copy)]
pub(crate) struct IpText {
    text: [u8; 46],
    length: usize,
}

impl IpText {
    pub(crate) fn of(ip: IpAddr) -> Self {
        let mut text = Self { text: [0; 46], length: 0 };
        // The longest address has 45 characters: writing cannot fail.
        let _ = write!(text, "{ip}");
        text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

impl Write for IpText {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.length + piece.len();
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.length = end;
        Ok(())
    }
}
