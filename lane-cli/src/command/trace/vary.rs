//! How the requests of a trace differ: by what the deciding rule's split draws by, and by nothing else.

use lane_core::{
    Outcome,
    config::{Context, Key},
};
use lane_formats::{
    Bytes, Loaded,
    decision::{Answer, Report},
    request::Ask,
};

use crate::failure::Failure;

/// What makes one request another client, or another draw.
#[derive(Debug)]
pub(super) struct Variation<'v> {
    number: u32,
    /// The sum of the split's weights; 1 without a split.
    total: u64,
    /// The key to vary.
    key: Option<&'v Key>,
    /// Its value, where that is always the same.
    fixed: Option<&'v str>,
    /// The trace header to fill in.
    trace_header: Option<&'v str>,
    seed: Option<u64>,
}

impl<'v> Variation<'v> {
    /// How requests like this one are to differ, which the first decision tells.
    pub(super) fn of(loaded: &'v Loaded, ask: &Ask, number: u32, fixed: Option<&'v str>, seed: Option<u64>) -> Result<Self, Failure> {
        let unusable = |error: lane_formats::request::AskError| Failure::new(error.to_string());
        let decide = |ask: &Ask| match ask.answer(&loaded.router).map_err(unusable)? {
            Answer::Decision(report) => Ok(Some(report)),
            Answer::Inbound { .. } => Ok::<_, Failure>(None),
        };
        // Without a roll, a decision that needs one says so; one that does not has found a key.
        let bare = decide(ask)?;
        let needs_roll = bare.as_ref().is_some_and(|report| report.outcome == Outcome::Undetermined);
        let group =
            bare.as_ref().and_then(|report: &Report| loaded.config.groups.iter().find(|group| Some(&group.name) == report.group.as_ref()));
        let rule =
            bare.as_ref().zip(group).and_then(|(report, group)| group.rules.iter().find(|rule| Some(&rule.name) == report.rule.as_ref()));
        let weights = rule.and_then(|rule| rule.split.as_ref()).map(|split| split.iter().map(|share| u64::from(share.weight)).sum());
        let keys = rule.and_then(|rule| rule.sticky.as_ref()).and_then(|sticky| sticky.keys.as_ref());
        let trace_header = match group.and_then(|group| group.context.as_ref()) {
            Some(Context::TraceId(header)) => Some(header.as_str()),
            _ => None,
        };
        Ok(Self {
            number,
            total: weights.unwrap_or(1).max(1),
            key: keys.filter(|_| needs_roll && fixed != Some("")).and_then(|keys| keys.first()),
            fixed,
            trace_header: trace_header.filter(|header| !carries(ask, header)),
            seed,
        })
    }

    /// The request at this position.
    pub(super) fn apply(&self, ask: &Ask, position: u32) -> Ask {
        let mut ask = ask.clone();
        let draw = self.seed.map(|seed| random(seed, position));
        ask.roll = Some(draw.unwrap_or_else(|| self.even(position)));
        if let Some(header) = self.trace_header {
            ask.headers.push((header.to_owned(), trace(header, u64::from(position) + 1).into()));
        }
        if let Some(key) = self.key {
            let client = draw.map_or(u64::from(position) + 1, |draw| draw >> 32);
            let value = self.fixed.map_or_else(|| format!("user-{client}"), str::to_owned);
            give(&mut ask, key, &value, self.fixed.is_none().then_some(client));
        }
        ask
    }

    /// A roll whose remainders are spread evenly over the weights, in an order that looks like traffic.
    fn even(&self, position: u32) -> u64 {
        let (number, position) = (u64::from(self.number), u64::from(position));
        let shuffled = position * stride(number) % number;
        // The middle of the request's part of the whole; at most the sum of weights, so it fits again.
        let middle = (2 * u128::from(shuffled) + 1) * u128::from(self.total) / (2 * u128::from(number));
        // The part in front of the remainder makes every roll another one, for the cookie that is made from it.
        u64::try_from(middle).unwrap_or_default() + self.total * position
    }
}

/// A step through so many positions that visits each once, near the golden section.
fn stride(number: u64) -> u64 {
    let near = number * 618 / 1000;
    (near.max(1)..=number).find(|step| common_divisor(*step, number) == 1).unwrap_or(1)
}

fn common_divisor(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// SplitMix64: the same numbers everywhere, for the same seed.
fn random(seed: u64, position: u32) -> u64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(position) + 1));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn carries(ask: &Ask, header: &str) -> bool {
    ask.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
}

/// Puts a client's key into a request. `client` is its number where nobody chose the value.
fn give(ask: &mut Ask, key: &Key, value: &str, client: Option<u64>) {
    let mut header = |name: &str, value: String| ask.headers.push((name.to_owned(), value.into()));
    match key {
        Key::Cookie(name) => header("cookie", format!("{name}={value}")),
        Key::Header(name) => header(name, value.to_owned()),
        Key::Baggage(key) => header("baggage", format!("{key}={value}")),
        Key::TraceId(name) => header(name, client.map_or_else(|| value.to_owned(), |client| trace(name, client))),
        Key::Query(name) => {
            let path = ask.path.take().map(|path| path.0).unwrap_or_default();
            let end = path.iter().position(|byte| *byte == b'#').unwrap_or(path.len());
            let (before, fragment) = path.split_at_checked(end).unwrap_or((&path, b""));
            // In front, because the first of a name counts.
            let (path, query) = match before.iter().position(|byte| *byte == b'?').and_then(|mark| before.split_at_checked(mark)) {
                Some((path, query)) => (path, [b"&", query.get(1..).unwrap_or_default()].concat()),
                None => (before, Vec::new()),
            };
            ask.path = Some(Bytes([path, format!("?{name}={value}").as_bytes(), &query, fragment].concat()));
        }
        Key::SourceIp(_) => {
            let [.., high, middle, low] = client.unwrap_or_default().to_be_bytes();
            ask.source.ip = Some(if client.is_some() { format!("10.{high}.{middle}.{low}") } else { value.to_owned() });
        }
    }
}

/// A trace header's value as a tracer would begin it.
fn trace(header: &str, number: u64) -> String {
    match header.to_ascii_lowercase().as_str() {
        "traceparent" => format!("00-{number:032x}-{number:016x}-01"),
        "b3" => format!("{number:032x}-{number:016x}-1"),
        _ => format!("{number:032x}"),
    }
}

#[cfg(test)]
mod tests {
    use lane_formats::request::Place;

    use super::*;

    fn variation(number: u32, total: u64) -> Variation<'static> {
        Variation { number, total, key: None, fixed: None, trace_header: None, seed: None }
    }

    #[test]
    fn the_largest_rolls_fit() {
        let variation = variation(u32::MAX, u64::from(u32::MAX));
        assert!(variation.even(u32::MAX - 1) > u64::MAX / 2);
    }

    #[test]
    fn even_rolls_share_out_exactly_and_are_never_the_same() {
        for (number, total, below, wanted) in [
            (100, 100, 40, 40),
            (10, 100, 40, 4),
            (1000, 100, 40, 400),
            (7, 7, 3, 3),
            (1, 100, 40, 0),
            (3, 100, 40, 1),
            (3, u64::from(u32::MAX), 1 << 31, 2),
        ] {
            let variation = variation(number, total);
            let mut rolls: Vec<_> = (0..number).map(|position| variation.even(position)).collect();
            assert_eq!(rolls.iter().filter(|roll| *roll % total < below).count(), wanted, "{number} of {total}");
            rolls.sort_unstable();
            rolls.dedup();
            assert_eq!(rolls.len(), number as usize);
        }
    }

    #[test]
    fn keys_are_put_where_they_belong() {
        let given = |key: Key, client: Option<u64>| {
            let mut ask = Ask { path: Some("/a?x=1#f".into()), ..Ask::new(Place::Inbound) };
            give(&mut ask, &key, "me", client);
            let header = ask.headers.first().map(|(name, value)| format!("{name}: {value}"));
            (ask.path.map(|path| path.to_string()).unwrap_or_default(), header.or(ask.source.ip).unwrap_or_default())
        };
        assert_eq!(given(Key::Cookie("uid".into()), None).1, "cookie: uid=me");
        assert_eq!(given(Key::Header("x-user".into()), None).1, "x-user: me");
        assert_eq!(given(Key::Baggage("user".into()), None).1, "baggage: user=me");
        assert_eq!(given(Key::Query("user".into()), None).0, "/a?user=me&x=1#f");
        assert_eq!(given(Key::SourceIp(true), None).1, "me");
        assert_eq!(given(Key::SourceIp(true), Some(258)).1, "10.0.1.2");
        assert_eq!(given(Key::TraceId("b3".into()), Some(1)).1, "b3: 00000000000000000000000000000001-0000000000000001-1");
    }
}
