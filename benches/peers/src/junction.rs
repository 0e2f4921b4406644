//! junction-core: `Client::resolve_route`, one `Route` a host with its rules in order. What it has no words for is
//! said by a regex on the header: prefixes, presence, cookies. A lane is a backend; weights are drawn at random.

use std::{collections::HashMap, net::TcpListener};

use futures_util::FutureExt;
use junction_api::{
    Hostname, Name, Regex, Service,
    http::{BackendRef, HeaderMatch, PathMatch, QueryParamMatch, Route, RouteMatch, RouteRule},
};
use junction_core::{Client, HttpRequest, Url};

use crate::rules::{self, Request, Rule, Test};

pub struct Junction {
    client: Client,
    /// By route, each of its rules as we number them.
    numbers: HashMap<String, Vec<u64>>,
}

impl Junction {
    pub fn new(rules: &[Rule]) -> Self {
        let mut hosts: Vec<(&str, Vec<RouteRule>, Vec<u64>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let place = *places.entry(&rule.host).or_insert_with(|| {
                hosts.push((&rule.host, Vec::new(), Vec::new()));
                hosts.len() - 1
            });
            hosts[place].1.push(route_rule(rule));
            hosts[place].2.push(index as u64 + 1);
        }
        let mut routes = Vec::new();
        let mut numbers = HashMap::new();
        for (place, (host, rules, of_host)) in hosts.into_iter().enumerate() {
            let id = format!("h{place}");
            numbers.insert(id.clone(), of_host);
            let hostname: Hostname = host.parse().expect("a host name");
            let id: Name = id.parse().expect("a name");
            routes.push(Route { id, tags: Default::default(), hostnames: vec![hostname.into()], ports: Vec::new(), rules });
        }
        Self { client: client().with_static_endpoints(routes, Vec::new()), numbers }
    }

    /// With the URL made from the request's, as its users have to.
    pub fn answer(&self, request: &Request) -> u64 {
        let url = Url::new(request.uri.clone()).expect("a URL");
        let asked = HttpRequest::from_parts(&request.method, &url, &request.headers).expect("a request");
        let resolved = self.client.resolve_route(asked, None).now_or_never().expect("static configuration is there at once");
        resolved.map_or(0, |resolved| self.numbers[&*resolved.route.id][resolved.rule])
    }
}

/// A client wants to have seen its control plane once.
fn client() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = runtime.block_on(Client::build(format!("http://{address}"), "bench".into(), "bench".into())).expect("a client");
    // Its background task is not needed any more.
    runtime.shutdown_background();
    client
}

fn route_rule(rule: &Rule) -> RouteRule {
    let regex = |text: String| text.parse::<Regex>().expect("a regex");
    let path = match &rule.path {
        Test::Exact(value) => PathMatch::Exact { value: value.clone() },
        Test::Prefix(value) => PathMatch::Prefix { value: value.clone() },
        other => PathMatch::RegularExpression { value: regex(other.anchored()) },
    };
    let header = |(name, test): &(String, Test)| match test {
        Test::Exact(value) => HeaderMatch::Exact { name: name.clone(), value: value.clone() },
        other => HeaderMatch::RegularExpression { name: name.clone(), value: regex(other.anchored()) },
    };
    let mut headers: Vec<HeaderMatch> = rule.headers.iter().map(header).collect();
    if let Some(cookie) = &rule.cookie {
        headers.push(HeaderMatch::RegularExpression { name: "cookie".into(), value: regex(rules::cookie_regex(cookie)) });
    }
    let query = rule.query.iter().map(|(name, value)| QueryParamMatch::Exact { name: name.clone(), value: value.clone() });
    let backend = |(lane, weight): &(String, u32)| BackendRef {
        service: Service::kube("shop", lane).expect("a service"),
        port: Some(80),
        weight: *weight,
    };
    RouteRule {
        matches: vec![RouteMatch { path: Some(path), headers, query_params: query.collect(), method: rule.method.clone() }],
        backends: rule.lanes.iter().map(backend).collect(),
        ..RouteRule::default()
    }
}
