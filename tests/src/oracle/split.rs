//! Splits (S19, S20): a lane by roll, or by the first sticky key. Keys, seeds and arithmetic are promises to operators,
//! so everything is written out.

use super::attribute::key;
use super::document::{list, text};
use super::request::Request;
use super::truth::{Seen, Unseen};
use serde_json::{Value, json};
use xxhash_rust::xxh64::xxh64;

/// A cookie the answer sets, so that the client keeps its lane.
pub(super) struct Cookie {
    name: String,
    value: String,
    ttl_seconds: u64,
}

impl Cookie {
    pub(super) fn to_json(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "ttl_seconds": self.ttl_seconds })
    }
}

struct Share<'a> {
    lane: &'a str,
    weight: u64,
}

/// The lane of a split, and the cookie it generates.
pub(super) fn draw<'a>(rule: &'a Value, request: &Request) -> Seen<(&'a str, Option<Cookie>)> {
    let shares: Vec<Share> = list(&rule["split"])
        .iter()
        .map(|share| Share { lane: text(share, "lane"), weight: share["weight"].as_u64().unwrap_or(0) })
        .collect();
    let sticky = &rule["sticky"];
    let generated = sticky["generate"]["cookie"].as_str();
    let fresh = generated.and(request.roll).map(|roll| Cookie {
        name: generated.unwrap_or_default().to_owned(),
        value: format!("{roll:016x}"),
        ttl_seconds: sticky["generate"]["ttl_seconds"].as_u64().unwrap_or(0),
    });

    // One positive weight needs neither roll nor key. Whether a key came along still decides about the cookie, and what
    // is set treats an unseen header as absent.
    let mut positive = shares.iter().filter(|share| share.weight > 0);
    if let (Some(only), None) = (positive.next(), positive.next()) {
        let keys = keys(sticky);
        let keyed = keys.iter().any(|one| matches!(key(request, one), Ok(Some(_))));
        return Ok((only.lane, fresh.filter(|_| !keyed)));
    }

    for one in keys(sticky) {
        if let Some(value) = key(request, &one)? {
            return Ok((by_key(&shares, sticky, &value), None));
        }
    }
    let roll = request.roll.ok_or(Unseen("roll".to_owned()))?;
    match fresh {
        Some(cookie) => {
            let lane = by_key(&shares, sticky, cookie.value.as_bytes());
            Ok((lane, Some(cookie)))
        }
        None => Ok((by_range(&shares, roll), None)),
    }
}

/// S19: the generated cookie is a further key after those listed.
fn keys(sticky: &Value) -> Vec<Value> {
    let mut keys = list(&sticky["keys"]).to_vec();
    if let Some(cookie) = sticky["generate"]["cookie"].as_str() {
        keys.push(json!({ "cookie": cookie }));
    }
    keys
}

fn by_key<'a>(shares: &[Share<'a>], sticky: &Value, value: &[u8]) -> &'a str {
    let mut value = value.to_vec();
    if let Some(salt) = sticky["salt"].as_str() {
        value = [salt.as_bytes(), b"\0", &value].concat();
    }
    if sticky["method"] == "ranges" { by_range(shares, xxh64(&value, 0)) } else { by_rendezvous(shares, &value) }
}

/// The lanes in order take consecutive ranges as long as their weights.
fn by_range<'a>(shares: &[Share<'a>], number: u64) -> &'a str {
    let total: u64 = shares.iter().map(|share| share.weight).sum();
    let mut value = number % total;
    for share in shares {
        if value < share.weight {
            return share.lane;
        }
        value -= share.weight;
    }
    unreachable!("a value below the total lies in one of the ranges")
}

/// S20: the smallest score wins, the earlier lane on a tie.
fn by_rendezvous<'a>(shares: &[Share<'a>], value: &[u8]) -> &'a str {
    let mut best: Option<(f64, &str)> = None;
    for share in shares.iter().filter(|share| share.weight > 0) {
        let h = xxh64(value, xxh64(share.lane.as_bytes(), 0));
        let u = ((h >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
        let score = -libm::log(u) / share.weight as f64;
        if best.is_none_or(|(smallest, _)| score < smallest) {
            best = Some((score, share.lane));
        }
    }
    best.expect("one weight is positive").1
}
