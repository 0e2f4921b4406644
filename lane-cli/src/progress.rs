//! Progress on standard error, for a person and only when it takes a while.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Whoever watches for this long gets to see progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the clock is looked at, in requests.
const GLANCE: u64 = 1 << 10;

/// A bar that appears late and leaves nothing behind.
#[derive(Debug)]
pub struct Progress {
    watched: bool,
    size: Option<u64>,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For work of this size, if it is known; shown only where somebody watches.
    #[must_use]
    pub fn new(watched: bool, size: Option<u64>) -> Self {
        Self { watched, size, begun: Instant::now(), bar: None }
    }

    /// Shows that so many requests are done, and how much of the size.
    pub fn show(&mut self, requests: u64, done: u64) {
        if !self.watched || !requests.is_multiple_of(GLANCE) || self.bar.is_none() && self.begun.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let (bar, template) = match self.size {
                Some(size) => (ProgressBar::new(size), "{bar:30} {percent}% {msg} ({eta} left)"),
                None => (ProgressBar::new_spinner(), "{spinner} {msg} ({elapsed})"),
            };
            // The templates are constants; one that could not be read would leave the default look.
            bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(done);
        bar.set_message(format!("{requests} requests"));
    }

    /// Takes the bar away.
    pub fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
