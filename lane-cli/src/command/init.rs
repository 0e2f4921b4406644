//! `lane init`: a small commented configuration.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use clap::Args;

use crate::{
    failure::{Exit, Failure, Outcome, plain},
    source::{is_stdin, name_of},
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Writes a small commented configuration: three services, a baseline and one lane over it. A file that is there already is \
    never overwritten.";

/// Arguments of `lane init`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lane init && lane check lanes.yaml && lane trace lanes.yaml")]
pub struct Init {
    /// Where to write it; `-` is standard output
    #[arg(default_value = "lanes.yaml")]
    file: PathBuf,
}

const TEMPLATE: &str = include_str!("init.yaml");

impl Init {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        if is_stdin(&self.file) {
            streams.out.write_all(TEMPLATE.as_bytes())?;
            return Ok(Exit::Done);
        }
        let name = name_of(&self.file);
        File::create_new(&self.file).and_then(|mut file| file.write_all(TEMPLATE.as_bytes())).map_err(|error| {
            let help = (error.kind() == ErrorKind::AlreadyExists).then(|| "name another file, as in `lane init other.yaml`".into());
            Failure::with_help(format!("cannot write `{name}`: {}", plain(&error)), help)
        })?;
        writeln!(
            streams.out,
            "wrote `{name}`\n\nnext:\n  lane check {name}\n  lane trace {name}\n  lane schema > lanes.schema.json   # completion in editors"
        )?;
        Ok(Exit::Done)
    }
}
