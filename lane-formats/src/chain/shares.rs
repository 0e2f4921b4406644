//! The parts of a split, exactly: weights over their sum as fractions in lowest terms.

use lane_core::config::Group;
use serde::Serialize;

/// One lane's part of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The lane.
    pub lane: String,
    /// Its weight.
    pub weight: u32,
    /// The part's upper number, in lowest terms.
    pub numerator: u64,
    /// The part's lower number.
    pub denominator: u64,
}

/// `3/10`; nothing and all are `0` and `1`.
impl core::fmt::Display for Share {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.numerator, self.denominator) {
            (numerator, 1) => write!(f, "{numerator}"),
            (numerator, denominator) => write!(f, "{numerator}/{denominator}"),
        }
    }
}

/// The parts of a rule's split; none if the rule has no split.
#[must_use]
pub fn shares(group: &Group, rule: &str) -> Option<Vec<Share>> {
    let split = group.rules.iter().find(|candidate| candidate.name == rule)?.split.as_ref()?;
    let total: u64 = split.iter().map(|share| u64::from(share.weight)).sum();
    let share = |share: &lane_core::config::Share| {
        let weight = u64::from(share.weight);
        let common = common_divisor(weight, total).max(1);
        Share { lane: share.lane.clone(), weight: share.weight, numerator: weight / common, denominator: total / common }
    };
    Some(split.iter().map(share).collect())
}

fn common_divisor(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}
