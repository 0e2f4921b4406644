//! What is allowed and yet probably not meant: warnings, beside success. A lint looks at the configuration as
//! written and costs time in proportion to its size, however large that is.

use alloc::{format, string::String, vec::Vec};

use crate::{
    config::{At, Config, Context, Entry, Group, Lane, Mode, Rule},
    diagnostic::{Code, Diagnostic, Here, did_you_mean},
    intern::{Map, Set},
};

use super::Compiler;

/// Headers whose value is another one at every hop.
const CHANGES_AT_EVERY_HOP: [&str; 8] = [
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-datadog-parent-id",
    "x-cloud-trace-context",
    "uber-trace-id",
    "x-amzn-trace-id",
    "tracestate",
    "sw8",
];
/// Headers that carry a trace id as tracing systems spell them.
const TRACE_HEADERS: [&str; 5] = ["x-b3-traceid", "x-datadog-trace-id", "traceparent", "x-request-id", "b3"];

pub(super) fn check(config: &Config, compiler: &mut Compiler<'_>) {
    // Beside errors these would mostly repeat them in other words.
    let sound = !compiler.has_errors();
    let mut warn = |problem| compiler.report(problem);
    let groups = Here::ROOT.field("groups");
    unreachable_rules(config, &groups, &mut warn);
    for (index, group) in config.groups.iter().enumerate() {
        let path = groups.index(index);
        if sound {
            unused_lanes(group, &path, &mut warn);
            no_catch_all(group, &path, &mut warn);
        }
        shared_service_tags(group, &path, &mut warn);
        trace_header(group, &path, &mut warn);
        guiding_header_matched(group, &path, &mut warn);
        captures_every_host(group, &path, &mut warn);
    }
}

fn holds(rule: &Rule, place: At) -> bool {
    rule.at.as_ref().map_or(place == At::Gateway, |at| at.contains(&place))
}

/// Whether the rule decides about every request that its hosts let through.
fn is_unconditional(rule: &Rule) -> bool {
    let asks_nothing = |entry: &Entry| *entry == Entry::default();
    rule.lane_from.is_none() && rule.matches.as_ref().is_none_or(|entries| entries.iter().any(asks_nothing))
}

fn hosts(rule: &Rule) -> impl Iterator<Item = &str> {
    let all = rule.hosts.is_none().then_some("*");
    rule.hosts.iter().flatten().map(String::as_str).chain(all)
}

/// A rule by the numbers of its group and itself.
type Origin = (usize, usize);

/// What unconditional rules have taken so far, in one walk.
#[derive(Default)]
struct Taken<'c> {
    all: Option<Origin>,
    /// By suffix with its dot.
    suffixes: Map<&'c str, Origin>,
    exact: Map<&'c str, Origin>,
}

impl<'c> Taken<'c> {
    /// The rule that takes every request for this host pattern.
    fn by(&self, host: &'c str) -> Option<Origin> {
        let mut suffixes = host.match_indices('.').filter_map(|(dot, _)| host.get(dot..));
        let by_suffix = || suffixes.find_map(|suffix| self.suffixes.get(suffix).copied());
        self.all.or_else(|| self.exact.get(host).copied()).or_else(by_suffix)
    }

    fn add(&mut self, rule: &'c Rule, origin: Origin) {
        for host in hosts(rule) {
            match host.strip_prefix('*') {
                Some("") => self.all = self.all.or(Some(origin)),
                Some(suffix) => _ = self.suffixes.entry(suffix).or_insert(origin),
                None => _ = self.exact.entry(host).or_insert(origin),
            }
        }
    }
}

fn unreachable_rules(config: &Config, groups: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    // Gateways walk group after group; `None` stands for the rules that hold at all of them.
    let mut at_gateways: Map<Option<&str>, Taken<'_>> = Map::default();
    for (group_index, group) in config.groups.iter().enumerate() {
        let gateways: Vec<Option<&str>> = match &group.gateways {
            None => Vec::from([None]),
            Some(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        };
        let mut at_hops: Map<&str, Taken<'_>> = Map::default();
        for (index, rule) in group.rules.iter().enumerate() {
            let origin = (group_index, index);
            let taken_at = |gateway: &Option<&str>, host| {
                let taken = [at_gateways.get(gateway), at_gateways.get(&None)];
                taken.into_iter().flatten().find_map(|taken| taken.by(host))
            };
            // Where the rule holds, and which rule takes every request there before it.
            let at_gateway = holds(rule, At::Gateway).then(|| {
                let places = gateways.iter().flat_map(|gateway| hosts(rule).map(move |host| (gateway, host)));
                places.map(|(gateway, host)| taken_at(gateway, host)).collect::<Option<Vec<Origin>>>()
            });
            let at_hop = holds(rule, At::Hop).then(|| {
                let taken = at_hops.get(&*rule.service);
                hosts(rule).map(|host| taken.and_then(|taken| taken.by(host))).collect::<Option<Vec<Origin>>>()
            });
            let places = [at_gateway, at_hop];
            let takers: Option<Vec<Vec<Origin>>> = places.into_iter().flatten().collect();
            if let Some((taker_group, taker)) = takers.iter().flatten().flatten().next() {
                let group = groups.index(group_index);
                let rules = group.field("rules");
                let problem = Diagnostic::new(Code::UnreachableRule, rules.index(index), format!("rule `{}` can never decide", rule.name));
                let group = groups.index(*taker_group);
                let rules = group.field("rules");
                let note = "this rule takes every request before it";
                warn(problem.related(rules.index(*taker), note).help("move it in front, or remove it"));
            }
            if is_unconditional(rule) {
                if holds(rule, At::Gateway) {
                    for gateway in &gateways {
                        at_gateways.entry(*gateway).or_default().add(rule, origin);
                    }
                }
                if holds(rule, At::Hop) {
                    at_hops.entry(&rule.service).or_default().add(rule, origin);
                }
            }
        }
    }
}

fn unused_lanes(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    // Without rules lanes are entered elsewhere; with `lane_from` any name can be given.
    if group.rules.is_empty() || group.rules.iter().any(|rule| rule.lane_from.is_some()) || group.keep_lane {
        return;
    }
    let by_rules = group.rules.iter().flat_map(|rule| {
        let split = rule.split.iter().flatten().filter(|share| share.weight > 0).map(|share| &share.lane);
        rule.lane.iter().chain(split)
    });
    let by_fallback = group.lanes.iter().flat_map(|lane| lane.fallback.iter().flatten());
    let used: Set<&String> = by_rules.chain(by_fallback).chain(&group.baseline).collect();
    let lanes = path.field("lanes");
    for (index, lane) in group.lanes.iter().enumerate() {
        if !used.contains(&lane.name) {
            let path = lanes.index(index);
            let problem = Diagnostic::new(Code::UnusedLane, path.field("name"), format!("no rule leads to lane `{}`", lane.name));
            warn(problem.help("add a rule, or remove the lane"));
        }
    }
}

fn no_catch_all(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    if group.mode != Mode::Permissive {
        return;
    }
    let rules = || group.rules.iter().filter(|rule| holds(rule, At::Gateway));
    let mut taken = Taken::default();
    rules().filter(|rule| is_unconditional(rule)).for_each(|rule| taken.add(rule, (0, 0)));
    // Hosts that no rule names pass by; a host that some rule names, and none takes whole, ends in 404.
    let Some(host) = rules().flat_map(hosts).find(|host| taken.by(host).is_none()) else { return };
    let which = if host == "*" { String::new() } else { format!(" for `{host}`") };
    let message = format!("no rule of the permissive group `{}` takes every request{which}: what meets none of them gets 404", group.name);
    let baseline = group.baseline.as_deref().unwrap_or("the baseline");
    let help = format!("end the rules with one that has no `match` and leads to `{baseline}`");
    warn(Diagnostic::new(Code::NoCatchAll, path.field("rules"), message).help(help));
}

fn shared_service_tags(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    let mut by_tag: Map<&str, Vec<(usize, &Lane)>> = Map::default();
    for (index, lane) in group.lanes.iter().enumerate() {
        by_tag.entry(lane.service_tag.as_deref().unwrap_or(&lane.name)).or_default().push((index, lane));
    }
    let tagged = |lane: &Lane, host: &String| !lane.labels.contains_key(host);
    let mut clashes = Vec::new();
    for (tag, lanes) in by_tag.iter().filter(|(_, lanes)| lanes.len() > 1) {
        let mut first: Map<&String, usize> = Map::default();
        for (index, lane) in lanes {
            let all = group.services.iter().map(|service| &service.host);
            let hosts: Vec<&String> = lane.services.as_ref().map_or_else(|| all.collect(), |hosts| hosts.iter().collect());
            let shared = hosts.iter().filter(|host| tagged(lane, host)).find_map(|host| first.get(*host).map(|other| (*host, *other)));
            if let Some((host, other)) = shared {
                clashes.push((*index, other, *tag, host));
            }
            for host in hosts.into_iter().filter(|host| tagged(lane, host)) {
                first.entry(host).or_insert(*index);
            }
        }
    }
    clashes.sort_unstable();
    for (index, other, tag, host) in clashes {
        let lanes = path.field("lanes");
        let (Some(lane), Some(other_lane)) = (group.lanes.get(index), group.lanes.get(other)) else { continue };
        let message = format!(
            "lanes `{}` and `{}` have the same endpoints of `{host}`: both have the service tag `{tag}`",
            other_lane.name, lane.name
        );
        let problem = Diagnostic::new(Code::SharedServiceTag, lanes.index(index), message);
        warn(problem.related(lanes.index(other), "the other lane").help("give each lane a service tag of its own"));
    }
}

fn trace_header(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    let Some(Context::TraceId(header)) = &group.context else { return };
    let context = path.field("context");
    let path = context.field("trace_id");
    let lower = header.to_ascii_lowercase();
    if CHANGES_AT_EVERY_HOP.contains(&&*lower) {
        let problem = Diagnostic::new(Code::UnstableTraceHeader, path, format!("the value of `{header}` is another one at every hop"));
        warn(
            problem.help(
                "use a header whose value, or whose trace-id field, stays: `traceparent`, `b3`, `x-b3-traceid`, `x-datadog-trace-id`",
            ),
        );
    } else if !TRACE_HEADERS.contains(&&*lower)
        && let Some(help) = did_you_mean(&lower, TRACE_HEADERS)
    {
        let problem = Diagnostic::new(Code::MisspeltTraceHeader, path, format!("no tracing system is known to send `{header}`"));
        warn(problem.help(help));
    }
}

fn guiding_header_matched(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    let guiding = group.guiding_header.as_deref().unwrap_or(super::groups::DEFAULT_GUIDING_HEADER);
    if group.mode != Mode::Permissive || group.trust_client {
        return;
    }
    let rules = path.field("rules");
    for (index, rule) in group.rules.iter().enumerate() {
        let rule_path = rules.index(index);
        let entries = rule_path.field("match");
        for (entry, conditions) in rule.matches.iter().flatten().enumerate() {
            let Some(name) = conditions.headers.keys().find(|name| name.eq_ignore_ascii_case(guiding)) else { continue };
            let entry = entries.index(entry);
            let headers = entry.field("headers");
            let path = headers.field(name);
            let message = format!("rule `{}` looks at the guiding header, which the group sets itself", rule.name);
            let help = "clients choose a lane through `lane_from`; for a condition use a header of its own";
            warn(Diagnostic::new(Code::GuidingHeaderMatched, path, message).help(help));
        }
    }
}

fn captures_every_host(group: &Group, path: &Here<'_>, warn: &mut impl FnMut(Diagnostic)) {
    if group.gateways.is_some() {
        return;
    }
    for (index, rule) in group.rules.iter().enumerate() {
        if rule.hosts.is_none() && rule.matches.is_some() && holds(rule, At::Gateway) {
            let message = format!("rule `{}` holds for every host at every gateway: traffic that no rule matches gets 404", rule.name);
            let help = "add `hosts` to the rule, or `gateways` to the group";
            warn(Diagnostic::new(Code::CapturesEveryHost, path.field("rules").index(index), message).help(help));
        }
    }
}
