//! The yardstick of a hop: one look-up of a service's host among 10,000. 1,024 different keys are asked for, as in
//! `research/perf.md`, section 4. The goal was set with ahash; the hash that the engine uses itself stands beside it.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::{harness::Subject, random::Rng};

/// A map and what it is asked.
#[derive(Debug)]
pub struct Lookup<S> {
    name: &'static str,
    map: HashMap<String, u64, S>,
    keys: Vec<String>,
    expected: Vec<u64>,
}

/// The yardstick.
#[must_use]
pub fn ahash() -> Lookup<impl BuildHasher> {
    Lookup::new("map look-up (ahash)", ahash::RandomState::with_seeds(1, 2, 3, 4))
}

/// The engine's own hash.
#[must_use]
pub fn foldhash() -> Lookup<impl BuildHasher> {
    Lookup::new("map look-up (foldhash)", foldhash::fast::FixedState::with_seed(1))
}

impl<S: BuildHasher> Lookup<S> {
    fn new(name: &'static str, hasher: S) -> Self {
        const ENTRIES: usize = 10_000;
        const KEYS: usize = 1_024;
        let key = |index: usize| format!("svc-{index}.shop.svc.cluster.local");
        let mut map = HashMap::with_capacity_and_hasher(ENTRIES, hasher);
        map.extend((0..ENTRIES).map(|index| (key(index), index as u64)));
        let mut rng = Rng::new(7);
        let expected: Vec<u64> = (0..KEYS).map(|_| rng.below(ENTRIES) as u64).collect();
        Self { name, map, keys: expected.iter().map(|index| key(*index as usize)).collect(), expected }
    }

    /// One look-up a question.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject::new(self.name, &self.expected, |index| self.map.get(self.keys[index].as_str()).copied().unwrap_or(u64::MAX))
    }
}
