//! The same rules and requests, asked of the engine and of what people would use instead, in one process and in
//! turns. Without arguments it prints the goals that compare with peers, in the form of `ratios`; with a folder it
//! prints all tables and draws `plot.svg` there. What each peer leaves out stands in the README beside.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout, reason = "as in lane-benches")]

mod junction;
mod kong;
mod paths;
mod rules;
mod wirefilter;
mod yggdrasil;

use std::{env, fs, path::Path, process::ExitCode};

use lane_benches::{
    allocations,
    goal::{
        Goals,
        Limit::{AtLeast, AtMost},
        short,
    },
    harness::{Effort, Figure, Subject, measure},
    machine, measures,
    plot::{self, Series},
    router::{Engine, rule_of},
    table::{Table, thousands, time},
    workload::{MIXES, Stream, Workload, lines, requests, shape},
};

const RING: usize = measures::RING;

fn main() -> ExitCode {
    match env::args().nth(1) {
        None => {
            println!("# {}", machine::line());
            ratios()
        }
        Some(folder) => {
            println!("{}", machine::line());
            tables(Path::new(&folder));
            ExitCode::SUCCESS
        }
    }
}

/// A peer, ready to be asked.
struct Peer {
    name: &'static str,
    answer: Box<dyn Fn(usize) -> u64>,
}

fn peers(rules: &[rules::Rule], asked: &'static [rules::Request]) -> Vec<Peer> {
    fn peer<P: 'static>(
        name: &'static str,
        peer: P,
        asked: &'static [rules::Request],
        answer: fn(&P, &'static rules::Request) -> u64,
    ) -> Peer {
        Peer { name, answer: Box::new(move |index| answer(&peer, &asked[index])) }
    }
    let path = peer("matchit (path only)", paths::Paths::new(rules), asked, paths::Paths::answer);
    if rules.len() > 10_000 {
        return vec![path];
    }
    vec![
        path,
        peer("junction-core", junction::Junction::new(rules), asked, junction::Junction::answer),
        peer("unleash-yggdrasil", yggdrasil::Yggdrasil::new(rules), asked, yggdrasil::Yggdrasil::answer),
        peer("wirefilter", wirefilter::Wirefilter::new(rules), asked, wirefilter::Wirefilter::answer),
        peer("atc-router (Kong)", kong::Kong::new(rules), asked, kong::Kong::answer),
    ]
}

fn ratios() -> ExitCode {
    let mut goals = Goals::default();
    let workload = Workload::new(shape("onehost"), 10_000);
    let asked = asked(&workload);
    let junction = junction::Junction::new(&rules::rules(&workload));
    let peer = Peer { name: "junction-core", answer: Box::new(move |index| junction.answer(&asked[index])) };
    let measured = side_by_side(&workload, &[peer], Effort::CAREFUL);
    told(&measured);
    assert_eq!(measured[2].wrong, 0, "junction-core can say everything that this mix asks for");
    goals.goal("onehost_10k_times_junction", measured[2].figure.ns() / measured[0].figure.ns(), AtLeast(1_500.0));

    let workload = Workload::new(shape("tagonly"), 10_000);
    let paths = workload.calls(Stream::Uniform, RING).into_iter().map(|call| call.path).collect();
    let (one, many) = (paths::Bare::of_any(paths), paths::Bare::of_prefixes(10_000, RING));
    let bare = [
        Peer { name: "matchit, 10,000 prefixes", answer: Box::new(move |index| many.answer(index)) },
        Peer { name: "matchit, one path", answer: Box::new(move |index| one.answer(index)) },
    ];
    let measured = side_by_side(&workload, &bare, Effort::CAREFUL);
    told(&measured);
    goals.goal("tagonly_10k_over_matchit", measured[0].figure.ns() / measured[2].figure.ns(), AtMost(1.6));
    goals.finish()
}

fn asked(workload: &Workload) -> &'static [rules::Request] {
    // Peers are asked through closures that own nothing; a few hundred requests live as long as the program.
    Box::leak(rules::requests(&workload.calls(Stream::Uniform, RING)).into_boxed_slice())
}

/// A figure, how often the answer was another one than the engine's, and allocations a decision.
struct Measured {
    figure: Figure,
    wrong: usize,
    allocations: f64,
}

/// The index, the linear walk, then the peers, on uniform requests. What a peer answers wrong is counted and then
/// expected of it: the loop that is timed asserts every answer.
fn side_by_side(workload: &Workload, peers: &[Peer], effort: Effort) -> Vec<Measured> {
    let engines = measures::engines(workload);
    let calls = workload.calls(Stream::Uniform, RING);
    let lines = lines(&calls);
    let requests = requests(&calls, &lines);
    let expected = engines[1].answers(&calls, &requests);
    let rules: Vec<u64> = expected.iter().map(|answer| rule_of(*answer).map_or(0, |rule| rule as u64 + 1)).collect();
    let given: Vec<Vec<u64>> = peers.iter().map(|peer| (0..RING).map(|index| (peer.answer)(index)).collect()).collect();
    let own = |engine: &Engine| allocations::during(|| engine.answers(&calls, &requests)).1.calls.saturating_sub(1);
    let mut measured_beside: Vec<(usize, u64)> = engines.iter().map(|engine| (0, own(engine))).collect();
    for (peer, given) in peers.iter().zip(&given) {
        let wrong = given.iter().zip(&rules).filter(|(given, wanted)| given != wanted).count();
        let (_, heap) = allocations::during(|| (0..RING).fold(0, |sum: u64, index| sum.wrapping_add((peer.answer)(index))));
        measured_beside.push((wrong, heap.calls));
    }
    let mut subjects = vec![
        engines[0].subject("lane", &calls, &requests, &expected),
        engines[1].subject("lane, linear scan", &calls, &requests, &expected),
    ];
    subjects.extend(peers.iter().zip(&given).map(|(peer, given)| Subject::new(peer.name, given, |index| (peer.answer)(index))));
    let figures = measure(subjects, effort);
    let with = |(figure, (wrong, calls)): (Figure, (usize, u64))| Measured { figure, wrong, allocations: calls as f64 / RING as f64 };
    figures.into_iter().zip(measured_beside).map(with).collect()
}

fn told(measured: &[Measured]) {
    for Measured { figure, .. } in measured {
        println!("# {}: {}", figure.name, time(figure.ns()));
    }
}

fn tables(folder: &Path) {
    let sizes = [10, 100, 1_000, 10_000, 100_000];
    for shape in MIXES {
        let mut names: Vec<String> = Vec::new();
        let mut cells: Vec<Vec<Option<Measured>>> = Vec::new();
        for rules in sizes {
            let workload = Workload::new(shape, rules);
            let asked = asked(&workload);
            let peers = peers(&rules::rules(&workload), asked);
            for measured in side_by_side(&workload, &peers, Effort::BRIEF) {
                let place = names.iter().position(|name| *name == measured.figure.name).unwrap_or_else(|| {
                    names.push(measured.figure.name.clone());
                    cells.push(Vec::new());
                    names.len() - 1
                });
                cells[place].push(Some(measured));
            }
        }
        let columns: Vec<String> = sizes.iter().map(|rules| format!("{} rules", thousands(*rules))).collect();
        let head: Vec<&str> = ["who"]
            .into_iter()
            .chain(columns.iter().map(String::as_str))
            .chain(["times lane at 10,000", "allocations at 1,000", "answers wrong of 256 at 1,000"])
            .collect();
        let table = Table::new(&format!("{}, uniform requests", shape.name), &head);
        let at = |place: usize, size: usize| cells[place].get(size).and_then(Option::as_ref);
        for (place, name) in names.iter().enumerate() {
            let mut row = vec![name.clone()];
            row.extend((0..sizes.len()).map(|size| at(place, size).map_or("-".into(), |measured| time(measured.figure.ns()))));
            let ratio = at(place, 3).zip(at(0, 3)).map(|(peer, lane)| short(peer.figure.ns() / lane.figure.ns()));
            row.push(ratio.unwrap_or_default());
            let measured = at(place, 2).expect("everybody is measured at 1,000");
            row.extend([short(measured.allocations), measured.wrong.to_string()]);
            table.row(&row);
        }
        if shape.name == "onehost" {
            let series: Vec<Series> = names
                .iter()
                .enumerate()
                .map(|(place, name)| {
                    let points = sizes.iter().enumerate().filter_map(|(size, rules)| Some((*rules as f64, at(place, size)?.figure.ns())));
                    Series { name: name.clone(), points: points.collect() }
                })
                .collect();
            let title = "One decision: one public host, uniform requests of 15 headers";
            fs::write(folder.join("plot.svg"), plot::svg(title, &series)).expect("the folder is there");
        }
    }
}
