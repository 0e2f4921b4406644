//! `lane test`: cases against configurations, for people and for CI.

use std::path::{Path, PathBuf};

use clap::Args;
use lane_core::Options;
use lane_formats::{
    Loaded,
    cases::{Suite, SuiteConfig},
};
use regex::Regex;

use crate::{
    failure::{Exit, Failure, Outcome},
    findings,
    source::{self, Source, name_of},
    streams::Streams,
};

mod coverage;
mod junit;
mod report;
mod run;

use coverage::Coverage;
use run::{Ran, Verdict};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Runs cases: requests, and what is expected of the decision or of the whole chain. A failed case shows what was wanted \
    and what came, field by field, and why the decision is what it is.";

/// Arguments of `lane test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lane test lanes.test.yaml --fail-under 80 --junit report.xml

A test file:
  config: lanes.yaml                # relative to this file; or the configuration itself
  cases:
    - name: testers reach v2, but mockb has none
      request: {ingress: {gateway: ingressgateway}, path: /mock, headers: [[x-user-group, qa]]}
      expect: {outcome: routed, lane: v2}           # only the fields that are named are compared
      chain: {mocka: v2, mockb: v1, mockc: v2}      # the lane that serves each call

A request has the fields of `lane route --requests`. A rule is covered when it decided a case.
Exit codes: 0 all passed, 1 failed cases, too little covered or errors in a file,
2 bad usage or unreadable input.")]
pub struct Test {
    /// Test files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The configuration of test files that name none
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Run only the cases whose name this regular expression matches somewhere
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Print failed cases and the totals only
    #[arg(long)]
    only_failures: bool,
    /// List the rules that no case was decided by
    #[arg(long)]
    coverage: bool,
    /// Fail when fewer than this many percent of all rules are covered
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// Write the results as JUnit XML, too; `-` is standard output instead of the usual one
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// One test file that was run.
struct Tested {
    name: String,
    ran: Vec<Ran>,
}

impl Test {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let quiet = self.junit.as_deref().is_some_and(source::is_stdin);
        let mut tested = Vec::new();
        let mut coverage = Coverage::default();
        let mut skipped = 0;
        let mut worst = Exit::Done;
        for path in &self.files {
            // One file that cannot be read does not keep the others from being run.
            let opened = self.open(path, streams);
            let (suite, loaded, config) = match opened {
                Ok(opened) => opened,
                Err(Failure::Closed) => return Err(Failure::Closed),
                Err(failure) => {
                    streams.out.flush()?;
                    worst = worst.max(failure.report(streams));
                    continue;
                }
            };
            let rules = coverage.rules(&config, &loaded);
            let mut file = Tested { name: name_of(path), ran: Vec::new() };
            for case in &suite.cases {
                if !self.run.as_ref().is_none_or(|run| run.is_match(&case.name)) {
                    skipped += 1;
                    continue;
                }
                let ran = Ran::of(case, &loaded);
                rules.count(&ran);
                let shown = !self.only_failures || ran.verdict != Verdict::Passed;
                if shown && !quiet {
                    report::case(&file.name, &ran, &loaded.router, streams)?;
                }
                file.ran.push(ran);
            }
            tested.push(file);
        }
        if let Some(run) = self.run.as_ref().filter(|_| skipped > 0 && tested.iter().all(|file: &Tested| file.ran.is_empty())) {
            // A slip in the expression must not look like success.
            return Err(Failure::new(format!("no case's name matches `{run}`")));
        }
        if let Some(path) = &self.junit {
            junit(path, &tested, streams)?;
        }
        let enough = self.fail_under.is_none_or(|wanted| coverage.reaches(wanted));
        if !quiet {
            let listed = self.coverage || !enough;
            report::totals(&tested, skipped, &coverage, listed.then_some(self.fail_under), streams)?;
        }
        let passed = tested.iter().flat_map(|file| &file.ran).all(|ran| ran.verdict == Verdict::Passed);
        Ok(worst.max(if passed && enough { Exit::Done } else { Exit::Findings }))
    }

    /// Reads a test file and its configuration; the name tells configurations apart.
    fn open(&self, path: &Path, streams: &mut Streams<'_>) -> Result<(Suite, Loaded, String), Failure> {
        let source = Source::read(path, streams)?;
        let suite = match std::str::from_utf8(&source.bytes) {
            Ok(text) => Suite::read(text, source.format, &Options::default()),
            Err(_) => return Err(Failure::with_help(format!("cannot read `{}`: it is not UTF-8", source.name), None)),
        };
        let mut suite = suite.map_err(|refused| match findings::draw(&refused.findings, &source, streams.err, streams.colours.err) {
            Ok(()) if refused.unparsable => Failure::Reported(Exit::Unusable),
            Ok(()) => Failure::Reported(Exit::Findings),
            Err(error) => error.into(),
        })?;
        match (suite.config.take(), &self.config) {
            (Some(SuiteConfig::Inline(loaded)), _) => Ok((suite, *loaded, source.name)),
            (Some(SuiteConfig::Path(config)), _) => {
                let config = path.parent().unwrap_or(Path::new("")).join(config);
                let loaded = source::load(&config, streams)?;
                Ok((suite, loaded, name_of(&config)))
            }
            (None, Some(config)) => {
                let loaded = source::load(config, streams)?;
                Ok((suite, loaded, name_of(config)))
            }
            (None, None) => {
                let help = "add `config:` with the file's name, or give one with `--config`";
                Err(Failure::with_help(format!("`{}` does not say which configuration it tests", source.name), Some(help.into())))
            }
        }
    }
}

fn junit(path: &Path, tested: &[Tested], streams: &mut Streams<'_>) -> Result<(), Failure> {
    let report = junit::report(tested);
    if source::is_stdin(path) {
        return Ok(streams.out.write_all(report.as_bytes())?);
    }
    std::fs::write(path, report)
        .map_err(|error| Failure::new(format!("cannot write `{}`: {}", name_of(path), crate::failure::plain(&error))))
}
