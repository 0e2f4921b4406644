//! How many endpoints each subset has and how many of them are healthy. Its owner (a health checker, a
//! control plane client) updates it from any thread while others decide; nothing is recompiled.
//!
//! One count is one atomic word, so a decision never sees the endpoints of one update with the healthy ones of
//! another, and a decision reads each subset at most once. To change several subsets in one step, fill a
//! second `Liveness` and swap the reference.

use alloc::{boxed::Box, vec::Vec};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::intern::SubsetId;

/// Endpoints of one subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// How many there are.
    pub total: u32,
    /// How many of them are healthy; never more than `total`.
    pub healthy: u32,
}

/// Endpoint counts by subset. What was never set counts as live (S24).
#[derive(Debug, Default)]
pub struct Liveness {
    cells: Box<[AtomicU64]>,
}

/// A cell that was never set; no counts look like it, because healthy is never above total.
const UNSET: u64 = u64::MAX >> 32;

impl Liveness {
    /// A table in which every subset counts as live and none can be set; it allocates nothing.
    #[must_use]
    pub fn all_live() -> Self {
        Self::default()
    }

    /// A table for this many subsets, see [`Router::liveness`](crate::Router::liveness).
    #[must_use]
    pub(crate) fn with_subsets(count: usize) -> Self {
        Self { cells: (0..count).map(|_| AtomicU64::new(UNSET)).collect::<Vec<_>>().into_boxed_slice() }
    }

    /// Sets the counts of a subset; healthy endpoints above the total count as all healthy.
    /// Returns whether the table has that subset.
    pub fn set(&self, subset: SubsetId, endpoints: Endpoints) -> bool {
        let healthy = endpoints.healthy.min(endpoints.total);
        self.store(subset, u64::from(endpoints.total) << 32 | u64::from(healthy))
    }

    /// Forgets the counts of a subset: it counts as live again. Returns whether the table has that subset.
    pub fn clear(&self, subset: SubsetId) -> bool {
        self.store(subset, UNSET)
    }

    /// The counts of a subset, if they were set.
    #[must_use]
    pub fn get(&self, subset: SubsetId) -> Option<Endpoints> {
        // Relaxed: a count says nothing about other memory, and the word itself is never torn.
        match self.cells.get(subset.index())?.load(Ordering::Relaxed) {
            UNSET => None,
            counts => Some(Endpoints { total: (counts >> 32) as u32, healthy: counts as u32 }),
        }
    }

    fn store(&self, subset: SubsetId, counts: u64) -> bool {
        self.cells.get(subset.index()).map(|cell| cell.store(counts, Ordering::Relaxed)).is_some()
    }
}
