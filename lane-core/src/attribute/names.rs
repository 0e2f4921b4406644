//! The header names that the configuration asks for, and the one pass over a request's headers that finds
//! their lines. Most headers of a request matter to no rule; telling so must cost next to nothing, whatever
//! the case of their letters.

use alloc::{boxed::Box, vec, vec::Vec};
use core::slice;

use crate::{
    context::baggage::trim,
    intern::{Map, dense},
};

/// A header name that the configuration asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HeaderId(pub(crate) u32);

impl HeaderId {
    /// `cookie`, which every configuration knows.
    pub(crate) const COOKIE: Self = Self(0);
    /// `baggage`, which every configuration knows.
    pub(crate) const BAGGAGE: Self = Self(1);
}

/// Collects names while compiling.
#[derive(Debug)]
pub(crate) struct NamesBuilder {
    names: Vec<Box<str>>,
    ids: Map<Box<str>, HeaderId>,
}

impl NamesBuilder {
    pub(crate) fn new() -> Self {
        let mut builder = Self { names: Vec::new(), ids: Map::default() };
        // In the order of the constants above.
        builder.id("cookie");
        builder.id("baggage");
        builder
    }

    /// The id of a name, in any case.
    pub(crate) fn id(&mut self, name: &str) -> HeaderId {
        let name = name.to_ascii_lowercase().into_boxed_str();
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = HeaderId(dense(self.names.len()));
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    pub(crate) fn build(self) -> HeaderNames {
        let mut lengths = [0_u64; 4];
        // At most a quarter full, so that a name which nobody asks for mostly meets an empty bucket.
        let mut buckets = vec![HeaderNames::EMPTY; (self.names.len() * 4).next_power_of_two()].into_boxed_slice();
        let mask = buckets.len() - 1;
        for (id, name) in self.names.iter().enumerate() {
            if let Some(word) = lengths.get_mut(name.len() / 64) {
                *word |= 1 << (name.len() % 64);
            }
            let mut at = spread(name.as_bytes()) & mask;
            while buckets.get(at).is_some_and(|bucket| *bucket != HeaderNames::EMPTY) {
                at = (at + 1) & mask;
            }
            if let Some(bucket) = buckets.get_mut(at) {
                *bucket = dense(id);
            }
        }
        HeaderNames { names: self.names.into_boxed_slice(), buckets, lengths }
    }
}

/// All names that the configuration asks for, lower case.
#[derive(Debug)]
pub(crate) struct HeaderNames {
    names: Box<[Box<str>]>,
    /// Open addressing over [`spread`]; ids, or `EMPTY`.
    buckets: Box<[u32]>,
    /// The lengths that some name has, one bit each; names of 256 bytes and more always count.
    lengths: [u64; 4],
}

impl HeaderNames {
    const EMPTY: u32 = u32::MAX;

    /// The name.
    pub(crate) fn name(&self, id: HeaderId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| name)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.buckets.len() * 4 + self.names.iter().map(|name| name.len() + size_of::<Box<str>>()).sum::<usize>()
    }

    /// The id of a header's name, if the configuration asks for it.
    #[inline]
    pub(crate) fn id(&self, name: &[u8]) -> Option<HeaderId> {
        let word = self.lengths.get(name.len() / 64).copied().unwrap_or(u64::MAX);
        if word >> (name.len() % 64) & 1 == 0 {
            return None;
        }
        let mask = self.buckets.len() - 1;
        let mut at = spread(name) & mask;
        loop {
            let id = *self.buckets.get(at)?;
            if self.names.get(id as usize)?.as_bytes().eq_ignore_ascii_case(name) {
                return Some(HeaderId(id));
            }
            at = (at + 1) & mask;
        }
    }
}

/// Spreads names by length and four of their bytes, without regard to the case of letters.
#[inline]
fn spread(name: &[u8]) -> usize {
    // Setting the bit that tells the cases apart merges a few other characters too, which only costs a comparison.
    let byte = |at: usize| u32::from(name.get(at).copied().unwrap_or(0) | 0x20);
    let length = name.len();
    let picked = byte(0) | byte(length / 2) << 8 | byte(length.wrapping_sub(1)) << 16 | byte(length.wrapping_sub(3)) << 24;
    let mixed = (picked ^ dense(length).wrapping_mul(0x9e37_79b1)).wrapping_mul(0x85eb_ca6b);
    (mixed >> 15 ^ mixed >> 24) as usize
}

/// How many lines of asked-for headers are kept at hand; a request with more is scanned anew for each header.
const ROOM: usize = 16;

/// The lines of the asked-for headers of one request.
#[derive(Debug)]
pub(crate) struct Seen<'r> {
    lines: [(HeaderId, &'r [u8]); ROOM],
    count: usize,
}

impl<'r> Seen<'r> {
    /// Finds the lines, in one pass.
    #[inline]
    pub(crate) fn of(lines: impl Iterator<Item = (&'r [u8], &'r [u8])>, names: &HeaderNames) -> Self {
        let mut seen = Self { lines: [(HeaderId(HeaderNames::EMPTY), &[]); ROOM], count: 0 };
        for (name, value) in lines {
            if let Some(id) = names.id(name) {
                if let Some(line) = seen.lines.get_mut(seen.count) {
                    *line = (id, trim(value));
                }
                seen.count += 1;
            }
        }
        seen
    }

    /// The lines of all headers that are asked for; `all` are the lines of the same request.
    pub(crate) fn all<'s>(
        &'s self,
        all: impl Iterator<Item = (&'r [u8], &'r [u8])>,
        names: &'s HeaderNames,
    ) -> impl Iterator<Item = (HeaderId, &'r [u8])> {
        let at_hand = self.lines.get(..self.count);
        let anew = all.filter(move |_| at_hand.is_none()).filter_map(|(name, value)| Some((names.id(name)?, trim(value))));
        at_hand.into_iter().flatten().copied().chain(anew)
    }

    /// The lines of one header, in order; `all` are the lines of the same request.
    pub(crate) fn lines<'s, I>(&'s self, header: HeaderId, all: I, names: &'s HeaderNames) -> Lines<'s, 'r, I> {
        let source = match self.lines.get(..self.count) {
            Some(lines) => Source::AtHand(lines.iter()),
            None => Source::All(all, names),
        };
        Lines { header, source }
    }
}

/// The lines of one header, without outer blanks.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'s, 'r, I> {
    header: HeaderId,
    source: Source<'s, 'r, I>,
}

impl<I> Lines<'_, '_, I> {
    /// No lines at all.
    pub(crate) fn none(header: HeaderId) -> Self {
        Self { header, source: Source::AtHand([].iter()) }
    }
}

#[derive(Clone, Debug)]
enum Source<'s, 'r, I> {
    AtHand(slice::Iter<'s, (HeaderId, &'r [u8])>),
    All(I, &'s HeaderNames),
}

impl<'r, I: Iterator<Item = (&'r [u8], &'r [u8])>> Iterator for Lines<'_, 'r, I> {
    type Item = &'r [u8];

    #[inline]
    fn next(&mut self) -> Option<&'r [u8]> {
        let header = self.header;
        match &mut self.source {
            Source::AtHand(lines) => lines.find(|(id, _)| *id == header).map(|(_, value)| *value),
            Source::All(lines, names) => lines.find(|(name, _)| names.id(name) == Some(header)).map(|(_, value)| trim(value)),
        }
    }
}
