//! What a configuration means, for front-ends that draw it: groups, lanes, services and rules with what was left out
//! filled in, each with its place in the text.

use std::collections::BTreeMap;

use lane_core::{
    Router,
    config::{At, Config, Context, Group, HeaderValues, Lane, LaneFrom, Mode, Rule, Share, Sticky, UnknownLane},
    diagnostic::FieldPath,
};
use lane_formats::Places;
use serde::Serialize;

use crate::places::{Span, Text};

/// Where the text and its places are known.
type Known<'p> = Option<(&'p Text<'p>, &'p Places)>;

#[derive(Serialize)]
pub(crate) struct Description<'c> {
    groups: Vec<GroupDescription<'c>>,
}

#[derive(Serialize)]
struct GroupDescription<'c> {
    name: &'c str,
    mode: Mode,
    gateways: Option<&'c [String]>,
    guiding_header: &'c str,
    context: Context,
    restore_headers: &'c [String],
    baseline: Option<&'c str>,
    tag_label: &'c str,
    unknown_lane: UnknownLane,
    keep_lane: bool,
    trust_client: bool,
    header_values: HeaderValues,
    services: Vec<ServiceDescription<'c>>,
    lanes: Vec<LaneDescription<'c>>,
    rules: Vec<RuleDescription<'c>>,
    span: Option<Span>,
}

#[derive(Serialize)]
struct ServiceDescription<'c> {
    host: &'c str,
    aliases: &'c [String],
    min_healthy_percent: u32,
    span: Option<Span>,
}

#[derive(Serialize)]
struct LaneDescription<'c> {
    name: &'c str,
    service_tag: &'c str,
    baseline: bool,
    subsets: Vec<SubsetDescription<'c>>,
    fallback: Vec<&'c str>,
    span: Option<Span>,
}

#[derive(Serialize)]
struct SubsetDescription<'c> {
    service: &'c str,
    labels: BTreeMap<&'c str, &'c str>,
}

#[derive(Serialize)]
struct RuleDescription<'c> {
    name: &'c str,
    at: &'c [At],
    hosts: Vec<&'c str>,
    service: &'c str,
    entries: usize,
    lane: Option<&'c str>,
    lane_from: Option<&'c LaneFrom>,
    split: Option<&'c [Share]>,
    sticky: Option<&'c Sticky>,
    span: Option<Span>,
}

pub(crate) fn groups<'c>(router: &'c Router, config: &'c Config, known: Known<'_>) -> Description<'c> {
    let groups = config.groups.iter().enumerate();
    Description {
        groups: groups.map(|(index, group)| describe(router, group, &FieldPath::root().field("groups").index(index), known)).collect(),
    }
}

fn describe<'c>(router: &'c Router, group: &'c Group, path: &FieldPath, known: Known<'_>) -> GroupDescription<'c> {
    let span = |path: &FieldPath| known.map(|(text, places)| text.span(places.range(path)));
    let entry = |list: &str, index: usize| span(&path.field(list).index(index));
    let services = group.services.iter().enumerate().map(|(index, service)| ServiceDescription {
        host: &service.host,
        aliases: &service.aliases,
        min_healthy_percent: service.min_healthy_percent,
        span: entry("services", index),
    });
    let lanes = group.lanes.iter().enumerate().map(|(index, lane)| LaneDescription {
        name: &lane.name,
        service_tag: lane.service_tag.as_deref().unwrap_or(&lane.name),
        baseline: group.baseline.as_ref() == Some(&lane.name),
        subsets: subsets(router, group, lane),
        fallback: fallback(group, lane),
        span: entry("lanes", index),
    });
    let rules = group.rules.iter().enumerate().map(|(index, rule)| describe_rule(rule, entry("rules", index)));
    GroupDescription {
        name: &group.name,
        mode: group.mode,
        gateways: group.gateways.as_deref(),
        guiding_header: group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag"),
        context: group.context.clone().unwrap_or(Context::Header),
        restore_headers: &group.restore_headers,
        baseline: group.baseline.as_deref(),
        tag_label: group.tag_label.as_deref().unwrap_or("ASM_TRAFFIC_TAG"),
        unknown_lane: group.unknown_lane.unwrap_or(match group.mode {
            Mode::Permissive => UnknownLane::Baseline,
            Mode::Strict => UnknownLane::Reject,
        }),
        keep_lane: group.keep_lane,
        trust_client: group.trust_client,
        header_values: group.header_values.unwrap_or(HeaderValues::Each),
        services: services.collect(),
        lanes: lanes.collect(),
        rules: rules.collect(),
        span: span(path),
    }
}

fn describe_rule(rule: &Rule, span: Option<Span>) -> RuleDescription<'_> {
    RuleDescription {
        name: &rule.name,
        at: rule.at.as_deref().unwrap_or(&[At::Gateway]),
        hosts: rule.hosts.as_ref().map_or_else(|| vec!["*"], |hosts| hosts.iter().map(String::as_str).collect()),
        service: &rule.service,
        entries: rule.matches.as_ref().map_or(0, Vec::len),
        lane: rule.lane.as_deref(),
        lane_from: rule.lane_from.as_ref(),
        split: rule.split.as_deref(),
        sticky: rule.sticky.as_ref(),
        span,
    }
}

fn subsets<'c>(router: &'c Router, group: &Group, lane: &Lane) -> Vec<SubsetDescription<'c>> {
    let Some(id) = router.groups().find(|id| router.group_name(*id) == group.name) else { return Vec::new() };
    let Some(lane) = router.lane_in(id, &lane.name) else { return Vec::new() };
    let services = router.services(id).filter(|service| router.subset(*service, lane).is_some());
    services
        .map(|service| SubsetDescription { service: router.service_host(service), labels: router.subset_labels(service, lane).collect() })
        .collect()
}

/// S3: left out in permissive mode, the baseline serves in the place of every other lane.
fn fallback<'c>(group: &'c Group, lane: &'c Lane) -> Vec<&'c str> {
    match (&lane.fallback, &group.baseline, group.mode) {
        (Some(lanes), ..) => lanes.iter().map(String::as_str).collect(),
        (None, Some(baseline), Mode::Permissive) if *baseline != lane.name => vec![baseline],
        _ => Vec::new(),
    }
}
