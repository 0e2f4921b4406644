//! Instructions a decision for the fixed set, one line each: `NAME RULES INSTRUCTIONS`. `benches/count.sh` compares
//! them with the record.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use lane_benches::counted;

fn main() {
    counted::serve();
    assert!(counted::is_possible(), "valgrind is needed");
    for case in counted::CASES {
        println!("{} {} {:.0}", case.name, case.rules, counted::instructions(*case));
    }
}
