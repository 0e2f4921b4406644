//! The variant that loads lane's own module: Envoy asks it for the cluster of each request, and nothing is lost. It needs
//! Envoy 1.40 and `liblane_envoy.so` where `ENVOY_DYNAMIC_MODULES_SEARCH_PATH` leads.

use lane_core::config::{Config, Context};
use serde_json::{Value, json};

use super::{Listener, Writer, clusters::contains, gateway::guiding};

/// The clusters' names, which [`super::clusters`] gives them.
const CLUSTER: &str = "{group}/{service}/{lane}";

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

    fn asking(&self, name: String, module: &str, mut settings: Value, removed: &[String]) -> Listener {
        settings["cluster"] = json!(CLUSTER);
        if let Some(pass) = &self.options.envoy.pass_cluster {
            settings["pass_cluster"] = json!(pass);
        }
        // As text: numbers of a protobuf Struct are floating-point.
        settings["plan"] = json!(serde_json::to_string(self.config).unwrap_or_default());
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
        let mut route = json!({
            "name": "lane",
            "match": { "prefix": "/" },
            "route": { "inline_cluster_specifier_plugin": { "extension": { "name": "lane", "typed_config": specifier } } },
            "request_headers_to_add": added,
            "response_headers_to_add": [add("set-cookie", "APPEND_IF_EXISTS_OR_ADD")],
        });
        if !removed.is_empty() {
            route["request_headers_to_remove"] = json!(removed);
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
