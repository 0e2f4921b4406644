//! A stream of requests: lines in, decisions out, in order and in constant memory.

use std::io::{self, BufRead, BufReader, Read, Write};

use lane_core::Router;
use lane_formats::request::{Ask, Place};
use serde_json::json;

use super::Explained;
use crate::{
    failure::{Exit, Failure, Outcome, plain},
    progress::Progress,
};

/// A longer line is refused, so that memory stays bounded.
const LONGEST_LINE: usize = 16 << 20;

/// Deciding about a stream of requests.
pub(super) struct Job<'r> {
    pub(super) router: &'r Router,
    pub(super) explain: bool,
}

impl Job<'_> {
    /// Runs to the end of the input, whose size may be known. Progress is shown where somebody watches.
    pub(super) fn run(&self, input: &mut dyn Read, out: &mut dyn Write, watched: bool, size: Option<u64>) -> Outcome {
        let mut lines = Lines { input: BufReader::with_capacity(1 << 16, input), line: Vec::new() };
        let mut progress = Progress::new(watched, size);
        let mut exit = Exit::Done;
        let mut number = 0_u64;
        let mut read = 0_u64;
        loop {
            // Before waiting for more input, hand over what there is: the other side may be waiting for it.
            if lines.input.buffer().is_empty() {
                out.flush()?;
            }
            let ending = lines.next().map_err(|error| Failure::new(format!("cannot read the requests: {}", plain(&error))))?;
            let Some(length) = ending else { break };
            number += 1;
            read += length as u64;
            progress.show(number, read);
            if lines.line.len() > LONGEST_LINE {
                exit = Exit::Findings;
                refuse(out, "the line is longer than 16 MiB", number)?;
                continue;
            }
            let line = lines.line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if let Err(error) = self.answer(line, out)? {
                exit = Exit::Findings;
                refuse(out, &error, number)?;
            }
        }
        progress.close();
        Ok(exit)
    }

    /// Answers one line; the inner error is about the line.
    fn answer(&self, line: &[u8], out: &mut dyn Write) -> Result<Result<(), String>, Failure> {
        let Ok(text) = std::str::from_utf8(line) else { return Ok(Err("the line is not UTF-8".into())) };
        let ask = match Ask::parse(text) {
            Ok(ask) => ask,
            Err(error) => return Ok(Err(error.to_string())),
        };
        // Nothing is decided where a request arrives, so there is nothing to explain.
        let written = if self.explain && ask.place != Place::Inbound {
            match ask.explain(self.router) {
                Ok((decision, explanation)) => {
                    serde_json::to_writer(&mut *out, &Explained { decision: &decision, explanation: &explanation })
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
        } else {
            match ask.answer(self.router) {
                Ok(decision) => serde_json::to_writer(&mut *out, &decision),
                Err(error) => return Ok(Err(error.to_string())),
            }
        };
        written.map_err(io::Error::from)?;
        writeln!(out)?;
        Ok(Ok(()))
    }
}

fn refuse(out: &mut dyn Write, error: &str, number: u64) -> Result<(), Failure> {
    Ok(writeln!(out, "{}", json!({"error": error, "line": number}))?)
}

/// Lines of bounded length.
struct Lines<'i> {
    input: BufReader<&'i mut dyn Read>,
    /// The line read last, without its line break. Of one that is too long, somewhat more than is allowed.
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next line; the number of bytes that it took, none at the end.
    fn next(&mut self) -> io::Result<Option<usize>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok((length > 0).then_some(length));
            }
            let newline = memchr::memchr(b'\n', buffer);
            let piece = buffer.get(..newline.unwrap_or(buffer.len())).unwrap_or_default();
            if self.line.len() <= LONGEST_LINE {
                self.line.extend_from_slice(piece);
            }
            let taken = newline.map_or(piece.len(), |newline| newline + 1);
            self.input.consume(taken);
            length += taken;
            if newline.is_some() {
                return Ok(Some(length));
            }
        }
    }
}
