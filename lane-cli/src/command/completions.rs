//! `lane completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    Cli,
    failure::{Exit, Outcome},
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Prints a script that completes `lane` commands in a shell.";

/// Arguments of `lane completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lane completions bash > ~/.local/share/bash-completion/completions/lane\n  lane completions zsh > \"${fpath[1]}/_lane\"\n  lane completions fish > ~/.config/fish/completions/lane.fish"
)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        // The generator panics when it cannot write, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lane", &mut script);
        streams.out.write_all(&script)?;
        Ok(Exit::Done)
    }
}
