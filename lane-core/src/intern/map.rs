//! Maps for programs whose size counts: the entries stand in a list, and one hash table, compiled once for maps of
//! every kind, holds their positions. A kind costs some hundred bytes of code instead of some thousand.

use alloc::vec::Vec;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use hashbrown::HashTable;

use super::{FixedSeed, dense};

/// A map in the order of insertion.
#[derive(Clone, Debug)]
pub(crate) struct Map<K, V> {
    entries: Vec<(K, V)>,
    positions: Positions,
}

/// A set in the order of insertion.
#[derive(Clone, Debug)]
pub(crate) struct Set<K>(Map<K, ()>);

/// Hashes and positions.
#[derive(Clone, Debug, Default)]
struct Positions {
    table: HashTable<(u64, u32)>,
    seed: FixedSeed,
}

impl Positions {
    #[inline(never)]
    fn find(&self, hash: u64, is_it: &mut dyn FnMut(usize) -> bool) -> Option<usize> {
        let found = self.table.find(hash, |(known, position)| *known == hash && is_it(*position as usize));
        found.map(|(_, position)| *position as usize)
    }

    #[inline(never)]
    fn add(&mut self, hash: u64, position: usize) {
        self.table.insert_unique(hash, (hash, dense(position)), |(hash, _)| *hash);
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), positions: Positions::default() }
    }
}

impl<K: Hash + Eq, V> Map<K, V> {
    fn position<Q: Hash + Eq + ?Sized>(&self, hash: u64, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.positions.find(hash, &mut |position| self.entries.get(position).is_some_and(|(known, _)| known.borrow() == key))
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let position = self.position(self.positions.seed.hash_one(key), key)?;
        self.entries.get(position).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let position = self.position(self.positions.seed.hash_one(key), key)?;
        self.entries.get_mut(position).map(|(_, value)| value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let hash = self.positions.seed.hash_one(&key);
        match self.position(hash, &key).and_then(|position| self.entries.get_mut(position)) {
            Some((_, known)) => *known = value,
            None => {
                self.positions.add(hash, self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    pub(crate) fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { map: self, key }
    }
}

/// A key whose value may be there.
pub(crate) struct Entry<'m, K, V> {
    map: &'m mut Map<K, V>,
    key: K,
}

impl<'m, K: Hash + Eq, V> Entry<'m, K, V> {
    #[expect(clippy::indexing_slicing, reason = "the position is that of an entry: it was found, or the entry was just added")]
    pub(crate) fn or_insert_with(self, value: impl FnOnce() -> V) -> &'m mut V {
        let Self { map, key } = self;
        let hash = map.positions.seed.hash_one(&key);
        let position = map.position(hash, &key).unwrap_or_else(|| {
            map.positions.add(hash, map.entries.len());
            map.entries.push((key, value()));
            map.entries.len() - 1
        });
        &mut map.entries[position].1
    }

    pub(crate) fn or_insert(self, value: V) -> &'m mut V {
        self.or_insert_with(|| value)
    }

    pub(crate) fn or_default(self) -> &'m mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<K, V> Map<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.entries.into_iter().map(|(_, value)| value)
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Hash + Eq, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: Hash + Eq> Set<K> {
    /// Adds a key; returns whether it is new.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        let before = self.0.len();
        self.0.entry(key).or_default();
        self.0.len() > before
    }

    pub(crate) fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.get(key).is_some()
    }
}

impl<K: Hash + Eq> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key, ())).collect())
    }
}
