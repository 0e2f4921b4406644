//! `lane check`: every problem of configurations.

use std::path::PathBuf;

use clap::Args;
use lane_core::{Stats, diagnostic::Severity};
use lane_formats::Located;
use serde_json::json;

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
  lane check --stats lanes.yaml

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
    /// Tell what the compiled router costs, and how its rules are found
    #[arg(long)]
    stats: bool,
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
        let (found, unparsable, stats) = match source.load() {
            Ok(loaded) => (loaded.warnings, false, self.stats.then(|| loaded.router.stats())),
            Err(refused) => (refused.findings, refused.unparsable, None),
        };
        if self.json {
            for finding in &found {
                streams.json(&finding.to_json(Some(&source.name)))?;
            }
            if let Some(stats) = stats {
                streams.json(&json!({ "file": source.name, "stats": stats }))?;
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
            if let Some(stats) = stats {
                write!(streams.out, "{}", costs(&stats))?;
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

/// What a router costs and how its rules are found, for people.
fn costs(stats: &Stats) -> String {
    let Stats { groups, services, lanes, subsets, rules, regexes, automata, bytes, index } = stats;
    let each = if *rules == 0 { String::new() } else { format!(", {} a rule", bytes.total / rules) };
    format!(
        "  compiled   groups {groups}, services {services}, lanes {lanes}, subsets {subsets}, rules {rules}, regexes {regexes} in {automata} automata
  memory     {} bytes{each}: texts {}, conditions {}, automata {}, tables {}, index {}
  rules are found
             by value {}, by regexes in one pass {}, by host and path {}, by a scan of their host's few {}
             over {} path nodes and {} tuples (a rule counts for each host and each entry of `match`)\n",
        bytes.total,
        bytes.texts,
        bytes.conditions,
        bytes.automata,
        bytes.tables,
        bytes.index,
        index.by_value,
        index.by_regex,
        index.by_path,
        index.scanned,
        index.path_nodes,
        index.tuples,
    )
}

fn worst(found: &[Located]) -> Option<Severity> {
    found.iter().map(|finding| finding.severity).min()
}
