//! Which of the values that rows demand are looked up: those that make probes and candidates fewest.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::{
    intern::{Map, Set},
    pattern::Text,
};

use super::row::{Asked, Key, Row};

/// The most keys that a row gives for look-ups.
pub(super) const KEYS: usize = 2;
/// More tuples than this are not visited one by one.
pub(super) const TUPLES: usize = 80;

/// How keys are chosen for look-ups.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Pairs,
    Single,
}

/// Leaves each row the keys by which it is looked up; the others become conditions to check.
pub(super) fn choose_keys(rows: &mut [Row]) -> Scheme {
    let mut frequency: Map<(Asked, Text), usize> = Map::default();
    let mut popularity: Map<Asked, usize> = Map::default();
    for key in rows.iter().flat_map(|row| &row.keys) {
        *frequency.entry((key.asked, key.value)).or_default() += 1;
        *popularity.entry(key.asked).or_default() += 1;
    }
    for row in rows.iter_mut() {
        // Presence tells little apart and comes last; otherwise the rarest first, and of those what most rows ask for, so
        // that it is read once for all of them.
        row.keys.sort_by_key(|key| {
            let count = frequency.get(&(key.asked, key.value)).copied().unwrap_or(0);
            let popularity = popularity.get(&key.asked).copied().unwrap_or(0);
            (matches!(key.asked, Asked::Presence(_)), count, Reverse(popularity), key.asked)
        });
    }
    let cost = |keys: usize| {
        let mut tuples: Set<Vec<Asked>> = Set::default();
        let mut postings: Set<Vec<(Asked, Text)>> = Set::default();
        let mut looked_up = 0;
        for row in rows.iter().filter(|row| !row.keys.is_empty()) {
            tuples.insert(taken(&row.keys, keys).map(|key| key.asked).collect());
            postings.insert(taken(&row.keys, keys).map(|key| (key.asked, key.value)).collect());
            looked_up += 1;
        }
        let visited = if keys == 1 && tuples.len() > TUPLES { 8 } else { tuples.len() };
        // A probe costs about as much as checking two rows.
        (tuples.len(), visited * (2 + looked_up / postings.len().max(1)))
    };
    let has_pairs = rows.iter().any(|row| row.keys.len() > 1);
    let (pair_tuples, pair_cost) = if has_pairs { cost(KEYS) } else { (usize::MAX, usize::MAX) };
    // On a tie pairs win: their first values are mostly the same, and read once.
    let scheme = if has_pairs && pair_tuples <= TUPLES && pair_cost <= cost(1).1 { Scheme::Pairs } else { Scheme::Single };
    let keys = if scheme == Scheme::Pairs { KEYS } else { 1 };
    for row in rows {
        let kept: Vec<Key> = taken(&row.keys, keys).copied().collect();
        row.rest.extend(row.keys.iter().filter(|key| !kept.contains(key)).map(|key| key.condition));
        row.keys = kept;
    }
    scheme
}

/// The first keys, in the order in which tuples name them.
fn taken(keys: &[Key], count: usize) -> impl Iterator<Item = &Key> {
    let mut taken: Vec<&Key> = keys.iter().take(count).collect();
    taken.sort_by_key(|key| key.asked);
    taken.into_iter()
}
