//! A hash table that requests are looked up in: filled while compiling, never changed afterwards. Open addressing, with a
//! part of the hash beside each entry, so that most look-ups read one place of the table and one text.

use alloc::vec::Vec;

/// Entries by hash.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    /// A power of two of them, at most two thirds taken; or none.
    slots: Vec<Slot<T>>,
    taken: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    /// [`tag`] of the entry's hash, which also says where its search begins; `FREE` where the entry is only a filler.
    tag: u32,
    entry: T,
}

const FREE: u32 = 0;

/// A part of a hash, never `FREE`.
#[inline(always)]
const fn tag(hash: u64) -> u32 {
    hash as u32 | 1 << 31
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), taken: 0 }
    }
}

impl<T: Copy> Table<T> {
    /// Adds an entry; no one looks whether it is there already.
    pub(crate) fn insert(&mut self, hash: u64, entry: T) {
        self.taken += 1;
        if self.taken * 3 > self.slots.len() * 2 {
            let more = (self.slots.len() * 2).max(4);
            let old = core::mem::replace(&mut self.slots, alloc::vec![Slot { tag: FREE, entry }; more]);
            for slot in old.into_iter().filter(|slot| slot.tag != FREE) {
                self.put(slot);
            }
        }
        self.put(Slot { tag: tag(hash), entry });
    }

    fn put(&mut self, new: Slot<T>) {
        let mask = self.slots.len() - 1;
        let mut at = new.tag as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.tag == FREE {
                *slot = new;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// The first entry of this hash that `is_it`.
    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        let tag = tag(hash);
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = tag as usize & mask;
        // Ends, because a third of the slots is free.
        loop {
            let slot = self.slots.get(at)?;
            if slot.tag == tag && is_it(&slot.entry) {
                return Some(&slot.entry);
            }
            if slot.tag == FREE {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<T>>()
    }
}
