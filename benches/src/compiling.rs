//! What compiling costs: time, and the heap that the router keeps.

use lane_core::Indexing;

use crate::{
    allocations,
    harness::on_processor,
    router::compile,
    workload::{Shape, Workload},
};

/// What compiling one configuration costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Seconds in all, the median.
    pub seconds: f64,
    /// Microseconds a rule.
    pub us: f64,
    /// Bytes that the router keeps on the heap, a rule. Lanes and services are in it.
    pub bytes: f64,
}

/// Compiles so many times.
#[must_use]
pub fn cost(shape: &'static Shape, rules: usize, indexing: Indexing, times: usize) -> Cost {
    let workload = Workload::new(shape, rules);
    let mut seconds: Vec<f64> = (0..times)
        .map(|_| {
            let start = on_processor();
            let router = compile(&workload.config, indexing);
            let taken = (on_processor() - start).as_secs_f64();
            drop(router);
            taken
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let seconds = seconds[seconds.len() / 2];
    let (_router, heap) = allocations::during(|| compile(&workload.config, indexing));
    Cost { seconds, us: seconds * 1e6 / rules as f64, bytes: heap.bytes as f64 / rules as f64 }
}
