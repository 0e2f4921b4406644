//! Splits tried with many clients. A split is drawn by nothing but its lanes, their weights, its method and its salt, so
//! a router of that split alone draws as the whole one does, whatever the conditions of the rule.

use std::collections::HashMap;

use lane_core::{
    Options, Router,
    config::{self, Config, Generate, Group, Key, Method, Rule, Sticky},
    diagnostic::did_you_mean,
    explain::{By, Step},
};
use lane_formats::{
    chain,
    request::{Ask, Place},
};
use serde::Serialize;

use crate::{
    compiled::names,
    failure::{self, Failure},
};

/// The header in which the lone split finds its key.
const KEY: &str = "key";

/// Tries a rule's split with clients: those of the JSON list `keys`, or, where it is empty, `number` of them that begin with `prefix`.
pub(crate) fn simulate(config: &Config, rule: &str, keys: &str, number: u32, prefix: &str, each: bool) -> Result<String, Failure> {
    let (group, rule) = find(config, rule)?;
    let Some(shares) = chain::shares(group, &rule.name) else { return Err(no_split(rule)) };
    let given = if keys.is_empty() { None } else { Some(names(keys)?) };
    let number = given.as_ref().map_or(u64::from(number), |keys| keys.len() as u64);
    let lone = lone(rule)?;
    let total: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
    let client = |index: u64| match (&given, usize::try_from(index)) {
        (Some(keys), Ok(index)) => keys.get(index).cloned().unwrap_or_default(),
        _ => format!("{prefix}{}", index + 1),
    };
    let mut lanes = Vec::new();
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut ask = Ask::new(Place::Ingress { gateway: String::new() });
    for index in 0..number {
        if rule.sticky.is_some() {
            ask.headers = header(&client(index));
        }
        // Spread evenly, so that the shares come out as exactly as the number allows. Without a key (or with an empty one) it is also what is drawn by.
        ask.roll = u64::try_from(u128::from(index) * u128::from(total) / u128::from(number)).ok();
        let lane = ask.answer(&lone)?.decision().and_then(|decision| decision.lane).unwrap_or_default();
        if each || given.is_some() {
            lanes.push(lane.clone());
        }
        *counts.entry(lane).or_default() += 1;
    }
    let share = |share: &chain::Share| Part {
        lane: share.lane.clone(),
        weight: share.weight,
        numerator: share.numerator,
        denominator: share.denominator,
        count: counts.get(&share.lane).copied().unwrap_or_default(),
    };
    failure::json(&Simulation {
        group: &group.name,
        rule: &rule.name,
        by: if rule.sticky.is_some() { "key" } else { "roll" },
        method: rule.sticky.as_ref().map(method),
        keys: number,
        shares: shares.iter().map(share).collect(),
        lanes: (each || given.is_some()).then_some(lanes),
    })
}

#[derive(Serialize)]
struct Simulation<'c> {
    group: &'c str,
    rule: &'c str,
    by: &'c str,
    method: Option<Method>,
    keys: u64,
    shares: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes: Option<Vec<String>>,
}

/// A lane's exact part, and how many clients came into the lane.
#[derive(Serialize)]
struct Part {
    lane: String,
    weight: u32,
    numerator: u64,
    denominator: u64,
    count: u64,
}

/// How a rule's sticky split draws the client of this key: the step of an explanation.
pub(crate) fn draw(config: &Config, rule: &str, key: &str) -> Result<String, Failure> {
    let (_, rule) = find(config, rule)?;
    if rule.split.is_none() {
        return Err(no_split(rule));
    }
    let Some(sticky) = &rule.sticky else {
        let help = "give the rule `sticky`, and clients stay in their lanes";
        return Err(Failure::usage_with(format!("the rule `{}` draws every request anew: no key decides", rule.name), Some(help.into())));
    };
    if key.is_empty() {
        return Err(Failure::usage("an empty key counts as none"));
    }
    let ask = Ask { headers: header(key), ..Ask::new(Place::Ingress { gateway: String::new() }) };
    let (_, explanation) = ask.explain(&lone(rule)?)?;
    let mut drawn = explanation.steps.into_iter().find(|step| matches!(step, Step::Draw { .. }));
    if let Some(Step::Draw { by: By::Key { key, .. }, .. }) = &mut drawn {
        *key = name_of(sticky);
    }
    failure::json(&drawn)
}

/// The rule that is meant: its name, or its group's and its own.
fn find<'c>(config: &'c Config, wanted: &str) -> Result<(&'c Group, &'c Rule), Failure> {
    let rules = || config.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let full = |(group, rule): (&Group, &Rule)| format!("{}/{}", group.name, rule.name);
    // A group's name has no `/`, a rule's may.
    if let Some(found) = rules().find(|found| full(*found) == wanted) {
        return Ok(found);
    }
    let named: Vec<_> = rules().filter(|(_, rule)| rule.name == wanted).collect();
    match named.as_slice() {
        [only] => Ok(*only),
        [] => {
            let names: Vec<_> = rules().flat_map(|found| [found.1.name.clone(), full(found)]).collect();
            let help = did_you_mean(wanted, names.iter().map(String::as_str));
            Err(Failure::usage_with(format!("there is no rule `{wanted}`"), help))
        }
        several => {
            let names: Vec<_> = several.iter().map(|found| full(*found)).collect();
            Err(Failure::usage_with(
                format!("more than one group has a rule `{wanted}`"),
                Some(format!("write one of {}", names.join(", "))),
            ))
        }
    }
}

fn no_split(rule: &Rule) -> Failure {
    Failure::usage(format!("the rule `{}` has no split", rule.name))
}

fn method(sticky: &Sticky) -> Method {
    sticky.method.unwrap_or(Method::Rendezvous)
}

/// A router of this split only.
fn lone(rule: &Rule) -> Result<Router, Failure> {
    let split = rule.split.clone().unwrap_or_default();
    let group = Group {
        services: vec![config::Service::new(KEY)],
        lanes: split.iter().map(|share| config::Lane::new(&share.lane)).collect(),
        rules: vec![Rule {
            split: Some(split),
            // Baggage carries any bytes of a key as they are.
            sticky: rule.sticky.as_ref().map(|sticky| Sticky {
                keys: Some(vec![Key::Baggage(KEY.into())]),
                generate: None,
                ..sticky.clone()
            }),
            ..Rule::new(KEY, KEY)
        }],
        ..Group::new(KEY, config::Mode::Strict)
    };
    let compiled = Router::compile(&Config { version: 1, groups: vec![group] }, &Options::default());
    compiled.map(|compiled| compiled.router).map_err(|error| Failure::usage(error.to_string()))
}

/// The header line with a client's key.
fn header(key: &str) -> Vec<(String, lane_formats::Bytes)> {
    let mut line = format!("{KEY}=");
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() {
            line.push(char::from(byte));
        } else {
            line.push_str(&format!("%{byte:02X}"));
        }
    }
    vec![("baggage".to_owned(), line.into())]
}

/// Where the client's key stands, as explanations say it.
fn name_of(sticky: &Sticky) -> String {
    match (sticky.keys.as_ref().and_then(|keys| keys.first()), &sticky.generate) {
        (Some(Key::Cookie(name)), _) => format!("cookie {name}"),
        (Some(Key::Header(name)), _) => format!("header {}", name.to_ascii_lowercase()),
        (Some(Key::Query(name)), _) => format!("query {name}"),
        (Some(Key::Baggage(name)), _) => format!("baggage {name}"),
        (Some(Key::TraceId(name)), _) => format!("trace id in {}", name.to_ascii_lowercase()),
        (Some(Key::SourceIp(_)), _) => "source ip".into(),
        (None, Some(Generate { cookie, .. })) => format!("cookie {cookie}"),
        (None, None) => "key".into(),
    }
}
