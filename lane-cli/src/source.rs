//! Reading what the command line names: configuration files, standard input, and the messages when that fails.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use lane_core::Options;
use lane_formats::{Format, Loaded, Refused};

use crate::{
    failure::{Exit, Failure, plain},
    findings,
    streams::Streams,
};

/// The path that stands for standard input.
pub const STDIN: &str = "-";

/// A document beyond this is refused anyway; reading stops here, also of a device that never ends.
const MOST: u64 = (16 << 20) + 1;

/// The bytes of one document and what to call it.
#[derive(Debug)]
pub struct Source {
    /// The name in messages.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// How to read it.
    pub format: Format,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    pub fn read(path: &Path, streams: &mut Streams<'_>) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let done = if is_stdin(path) {
            (&mut *streams.input).take(MOST).read_to_end(&mut bytes)
        } else {
            open(path)?.take(MOST).read_to_end(&mut bytes)
        };
        let name = name_of(path);
        done.map_err(|error| unreadable(&name, &error))?;
        let format = Format::of_path(&name);
        Ok(Self { name, bytes, format })
    }

    /// The content as text for drawing; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The compiled configuration.
    pub fn load(&self) -> Result<Loaded, Refused> {
        lane_formats::load_bytes(&self.bytes, self.format, &Options::default())
    }

    /// The compiled configuration; what is wrong with it goes to standard error.
    pub fn load_or_report(&self, streams: &mut Streams<'_>) -> Result<Loaded, Failure> {
        self.load().map_err(|refused| match findings::draw(&refused.findings, self, streams.err, streams.colours.err) {
            Ok(()) if refused.unparsable => Failure::Reported(Exit::Unusable),
            Ok(()) => Failure::Reported(Exit::Findings),
            Err(error) => error.into(),
        })
    }

    /// A text for findings that stand nowhere.
    #[must_use]
    pub const fn nowhere() -> Self {
        Self { name: String::new(), bytes: Vec::new(), format: Format::Yaml }
    }
}

/// Reads and compiles a configuration for a command that needs one; what is wrong with it goes to standard error.
pub fn load(path: &Path, streams: &mut Streams<'_>) -> Result<Loaded, Failure> {
    Source::read(path, streams)?.load_or_report(streams)
}

/// Whether the path stands for standard input.
#[must_use]
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// Opens a file.
pub fn open(path: &Path) -> Result<File, Failure> {
    let failure = |error: &io::Error| unreadable(&name_of(path), error);
    let file = File::open(path).map_err(|error| failure(&error))?;
    // Opening a directory succeeds on Unix; reading it says something that nobody understands.
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(failure(&io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}

/// The path as messages name it.
#[must_use]
pub fn name_of(path: &Path) -> String {
    if is_stdin(path) { "<stdin>".into() } else { path.to_string_lossy().into_owned() }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read `{name}`: {}", plain(error)))
}
