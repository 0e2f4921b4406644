//! The index against the linear walk: the same rule sets compiled with `Indexing::Always`, `Auto` and `Never` must
//! decide alike on every request. Rule sets are large and their conditions overlap heavily ([`rules`]); requests are
//! aimed at one of the rules and then disturbed ([`requests`]), and their headers lent as a list and as a map.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what failed by failing"
)]

use std::{collections::BTreeSet, thread};

use http::{HeaderMap, HeaderName, HeaderValue};
use lane_core::{Decision, Indexing, Liveness, Options, Router, config::Config};
use lane_tests::generate::Rng;
use serde_json::Value;

mod requests;
mod rules;

use requests::Asked;
use rules::{Profile, RuleSet};

/// Comparisons in all: each is one decision of one indexed router against the linear one.
const COMPARISONS: usize = if cfg!(debug_assertions) { 24_000 } else { 240_000 };

fn compile(document: &Value, indexing: Indexing) -> Router {
    let config: Config = serde_json::from_value(document.clone()).unwrap();
    let mut options = Options::default();
    options.indexing = indexing;
    match Router::compile(&config, &options) {
        Ok(compiled) => compiled.router,
        Err(error) => panic!("a generated rule set was refused: {error}: {:#?}", error.diagnostics.first()),
    }
}

/// The request's headers in a map.
fn map(asked: &Asked) -> HeaderMap {
    let line =
        |(name, value): &(String, Vec<u8>)| Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?));
    let mut map = HeaderMap::new();
    for (name, value) in asked.headers.iter().map(|header| line(header).unwrap()) {
        map.append(name, value);
    }
    map
}

/// What a run met, to know that it was no run over nothing.
#[derive(Debug, Default)]
struct Tally {
    comparisons: usize,
    decided: usize,
    /// Rules that decided, by rule set.
    rules: BTreeSet<(u64, usize)>,
    /// Where in the document the deciding rules stand, behind the first tenth of their set.
    deep: usize,
    /// Requests with more header lines that rules ask for than the index keeps at hand.
    crowded: usize,
}

/// One rule set, and so many requests to it.
fn compare(seed: u64, size: usize, profile: Profile, requests: usize) -> Tally {
    let mut rng = Rng::new(seed);
    let set = RuleSet::generate(&mut rng, size, profile);
    let linear = compile(&set.document, Indexing::Never);
    let indexed = [Indexing::Always, Indexing::Auto].map(|indexing| (indexing, compile(&set.document, indexing)));
    let liveness = Liveness::all_live();
    let mut tally = Tally::default();
    for number in 0..requests {
        let asked = Asked::generate(&mut rng, &set);
        let decide = |router: &Router| -> Decision { asked.decide(router, &liveness) };
        let wanted = decide(&linear);
        for (indexing, router) in &indexed {
            let given = decide(router);
            assert!(
                given == wanted,
                "seed {seed}, {size} rules, {profile:?}, request {number}, indexing {indexing:?}\nlinear:  {wanted:?}\nindexed: {given:?}\n{asked:?}\n{}",
                set.shown(&linear, &[wanted.rule, given.rule]),
            );
            tally.comparisons += 1;
            let by_map = asked.decide_by(&map(&asked), router, &liveness);
            assert!(by_map == wanted, "seed {seed}, {size} rules, {profile:?}, request {number}: by a header map {by_map:?}\n{asked:?}");
        }
        tally.crowded += usize::from(asked.headers.len() > 16);
        if let Some(rule) = wanted.rule {
            tally.decided += 1;
            tally.deep += usize::from(rule.index() > size / 10);
            tally.rules.insert((seed, rule.index()));
        }
    }
    tally
}

/// Sizes from 50 to 3,000 rules.
const SIZES: [usize; 12] = [50, 60, 80, 100, 130, 180, 260, 400, 50, 700, 1_200, 3_000];

/// How many requests a set of this size gets: fewer the larger it is, because the linear walk takes its time.
fn requests(size: usize) -> usize {
    let share = |size: usize| 1.0 / (size as f64 + 200.0);
    let shares: f64 = SIZES.iter().map(|size| share(*size)).sum();
    let all = COMPARISONS as f64 / 2.0 / Profile::ALL.len() as f64;
    (all * share(size) / shares).ceil() as usize
}

#[test]
fn the_index_decides_as_the_linear_walk_does() {
    let sets = SIZES.len() * Profile::ALL.len();
    let run = |half: usize| {
        let mine = (0..sets).filter(|set| set % 2 == half);
        mine.fold(Tally::default(), |mut all, set| {
            let (size, profile) = (SIZES[set / Profile::ALL.len()], Profile::ALL[set % Profile::ALL.len()]);
            let one = compare(set as u64, size, profile, requests(size));
            all.comparisons += one.comparisons;
            all.decided += one.decided;
            all.deep += one.deep;
            all.crowded += one.crowded;
            all.rules.extend(one.rules);
            all
        })
    };
    let tallies = thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || run(half)));
        halves.map(|half| half.join().unwrap())
    });
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (comparisons, decided, deep) = (sum(|tally| tally.comparisons), sum(|tally| tally.decided), sum(|tally| tally.deep));
    let (crowded, rules) = (sum(|tally| tally.crowded), sum(|tally| tally.rules.len()));
    println!(
        "index: {comparisons} comparisons, {decided} requests decided by {rules} different rules, {deep} of them deep, {crowded} crowded"
    );
    assert!(comparisons >= COMPARISONS);
    // A run over requests that meet no rule, or always the first one, would prove nothing.
    assert!(decided * 10 > comparisons, "only {decided} of {} requests met a rule", comparisons / 2);
    assert!(deep * 4 > decided, "only {deep} of {decided} deciding rules stood behind others");
    assert!(crowded * 20 > comparisons / 2, "only {crowded} requests had many header lines");
    assert!(rules > 20 * sets, "only {rules} different rules decided");
}
