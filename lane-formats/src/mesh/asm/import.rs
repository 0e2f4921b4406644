//! ASM's lane groups and lanes as a configuration.

use std::collections::BTreeMap;

use lane_core::config::{Config, Context, Entry, Group, Lane, LaneFrom, Matcher, Mode, Rule, Service, Share};

use super::GROUP_LABEL;
use crate::mesh::{
    Code, ImportOptions, Input, Note, Report,
    istio::string_match,
    read::{At, Reading, Resource},
    report::listed,
    view::{GATEWAY_NAMESPACE, GUIDING_HEADER, Names, TAG_LABEL, short_names},
};

const KINDS: &[(&str, &str)] = &[("istio.alibabacloud.com", "ASMSwimLaneGroup"), ("istio.alibabacloud.com", "ASMSwimLane")];

/// A rule of a lane, as it is read.
struct Found<'n> {
    lane: String,
    name: String,
    hosts: Vec<String>,
    entry: Entry,
    /// The rule asks for headers of its own; without, the route header names the lane.
    own_headers: bool,
    host: String,
    at: At<'n>,
}

/// Reads all resources of the files.
pub(in crate::mesh) fn import(inputs: &[Input<'_>], _: &ImportOptions, report: &mut Report) -> Option<Config> {
    let (mut reading, documents) = Reading::new(inputs, report);
    let help = |group: &str, _: &str| match group {
        "networking.istio.io" => Some("`lane import istio` reads it; ASM makes such resources from its lanes".to_owned()),
        "gateway.networking.k8s.io" => Some("`lane import gateway-api` reads it".to_owned()),
        "istio.alibabacloud.com" => Some("ASM makes it from its lanes; leave it out".to_owned()),
        _ => None,
    };
    let resources = reading.resources(&documents, KINDS, &help);
    let groups: Vec<&Resource<'_>> = resources.iter().filter(|resource| resource.kind == "ASMSwimLaneGroup").collect();
    let mut lanes: Vec<(&str, &Resource<'_>)> = Vec::new();
    for resource in resources.iter().filter(|resource| resource.kind == "ASMSwimLane") {
        let label = resource.at.field("metadata").and_then(|at| at.field("labels")).and_then(|at| at.field(GROUP_LABEL));
        let Some(name) = label.as_ref().and_then(|at| reading.text(at)) else {
            let message = format!("the lane `{}` has no label `{GROUP_LABEL}`, which names its group", resource.name);
            reading.note(Code::MissingReference, &resource.at, message, Some(format!("add the label `{GROUP_LABEL}`")));
            continue;
        };
        if !groups.iter().any(|group| group.name == name) {
            let names = groups.iter().map(|group| group.name);
            let help = lane_core::diagnostic::did_you_mean(name, names.clone())
                .unwrap_or_else(|| format!("import the group too; these are there: {}", listed(names)));
            reading.note(
                Code::MissingReference,
                &label.unwrap_or_else(|| resource.at.clone()),
                format!("there is no ASMSwimLaneGroup `{name}`"),
                Some(help),
            );
            continue;
        }
        if let Some((_, other)) = lanes.iter().find(|(_, other)| other.name == resource.name) {
            let message = format!("two lanes are called `{}`", resource.name);
            reading.note_related(Code::Conflict, &resource.at, message, "rename one of them", &other.at, "the other one");
            continue;
        }
        lanes.push((name, resource));
    }
    let mut written: Vec<Group> = Vec::new();
    for resource in &groups {
        if written.iter().any(|group| group.name == resource.name) {
            reading.note(
                Code::Conflict,
                &resource.at,
                format!("two lane groups are called `{}`", resource.name),
                Some("rename one of them".into()),
            );
            continue;
        }
        let own: Vec<&Resource<'_>> = lanes.iter().filter(|(name, _)| *name == resource.name).map(|(_, lane)| *lane).collect();
        written.extend(group(&mut reading, resource, &own));
    }
    if written.is_empty() && !reading.report.has_errors() {
        let note = Note::new(Code::NothingThere, lane_core::diagnostic::FieldPath::root(), "these files hold no ASMSwimLaneGroup");
        reading.report.add(note.help("import the group with its lanes"));
    }
    reading.report.sort();
    (!written.is_empty()).then_some(Config { version: 1, groups: written })
}

fn group<'n>(reading: &mut Reading<'_, '_>, resource: &Resource<'n>, lanes: &[&Resource<'n>]) -> Option<Group> {
    let spec = reading.required(&resource.at, "spec")?;
    reading.known(
        &spec,
        &["services", "ingress", "isPermissive", "permissiveModeConfiguration"],
        &["defaultTrafficPolicyPatch", "defaultHttpRoutePatch"],
        &["autoUpdate"],
    );
    let permissive = spec.field("isPermissive").is_some_and(|at| reading.boolean(&at));
    let services = reading.required(&spec, "services")?;
    let hosts = references(reading, &services);
    let mut group = Group::new(resource.name, if permissive { Mode::Permissive } else { Mode::Strict });
    group.services = hosts.iter().map(|host| Service { aliases: aliases(host, &hosts), ..Service::new(host) }).collect();
    let known: Vec<&str> = lanes.iter().map(|lane| lane.name).collect();
    if permissive {
        let config = reading.required(&spec, "permissiveModeConfiguration")?;
        reading.known(&config, &["fallbackTarget", "traceHeader", "routeHeader", "serviceLevelFallbackTarget"], &[], &[]);
        if let Some(at) = config.field("serviceLevelFallbackTarget")
            && !reading.entries(&at).is_empty()
        {
            let help = "a lane has one list of fallbacks for all services: write `fallback` in the configuration by hand";
            reading.note(Code::Unsupported, &at, "fallbacks of single services", Some(help.into()));
        }
        let target = reading.required(&config, "fallbackTarget")?;
        let baseline = reading.text(&target)?;
        if !known.contains(&baseline) {
            let names = known.iter().copied();
            let help =
                lane_core::diagnostic::did_you_mean(baseline, names.clone()).unwrap_or_else(|| format!("the group has {}", listed(names)));
            reading.note(Code::MissingReference, &target, format!("there is no lane `{baseline}` to fall back to"), Some(help));
            return None;
        }
        group.baseline = Some(baseline.to_owned());
        let route = reading.required(&config, "routeHeader").and_then(|at| reading.text(&at))?;
        group.guiding_header = (!route.eq_ignore_ascii_case(GUIDING_HEADER)).then(|| route.to_owned());
        let trace = config.field("traceHeader").and_then(|at| reading.text(&at)).unwrap_or(route);
        group.context = match trace {
            same if same.eq_ignore_ascii_case(route) => None,
            baggage if baggage.eq_ignore_ascii_case("baggage") => Some(Context::Baggage(route.to_owned())),
            header => Some(Context::TraceId(header.to_owned())),
        };
    }
    let ingress = reading.required(&spec, "ingress")?;
    reading.known(&ingress, &["gateway", "ingressRouting"], &[], &[]);
    group.gateways = gateway(reading, &ingress).map(|name| vec![name]);
    let mut rules: Vec<Found<'n>> = Vec::new();
    let mut shares: Vec<(Share, String, At<'n>)> = Vec::new();
    let selectors: Vec<BTreeMap<String, String>> = lanes.iter().map(|lane| selector(reading, lane)).collect();
    let tag = selectors
        .iter()
        .find_map(|labels| labels.first_key_value().filter(|_| labels.len() == 1))
        .map_or(TAG_LABEL, |(label, _)| label)
        .to_owned();
    group.tag_label = (tag != TAG_LABEL).then(|| tag.clone());
    for (resource, labels) in lanes.iter().zip(selectors) {
        let Some(lane) = lane(reading, resource, &hosts, &labels, &tag, permissive && group.baseline.as_deref() != Some(resource.name))
        else {
            continue;
        };
        rest(reading, resource, &mut rules, &mut shares);
        group.lanes.push(lane);
    }
    if group.lanes.is_empty() {
        let help = format!("import ASMSwimLanes with the label `{GROUP_LABEL}: {}`", resource.name);
        reading.note(Code::MissingReference, &resource.at, format!("the group `{}` has no lanes", resource.name), Some(help));
        return None;
    }
    let routing = ingress.field("ingressRouting");
    if let Some(at) = &routing {
        reading.known(at, &["ingressRoutingStrategy", "weightedRoutingRule"], &[], &[]);
    }
    let strategy = routing.as_ref().and_then(|at| at.field("ingressRoutingStrategy"));
    match strategy.as_ref().and_then(|at| reading.text(at)) {
        Some("weighted") => weighted(reading, routing.as_ref().and_then(|at| at.field("weightedRoutingRule")), shares, &mut group),
        None | Some("rule_based" | "") => rule_based(reading, rules, &mut group),
        Some(other) => {
            if let Some(at) = strategy {
                reading.note(
                    Code::Malformed,
                    &at,
                    format!("`{other}` is no routing strategy"),
                    Some("there are `rule_based` and `weighted`".into()),
                );
            }
        }
    }
    Some(group)
}

/// Services as hosts.
fn references(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for at in reading.items(at) {
        reading.known(&at, &["name", "namespace"], &["trafficPolicyPatch", "httpRoutePatch"], &["cluster"]);
        let Some(name) = reading.required(&at, "name").and_then(|at| reading.text(&at)) else { continue };
        let namespace = at.field("namespace").and_then(|at| reading.text(&at)).unwrap_or("default");
        let host = format!("{name}.{namespace}.svc.cluster.local");
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// The shorter names of a service that no other one of the group has.
fn aliases(host: &str, hosts: &[String]) -> Vec<String> {
    let shared = |short: &String| hosts.iter().any(|other| other != host && short_names(other).contains(short));
    short_names(host).into_iter().filter(|short| !shared(short)).collect()
}

fn gateway(reading: &mut Reading<'_, '_>, ingress: &At<'_>) -> Option<String> {
    let at = reading.required(ingress, "gateway")?;
    reading.known(&at, &["name", "namespace", "type"], &[], &[]);
    let name = reading.required(&at, "name").and_then(|at| reading.text(&at))?;
    let namespace = at.field("namespace").and_then(|at| reading.text(&at)).unwrap_or(GATEWAY_NAMESPACE);
    if let Some(kind) = at.field("type")
        && reading.text(&kind).is_some_and(|kind| kind != "ASM")
    {
        reading.note(Code::Unsupported, &kind, "only ASM gateways lead into lanes", Some("write `type: ASM`".into()));
    }
    Some(if namespace == GATEWAY_NAMESPACE { name.to_owned() } else { format!("{namespace}/{name}") })
}

fn selector(reading: &mut Reading<'_, '_>, lane: &Resource<'_>) -> BTreeMap<String, String> {
    let Some(at) = lane.at.field("spec").and_then(|spec| reading.required(&spec, "labelSelector")) else { return BTreeMap::new() };
    let entries = reading.entries(&at);
    if entries.is_empty() {
        reading.note(Code::Malformed, &at, "a lane without labels has every workload", Some("name the label of its workloads".into()));
    }
    entries.into_iter().filter_map(|(name, at)| Some((name.to_owned(), reading.text(&at)?.to_owned()))).collect()
}

fn lane(
    reading: &mut Reading<'_, '_>,
    resource: &Resource<'_>,
    hosts: &[String],
    labels: &BTreeMap<String, String>,
    tag: &str,
    partial: bool,
) -> Option<Lane> {
    let spec = reading.required(&resource.at, "spec")?;
    reading.known(&spec, &["labelSelector", "services", "ingressRules", "ingressWeight"], &[], &[]);
    let mut services = None;
    if let Some(at) = spec.field("services") {
        let own = references(reading, &at);
        for host in own.iter().filter(|host| !hosts.contains(host)) {
            reading.note(
                Code::MissingReference,
                &at,
                format!("`{host}` is no service of the group"),
                Some("add it to the group's services".into()),
            );
        }
        let own: Vec<String> = own.into_iter().filter(|host| hosts.contains(host)).collect();
        if own.len() < hosts.len() && !partial {
            let help = "only lanes of permissive groups, and not the baseline, may lack services";
            reading.note(
                Code::Malformed,
                &at,
                format!("the lane `{}` does not contain every service of its group", resource.name),
                Some(help.into()),
            );
            return None;
        }
        services = (own.len() < hosts.len()).then_some(own);
    }
    let service_tag = labels.get(tag).cloned();
    let contained = services.as_deref().unwrap_or(hosts);
    let own_labels = if labels.len() == 1 && service_tag.is_some() {
        BTreeMap::new()
    } else {
        contained.iter().map(|host| (host.clone(), labels.clone())).collect()
    };
    Some(Lane { service_tag: service_tag.filter(|tag| tag != resource.name), services, labels: own_labels, ..Lane::new(resource.name) })
}

/// Rules and weight of a lane.
fn rest<'n>(reading: &mut Reading<'_, '_>, resource: &Resource<'n>, rules: &mut Vec<Found<'n>>, shares: &mut Vec<(Share, String, At<'n>)>) {
    let Some(spec) = resource.at.field("spec") else { return };
    for at in spec.field("ingressRules").map(|at| reading.items(&at)).unwrap_or_default() {
        if !reading.known(&at, &["name", "online", "hosts", "match", "route"], &[], &[]) {
            continue;
        }
        if !at.field("online").is_some_and(|at| reading.boolean(&at)) {
            reading.note(Code::Ignored, &at, "the rule is not online", Some("write `online: true` to have it".into()));
            continue;
        }
        let Some(host) = reading.required(&at, "route").and_then(|at| destination(reading, &at)) else { continue };
        let name = at.field("name").and_then(|at| reading.text(&at)).unwrap_or("rule").to_owned();
        let hosts = at.field("hosts").map(|at| reading.texts(&at)).unwrap_or_default();
        let Some((entry, own_headers)) = at.field("match").map_or(Some((Entry::default(), false)), |at| request(reading, &at)) else {
            continue;
        };
        rules.push(Found {
            lane: resource.name.to_owned(),
            name,
            hosts: hosts.into_iter().map(str::to_owned).collect(),
            entry,
            own_headers,
            host,
            at,
        });
    }
    if let Some(at) = spec.field("ingressWeight") {
        reading.known(&at, &["destination", "weight"], &[], &[]);
        let weight = at.field("weight").and_then(|at| reading.number(&at)).unwrap_or(0);
        if let Some(host) = destination(reading, &at) {
            shares.push((Share { lane: resource.name.to_owned(), weight }, host, at));
        }
    }
}

fn destination(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Option<String> {
    let at = reading.required(at, "destination")?;
    reading.known(&at, &["host"], &["portNum"], &[]);
    let host = reading.required(&at, "host")?;
    reading.text(&host).map(|host| if host.contains('.') { host.to_ascii_lowercase() } else { format!("{host}.default.svc.cluster.local") })
}

/// A match as an entry, and whether it asks for headers.
fn request(reading: &mut Reading<'_, '_>, at: &At<'_>) -> Option<(Entry, bool)> {
    if !reading.known(at, &["uri", "headers"], &[], &[]) {
        return None;
    }
    let mut entry = Entry::default();
    if let Some(uri) = at.field("uri") {
        entry.path = string_match(reading, &uri, true)?.filter(|matcher| *matcher != Matcher::Prefix(String::new()));
    }
    for (name, at) in at.field("headers").map(|at| reading.entries(&at)).unwrap_or_default() {
        if let Some(matcher) = string_match(reading, &at, false)? {
            entry.headers.insert(name.to_owned(), matcher);
        }
    }
    let own_headers = !entry.headers.is_empty();
    Some((entry, own_headers))
}

/// One split of all requests that the group's rule takes.
fn weighted(reading: &mut Reading<'_, '_>, rule: Option<At<'_>>, shares: Vec<(Share, String, At<'_>)>, group: &mut Group) {
    let mut hosts = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut all = true;
    if let Some(at) = rule {
        reading.known(&at, &["hosts", "requestMatches"], &[], &[]);
        hosts = at.field("hosts").map(|at| reading.texts(&at)).unwrap_or_default();
        let matches = at.field("requestMatches").map(|at| reading.items(&at)).unwrap_or_default();
        all = matches.is_empty();
        entries.extend(matches.iter().filter_map(|at| request(reading, at)).map(|(entry, _)| entry));
    }
    let Some((_, service, _)) = shares.first() else {
        return;
    };
    let service = service.clone();
    for (_, host, at) in shares.iter().filter(|(_, host, _)| *host != service) {
        let help = "a split leads to one service in several lanes";
        reading.note(Code::Unsupported, at, format!("this lane's part goes to `{host}`, others' to `{service}`"), Some(help.into()));
    }
    if !all && entries.is_empty() {
        return;
    }
    let split: Vec<Share> = shares.into_iter().map(|(share, ..)| share).collect();
    if split.iter().all(|share| share.weight == 0) {
        return;
    }
    let matches = (!all && !entries.contains(&Entry::default())).then_some(entries);
    group.rules.push(Rule { matches, split: Some(split), ..rule_to("weighted".into(), &hosts, service) });
}

/// The rules of all lanes. Those that differ in nothing but the lane that the route header names are one rule.
fn rule_based(reading: &mut Reading<'_, '_>, found: Vec<Found<'_>>, group: &mut Group) {
    let guiding = group.guiding_header.clone().unwrap_or_else(|| GUIDING_HEADER.to_owned());
    let named = |found: &Found<'_>| {
        let own = found.entry.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(&guiding));
        !found.own_headers || own.is_some_and(|(_, matcher)| *matcher == Matcher::Exact(found.lane.clone()))
    };
    let rest = |found: &Found<'_>| {
        let mut entry = found.entry.clone();
        entry.headers.retain(|name, _| !name.eq_ignore_ascii_case(&guiding));
        (found.hosts.clone(), entry, found.host.clone())
    };
    let free: Vec<&Found<'_>> = found.iter().filter(|found| !named(found)).collect();
    if let Some(second) = free.iter().find(|one| free.first().is_some_and(|first| first.lane != one.lane)) {
        let message = "no document says in which order ASM tries the rules of several lanes; taken in the order of the files";
        reading.note(Code::Assumed, &second.at, message, Some("let rules of two lanes never hold for one request".into()));
    }
    let mut names = Names::default();
    let mut done: Vec<_> = Vec::new();
    for one in &found {
        let hosts: Vec<&str> = one.hosts.iter().map(String::as_str).collect();
        if !named(one) {
            let matches = Some(vec![one.entry.clone()]);
            let rule = rule_to(names.unique(&one.name), &hosts, one.host.clone());
            group.rules.push(Rule { matches, lane: Some(one.lane.clone()), ..rule });
            continue;
        }
        let key = rest(one);
        if done.contains(&key) {
            continue;
        }
        let lanes: Vec<&str> = found.iter().filter(|other| named(other) && rest(other) == key).map(|other| other.lane.as_str()).collect();
        let entry = key.1.clone();
        if group.lanes.iter().all(|lane| lanes.contains(&lane.name.as_str())) {
            let matches = (entry != Entry::default()).then(|| vec![entry]);
            let rule = rule_to(names.unique(&one.name), &hosts, one.host.clone());
            group.rules.push(Rule { matches, lane_from: Some(LaneFrom::Header(guiding.clone())), ..rule });
        } else {
            for lane in lanes {
                let mut entry = entry.clone();
                entry.headers.insert(guiding.clone(), Matcher::Exact(lane.to_owned()));
                let rule = rule_to(names.unique(&one.name), &hosts, one.host.clone());
                group.rules.push(Rule { matches: Some(vec![entry]), lane: Some(lane.to_owned()), ..rule });
            }
        }
        done.push(key);
    }
}

fn rule_to(name: String, hosts: &[&str], service: String) -> Rule {
    let hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    Rule { hosts: (!hosts.is_empty() && hosts != ["*"]).then_some(hosts), ..Rule::new(name, service) }
}
