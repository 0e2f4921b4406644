//! A whole bootstrap that runs at once: a listener for each gateway and one for the calls of services, all on loopback,
//! and, for subsets without endpoints, listeners that answer with what reached them.

use lane_core::config::{Config, Context};
use serde_json::{Map, Value, json};

use super::{
    Listener, Writer,
    clusters::{Source, Subset},
    gateway::guiding,
    route::{NOBODY, verbatim},
};

/// Envoy as `lane export envoy` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyOptions {
    /// The address on which a bootstrap listens. Default: 127.0.0.1.
    pub address: String,
    /// The port of the first gateway; further gateways follow. Default: 10000.
    pub gateway_port: u16,
    /// The port for calls of services. Default: 15001.
    pub sidecar_port: u16,
    /// The port of the first listener that stands in for a subset; further ones follow. Default: 20000.
    pub echo_port: u16,
    /// The port of Envoy's admin page. Default: 9901.
    pub admin_port: u16,
    /// Endpoints of subsets; others get a listener that answers with what reached it.
    pub endpoints: Vec<Endpoint>,
    /// Whether endpoints are asked every second whether they take connections.
    pub health_checks: bool,
    /// The cluster for requests that are none of the lanes' business. Default: they get 404.
    pub pass_cluster: Option<String>,
    /// A header whose decimal value is the roll of splits that have no key, for tests. Default: Envoy's own random number.
    pub roll_header: Option<String>,
    /// The name of lane's dynamic module, which then decides. Default: stock Envoy decides, by its routes.
    pub module: Option<String>,
}

impl Default for EnvoyOptions {
    fn default() -> Self {
        Self {
            address: "127.0.0.1".into(),
            gateway_port: 10_000,
            sidecar_port: 15_001,
            echo_port: 20_000,
            admin_port: 9901,
            endpoints: Vec::new(),
            health_checks: true,
            pass_cluster: None,
            roll_header: None,
            module: None,
        }
    }
}

/// One endpoint of a subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service's host.
    pub service: String,
    /// The lane.
    pub lane: String,
    /// Its IP address; none says that the subset has no endpoints.
    pub address: Option<(String, u16)>,
    /// Whether it may be used.
    pub healthy: bool,
}

/// What Envoy must be told about regular expressions: it refuses longer ones than a few words unless asked.
pub(super) fn runtime(config: &Config) -> Value {
    let mut runtime = Map::new();
    runtime.insert("re2.max_program_size.error_level".into(), json!(100_000));
    if super::joins_lines(config) {
        runtime.insert("envoy.reloadable_features.match_headers_individually".into(), json!(false));
    }
    Value::Object(runtime)
}

impl Writer<'_> {
    /// The bootstrap.
    pub(super) fn bootstrap(&mut self, gateways: &[Listener], sidecar: &Listener) -> Value {
        let options = &self.options.envoy;
        let address = options.address.as_str();
        let mut listeners = Vec::new();
        for (listener, port) in gateways.iter().zip(options.gateway_port..) {
            listeners.push(listening(listener, address, port));
        }
        listeners.push(listening(sidecar, address, options.sidecar_port));

        let mut echoes = Vec::new();
        let mut port = options.echo_port;
        let shown = shown_headers(self.config);
        let mut clusters = self.clusters.write(|subset| {
            let own = || options.endpoints.iter().filter(|endpoint| endpoint.service == subset.host && endpoint.lane == subset.lane);
            if own().next().is_some() {
                let endpoints = own().filter_map(|endpoint| {
                    let (address, port) = endpoint.address.as_ref()?;
                    let health = if endpoint.healthy { "HEALTHY" } else { "UNHEALTHY" };
                    Some(json!({ "endpoint": { "address": socket(address, *port) }, "health_status": health }))
                });
                return Source::Static { endpoints: endpoints.collect(), checked: options.health_checks };
            }
            echoes.push(echo(subset, address, port, &shown));
            let endpoint = json!({ "endpoint": { "address": socket(address, port) } });
            port = port.saturating_add(1);
            Source::Static { endpoints: vec![endpoint], checked: false }
        });
        if self.needs_nobody {
            clusters.push(json!({ "name": NOBODY, "type": "STATIC" }));
        }
        listeners.extend(echoes);
        json!({
            "admin": { "address": socket(address, options.admin_port) },
            "layered_runtime": { "layers": [{ "name": "lane", "static_layer": runtime(self.config) }] },
            "static_resources": { "listeners": listeners, "clusters": clusters },
        })
    }
}

fn socket(address: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": address, "port_value": port } })
}

fn listening(listener: &Listener, address: &str, port: u16) -> Value {
    let mut filters = listener.filters.network_filters();
    let mut http_filters = listener.filters.http_filters();
    http_filters.push(router());
    filters.push(connection_manager(&listener.name, &http_filters, &listener.route_configuration()));
    json!({ "name": listener.name, "address": socket(address, port), "filter_chains": [{ "filters": filters }] })
}

fn router() -> Value {
    json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    })
}

fn connection_manager(name: &str, http_filters: &[Value], routes: &Value) -> Value {
    json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": name.replace('/', "_"),
            "use_remote_address": true,
            // What a client sends is what conditions and keys see.
            "generate_request_id": false,
            "preserve_external_request_id": true,
            "http_filters": http_filters,
            "route_config": routes,
        },
    })
}

/// The headers in which lanes travel.
fn shown_headers(config: &Config) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for group in &config.groups {
        let baggage = matches!(group.context, Some(Context::Baggage(_))).then_some("baggage");
        let restored = group.restore_headers.iter().map(String::as_str);
        for name in core::iter::once(guiding(group)).chain(baggage).chain(restored) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.into());
            }
        }
    }
    names
}

/// A listener that stands in for a subset and answers with what reached it.
fn echo(subset: &Subset, address: &str, port: u16, shown: &[String]) -> Value {
    let mut text = format!("{} {}\n", subset.host, subset.lane);
    for name in shown {
        text.push_str(&format!("  {}: %REQ({name})%\n", verbatim(name)));
    }
    let respond = json!({ "status": 200, "body_format": { "text_format_source": { "inline_string": text } } });
    let routes = json!({
        "name": "echo",
        "virtual_hosts": [{ "name": "echo", "domains": ["*"], "routes": [{ "match": { "prefix": "/" }, "direct_response": respond }] }],
    });
    let filters = [connection_manager("echo", &[router()], &routes)];
    json!({ "name": format!("echo/{}", subset.name), "address": socket(address, port), "filter_chains": [{ "filters": filters }] })
}
