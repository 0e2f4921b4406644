//! `lane schema`: the JSON Schema of configurations.

use clap::Args;

use crate::{
    failure::{Exit, Outcome},
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Prints the JSON Schema (draft-07) of configurations. Editors with a YAML language server complete and check by it when a \
    file begins with `# yaml-language-server: $schema=lanes.schema.json`, as those of `lane init` do.";

/// Arguments of `lane schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lane schema > lanes.schema.json")]
pub struct Schema {}

impl Schema {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        writeln!(streams.out, "{}", lane_formats::schema::json_schema().trim_end())?;
        Ok(Exit::Done)
    }
}
