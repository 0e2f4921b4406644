//! The variant that loads lane's own module: Envoy asks it for the cluster of each request, and nothing is lost. It needs
//! Envoy 1.40 and `liblane_envoy.so` where `ENVOY_DYNAMIC_MODULES_SEARCH_PATH` leads.

use lane_core::{
    config::{At, Config, Context, Entry, Source},
    diagnostic::FieldPath,
};
use serde_json::{Value, json};

use super::{
    super::Report,
    Listener, Writer,
    clause::object,
    clusters::contains,
    gateway::{guiding, holds_at},
};

/// The clusters' names, which [`super::clusters`] gives them.
const CLUSTER: &str = "{group}/{service}/{lane}";

/// What the module must be told besides, which no configuration knows: at whose side it runs.
pub(super) fn assumptions(config: &Config, report: &mut Report) {
    for (number, group) in config.groups.iter().enumerate() {
        let path = FieldPath::root().field("groups").index(number);
        if matches!(group.context, Some(Context::TraceId(_))) {
            report.assumed(
                &path.field("context"),
                "lanes are remembered for trace ids where requests arrive, too",
                "let the listener in front of each workload ask the module in the role `inbound`",
            );
        }
        for (index, rule) in group.rules.iter().enumerate() {
            let path = path.field("rules").index(index).field("match");
            let at_hop = holds_at(rule, At::Hop);
            for (index, entry) in rule.matches.iter().flatten().enumerate() {
                callers(entry, at_hop, &path.index(index), report);
            }
        }
    }
}

/// Conditions on the caller.
fn callers(entry: &Entry, at_hop: bool, path: &FieldPath, report: &mut Report) {
    let asks = |source: &Source| source.service.is_some() || !source.labels.is_empty() || (at_hop && source.ip.is_some());
    if entry.source.as_ref().is_some_and(asks) {
        report.assumed(
            &path.field("source"),
            "the module knows of its workload what its settings say",
            "add `workload: {service, labels, ip}` to the settings of each sidecar",
        );
    }
    for (name, entries) in [("all", &entry.all), ("any", &entry.any)] {
        for (index, entry) in entries.iter().flatten().enumerate() {
            callers(entry, at_hop, &path.field(name).index(index), report);
        }
    }
    if let Some(entry) = &entry.not {
        callers(entry, at_hop, &path.field("not"), report);
    }
}

impl Writer<'_> {
    /// Every subset gets a cluster: the module chooses among them, and asks each for its healthy endpoints.
    pub(super) fn all_subsets(&mut self) {
        let config = self.config;
        for group in &config.groups {
            for service in &group.services {
                for lane in group.lanes.iter().filter(|lane| contains(lane, &service.host)) {
                    self.clusters.subset(group, &service.host, lane);
                }
            }
        }
    }

    /// The listener of a gateway.
    pub(super) fn module_gateway(&self, name: &str, module: &str) -> Listener {
        let settings = json!({ "role": "gateway", "gateway": name });
        // Only routes can remove headers; the module says again what stays.
        let removed = context_headers(self.config, false);
        self.asking(format!("gateway/{name}"), module, settings, &removed)
    }

    /// The listener of a sidecar.
    pub(super) fn module_sidecar(&self, module: &str) -> Listener {
        self.asking("sidecar".to_owned(), module, json!({ "role": "outbound" }), &[])
    }

    fn asking(&self, name: String, module: &str, settings: Value, removed: &[String]) -> Listener {
        let mut settings = object(settings);
        settings.insert("cluster".into(), json!(CLUSTER));
        if let Some(pass) = &self.options.envoy.pass_cluster {
            settings.insert("pass_cluster".into(), json!(pass));
        }
        // As text: numbers of a protobuf Struct are floating-point.
        settings.insert("plan".into(), json!(serde_json::to_string(self.config).unwrap_or_default()));
        let add = |name: &str, append: &str| json!({ "header": { "key": name, "value": format!("%METADATA(ROUTE:lane:{name})%") }, "append_action": append });
        // The module names what it sets as the plan spells it, and what stays in lower case. What it does not name is empty, and is not set.
        let mut added = Vec::new();
        for name in context_headers(self.config, removed.is_empty()) {
            let lower = name.to_ascii_lowercase();
            if lower != name {
                added.push(add(&lower, "OVERWRITE_IF_EXISTS_OR_ADD"));
            }
            added.push(add(&name, "OVERWRITE_IF_EXISTS_OR_ADD"));
        }
        let specifier = json!({
            "@type": "type.googleapis.com/envoy.extensions.router.cluster_specifiers.dynamic_modules.v3.DynamicModuleClusterSpecifier",
            "dynamic_module_config": { "name": module },
            "specifier_name": name,
            "specifier_config": { "@type": "type.googleapis.com/google.protobuf.Struct", "value": settings },
        });
        let mut route = object(json!({
            "name": "lane",
            "match": { "prefix": "/" },
            "route": { "inline_cluster_specifier_plugin": { "extension": { "name": "lane", "typed_config": specifier } } },
            "request_headers_to_add": added,
            "response_headers_to_add": [add("set-cookie", "APPEND_IF_EXISTS_OR_ADD")],
        }));
        if !removed.is_empty() {
            route.insert("request_headers_to_remove".into(), json!(removed));
        }
        let mut listener = Listener::new(name);
        listener.virtual_hosts.push(json!({ "name": "lane", "domains": ["*"], "routes": [route] }));
        listener
    }
}

/// The headers that the module may set, each once.
fn context_headers(config: &Config, restored: bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let baggage = config.groups.iter().any(|group| matches!(group.context, Some(Context::Baggage(_))) || !group.restore_headers.is_empty());
    let restores = config.groups.iter().filter(|_| restored).flat_map(|group| &group.restore_headers).map(String::as_str);
    for name in config.groups.iter().map(guiding).chain(baggage.then_some("baggage")).chain(restores) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    names
}
