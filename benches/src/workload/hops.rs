//! What happens beside finding a rule: calls inside the chain, splits that keep a client in its lane, and
//! rewriting the baggage. Each setting is a small configuration with its requests.

use lane_core::config::{Config, Context, Group, Key, Mode, Rule, Share, Sticky};

use super::{Call, HOST, Place, Sample, group, rule, service_host};
use crate::random::Rng;

const LANES: usize = 5;
const SERVICES: usize = 100;
const BASELINE: &str = "base";

/// A small configuration and what it is asked.
#[derive(Debug)]
pub struct Setting {
    /// Its name in tables.
    pub name: &'static str,
    /// The configuration.
    pub config: Config,
    /// The requests.
    pub calls: Vec<Call>,
}

/// Calls whose guiding header names a lane that holds the service.
#[must_use]
pub fn by_header(count: usize) -> Setting {
    let calls = (0..count).map(|index| call_of(index % SERVICES, index % LANES, index));
    Setting { name: "hop by guiding header", config: config(chain()), calls: calls.collect() }
}

/// Calls whose lane does not hold the service, so that the baseline serves.
#[must_use]
pub fn with_fallback(count: usize) -> Setting {
    let mut group = chain();
    // Lanes hold every other service; odd ones are called.
    for lane in group.lanes.iter_mut().skip(1) {
        lane.services = Some((0..SERVICES).step_by(2).map(service_host).collect());
    }
    let calls = (0..count).map(|index| call_of(index * 2 % SERVICES + 1, 1 + index % (LANES - 1), index));
    Setting { name: "hop with fallback", config: config(group), calls: calls.collect() }
}

/// Which key a split goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// None: the rule leads into one lane.
    Unsplit,
    /// The roll.
    Roll,
    /// A header of 36 bytes.
    Header,
    /// A cookie of 36 bytes, the second of three.
    Cookie,
}

/// One rule for every path of a host, split or not; the requests are the same.
#[must_use]
pub fn split(by: By, count: usize) -> Setting {
    let mut group = chain();
    let mut rule = gateway_rule();
    let keys = match by {
        By::Unsplit | By::Roll => None,
        By::Header => Some(vec![Key::Header("x-user-id".into())]),
        By::Cookie => Some(vec![Key::Cookie("uid".into())]),
    };
    if by == By::Unsplit {
        rule.lane = Some(lane_name(1));
    } else {
        let shares = [40, 30, 30].into_iter().enumerate();
        rule.split = Some(shares.map(|(lane, weight)| Share { lane: lane_name(lane), weight }).collect());
        rule.sticky = keys.map(|keys| Sticky { keys: Some(keys), generate: None, method: None, salt: None });
    }
    group.rules.push(rule);
    let calls = (0..count).map(|index| {
        let mut rng = Rng::new(0x571c ^ (index as u64) << 8);
        let mut id = || format!("{}-{}-{}-{}-{}", rng.hex(8), rng.hex(4), rng.hex(4), rng.hex(4), rng.hex(12));
        let mut sample = Sample::new(HOST, "/orders/v1/items").with("x-user-id", id());
        sample.cookie = Some(format!("uid={}", id()));
        sample.into_call(15, false, &mut rng)
    });
    let name = match by {
        By::Unsplit => "unsplit rule",
        By::Roll => "split of 3 by roll",
        By::Header => "sticky split of 3 by header",
        By::Cookie => "sticky split of 3 by cookie",
    };
    Setting { name, config: config(group), calls: calls.collect() }
}

/// A gateway whose group carries the lane in the baggage; clients bring members of their own.
#[must_use]
pub fn baggage(count: usize) -> Setting {
    let mut group = chain();
    group.context = Some(Context::Baggage("lane".into()));
    group.rules.push(Rule { lane: Some(lane_name(1)), ..gateway_rule() });
    let calls = (0..count).map(|index| {
        let mut rng = Rng::new(0xba6 ^ (index as u64) << 8);
        let line = format!("userId=alice{index},lane=s9,serverNode=DF%2028;ttl=30,isProduction=false");
        Sample::new(HOST, "/orders/v1/items").with("baggage", line).into_call(15, false, &mut rng)
    });
    Setting { name: "ingress and baggage rewrite", config: config(group), calls: calls.collect() }
}

fn config(group: Group) -> Config {
    Config { version: 1, groups: vec![group] }
}

fn chain() -> Group {
    let mut group = group(Mode::Permissive, (0..LANES).map(lane_name), (0..SERVICES).map(service_host));
    group.baseline = Some(BASELINE.into());
    group
}

fn lane_name(index: usize) -> String {
    if index == 0 { BASELINE.into() } else { format!("s{index}") }
}

fn gateway_rule() -> Rule {
    rule(0, service_host(0), vec![HOST.into()], None)
}

fn call_of(service: usize, lane: usize, index: usize) -> Call {
    let mut rng = Rng::new(0x409 ^ (index as u64) << 8);
    let host = service_host(service);
    let sample = Sample::new(&host, "/v1/items").with("x-asm-prefer-tag", lane_name(lane));
    Call { place: Place::Hop(host), ..sample.into_call(15, false, &mut rng) }
}
