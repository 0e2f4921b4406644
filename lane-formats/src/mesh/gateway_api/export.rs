//! A configuration as HTTPRoutes, made of its VirtualServices.

use std::collections::BTreeSet;

use lane_core::{config::Config, diagnostic::FieldPath};
use serde_json::{Map, Value, json};

use super::{
    GROUP,
    precedence::{Specificity, apart},
};
use crate::mesh::{
    ExportOptions, Report, istio,
    view::{self, View, slug},
};

/// How many rules an HTTPRoute may have.
const MAX_RULES: usize = 16;
/// Where the Services listen, which lane does not know.
const PORT: u16 = 80;

/// Writes all groups.
pub(in crate::mesh) fn export(config: &Config, options: &ExportOptions, report: &mut Report) -> Vec<Value> {
    let before = report.notes.len();
    let upstream = ExportOptions { upstream: true, ..options.clone() };
    report.nothing_is_asked_for();
    let documents = istio::export(config, &upstream, report);
    // What is said of Istio holds here too.
    for note in report.notes.iter_mut().skip(before) {
        for (one, other) in [
            ("upstream Istio", "the Gateway API"),
            ("Istio's", "the Gateway API's"),
            ("Istio", "the Gateway API"),
            ("VirtualService", "HTTPRoute"),
            ("ASM", "a mesh"),
        ] {
            note.message = note.message.replace(one, other);
        }
    }
    let views = view::views(config);
    let mut writer = Writer { report, views: &views, documents: Vec::new(), hosts: hosts(config) };
    for document in &documents {
        match document.get("kind").and_then(Value::as_str) {
            Some("DestinationRule") => writer.services(document),
            Some("VirtualService") => writer.routes(document),
            _ => {}
        }
    }
    for view in &views {
        let message = format!(
            "the Services of group `{}` select workloads by the label `app` besides the lane's, and listen at port {PORT}",
            view.group.name
        );
        writer.report.assumed(&view.path().field("services"), message, "set `selector` and `port` to what your Services have");
        if view.group.lanes.len() > 1 || !view.permissive() {
            let message =
                "the Gateway API does not know the caller's own lane; a call without the guiding header counts as one without a lane";
            writer.report.lost(
                &view.path().field("mode"),
                message,
                "the applications must pass the header on; then `--lossy` loses nothing by this",
            );
        }
    }
    writer.documents
}

fn hosts(config: &Config) -> Vec<(String, usize)> {
    let of = |(index, group): (usize, &lane_core::config::Group)| {
        group.services.iter().map(move |service| (service.host.to_ascii_lowercase(), index)).collect::<Vec<_>>()
    };
    config.groups.iter().enumerate().flat_map(of).collect()
}

struct Writer<'w, 'c> {
    report: &'w mut Report,
    views: &'w [View<'c>],
    documents: Vec<Value>,
    hosts: Vec<(String, usize)>,
}

impl Writer<'_, '_> {
    /// A Service for each subset.
    fn services(&mut self, rule: &Value) {
        let host = text(rule, "/spec/host").to_owned();
        let Some((name, namespace)) = view::kubernetes(&host) else {
            let path = self.path_of(&host);
            self.report.lost(&path, format!("`{host}` is no Kubernetes service"), "write it as `NAME.NAMESPACE.svc.cluster.local`");
            return;
        };
        for subset in list(rule, "/spec/subsets") {
            let mut selector = Map::from_iter([("app".to_owned(), json!(name))]);
            selector.extend(subset.get("labels").and_then(Value::as_object).cloned().unwrap_or_default());
            let mut labels = rule.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
            if let Some(labels) = labels.as_object_mut() {
                labels.insert("app".into(), json!(name));
            }
            let meta = json!({ "name": backend(name, text(subset, "/name")), "namespace": namespace, "labels": labels });
            let spec = json!({ "selector": selector, "ports": [{ "name": "http", "port": PORT }] });
            self.documents.push(json!({ "apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec }));
        }
    }

    /// The HTTPRoutes of a VirtualService.
    fn routes(&mut self, service: &Value) {
        let gateways = list(service, "/spec/gateways");
        let inside = gateways.is_empty();
        let hosts: Vec<&str> = list(service, "/spec/hosts").iter().filter_map(Value::as_str).collect();
        let parents: Vec<Value> = if inside {
            let Some((name, namespace)) = hosts.first().and_then(|host| view::kubernetes(host)) else { return };
            if hosts.len() > 1 {
                let path = hosts.first().map_or_else(FieldPath::root, |host| self.path_of(host));
                self.report.lost(
                    &path,
                    "a route inside the mesh is attached to a Service, and holds for no other name",
                    "leave the aliases out",
                );
            }
            vec![json!({ "group": "", "kind": "Service", "name": name, "namespace": namespace })]
        } else {
            let parent = |gateway: &Value| {
                let name = gateway.as_str().unwrap_or_default();
                let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
                json!({ "name": name, "namespace": namespace })
            };
            gateways.iter().map(parent).collect()
        };
        if let Some(address) = hosts
            .iter()
            .find(|host| host.rsplit('.').next().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())))
        {
            let message = format!("`{address}` is an address, and the Gateway API's hostnames are names");
            self.report.lost(&FieldPath::root().field("groups"), message, "ask for the gateway by a name");
            return;
        }
        let mut rules: Vec<Map<String, Value>> = Vec::new();
        for route in list(service, "/spec/http") {
            rules.extend(self.rule(route, inside));
        }
        self.order(&rules);
        let many = rules.len() > MAX_RULES;
        for (index, chunk) in rules.chunks(MAX_RULES).enumerate() {
            let mut spec = Map::from_iter([("parentRefs".to_owned(), json!(parents))]);
            if !inside && !hosts.contains(&"*") {
                spec.insert("hostnames".into(), json!(hosts));
            }
            let written: Vec<Value> = chunk
                .iter()
                .map(|rule| {
                    rule.iter()
                        .filter(|(key, _)| *key != RULE)
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect::<Map<_, _>>()
                        .into()
                })
                .collect();
            spec.insert("rules".into(), json!(written));
            let mut meta = service.pointer("/metadata").cloned().unwrap_or_else(|| json!({}));
            if many && let Some(meta) = meta.as_object_mut() {
                // Among routes that ask for as much, the first by name comes first.
                meta.insert("name".into(), json!(format!("{}-{index:03}", text(service, "/metadata/name"))));
            }
            self.documents.push(json!({ "apiVersion": format!("{GROUP}/v1"), "kind": "HTTPRoute", "metadata": meta, "spec": spec }));
        }
    }

    /// A route as a rule; none, and a note, for what is none.
    fn rule(&mut self, route: &Value, inside: bool) -> Option<Map<String, Value>> {
        let name = route.get("name").and_then(Value::as_str).unwrap_or_default();
        let path = self.path_of_route(route, name);
        let mut rule = Map::new();
        rule.insert(RULE.into(), json!(path.to_string()));
        let mut matches: Vec<Value> = Vec::new();
        if let Some(requests) = route.get("match").and_then(Value::as_array) {
            // The caller's own lane is told once, for the group.
            if inside
                && requests.iter().all(|request| request.as_object().is_some_and(|asked| asked.keys().all(|key| key == "sourceLabels")))
            {
                return None;
            }
            for (index, request) in requests.iter().enumerate() {
                let before = index.checked_sub(1).and_then(|index| requests.get(index));
                if before.is_some_and(|before| below(before, request).is_some()) {
                    continue;
                }
                let under = requests.get(index + 1).and_then(|next| below(request, next));
                matches.extend(self.request(request, under, &path));
            }
            if matches.is_empty() {
                return None;
            }
        }
        if let Some(status) = route.pointer("/directResponse/status") {
            // Requests that nothing takes get 404 without a rule.
            let helps = format!("the Gateway API answers nothing by itself, and this answers {status}");
            self.report.lost(&path, helps, "let unknown lanes go to the baseline, and give lanes a fallback");
            return None;
        }
        let targets = list(route, "/route");
        let single = targets.len() == 1;
        let mut backends = Vec::new();
        for target in targets {
            let host = text(target, "/destination/host");
            let (service, namespace) = view::kubernetes(host)?;
            let mut reference = Map::from_iter([
                ("name".to_owned(), json!(backend(service, text(target, "/destination/subset")))),
                ("namespace".to_owned(), json!(namespace)),
                ("port".to_owned(), json!(PORT)),
            ]);
            let weight = target.get("weight").and_then(Value::as_u64);
            if let Some(weight) = weight.filter(|_| !single) {
                if weight > 1_000_000 {
                    self.report.lost(&path, "the Gateway API's weights end at 1000000", "make all weights of the split smaller");
                    return None;
                }
                reference.insert("weight".into(), json!(weight));
            }
            let filters = filters(target);
            if !filters.is_empty() {
                if single {
                    rule.insert("filters".into(), json!(filters))
                } else {
                    reference.insert("filters".into(), json!(filters))
                };
            }
            backends.push(Value::Object(reference));
        }
        if !matches.is_empty() {
            rule.insert("matches".into(), json!(matches));
        }
        rule.insert("backendRefs".into(), json!(backends));
        Some(rule)
    }

    /// An `HTTPMatchRequest` as an `HTTPRouteMatch`; `under` is the path below which it holds, where two make one.
    fn request(&mut self, request: &Value, under: Option<String>, path: &FieldPath) -> Option<Value> {
        let request = request.as_object()?;
        let mut written = Map::new();
        let mut lost = |what: String, help: &str| {
            self.report.lost(path, what, help);
            None
        };
        for (field, value) in request {
            match field.as_str() {
                "uri" => {
                    let exact = value.get("exact").and_then(Value::as_str);
                    let prefix = value.get("prefix").and_then(Value::as_str);
                    let (kind, value) = match (&under, exact, prefix) {
                        (Some(under), ..) => ("PathPrefix", under.as_str()),
                        (None, Some(exact), _) => ("Exact", exact),
                        (None, None, Some("/")) => ("PathPrefix", "/"),
                        _ => {
                            return lost(
                                "paths are matched whole or by their segments, and regular expressions differ between gateways".into(),
                                "use `exact` or `segments`",
                            );
                        }
                    };
                    if !value.starts_with('/') || value.contains("//") || value.contains("/.") || value.contains('#') || value.contains('%')
                    {
                        return lost(
                            format!("`{value}` is no path of the Gateway API"),
                            "write a path that begins with `/`, without empty segments, dots and escapes",
                        );
                    }
                    written.insert("path".into(), json!({ "type": kind, "value": value }));
                }
                "method" => {
                    let method = value.get("exact").and_then(Value::as_str);
                    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
                    match method.filter(|method| known.contains(method)) {
                        Some(method) => written.insert("method".into(), json!(method)),
                        None => {
                            return lost(
                                "the Gateway API takes one of the standard methods".into(),
                                "write each method with `exact`, in an entry of its own",
                            );
                        }
                    };
                }
                "headers" | "queryParams" => {
                    let mut all = Vec::new();
                    for (name, value) in value.as_object().into_iter().flatten() {
                        let exact = value.get("exact").and_then(Value::as_str).filter(|text| !text.is_empty());
                        let regex = value.get("regex").and_then(Value::as_str);
                        all.push(match (exact, regex) {
                            (Some(exact), _) => json!({ "type": "Exact", "name": name, "value": exact }),
                            // These mean the same in every flavour, matched whole or anywhere.
                            (None, Some(".+")) => json!({ "type": "RegularExpression", "name": name, "value": ".+" }),
                            (None, None) if value.as_object().is_some_and(Map::is_empty) => {
                                json!({ "type": "RegularExpression", "name": name, "value": ".*" })
                            }
                            _ => {
                                return lost(
                                    format!("`{name}` can be compared by equality only: regular expressions differ between gateways"),
                                    "use `exact` or `present`",
                                );
                            }
                        });
                    }
                    written.insert(field.clone(), json!(all));
                }
                "withoutHeaders" => {
                    return lost(
                        "the Gateway API cannot ask what a header is not".into(),
                        "turn the rules around: one for the header first",
                    );
                }
                "sourceLabels" => return lost("the Gateway API does not know callers' labels".into(), "have the caller send a header"),
                _ => return lost("the Gateway API always regards case in paths".into(), "leave `ignore_case` out"),
            }
        }
        Some(written.into())
    }

    /// Tells where the order of rules is not the order in which they are tried.
    fn order(&mut self, rules: &[Map<String, Value>]) {
        let empty = Map::new();
        let mut all: Vec<(&str, Vec<&Map<String, Value>>)> = Vec::new();
        for rule in rules {
            let matches = rule
                .get("matches")
                .and_then(Value::as_array)
                .map_or_else(|| vec![&empty], |all| all.iter().filter_map(Value::as_object).collect());
            all.push((rule.get(RULE).and_then(Value::as_str).unwrap_or_default(), matches));
        }
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (index, (_, later)) in all.iter().enumerate().skip(1) {
            let Some((path, _)) = all.get(index) else { continue };
            let turned = all
                .iter()
                .take(index)
                .flat_map(|(_, earlier)| earlier)
                .any(|one| later.iter().any(|other| Specificity::of(other) > Specificity::of(one) && !apart(one, other)));
            if turned && told.insert(path) {
                let message = "a rule before asks for less, and the Gateway API tries this one first";
                let path = self
                    .views
                    .iter()
                    .flat_map(|view| view.group.rules.iter().map(|rule| view.rule_path(&rule.name)))
                    .find(|known| known.to_string() == *path);
                let path = path.unwrap_or_else(|| FieldPath::root().field("groups"));
                self.report.lost(&path, message, "let the two never hold for one request, or put the one that asks for more first");
            }
        }
    }

    fn path_of(&self, host: &str) -> FieldPath {
        let found =
            self.hosts.iter().find(|(name, _)| name == host).and_then(|(_, index)| self.views.iter().find(|view| view.index == *index));
        found.map_or_else(|| FieldPath::root().field("groups"), |view| view.path().field("services"))
    }

    /// The rule from which a route was made; of routes that are no rule's, the group.
    fn path_of_route(&self, route: &Value, name: &str) -> FieldPath {
        let host = text(route, "/route/0/destination/host");
        let group =
            self.hosts.iter().find(|(known, _)| known == host).and_then(|(_, index)| self.views.iter().find(|view| view.index == *index));
        match group.or_else(|| self.views.first()) {
            Some(view) if view.group.rules.iter().any(|rule| rule.name == name) => view.rule_path(name),
            Some(view) => view.path(),
            None => FieldPath::root(),
        }
    }
}

/// A field of rules that is not written: whose they are.
const RULE: &str = "\u{0}rule";

/// The path below which two requests hold together: it is one's, and below it the other's.
fn below(one: &Value, other: &Value) -> Option<String> {
    let exact = one.pointer("/uri/exact")?.as_str()?;
    let prefix = other.pointer("/uri/prefix")?.as_str()?;
    let rest = |value: &Value| -> Map<String, Value> {
        value.as_object().into_iter().flatten().filter(|(key, _)| *key != "uri").map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    (prefix.strip_suffix('/') == Some(exact) && rest(one) == rest(other)).then(|| exact.to_owned())
}

/// Header operations as filters.
fn filters(target: &Value) -> Vec<Value> {
    let set = target.pointer("/headers/request/set").and_then(Value::as_object);
    let remove = target.pointer("/headers/request/remove").filter(|names| names.as_array().is_some_and(|names| !names.is_empty()));
    let mut modifier = Map::new();
    if let Some(set) = set {
        modifier.insert("set".into(), set.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect());
    }
    if let Some(remove) = remove {
        modifier.insert("remove".into(), remove.clone());
    }
    if modifier.is_empty() { Vec::new() } else { vec![json!({ "type": "RequestHeaderModifier", "requestHeaderModifier": modifier })] }
}

/// The Service that stands for a subset.
fn backend(service: &str, subset: &str) -> String {
    let name = format!("{service}-{subset}");
    if name.len() <= 63 { name } else { slug(&view::subset_name(&name)) }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
