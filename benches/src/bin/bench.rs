//! All tables, in minutes: every mix at every size on every stream, the traps, hops and splits, what compiling costs.
//! `--all` adds the traps at 100,000 rules. Markdown on standard output, for `benches/record/`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::env;

use lane_benches::{
    compiling::cost,
    goal::short,
    harness::{Effort, Figure},
    machine,
    measures::{self, RING, TRAP_RING, TRAP_STREAMS},
    table::{Table, thousands, time},
    workload::{MIXES, Shape, Stream, TRAPS, Workload, hops},
};
use lane_core::Indexing;

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

fn main() {
    let all = env::args().any(|argument| argument == "--all");
    println!("{}", machine::line());
    println!("\nNanoseconds a decision: by the index / by the linear walk over the same rules. 15 headers, borrowed list, medians of");
    println!("{} interleaved rounds, every answer asserted.", Effort::BRIEF.rounds);
    for shape in MIXES {
        streams(shape, &SIZES, &Stream::ALL, RING);
    }
    for shape in TRAPS {
        // A hundred thousand of these take minutes to compile, or gigabytes to hold.
        let heavy = ["adv_rx_dotstar", "adv_longvalues"].contains(&shape.name);
        let sizes = if all && !heavy { &SIZES[..] } else { &SIZES[..4] };
        streams(shape, sizes, &TRAP_STREAMS, TRAP_RING);
    }
    beside();
    compiling();
}

fn streams(shape: &'static Shape, sizes: &[usize], streams: &[Stream], ring: usize) {
    let mut rows: Vec<Vec<String>> = streams.iter().map(|stream| vec![stream.name().to_owned()]).collect();
    for rules in sizes {
        let workload = Workload::new(shape, *rules);
        let engines = measures::engines(&workload);
        for (stream, row) in streams.iter().zip(&mut rows) {
            let [index, linear] = measures::pair(&workload, &engines, *stream, ring, Effort::BRIEF).map(|figure| figure.ns());
            row.push(format!("{} / {} ({}x)", time(index), time(linear), short(linear / index)));
        }
    }
    let sizes: Vec<String> = sizes.iter().map(|rules| format!("{} rules", thousands(*rules))).collect();
    let columns: Vec<&str> = ["stream"].into_iter().chain(sizes.iter().map(String::as_str)).collect();
    let table = Table::new(shape.name, &columns);
    rows.iter().for_each(|row| table.row(row));
}

/// What happens beside finding a rule.
fn beside() {
    let by = |by| hops::split(by, RING);
    let asked = [
        hops::by_header(RING),
        hops::with_fallback(RING),
        by(hops::By::Unsplit),
        by(hops::By::Roll),
        by(hops::By::Header),
        by(hops::By::Cookie),
    ];
    let table = Table::new("hops and splits", &["what", "time", "map look-ups of this run"]);
    let mut figures = measures::settings(&asked, Effort::CAREFUL);
    figures.extend(measures::rewriting(Effort::CAREFUL));
    let lookup = figures.iter().find(|figure| figure.name.contains("ahash")).map_or(f64::NAN, Figure::ns);
    for figure in figures {
        table.row(&[figure.name.clone(), time(figure.ns()), short(figure.ns() / lookup)]);
    }
}

fn compiling() {
    let table = Table::new("compiling: us a rule, bytes a rule", &["workload", "rules", "index", "linear"]);
    for shape in MIXES.iter().chain(TRAPS) {
        let largest = if MIXES.iter().any(|mix| mix.name == shape.name) { SIZES.len() } else { 4 };
        for rules in SIZES.into_iter().take(largest).skip(2) {
            let cell = |indexing| {
                let cost = cost(shape, rules, indexing, if rules > 1_000 { 1 } else { 3 });
                format!("{} us, {} B", short(cost.us), short(cost.bytes))
            };
            table.row(&[shape.name.to_owned(), thousands(rules), cell(Indexing::Auto), cell(Indexing::Never)]);
        }
    }
}
