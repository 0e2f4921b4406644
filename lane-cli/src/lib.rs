//! The `lane` command as a library: one module for each subcommand under [`command`], and beside it what they
//! share. Nothing here decides anything: that is `lane-core`'s business, and reading text is `lane-formats`'s.
//! Output goes through [`streams::Streams`], so that every command can be run in a test.

use std::{
    ffi::OsString,
    io::{self, BufWriter, IsTerminal, Write},
    process::ExitCode,
};

use anstream::{AutoStream, ColorChoice};
use clap::Parser;

pub mod command;
pub mod failure;
pub mod findings;
pub mod pages;
pub mod paint;
pub mod progress;
pub mod requests;
pub mod shares;
pub mod source;
pub mod streams;

use failure::{Exit, Failure};
use streams::{Colours, Streams};

/// Traffic lanes on the command line: which version of each service in a call chain does a request meet?
#[derive(Debug, Parser)]
#[command(name = "lane", version, propagate_version = false, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: command::Command,
}

const EXAMPLES: &str = "\
Examples:
  lane init                      write a small lanes.yaml to start from
  lane check lanes.yaml          every problem of a configuration, with its place
  lane route lanes.yaml http://shop.example/cart -H 'x-user-group: qa' --explain
  lane trace lanes.yaml -n 100   the whole call chain, the lane table, the shares
  lane test lanes.test.yaml      run cases, for CI
  lane export istio lanes.yaml   the resources of a mesh that enforces it

Exit codes: 0 done, 1 findings (errors, failed cases, bad lines), 2 bad usage or unreadable input.
Colour follows the terminal and the variables NO_COLOR, CLICOLOR and CLICOLOR_FORCE.";

/// Runs the command with the process's arguments and streams.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// Runs the command with these arguments (the first is the command's own name) and the process's streams.
///
/// Returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version too come this way. Who closed the stream does not want to hear about it.
            let _closed = error.print();
            return if error.use_stderr() { Exit::Unusable.code() } else { Exit::Done.code() };
        }
    };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let colours = Colours { out: colourful(&stdout), err: colourful(&stderr) };
    // Where there is no colour nothing has to look for it: streams of decisions go straight through.
    let mut out: BufWriter<Box<dyn Write>> =
        BufWriter::with_capacity(1 << 16, if colours.out { Box::new(AutoStream::auto(stdout.lock())) } else { Box::new(stdout.lock()) });
    let mut err = AutoStream::auto(stderr.lock());
    let mut streams = Streams {
        input: &mut io::stdin().lock(),
        out: &mut out,
        err: &mut err,
        colours,
        watched: io::stderr().is_terminal() && !io::stdout().is_terminal(),
    };
    let result = cli.command.run(&mut streams);
    let result = result.and_then(|exit| streams.out.flush().map(|()| exit).map_err(Failure::from));
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            // What was written before the failure belongs before it on a terminal that shows both.
            let _closed = streams.out.flush();
            failure.report(&mut streams)
        }
    };
    exit.code()
}

fn colourful(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}
