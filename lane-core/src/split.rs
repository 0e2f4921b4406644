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
    /// The only lane with a positive weight.
    alone: Option<LaneId>,
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
    pub(crate) fn new(shares: Box<[Share]>, sticky: Option<Sticky>) -> Self {
        let mut positive = shares.iter().filter(|share| share.weight > 0);
        let alone = positive.next().map(|share| share.lane).filter(|_| positive.next().is_none());
        let total = shares.iter().map(|share| u64::from(share.weight)).sum();
        Self { shares, total, alone, sticky }
    }

    /// Draws a lane for the request.
    pub(crate) fn draw<H: Headers + ?Sized>(&self, attributes: &Attributes<'_, '_, H>, pool: &Pool) -> Draw {
        let roll = attributes.request.roll;
        let alone = self.alone;
        let Some(sticky) = &self.sticky else {
            return match alone {
                Some(lane) => Draw::Lane { lane, by: DrawnBy::Alone, cookie: None },
                None => self.by_roll(roll),
            };
        };

        let salt = sticky.salt.map(|salt| pool.str(salt));
        let mut missing = None;
        for (position, key) in sticky.keys.iter().enumerate() {
            let lane = attributes.with_key(*key, |value| alone.unwrap_or_else(|| self.by_key(sticky.method, salt, value)));
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
            (Some(lane), _, cookie) => Draw::Lane { lane, by: DrawnBy::Alone, cookie },
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
    fn rendezvous(&self, salt: Option<&str>, key: Value<'_>) -> LaneId {
        let lane = match (salt, key) {
            (None, Value::Plain(key)) => self.rendezvous_roughly(|share| xxh64(key, share.seed)),
            _ => self.rendezvous_roughly(|share| hash_key(share.seed, salt, key)),
        };
        lane.unwrap_or_else(|| self.rendezvous_exactly(salt, key))
    }

    /// The same by rough logarithms, which cost less than the exact ones and mostly tell the smallest score already.
    #[inline]
    fn rendezvous_roughly(&self, hash: impl Fn(&Share) -> u64) -> Option<LaneId> {
        let mut shares = self.shares.iter().filter(|share| share.weight > 0);
        let drawn = |share: &Share| (rough_negative_ln(uniform(hash(share))), f64::from(share.weight));
        let first = shares.next()?;
        let (mut least, mut weight) = drawn(first);
        let mut lane = first.lane;
        for share in shares {
            let (other, other_weight) = drawn(share);
            // Scores are quotients of these; comparing products spares the division.
            if (other + ROUGH) * weight < (least - ROUGH) * other_weight {
                (least, weight, lane) = (other, other_weight, share.lane);
            } else if (other - ROUGH) * weight <= (least + ROUGH) * other_weight {
                return None;
            }
        }
        Some(lane)
    }

    /// The same by the scores themselves.
    #[cold]
    fn rendezvous_exactly(&self, salt: Option<&str>, key: Value<'_>) -> LaneId {
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

/// How far a rough logarithm may be off, with room for every rounding error of a score.
const ROUGH: f64 = 0.002;

/// A hash as a number between 0 and 1.
fn uniform(hash: u64) -> f64 {
    // 53 bits are what an f64 holds; the half keeps u above 0, where the logarithm has no value.
    ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// -ln(u), at most [`ROUGH`] off, for 0 < u <= 1: the exponent's share, and the first terms of the series around 3/4.
fn rough_negative_ln(u: f64) -> f64 {
    const LN_3_4: f64 = -0.287_682_072_451_780_9;
    let bits = u.to_bits();
    // u = mantissa * 2^exponent, 1/2 <= mantissa < 1.
    let exponent = (bits >> 52) as i32 - 1022;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1022 << 52);
    let x = (mantissa - 0.75) * (4.0 / 3.0);
    let ln = LN_3_4 + x * (1.0 - x * (1.0 / 2.0 - x * (1.0 / 3.0 - x * (1.0 / 4.0))));
    -f64::from(exponent) * core::f64::consts::LN_2 - ln
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
    fn a_rough_logarithm_is_as_near_as_promised() {
        // The smallest and the largest u, powers of two and their neighbours, and a walk over all.
        let mut values: Vec<f64> = [0, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 11, 1 << 40].map(uniform).to_vec();
        values.extend((0..1_000_000_u64).map(|step| uniform(step.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
        values.extend((0..10_000_u32).map(|step| 0.5 + f64::from(step) / 20_000.0));
        for u in values {
            let error = (rough_negative_ln(u) + libm::log(u)).abs();
            assert!(error < ROUGH * 0.9, "{u}: {error}");
        }
    }

    #[test]
    fn bounds_choose_what_the_scores_choose() {
        for weights in [&[40, 30, 30][..], &[1, 1], &[90, 10], &[1, 0, u32::MAX], &[5, 5, 5, 5, 5, 5, 5, 5], &[1; 9]] {
            let share = |(index, weight): (usize, &u32)| Share {
                lane: LaneId(crate::intern::dense(index)),
                weight: *weight,
                seed: seed("lane") + index as u64,
            };
            let shares: Vec<Share> = weights.iter().enumerate().map(share).collect();
            let split = Split::new(shares.into_boxed_slice(), None);
            for key in 0..20_000_u32 {
                let key = Value::Plain(&key.to_le_bytes()[..]).bytes().collect::<Vec<u8>>();
                let key = Value::Plain(&key);
                assert_eq!(split.rendezvous(None, key), split.rendezvous_exactly(None, key));
            }
        }
    }

    #[test]
    fn a_tie_goes_to_the_earlier_lane() {
        // One seed gives one hash, so that equal weights give equal scores.
        let share = |lane| Share { lane: LaneId(lane), weight: 7, seed: 1 };
        let split = Split::new([share(3), share(2)].into(), None);
        assert_eq!(split.rendezvous(None, Value::Plain(b"anybody")), LaneId(3));
    }
}
