//! Names to dense ids, and the maps that do it. Hashing is ahash with fixed seeds: what is inserted is the
//! configuration's, so a hostile request cannot make chains grow, and compiling is deterministic.

use alloc::boxed::Box;

use ahash::RandomState;

/// A map with fixed seeds.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, FixedSeeds>;
/// A set with fixed seeds.
pub(crate) type Set<K> = hashbrown::HashSet<K, FixedSeeds>;

/// Builds the hasher of every map in the engine.
#[derive(Clone, Debug)]
pub(crate) struct FixedSeeds(RandomState);

impl Default for FixedSeeds {
    fn default() -> Self {
        // Any four numbers do: these are the first digits of pi.
        Self(RandomState::with_seeds(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89))
    }
}

impl core::hash::BuildHasher for FixedSeeds {
    type Hasher = <RandomState as core::hash::BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
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
