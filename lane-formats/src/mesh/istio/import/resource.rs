//! VirtualServices and DestinationRules as they are read: each field known, ignored or told.

use std::collections::BTreeMap;

use lane_core::config::{Entry, Matcher};

use crate::mesh::{
    Code,
    read::{At, Reading, Resource},
    view::is_dns_label,
};

/// A subset of a host.
#[derive(Clone, Debug)]
pub(in crate::mesh) struct Subset<'n> {
    pub(in crate::mesh) host: String,
    pub(in crate::mesh) name: &'n str,
    pub(in crate::mesh) labels: BTreeMap<String, String>,
    /// The lane group that the resource is labelled with.
    pub(in crate::mesh) group: Option<&'n str>,
    pub(in crate::mesh) at: At<'n>,
}

/// A VirtualService.
#[derive(Clone, Debug)]
pub(in crate::mesh) struct Virtual<'n> {
    pub(in crate::mesh) resource: Resource<'n>,
    pub(in crate::mesh) group: Option<&'n str>,
    pub(in crate::mesh) hosts: Vec<(String, At<'n>)>,
    /// Gateways; `mesh` is every sidecar.
    pub(in crate::mesh) gateways: Vec<String>,
    pub(in crate::mesh) routes: Vec<Route<'n>>,
}

/// A route of a VirtualService.
#[derive(Clone, Debug)]
pub(in crate::mesh) struct Route<'n> {
    pub(in crate::mesh) name: Option<&'n str>,
    /// None holds for every request.
    pub(in crate::mesh) matches: Option<Vec<Match>>,
    pub(in crate::mesh) action: Action<'n>,
    pub(in crate::mesh) at: At<'n>,
}

/// What a route does.
#[derive(Clone, Debug)]
pub(in crate::mesh) enum Action<'n> {
    /// Sends to one of these.
    To(Vec<Target<'n>>),
    /// Answers.
    Status(u32),
}

/// Where a route sends.
#[derive(Clone, Debug)]
pub(in crate::mesh) struct Target<'n> {
    pub(in crate::mesh) host: String,
    pub(in crate::mesh) subset: Option<&'n str>,
    pub(in crate::mesh) weight: u32,
    pub(in crate::mesh) fallback: Option<&'n str>,
    /// Request headers that are set, the last of a name counting.
    pub(in crate::mesh) set: BTreeMap<String, String>,
    /// Request headers that are removed.
    pub(in crate::mesh) remove: Vec<String>,
    pub(in crate::mesh) at: At<'n>,
}

/// The destinations of a route.
pub(in crate::mesh) fn targets_mut<'r, 'n>(route: &'r mut Route<'n>) -> &'r mut [Target<'n>] {
    match &mut route.action {
        Action::To(targets) => targets,
        Action::Status(_) => &mut [],
    }
}

impl Target<'_> {
    /// What this header is set to.
    pub(in crate::mesh) fn sets(&self, name: &str) -> Option<&String> {
        self.set.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Conditions of one match.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mesh) struct Match {
    /// The gateways for which it stands; none for all of the VirtualService.
    pub(in crate::mesh) gateways: Option<Vec<String>>,
    pub(in crate::mesh) entry: Entry,
    pub(in crate::mesh) source_labels: BTreeMap<String, String>,
}

/// The host that a name means in a namespace: short names are Kubernetes services of the same one.
pub(in crate::mesh) fn resolve(host: &str, namespace: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.contains('.') || host == "*" { host } else { format!("{host}.{namespace}.svc.cluster.local") }
}

fn group_label<'n>(resource: &Resource<'n>) -> Option<&'n str> {
    let labels = resource.at.field("metadata")?.field("labels")?;
    labels.field(super::super::export::GROUP_LABEL)?.plain_text()
}

/// Reads a DestinationRule.
pub(in crate::mesh) fn destination_rule<'n>(reading: &mut Reading<'_, '_>, resource: &Resource<'n>) -> Vec<Subset<'n>> {
    let Some(spec) = reading.required(&resource.at, "spec") else { return Vec::new() };
    reading.known(&spec, &["host", "subsets", "workloadSelector"], &["trafficPolicy", "exportTo"], &[]);
    if let Some(selector) = spec.field("workloadSelector") {
        reading.note(
            Code::Unsupported,
            &selector,
            "lanes hold for all callers, not for some workloads",
            Some("leave the selector out".into()),
        );
    }
    let Some(host_at) = reading.required(&spec, "host") else { return Vec::new() };
    let Some(host) = reading.text(&host_at) else { return Vec::new() };
    if host.contains('*') {
        reading.note(
            Code::Unsupported,
            &host_at,
            "a lane's services have whole names",
            Some("write a DestinationRule for each host".into()),
        );
        return Vec::new();
    }
    let host = resolve(host, resource.namespace);
    let mut subsets = Vec::new();
    for at in spec.field("subsets").map(|at| reading.items(&at)).unwrap_or_default() {
        reading.known(&at, &["name", "labels"], &["trafficPolicy"], &[]);
        let Some(name_at) = reading.required(&at, "name") else { continue };
        let Some(name) = reading.text(&name_at) else { continue };
        if !is_dns_label(name) {
            let help = "lower-case letters, digits and `-`, at most 63";
            reading.note(Code::Malformed, &name_at, format!("`{name}` is no name of a subset"), Some(help.into()));
            continue;
        }
        let mut labels = BTreeMap::new();
        for (label, at) in at.field("labels").map(|at| reading.entries(&at)).unwrap_or_default() {
            if let Some(value) = reading.text(&at) {
                labels.insert(label.to_owned(), value.to_owned());
            }
        }
        if labels.is_empty() {
            let help = "give it the labels of its workloads";
            reading.note(Code::Unsupported, &at, format!("the subset `{name}` has no labels: it is all endpoints"), Some(help.into()));
            continue;
        }
        subsets.push(Subset { host: host.clone(), name, labels, group: group_label(resource), at });
    }
    subsets
}

/// Reads a VirtualService.
pub(in crate::mesh) fn virtual_service<'n>(reading: &mut Reading<'_, '_>, resource: &Resource<'n>) -> Option<Virtual<'n>> {
    let spec = reading.required(&resource.at, "spec")?;
    reading.known(&spec, &["hosts", "gateways", "http"], &["tls", "tcp", "exportTo"], &[]);
    let mut hosts = Vec::new();
    let hosts_at = spec.field("hosts");
    for at in hosts_at.as_ref().map(|at| reading.items(at)).unwrap_or_default() {
        let Some(host) = reading.text(&at) else { continue };
        // A gateway's hosts are what clients write; only whole services have namespaces.
        hosts.push((host.to_owned(), at));
    }
    if hosts.is_empty() {
        let at = hosts_at.unwrap_or(spec);
        let help = "a VirtualService without hosts is a delegate: write its routes where it is used";
        reading.note(Code::Unsupported, &at, "a VirtualService without hosts", Some(help.into()));
        return None;
    }
    let mut gateways = Vec::new();
    for at in spec.field("gateways").map(|at| reading.items(&at)).unwrap_or_default() {
        if let Some(name) = reading.text(&at) {
            gateways.push(name.to_owned());
        }
    }
    if gateways.is_empty() {
        gateways.push("mesh".into());
    }
    let mut routes: Vec<Route<'n>> = Vec::new();
    let mut ended: Option<At<'n>> = None;
    for at in spec.field("http").map(|at| reading.items(&at)).unwrap_or_default() {
        if let Some(before) = &ended {
            let message = "no request reaches this route: the one before takes them all";
            reading.note_related(Code::Unreachable, &at, message, "put the route without `match` last", before, "takes every request");
            continue;
        }
        let Some(route) = route(reading, &at, resource.namespace) else { continue };
        if route.matches.is_none() {
            ended = Some(at);
        }
        routes.push(route);
    }
    Some(Virtual { resource: resource.clone(), group: group_label(resource), hosts, gateways, routes })
}

const PASSED_OVER: &[&str] =
    &["timeout", "retries", "fault", "mirror", "mirrors", "mirrorPercent", "mirror_percent", "mirrorPercentage", "corsPolicy", "rewrite"];

fn route<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, namespace: &str) -> Option<Route<'n>> {
    // A route that is not wholly understood may hold for fewer requests than what is understood of it.
    if !reading.known(at, &["name", "match", "route", "directResponse", "headers", "redirect", "delegate"], PASSED_OVER, &[]) {
        return None;
    }
    for (field, help) in [("redirect", "a redirect sends nobody to a lane"), ("delegate", "write the delegate's routes here")] {
        if let Some(found) = at.field(field) {
            reading.note(Code::Unsupported, &found, format!("lanes have no `{field}`; the route is left out"), Some(help.into()));
            return None;
        }
    }
    let name = at.field("name").and_then(|at| reading.text(&at));
    let matches = match at.field("match") {
        None => None,
        Some(list) => {
            let items = reading.items(&list);
            if items.is_empty() {
                None
            } else {
                let read: Vec<Match> = items.iter().filter_map(|item| condition(reading, item)).collect();
                // What is left without its conditions would hold for everybody.
                if read.is_empty() {
                    return None;
                }
                let all = |one: &Match| one.gateways.is_none() && one.source_labels.is_empty() && one.entry == Entry::default();
                if read.iter().any(all) { None } else { Some(read) }
            }
        }
    };
    let (set, remove) = at.field("headers").map(|at| operations(reading, &at)).unwrap_or_default();
    if let Some(response) = at.field("directResponse") {
        reading.known(&response, &["status"], &["body"], &[]);
        let status = reading.required(&response, "status").and_then(|at| reading.number(&at))?;
        return Some(Route { name, matches, action: Action::Status(status), at: at.clone() });
    }
    let list = reading.required(at, "route")?;
    let items = reading.items(&list);
    let mut targets = Vec::new();
    for item in &items {
        let mut target = target(reading, item, namespace, items.len() > 1)?;
        // One destination's operations come after the route's; of several, before them.
        let mut all = if items.len() > 1 { target.set.clone() } else { set.clone() };
        all.extend(if items.len() > 1 { set.clone() } else { std::mem::take(&mut target.set) });
        target.set = all;
        target.remove.extend(remove.iter().cloned());
        targets.push(target);
    }
    if targets.len() > 1 && targets.iter().all(|target| target.weight == 0) {
        reading.note(Code::Malformed, &list, "the weights of these destinations sum up to 0", Some("give each its `weight`".into()));
        return None;
    }
    if targets.is_empty() {
        reading.note(Code::Malformed, &list, "a route without destination", Some("name a `destination`".into()));
        return None;
    }
    if targets.len() > 1 {
        targets.retain(|target| target.weight > 0);
    }
    Some(Route { name, matches, action: Action::To(targets), at: at.clone() })
}

fn target<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, namespace: &str, several: bool) -> Option<Target<'n>> {
    reading.known(at, &["destination", "weight", "headers", "fallback"], &[], &[]);
    let destination = reading.required(at, "destination")?;
    let (host, subset) = self::destination(reading, &destination, namespace)?;
    let weight = match at.field("weight") {
        // One destination gets everything, whatever its weight.
        Some(_) if !several => 1,
        Some(weight) => reading.number(&weight)?,
        None => u32::from(!several),
    };
    let mut fallback = None;
    if let Some(found) = at.field("fallback") {
        reading.known(&found, &["target"], &["case"], &[]);
        let target = reading.required(&found, "target")?;
        let (other, subset) = self::destination(reading, &target, namespace)?;
        if other != host {
            let help = "a lane falls back to endpoints of the same service";
            reading.note(Code::Unsupported, &target, format!("`{host}` falls back to another service, `{other}`"), Some(help.into()));
        } else if subset.is_none() {
            let help = "name the `subset` of the baseline";
            reading.note(Code::Unsupported, &target, "a fallback to all endpoints of the service", Some(help.into()));
        } else {
            fallback = subset;
        }
    }
    let (set, remove) = at.field("headers").map(|at| operations(reading, &at)).unwrap_or_default();
    Some(Target { host, subset, weight, fallback, set, remove, at: destination })
}

fn destination<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, namespace: &str) -> Option<(String, Option<&'n str>)> {
    reading.known(at, &["host", "subset"], &["port"], &[]);
    let host = reading.required(at, "host").and_then(|at| reading.text(&at))?;
    let subset = match at.field("subset") {
        Some(at) => Some(reading.text(&at)?),
        None => None,
    };
    Some((resolve(host, namespace), subset))
}

/// Header operations on requests: what is set, what is removed.
fn operations(reading: &mut Reading<'_, '_>, at: &At<'_>) -> (BTreeMap<String, String>, Vec<String>) {
    reading.known(at, &["request"], &["response"], &[]);
    let mut set = BTreeMap::new();
    let mut remove = Vec::new();
    if let Some(request) = at.field("request") {
        reading.known(&request, &["set", "remove"], &["add"], &[]);
        for (name, at) in request.field("set").map(|at| reading.entries(&at)).unwrap_or_default() {
            if let Some(value) = reading.text(&at) {
                set.insert(name.to_owned(), value.to_owned());
            }
        }
        let names = request.field("remove").map(|at| reading.texts(&at)).unwrap_or_default();
        remove.extend(names.into_iter().map(str::to_ascii_lowercase));
    }
    (set, remove)
}

/// Reads one match; none, and a note, for what lanes cannot ask.
fn condition(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Option<Match> {
    let known = ["uri", "ignoreUriCase", "method", "headers", "withoutHeaders", "queryParams", "sourceLabels", "gateways"];
    let cannot = ["scheme", "authority", "port", "sourceNamespace"];
    let all: Vec<&str> = known.iter().chain(&cannot).copied().collect();
    let mut whole = reading.known(at, &all, &["statPrefix"], &["name"]);
    for name in cannot {
        if let Some(found) = at.field(name) {
            let help = "leave it out, or ask for something else that tells these requests apart";
            reading.note(Code::Unsupported, &found, format!("lanes cannot ask for `{name}`"), Some(help.into()));
            whole = false;
        }
    }
    let mut entry = Entry::default();
    let ignore_case = at.field("ignoreUriCase").is_some_and(|at| reading.boolean(&at));
    if let Some(uri) = at.field("uri") {
        match string_match(reading, &uri, true) {
            // Expressions keep their own mind about case.
            Some(Some(matcher @ Matcher::Regex(_))) => entry.path = Some(matcher),
            Some(Some(Matcher::Prefix(text))) if text.is_empty() => {}
            Some(Some(matcher)) if ignore_case => entry.path = Some(Matcher::IgnoreCase(matcher.into())),
            Some(Some(matcher)) => entry.path = Some(matcher),
            Some(None) => {}
            None => whole = false,
        }
    }
    if let Some(method) = at.field("method") {
        match string_match(reading, &method, false) {
            Some(matcher) => entry.method = matcher,
            None => whole = false,
        }
    }
    let mut without: Vec<(String, Matcher)> = Vec::new();
    for (field, inverted) in [("headers", false), ("withoutHeaders", true)] {
        for (name, found) in at.field(field).map(|at| reading.entries(&at)).unwrap_or_default() {
            let Some(read) = string_match(reading, &found, false) else {
                whole = false;
                continue;
            };
            let matcher = match (inverted, read) {
                (false, None) => Matcher::Present(true),
                (true, None) => Matcher::Present(false),
                (false, Some(matcher)) => matcher,
                // A missing header is taken for an empty one.
                (true, Some(matcher)) if holds_for_nothing(&matcher) => Matcher::Not(matcher.into()),
                (true, Some(matcher)) => Matcher::OrMissing(Matcher::Not(matcher.into()).into()),
            };
            if name == ":method" {
                match entry.method.is_none() {
                    true => entry.method = Some(matcher),
                    false => without.push((name.to_owned(), matcher)),
                }
            } else if name.starts_with(':') || name.starts_with('@') || name.eq_ignore_ascii_case("host") {
                let help = "leave it out, or ask for something else that tells these requests apart";
                reading.note(Code::Unsupported, &found, format!("lanes cannot ask for `{name}`"), Some(help.into()));
                whole = false;
            } else if entry.headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
                without.push((name.to_owned(), matcher));
            } else {
                entry.headers.insert(name.to_owned(), matcher);
            }
        }
    }
    // A second question about one header stands in an entry of its own.
    if !without.is_empty() {
        let others = without.into_iter().map(|(name, matcher)| {
            if name == ":method" {
                Entry { method: Some(matcher), ..Entry::default() }
            } else {
                Entry { headers: BTreeMap::from([(name, matcher)]), ..Entry::default() }
            }
        });
        entry.all = Some(others.collect());
    }
    for (name, found) in at.field("queryParams").map(|at| reading.entries(&at)).unwrap_or_default() {
        match string_match(reading, &found, false) {
            Some(matcher) => {
                entry.query.insert(name.to_owned(), matcher.unwrap_or(Matcher::Present(true)));
            }
            None => whole = false,
        }
    }
    let mut source_labels = BTreeMap::new();
    for (name, at) in at.field("sourceLabels").map(|at| reading.entries(&at)).unwrap_or_default() {
        if let Some(value) = reading.text(&at) {
            source_labels.insert(name.to_owned(), value.to_owned());
        }
    }
    let gateways = at.field("gateways").map(|at| reading.texts(&at).into_iter().map(str::to_owned).collect());
    whole.then_some(Match { gateways, entry, source_labels })
}

/// A `StringMatch`: a matcher, or presence (`{}`); none, and a note, for what is none.
#[expect(clippy::option_option, reason = "no matcher, no kind, a kind: three cases of Istio's own")]
pub(in crate::mesh) fn string_match(reading: &mut Reading<'_, '_>, at: &At<'_>, is_uri: bool) -> Option<Option<Matcher>> {
    if !reading.known(at, &["exact", "prefix", "regex"], &[], &[]) {
        return None;
    }
    let entries = reading.entries(at);
    let (kind, value) = match entries.as_slice() {
        [] => return Some(None),
        [(kind, value)] => (*kind, value),
        _ => {
            reading.note(Code::Malformed, at, "a match has one of `exact`, `prefix` and `regex`", Some("remove the others".into()));
            return None;
        }
    };
    let text = reading.text(value)?.to_owned();
    match kind {
        "exact" => Some(Some(Matcher::Exact(text))),
        "prefix" if text.is_empty() && !is_uri => {
            reading.note(Code::Malformed, value, "an empty prefix holds for everything", Some("ask for presence with `{}`".into()));
            None
        }
        "prefix" => Some(Some(Matcher::Prefix(text))),
        _ if text.is_empty() || text.len() > 1024 => {
            reading.note(Code::Malformed, value, "an expression has from 1 to 1024 bytes", None);
            None
        }
        // Istio writes presence for this one.
        _ if text == "*" && !is_uri => Some(None),
        _ => Some(Some(Matcher::Regex(text))),
    }
}

fn holds_for_nothing(matcher: &Matcher) -> bool {
    let test = crate::mesh::flat::test(crate::mesh::flat::Attribute::Path, matcher, lane_core::diagnostic::FieldPath::root());
    crate::mesh::flat::holds_for_nothing(&test.kind)
}
