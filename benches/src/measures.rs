//! The rows of the goal table, one function for each, in the order in which a reader meets them.

use lane_core::Indexing;

use crate::{
    allocations,
    compiling::{Cost, cost},
    counted::{self, Case},
    goal::{
        Goals,
        Limit::{AtLeast, AtMost},
        short,
    },
    harness::{Effort, Figure, Subject, measure},
    lookup,
    router::{Engine, answer},
    table::time,
    threads,
    workload::{Call, MIXES, Shape, Stream, TRAPS, Workload, hops, lines, requests, shape},
};

/// Requests in a ring; as many as in the measurements from which the goals come.
pub const RING: usize = 256;
/// Requests in a ring of a trap: its linear walk is slow.
pub const TRAP_RING: usize = 64;
/// What a trap is asked: streams that meet the first rule are nobody's trap.
pub const TRAP_STREAMS: [Stream; 3] = [Stream::Last, Stream::Miss, Stream::Uniform];
/// What two measurements of one and the same router differ by on a machine that others use too.
const NOISE: f64 = 0.03;

/// The index and the linear walk on one workload and stream. Both are held to the index's answers while they are
/// timed, so they agree wherever the linear walk is fast enough to be asked everything; the tests ask it everything.
#[must_use]
pub fn pair(workload: &Workload, [auto, linear]: &[Engine; 2], stream: Stream, ring: usize, effort: Effort) -> [Figure; 2] {
    let calls = workload.calls(stream, ring);
    let lines = lines(&calls);
    let requests = requests(&calls, &lines);
    let expected = auto.answers(&calls, &requests);
    let subjects = vec![auto.subject("index", &calls, &requests, &expected), linear.subject("linear", &calls, &requests, &expected)];
    measure(subjects, effort).try_into().expect("two subjects, two figures")
}

fn told(workload: &Workload, engines: &[Engine; 2], stream: Stream, ring: usize, effort: Effort) -> [f64; 2] {
    let [index, scan] = pair(workload, engines, stream, ring, effort).map(|figure| figure.ns());
    println!("# {} {} {}: index {}, linear {}", workload.shape.name, workload.rules(), stream.name(), time(index), time(scan));
    [index, scan]
}

/// One configuration by the index and without it.
#[must_use]
pub fn engines(workload: &Workload) -> [Engine; 2] {
    [Indexing::Auto, Indexing::Never].map(|indexing| Engine::new(&workload.config, indexing))
}

fn speedup(shape: &'static Shape, rules: usize) -> f64 {
    let workload = Workload::new(shape, rules);
    let [index, scan] = told(&workload, &engines(&workload), Stream::Uniform, RING, Effort::CAREFUL);
    scan / index
}

/// 10,000 rules against the linear scan of the same rules.
pub fn against_linear(goals: &mut Goals) {
    goals.goal("onehost_10k_times_linear", speedup(shape("onehost"), 10_000), AtLeast(180.0));
    goals.goal("tagonly_10k_times_linear", speedup(shape("tagonly"), 10_000), AtLeast(1_000.0));
}

/// Few rules: not slower than the scan. Traps of that size stand beside the table.
pub fn ten_rules(goals: &mut Goals) {
    for shape in MIXES {
        let slower = 1.0 / speedup(shape, 10);
        goals.goal(&format!("{}_10_over_linear", shape.name), slower, AtMost(1.0 + NOISE));
    }
    let mut worst = (0.0, "");
    for trap in TRAPS {
        let workload = Workload::new(trap, 10);
        let [index, scan] = told(&workload, &engines(&workload), Stream::Uniform, TRAP_RING, Effort::BRIEF);
        if index / scan > worst.0 {
            worst = (index / scan, trap.name);
        }
    }
    println!("# worst trap of ten rules: {}", worst.1);
    goals.also("worst_trap_10_over_linear", worst.0, AtMost(1.1));
}

/// From 10 to 100,000 rules, in one run.
pub fn growth(goals: &mut Goals) {
    for shape in MIXES {
        let few = Prepared::new(shape, 10);
        let many = Prepared::new(shape, 100_000);
        let lent = [few.lines(), many.lines()];
        let asked = [requests(&few.calls, &lent[0]), requests(&many.calls, &lent[1])];
        let expected = [few.engine.answers(&few.calls, &asked[0]), many.engine.answers(&many.calls, &asked[1])];
        let subjects = vec![
            few.engine.subject("10 rules", &few.calls, &asked[0], &expected[0]),
            many.engine.subject("100,000 rules", &many.calls, &asked[1], &expected[1]),
        ];
        let figures = measure(subjects, Effort::CAREFUL);
        println!("# {}: 10 rules {}, 100,000 rules {}", shape.name, time(figures[0].ns()), time(figures[1].ns()));
        goals.goal(&format!("{}_growth_10_to_100k", shape.name), figures[1].ns() / figures[0].ns(), AtMost(2.0));
    }
}

struct Prepared {
    engine: Engine,
    calls: Vec<Call>,
}

impl Prepared {
    fn new(shape: &'static Shape, rules: usize) -> Self {
        let workload = Workload::new(shape, rules);
        Self { engine: Engine::new(&workload.config, Indexing::Auto), calls: workload.calls(Stream::Uniform, RING) }
    }

    fn lines(&self) -> Vec<Vec<crate::workload::Line<'_>>> {
        lines(&self.calls)
    }
}

/// Settings timed side by side, and after them the map look-ups.
#[must_use]
pub fn settings(settings: &[hops::Setting], effort: Effort) -> Vec<Figure> {
    let lent: Vec<_> = settings.iter().map(|setting| lines(&setting.calls)).collect();
    let asked: Vec<_> = settings.iter().zip(&lent).map(|(setting, lines)| requests(&setting.calls, lines)).collect();
    let auto: Vec<_> = settings.iter().map(|setting| Engine::new(&setting.config, Indexing::Auto)).collect();
    let linear: Vec<_> = settings.iter().map(|setting| Engine::new(&setting.config, Indexing::Never)).collect();
    let expected: Vec<_> =
        linear.iter().zip(settings).zip(&asked).map(|((linear, setting), asked)| linear.answers(&setting.calls, asked)).collect();
    let (ahash, foldhash) = (lookup::ahash(), lookup::foldhash());
    let mut subjects: Vec<Subject<'_>> = (0..settings.len())
        .map(|index| auto[index].subject(settings[index].name, &settings[index].calls, &asked[index], &expected[index]))
        .collect();
    subjects.extend([ahash.subject(), foldhash.subject()]);
    measure(subjects, effort)
}

/// A decision at a gateway, alone and with the baggage rewritten.
#[must_use]
pub fn rewriting(effort: Effort) -> Vec<Figure> {
    let setting = hops::baggage(RING);
    let engine = Engine::new(&setting.config, Indexing::Auto);
    let lines = lines(&setting.calls);
    let requests = requests(&setting.calls, &lines);
    let mut buffer = [0; lane_core::BUFFER_BYTES];
    let mut rewrite = |index: usize| {
        let decision = engine.decide(&setting.calls[index].place, &requests[index]);
        let mut written = 0;
        engine.router.changes(&decision, &requests[index], &mut buffer, |change| {
            if let lane_core::Change::Set { value, .. } = change {
                written += value.len() as u64;
            }
        });
        written
    };
    let written: Vec<u64> = (0..requests.len()).map(&mut rewrite).collect();
    let decided = engine.answers(&setting.calls, &requests);
    let alone = engine.subject("ingress, baggage context", &setting.calls, &requests, &decided);
    measure(vec![alone, Subject::new("the same and the baggage rewritten", &written, rewrite)], effort)
}

/// A call inside the chain in map look-ups, and what a sticky split adds to a rule.
pub fn hop_and_split(goals: &mut Goals) {
    let by = |by| hops::split(by, RING);
    let asked = [hops::by_header(RING), by(hops::By::Unsplit), by(hops::By::Header), by(hops::By::Cookie)];
    let figures = settings(&asked, Effort::CAREFUL);
    for figure in &figures {
        println!("# {}: {}", figure.name, time(figure.ns()));
    }
    let [hop, unsplit, header, cookie, lookup] = [0, 1, 2, 3, 4].map(|index| figures[index].ns());
    goals.goal("hop_by_header_in_map_lookups", hop / lookup, AtMost(3.0));
    goals.goal("sticky_header_more_ns", header - unsplit, AtMost(40.0));
    goals.goal("sticky_cookie_more_ns", cookie - unsplit, AtMost(40.0));
}

/// No trap is slower than the scan, and regexes are not tried one by one.
pub fn traps(goals: &mut Goals) {
    let mut worst: (f64, String) = (0.0, String::new());
    let mut least: (f64, String) = (f64::MAX, String::new());
    for trap in TRAPS {
        let workload = Workload::new(trap, 10_000);
        let engines = engines(&workload);
        for stream in TRAP_STREAMS {
            let [index, scan] = told(&workload, &engines, stream, TRAP_RING, Effort::BRIEF);
            let name = format!("{} {}", trap.name, stream.name());
            let slower = index / scan;
            if slower > worst.0 {
                worst = (slower, name.clone());
            }
            if trap.all_regex && 1.0 / slower < least.0 {
                least = (1.0 / slower, name);
            }
        }
    }
    println!("# worst trap: {}; regexes that gain least: {}", worst.1, least.1);
    goals.goal("worst_trap_10k_over_linear", worst.0, AtMost(1.1));
    goals.goal("all_regex_10k_times_linear", least.0, AtLeast(20.0));
}

/// Allocations: on the very first calls, on two threads, and in a hop with everything that belongs to it.
pub fn allocations(goals: &mut Goals) {
    let [mut first, mut threaded] = [0, 0];
    let shapes = MIXES.iter().chain(TRAPS);
    for shape in shapes {
        let workload = Workload::new(shape, 1_000);
        let calls: Vec<Call> = Stream::ALL.into_iter().flat_map(|stream| workload.calls(stream, 64)).collect();
        let lines = lines(&calls);
        let requests = requests(&calls, &lines);
        let [here, elsewhere] = threads::first_allocations(&Engine::new(&workload.config, Indexing::Auto), &requests);
        first += here;
        threaded += elsewhere;
    }
    let mut beside = 0;
    let by = |by| hops::split(by, RING);
    for setting in [hops::by_header(RING), hops::with_fallback(RING), hops::baggage(RING), by(hops::By::Roll), by(hops::By::Cookie)] {
        let engine = Engine::new(&setting.config, Indexing::Auto);
        let lines = lines(&setting.calls);
        let requests = requests(&setting.calls, &lines);
        let mut buffer = [0; lane_core::BUFFER_BYTES];
        let (_, heap) = allocations::during(|| {
            let mut sum = 0;
            for (call, request) in setting.calls.iter().zip(&requests) {
                let decision = engine.decide(&call.place, request);
                engine.router.changes(&decision, request, &mut buffer, |_| sum += 1);
                let _ = engine.router.remember(&decision, request);
                sum += answer(&decision);
            }
            sum
        });
        beside += heap.calls;
    }
    goals.goal("allocations_from_first_call_on", first as f64, AtMost(0.0));
    goals.goal("allocations_on_two_threads", threaded as f64, AtMost(0.0));
    goals.goal("allocations_of_hops_and_changes", beside as f64, AtMost(0.0));
}

/// Counted by callgrind, where there is one.
pub fn instructions(goals: &mut Goals) {
    if !counted::is_possible() {
        println!("# valgrind is not installed: no instructions are counted");
        goals.goal("core_10k_instructions", f64::NAN, AtMost(800.0));
        return;
    }
    goals.goal("core_10k_instructions", counted::instructions(Case::new("core", 10_000)), AtMost(800.0));
    for shape in MIXES {
        let [few, many] = [10, 100_000].map(|rules| counted::instructions(Case::new(shape.name, rules)));
        println!("# {}: {few:.0} instructions at 10 rules, {many:.0} at 100,000", shape.name);
        goals.goal(&format!("{}_instruction_growth_10_to_100k", shape.name), many / few, AtMost(1.3));
    }
}

/// Beside the table: two threads decide nearly twice as much as one.
pub fn threads(goals: &mut Goals) {
    let workload = Workload::new(shape("onehost"), 10_000);
    let engine = Engine::new(&workload.config, Indexing::Auto);
    let calls = workload.calls(Stream::Uniform, RING);
    let lines = lines(&calls);
    let requests = requests(&calls, &lines);
    let expected = engine.answers(&calls, &requests);
    let scaling = threads::scaling(&engine, &requests, &expected, 31);
    println!("# a loop without memory: {} times as much on two threads", short(scaling.spinning));
    goals.also("two_threads_times_one", scaling.decisions, AtLeast(1.9));
}

/// Beside the table: what compiling costs.
pub fn compiling(goals: &mut Goals) {
    for name in ["core", "tagonly"] {
        let Cost { us, bytes, .. } = cost(shape(name), 1_000, Indexing::Auto, 9);
        goals.also(&format!("{name}_1k_compile_us_a_rule"), us, AtMost(2.0));
        goals.also(&format!("{name}_1k_bytes_a_rule"), bytes, AtMost(300.0));
        let Cost { us, bytes, .. } = cost(shape(name), 10_000, Indexing::Auto, 5);
        goals.also(&format!("{name}_10k_compile_us_a_rule"), us, AtMost(2.0));
        goals.also(&format!("{name}_10k_bytes_a_rule"), bytes, AtMost(300.0));
    }
    for name in ["adv_hdr_regex", "adv_path_regex"] {
        let Cost { us, bytes, .. } = cost(shape(name), 1_000, Indexing::Auto, 3);
        goals.also(&format!("{name}_1k_compile_us_a_rule"), us, AtMost(40.0));
        goals.also(&format!("{name}_1k_bytes_a_rule"), bytes, AtMost(1_024.0));
    }
    let Cost { seconds, .. } = cost(shape("onehost"), 100_000, Indexing::Auto, 1);
    goals.also("onehost_100k_compile_seconds", seconds, AtMost(1.0));
}
