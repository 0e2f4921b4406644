//! What a command reads and writes. Commands get it passed in and never reach for the process's own streams.

use std::io::{self, Read, Write};

use serde::Serialize;

use crate::{failure::Failure, paint::Paint};

/// The streams of one run.
pub struct Streams<'s> {
    /// Standard input.
    pub input: &'s mut dyn Read,
    /// Standard output, buffered; whoever runs the command flushes it at the end.
    pub out: &'s mut dyn Write,
    /// Standard error.
    pub err: &'s mut dyn Write,
    /// Which of them show colours.
    pub colours: Colours,
    /// Whether a person watches standard error, and only that: a bar between lines of output is no help.
    pub watched: bool,
}

impl Streams<'_> {
    /// Prints a value as JSON, on a line of its own.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut *self.out, value).map_err(io::Error::from)?;
        Ok(writeln!(self.out)?)
    }

    /// Says what is probably a slip, where the command can go on all the same.
    pub fn note(&mut self, note: &str) -> Result<(), Failure> {
        Ok(writeln!(self.err, "{} {note}", Paint(self.colours.err).doubtful("note:"))?)
    }
}

/// Which streams show colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Colours {
    /// Standard output.
    pub out: bool,
    /// Standard error.
    pub err: bool,
}
