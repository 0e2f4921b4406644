//! The values that rows demand, numbered, and what a request has of them. A value of the request is hashed and
//! compared once; from then on it is a number, and telling rows apart is comparing numbers.

use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::{
    attribute::{Line, Value, names::HeaderId},
    condition::{Attribute, Facts, joined_lines},
    intern::{FixedSeed, Map, dense},
    pattern::{Pool, Text, same_bytes},
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
    words: HashTable<Word>,
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
        let Self { words, seed, .. } = self;
        let hash = |word: &Word| mix(seed.hash_bytes(pool.bytes(word.text)), u64::from(word.asked));
        words.insert_unique(hash(&word), word, hash);
        word.number
    }

    /// The number of a request's value; absent where no row demands it.
    #[inline]
    pub(super) fn find(&self, asked: u32, value: &[u8], pool: &Pool) -> u32 {
        let same = |word: &Word| word.asked == asked && same_bytes(pool.bytes(word.text), value);
        self.words.find(mix(self.seed.hash_bytes(value), u64::from(asked)), same).map_or(ABSENT, |word| word.number)
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
        self.asked.capacity() * (size_of::<Asked>() + 4) + self.words.allocation_size()
    }

    /// What the request has of what is asked under this number.
    #[inline(always)]
    fn read<H: Headers + ?Sized>(&self, number: u32, facts: &Facts<'_, '_, H>) -> u32 {
        let pool = &facts.patterns.pool;
        match self.asked.get(number as usize) {
            Some(Asked::Value(Attribute::Header { header, joined })) => match facts.attributes.line(*header) {
                Line::None => ABSENT,
                Line::One(line) => self.find(number, line, pool),
                Line::Several if *joined => self.find_pieces(number, joined_lines(facts.attributes.lines(*header)), pool),
                Line::Several => LINES,
            },
            Some(Asked::Value(Attribute::Method)) => {
                facts.attributes.request.method.map_or(ABSENT, |method| self.find(number, method, pool))
            }
            Some(Asked::Value(attribute)) => match facts.value(*attribute) {
                None => ABSENT,
                Some(Value::Plain(value)) => self.find(number, value, pool),
                Some(value) => self.find_pieces(number, value.bytes(), pool),
            },
            Some(Asked::Presence(attribute)) if facts.value(*attribute).is_some() => self.find(number, b"", pool),
            Some(Asked::Presence(_)) | None => ABSENT,
        }
    }

    /// The number of a value that does not lie in one piece (percent-encoded, or several lines joined).
    #[cold]
    fn find_pieces(&self, asked: u32, bytes: impl Iterator<Item = u8>, pool: &Pool) -> u32 {
        let mut whole = [0; LONGEST];
        let mut length = 0;
        for byte in bytes {
            let Some(room) = whole.get_mut(length) else { return ABSENT };
            *room = byte;
            length += 1;
        }
        self.find(asked, whole.get(..length).unwrap_or_default(), pool)
    }
}

/// How many values are kept; what is asked beyond drives others out.
const ROOM: usize = 8;

/// What was found of a request so far, by the numbers of what was asked.
#[derive(Debug)]
pub(crate) struct Values([(u32, u32); ROOM]);

impl Values {
    #[inline]
    pub(super) const fn new() -> Self {
        Self([(NO_KEY, ABSENT); ROOM])
    }

    /// What the request has of what is asked under this number: the number of its value, or `ABSENT`, or `LINES`.
    #[inline]
    pub(super) fn get<H: Headers + ?Sized>(&mut self, asked: u32, vocabulary: &Vocabulary, facts: &Facts<'_, '_, H>) -> u32 {
        let Self(kept) = self;
        match kept.get_mut(asked as usize % ROOM) {
            Some((number, found)) if *number == asked => *found,
            room => {
                let found = vocabulary.read(asked, facts);
                if let Some(room) = room {
                    *room = (asked, found);
                }
                found
            }
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
