//! `lane check`: every problem of configurations.

use std::path::PathBuf;

use clap::Args;
use lane_core::diagnostic::Severity;
use lane_formats::Located;

use crate::{
    failure::{Exit, Failure, Outcome},
    findings,
    paint::Paint,
    source::Source,
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Reads configurations and reports every problem at once: what is wrong, where, and what to do about it. Files that end in \
    `.json` are read as JSON, all others as YAML.";

/// Arguments of `lane check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lane check lanes.yaml
  lane check --strict --json config/*.yaml

Exit codes: 0 no errors (with --strict: no findings), 1 findings, 2 a file cannot be read or parsed.
`lane explain LANE0102` says more about one kind of problem.")]
pub struct Check {
    /// Configurations; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object a finding, one a line
    #[arg(long)]
    json: bool,
    /// Count warnings as errors in the exit code
    #[arg(long)]
    strict: bool,
}

impl Check {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let mut worst = Exit::Done;
        for path in &self.files {
            // One file that cannot be read does not keep the others from being checked.
            let exit = match Source::read(path, streams) {
                Ok(source) => self.one(&source, streams)?,
                Err(Failure::Closed) => return Err(Failure::Closed),
                Err(failure) => {
                    streams.out.flush()?;
                    failure.report(streams)
                }
            };
            worst = worst.max(exit);
        }
        Ok(worst)
    }

    fn one(&self, source: &Source, streams: &mut Streams<'_>) -> Outcome {
        let (found, unparsable) = match source.load() {
            Ok(loaded) => (loaded.warnings, false),
            Err(refused) => (refused.findings, refused.unparsable),
        };
        if self.json {
            for finding in &found {
                streams.json(&finding.to_json(Some(&source.name)))?;
            }
        } else {
            findings::draw(&found, source, streams.out, streams.colours.out)?;
            let paint = Paint(streams.colours.out);
            let (name, summary) = (&source.name, findings::summary(&found));
            match worst(&found) {
                None => writeln!(streams.out, "{name}: {}", paint.good(summary))?,
                Some(Severity::Warning) => writeln!(streams.out, "{name}: {}", paint.doubtful(summary))?,
                Some(Severity::Error) => writeln!(streams.out, "{name}: {}", paint.error(summary))?,
            }
        }
        Ok(match worst(&found) {
            _ if unparsable => Exit::Unusable,
            Some(Severity::Error) => Exit::Findings,
            Some(Severity::Warning) if self.strict => Exit::Findings,
            _ => Exit::Done,
        })
    }
}

fn worst(found: &[Located]) -> Option<Severity> {
    found.iter().map(|finding| finding.severity).min()
}
