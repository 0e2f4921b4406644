//! The short form: one line for every row of the goal table that needs no peer, in a few minutes. The rows that
//! compare with peers are printed by `benches/peers` in the same form.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::process::ExitCode;

use lane_benches::{counted, goal::Goals, machine, measures};

fn main() -> ExitCode {
    counted::serve();
    println!("# {}", machine::line());
    let mut goals = Goals::default();
    measures::against_linear(&mut goals);
    measures::ten_rules(&mut goals);
    measures::growth(&mut goals);
    measures::hop_and_split(&mut goals);
    measures::traps(&mut goals);
    measures::allocations(&mut goals);
    measures::instructions(&mut goals);
    measures::threads(&mut goals);
    measures::compiling(&mut goals);
    goals.finish()
}
