//! Running a `lane test` file.

use std::collections::HashMap;

use lane_core::{Router, config::Config};
use lane_formats::{
    cases::{Case, Difference, Suite, SuiteConfig},
    chain::{TraceOptions, trace},
    decision::{Answer, Report},
};
use serde::Serialize;

use crate::{
    compiled::Compiled,
    failure::{self, Failure},
    options::Reading,
    places::{Span, Text},
};

#[derive(Serialize)]
struct Run<'s> {
    passed: usize,
    failed: usize,
    cases: Vec<Ran<'s>>,
    coverage: Vec<Covered<'s>>,
}

/// What came of a case.
#[derive(Serialize)]
struct Ran<'s> {
    name: &'s str,
    span: Span,
    verdict: Verdict,
    differences: Vec<Difference>,
    error: Option<String>,
}

#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Passed,
    Failed,
    Broken,
}

/// How many cases a rule decided.
#[derive(Serialize)]
struct Covered<'c> {
    group: &'c str,
    rule: &'c str,
    cases: usize,
}

/// Runs a test file, of `compiled` unless the file holds a configuration.
pub(crate) fn run(text: &str, reading: &Reading, compiled: Option<&Compiled>) -> Result<String, Failure> {
    let suite = Suite::read(text, reading.format, &reading.options).map_err(|refused| Failure::refused(text, refused))?;
    let (router, config) = match (&suite.config, compiled) {
        (Some(SuiteConfig::Inline(loaded)), _) => (&loaded.router, &loaded.config),
        (_, Some(compiled)) => (&compiled.router, &compiled.config),
        (Some(SuiteConfig::Path(path)), None) => {
            let help = "make a router of that file, and call its method `test`";
            return Err(Failure::usage_with(format!("the configuration stands in another file, `{path}`"), Some(help.into())));
        }
        (None, None) => {
            let help = "add `config:`, or call the method `test` of a router";
            return Err(Failure::usage_with("the test file has no configuration", Some(help.into())));
        }
    };
    let lines = Text::new(text);
    let mut decided: HashMap<(String, String), usize> = HashMap::new();
    let mut cases = Vec::new();
    for case in &suite.cases {
        cases.push(ran(case, router, config, &lines));
        let mut rules = rules(case, router, config);
        rules.sort();
        rules.dedup();
        for rule in rules {
            *decided.entry(rule).or_default() += 1;
        }
    }
    let all = config.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group.name.as_str(), rule.name.as_str())));
    let covered = |(group, rule): (&'_ str, &'_ str)| decided.get(&(group.to_owned(), rule.to_owned())).copied().unwrap_or_default();
    let coverage = all.map(|(group, rule)| Covered { group, rule, cases: covered((group, rule)) }).collect();
    let passed = cases.iter().filter(|case| case.verdict == Verdict::Passed).count();
    failure::json(&Run { passed, failed: cases.len() - passed, cases, coverage })
}

fn ran<'s>(case: &'s Case, router: &Router, config: &Config, lines: &Text<'_>) -> Ran<'s> {
    let (verdict, differences, error) = match case.run(router, config) {
        Ok(differences) if differences.is_empty() => (Verdict::Passed, differences, None),
        Ok(differences) => (Verdict::Failed, differences, None),
        Err(error) => (Verdict::Broken, Vec::new(), Some(error.to_string())),
    };
    Ran { name: &case.name, span: lines.span(case.range.clone()), verdict, differences, error }
}

/// The rules by which a case was decided.
fn rules(case: &Case, router: &Router, config: &Config) -> Vec<(String, String)> {
    let rule = |report: &Report| report.group.clone().zip(report.rule.clone());
    if let Some(chain) = &case.chain {
        let services = Some(chain.iter().map(|(service, _)| service.clone()).collect());
        let chain = trace(router, config, &TraceOptions { ask: case.request.clone(), services });
        return chain.iter().flat_map(|chain| chain.decisions().filter_map(rule)).collect();
    }
    match case.request.answer(router) {
        Ok(Answer::Decision(report)) => rule(&report).into_iter().collect(),
        _ => Vec::new(),
    }
}
