//! Running one case: what came of it, which rules decided, and why, where it failed.

use std::time::{Duration, Instant};

use lane_core::explain::Explanation;
use lane_formats::{
    Loaded,
    cases::{Case, Difference},
    chain::{Chain, TraceOptions, trace},
    decision::{Answer, Report},
    request::{Ask, Place, Source},
};

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed,
    /// The request could not be asked of this configuration.
    Broken,
}

/// A case that was run.
#[derive(Debug)]
pub(super) struct Ran {
    /// The case's name.
    pub(super) name: String,
    /// The line of the case in its file.
    pub(super) line: usize,
    pub(super) verdict: Verdict,
    /// What was not as expected.
    pub(super) differences: Vec<Difference>,
    /// Why the case could not be run.
    pub(super) error: Option<String>,
    /// The rules that decided, by group and name.
    pub(super) rules: Vec<(String, String)>,
    /// Of a case that failed, why the decisions are what they are: about the request, or about a call of the chain.
    pub(super) explanations: Vec<(Option<String>, Explanation)>,
    pub(super) took: Duration,
}

impl Ran {
    /// Runs a case.
    pub(super) fn of(case: &Case, loaded: &Loaded) -> Self {
        let begun = Instant::now();
        let result = case.run(&loaded.router, &loaded.config);
        let took = begun.elapsed();
        let (verdict, differences, error) = match result {
            Ok(differences) if differences.is_empty() => (Verdict::Passed, differences, None),
            Ok(differences) => (Verdict::Failed, differences, None),
            Err(error) => (Verdict::Broken, Vec::new(), Some(error.to_string())),
        };
        let chain = case.chain.as_ref().and_then(|services| {
            let services = Some(services.iter().map(|(service, _)| service.clone()).collect());
            trace(&loaded.router, &loaded.config, &TraceOptions { ask: case.request.clone(), services }).ok()
        });
        let rules = match (&chain, case.request.answer(&loaded.router)) {
            (Some(chain), _) => chain.decisions().filter_map(rule_of).collect(),
            (None, Ok(Answer::Decision(report))) => rule_of(&report).into_iter().collect(),
            _ => Vec::new(),
        };
        let explanations = explanations(case, loaded, chain.as_ref(), &differences);
        Self { name: case.name.clone(), line: case.line, verdict, differences, error, rules, explanations, took }
    }
}

fn rule_of(report: &Report) -> Option<(String, String)> {
    report.group.clone().zip(report.rule.clone())
}

/// Why what differs is what it is: the request's own decision, and the first call of the chain that is not as expected.
fn explanations(case: &Case, loaded: &Loaded, chain: Option<&Chain>, differences: &[Difference]) -> Vec<(Option<String>, Explanation)> {
    let call = |difference: &Difference| Some((difference.key.strip_prefix("chain.")?.to_owned(), difference.actual != "not reached"));
    let calls: Vec<_> = differences.iter().filter_map(call).collect();
    let hop = calls.iter().filter(|(_, reached)| *reached).find_map(|(called, _)| Some((called.clone(), hop(case, chain?, called)?)));
    let about_request = calls.len() < differences.len() || (hop.is_none() && !calls.is_empty());
    // An `inbound` decides nothing, so there is nothing to explain.
    let explain = |ask: &Ask| ask.explain(&loaded.router).ok().map(|(_, explanation)| explanation);
    let request = about_request.then(|| explain(&case.request)).flatten().map(|explanation| (None, explanation));
    let hop = hop.and_then(|(called, ask)| Some((Some(called), explain(&ask)?)));
    request.into_iter().chain(hop).collect()
}

/// The call of a service as it was made in the chain.
fn hop(case: &Case, chain: &Chain, called: &str) -> Option<Ask> {
    let position = chain.hops.iter().position(|hop| hop.service == called)?;
    let hop = chain.hops.get(position)?;
    let caller = match position.checked_sub(1) {
        Some(before) => chain.hops.get(before).map(|hop| &hop.decision),
        None => chain.ingress.as_ref(),
    };
    let Some(caller) = caller else { return Some(case.request.clone()) };
    let labels = caller.subset.as_ref().map(|subset| subset.labels.clone().into_iter().collect()).unwrap_or_default();
    Some(Ask {
        authority: Some(called.into()),
        headers: hop.passed_on.clone(),
        source: Source { service: hop.from.clone(), labels, ..Source::default() },
        remembered: hop.remembered.iter().map(|one| (one.group.clone(), one.lane.clone())).collect(),
        live: case.request.live.clone(),
        roll: case.request.roll,
        ..Ask::new(Place::Hop { service: called.into() })
    })
}
