//! Tables as Markdown, so that a record can be read and quoted as it is.

use crate::goal::short;

/// A table in the making.
#[derive(Debug)]
pub struct Table {
    columns: usize,
}

impl Table {
    /// Prints the head.
    #[must_use]
    pub fn new(title: &str, columns: &[&str]) -> Self {
        println!("\n## {title}\n");
        println!("| {} |", columns.join(" | "));
        println!("|{}", "---|".repeat(columns.len()));
        Self { columns: columns.len() }
    }

    /// Prints a row.
    pub fn row(&self, cells: &[String]) {
        assert_eq!(cells.len(), self.columns, "a row fits its table");
        println!("| {} |", cells.join(" | "));
    }
}

/// Nanoseconds as a person reads them.
#[must_use]
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns >= 1e6 => format!("{} ms", short(ns / 1e6)),
        ns if ns >= 10_000.0 => format!("{} us", short(ns / 1e3)),
        ns => format!("{} ns", short(ns)),
    }
}

/// A count of rules, with thousands apart.
#[must_use]
pub fn thousands(count: usize) -> String {
    if count < 1_000 { count.to_string() } else { format!("{},{:03}", count / 1_000, count % 1_000) }
}
