//! Sharing requests out over lanes by weight: by the caller's roll (S19), or by a key that keeps a client in
//! its lane (S20). Assignments never change between releases, platforms and languages.

use alloc::boxed::Box;

use xxhash_rust::xxh64::xxh64;

use crate::{
    attribute::{Attributes, Key, Known, Value, hash_key, names::HeaderId},
    config::Method,
    intern::{LaneId, SubsetId},
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
    alone: Option<Target>,
    pub(crate) sticky: Option<Sticky>,
}

/// A lane, and its endpoints of the service that is called, if it contains the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) lane: LaneId,
    pub(crate) own: Option<SubsetId>,
}

impl Target {
    /// Stands where a configuration was refused, or where nothing is reached.
    pub(crate) const NONE: Self = Self::at(LaneId::of(0));

    /// A lane of which no endpoints are known yet.
    pub(crate) const fn at(lane: LaneId) -> Self {
        Self { lane, own: None }
    }
}

/// One lane of a split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) target: Target,
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
    Lane { target: Target, by: DrawnBy, cookie: Option<u64> },
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
        let alone = positive.next().map(|share| share.target).filter(|_| positive.next().is_none());
        let total = shares.iter().map(|share| u64::from(share.weight)).sum();
        Self { shares, total, alone, sticky }
    }

    /// Notes the endpoints of its lanes.
    pub(crate) fn aim(&mut self, target: impl Fn(LaneId) -> Target) {
        let targets = self.shares.iter_mut().map(|share| &mut share.target);
        targets.chain(&mut self.alone).for_each(|aimed| *aimed = target(aimed.lane));
    }

    /// Draws a lane for the request.
    pub(crate) fn draw<H: Headers + ?Sized>(&self, attributes: &Attributes<'_, '_, H>, pool: &Pool) -> Draw {
        let roll = attributes.request.roll;
        let alone = self.alone;
        let Some(sticky) = &self.sticky else {
            return match alone {
                Some(target) => Draw::Lane { target, by: DrawnBy::Alone, cookie: None },
                None => self.by_roll(roll),
            };
        };

        let salt = sticky.salt.map(|salt| pool.str(salt));
        let mut missing = None;
        for (position, key) in sticky.keys.iter().enumerate() {
            let target = attributes.with_key(*key, |value| alone.unwrap_or_else(|| self.by_key(sticky.method, salt, value)));
            match target {
                Known::Present(target) => {
                    let by = if alone.is_some() { DrawnBy::Alone } else { DrawnBy::Key { position, method: sticky.method } };
                    // A key behind one that could not be seen may not be the first.
                    if let (Some(header), None) = (missing, alone) {
                        return Draw::Unseen(header);
                    }
                    return Draw::Lane { target, by, cookie: None };
                }
                Known::Absent => {}
                Known::Unseen(header) => missing = missing.or(Some(header)),
            }
        }
        // No key: the roll becomes one where a cookie can carry it (S19).
        let cookie = if sticky.generate.is_some() { roll } else { None };
        match (alone, missing, cookie) {
            (Some(target), _, cookie) => Draw::Lane { target, by: DrawnBy::Alone, cookie },
            (None, Some(header), _) => Draw::Unseen(header),
            (None, None, Some(roll)) => {
                let target = self.by_key(sticky.method, salt, Value::Plain(&cookie_value(roll)));
                Draw::Lane { target, by: DrawnBy::Key { position: sticky.keys.len(), method: sticky.method }, cookie: Some(roll) }
            }
            (None, None, None) => self.by_roll(roll),
        }
    }

    fn by_roll(&self, roll: Option<u64>) -> Draw {
        let Some(roll) = roll else { return Draw::NeedsRoll };
        let value = roll % self.total.max(1);
        Draw::Lane { target: self.at(value), by: DrawnBy::Roll(value), cookie: None }
    }

    /// The lane whose range holds `value`: the lanes in order take ranges as long as their weights.
    fn at(&self, value: u64) -> Target {
        let mut end = 0;
        for share in &self.shares {
            end += u64::from(share.weight);
            if value < end {
                return share.target;
            }
        }
        // Not reached: `value` lies below the sum of the weights.
        self.shares.last().map_or(Target::NONE, |share| share.target)
    }

    #[cfg_attr(feature = "index", inline(always))]
    fn by_key(&self, method: Method, salt: Option<&str>, key: Value<'_>) -> Target {
        match method {
            Method::Ranges => self.at(self.range_value(salt, key)),
            Method::Rendezvous => self.rendezvous(salt, key),
        }
    }

    /// The lane with the smallest score, the earlier on a tie.
    #[cfg_attr(feature = "index", inline(always))]
    fn rendezvous(&self, salt: Option<&str>, key: Value<'_>) -> Target {
        let lane = match (salt, key) {
            (None, Value::Plain(key)) => self.rendezvous_roughly(|share| xxh64(key, share.seed)),
            _ => self.rendezvous_roughly(|share| hash_key(share.seed, salt, key)),
        };
        lane.unwrap_or_else(|| self.rendezvous_exactly(salt, key))
    }

    /// The same by rough logarithms, which cost less than the exact ones and mostly tell the smallest score already.
    #[cfg_attr(feature = "index", inline(always))]
    fn rendezvous_roughly(&self, hash: impl Fn(&Share) -> u64) -> Option<Target> {
        let mut shares = self.shares.iter().filter(|share| share.weight > 0);
        let drawn = |share: &Share| (rough_negative_log2(hash(share)), i64::from(share.weight));
        let mut chosen = shares.next()?;
        let (mut least, mut weight) = drawn(chosen);
        let mut is_clear = true;
        for share in shares {
            let (other, other_weight) = drawn(share);
            // Scores are quotients of these; comparing products spares the division. No branch, as none could be foretold.
            let is_less = (other + ROUGH) * weight < (least - ROUGH) * other_weight;
            is_clear &= is_less | ((other - ROUGH) * weight > (least + ROUGH) * other_weight);
            chosen = core::hint::select_unpredictable(is_less, share, chosen);
            least = core::hint::select_unpredictable(is_less, other, least);
            weight = core::hint::select_unpredictable(is_less, other_weight, weight);
        }
        is_clear.then_some(chosen.target)
    }

    /// The same by the scores themselves.
    #[cold]
    #[inline(never)]
    fn rendezvous_exactly(&self, salt: Option<&str>, key: Value<'_>) -> Target {
        let mut best: Option<(f64, Target)> = None;
        for (target, score) in self.scores(salt, key) {
            // Strictly smaller: the earlier lane wins a tie.
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, target));
            }
        }
        best.map_or(Target::NONE, |(_, target)| target)
    }

    /// The value of a key by which ranges choose.
    pub(crate) fn range_value(&self, salt: Option<&str>, key: Value<'_>) -> u64 {
        hash_key(0, salt, key) % self.total.max(1)
    }

    /// The rendezvous scores of a key, for explaining: target and score in document order, weight 0 left out.
    pub(crate) fn scores(&self, salt: Option<&str>, key: Value<'_>) -> impl Iterator<Item = (Target, f64)> {
        let positive = self.shares.iter().filter(|share| share.weight > 0);
        positive.map(move |share| (share.target, score(uniform(hash_key(share.seed, salt, key)), share.weight)))
    }
}

/// The seed of a lane's rendezvous score.
pub(crate) fn seed(lane: &str) -> u64 {
    xxh64(lane.as_bytes(), 0)
}

/// A hash as a number between 0 and 1.
fn uniform(hash: u64) -> f64 {
    // 53 bits are what an f64 holds; the half keeps u above 0, where the logarithm has no value.
    ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The binary point of rough logarithms.
const POINT: u32 = 16;
/// How far a rough logarithm may be off: half a step of the table where it is steepest, and one for rounding.
const ROUGH: i64 = 186;
/// log2(1 + (i + 1/2) / 256), the logarithms of numbers from 1 up to 2.
static LOG2: [u16; 256] = log2_table();

#[expect(clippy::indexing_slicing, reason = "computed while the engine is compiled, where a panic is an error")]
const fn log2_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        // Squaring doubles the logarithm: its digits appear one by one. 1 is 2^62 here.
        let mut number = (2 * (256 + index as u128) + 1) << (62 - 9);
        let mut digits = 0;
        while digits < POINT {
            number = (number * number) >> 62;
            table[index] <<= 1;
            if number >> 63 > 0 {
                number >>= 1;
                table[index] |= 1;
            }
            digits += 1;
        }
        index += 1;
    }
    table
}

/// -log2 of the number that [`uniform`] makes of a hash, at most [`ROUGH`] off, in units of 2^-16.
#[inline]
fn rough_negative_log2(hash: u64) -> i64 {
    // That number is this one, which is odd, times 2^-54.
    let number = hash >> 11 << 1 | 1;
    let zeros = number.leading_zeros();
    let step = (number << zeros >> 55) as u8;
    let log2 = LOG2.get(usize::from(step)).copied().unwrap_or(0);
    // 2^(63 - zeros) times a number from 1 up to 2.
    ((i64::from(zeros) - 9) << POINT) - i64::from(log2)
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
        // The smallest and the largest hash, powers of two and their neighbours, the ends of steps, and a walk over all.
        let mut hashes: Vec<u64> = [0, u64::MAX, (1 << 63) - 1, 1 << 11, 1 << 40].to_vec();
        hashes.extend((0..64).map(|bit| 1 << bit));
        hashes.extend((0..1_000_000_u64).map(|step| step.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        hashes.extend((0..=256_u64).flat_map(|step| [step << 54, (step << 54).wrapping_sub(1), step << 40]));
        for hash in hashes {
            let exact = -libm::log2(uniform(hash)) * f64::from(1 << POINT);
            let error = (rough_negative_log2(hash) as f64 - exact).abs();
            assert!(error < ROUGH as f64, "{hash}: {error}");
        }
    }

    #[test]
    fn bounds_choose_what_the_scores_choose() {
        for weights in [&[40, 30, 30][..], &[1, 1], &[90, 10], &[1, 0, u32::MAX], &[5, 5, 5, 5, 5, 5, 5, 5], &[1; 9]] {
            let share = |(index, weight): (usize, &u32)| Share {
                target: Target::at(LaneId::of(crate::intern::dense(index))),
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
        let share = |lane| Share { target: Target::at(LaneId::of(lane)), weight: 7, seed: 1 };
        let split = Split::new([share(3), share(2)].into(), None);
        assert_eq!(split.rendezvous(None, Value::Plain(b"anybody")).lane, LaneId::of(3));
    }
}
