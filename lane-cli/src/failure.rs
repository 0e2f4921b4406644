//! How a command ends: its exit code, and what kept it from doing its work. Findings in a configuration are no
//! failure of the command; they are its output.

use std::io;

use crate::{paint::Paint, streams::Streams};

/// How a command ended, as its exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and nothing to report.
    Done,
    /// Done, and there are findings: errors, failed cases, bad lines.
    Findings,
    /// Not done: bad usage, or input that cannot be read.
    Unusable,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Unusable => 2,
        }
    }
}

/// What ended a command early.
#[derive(Debug)]
pub enum Failure {
    /// Whoever read the output has gone (`lane … | head`): nothing is wrong and nobody listens.
    Closed,
    /// Bad usage, or something that cannot be read or written.
    Unusable {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// What is wrong has been said already.
    Reported(Exit),
}

/// What a command returns.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure that says this.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Unusable { message: message.into(), help: None }
    }

    /// A failure that says this and what to do about it.
    pub fn with_help(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Unusable { message: message.into(), help }
    }

    /// Says what is wrong, where that has not been done.
    pub fn report(self, streams: &mut Streams<'_>) -> Exit {
        match self {
            Self::Closed => Exit::Done,
            Self::Reported(exit) => exit,
            Self::Unusable { message, help } => {
                let paint = Paint(streams.colours.err);
                // Nobody is left to whom a failure of this could be told.
                let _closed = writeln!(streams.err, "{}{} {message}", paint.error("error"), paint.strong(":"));
                if let Some(help) = help {
                    let _closed = writeln!(streams.err, "{} {help}", paint.hint("help:"));
                }
                Exit::Unusable
            }
        }
    }
}

impl From<io::Error> for Failure {
    /// An error of writing output; reading has messages of its own, which name the file.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::new(format!("cannot write the output: {}", plain(&error))),
        }
    }
}

/// An error of the system in the house style: lower-case start, no number that only programmers know.
#[must_use]
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        io::ErrorKind::AlreadyExists => "it exists already".into(),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut letters = text.chars();
            letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}
