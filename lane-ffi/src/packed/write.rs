//! Writing a packed answer: as far as there is room, and counted to the end, so that the caller learns how much it takes.

use std::io;

use serde::Serialize;

/// Bytes that are written behind one another.
#[derive(Debug)]
pub(super) struct Writer<'b> {
    room: &'b mut [u8],
    length: usize,
}

impl<'b> Writer<'b> {
    pub(super) const fn new(room: &'b mut [u8]) -> Self {
        Self { room, length: 0 }
    }

    /// How many bytes the answer has, whether or not there was room.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Whether there was room for all of it.
    pub(super) const fn is_complete(&self) -> bool {
        self.length <= self.room.len()
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(room) = self.room.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
        }
        self.length = end;
    }

    pub(super) fn u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    /// An id or a count; the engine's limits keep both far below `u32::MAX`, which is none.
    pub(super) fn u32(&mut self, number: usize) {
        self.put(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }

    pub(super) fn id(&mut self, id: Option<usize>) {
        self.u32(id.unwrap_or(usize::MAX));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len());
        self.put(bytes);
    }

    /// Pairs of texts, counted.
    pub(super) fn pairs<'p>(&mut self, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
        self.counted(|writer| {
            let each = |(name, value): (&str, &str)| {
                writer.bytes(name.as_bytes());
                writer.bytes(value.as_bytes());
            };
            pairs.map(each).count()
        });
    }

    /// A count in front of what `write` writes, and says the number of.
    pub(super) fn counted(&mut self, write: impl FnOnce(&mut Self) -> usize) {
        let at = self.length;
        self.u32(0);
        let count = write(self);
        let end = self.length;
        self.length = at;
        self.u32(count);
        self.length = end;
    }

    /// A value as JSON, to the end of the answer.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        // Neither the writer nor the values that are written here can fail.
        let _ = serde_json::to_writer(self, value);
    }
}

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
