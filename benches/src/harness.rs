//! Timing several subjects fairly on a machine that others use too: all in one process, each in turn for a fraction
//! of a millisecond, starting with another one in every round; the figure is the median over the rounds. What counts
//! is the time for which the thread had a processor: waiting for one is nobody's merit. Every answer is compared
//! with the expected one while it is timed.

use std::{hint::black_box, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds.
    pub rounds: usize,
    /// What a subject gets of a round.
    pub slice: Duration,
}

impl Effort {
    /// For figures that are compared with a goal.
    pub const CAREFUL: Self = Self { rounds: 151, slice: Duration::from_micros(500) };
    /// For tables.
    pub const BRIEF: Self = Self { rounds: 41, slice: Duration::from_micros(500) };
}

/// One thing to time.
pub struct Subject<'a> {
    name: String,
    /// How many questions there are.
    questions: usize,
    /// Asks the first so many questions, so many times.
    batch: Box<dyn FnMut(usize, usize) + 'a>,
}

impl<'a> Subject<'a> {
    /// A subject that answers question `i` with `expected[i]`, and is not merely timed but held to it.
    pub fn new(name: impl Into<String>, expected: &'a [u64], mut answer: impl FnMut(usize) -> u64 + 'a) -> Self {
        let name = name.into();
        let who = name.clone();
        let batch = move |questions: usize, times: usize| {
            for _ in 0..times {
                for (index, expected) in expected[..questions].iter().enumerate() {
                    let given = answer(black_box(index));
                    if given != *expected {
                        wrong(&who, index, given, *expected);
                    }
                }
            }
        };
        Self { name, questions: expected.len(), batch: Box::new(batch) }
    }
}

#[cold]
#[inline(never)]
fn wrong(who: &str, index: usize, given: u64, expected: u64) -> ! {
    panic!("{who}: question {index} was answered {given:#x}, not {expected:#x}")
}

/// What one subject took.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The subject.
    pub name: String,
    /// Nanoseconds an answer, by round, sorted.
    rounds: Vec<f64>,
}

impl Figure {
    /// The median over the rounds.
    #[must_use]
    pub fn ns(&self) -> f64 {
        self.rounds[self.rounds.len() / 2]
    }

    /// The best round.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.rounds[0]
    }
}

/// Times the subjects; the figures are in their order.
#[must_use]
pub fn measure(mut subjects: Vec<Subject<'_>>, effort: Effort) -> Vec<Figure> {
    let shares: Vec<Share> = subjects.iter_mut().map(|subject| share(subject, effort.slice)).collect();
    let mut figures: Vec<Figure> = subjects.iter().map(|subject| Figure { name: subject.name.clone(), rounds: Vec::new() }).collect();
    let mut spent = vec![Duration::ZERO; subjects.len()];
    for round in 0..effort.rounds {
        for turn in 0..subjects.len() {
            let who = (round + turn) % subjects.len();
            // What is slow by orders of magnitude need not be known as well.
            if round >= FEWEST && spent[who] > ENOUGH {
                continue;
            }
            let taken = timed(&mut subjects[who], shares[who]);
            spent[who] += taken;
            figures[who].rounds.push(taken.as_secs_f64() * 1e9 / (shares[who].questions * shares[who].times) as f64);
        }
    }
    for figure in &mut figures {
        figure.rounds.sort_by(f64::total_cmp);
    }
    figures
}

/// Rounds in which everybody takes part, and what a subject may take in all before it leaves the others to themselves.
const FEWEST: usize = 5;
const ENOUGH: Duration = Duration::from_millis(800);

fn timed(subject: &mut Subject<'_>, Share { questions, times, warmed }: Share) -> Duration {
    if warmed {
        (subject.batch)(questions, 1);
    }
    let start = on_processor();
    (subject.batch)(questions, times);
    on_processor() - start
}

/// For how long this thread had a processor.
#[must_use]
pub fn on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a subject does in a slice: the first so many questions, so many times. Where that is short enough, a pass
/// before it brings the caches back that the others used.
#[derive(Clone, Copy)]
struct Share {
    questions: usize,
    times: usize,
    warmed: bool,
}

/// What fills a slice. Slow subjects get the first questions only; streams are made so that their beginnings are
/// fair samples of the whole.
fn share(subject: &mut Subject<'_>, slice: Duration) -> Share {
    const LEAST: usize = 16;
    let mut questions = LEAST.min(subject.questions);
    loop {
        let once = Share { questions, times: 1, warmed: false };
        let mut taken = timed(subject, once);
        if taken < slice * 8 {
            // The first pass met cold caches, and perhaps somebody else's turn.
            taken = taken.min(timed(subject, once)).max(Duration::from_nanos(1));
        }
        if taken * 2 > slice {
            return Share { warmed: taken < slice * 2, ..once };
        }
        if questions == subject.questions {
            let times = (slice.as_nanos() / taken.as_nanos()).max(1) as usize;
            return Share { questions, times, warmed: true };
        }
        questions = (questions * 2).min(subject.questions);
    }
}
