//! How much more two threads decide than one. A shared machine has no second core to give at times, so what is
//! compared is decisions per second of processor time: what threads do to each other (a lock, an atomic, a line of
//! cache that both write) shows there, what other programs do does not.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use lane_core::Request;

use crate::{
    allocations,
    harness::on_processor,
    router::{Engine, answer},
    workload::Line,
};

/// What two threads do in relation to one.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    /// Decisions.
    pub decisions: f64,
    /// A loop without any memory, which only the machine can slow down.
    pub spinning: f64,
}

/// Decisions at the gateway, by one router that both threads share.
#[must_use]
pub fn scaling(engine: &Engine, requests: &[Request<'_, [Line<'_>]>], expected: &[u64], rounds: usize) -> Scaling {
    let decide = || {
        for (request, expected) in requests.iter().zip(expected) {
            assert_eq!(answer(&engine.decide(&crate::workload::Place::Ingress, request)), *expected);
        }
    };
    let spin = || {
        let mut number = black_box(1_u64);
        for _ in 0..10_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        }
        black_box(number);
    };
    let mut rates = [[(); 2]; 2].map(|row| row.map(|()| Vec::new()));
    for _ in 0..rounds {
        for (what, act) in [&decide as &(dyn Fn() + Sync), &spin].into_iter().enumerate() {
            for threads in 1..=2 {
                rates[what][threads - 1].push(rate(act, threads));
            }
        }
    }
    let [decisions, spinning] = rates.map(|what| {
        let [one, two] = what.map(|mut rates| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        });
        two / one
    });
    Scaling { decisions, spinning }
}

/// How often the threads do it together, for each second that they have a processor.
fn rate(act: &(dyn Fn() + Sync), threads: usize) -> f64 {
    const FOR: Duration = Duration::from_millis(30);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let run = || {
            let start = on_processor();
            let mut done = 0_u64;
            while !stop.load(Relaxed) {
                act();
                done += 1;
            }
            done as f64 / (on_processor() - start).as_secs_f64()
        };
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        thread::sleep(FOR);
        stop.store(true, Relaxed);
        runs.into_iter().map(|run| run.join().expect("answers are right")).sum()
    })
}

/// Allocations of the very first decisions of a router, and of each thread: by the thread that compiled it, and by two others at once.
#[must_use]
pub fn first_allocations(engine: &Engine, requests: &[Request<'_, [Line<'_>]>]) -> [u64; 2] {
    let decide = || {
        for request in requests {
            black_box(engine.decide(&crate::workload::Place::Ingress, request));
        }
    };
    let ((), here) = allocations::during(decide);
    let gate = AtomicBool::new(false);
    let ready = std::sync::Barrier::new(3);
    let done = std::sync::Barrier::new(3);
    let elsewhere = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                ready.wait();
                while !gate.load(Relaxed) {
                    std::hint::spin_loop();
                }
                decide();
                done.wait();
            });
        }
        ready.wait();
        let ((), heap) = allocations::during(|| {
            gate.store(true, Relaxed);
            done.wait();
        });
        heap
    });
    [here.calls, elsewhere.calls]
}
