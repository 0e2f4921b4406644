//! Lane against a real Envoy: what `lane export envoy` writes is run, and every decision is compared with lane's.
//! `tests/envoy/test.sh` installs the Envoy and runs this; see `README.md` beside it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what failed by failing, and how much it compared"
)]
#![expect(unreachable_pub, reason = "the modules of a test are nobody's library")]

mod classes;
mod compare;
mod examples;
mod importer;
mod pins;
mod proxy;
mod reduce;
mod router_check;

use std::{env, path::PathBuf};

/// Configurations, and requests of each that are compared; `LANE_ENVOY_CONFIGS` and `LANE_ENVOY_REQUESTS` ask for more.
const CONFIGS: u64 = 240;
const REQUESTS: usize = 110;

/// The module has tests of its own; here it is asked the same as stock Envoy.
const CONFIGS_OF_MODULE: u64 = 48;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|count| count.parse().unwrap_or_else(|_| panic!("{name} is no number: {count}")))
}

/// Where the module lies.
fn modules() -> PathBuf {
    let modules = env::var_os("LANE_ENVOY_MODULES").map(PathBuf::from);
    modules.expect("LANE_ENVOY_MODULES names no folder: run tests/envoy/test.sh, which builds the module")
}

#[test]
fn envoy_decides_as_lane_does() {
    let first = asked("LANE_ENVOY_SEED").unwrap_or(0);
    let configs = asked("LANE_ENVOY_CONFIGS").unwrap_or(CONFIGS);
    let requests = asked("LANE_ENVOY_REQUESTS").map_or(REQUESTS, |count| usize::try_from(count).unwrap());
    let tally = compare::run(first..first + configs, requests);
    println!("{tally}");
    tally.assert_enough(configs, requests);
}

#[test]
fn the_module_decides_as_lane_does() {
    let first = asked("LANE_ENVOY_SEED").unwrap_or(0);
    let configs = asked("LANE_ENVOY_CONFIGS").map_or(CONFIGS_OF_MODULE, |configs| configs.min(CONFIGS_OF_MODULE));
    let tally = compare::run_module(first..first + configs, REQUESTS, &modules());
    println!("module: {tally}");
    tally.assert_enough(configs, REQUESTS);
}

#[test]
fn lane_answers_envoys_own_route_cases() {
    let outcome = router_check::run();
    println!("router_check: {} cases, {} expectations; passed over: {:?}", outcome.checked, outcome.compared, outcome.passed_over);
    assert!(outcome.wrong.is_empty(), "{:#?}", outcome.wrong);
    // Every case is checked or has its reason.
    let passed_over: usize = outcome.passed_over.values().sum();
    assert_eq!((outcome.checked, outcome.checked + passed_over), (79, 103));
}

#[test]
fn every_listed_difference_is_one_and_no_other_is_left_out() {
    let shown = pins::run();
    let rows = include_str!("differences.md").lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: std::collections::BTreeSet<String> = rows.map(|(class, _)| class.to_owned()).collect();
    assert_eq!(shown, listed);
}

#[test]
fn envoy_takes_the_examples() {
    assert_eq!(examples::validate(&modules()), 14);
}

#[test]
fn the_examples_table_comes_out_of_envoy() {
    let served = [("v1", ["v1", "v1", "v1"]), ("v2", ["v2", "v1", "v2"]), ("v3", ["v3", "v3", "v1"])];
    let rows = served.iter().flat_map(|(lane, serving)| {
        ["mocka", "mockb", "mockc"].iter().zip(serving).map(move |(service, serving)| (service, serving, lane))
    });
    let wanted: Vec<String> = rows.map(|(service, serving, lane)| examples::row(service, serving, lane)).collect();
    assert_eq!(examples::table(None), wanted);
    assert_eq!(examples::table(Some(&modules())), wanted);
}
