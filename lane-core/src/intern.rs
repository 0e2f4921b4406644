//! Names to dense ids, and the maps that do it. Hashing is foldhash with a fixed seed: what is inserted is the
//! configuration's, so a hostile request cannot make chains grow, and compiling is deterministic.

use alloc::boxed::Box;
use core::{
    fmt,
    hash::{BuildHasher, Hasher},
    num::NonZeroU32,
};

use foldhash::fast::FixedState;

/// A map with a fixed seed.
#[cfg(feature = "index")]
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, FixedSeed>;
/// A set with a fixed seed.
#[cfg(feature = "index")]
pub(crate) type Set<K> = hashbrown::HashSet<K, FixedSeed>;

// Who leaves the index out wants little code.
#[cfg(not(feature = "index"))]
mod map;
mod table;
#[cfg(not(feature = "index"))]
pub(crate) use map::{Map, Set};
pub(crate) use table::Table;

/// Builds the hasher of every map in the engine.
#[derive(Clone, Debug)]
pub(crate) struct FixedSeed(FixedState);

impl Default for FixedSeed {
    fn default() -> Self {
        // Any number does: these are the first digits of pi.
        Self(FixedState::with_seed(0x243f_6a88_85a3_08d3))
    }
}

impl BuildHasher for FixedSeed {
    type Hasher = <FixedState as BuildHasher>::Hasher;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

impl FixedSeed {
    /// The hash of some bytes.
    #[inline]
    pub(crate) fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(NonZeroU32);

            impl $name {
                /// The id of what stands at this place.
                #[inline]
                pub(crate) const fn of(number: u32) -> Self {
                    // One more than the place: an id that may not be there is then as small as one that is.
                    Self(NonZeroU32::MIN.saturating_add(number))
                }

                /// The id as a number: dense, from 0, in document order.
                #[must_use]
                #[inline]
                pub const fn index(self) -> usize {
                    self.number() as usize
                }

                #[inline]
                pub(crate) const fn number(self) -> u32 {
                    self.0.get() - 1
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple(stringify!($name)).field(&self.number()).finish()
                }
            }
        )*
    };
}

ids! {
    /// A group of the configuration.
    GroupId;
    /// A service of a group; a host that stands in two groups has two.
    ServiceId;
    /// A lane of a group.
    LaneId;
    /// A rule of a group; ids follow the order in which rules are tried.
    RuleId;
    /// The endpoints of one service that belong to one lane.
    SubsetId;
}

/// Dense ids in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl Ids {
    pub(crate) const NONE: Self = Self { first: 0, count: 0 };

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = u32> + Clone {
        self.first..self.first + self.count
    }

    /// The entries at these positions.
    #[inline]
    pub(crate) fn of<T>(self, entries: &[T]) -> &[T] {
        let first = self.first as usize;
        entries.get(first..first + self.count as usize).unwrap_or_default()
    }
}

/// The id that `index` stands for; `compile` has checked that every count fits.
#[must_use]
pub(crate) const fn dense(index: usize) -> u32 {
    debug_assert!(index <= u32::MAX as usize, "counts are limited at compile");
    index as u32
}

/// A name, owned.
pub(crate) type Name = Box<str>;
