//! Routes and clusters of a stock Envoy (1.37 or later), which then decides as lane does without any code of lane in it.
//!
//! Conditions become matchers of routes ([`condition`], [`clause`], [`pattern`]), rules become routes of a gateway
//! ([`gateway`]), lookups of a hop those of a sidecar ([`sidecar`]), lanes become clusters ([`clusters`]). What a route
//! cannot find out itself stock filters find out before it is chosen ([`filters`]): members of the baggage, salted
//! keys, percentages. What is left over is reported.

use lane_core::{
    config::{Config, Context, Group, HeaderValues},
    diagnostic::FieldPath,
};
use serde_json::{Value, json};

use super::{Code, ExportOptions, Note, Report};

mod bootstrap;
mod clause;
mod clusters;
mod condition;
mod filters;
mod gateway;
mod module;
mod pattern;
mod route;
mod sidecar;

pub use bootstrap::{Endpoint, EnvoyOptions};

use clusters::Clusters;
use filters::Filters;
use gateway::Gateway;

/// The routes of one listener, and what they need besides.
#[derive(Debug)]
struct Listener {
    name: String,
    filters: Filters,
    virtual_hosts: Vec<Value>,
}

impl Listener {
    const fn new(name: String) -> Self {
        Self { name, filters: Filters::EMPTY, virtual_hosts: Vec::new() }
    }

    fn route_configuration(&self) -> Value {
        json!({
            "name": self.name,
            "virtual_hosts": self.virtual_hosts,
            // Hosts are compared without their port (S13).
            "ignore_port_in_host_matching": true,
        })
    }
}

/// An export in the making.
struct Writer<'e> {
    config: &'e Config,
    options: &'e ExportOptions,
    report: &'e mut Report,
    clusters: Clusters,
    /// Some share of a split leads to nobody.
    needs_nobody: bool,
}

pub(super) fn export(config: &Config, options: &ExportOptions, report: &mut Report) -> Vec<Value> {
    endpoints(config, options, report);
    let names = gateways(config, options);
    let mut writer = Writer { config, options, report, clusters: Clusters::default(), needs_nobody: false };
    let (gateways, sidecar) = if let Some(module) = &options.envoy.module {
        module::assumptions(config, writer.report);
        writer.all_subsets();
        (names.iter().map(|name| writer.module_gateway(name, module)).collect(), writer.module_sidecar(module))
    } else {
        general(config, writer.report);
        let gateways: Vec<Listener> = names.iter().map(|name| writer.gateway(&Gateway { name })).collect();
        let sidecar = writer.sidecar();
        thresholds(config, &writer.clusters, writer.report);
        (gateways, sidecar)
    };
    if options.with_listeners {
        return vec![writer.bootstrap(&gateways, &sidecar)];
    }
    writer.resources(&gateways, &sidecar)
}

impl Writer<'_> {
    /// Resources as a control plane hands them out: files of `path_config_source` look like this.
    fn resources(&mut self, gateways: &[Listener], sidecar: &Listener) -> Vec<Value> {
        let typed = |kind: &str, value: Value| {
            let mut resource = clause::object(json!({ "@type": format!("type.googleapis.com/envoy.config.{kind}") }));
            resource.extend(clause::object(value));
            Value::Object(resource)
        };
        let listeners: Vec<&Listener> = gateways.iter().chain([sidecar]).filter(|listener| !listener.virtual_hosts.is_empty()).collect();
        let routes = listeners.iter().map(|listener| typed("route.v3.RouteConfiguration", listener.route_configuration()));
        let routes: Vec<Value> = routes.collect();
        let mut clusters = self.clusters.write(|_| clusters::Source::Discovered);
        if self.needs_nobody {
            clusters.push(json!({ "name": route::NOBODY, "type": "STATIC" }));
        }
        let clusters: Vec<Value> = clusters.into_iter().map(|cluster| typed("cluster.v3.Cluster", cluster)).collect();
        let mut documents = vec![json!({ "resources": routes }), json!({ "resources": clusters })];
        let needs = listeners.iter().filter_map(|listener| {
            let (filters, http_filters) = (listener.filters.network_filters(), listener.filters.http_filters());
            let needed = !filters.is_empty() || !http_filters.is_empty();
            needed.then(|| json!({ "route_config_name": listener.name, "filters": filters, "http_filters": http_filters }))
        });
        let needs: Vec<Value> = needs.collect();
        let root = FieldPath::root();
        if !needs.is_empty() {
            self.report.assumed(
                &root,
                "the routes need filters in their listeners, which the third document names",
                "put `filters` in front of the connection manager and `http_filters` in front of the router",
            );
        }
        if self.clusters.falls_back() {
            self.report.assumed(
                &root,
                "a lane falls back when no endpoint is healthy; Envoy would begin as soon as some are not",
                "let the endpoints' ClusterLoadAssignment say `policy: {overprovisioning_factor: 100000}`",
            );
        }
        documents.push(json!({ "listeners": needs, "runtime": bootstrap::runtime(self.config) }));
        documents
    }
}

/// The gateways to write: those that groups name, else those of the options, else one.
fn gateways(config: &Config, options: &ExportOptions) -> Vec<String> {
    let named = config.groups.iter().flat_map(|group| group.gateways.iter().flatten());
    // A group that names none holds at every gateway, also at those that no group names.
    let asked = options.gateways.iter().map(|gateway| gateway.rsplit('/').next().unwrap_or(gateway));
    let mut gateways: Vec<String> = Vec::new();
    for name in named.map(String::as_str).chain(asked) {
        if !gateways.iter().any(|known| known == name) {
            gateways.push(name.to_owned());
        }
    }
    if gateways.is_empty() {
        gateways.push("ingressgateway".into());
    }
    gateways
}

/// Endpoints of subsets that there are not.
fn endpoints(config: &Config, options: &ExportOptions, report: &mut Report) {
    for endpoint in &options.envoy.endpoints {
        let has = |group: &Group| {
            let service = group.services.iter().any(|service| service.host == endpoint.service);
            service && group.lanes.iter().any(|lane| lane.name == endpoint.lane && clusters::contains(lane, &endpoint.service))
        };
        if !config.groups.iter().any(has) {
            let message = format!("no lane `{}` holds a service `{}`, for which an endpoint is given", endpoint.lane, endpoint.service);
            let note = Note::new(Code::NothingThere, FieldPath::root(), message);
            report.add(note.help("write the service's host and one of the lanes that contain it"));
        }
    }
}

/// Whether all groups match the lines of a header joined, which Envoy then does, too.
fn joins_lines(config: &Config) -> bool {
    config.groups.iter().all(|group| group.header_values == Some(HeaderValues::Joined))
}

/// What is lost whatever the rules say.
fn general(config: &Config, report: &mut Report) {
    for (number, group) in config.groups.iter().enumerate() {
        let path = FieldPath::root().field("groups").index(number);
        if let Some(Context::TraceId(header)) = &group.context {
            report.lost(
                &path.field("context"),
                format!(
                    "a route table remembers nothing: calls that carry `{header}` and no `{}` go to the baseline",
                    gateway::guiding(group)
                ),
                "let the context be a baggage member, or use the module of lane",
            );
        }
        if group.header_values == Some(HeaderValues::Joined) && !joins_lines(config) {
            report.approximated(
                &path.field("header_values"),
                "Envoy matches each line of a header on its own, for all groups alike",
                "say `header_values: joined` in every group or in none",
            );
        }
    }
}

/// Thresholds of health are not said by Envoy; without a fallback they have no effect (S24).
fn thresholds(config: &Config, clusters: &Clusters, report: &mut Report) {
    for (number, group) in config.groups.iter().enumerate() {
        for (index, service) in group.services.iter().enumerate() {
            let has_fallback = clusters.has_fallback(&group.name, &service.host);
            if service.min_healthy_percent > 0 && has_fallback {
                let path = FieldPath::root().field("groups").index(number).field("services").index(index).field("min_healthy_percent");
                report.lost(
                    &path,
                    "Envoy's aggregate cluster leaves a lane when no endpoint is healthy, not below a share",
                    "leave it out, or use the module of lane",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
