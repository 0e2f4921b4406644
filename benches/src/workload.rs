//! Workloads: a configuration of any size and the requests it is asked about. Everything follows from a seed and
//! an index, so that rule 70,000 and the request that meets it are the same in every run and for every peer.
//!
//! A [`Shape`] drafts one rule at a time together with a sample of the request that the rule is meant for.
//! Which rule really decides is not assumed: the linear walk says so, and the tests hold that to the oracle.

use lane_core::{
    Request,
    config::{Config, Entry, Group, Lane, LaneFrom, Matcher, Mode, Rule, Service, Share},
};

use crate::random::Rng;

mod call;
pub mod hops;
mod mixes;
mod traps;

pub use call::{Call, Place, Sample};

/// One header line as a proxy lends it.
pub type Line<'c> = (&'c [u8], &'c [u8]);

/// The host of every workload that has only one.
pub const HOST: &str = "www.shop.example";

/// A kind of configuration.
#[derive(Debug)]
pub struct Shape {
    /// Its name in tables.
    pub name: &'static str,
    /// How many lanes and services there are for so many rules.
    lanes: fn(usize) -> usize,
    services: fn(usize) -> usize,
    /// Drafts a rule by its index, of so many.
    draft: fn(usize, usize) -> Draft,
    /// How many header lines a request has at least.
    headers: usize,
    /// Whether header names arrive in upper case.
    upper: bool,
    /// Whether the rules can only be told apart by regular expressions.
    pub all_regex: bool,
}

impl Shape {
    const fn new(name: &'static str, draft: fn(usize, usize) -> Draft) -> Self {
        Self { name, lanes: |rules| rules.clamp(16, 1_000), services: |_| 10, draft, headers: 15, upper: false, all_regex: false }
    }

    const fn of_regexes(name: &'static str, draft: fn(usize, usize) -> Draft) -> Self {
        Self { all_regex: true, ..Self::new(name, draft) }
    }
}

/// The mixes: one public host, many hosts, the guiding header only, and what every peer can say.
pub use mixes::MIXES;
/// Configurations that are hard on an index.
pub use traps::TRAPS;

/// The mix or trap of this name.
#[must_use]
pub fn shape(name: &str) -> &'static Shape {
    MIXES.iter().chain(TRAPS).find(|shape| shape.name == name).expect("a mix or trap of this name")
}

/// What a rule does.
#[derive(Debug)]
enum Act {
    Lane(usize),
    Split([usize; 3]),
    From(LaneFrom),
}

/// A rule in the making, and a request for it.
#[derive(Debug)]
struct Draft {
    hosts: Vec<String>,
    entry: Option<Entry>,
    act: Act,
    sample: Sample,
}

/// In which order, and how often, rules are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Always the first rule.
    First,
    /// Always the last.
    Last,
    /// No rule: half of the requests are for somebody else, half have everything right but the conditions.
    Miss,
    /// Every rule alike.
    Uniform,
    /// A few rules mostly (Zipf, s = 1), wherever they stand.
    Zipf,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::First, Self::Last, Self::Miss, Self::Uniform, Self::Zipf];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Miss => "miss",
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
        }
    }
}

/// A configuration of some size.
#[derive(Debug)]
pub struct Workload {
    /// Its kind.
    pub shape: &'static Shape,
    /// The configuration; one group.
    pub config: Config,
}

impl Workload {
    /// The configuration of this kind with so many rules.
    #[must_use]
    pub fn new(shape: &'static Shape, rules: usize) -> Self {
        let lanes = (shape.lanes)(rules);
        let services = (shape.services)(rules);
        let mut group = group(Mode::Strict, (0..lanes).map(lane_name), (0..services).map(service_host));
        group.rules = (0..rules)
            .map(|index| {
                let Draft { hosts, entry, act, .. } = (shape.draft)(index, rules);
                let mut rule = rule(index, service_host(index / 8 % services), hosts, entry);
                match act {
                    Act::Lane(lane) => rule.lane = Some(lane_name(lane % lanes)),
                    Act::From(from) => rule.lane_from = Some(from),
                    Act::Split(split) => {
                        let shares = split.into_iter().zip([40, 30, 30]);
                        rule.split = Some(shares.map(|(lane, weight)| Share { lane: lane_name(lane % lanes), weight }).collect());
                    }
                }
                rule
            })
            .collect();
        Self { shape, config: Config { version: 1, groups: vec![group] } }
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.config.groups[0].rules.len()
    }

    /// So many requests of a stream. Any beginning of the list is a fair sample of it.
    #[must_use]
    pub fn calls(&self, stream: Stream, count: usize) -> Vec<Call> {
        let rules = self.rules();
        let mut rng = Rng::new(0x5eed ^ rules as u64);
        let zipf = (stream == Stream::Zipf).then(|| Zipf::new(rules, &mut rng));
        let golden = |index: usize| ((index as f64 + 0.5) * 0.618_033_988_749_895).fract();
        (0..count)
            .map(|index| {
                // Spread evenly, not drawn: the mean over few requests is then that over many.
                let spread = golden(index);
                let even = ((spread * rules as f64) as usize).min(rules - 1);
                let (rule, spoilt) = match (stream, &zipf) {
                    (Stream::First, _) => (0, false),
                    (Stream::Last, _) => (rules - 1, false),
                    (Stream::Miss, _) => (even, true),
                    (Stream::Zipf, Some(zipf)) => (zipf.at(spread), false),
                    (Stream::Uniform | Stream::Zipf, _) => (even, false),
                };
                let Draft { mut sample, .. } = (self.shape.draft)(rule, rules);
                if spoilt {
                    if index % 2 == 0 { sample = Sample::elsewhere() } else { sample.spoil(index % 4 == 1) }
                }
                sample.into_call(self.shape.headers, self.shape.upper, &mut rng)
            })
            .collect()
    }
}

/// Rules by their share of the requests.
struct Zipf {
    order: Vec<usize>,
    /// The share of this rank and all before it.
    sums: Vec<f64>,
}

impl Zipf {
    fn new(rules: usize, rng: &mut Rng) -> Self {
        let mut order: Vec<usize> = (0..rules).collect();
        rng.shuffle(&mut order);
        let mut sum = 0.0;
        let sums = (1..=rules).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self { order, sums: sums.collect() }
    }

    fn at(&self, share: f64) -> usize {
        let wanted = share * self.sums.last().copied().unwrap_or_default();
        self.order[self.sums.partition_point(|sum| *sum < wanted).min(self.order.len() - 1)]
    }
}

/// The header lines of calls, lent.
#[must_use]
pub fn lines(calls: &[Call]) -> Vec<Vec<Line<'_>>> {
    calls.iter().map(|call| call.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()).collect()
}

/// Calls as the engine takes them.
#[must_use]
pub fn requests<'c>(calls: &'c [Call], lines: &'c [Vec<Line<'c>>]) -> Vec<Request<'c, [Line<'c>]>> {
    let request = |(call, lines): (&'c Call, &'c Vec<Line<'c>>)| Request {
        method: Some(call.method.as_bytes()),
        authority: Some(call.authority.as_bytes()),
        path: Some(call.path.as_bytes()),
        roll: Some(call.roll),
        ..Request::new(&lines[..])
    };
    calls.iter().zip(lines).map(request).collect()
}

fn lane_name(index: usize) -> String {
    format!("s{index}")
}

fn service_host(index: usize) -> String {
    format!("svc-{index}.shop.svc.cluster.local")
}

fn group(mode: Mode, lanes: impl Iterator<Item = String>, services: impl Iterator<Item = String>) -> Group {
    Group { services: services.map(Service::new).collect(), lanes: lanes.map(Lane::new).collect(), ..Group::new("shop", mode) }
}

fn rule(index: usize, service: String, hosts: Vec<String>, entry: Option<Entry>) -> Rule {
    Rule { hosts: Some(hosts), matches: entry.map(|entry| vec![entry]), ..Rule::new(format!("r{index}"), service) }
}

fn exact(text: impl Into<String>) -> Matcher {
    Matcher::Exact(text.into())
}

fn prefix(text: impl Into<String>) -> Matcher {
    Matcher::Prefix(text.into())
}

fn regex(text: impl Into<String>) -> Matcher {
    Matcher::Regex(text.into())
}
