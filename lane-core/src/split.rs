//! Sharing requests out over lanes by weight: by the caller's roll (S19), or by a key that keeps a client in
//! its lane (S20). Assignments never change between releases, platforms and languages.

use alloc::boxed::Box;

use xxhash_rust::xxh64::xxh64;

use crate::{
    attribute::{Attributes, Key, Known, Value, hash_key, names::HeaderId},
    config::Method,
    intern::LaneId,
    pattern::{Pool, Text},
    request::Headers,
};

/// A compiled split.
#[derive(Debug)]
pub(crate) struct Split {
    /// In document order; at least one weight is positive.
    pub(crate) shares: Box<[Share]>,
    /// The sum of the weights.
    pub(crate) total: u64,
    pub(crate) sticky: Option<Sticky>,
}

/// One lane of a split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) lane: LaneId,
    pub(crate) weight: u32,
    /// XXH64 (seed 0) of the lane's name: the seed of its rendezvous score.
    pub(crate) seed: u64,
}

/// How a split keeps a client in its lane.
#[derive(Debug)]
pub(crate) struct Sticky {
    /// The cookie of `generate` is the last.
    pub(crate) keys: Box<[Key]>,
    pub(crate) generate: Option<Generate>,
    pub(crate) method: Method,
    pub(crate) salt: Option<Text>,
}

/// A cookie that makes a client sticky.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generate {
    pub(crate) cookie: Text,
    pub(crate) ttl_seconds: u32,
}

/// What a split says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Draw {
    /// This lane, drawn so.
    Lane { lane: LaneId, by: DrawnBy, cookie: Option<u64> },
    /// It needs a roll, and there is none.
    NeedsRoll,
    /// It depends on a header that was not recorded.
    Unseen(HeaderId),
}

/// How a lane was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DrawnBy {
    /// It is the only one with a weight.
    Alone,
    /// By this value, below the sum of the weights.
    Roll(u64),
    /// By the key at this position; a generated one stands behind the last.
    Key { position: usize, method: Method },
}

impl Split {
    /// Draws a lane for the request.
    pub(crate) fn draw<H: Headers + ?Sized>(&self, attributes: &Attributes<'_, H>, pool: &Pool) -> Draw {
        let roll = attributes.request.roll;
        let alone = {
            let mut positive = self.shares.iter().filter(|share| share.weight > 0);
            positive.next().filter(|_| positive.next().is_none())
        };
        let Some(sticky) = &self.sticky else {
            if let Some(share) = alone {
                return Draw::Lane { lane: share.lane, by: DrawnBy::Alone, cookie: None };
            }
            return self.by_roll(roll);
        };

        let salt = sticky.salt.map(|salt| pool.str(salt));
        let mut missing = None;
        for (position, key) in sticky.keys.iter().enumerate() {
            let lane = attributes.with_key(*key, |value| alone.map_or_else(|| self.by_key(sticky.method, salt, value), |share| share.lane));
            match lane {
                Known::Present(lane) => {
                    let by = if alone.is_some() { DrawnBy::Alone } else { DrawnBy::Key { position, method: sticky.method } };
                    // A key behind one that could not be seen may not be the first.
                    if let (Some(header), None) = (missing, alone) {
                        return Draw::Unseen(header);
                    }
                    return Draw::Lane { lane, by, cookie: None };
                }
                Known::Absent => {}
                Known::Unseen(header) => missing = missing.or(Some(header)),
            }
        }
        // No key: the roll becomes one where a cookie can carry it (S19).
        let cookie = if sticky.generate.is_some() { roll } else { None };
        match (alone, missing, cookie) {
            (Some(share), _, cookie) => Draw::Lane { lane: share.lane, by: DrawnBy::Alone, cookie },
            (None, Some(header), _) => Draw::Unseen(header),
            (None, None, Some(roll)) => {
                let lane = self.by_key(sticky.method, salt, Value::Plain(&cookie_value(roll)));
                Draw::Lane { lane, by: DrawnBy::Key { position: sticky.keys.len(), method: sticky.method }, cookie: Some(roll) }
            }
            (None, None, None) => self.by_roll(roll),
        }
    }

    fn by_roll(&self, roll: Option<u64>) -> Draw {
        let Some(roll) = roll else { return Draw::NeedsRoll };
        let value = roll % self.total.max(1);
        Draw::Lane { lane: self.at(value), by: DrawnBy::Roll(value), cookie: None }
    }

    /// The lane whose range holds `value`: the lanes in order take ranges as long as their weights.
    fn at(&self, value: u64) -> LaneId {
        let mut end = 0;
        for share in &self.shares {
            end += u64::from(share.weight);
            if value < end {
                return share.lane;
            }
        }
        // Not reached: `value` lies below the sum of the weights.
        self.shares.last().map_or(LaneId(0), |share| share.lane)
    }

    fn by_key(&self, method: Method, salt: Option<&str>, key: Value<'_>) -> LaneId {
        match method {
            Method::Ranges => self.at(self.range_value(salt, key)),
            Method::Rendezvous => self.rendezvous(salt, key),
        }
    }

    /// The lane with the smallest score, the earlier on a tie.
    ///
    /// Logarithms cost most, and bounds of them mostly tell the smallest score already: for 0 < u < 1,
    /// 2(1 - u)/(1 + u) <= -ln u <= (1/u - u)/2. Only lanes whose lower bound reaches the smallest upper bound can win.
    fn rendezvous(&self, salt: Option<&str>, key: Value<'_>) -> LaneId {
        // Wide enough for every rounding error in the bounds and the score.
        const MARGIN: f64 = 1.0 + 1e-9;
        let mut least_upper = f64::INFINITY;
        let mut lowers = [(0.0, 0.0); AT_ONCE];
        let positive = || self.shares.iter().filter(|share| share.weight > 0);
        for (index, share) in positive().enumerate() {
            let u = uniform(hash_key(share.seed, salt, key));
            let weight = f64::from(share.weight);
            least_upper = least_upper.min((1.0 / u - u) / (2.0 * weight));
            match lowers.get_mut(index) {
                Some(room) => *room = (2.0 * (1.0 - u) / ((1.0 + u) * weight), u),
                None => return self.rendezvous_of_many(salt, key),
            }
        }
        let bound = least_upper * MARGIN;
        let mut contenders = positive().zip(lowers).filter(|(_, (lower, _))| *lower <= bound);
        let Some((first, (_, u))) = contenders.next() else { return LaneId(0) };
        let mut best = (None, first.lane);
        for (share, (_, other)) in contenders {
            let least = best.0.unwrap_or_else(|| score(u, first.weight));
            let score = score(other, share.weight);
            best = if score < least { (Some(score), share.lane) } else { (Some(least), best.1) };
        }
        best.1
    }

    /// The same for any number of lanes.
    fn rendezvous_of_many(&self, salt: Option<&str>, key: Value<'_>) -> LaneId {
        let mut best: Option<(f64, LaneId)> = None;
        for (lane, score) in self.scores(salt, key) {
            // Strictly smaller: the earlier lane wins a tie.
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, lane));
            }
        }
        best.map_or(LaneId(0), |(_, lane)| lane)
    }

    /// The value of a key by which ranges choose.
    pub(crate) fn range_value(&self, salt: Option<&str>, key: Value<'_>) -> u64 {
        hash_key(0, salt, key) % self.total.max(1)
    }

    /// The rendezvous scores of a key, for explaining: lane and score in document order, weight 0 left out.
    pub(crate) fn scores(&self, salt: Option<&str>, key: Value<'_>) -> impl Iterator<Item = (LaneId, f64)> {
        let positive = self.shares.iter().filter(|share| share.weight > 0);
        positive.map(move |share| (share.lane, score(uniform(hash_key(share.seed, salt, key)), share.weight)))
    }
}

/// The seed of a lane's rendezvous score.
pub(crate) fn seed(lane: &str) -> u64 {
    xxh64(lane.as_bytes(), 0)
}

/// So many lanes are drawn with bounds; more are rare.
const AT_ONCE: usize = 8;

/// A hash as a number between 0 and 1.
fn uniform(hash: u64) -> f64 {
    // 53 bits are what an f64 holds; the half keeps u above 0, where the logarithm has no value.
    ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The rendezvous score of S20: the smallest wins.
fn score(u: f64, weight: u32) -> f64 {
    -libm::log(u) / f64::from(weight)
}

/// The value of a generated cookie: the roll as 16 lower-case hex digits.
pub(crate) fn cookie_value(roll: u64) -> [u8; 16] {
    let mut value = [0; 16];
    for (position, digit) in value.iter_mut().enumerate() {
        let nibble = (roll >> (60 - 4 * position)) as u8 & 0xf;
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
    value
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn bounds_choose_what_the_scores_choose() {
        for weights in [&[40, 30, 30][..], &[1, 1], &[90, 10], &[1, 0, u32::MAX], &[5, 5, 5, 5, 5, 5, 5, 5], &[1; 9]] {
            let share = |(index, weight): (usize, &u32)| Share {
                lane: LaneId(crate::intern::dense(index)),
                weight: *weight,
                seed: seed("lane") + index as u64,
            };
            let shares: Vec<Share> = weights.iter().enumerate().map(share).collect();
            let split = Split { total: 1, shares: shares.into_boxed_slice(), sticky: None };
            for key in 0..20_000_u32 {
                let key = Value::Plain(&key.to_le_bytes()[..]).bytes().collect::<Vec<u8>>();
                let key = Value::Plain(&key);
                assert_eq!(split.rendezvous(None, key), split.rendezvous_of_many(None, key));
            }
        }
    }

    #[test]
    fn a_tie_goes_to_the_earlier_lane() {
        // One seed gives one hash, so that equal weights give equal scores.
        let share = |lane| Share { lane: LaneId(lane), weight: 7, seed: 1 };
        let split = Split { total: 14, shares: [share(3), share(2)].into(), sticky: None };
        assert_eq!(split.rendezvous(None, Value::Plain(b"anybody")), LaneId(3));
    }
}
