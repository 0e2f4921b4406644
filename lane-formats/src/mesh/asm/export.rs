//! A configuration as ASM's lane groups and lanes.

use lane_core::config::{At, Config, Context, HeaderValues, LaneFrom, Rule};
use serde_json::{Map, Value, json};

use super::{GROUP_LABEL, VERSION};
use crate::mesh::{
    ExportOptions, Report, flat, istio,
    view::{self, GATEWAY, GATEWAY_NAMESPACE, GUIDING_HEADER, View, contains, kubernetes, service_tag, short_names},
};

/// Writes all groups.
pub(in crate::mesh) fn export(config: &Config, options: &ExportOptions, report: &mut Report) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for view in view::views(config) {
        for lane in &view.group.lanes {
            if names.contains(&lane.name.as_str()) {
                let message = format!("another group has a lane `{}`, and ASMSwimLanes have one name in a cluster", lane.name);
                report.lost(&view.lane_path(&lane.name), message, "rename one of the two");
            }
            names.push(&lane.name);
        }
        group(view, options, report, &mut documents);
    }
    documents
}

fn group(view: View<'_>, options: &ExportOptions, report: &mut Report, documents: &mut Vec<Value>) {
    let path = view.path();
    told_once(view, report);
    let mut spec = Map::new();
    spec.insert("services".into(), view.group.services.iter().filter_map(|service| reference(&service.host)).collect());
    let gateway = gateway(view, options, report);
    let mut ingress = Map::from_iter([("gateway".to_owned(), gateway)]);
    spec.insert("isPermissive".into(), json!(view.permissive()));
    if view.permissive() {
        let route = view.guiding();
        let trace = match view.context() {
            Context::Header => route,
            Context::Baggage(_) => "baggage",
            Context::TraceId(header) => header,
        };
        let config = json!({ "fallbackTarget": view.group.baseline, "traceHeader": trace, "routeHeader": route });
        spec.insert("permissiveModeConfiguration".into(), config);
    }
    let rules: Vec<&Rule> = view.rules(At::Gateway).collect();
    let mut by_lane: Vec<Map<String, Value>> = view.group.lanes.iter().map(|_| Map::new()).collect();
    match rules.as_slice() {
        [rule] if rule.split.is_some() => {
            let path = view.rule_path(&rule.name);
            let (hosts, matches) = (hosts(rule), requests(rule, &path, report));
            let mut weighted = Map::from_iter([("hosts".to_owned(), json!(hosts))]);
            if rule.matches.is_some() {
                weighted.insert("requestMatches".into(), json!(matches));
            }
            let routing = json!({ "ingressRoutingStrategy": "weighted", "weightedRoutingRule": weighted });
            // Without a match that is left, the rule would hold for every request.
            if rule.matches.is_none() || !matches.is_empty() {
                ingress.insert("ingressRouting".into(), routing);
                for share in rule.split.iter().flatten() {
                    let lane = view.group.lanes.iter().position(|lane| lane.name == share.lane);
                    if let Some(lane) = lane.and_then(|lane| by_lane.get_mut(lane)) {
                        lane.insert(
                            "ingressWeight".into(),
                            json!({ "destination": { "host": lower(&rule.service) }, "weight": share.weight }),
                        );
                    }
                }
            }
        }
        rules => rule_based(view, rules, report, &mut by_lane),
    }
    for rule in view.rules(At::Hop) {
        report.lost(
            &view.rule_path(&rule.name).field("at"),
            "ASM's lanes have rules at the gateway only",
            "`lane export istio` writes rules of hops",
        );
    }
    if rules.is_empty() {
        report.lost(&path, "an ASM lane group routes requests of a gateway, and this one has no rule at gateways", "add a rule");
    }
    spec.insert("ingress".into(), ingress.into());
    documents.push(json!({ "apiVersion": VERSION, "kind": "ASMSwimLaneGroup", "metadata": { "name": view.group.name }, "spec": spec }));
    for (lane, more) in view.group.lanes.iter().zip(by_lane) {
        let mut spec = Map::from_iter([("labelSelector".to_owned(), json!({ view.tag_label(): service_tag(lane) }))]);
        if lane.services.is_some() {
            let own = view.group.services.iter().filter(|service| contains(lane, &service.host));
            spec.insert("services".into(), own.filter_map(|service| reference(&service.host)).collect());
        }
        spec.extend(more);
        let meta = json!({ "name": lane.name, "labels": { GROUP_LABEL: view.group.name } });
        documents.push(json!({ "apiVersion": VERSION, "kind": "ASMSwimLane", "metadata": meta, "spec": spec }));
    }
}

/// What concerns a group as a whole.
fn told_once(view: View<'_>, report: &mut Report) {
    let path = view.path();
    let group = view.group;
    if !is_resource_name(&group.name) {
        report.lost(&path.field("name"), format!("`{}` is no name of a resource", group.name), "lower-case letters, digits, `-` and `.`");
    }
    for (index, service) in group.services.iter().enumerate() {
        let path = path.field("services").index(index);
        let full = kubernetes(&service.host).map(|(name, namespace)| format!("{name}.{namespace}.svc.cluster.local"));
        if full.is_none_or(|full| !view::same_host(&full, &service.host)) {
            report.lost(
                &path.field("host"),
                format!("`{}` is no Kubernetes service", service.host),
                "write it as `NAME.NAMESPACE.svc.cluster.local`",
            );
        }
        let short = short_names(&lower(&service.host));
        if service.aliases.iter().any(|alias| !short.contains(&lower(alias))) {
            report.lost(&path.field("aliases"), "ASM's lanes know services by their names in Kubernetes alone", "leave the others out");
        }
        if service.min_healthy_percent > 0 {
            let message = "a mesh falls back when no endpoint is healthy, and not before";
            report.lost(&path.field("min_healthy_percent"), message, "leave the field out");
        }
    }
    let usual = view.group.unknown_lane.is_none_or(|_| {
        let plain = lane_core::config::Group { unknown_lane: None, ..group.clone() };
        View { group: &plain, index: view.index }.unknown() == view.unknown()
    });
    if !usual {
        report.lost(&path.field("unknown_lane"), "ASM decides by itself what becomes of unknown lanes", "leave the field out");
    }
    if group.keep_lane {
        report.lost(&path.field("keep_lane"), "ASM's lanes have one gateway and keep nothing", "leave the field out");
    }
    if group.trust_client {
        report.lost(&path.field("trust_client"), "ASM does not know whom to trust with context", "leave the field out");
    }
    if !group.restore_headers.is_empty() {
        report.lost(
            &path.field("restore_headers"),
            "an ASM lane group restores its route header alone",
            "`lane export istio` writes an ASMHeaderPropagation",
        );
    }
    if group.header_values == Some(HeaderValues::Joined) {
        report.lost(&path.field("header_values"), "ASM cannot choose how several lines of one header are matched", "leave the field out");
    }
    if !view.permissive() {
        if group.baseline.is_some() {
            report.lost(
                &path.field("baseline"),
                "strict lane groups of ASM have no baseline",
                "leave the field out, or use `mode: permissive`",
            );
        }
        if !view.guiding().eq_ignore_ascii_case(GUIDING_HEADER) {
            report.lost(&path.field("guiding_header"), format!("strict lane groups of ASM use `{GUIDING_HEADER}`"), "leave the field out");
        }
        if *view.context() != Context::Header {
            report.lost(
                &path.field("context"),
                "strict lane groups of ASM have no context",
                "leave the field out, or use `mode: permissive`",
            );
        }
    }
    if let Context::Baggage(key) = view.context()
        && view.permissive()
    {
        if key != view.guiding() {
            let message = format!("ASM restores a header from the baggage member of its name, and `{key}` is not `{}`", view.guiding());
            report.lost(&path.field("context"), message, "give both one name");
        } else if !group.trust_client {
            let message = "the mesh does not take baggage members away that clients send";
            report.assumed(&path.field("context"), message, "remove the header `baggage` from requests before they reach the gateway");
        }
    }
    for lane in &group.lanes {
        let path = view.lane_path(&lane.name);
        if !is_resource_name(&lane.name) {
            report.lost(
                &path.field("name"),
                format!("`{}` is no name of a resource", lane.name),
                "lower-case letters, digits, `-` and `.`",
            );
        }
        if !lane.labels.is_empty() {
            report.lost(&path.field("labels"), "an ASM lane has one label selector for all services", "give its workloads one label");
        }
        let by_default = group.baseline.iter().filter(|baseline| **baseline != lane.name);
        if lane.fallback.as_ref().is_some_and(|fallback| !fallback.iter().eq(by_default)) {
            report.lost(&path.field("fallback"), "an ASM lane falls back to the baseline alone", "leave the field out");
        }
    }
}

fn gateway(view: View<'_>, options: &ExportOptions, report: &mut Report) -> Value {
    let path = view.path().field("gateways");
    let given = view.group.gateways.as_ref().unwrap_or(&options.gateways);
    let first = given.first().map_or(GATEWAY, String::as_str);
    if given.len() > 1 {
        report.lost(&path, "an ASM lane group has one gateway", "write one group for each gateway");
    }
    if given.is_empty() {
        let message = format!("group `{}` names no gateway; it is written for `{first}`", view.group.name);
        report.assumed(&view.path(), message, "name it as `gateways`, or with `--gateway`");
    }
    let (namespace, name) = first.split_once('/').unwrap_or((GATEWAY_NAMESPACE, first));
    json!({ "name": name, "namespace": namespace, "type": "ASM" })
}

/// Each lane's own rules.
fn rule_based(view: View<'_>, rules: &[&Rule], report: &mut Report, by_lane: &mut [Map<String, Value>]) {
    let by_name = |rule: &Rule| matches!(&rule.lane_from, Some(LaneFrom::Header(name)) if name.eq_ignore_ascii_case(view.guiding()));
    let one_lane = rules.windows(2).all(|pair| matches!(pair, [one, other] if one.lane.is_some() && one.lane == other.lane));
    if !rules.iter().all(|rule| by_name(rule)) && !one_lane {
        let message = "no document says in which order ASM tries the rules of several lanes";
        let help = "let one rule name the lane by the guiding header, or use `lane export istio`";
        report.lost(&view.path().field("rules"), message, help);
    }
    for rule in rules {
        let path = view.rule_path(&rule.name);
        if rule.split.is_some() {
            report.lost(
                &path.field("split"),
                "an ASM lane group either splits all of its requests or has rules",
                "make the split the only rule",
            );
            continue;
        }
        if rule.lane_from.is_some() && !by_name(rule) {
            report.lost(
                &path.field("lane_from"),
                "ASM's lanes are named by the route header alone",
                format!("use the header `{}`", view.guiding()),
            );
            continue;
        }
        let requests = requests(rule, &path, report);
        for (lane, own) in view.group.lanes.iter().zip(by_lane.iter_mut()) {
            if !by_name(rule) && rule.lane.as_ref() != Some(&lane.name) {
                continue;
            }
            for (index, request) in requests.iter().enumerate() {
                let mut request = request.clone();
                let asks_headers = request.get("headers").is_some();
                if by_name(rule) && asks_headers {
                    let headers = request.entry("headers").or_insert_with(|| json!({}));
                    let own = view.guiding().to_ascii_lowercase();
                    if headers.get(&own).is_some() {
                        report.lost(
                            &path.field("match"),
                            "the rule asks for the guiding header and is led by it",
                            "leave the condition out",
                        );
                        continue;
                    }
                    if let Some(headers) = headers.as_object_mut() {
                        headers.insert(own, json!({ "exact": lane.name }));
                    }
                }
                if !by_name(rule) && !asks_headers {
                    let message = "an ASM rule without conditions on headers holds only for requests whose route header names its lane";
                    report.lost(&path, message, "ask for a header, or use `lane export istio`");
                    continue;
                }
                let name = if index == 0 { rule.name.clone() } else { format!("{}-{}", rule.name, index + 1) };
                let mut written = Map::from_iter([
                    ("name".to_owned(), json!(name)),
                    ("online".to_owned(), json!(true)),
                    ("hosts".to_owned(), json!(hosts(rule))),
                ]);
                if !request.is_empty() {
                    written.insert("match".into(), request.into());
                }
                written.insert("route".into(), json!({ "destination": { "host": lower(&rule.service) } }));
                let list = own.entry("ingressRules").or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.push(written.into());
                }
            }
        }
    }
}

/// The rule's conditions as requests of ASM, which ask for `uri` and `headers`.
fn requests(rule: &Rule, path: &lane_core::diagnostic::FieldPath, report: &mut Report) -> Vec<Map<String, Value>> {
    let path = path.field("match");
    let Some(alternatives) = flat::alternatives(rule.matches.as_ref(), &path) else {
        report.lost(&path, "multiplied out, these conditions have more than 256 alternatives", "split the rule");
        return Vec::new();
    };
    let mut requests = Vec::new();
    for tests in alternatives {
        for request in istio::matches(&tests, report).unwrap_or_default() {
            let Value::Object(request) = request else { continue };
            let plain = |value: &Value| value.as_object().is_some_and(|found| !found.is_empty());
            let known = request.keys().all(|key| ["uri", "headers"].contains(&key.as_str()));
            let headers = request.get("headers").and_then(Value::as_object);
            if known && headers.is_none_or(|headers| headers.values().all(plain)) {
                requests.push(request);
            } else if let Some(test) = tests.first() {
                let message = "ASM's lanes ask for `uri` and `headers` by `exact`, `prefix` and `regex` only";
                report.lost(&test.path, message, "`lane export istio` can ask for more");
            }
        }
    }
    requests
}

fn hosts(rule: &Rule) -> Vec<String> {
    rule.hosts.as_ref().map_or_else(|| vec!["*".to_owned()], |hosts| hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
}

/// A Kubernetes service.
fn reference(host: &str) -> Option<Value> {
    kubernetes(host).map(|(name, namespace)| json!({ "name": name.to_ascii_lowercase(), "namespace": namespace.to_ascii_lowercase() }))
}

fn lower(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the text is a DNS subdomain, as names of resources must be.
fn is_resource_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(view::is_dns_label)
}
