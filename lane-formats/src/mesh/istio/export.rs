//! A configuration as Istio's resources: which documents there are, and what each route does.

use std::collections::BTreeSet;

use lane_core::{
    config::{At, Config, Context, HeaderValues, Lane, LaneFrom, Rule, Share, UnknownLane},
    diagnostic::FieldPath,
};
use serde_json::{Map, Value, json};

use super::condition::{Side, matches};
use crate::mesh::{
    ExportOptions, Report,
    flat::{self, Attribute, Kind, Test},
    view::{self, Names, View, contains, kubernetes, service_tag, short_names, slug, subset_name},
};

mod gateway;
mod mesh;

const ASM: &str = "istio.alibabacloud.com";
/// The label by which ASM joins lanes to their group; here it names the group of every resource.
pub(in crate::mesh) const GROUP_LABEL: &str = "swimlane-group";

/// Weights are 32-bit integers with a sign.
const MAX_WEIGHT: u32 = i32::MAX as u32;

/// Writes all groups.
pub(in crate::mesh) fn export(config: &Config, options: &ExportOptions, report: &mut Report) -> Vec<Value> {
    let mut writer = Writer { options, report, views: view::views(config), names: Names::default(), documents: Vec::new() };
    let mut taken: Vec<&str> = Vec::new();
    for view in writer.views.clone() {
        writer.told_once(view);
        writer.labels(view);
        for (index, service) in view.group.services.iter().enumerate() {
            let path = view.path().field("services").index(index);
            if let Some(other) = taken.iter().find(|other| view::same_host(other, &service.host)) {
                let message = format!("`{other}` is in a group before, and a mesh routes one host by one VirtualService");
                writer.report.lost(&path, message, "put the service's lanes into one group");
                continue;
            }
            if !writer.fits(&service.host, &path.field("host")) {
                continue;
            }
            taken.push(&service.host);
            writer.destination_rule(view, &service.host);
        }
    }
    gateway::write(&mut writer);
    for view in writer.views.clone() {
        mesh::write(&mut writer, view, &taken);
    }
    writer.documents
}

/// What is written, and what it is written from.
struct Writer<'w, 'c> {
    options: &'w ExportOptions,
    report: &'w mut Report,
    views: Vec<View<'c>>,
    names: Names,
    documents: Vec<Value>,
}

impl<'c> Writer<'_, 'c> {
    /// What concerns a group as a whole.
    fn told_once(&mut self, view: View<'_>) {
        let path = view.path();
        for (index, service) in view.group.services.iter().enumerate() {
            if service.min_healthy_percent > 0 {
                let path = path.field("services").index(index).field("min_healthy_percent");
                self.report.lost(&path, "a mesh falls back when no endpoint is healthy, and not before", "leave the field out");
            }
        }
        if view.group.header_values == Some(HeaderValues::Joined) {
            let help = "leave the field out where the mesh's Envoy is of version 1.39 or later";
            self.report.lost(&path.field("header_values"), "Istio cannot choose how several lines of one header are matched", help);
        }
        let carries_baggage = matches!(view.context(), Context::Baggage(_)) || !view.group.restore_headers.is_empty();
        if view.group.trust_client && (carries_baggage || self.views.len() > 1) {
            let help = "leave the field out; the mesh's gateways set the guiding header and trust nobody";
            self.report.lost(&path.field("trust_client"), "Istio does not know whom to trust with context", help);
        } else if carries_baggage && !self.options.upstream {
            let message = "the mesh does not take baggage members away that clients send";
            self.report.assumed(&path.field("context"), message, "remove the header `baggage` from requests before they reach the gateway");
        }
    }

    /// Resources that carry the lane along the chain: ASM's alone.
    fn labels(&mut self, view: View<'_>) {
        let path = view.path();
        let guiding = view.guiding();
        let mut from: Vec<String> = Vec::new();
        let mut restored: Vec<&str> = Vec::new();
        match view.context() {
            Context::Header => {}
            Context::TraceId(header) if ["traceparent", "b3"].contains(&&*header.to_ascii_lowercase()) => {
                let message = format!("ASM compares the whole of `{header}`, which changes at every hop");
                self.report.lost(&path.field("context"), message, "use a header that holds the trace id alone, for example `x-b3-traceid`");
            }
            Context::TraceId(header) => from.push(format!("$getExternalInboundRequestHeader({header}, {guiding})")),
            Context::Baggage(key) if key == guiding => restored.push(key),
            Context::Baggage(key) => {
                let message = format!("ASM restores a header from the baggage member of its name, and `{key}` is not `{guiding}`");
                self.report.lost(&path.field("context"), message, "give both one name");
            }
        }
        restored.extend(view.group.restore_headers.iter().map(String::as_str));
        if !view.permissive() {
            from.push(format!("$getLabel({})", view.tag_label()));
        }
        if self.options.upstream {
            if *view.context() != Context::Header {
                let message = format!("upstream Istio does not restore `{guiding}` along the chain");
                self.report.left_out(&path.field("context"), message, "the applications must pass the header on");
            }
            if !view.group.restore_headers.is_empty() {
                let message = "upstream Istio restores no headers from baggage";
                self.report.left_out(&path.field("restore_headers"), message, "the applications must pass the headers on");
            }
            return;
        }
        if !from.is_empty() {
            let rules = json!([{ "labels": [{ "name": guiding, "valueFrom": from }] }]);
            for namespace in namespaces(view) {
                let meta = self.metadata(&slug(&view.group.name), Some(view), Some(&namespace));
                self.push(&format!("{ASM}/v1"), "TrafficLabel", meta, json!({ "rules": rules }));
            }
        }
        if !restored.is_empty() {
            for namespace in namespaces(view) {
                let meta = self.metadata(&format!("{}-propagation", slug(&view.group.name)), Some(view), Some(&namespace));
                self.push(&format!("{ASM}/v1beta1"), "ASMHeaderPropagation", meta, json!({ "headers": restored }));
            }
        }
    }

    /// Whether the host can be one of Istio's.
    fn fits(&mut self, host: &str, path: &FieldPath) -> bool {
        let is_address =
            host.starts_with('[') || host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if is_address {
            self.report.lost(
                path,
                format!("`{host}` is an address, and Istio's destinations are names"),
                "give the service a ServiceEntry with a name",
            );
        }
        !is_address
    }

    fn destination_rule(&mut self, view: View<'_>, host: &str) {
        let subsets: Vec<Value> = view
            .group
            .lanes
            .iter()
            .filter(|lane| contains(lane, host))
            .map(|lane| json!({ "name": subset_name(&lane.name), "labels": view.labels(lane, host) }))
            .collect();
        let base = format!("{}-{}", slug(&view.group.name), slug(kubernetes(host).map_or(host, |(name, _)| name)));
        let meta = self.metadata(&base, Some(view), kubernetes(host).map(|(_, namespace)| namespace));
        self.push("networking.istio.io/v1", "DestinationRule", meta, json!({ "host": lower(host), "subsets": subsets }));
    }

    /// A destination for the lane, with its fallback; none, and a note, where nobody would serve.
    fn destination(&mut self, view: View<'c>, host: &str, lane: &'c Lane) -> Option<Map<String, Value>> {
        let candidates = view.candidates(lane, host);
        let to = |lane: &Lane| json!({ "host": lower(host), "subset": subset_name(&lane.name) });
        let mut destination = Map::new();
        let mut candidates = candidates.into_iter();
        destination.insert("destination".into(), to(candidates.next()?));
        if let Some(fallback) = candidates.next() {
            if self.options.upstream {
                let message =
                    format!("upstream Istio has no fallback: while no endpoint of lane `{}` is healthy, its requests get 503", lane.name);
                self.report.left_out(&view.lane_path(&lane.name), message, "keep an endpoint alive, or take the lane's rules out first");
            } else {
                destination.insert("fallback".into(), json!({ "target": to(fallback) }));
            }
        }
        if let Some(next) = candidates.next() {
            let message = format!("ASM follows one fallback, so `{}` is never asked after it", next.name);
            self.report.lost(&view.lane_path(&lane.name).field("fallback"), message, "name one lane that serves, or the baseline alone");
        }
        Some(destination)
    }

    /// The routes of a rule: one for each thing that it may do.
    fn rule(&mut self, view: View<'c>, rule: &'c Rule, side: Side, remove: &[String]) -> Vec<Value> {
        let path = view.rule_path(&rule.name);
        let Some(alternatives) = flat::alternatives(rule.matches.as_ref(), &path.field("match")) else {
            self.report.lost(&path.field("match"), "multiplied out, these conditions have more than 256 alternatives", "split the rule");
            return Vec::new();
        };
        let all_hold = alternatives.iter().any(Vec::is_empty);
        let mut routes = Vec::new();
        let mut route = |writer: &mut Self, more: Option<Test>, to: Option<Value>| {
            let Some(to) = to else { return };
            if to.get("directResponse").is_some() {
                let message = format!("nobody serves `{}` for the lane, and the mesh would not know that it is the lane's", rule.service);
                writer.report.lost(&path, message, "give the lane a fallback, or the rule another service");
                return;
            }
            let mut requests = Vec::new();
            for tests in &alternatives {
                let mut tests = tests.clone();
                tests.extend(more.clone());
                requests.extend(matches(&tests, side, writer.report).unwrap_or_default());
            }
            let mut written = Map::new();
            written.insert("name".into(), json!(rule.name));
            if all_hold && more.is_none() {
                // No match holds for every request.
            } else if requests.is_empty() {
                return;
            } else {
                written.insert("match".into(), json!(requests));
            }
            if let Value::Object(to) = to {
                written.extend(to);
            }
            routes.push(written.into());
        };
        if side == Side::Gateway && view.group.keep_lane {
            for lane in &view.group.lanes {
                let to = self.lane(view, &rule.service, lane, Some(&lane.name), remove, &path);
                route(self, Some(named(Attribute::Header(view.guiding().to_owned()), &lane.name, &path)), to);
            }
        }
        if let Some(lane) = rule.lane.as_ref().and_then(|name| view.lane(name)) {
            let to = self.lane(view, &rule.service, lane, Some(&lane.name), remove, &path.field("lane"));
            route(self, None, to);
        } else if let Some(from) = &rule.lane_from {
            let attribute = match from {
                LaneFrom::Header(name) => Attribute::Header(name.clone()),
                LaneFrom::Cookie(name) => Attribute::Cookie(name.clone()),
                LaneFrom::Query(name) => Attribute::Query(name.clone()),
                LaneFrom::Baggage(key) => Attribute::Baggage(key.clone()),
            };
            if let LaneFrom::Header(name) = from
                && !name.eq_ignore_ascii_case(view.guiding())
            {
                let help = "a request with several lines of it may be taken otherwise";
                self.report.approximated(
                    &path.field("lane_from"),
                    format!("any line of `{name}` may name the lane, not just the first"),
                    help,
                );
            }
            for lane in &view.group.lanes {
                let to = self.lane(view, &rule.service, lane, Some(&lane.name), remove, &path);
                route(self, Some(named(attribute.clone(), &lane.name, &path.field("lane_from"))), to);
            }
        } else if let Some(split) = &rule.split {
            if rule.sticky.is_some() {
                let message = "Istio draws anew for each request: it has no sticky split";
                self.report.lost(
                    &path.field("sticky"),
                    message,
                    "`lane export envoy` has `method: ranges`; the modules for proxies have all of it",
                );
            }
            let to = self.split(view, &rule.service, split, remove, &path.field("split"));
            route(self, None, to);
        }
        routes
    }

    fn split(&mut self, view: View<'c>, host: &str, split: &'c [Share], remove: &[String], path: &FieldPath) -> Option<Value> {
        let mut destinations = Vec::new();
        for (index, share) in split.iter().enumerate() {
            let path = path.index(index);
            if share.weight > MAX_WEIGHT {
                self.report.lost(
                    &path.field("weight"),
                    format!("Istio's weights end at {MAX_WEIGHT}"),
                    "make all weights of the split smaller",
                );
                return None;
            }
            // Zero weights are never drawn, and Istio drops them.
            if share.weight == 0 {
                continue;
            }
            let lane = view.lane(&share.lane)?;
            let Some(mut destination) = self.destination(view, host, lane) else {
                let message = format!("nobody serves `{host}` for lane `{}`, and a part of a split cannot be 503", lane.name);
                self.report.lost(&path, message, "give the lane a fallback, or leave it out of the split");
                return None;
            };
            destination.insert("weight".into(), json!(share.weight));
            destination.insert("headers".into(), operations(Some((view.guiding(), &lane.name)), remove));
            destinations.push(Value::Object(destination));
        }
        Some(json!({ "route": destinations }))
    }

    /// What a route does that leads into a lane: `set` is what it sets the guiding header to.
    fn lane(
        &mut self,
        view: View<'c>,
        host: &str,
        lane: &'c Lane,
        set: Option<&str>,
        remove: &[String],
        path: &FieldPath,
    ) -> Option<Value> {
        let _ = path;
        let Some(mut destination) = self.destination(view, host, lane) else { return Some(json!({ "directResponse": { "status": 503 } })) };
        let operations = operations(set.map(|name| (view.guiding(), name)), remove);
        if operations != json!({}) {
            destination.insert("headers".into(), operations);
        }
        Some(json!({ "route": [destination] }))
    }

    fn metadata(&mut self, base: &str, view: Option<View<'_>>, namespace: Option<&str>) -> Value {
        let namespace = self.options.namespace.as_deref().or(namespace).unwrap_or("default");
        let mut meta = Map::new();
        // Names are unique over kinds too, so that no one has to look twice.
        meta.insert("name".into(), json!(self.names.unique(base)));
        meta.insert("namespace".into(), json!(namespace));
        if let Some(view) = view {
            meta.insert("labels".into(), json!({ GROUP_LABEL: view.group.name }));
        }
        meta.into()
    }

    fn push(&mut self, version: &str, kind: &str, metadata: Value, spec: Value) {
        self.documents.push(json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec }));
    }
}

/// Header operations of a destination.
fn operations(set: Option<(&str, &str)>, remove: &[String]) -> Value {
    let mut request = Map::new();
    if let Some((name, value)) = set {
        request.insert("set".into(), json!({ name: value }));
    }
    if !remove.is_empty() {
        request.insert("remove".into(), json!(remove));
    }
    if request.is_empty() { json!({}) } else { json!({ "request": request }) }
}

/// The test that an attribute names this lane.
fn named(attribute: Attribute, lane: &str, path: &FieldPath) -> Test {
    Test { attribute, path: path.clone(), or_missing: false, not: false, ignore_case: false, kind: Kind::Exact(lane.to_owned()) }
}

/// The namespaces in which the group's services are.
fn namespaces(view: View<'_>) -> BTreeSet<String> {
    let of_hosts = view.group.services.iter().filter_map(|service| kubernetes(&service.host));
    let mut namespaces: BTreeSet<String> = of_hosts.map(|(_, namespace)| namespace.to_owned()).collect();
    if namespaces.is_empty() {
        namespaces.insert("default".into());
    }
    namespaces
}

fn lower(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}
