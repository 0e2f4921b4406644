//! unleash-yggdrasil: one toggle a host, one strategy a rule with a variant of its own; the first strategy that fits
//! gives the variant. Method, path, query and headers are properties of the context.

use std::collections::HashMap;

use unleash_types::client_features::{ClientFeature, ClientFeatures, Constraint, Context, Operator, Strategy, StrategyVariant};
use unleash_yggdrasil::{EngineState, UpdateMessage};

use crate::rules::{self, Request, Rule, Test};

pub struct Yggdrasil {
    engine: EngineState,
    names: Vec<String>,
}

impl Yggdrasil {
    pub fn new(rules: &[Rule]) -> Self {
        let mut hosts: Vec<String> = rules.iter().map(|rule| rule.host.clone()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let feature = |host: String| {
            let of_host = rules.iter().enumerate().filter(|(_, rule)| rule.host == host);
            let strategies = of_host.map(|(index, rule)| strategy(index, rule)).collect();
            ClientFeature { name: host, enabled: true, strategies: Some(strategies), ..ClientFeature::default() }
        };
        let features = hosts.into_iter().map(feature).collect();
        let engine = EngineState::default();
        let warnings = engine.take_state(UpdateMessage::FullResponse(ClientFeatures {
            version: 2,
            features,
            segments: None,
            query: None,
            meta: None,
        }));
        assert!(warnings.is_none(), "yggdrasil refuses a strategy: {warnings:?}");
        Self { engine, names: rules::names(rules) }
    }

    /// With the context made from the request, as its users have to.
    pub fn answer(&self, request: &Request) -> u64 {
        let mut properties = HashMap::new();
        properties.insert("method".into(), request.method.as_str().into());
        properties.insert("path".into(), request.uri.path().into());
        properties.insert("query".into(), request.uri.query().unwrap_or_default().into());
        for name in &self.names {
            if let Some(value) = request.header(name) {
                properties.insert(name.clone(), value.to_owned());
            }
        }
        let context = Context { properties: Some(properties), ..Context::default() };
        let variant = self.engine.get_variant(request.uri.host().unwrap_or_default(), &context, &None);
        variant.name.strip_prefix('r').and_then(|index| index.parse::<u64>().ok()).map_or(0, |index| index + 1)
    }
}

fn strategy(index: usize, rule: &Rule) -> Strategy {
    let mut constraints = vec![constraint("path", &rule.path)];
    if let Some(method) = &rule.method {
        constraints.push(constraint("method", &Test::Exact(method.clone())));
    }
    constraints.extend(rule.headers.iter().map(|(name, test)| constraint(name, test)));
    if let Some(cookie) = &rule.cookie {
        constraints.push(regex("cookie", rules::cookie_regex(cookie)));
    }
    if let Some(query) = &rule.query {
        constraints.push(regex("query", rules::query_regex(query)));
    }
    let variant = StrategyVariant { name: format!("r{index}"), weight: 1_000, payload: None, stickiness: None };
    Strategy {
        name: "default".into(),
        sort_order: Some(index as i32),
        segments: None,
        constraints: Some(constraints),
        parameters: None,
        variants: Some(vec![variant]),
    }
}

fn constraint(name: &str, test: &Test) -> Constraint {
    let (operator, text) = match test {
        Test::Exact(text) => (Operator::In, text.clone()),
        Test::Prefix(text) => (Operator::StrStartsWith, text.clone()),
        Test::Regex(_) | Test::Present => return regex(name, test.anchored()),
    };
    Constraint { context_name: name.into(), operator, case_insensitive: false, inverted: false, values: Some(vec![text]), value: None }
}

fn regex(name: &str, pattern: String) -> Constraint {
    Constraint {
        context_name: name.into(),
        operator: Operator::RegexMatch,
        case_insensitive: false,
        inverted: false,
        values: None,
        value: Some(pattern),
    }
}
