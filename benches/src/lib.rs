//! What is measured and how: seeded [`workload`]s that every subject is asked in the same order, a small
//! [`harness`] that interleaves subjects in one process and asserts each answer, a counting allocator, instruction
//! counts by callgrind, and the lines in which a goal is reported. The binaries only choose and print; the peers,
//! with their dependencies, are a package of their own in `peers/`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure here is a broken bench, and a bench prints its figures"
)]

pub mod allocations;
pub mod compiling;
pub mod counted;
pub mod goal;
pub mod harness;
pub mod lookup;
pub mod machine;
pub mod measures;
pub mod plot;
pub mod random;
pub mod router;
pub mod table;
pub mod threads;
pub mod workload;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;
