//! Reading a packed request: every length is checked against what is left, and nothing is copied.

use std::{borrow::Cow, net::IpAddr};

use lane_core::Headers;

use super::status;

/// The bytes do not follow the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl From<Malformed> for i64 {
    fn from(_: Malformed) -> Self {
        status::MALFORMED
    }
}

/// A name and a value.
pub(super) type Pair<'r> = (Cow<'r, str>, Cow<'r, str>);

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    pub(super) const fn new(bytes: &'r [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// A `u32` that counts or points at something.
    pub(super) fn index(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u32()?).map_err(|_| Malformed)
    }

    pub(super) fn bytes(&mut self) -> Result<&'r [u8], Malformed> {
        let length = self.index()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A text; what is no UTF-8 is replaced: requests come from strangers, and a decision cannot fail (S31).
    pub(super) fn text(&mut self) -> Result<Cow<'r, str>, Malformed> {
        self.bytes().map(String::from_utf8_lossy)
    }

    /// Pairs of texts.
    pub(super) fn pairs(&mut self) -> Result<Vec<Pair<'r>>, Malformed> {
        // Not reserved: the count is a stranger's word.
        (0..self.u32()?).map(|_| Ok((self.text()?, self.text()?))).collect()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'r [u8] {
        self.0
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// What stands, by flag.
mod flag {
    pub(super) const METHOD: u16 = 1;
    pub(super) const AUTHORITY: u16 = 2;
    pub(super) const PATH: u16 = 4;
    pub(super) const ROLL: u16 = 8;
    pub(super) const SOURCE_SERVICE: u16 = 16;
    pub(super) const SOURCE_LANE: u16 = 32;
    pub(super) const SOURCE_ADDRESS: u16 = 64;
    pub(super) const RECORDED: u16 = 128;
    pub(super) const ALL: u16 = 255;
}

/// A request, as far as it can be borrowed.
#[derive(Debug)]
pub(super) struct Question<'r> {
    /// The gateway, or the called service.
    pub(super) place: Cow<'r, str>,
    pub(super) method: Option<&'r [u8]>,
    pub(super) authority: Option<&'r [u8]>,
    pub(super) path: Option<&'r [u8]>,
    pub(super) roll: Option<u64>,
    pub(super) source_service: Option<Cow<'r, str>>,
    pub(super) source_lane: Option<Cow<'r, str>>,
    pub(super) source_address: Option<IpAddr>,
    pub(super) source_labels: Vec<Pair<'r>>,
    pub(super) remembered: Vec<Pair<'r>>,
    pub(super) lines: Lines<'r>,
    pub(super) recorded: Option<Vec<Cow<'r, str>>>,
}

impl<'r> Question<'r> {
    /// Reads everything that follows the operation, but for what `TRACE_…` adds.
    pub(super) fn read(reader: &mut Reader<'r>) -> Result<Self, Malformed> {
        let flags = reader.u16()?;
        if flags & !flag::ALL != 0 {
            return Err(Malformed);
        }
        let has = |flag| flags & flag != 0;
        Ok(Self {
            place: reader.text()?,
            method: has(flag::METHOD).then(|| reader.bytes()).transpose()?,
            authority: has(flag::AUTHORITY).then(|| reader.bytes()).transpose()?,
            path: has(flag::PATH).then(|| reader.bytes()).transpose()?,
            roll: has(flag::ROLL).then(|| reader.u64()).transpose()?,
            source_service: has(flag::SOURCE_SERVICE).then(|| reader.text()).transpose()?,
            source_lane: has(flag::SOURCE_LANE).then(|| reader.text()).transpose()?,
            source_address: has(flag::SOURCE_ADDRESS).then(|| address(reader.bytes()?)).transpose()?,
            source_labels: reader.pairs()?,
            remembered: reader.pairs()?,
            lines: Lines::read(reader)?,
            recorded: has(flag::RECORDED).then(|| (0..reader.u32()?).map(|_| reader.text()).collect()).transpose()?,
        })
    }
}

/// An address of 4 or 16 bytes.
fn address(bytes: &[u8]) -> Result<IpAddr, Malformed> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).map_err(|_| Malformed)
}

/// Header lines that stay packed: the engine reads them where they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'r>(Reader<'r>);

impl<'r> Lines<'r> {
    /// Walks over the lines once, so that iterating later cannot meet a wrong length.
    fn read(reader: &mut Reader<'r>) -> Result<Self, Malformed> {
        let count = reader.u32()?;
        let from = reader.rest();
        for _ in 0..count {
            reader.bytes()?;
            reader.bytes()?;
        }
        let length = from.len() - reader.rest().len();
        from.get(..length).map(|lines| Self(Reader::new(lines))).ok_or(Malformed)
    }
}

impl<'r> Iterator for Lines<'r> {
    type Item = (&'r [u8], &'r [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.bytes().ok()?, self.0.bytes().ok()?))
    }
}

impl Headers for Lines<'_> {
    type Lines<'h>
        = Lines<'h>
    where
        Self: 'h;

    #[inline]
    fn lines(&self) -> Self::Lines<'_> {
        *self
    }
}
