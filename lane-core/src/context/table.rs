//! The bounded table of (group, trace id) to lane (S28): what a sidecar fills from `remember` and asks before
//! the next call. It belongs to one owner, who also says what time it is; the engine reads no clock.

use alloc::{boxed::Box, vec::Vec};

use hashbrown::HashTable;

use crate::intern::FixedSeed;

/// A remembered lane.
#[derive(Debug)]
struct Slot {
    group: Box<str>,
    trace_id: Box<[u8]>,
    lane: Box<str>,
    written: u64,
    /// The slots written just before and just after this one.
    older: Option<usize>,
    newer: Option<usize>,
}

/// Lanes by group and trace id. Capacity and time-to-live are the owner's; time is any unit that the owner likes,
/// the same one throughout.
#[derive(Debug)]
pub struct TraceTable {
    capacity: usize,
    ttl: u64,
    now: u64,
    slots: Vec<Slot>,
    index: HashTable<usize>,
    seeds: FixedSeed,
    oldest: Option<usize>,
    newest: Option<usize>,
}

impl TraceTable {
    /// An empty table for at most `capacity` associations, each dead when its age reaches `ttl`.
    #[must_use]
    pub fn new(capacity: usize, ttl: u64) -> Self {
        Self { capacity, ttl, now: 0, slots: Vec::new(), index: HashTable::new(), seeds: FixedSeed::default(), oldest: None, newest: None }
    }

    /// Associates the trace id with the lane, or renews it. When the table is full the oldest write leaves.
    pub fn remember(&mut self, group: &str, trace_id: &[u8], lane: &str, now: u64) {
        self.advance(now);
        if self.capacity == 0 {
            return;
        }
        let slot = match self.find(group, trace_id) {
            Some(slot) => {
                self.unlink(slot);
                slot
            }
            None if self.slots.len() < self.capacity => {
                let slot = Slot { group: group.into(), trace_id: trace_id.into(), lane: "".into(), written: 0, older: None, newer: None };
                self.slots.push(slot);
                self.enter(self.slots.len() - 1);
                self.slots.len() - 1
            }
            None => {
                let Some(slot) = self.oldest else { return };
                self.leave(slot);
                self.unlink(slot);
                if let Some(entry) = self.slots.get_mut(slot) {
                    entry.group = group.into();
                    entry.trace_id = trace_id.into();
                }
                self.enter(slot);
                slot
            }
        };
        let written = self.now;
        if let Some(entry) = self.slots.get_mut(slot) {
            if *entry.lane != *lane {
                entry.lane = lane.into();
            }
            entry.written = written;
            entry.older = self.newest;
            entry.newer = None;
        }
        if let Some(newest) = self.newest.and_then(|newest| self.slots.get_mut(newest)) {
            newest.newer = Some(slot);
        }
        self.newest = Some(slot);
        self.oldest = self.oldest.or(Some(slot));
    }

    /// The lane of the trace id, unless it is dead. Reading renews nothing. A clock that goes back counts as standing still.
    #[must_use]
    pub fn lane(&mut self, group: &str, trace_id: &[u8], now: u64) -> Option<&str> {
        self.advance(now);
        let slot = self.slots.get(self.find(group, trace_id)?)?;
        (self.now - slot.written < self.ttl).then_some(&*slot.lane)
    }

    /// How many associations the table holds, dead ones that were not yet replaced included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether the table holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The associations that are alive, oldest write first, as (group, trace id, lane).
    pub fn iter(&mut self, now: u64) -> impl Iterator<Item = (&str, &[u8], &str)> {
        self.advance(now);
        let now = self.now;
        let ttl = self.ttl;
        let oldest = self.oldest.and_then(|slot| self.slots.get(slot));
        core::iter::successors(oldest, |slot| self.slots.get(slot.newer?))
            .filter(move |slot| now - slot.written < ttl)
            .map(|slot| (&*slot.group, &*slot.trace_id, &*slot.lane))
    }

    fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    fn hash(&self, group: &str, trace_id: &[u8]) -> u64 {
        core::hash::BuildHasher::hash_one(&self.seeds, (group, trace_id))
    }

    fn find(&self, group: &str, trace_id: &[u8]) -> Option<usize> {
        let same = |slot: &usize| self.slots.get(*slot).is_some_and(|slot| *slot.trace_id == *trace_id && *slot.group == *group);
        self.index.find(self.hash(group, trace_id), same).copied()
    }

    fn slot_hash(&self, slot: usize) -> u64 {
        self.slots.get(slot).map_or(0, |slot| self.hash(&slot.group, &slot.trace_id))
    }

    fn enter(&mut self, slot: usize) {
        let hash = self.slot_hash(slot);
        let Self { index, slots, seeds, .. } = self;
        let rehash =
            |slot: &usize| slots.get(*slot).map_or(0, |slot| core::hash::BuildHasher::hash_one(seeds, (&*slot.group, &*slot.trace_id)));
        index.insert_unique(hash, slot, rehash);
    }

    fn leave(&mut self, slot: usize) {
        let hash = self.slot_hash(slot);
        if let Ok(entry) = self.index.find_entry(hash, |entry| *entry == slot) {
            entry.remove();
        }
    }

    /// Takes a slot out of the order of writes.
    fn unlink(&mut self, slot: usize) {
        let Some((older, newer)) = self.slots.get(slot).map(|slot| (slot.older, slot.newer)) else { return };
        match older.and_then(|older| self.slots.get_mut(older)) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
        match newer.and_then(|newer| self.slots.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_write_leaves_first_and_reading_renews_nothing() {
        let mut table = TraceTable::new(2, 100);
        table.remember("g", b"a", "v1", 0);
        table.remember("g", b"b", "v1", 1);
        table.remember("g", b"a", "v2", 2); // renewed: now b is the oldest
        assert_eq!(table.lane("g", b"b", 3), Some("v1"));
        table.remember("g", b"c", "v3", 4);
        assert_eq!(table.lane("g", b"b", 4), None);
        assert_eq!(table.lane("g", b"a", 4), Some("v2"));
        assert_eq!(table.iter(4).map(|(_, id, lane)| (id, lane)).collect::<Vec<_>>(), [(&b"a"[..], "v2"), (b"c", "v3")]);
    }

    #[test]
    fn an_association_is_dead_when_its_age_reaches_the_time_to_live() {
        let mut table = TraceTable::new(2, 100);
        table.remember("g", b"a", "v1", 10);
        assert_eq!(table.lane("g", b"a", 109), Some("v1"));
        assert_eq!(table.lane("g", b"a", 110), None);
        table.remember("g", b"a", "v1", 110);
        assert_eq!(table.lane("g", b"a", 209), Some("v1"));
    }

    #[test]
    fn a_clock_that_goes_back_stands_still() {
        let mut table = TraceTable::new(2, 100);
        table.remember("g", b"a", "v1", 1_000);
        table.remember("g", b"b", "v1", 500); // written at 1,000
        assert_eq!(table.lane("g", b"b", 1_050), Some("v1"));
        assert_eq!(table.lane("g", b"a", 0), Some("v1"));
        assert_eq!(table.lane("g", b"b", 1_100), None);
    }

    #[test]
    fn one_trace_id_has_a_lane_in_each_group() {
        let mut table = TraceTable::new(9, 100);
        table.remember("g", b"a", "v1", 0);
        table.remember("h", b"a", "v2", 0);
        assert_eq!(table.lane("g", b"a", 1), Some("v1"));
        assert_eq!(table.lane("h", b"a", 1), Some("v2"));
        let mut none = TraceTable::new(0, 100);
        none.remember("g", b"a", "v1", 0);
        assert!(none.is_empty());
    }
}
