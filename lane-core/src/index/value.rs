//! The values of a request by which cells are looked up: read and hashed when first asked for, once per request.

use core::hash::{BuildHasher, Hasher};

use crate::{
    attribute::Value,
    condition::{Attribute, Facts, joined_lines},
    intern::FixedSeeds,
    request::Headers,
};

use super::row::Asked;

/// What a request has of something that is asked of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'v> {
    Absent,
    /// One value, and its hash.
    One(u64, Value<'v>),
    /// Several header lines that are matched joined, and the hash of the whole.
    Joined(u64),
    /// Several header lines, any of which may match.
    Lines,
}

/// How many values are kept; a request that is asked for more reads the others anew.
const ROOM: usize = 8;

/// The values read so far.
#[derive(Debug)]
pub(crate) struct Values<'v> {
    kept: [(u32, Found<'v>); ROOM],
    count: usize,
}

impl<'v> Values<'v> {
    pub(super) const fn new() -> Self {
        Self { kept: [(u32::MAX, Found::Absent); ROOM], count: 0 }
    }

    /// What the request has of `asked`, whose number is `id`.
    #[inline]
    pub(super) fn get<H: Headers + ?Sized>(&mut self, id: u32, asked: Asked, facts: &'v Facts<'v, '_, H>, seeds: &FixedSeeds) -> Found<'v> {
        let known = self.kept.iter().take(self.count).find(|(kept, _)| *kept == id);
        if let Some((_, found)) = known {
            return *found;
        }
        let found = find(asked, facts, seeds);
        if let Some(room) = self.kept.get_mut(self.count) {
            *room = (id, found);
            self.count += 1;
        }
        found
    }
}

fn find<'v, H: Headers + ?Sized>(asked: Asked, facts: &'v Facts<'v, '_, H>, seeds: &FixedSeeds) -> Found<'v> {
    let attributes = facts.attributes;
    let one = |value: Option<Value<'v>>| value.map_or(Found::Absent, |value| Found::One(hash_value(seeds, value), value));
    let (attribute, is_presence) = match asked {
        Asked::Value(attribute) => (attribute, false),
        Asked::Presence(attribute) => (attribute, true),
    };
    let found = match attribute {
        Attribute::Header { header, joined } => {
            let mut lines = attributes.lines(header);
            let all = lines.clone();
            match (lines.next(), lines.next()) {
                (None, _) => Found::Absent,
                (Some(line), None) => one(Some(Value::Plain(line))),
                _ if joined => Found::Joined(hash_bytes(seeds, joined_lines(all))),
                _ => Found::Lines,
            }
        }
        attribute => one(facts.value(attribute)),
    };
    match found {
        Found::Absent => Found::Absent,
        _ if is_presence => one(Some(Value::Plain(b""))),
        found => found,
    }
}

/// The hash of a value: the same for one in a piece and one that is read byte by byte.
fn hash_value(seeds: &FixedSeeds, value: Value<'_>) -> u64 {
    match value {
        Value::Plain(bytes) => hash(seeds, bytes),
        Value::Encoded(_) => hash_bytes(seeds, value.bytes()),
    }
}

/// The hash of bytes in one piece.
#[inline]
pub(super) fn hash(seeds: &FixedSeeds, bytes: &[u8]) -> u64 {
    let mut hasher = seeds.build_hasher();
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hasher.write_u64(u64::from_le_bytes(*chunk));
    }
    let mut last = 0;
    for (position, byte) in rest.iter().enumerate() {
        last |= u64::from(*byte) << (8 * position);
    }
    hasher.write_u64(last);
    hasher.write_u64(bytes.len() as u64);
    hasher.finish()
}

fn hash_bytes(seeds: &FixedSeeds, bytes: impl Iterator<Item = u8>) -> u64 {
    let mut hasher = seeds.build_hasher();
    let (mut word, mut length) = (0, 0_u64);
    for byte in bytes {
        word |= u64::from(byte) << (8 * (length % 8));
        length += 1;
        if length.is_multiple_of(8) {
            hasher.write_u64(word);
            word = 0;
        }
    }
    hasher.write_u64(word);
    hasher.write_u64(length);
    hasher.finish()
}

/// One hash of a look-up's place and its values.
#[inline]
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    // A multiplication spreads upwards only, hence the fold.
    let product = (hash ^ value) as u128 * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_hashes_alike_in_one_piece_and_byte_by_byte() {
        let seeds = FixedSeeds::default();
        let text = b"a value of some length, and more of it";
        for length in 0..text.len() {
            let bytes = text.get(..length).unwrap_or_default();
            assert_eq!(hash(&seeds, bytes), hash_bytes(&seeds, bytes.iter().copied()), "{length}");
        }
    }
}
