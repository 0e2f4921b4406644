//! The values that rows demand, numbered, and what a request has of them. A value of the request is hashed and
//! compared once; from then on it is a number, and telling rows apart is comparing numbers.

use alloc::vec::Vec;

use crate::{
    attribute::{Line, Value, names::HeaderId},
    bytes::same_bytes,
    condition::{Attribute, Facts, joined_lines},
    intern::{FixedSeed, Map, Table, dense},
    pattern::{Pool, Text},
    request::Headers,
};

use super::row::Asked;

/// Values longer than this are not looked up, so that pieces can be put together on the stack.
pub(super) const LONGEST: usize = 8192;

/// A key that is not there.
pub(super) const NO_KEY: u32 = u32::MAX;
/// A value that no row demands, or that is not there.
pub(super) const ABSENT: u32 = u32::MAX;
/// Several header lines, any of which may match.
pub(super) const LINES: u32 = u32::MAX - 1;

/// Everything that rows demand.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// What is looked up, by number.
    asked: Vec<Asked>,
    numbers: Map<Asked, u32>,
    /// The values demanded; each has a number among those of what is asked.
    words: Table<Word>,
    /// How many there are, by what is asked.
    counts: Vec<u32>,
    /// What is looked up of each header, for cells that the request's headers probe.
    by_header: Map<HeaderId, Vec<u32>>,
    /// What is looked up and is no header.
    no_headers: Vec<u32>,
    seed: FixedSeed,
}

/// A value that rows demand.
#[derive(Clone, Copy, Debug)]
struct Word {
    asked: u32,
    number: u32,
    text: Text,
}

impl Vocabulary {
    /// The number of something that is looked up.
    pub(super) fn number(&mut self, asked: Asked) -> u32 {
        if let Some(number) = self.numbers.get(&asked) {
            return *number;
        }
        let number = dense(self.asked.len());
        self.asked.push(asked);
        self.counts.push(0);
        self.numbers.insert(asked, number);
        if let Asked::Value(Attribute::Header { header, .. }) | Asked::Presence(Attribute::Header { header, .. }) = asked {
            self.by_header.entry(header).or_default().push(number);
        } else {
            self.no_headers.push(number);
        }
        number
    }

    /// The number of a value that a row demands.
    pub(super) fn add(&mut self, asked: u32, text: Text, pool: &Pool) -> u32 {
        let known = self.find(asked, pool.bytes(text), pool);
        if known != ABSENT {
            return known;
        }
        let Some(count) = self.counts.get_mut(asked as usize) else { return ABSENT };
        let word = Word { asked, number: *count, text };
        *count += 1;
        self.words.insert(self.hash(asked, pool.bytes(text)), word);
        word.number
    }

    /// The hash of a text for the asker of this number.
    #[inline]
    pub(super) fn hash(&self, number: u32, text: &[u8]) -> u64 {
        // A factor keeps askers apart; it is ready before the text's hash is.
        self.seed.hash_bytes(text) ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The number of a request's value; absent where no row demands it.
    #[inline]
    pub(super) fn find(&self, asked: u32, value: &[u8], pool: &Pool) -> u32 {
        let same = |word: &Word| word.asked == asked && same_bytes(pool.bytes(word.text), value);
        self.words.find(self.hash(asked, value), same).map_or(ABSENT, |word| word.number)
    }

    /// What is looked up under this number.
    pub(super) fn asked(&self, number: u32) -> Option<Asked> {
        self.asked.get(number as usize).copied()
    }

    /// What is looked up of a header.
    pub(super) fn of_header(&self, header: HeaderId) -> &[u32] {
        self.by_header.get(&header).map_or(&[], |numbers| numbers)
    }

    /// What is looked up of anything else.
    pub(super) fn of_no_header(&self) -> &[u32] {
        &self.no_headers
    }

    pub(super) fn finish(&mut self) {
        self.numbers = Map::default();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.asked.capacity() * (size_of::<Asked>() + 4) + self.words.heap_bytes()
    }

    /// What the request has of what is asked under this number.
    #[inline(always)]
    fn read<'f, H: Headers + ?Sized>(&self, number: u32, facts: &'f Facts<'_, '_, H>) -> Read<'f> {
        match self.asked.get(number as usize) {
            Some(Asked::Value(Attribute::Header { header, joined })) => match facts.attributes.line(*header) {
                Line::None => Read::Nothing,
                Line::One(line) => Read::Text(line),
                Line::Several if *joined => Read::Pieces,
                Line::Several => Read::Lines,
            },
            Some(Asked::Value(Attribute::Method)) => facts.attributes.request.method.map_or(Read::Nothing, Read::Text),
            Some(Asked::Value(attribute)) => match facts.value(*attribute) {
                None => Read::Nothing,
                Some(Value::Plain(value)) => Read::Text(value),
                Some(_) => Read::Pieces,
            },
            Some(Asked::Presence(attribute)) if facts.value(*attribute).is_some() => Read::Text(b""),
            Some(Asked::Presence(_)) | None => Read::Nothing,
        }
    }

    /// The number of what was read.
    #[inline]
    fn number_of<H: Headers + ?Sized>(&self, asked: u32, read: Read<'_>, facts: &Facts<'_, '_, H>) -> u32 {
        match read {
            Read::Nothing => ABSENT,
            Read::Text(text) => self.find(asked, text, &facts.patterns.pool),
            Read::Lines => LINES,
            Read::Pieces => self.number_of_pieces(asked, facts),
        }
    }

    /// The number of a value that does not lie in one piece.
    #[cold]
    fn number_of_pieces<H: Headers + ?Sized>(&self, asked: u32, facts: &Facts<'_, '_, H>) -> u32 {
        let mut room = [0; LONGEST];
        self.whole(asked, facts, &mut room).map_or(ABSENT, |text| self.find(asked, text, &facts.patterns.pool))
    }

    /// A value that does not lie in one piece, put together; none where it is longer than any that a row demands.
    #[cold]
    pub(super) fn whole<'b, H: Headers + ?Sized>(
        &self,
        asked: u32,
        facts: &Facts<'_, '_, H>,
        room: &'b mut [u8; LONGEST],
    ) -> Option<&'b [u8]> {
        let mut length = 0;
        let fits = self.pieces(asked, facts, |byte| {
            room.get_mut(length).is_some_and(|place| {
                *place = byte;
                length += 1;
                true
            })
        });
        room.get(..length).filter(|_| fits)
    }

    /// The lines of a header that is asked under this number.
    pub(super) fn lines<'r, H: Headers + ?Sized>(&self, asked: u32, facts: &Facts<'_, 'r, H>) -> impl Iterator<Item = &'r [u8]> {
        let header = match self.asked(asked) {
            Some(Asked::Value(Attribute::Header { header, .. })) => Some(header),
            _ => None,
        };
        header.into_iter().flat_map(|header| facts.attributes.lines(header))
    }

    /// Hands on the bytes of a value that does not lie in one piece, until `take` has enough; returns whether it took all.
    fn pieces<H: Headers + ?Sized>(&self, asked: u32, facts: &Facts<'_, '_, H>, mut take: impl FnMut(u8) -> bool) -> bool {
        match self.asked(asked) {
            Some(Asked::Value(Attribute::Header { header, .. })) => joined_lines(facts.attributes.lines(header)).all(take),
            Some(Asked::Value(attribute)) => facts.value(attribute).is_some_and(|value| value.bytes().all(&mut take)),
            _ => false,
        }
    }

    /// Whether a value in several lines or pieces is this text.
    #[cold]
    pub(super) fn is_otherwise<H: Headers + ?Sized>(&self, asked: u32, read: Read<'_>, text: &[u8], facts: &Facts<'_, '_, H>) -> bool {
        match read {
            Read::Lines => self.lines(asked, facts).any(|line| line == text),
            Read::Pieces => {
                let mut text = text.iter();
                self.pieces(asked, facts, |byte| text.next() == Some(&byte)) && text.next().is_none()
            }
            Read::Nothing | Read::Text(_) => false,
        }
    }
}

/// What a request has of what is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read<'r> {
    Nothing,
    /// A value in one piece.
    Text(&'r [u8]),
    /// Several header lines, any of which may match.
    Lines,
    /// A value that does not lie in one piece: percent-encoded, or several lines joined.
    Pieces,
}

/// How many values are kept; what is asked beyond drives others out.
const ROOM: usize = 4;
/// The number of a value that was not looked up yet.
const UNNUMBERED: u32 = u32::MAX - 2;

/// A value that was read.
#[derive(Clone, Copy, Debug)]
struct Kept<'r> {
    read: Read<'r>,
    asked: u32,
    number: u32,
}

/// What was found of a request so far, by the numbers of what was asked.
#[derive(Debug)]
pub(crate) struct Values<'r>([Option<Kept<'r>>; ROOM]);

impl<'r> Values<'r> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self([None; ROOM])
    }

    /// What the request has of what is asked under this number; nothing for `NO_KEY`.
    #[inline(always)]
    pub(super) fn read<H: Headers + ?Sized>(&mut self, asked: u32, vocabulary: &Vocabulary, facts: &'r Facts<'_, '_, H>) -> Read<'r> {
        let room = self.0.get_mut(asked as usize % ROOM);
        match room {
            Some(Some(kept)) if kept.asked == asked => kept.read,
            room => {
                let read = vocabulary.read(asked, facts);
                if let Some(room) = room {
                    *room = Some(Kept { read, asked, number: UNNUMBERED });
                }
                read
            }
        }
    }

    /// The number of the request's value: `ABSENT` where no row demands it or there is none, or `LINES`.
    #[inline]
    pub(super) fn number<H: Headers + ?Sized>(&mut self, asked: u32, vocabulary: &Vocabulary, facts: &'r Facts<'_, '_, H>) -> u32 {
        let read = self.read(asked, vocabulary, facts);
        match self.0.get_mut(asked as usize % ROOM) {
            Some(Some(kept)) => {
                if kept.number == UNNUMBERED {
                    kept.number = vocabulary.number_of(asked, read, facts);
                }
                kept.number
            }
            _ => ABSENT,
        }
    }
}

/// One hash of two numbers.
#[inline]
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    // A multiplication spreads upwards only, hence the fold.
    let product = (hash ^ value) as u128 * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ (product >> 64) as u64
}
