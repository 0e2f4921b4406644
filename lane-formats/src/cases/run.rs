//! Running a case: what the router answers beside what the case expects.

use lane_core::{Outcome, Router, config::Config};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Case;
use crate::{
    chain::{TraceOptions, same_service, trace},
    decision::{Answer, Report},
    request::{Ask, AskError},
};

/// A field that is not what the case expects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The field, for example `subset.lane`, or `chain.mockb`.
    pub key: String,
    /// What the case expects.
    pub wanted: Value,
    /// What the router answered.
    pub actual: Value,
}

impl Case {
    /// Asks the router and compares. A case holds when nothing differs.
    ///
    /// Only the fields that the case names are compared. Of `subset`, `fallback`, `found` and `set_cookie` it may again
    /// name some fields only; all other values must be equal as a whole.
    ///
    /// # Errors
    ///
    /// The request cannot be asked of this router.
    pub fn run(&self, router: &Router, config: &Config) -> Result<Vec<Difference>, AskError> {
        let mut differences = Vec::new();
        if !self.expect.is_empty() {
            let answer = as_json(&self.request.answer(router)?);
            compare("", &self.expect, &answer, &mut differences);
        }
        if let Some(chain) = &self.chain {
            differences.extend(run_chain(router, config, &self.request, chain)?);
        }
        Ok(differences)
    }
}

#[cfg(not(feature = "small"))]
fn as_json(answer: &Answer) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// By way of text, which all answers are written as anyhow: one serializer less.
#[cfg(feature = "small")]
fn as_json(answer: &Answer) -> Value {
    serde_json::to_string(answer).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn compare(prefix: &str, expect: &Map<String, Value>, answer: &Value, differences: &mut Vec<Difference>) {
    for (key, wanted) in expect {
        let actual = answer.get(key).cloned().unwrap_or_default();
        let path = format!("{prefix}{key}");
        match (wanted, &actual) {
            (Value::Object(wanted), Value::Object(_)) if ["subset", "fallback", "found", "set_cookie"].contains(&path.as_str()) => {
                compare(&format!("{path}."), wanted, &actual, differences);
            }
            _ if *wanted == actual => {}
            _ => differences.push(Difference { key: path, wanted: wanted.clone(), actual }),
        }
    }
}

fn run_chain(router: &Router, config: &Config, request: &Ask, chain: &[(String, String)]) -> Result<Vec<Difference>, AskError> {
    let services = chain.iter().map(|(service, _)| service.clone()).collect();
    let traced = trace(router, config, &TraceOptions { ask: request.clone(), services: Some(services) })?;
    // The list may begin with the service that the request entered, whose decision is the first one.
    let entered = traced.decisions().next().and_then(|report| report.service.as_deref());
    let begins_there = match (chain.first(), entered) {
        (Some((service, _)), Some(entered)) => same_service(router, service, entered),
        _ => true,
    };
    let mut served = traced.decisions().skip(usize::from(!begins_there)).map(serves);
    let compared = chain.iter().filter_map(|(service, wanted)| {
        let actual = served.next().unwrap_or("not reached");
        let key = format!("chain.{service}");
        (wanted != actual).then(|| Difference { key, wanted: wanted.clone().into(), actual: actual.into() })
    });
    Ok(compared.collect())
}

/// The lane that serves, or the outcome where none does.
fn serves(report: &Report) -> &str {
    match (&report.subset, report.outcome) {
        (Some(subset), _) => &subset.lane,
        (None, Outcome::Pass) => "pass",
        (None, Outcome::NoRoute) => "no_route",
        (None, Outcome::Unavailable) => "unavailable",
        (None, _) => "undetermined",
    }
}
