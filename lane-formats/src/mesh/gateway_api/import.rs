//! HTTPRoutes as a configuration: each becomes the VirtualService that asks the same, in the order of specificity, and
//! the rest is what is done with those.

use std::collections::BTreeMap;

use lane_core::config::{Config, Entry, Matcher};
use serde_json::{Map, Value, json};

use super::{GROUP, precedence::Specificity};
use crate::mesh::{
    Code, ImportOptions, Input, Note, Report,
    istio::import::{
        Mesh, read_mesh,
        resource::{Action, Match, Route, Subset, Target, Virtual},
    },
    read::{At, Reading, Resource},
};

const KINDS: &[(&str, &str)] = &[(GROUP, "HTTPRoute"), ("", "Service")];

/// The label of a Service's endpoints where the Service itself is not there to tell.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// A rule's match, with what decides about its place.
struct Ranked<'n> {
    specificity: Specificity,
    created: Option<&'n str>,
    name: (&'n str, &'n str),
    rule: usize,
    matches: Option<Match>,
    route: Route<'n>,
}

/// A backend as it is referred to.
#[derive(Clone)]
struct Backend<'n> {
    name: &'n str,
    namespace: &'n str,
    weight: u32,
    set: BTreeMap<String, String>,
    remove: Vec<String>,
    at: At<'n>,
}

/// A rule as it is read.
struct Rule<'n> {
    name: Option<&'n str>,
    matches: Vec<(Specificity, Option<Match>)>,
    backends: Vec<Backend<'n>>,
    at: At<'n>,
}

/// A route as it is read.
struct Found<'n> {
    resource: Resource<'n>,
    /// Gateways by name, and hosts of services.
    parents: Vec<Parent>,
    hostnames: Vec<(String, At<'n>)>,
    rules: Vec<Rule<'n>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Parent {
    Gateway(String),
    Service(String),
}

/// Reads all resources of the files.
pub(in crate::mesh) fn import(inputs: &[Input<'_>], options: &ImportOptions, report: &mut Report) -> Option<Config> {
    let (mut reading, documents) = Reading::new(inputs, report);
    let help = |group: &str, kind: &str| match (group, kind) {
        ("networking.istio.io", _) => Some("`lane import istio` reads it".to_owned()),
        ("istio.alibabacloud.com", _) => Some("`lane import asm` reads it".to_owned()),
        (GROUP, "GRPCRoute") => Some("write it as an HTTPRoute with the method's path".to_owned()),
        _ => None,
    };
    let resources = reading.resources(&documents, KINDS, &help);
    let found: Vec<Found<'_>> =
        resources.iter().filter(|resource| resource.kind == "HTTPRoute").filter_map(|resource| route(&mut reading, resource)).collect();
    if found.is_empty() {
        if !reading.report.has_errors() {
            let note = Note::new(Code::NothingThere, lane_core::diagnostic::FieldPath::root(), "these files hold no HTTPRoute");
            reading.report.add(note.help("import the routes of the gateway"));
        }
        return None;
    }
    // Services whose calls a route takes; their backends are their subsets.
    let mut owners: Vec<((&str, &str), String)> = Vec::new();
    for route in &found {
        let Some(host) = route.parents.iter().find_map(|parent| if let Parent::Service(host) = parent { Some(host) } else { None }) else {
            continue;
        };
        for backend in route.rules.iter().flat_map(|rule| &rule.backends) {
            let key = (backend.namespace, backend.name);
            if !owners.iter().any(|(other, _)| *other == key) {
                owners.push((key, host.clone()));
            }
        }
    }
    let mut mesh = Mesh::default();
    let mut assumed: Option<At<'_>> = None;
    for route in &found {
        for backend in route.rules.iter().flat_map(|rule| &rule.backends) {
            let (host, name) = place(backend, &owners);
            if mesh.subsets.iter().any(|subset| subset.host == host && subset.name == name) {
                continue;
            }
            let service = resources
                .iter()
                .find(|resource| resource.kind == "Service" && (resource.namespace, resource.name) == (backend.namespace, backend.name));
            let labels = service.and_then(|service| selector(&mut reading, service, &host));
            let labels = labels.unwrap_or_else(|| {
                assumed.get_or_insert_with(|| backend.at.clone());
                BTreeMap::from([(SERVICE_LABEL.to_owned(), backend.name.to_owned())])
            });
            let metadata = route.resource.at.field("metadata").and_then(|at| at.field("labels"));
            let group = metadata.and_then(|at| at.field("swimlane-group")).and_then(|at| at.plain_text());
            mesh.subsets.push(Subset { host, name, labels, group, at: backend.at.clone() });
        }
    }
    if let Some(at) = assumed {
        let message = format!("no Service says which workloads its endpoints are; lanes are told by the label `{SERVICE_LABEL}`");
        reading.note(Code::Assumed, &at, message, Some("import the Services too, or set `labels` by hand".into()));
    }
    virtuals(&found, &owners, &mut mesh);
    read_mesh(&mut reading, mesh, options)
}

/// The host and the subset for which a backend stands.
fn place<'n>(backend: &Backend<'n>, owners: &[((&str, &str), String)]) -> (String, &'n str) {
    match owners.iter().find(|(key, _)| *key == (backend.namespace, backend.name)) {
        Some((_, host)) => {
            let service = host.split('.').next().unwrap_or_default();
            let subset = backend.name.strip_prefix(service).and_then(|rest| rest.strip_prefix('-')).filter(|subset| !subset.is_empty());
            (host.clone(), subset.unwrap_or(backend.name))
        }
        None => (format!("backends.{}.svc.cluster.local", backend.namespace), backend.name),
    }
}

/// A Service's selector, without the label that tells its application.
fn selector(reading: &mut Reading<'_, '_>, service: &Resource<'_>, host: &str) -> Option<BTreeMap<String, String>> {
    let at = service.at.field("spec")?.field("selector")?;
    let mut labels = BTreeMap::new();
    for (name, at) in reading.entries(&at) {
        labels.insert(name.to_owned(), reading.text(&at)?.to_owned());
    }
    let application = labels.get("app").is_some_and(|app| host.split('.').next() == Some(app)) && labels.len() > 1;
    if application {
        labels.remove("app");
    }
    (!labels.is_empty()).then_some(labels)
}

/// One VirtualService for each gateway and hostname, and for each service, with its routes in the order of specificity.
fn virtuals<'n>(found: &[Found<'n>], owners: &[((&str, &str), String)], mesh: &mut Mesh<'n>) {
    let mut places: Vec<(Parent, String, At<'n>, &Found<'n>)> = Vec::new();
    for route in found {
        for parent in &route.parents {
            for (hostname, at) in &route.hostnames {
                let hostname = if let Parent::Service(host) = parent { host } else { hostname };
                if !places.iter().any(|(other, name, ..)| other == parent && name == hostname) {
                    places.push((parent.clone(), hostname.clone(), at.clone(), route));
                }
            }
        }
    }
    for (parent, hostname, at, first) in places {
        let mut ranked: Vec<Ranked<'n>> = Vec::new();
        for route in found.iter().filter(|route| route.parents.contains(&parent)) {
            let here = matches!(parent, Parent::Service(_)) || route.hostnames.iter().any(|(name, _)| *name == hostname);
            for (index, rule) in route.rules.iter().enumerate().filter(|_| here) {
                for (specificity, matches) in &rule.matches {
                    ranked.push(Ranked {
                        specificity: *specificity,
                        created: route.resource.created,
                        name: (route.resource.namespace, route.resource.name),
                        rule: index,
                        matches: matches.clone(),
                        route: Route { name: rule.name, matches: None, action: action(rule, owners), at: rule.at.clone() },
                    });
                }
            }
        }
        // A stable sort: within a rule, matches keep their order.
        ranked.sort_by(|one, other| {
            let oldest = match (one.created, other.created) {
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), None) => std::cmp::Ordering::Less,
                (one, other) => one.cmp(&other),
            };
            other.specificity.cmp(&one.specificity).then(oldest).then(one.name.cmp(&other.name)).then(one.rule.cmp(&other.rule))
        });
        let mut routes: Vec<Route<'n>> = Vec::new();
        let mut last: Option<((&str, &str), usize)> = None;
        for one in ranked {
            let key = (one.name, one.rule);
            // Neighbours of one rule are one route.
            match (routes.last_mut().filter(|_| last == Some(key)), one.matches) {
                (Some(Route { matches: Some(before), .. }), Some(now)) => before.push(now),
                (_, matches) => routes.push(Route { matches: matches.map(|now| vec![now]), ..one.route }),
            }
            last = Some(key);
        }
        // What comes behind a route for everything is not reached.
        if let Some(end) = routes.iter().position(|route| route.matches.is_none()) {
            routes.truncate(end + 1);
        }
        let gateways = vec![if let Parent::Gateway(name) = parent { name } else { "mesh".to_owned() }];
        let labels = first.resource.at.field("metadata").and_then(|at| at.field("labels"));
        let group = labels.and_then(|at| at.field("swimlane-group")).and_then(|at| at.plain_text());
        mesh.virtuals.push(Virtual { resource: first.resource.clone(), group, hosts: vec![(hostname, at)], gateways, routes });
    }
}

fn action<'n>(rule: &Rule<'n>, owners: &[((&str, &str), String)]) -> Action<'n> {
    let to = |backend: &Backend<'n>| {
        let (host, subset) = place(backend, owners);
        Target {
            host,
            subset: Some(subset),
            weight: backend.weight,
            fallback: None,
            set: backend.set.clone(),
            remove: backend.remove.clone(),
            at: backend.at.clone(),
        }
    };
    let targets: Vec<Target<'n>> = rule.backends.iter().filter(|backend| backend.weight > 0).map(to).collect();
    if targets.is_empty() { Action::Status(500) } else { Action::To(targets) }
}

fn route<'n>(reading: &mut Reading<'_, '_>, resource: &Resource<'n>) -> Option<Found<'n>> {
    let spec = reading.required(&resource.at, "spec")?;
    reading.known(&spec, &["parentRefs", "hostnames", "rules"], &["useDefaultGateways"], &[]);
    let mut parents = Vec::new();
    for at in spec.field("parentRefs").map(|at| reading.items(&at)).unwrap_or_default() {
        reading.known(&at, &["name", "namespace", "kind", "group"], &["sectionName", "port"], &[]);
        let Some(name) = reading.required(&at, "name").and_then(|at| reading.text(&at)) else { continue };
        let namespace = at.field("namespace").and_then(|at| reading.text(&at)).unwrap_or(resource.namespace);
        match at.field("kind").map_or("Gateway", |at| at.plain_text().unwrap_or_default()) {
            "Gateway" => parents.push(Parent::Gateway(format!("{namespace}/{name}"))),
            "Service" => parents.push(Parent::Service(format!("{name}.{namespace}.svc.cluster.local"))),
            other => reading.note(
                Code::Unsupported,
                &at,
                format!("routes are attached to a Gateway or a Service, not to a `{other}`"),
                Some("leave the parent out".into()),
            ),
        }
    }
    if parents.is_empty() {
        reading.note(Code::Unsupported, &spec, "a route without parent holds nowhere", Some("name its gateway in `parentRefs`".into()));
        return None;
    }
    let mut hostnames = Vec::new();
    for at in spec.field("hostnames").map(|at| reading.items(&at)).unwrap_or_default() {
        if let Some(name) = reading.text(&at) {
            hostnames.push((name.to_ascii_lowercase(), at));
        }
    }
    if hostnames.is_empty() {
        hostnames.push(("*".to_owned(), spec.clone()));
    }
    let rules = spec.field("rules").map(|at| reading.items(&at)).unwrap_or_default();
    let rules = rules.iter().filter_map(|at| rule(reading, at, resource)).collect();
    Some(Found { resource: resource.clone(), parents, hostnames, rules })
}

fn rule<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, resource: &Resource<'n>) -> Option<Rule<'n>> {
    if !reading.known(at, &["name", "matches", "filters", "backendRefs", "sessionPersistence"], &["timeouts", "retry"], &[]) {
        return None;
    }
    if let Some(found) = at.field("sessionPersistence") {
        let help = "a split of lanes is made sticky by `sticky`, which this is not";
        reading.note(Code::Unsupported, &found, "session persistence beats weights", Some(help.into()));
    }
    let name = at.field("name").and_then(|at| reading.text(&at));
    let (set, remove) = at.field("filters").map_or(Some(Default::default()), |at| filters(reading, &at))?;
    let mut matches = Vec::new();
    let written = at.field("matches").map(|at| reading.items(&at)).unwrap_or_default();
    for found in &written {
        matches.extend(condition(reading, found));
    }
    if written.is_empty() {
        matches.push((Specificity::of(&Map::new()), None));
    }
    if matches.is_empty() {
        return None;
    }
    let mut backends = Vec::new();
    let list = at.field("backendRefs").map(|at| reading.items(&at)).unwrap_or_default();
    for item in &list {
        reading.known(item, &["name", "namespace", "kind", "group", "weight", "filters"], &[], &["port"]);
        let name = reading.required(item, "name").and_then(|at| reading.text(&at))?;
        let namespace = item.field("namespace").and_then(|at| reading.text(&at)).unwrap_or(resource.namespace);
        if let Some(kind) = item.field("kind")
            && reading.text(&kind) != Some("Service")
        {
            reading.note(Code::Unsupported, &kind, "a lane's endpoints are those of Services", Some("lead the rule to a Service".into()));
            return None;
        }
        let weight = item.field("weight").map_or(Some(1), |at| reading.number(&at))?;
        let (own_set, own_remove) = item.field("filters").map_or(Some(Default::default()), |at| filters(reading, &at))?;
        let set = set.iter().chain(&own_set).map(|(name, value)| (name.clone(), value.clone())).collect();
        let remove = remove.iter().chain(&own_remove).cloned().collect();
        backends.push(Backend { name, namespace, weight, set, remove, at: item.clone() });
    }
    Some(Rule { name, matches, backends, at: at.clone() })
}

/// Header operations; none, and a note, for what sends requests elsewhere.
fn filters(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Option<(BTreeMap<String, String>, Vec<String>)> {
    let mut set = BTreeMap::new();
    let mut remove = Vec::new();
    for filter in reading.items(at) {
        let kind_at = reading.required(&filter, "type")?;
        match reading.text(&kind_at)? {
            "RequestHeaderModifier" => {
                let modifier = reading.required(&filter, "requestHeaderModifier")?;
                reading.known(&modifier, &["set", "remove"], &["add"], &[]);
                for one in modifier.field("set").map(|at| reading.items(&at)).unwrap_or_default() {
                    let name = reading.required(&one, "name").and_then(|at| reading.text(&at));
                    let value = reading.required(&one, "value").and_then(|at| reading.text(&at));
                    if let (Some(name), Some(value)) = (name, value) {
                        set.insert(name.to_owned(), value.to_owned());
                    }
                }
                let names = modifier.field("remove").map(|at| reading.texts(&at)).unwrap_or_default();
                remove.extend(names.into_iter().map(str::to_ascii_lowercase));
            }
            "RequestRedirect" => {
                reading.note(
                    Code::Unsupported,
                    &filter,
                    "lanes have no redirects; the rule is left out",
                    Some("a redirect sends nobody to a lane".into()),
                );
                return None;
            }
            kind => reading.note(Code::Ignored, &filter, format!("the filter `{kind}` has no effect on lanes"), None),
        }
    }
    Some((set, remove))
}

/// A match, and how much it asks for; none, and a note, for what lanes cannot ask.
fn condition(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Option<(Specificity, Option<Match>)> {
    let mut whole = reading.known(at, &["path", "headers", "queryParams", "method"], &[], &[]);
    let mut entry = Entry::default();
    let mut asked = Map::new();
    if let Some(path) = at.field("path") {
        whole &= reading.known(&path, &["type", "value"], &[], &[]);
        let kind = path.field("type").and_then(|at| reading.text(&at)).unwrap_or("PathPrefix");
        let value = path.field("value").and_then(|at| reading.text(&at)).unwrap_or("/");
        asked.insert("path".into(), json!({ "type": kind, "value": value }));
        match kind {
            "Exact" => entry.path = Some(Matcher::Exact(value.to_owned())),
            "PathPrefix" if value.trim_end_matches('/').is_empty() => {}
            "PathPrefix" => entry.path = Some(Matcher::Segments(value.to_owned())),
            _ => {
                flavour(reading, &path);
                entry.path = Some(Matcher::Regex(value.to_owned()));
            }
        }
    }
    if let Some(method) = at.field("method") {
        let name = reading.text(&method)?;
        asked.insert("method".into(), json!(name));
        entry.method = Some(Matcher::Exact(name.to_owned()));
    }
    for field in ["headers", "queryParams"] {
        let mut names: Vec<Value> = Vec::new();
        for one in at.field(field).map(|at| reading.items(&at)).unwrap_or_default() {
            whole &= reading.known(&one, &["name", "type", "value"], &[], &[]);
            let (Some(name), Some(value)) = (
                reading.required(&one, "name").and_then(|at| reading.text(&at)),
                reading.required(&one, "value").and_then(|at| reading.text(&at)),
            ) else {
                whole = false;
                continue;
            };
            let kind = one.field("type").and_then(|at| reading.text(&at)).unwrap_or("Exact");
            let map = if field == "headers" { &mut entry.headers } else { &mut entry.query };
            let same = |other: &String| if field == "headers" { other.eq_ignore_ascii_case(name) } else { other == name };
            // Of several for one name only the first counts.
            if map.keys().any(same) {
                continue;
            }
            names.push(json!({ "name": name }));
            let matcher = match (kind, value) {
                ("Exact", value) => Matcher::Exact(value.to_owned()),
                (_, ".*") => Matcher::Present(true),
                (_, value) => {
                    if value != ".+" {
                        flavour(reading, &one);
                    }
                    Matcher::Regex(value.to_owned())
                }
            };
            map.insert(name.to_owned(), matcher);
        }
        asked.insert(field.into(), Value::Array(names));
    }
    let none = entry == Entry::default();
    whole.then(|| (Specificity::of(&asked), (!none).then(|| Match { gateways: None, entry, source_labels: BTreeMap::new() })))
}

fn flavour(reading: &mut Reading<'_, '_>, at: &At<'_>) {
    let message = "which language a regular expression is in, and whether it is matched whole, is up to the gateway";
    reading.note(Code::Unsupported, at, message, Some("use `Exact` or `PathPrefix`; with `--lossy` it is RE2's, matched whole".into()));
}
