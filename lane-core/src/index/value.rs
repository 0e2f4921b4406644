//! The values of a request by which cells are looked up, and their hashes. What takes a scan to read (query,
//! cookies, baggage) is read once per request.

use crate::{
    attribute::{Line, Value},
    condition::{Attribute, Facts, joined_lines},
    intern::FixedSeed,
    request::Headers,
};

use super::row::Asked;

/// What a request has of something that is asked of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'v> {
    /// Nothing, or nothing by which a row could be looked up.
    Absent,
    /// One value, and its hash.
    One(u64, &'v [u8]),
    /// A value that does not lie in one piece (percent-encoded, or several lines joined), and its hash.
    Pieces(u64),
    /// Several header lines, any of which may match.
    Lines,
}

/// Values longer than this are not looked up, so that pieces can be put together on the stack.
pub(super) const LONGEST: usize = 8192;

/// How many values are kept; a request that is asked for more reads the others anew.
const ROOM: usize = 4;

/// The values that took a scan to read.
#[derive(Debug)]
pub(crate) struct Values<'v> {
    kept: [Option<(u32, Found<'v>)>; ROOM],
}

impl<'v> Values<'v> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { kept: [None; ROOM] }
    }

    /// What the request has of `asked`, whose number is `id`.
    #[inline]
    pub(super) fn get<H: Headers + ?Sized>(&mut self, id: u32, asked: Asked, facts: &'v Facts<'v, '_, H>, seed: &FixedSeed) -> Found<'v> {
        match asked {
            // The commonest: found in the pass over the headers.
            Asked::Value(Attribute::Header { header, joined }) => match facts.attributes.line(header) {
                Line::None => Found::Absent,
                Line::One(line) => Found::One(seed.hash_bytes(line), line),
                Line::Several if joined => pieces(joined_lines(facts.attributes.lines(header)), seed),
                Line::Several => Found::Lines,
            },
            Asked::Value(Attribute::Method) => {
                facts.attributes.request.method.map_or(Found::Absent, |method| Found::One(seed.hash_bytes(method), method))
            }
            Asked::Value(_) | Asked::Presence(_) => self.kept(id, asked, facts, seed),
        }
    }

    fn kept<H: Headers + ?Sized>(&mut self, id: u32, asked: Asked, facts: &'v Facts<'v, '_, H>, seed: &FixedSeed) -> Found<'v> {
        if let Some((_, found)) = self.kept.iter().flatten().find(|(kept, _)| *kept == id) {
            return *found;
        }
        let found = match asked {
            Asked::Value(attribute) => match facts.value(attribute) {
                None => Found::Absent,
                Some(Value::Plain(value)) => Found::One(seed.hash_bytes(value), value),
                Some(value) => pieces(value.bytes(), seed),
            },
            Asked::Presence(attribute) => facts.value(attribute).map_or(Found::Absent, |_| Found::One(seed.hash_bytes(b""), b"")),
        };
        if let Some(room) = self.kept.iter_mut().find(|kept| kept.is_none()) {
            *room = Some((id, found));
        }
        found
    }
}

/// The hash of a value in pieces: the same as if it lay in one.
#[cold]
fn pieces(bytes: impl Iterator<Item = u8>, seed: &FixedSeed) -> Found<'static> {
    let mut whole = [0; LONGEST];
    let mut length = 0;
    for byte in bytes {
        let Some(room) = whole.get_mut(length) else { return Found::Absent };
        *room = byte;
        length += 1;
    }
    Found::Pieces(seed.hash_bytes(whole.get(..length).unwrap_or_default()))
}

/// One hash of a look-up's place and its values.
#[inline]
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    // A multiplication spreads upwards only, hence the fold.
    let product = (hash ^ value) as u128 * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ (product >> 64) as u64
}
