//! The header names that the configuration asks for, and how their lines are found. Most headers of a request
//! matter to no rule; telling so must cost next to nothing, whatever the case of their letters.
//!
//! A few names are each looked for when they are needed, which costs a comparison of lengths for every other
//! header. Many are found together, in one pass over the headers against a hash table of the names.

use alloc::{boxed::Box, vec, vec::Vec};
use core::{cell::Cell, slice};

use crate::{
    bytes::is_name,
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
    /// Whether a rule asks for the name.
    asked: Vec<bool>,
}

impl NamesBuilder {
    pub(crate) fn new() -> Self {
        let mut builder = Self { names: Vec::new(), ids: Map::default(), asked: Vec::new() };
        // In the order of the constants above; they are there whether or not a rule asks for them.
        builder.id("cookie");
        builder.id("baggage");
        builder.asked = vec![false; 2];
        builder
    }

    /// Notes that a rule asks for the header.
    pub(crate) fn ask(&mut self, header: HeaderId) {
        if let Some(asked) = self.asked.get_mut(header.0 as usize) {
            *asked = true;
        }
    }

    /// The id of a name, in any case.
    pub(crate) fn id(&mut self, name: &str) -> HeaderId {
        let name = name.to_ascii_lowercase().into_boxed_str();
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = HeaderId(dense(self.names.len()));
        self.names.push(name.clone());
        self.asked.push(true);
        self.ids.insert(name, id);
        id
    }

    pub(crate) fn build(self) -> HeaderNames {
        let mut lengths = 0;
        // At most a quarter full, so that a name which nobody asks for mostly meets an empty bucket.
        let mut buckets = vec![HeaderNames::EMPTY; (self.names.len() * 4).next_power_of_two()].into_boxed_slice();
        let mask = buckets.len() - 1;
        let few = self.asked.iter().filter(|asked| **asked).count() <= FEW;
        for (id, name) in self.names.iter().enumerate() {
            lengths |= length_bit(name.len());
            let mut at = spread(name.as_bytes()) & mask;
            while buckets.get(at).is_some_and(|bucket| *bucket != HeaderNames::EMPTY) {
                at = (at + 1) & mask;
            }
            if let Some(bucket) = buckets.get_mut(at) {
                *bucket = dense(id);
            }
        }
        HeaderNames { names: self.names.into_boxed_slice(), buckets, lengths, asked: self.asked.into_boxed_slice(), few }
    }
}

/// All names that the configuration asks for, lower case.
#[derive(Debug)]
pub(crate) struct HeaderNames {
    names: Box<[Box<str>]>,
    /// Open addressing over [`spread`]; ids, or `EMPTY`.
    buckets: Box<[u32]>,
    /// The lengths that some name has, see [`length_bit`]: most other names are told apart by this alone.
    lengths: u64,
    /// Whether a rule asks for the name, so that the pass finds it.
    asked: Box<[bool]>,
    /// Whether they are so few that each is looked for when it is needed.
    few: bool,
}

impl HeaderNames {
    const EMPTY: u32 = u32::MAX;

    /// The name.
    pub(crate) fn name(&self, id: HeaderId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| name)
    }

    /// Whether a pass finds the header.
    #[inline]
    pub(crate) fn is_asked(&self, id: HeaderId) -> bool {
        self.asked.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// Whether a pass is worth its while.
    #[inline]
    pub(crate) fn are_few(&self) -> bool {
        self.few
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.buckets.len() * 4 + self.names.iter().map(|name| name.len() + size_of::<Box<str>>()).sum::<usize>()
    }

    /// The id of a header's name, if the configuration asks for it.
    #[inline]
    pub(crate) fn id(&self, name: &[u8]) -> Option<HeaderId> {
        if self.lengths & length_bit(name.len()) == 0 { None } else { self.find(name) }
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<HeaderId> {
        let mask = self.buckets.len() - 1;
        let mut at = spread(name) & mask;
        loop {
            let id = *self.buckets.get(at)?;
            if is_name(self.names.get(id as usize)?, name) {
                return Some(HeaderId(id));
            }
            at = (at + 1) & mask;
        }
    }
}

/// So many names are looked for one by one.
const FEW: usize = 3;

/// One bit for each length; all that are 63 and longer share one.
#[inline]
const fn length_bit(length: usize) -> u64 {
    1 << if length < 63 { length } else { 63 }
}

/// Spreads names by length and their first and last byte, without regard to the case of letters.
#[inline]
fn spread(name: &[u8]) -> usize {
    // Setting the bit that tells the cases apart merges a few other characters too, which only costs a comparison.
    let (first, last) = match name {
        [first, .., last] => (u32::from(*first | 0x20), u32::from(*last | 0x20)),
        [only] => (u32::from(*only | 0x20), 0),
        [] => (0, 0),
    };
    let picked = first | last << 8 | dense(name.len()) << 16;
    (picked.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// How many lines of asked-for headers are kept at hand; a request with more is scanned anew for each header.
const ROOM: usize = 8;
/// Nobody asked for a line yet.
const UNSEEN: usize = usize::MAX;

/// Room for a line of a header.
pub(crate) type Kept<'r> = Cell<Option<(HeaderId, &'r [u8])>>;

/// The lines of the asked-for headers of one request. Cells, because whoever asks first finds them, and lines that
/// were found elsewhere would have to be moved here.
#[derive(Debug)]
pub(crate) struct Seen<'r> {
    lines: [Kept<'r>; ROOM],
    count: Cell<usize>,
}

impl<'r> Seen<'r> {
    /// Nothing was looked for yet.
    #[inline]
    pub(crate) const fn nothing() -> Self {
        Self { lines: [const { Cell::new(None) }; ROOM], count: Cell::new(UNSEEN) }
    }

    /// Whether the lines were found already.
    #[inline]
    pub(crate) fn is_filled(&self) -> bool {
        self.count.get() != UNSEEN
    }

    /// Finds the lines, in one pass.
    pub(crate) fn fill(&self, lines: impl Iterator<Item = (&'r [u8], &'r [u8])>, names: &HeaderNames) {
        let mut count = 0;
        for (name, value) in lines {
            if let Some(id) = names.id(name) {
                if let Some(room) = self.lines.get(count) {
                    room.set(Some((id, trim(value))));
                }
                count += 1;
            }
        }
        self.count.set(count);
    }

    /// The lines found, unless they were too many to be kept.
    #[inline]
    pub(crate) fn at_hand(&self) -> Option<&[Kept<'r>]> {
        self.lines.get(..self.count.get())
    }
}

/// The lines of one header, in order, without outer blanks.
#[derive(Clone, Debug)]
pub(crate) enum Lines<'s, 'r, I> {
    /// Among those that the pass found.
    AtHand(HeaderId, slice::Iter<'s, Kept<'r>>),
    /// Among all lines of the request.
    Among(&'s str, I),
}

impl<'r, I: Iterator<Item = (&'r [u8], &'r [u8])>> Iterator for Lines<'_, 'r, I> {
    type Item = &'r [u8];

    #[inline]
    fn next(&mut self) -> Option<&'r [u8]> {
        match self {
            Self::AtHand(header, lines) => lines.find_map(|kept| kept.get().filter(|(id, _)| id == header).map(|(_, value)| value)),
            Self::Among(wanted, lines) => lines.find(|(name, _)| is_name(wanted, name)).map(|(_, value)| trim(value)),
        }
    }
}
