//! Instructions a decision, by callgrind: unlike time they are the same in every run, so a machine that others use
//! can hold a change to them. A program that counts starts itself again under valgrind, with the loop below as the
//! only part that is collected.

use std::{
    env,
    hint::black_box,
    process::{Command, Stdio},
};

use lane_core::{Indexing, Request};

use crate::{
    router::{Engine, answer},
    workload::{Call, Line, Stream, Workload, hops, lines, requests, shape},
};

/// The argument with which a program finds itself under valgrind.
const FLAG: &str = "--counted";
/// How many requests are decided.
const REQUESTS: usize = 256;

/// What is counted: a workload of some size, or one of the settings of [`hops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Name of a mix, trap or setting.
    pub name: &'static str,
    /// Rules; settings have their own.
    pub rules: usize,
}

/// The mixes at four sizes, the traps at one, the settings.
pub const CASES: &[Case] = &[
    Case::new("onehost", 10),
    Case::new("onehost", 1_000),
    Case::new("onehost", 10_000),
    Case::new("onehost", 100_000),
    Case::new("manyhosts", 10),
    Case::new("manyhosts", 1_000),
    Case::new("manyhosts", 10_000),
    Case::new("manyhosts", 100_000),
    Case::new("tagonly", 10),
    Case::new("tagonly", 1_000),
    Case::new("tagonly", 10_000),
    Case::new("tagonly", 100_000),
    Case::new("core", 10),
    Case::new("core", 1_000),
    Case::new("core", 10_000),
    Case::new("core", 100_000),
    Case::new("adv_hdr_regex", 1_000),
    Case::new("adv_hdr_regex_nolit", 1_000),
    Case::new("adv_path_regex", 1_000),
    Case::new("adv_rx_dotstar", 300),
    Case::new("adv_last_exact", 1_000),
    Case::new("adv_last_prefix", 1_000),
    Case::new("adv_ternary", 1_000),
    Case::new("adv_nested", 1_000),
    Case::new("adv_present", 1_000),
    Case::new("adv_manyattrs", 1_000),
    Case::new("adv_matchall", 1_000),
    Case::new("adv_100headers", 1_000),
    Case::new("adv_upper", 1_000),
    Case::new("adv_suffix_hosts", 1_000),
    Case::new("hop", 0),
    Case::new("hop_fallback", 0),
    Case::new("unsplit", 0),
    Case::new("sticky_header", 0),
    Case::new("sticky_cookie", 0),
];

impl Case {
    /// A case.
    #[must_use]
    pub const fn new(name: &'static str, rules: usize) -> Self {
        Self { name, rules }
    }
}

/// To be called first: does the counted work and ends the program if that is what it was started for.
pub fn serve() {
    let arguments: Vec<String> = env::args().collect();
    if let [_, flag, name, rules] = arguments.as_slice()
        && flag == FLAG
    {
        decide(name, rules.parse().expect("a number of rules"));
        std::process::exit(0);
    }
}

/// Whether valgrind is installed.
#[must_use]
pub fn is_possible() -> bool {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Instructions a decision, uniform requests of 15 headers.
#[must_use]
pub fn instructions(case: Case) -> f64 {
    let program = env::current_exe().expect("this program is a file");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no", "--toggle-collect=*counted_decisions*"])
        .arg(program)
        .args([FLAG, case.name, &case.rules.to_string()])
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "callgrind failed on {case:?}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    let collected: f64 = collected.and_then(|count| count.parse().ok()).expect("callgrind says what it collected");
    collected / REQUESTS as f64
}

fn decide(name: &str, rules: usize) {
    let (config, calls) = match name {
        "hop" => of(hops::by_header(REQUESTS)),
        "hop_fallback" => of(hops::with_fallback(REQUESTS)),
        "unsplit" => of(hops::split(hops::By::Unsplit, REQUESTS)),
        "sticky_header" => of(hops::split(hops::By::Header, REQUESTS)),
        "sticky_cookie" => of(hops::split(hops::By::Cookie, REQUESTS)),
        name => {
            let workload = Workload::new(shape(name), rules);
            let calls = workload.calls(Stream::Uniform, REQUESTS);
            (workload.config, calls)
        }
    };
    let engine = Engine::new(&config, Indexing::Auto);
    let lines = lines(&calls);
    let requests = requests(&calls, &lines);
    let expected = engine.answers(&calls, &requests);
    counted_decisions(&engine, &calls, &requests, &expected);
}

fn of(setting: hops::Setting) -> (lane_core::config::Config, Vec<Call>) {
    (setting.config, setting.calls)
}

/// What callgrind collects: decisions, and as little as can be beside them.
#[inline(never)]
fn counted_decisions(engine: &Engine, calls: &[Call], requests: &[Request<'_, [Line<'_>]>], expected: &[u64]) {
    for ((call, request), expected) in calls.iter().zip(requests).zip(expected) {
        assert_eq!(answer(&engine.decide(&call.place, black_box(request))), *expected);
    }
}
