//! The subcommands, one module each.

use clap::Subcommand;

use crate::{failure::Outcome, streams::Streams};

pub mod check;
pub mod completions;
pub mod explain;
pub mod export;
pub mod import;
pub mod init;
pub mod route;
pub mod schema;
pub mod test;
pub mod trace;

/// A subcommand with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every problem of configurations, with place and remedy
    #[command(long_about = check::ABOUT)]
    Check(check::Check),
    /// Decide about one request, or about a stream of them
    #[command(long_about = route::ABOUT)]
    Route(Box<route::Route>),
    /// Send requests through the whole call chain
    #[command(long_about = trace::ABOUT)]
    Trace(Box<trace::Trace>),
    /// Run cases against configurations
    #[command(long_about = test::ABOUT)]
    Test(test::Test),
    /// Say what a diagnostic means
    #[command(long_about = explain::ABOUT)]
    Explain(explain::Explain),
    /// Print the JSON Schema of configurations
    #[command(long_about = schema::ABOUT)]
    Schema(schema::Schema),
    /// Write a configuration as the resources of a mesh that enforces it
    #[command(long_about = export::ABOUT)]
    Export(export::Export),
    /// Read the resources of a mesh into a configuration
    #[command(long_about = import::ABOUT)]
    Import(import::Import),
    /// Write a small commented configuration to start from
    #[command(long_about = init::ABOUT)]
    Init(init::Init),
    /// Print a completion script for a shell
    #[command(long_about = completions::ABOUT)]
    Completions(completions::Completions),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        match self {
            Self::Check(command) => command.run(streams),
            Self::Route(command) => command.run(streams),
            Self::Trace(command) => command.run(streams),
            Self::Test(command) => command.run(streams),
            Self::Explain(command) => command.run(streams),
            Self::Schema(command) => command.run(streams),
            Self::Export(command) => command.run(streams),
            Self::Import(command) => command.run(streams),
            Self::Init(command) => command.run(streams),
            Self::Completions(command) => command.run(streams),
        }
    }
}
