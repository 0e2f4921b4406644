//! A compiled configuration, and what is asked of it, from JSON to JSON.

use lane_core::{
    Router,
    config::Config,
    diagnostic::{FieldPath, did_you_mean},
    explain::Explanation,
};
use lane_formats::{
    Bytes, Loaded, Places,
    chain::{self, Chain, Share, Table, TraceOptions},
    decision::{Answer, Remembered, Report},
    load,
    request::{Ask, Place},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    describe,
    failure::{self, Failure},
    options::Reading,
    places::{Diagnostic, Text},
};

/// A compiled configuration.
pub(crate) struct Compiled {
    pub(crate) router: Router,
    pub(crate) config: Config,
    /// Where in its text the configuration's values stand.
    places: Places,
    warnings: Vec<Diagnostic>,
}

/// Every problem of a configuration.
pub(crate) fn check(text: &str, reading: &Reading) -> Result<String, Failure> {
    let findings = match load(text, reading.format, &reading.options) {
        Ok(loaded) => loaded.warnings,
        Err(refused) => refused.findings,
    };
    failure::json(&Text::new(text).diagnostics(findings))
}

impl Compiled {
    pub(crate) fn new(text: &str, reading: &Reading) -> Result<Self, Failure> {
        let Loaded { router, config, places, warnings } =
            load(text, reading.format, &reading.options).map_err(|refused| Failure::refused(text, refused))?;
        let warnings = if warnings.is_empty() { Vec::new() } else { Text::new(text).diagnostics(warnings) };
        Ok(Self { router, config, places, warnings })
    }

    pub(crate) fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    pub(crate) fn answer(&self, request: &str, of: &str) -> Result<String, Failure> {
        let ask = Ask::parse(request)?;
        let is = match ask.place {
            Place::Ingress { .. } => "ingress",
            Place::Hop { .. } => "hop",
            Place::Inbound => "inbound",
        };
        if !of.is_empty() && of != is {
            let help = format!("call `{is}`, or `answer`, which takes any request");
            return Err(Failure::usage_with(format!("`{of}` was called with a request that is for `{is}`"), Some(help)));
        }
        failure::json(&ask.answer(&self.router)?)
    }

    pub(crate) fn explain(&self, request: &str) -> Result<String, Failure> {
        let (decision, explanation) = Ask::parse(request)?.explain(&self.router)?;
        failure::json(&Explained { decision, explanation })
    }

    pub(crate) fn trace(&self, request: &str, services: &str, explain: bool) -> Result<String, Failure> {
        let ask = Ask::parse(request)?;
        let services = if services.is_empty() { None } else { Some(names(services)?) };
        let options = TraceOptions { ask, services };
        let chain = chain::trace(&self.router, &self.config, &options)?;
        let asks = chain.asks(&options.ask);
        let explained = |ask: &Ask| ask.explain(&self.router).map(|(_, explanation)| explanation);
        let mut explanations = if explain { asks.iter().map(explained).collect::<Result<Vec<_>, _>>()? } else { Vec::new() }.into_iter();
        let Chain { ingress, hops, complete, table, shares } = chain;
        let explanation = if explain { Some(ingress.as_ref().and_then(|_| explanations.next())) } else { None };
        let asks = asks.iter().skip(usize::from(ingress.is_some()));
        let hops = hops.into_iter().zip(asks).map(|(hop, ask)| Hop {
            from: hop.from,
            service: hop.service,
            passed_on: hop.passed_on,
            remembered: hop.remembered,
            decision: hop.decision,
            request: ask.to_value(),
            explanation: explanations.next(),
        });
        failure::json(&Traced { ingress, explanation, hops: hops.collect(), complete, table, shares })
    }

    pub(crate) fn table(&self, group: &str, request: &str) -> Result<String, Failure> {
        let groups = &self.config.groups;
        let names = || groups.iter().map(|group| group.name.as_str());
        let group = match groups.as_slice() {
            [only] if group.is_empty() => only,
            _ if group.is_empty() => {
                let help = format!("name one of them: {}", names().collect::<Vec<_>>().join(", "));
                return Err(Failure::usage_with("there is more than one group", Some(help)));
            }
            groups => {
                let strange = || Failure::usage_with(format!("there is no group `{group}`"), did_you_mean(group, names()));
                groups.iter().find(|known| known.name == group).ok_or_else(strange)?
            }
        };
        let liveness = Ask::parse(request)?.liveness(&self.router)?;
        failure::json(&chain::table(&self.router, group, &liveness))
    }

    pub(crate) fn describe(&self, text: Option<&str>) -> Result<String, Failure> {
        let text = text.map(Text::new);
        failure::json(&describe::groups(&self.router, &self.config, text.as_ref().map(|text| (text, &self.places))))
    }

    pub(crate) fn locate(&self, text: &str, path: &str) -> Result<String, Failure> {
        let steps: Vec<Value> = serde_json::from_str(path).map_err(|error| Failure::usage(error.to_string()))?;
        let mut path = FieldPath::root();
        for step in &steps {
            path = match step {
                Value::String(name) => path.field(name),
                Value::Number(index) => path.index(index.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX)),
                _ => return Err(Failure::usage("a path is made of names and numbers")),
            };
        }
        failure::json(&Text::new(text).span(self.places.range(&path)))
    }
}

/// A JSON list of texts.
pub(crate) fn names(text: &str) -> Result<Vec<String>, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::usage(error.to_string()))
}

/// A decision, and how it came about.
#[derive(Serialize)]
struct Explained {
    decision: Answer,
    explanation: Explanation,
}

/// A chain with the request of every call, and perhaps with explanations.
#[derive(Serialize)]
struct Traced {
    ingress: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "left out where it was not asked for, null where there is none")]
    explanation: Option<Option<Explanation>>,
    hops: Vec<Hop>,
    complete: bool,
    table: Option<Table>,
    shares: Option<Vec<Share>>,
}

#[derive(Serialize)]
struct Hop {
    from: Option<String>,
    service: String,
    passed_on: Vec<(String, Bytes)>,
    remembered: Vec<Remembered>,
    decision: Report,
    request: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}
