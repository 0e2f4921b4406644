//! Names to dense ids, and the maps that do it. Hashing is foldhash with a fixed seed: what is inserted is the
//! configuration's, so a hostile request cannot make chains grow, and compiling is deterministic.

use alloc::boxed::Box;
use core::hash::{BuildHasher, Hasher};

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
#[cfg(not(feature = "index"))]
pub(crate) use map::{Map, Set};

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
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub(crate) u32);

            impl $name {
                /// The id as a number: dense, from 0, in document order.
                #[must_use]
                pub const fn index(self) -> usize {
                    self.0 as usize
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

/// The id that `index` stands for; `compile` has checked that every count fits.
#[must_use]
pub(crate) const fn dense(index: usize) -> u32 {
    debug_assert!(index <= u32::MAX as usize, "counts are limited at compile");
    index as u32
}

/// A name, owned.
pub(crate) type Name = Box<str>;
