//! The lines in which goals are reported: `goal NAME value limit ok|short`, and `also …` for what the issue asks
//! for beside its table.

use std::process::ExitCode;

/// Which side of the limit is good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// The value is to be at most this.
    AtMost(f64),
    /// The value is to be at least this.
    AtLeast(f64),
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

/// What was reported so far.
#[derive(Debug, Default)]
pub struct Goals {
    short: usize,
    told: usize,
}

impl Goals {
    /// Reports a figure of the table; what is short fails the run.
    pub fn goal(&mut self, name: &str, value: f64, limit: Limit) {
        self.told += 1;
        if !line("goal", name, value, limit) {
            self.short += 1;
        }
    }

    /// Reports a figure beside the table.
    pub fn also(&mut self, name: &str, value: f64, limit: Limit) {
        let _ = line("also", name, value, limit);
    }

    /// Says how many goals hold; success when all do.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        println!("# {} of {} goals hold", self.told - self.short, self.told);
        if self.short == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn line(kind: &str, name: &str, value: f64, limit: Limit) -> bool {
    let holds = limit.holds(value);
    let (sign, bound) = match limit {
        Limit::AtMost(bound) => ("<=", bound),
        Limit::AtLeast(bound) => (">=", bound),
    };
    let verdict = if holds { "ok" } else { "short" };
    println!("{kind} {name} {} {sign}{bound} {verdict}", short(value));
    holds
}

/// A number as a person reads it.
#[must_use]
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
