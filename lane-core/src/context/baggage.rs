//! W3C Baggage, read and written (S27). All `baggage` lines of a request form one list; members are told apart
//! by scanning, nothing is copied, and writing keeps every foreign member byte for byte.

use core::iter;

use memchr::memchr;
use percent_encoding::percent_decode;

/// The most members that a line written by the engine may have.
pub(crate) const MAX_MEMBERS: usize = 64;
/// The most bytes that a line written by the engine may have.
pub const MAX_BYTES: usize = 8192;

/// One member of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// The whole member with its properties, without outer blanks.
    pub(crate) raw: &'a [u8],
    /// Key and percent-encoded value; none where the member is malformed.
    pub(crate) pair: Option<(&'a [u8], Encoded<'a>)>,
}

/// A value as it stands in the header, percent-encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded<'a>(pub(crate) &'a [u8]);

impl<'a> Encoded<'a> {
    /// The value's bytes. `+` stays, and so does a `%` without two hex digits.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + Clone + 'a {
        percent_decode(self.0)
    }

    /// The value where it needs no decoding.
    pub(crate) fn plain(self) -> Option<&'a [u8]> {
        memchr(b'%', self.0).is_none().then_some(self.0)
    }
}

/// The members of one line, in order; empty ones are left out.
pub(crate) fn members(line: &[u8]) -> impl Iterator<Item = Member<'_>> + Clone {
    line.split(|byte| *byte == b',').map(trim).filter(|raw| !raw.is_empty()).map(|raw| Member { raw, pair: pair(raw) })
}

/// The value of `key` in the list that the lines form: the last one counts.
pub(crate) fn find<'a>(lines: impl Iterator<Item = &'a [u8]>, key: &[u8]) -> Option<Encoded<'a>> {
    let pairs = lines.flat_map(members).filter_map(|member| member.pair);
    pairs.filter(|(name, _)| *name == key).last().map(|(_, value)| value)
}

fn pair(raw: &[u8]) -> Option<(&[u8], Encoded<'_>)> {
    let (pair, _properties) = cut(raw, b';').unwrap_or((raw, &[]));
    let (key, value) = cut(pair, b'=')?;
    let (key, value) = (trim(key), trim(value));
    (is_token(key) && value.iter().all(|byte| is_value_octet(*byte))).then_some((key, Encoded(value)))
}

fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = memchr(at, text)?;
    Some((text.get(..position)?, text.get(position + 1..)?))
}

/// `text` without the blanks (SP, HTAB) around it.
#[inline]
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    match text {
        // Mostly there are none.
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => trim_blanks(text),
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// `text` without the blanks in front.
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Whether `text` is an RFC 7230 token: a header name, a baggage key.
pub(crate) fn is_token(text: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(token)
}

/// W3C `baggage-octet`: printable ASCII but blank, `"`, `,`, `;`, `\`.
fn is_value_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// What writing found, see [`rewrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// The lines stay as they are.
    Unchanged,
    /// They are replaced by one line of this length, which is in the buffer.
    Line(usize),
    /// Nothing is left: the header goes.
    Gone,
}

/// A rewritten list, and whether it had no room for the lane or no room at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rewritten {
    pub(crate) result: Rewrite,
    pub(crate) full: bool,
}

/// Puts `set` (key and value) first, drops the members whose key `dropped` names, and keeps the rest.
///
/// Refused is a result over 64 members or 8,192 bytes: then the members of the key are removed like the others.
/// A line that is too long even after a removal goes as a whole (S27).
pub(crate) fn rewrite<'a>(
    lines: impl Iterator<Item = &'a [u8]> + Clone,
    set: Option<(&[u8], &[u8])>,
    dropped: impl Fn(&[u8]) -> bool,
    buffer: &mut [u8; MAX_BYTES],
) -> Rewritten {
    let own = |key: &[u8]| set.is_some_and(|(set, _)| set == key);
    let differs = set.is_some_and(|(key, value)| !find(lines.clone(), key).is_some_and(|found| found.bytes().eq(value.iter().copied())));
    let keys = || lines.clone().flat_map(members).filter_map(|member| member.pair).map(|(key, _)| key);
    if !differs && !keys().any(|key| !own(key) && dropped(key)) {
        return Rewritten { result: Rewrite::Unchanged, full: false };
    }
    let kept = lines
        .clone()
        .flat_map(members)
        .filter(|member| !member.pair.is_some_and(|(key, _)| own(key) || dropped(key)))
        .map(|member| member.raw);

    let mut full = false;
    if let Some((key, value)) = set {
        let first = [key, b"=", value];
        if kept.clone().count() < MAX_MEMBERS
            && let Some(length) = write(buffer, iter::once(&first[..]), kept.clone())
        {
            return Rewritten { result: Rewrite::Line(length), full: false };
        }
        full = true;
        // Refused, and nothing to remove: the lines stay untouched.
        if !keys().any(|key| own(key) || dropped(key)) {
            return Rewritten { result: Rewrite::Unchanged, full };
        }
    }
    match write(buffer, iter::empty(), kept) {
        Some(0) => Rewritten { result: Rewrite::Gone, full },
        Some(length) => Rewritten { result: Rewrite::Line(length), full },
        None => Rewritten { result: Rewrite::Gone, full: true },
    }
}

/// Writes the members with `,` between them; returns the length, or none where the buffer is too small.
/// The first member comes in pieces, so that it need not be put together elsewhere.
fn write<'a, 'b>(
    buffer: &mut [u8; MAX_BYTES],
    first: impl Iterator<Item = &'b [&'b [u8]]>,
    rest: impl Iterator<Item = &'a [u8]>,
) -> Option<usize> {
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        let end = length + bytes.len();
        buffer.get_mut(length..end).map(|room| {
            room.copy_from_slice(bytes);
            length = end;
            length
        })
    };
    let mut separator: &[u8] = b"";
    for pieces in first {
        for piece in pieces {
            put(piece)?;
        }
        separator = b",";
    }
    for member in rest {
        put(separator)?;
        put(member)?;
        separator = b",";
    }
    Some(length)
}
