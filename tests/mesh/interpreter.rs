//! Istio's documents, read as Istio documents them: the naive reading of VirtualServices that `lane export istio` is
//! held against. Nothing of the exporter or the importer is used here.
//!
//! A gateway chooses a virtual host by its most specific pattern and tries its routes in order; a sidecar takes the
//! VirtualService of the called host. Any line of a header may match (Envoy since 1.39); `withoutHeaders` takes a missing
//! header for an empty one; a regular expression must match the whole value.

use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

/// What the mesh does about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// 404, 503: nobody is asked.
    Status(u64),
    /// Sent to the endpoints with these labels of this host, with these headers set.
    Sent { host: String, labels: BTreeMap<String, String>, set: BTreeMap<String, String> },
}

/// Which endpoints are alive, by host and labels.
pub(crate) type Alive<'a> = &'a dyn Fn(&str, &BTreeMap<String, String>) -> bool;

pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) authority: Option<&'r str>,
    pub(crate) path: &'r str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) source: BTreeMap<String, String>,
    pub(crate) roll: Option<u64>,
}

/// At a gateway.
pub(crate) fn ingress(documents: &[Value], gateway: &str, request: &Request<'_>, alive: Alive<'_>) -> Option<Done> {
    let full = if gateway.contains('/') { gateway.to_owned() } else { format!("istio-system/{gateway}") };
    let here: Vec<&Value> = services(documents).filter(|service| texts(&service["spec"]["gateways"]).any(|name| name == full)).collect();
    let authority = request.authority.map(|authority| {
        let lower = authority.to_ascii_lowercase();
        // Only what follows the last `:` outside brackets is a port.
        match lower.rfind(':').filter(|at| !lower[*at..].contains(']')) {
            Some(at) => lower[..at].to_owned(),
            None => lower,
        }
    });
    let rank = |pattern: &str| -> Option<usize> {
        match (pattern.strip_prefix('*'), &authority) {
            (Some(""), _) => Some(0),
            (Some(suffix), Some(host)) => (host.len() > suffix.len() && host.ends_with(suffix)).then_some(suffix.len()),
            (None, Some(host)) => (pattern == host).then_some(usize::MAX),
            (_, None) => None,
        }
    };
    let best = here.iter().flat_map(|service| texts(&service["spec"]["hosts"]).filter_map(rank)).max()?;
    let routes: Vec<&Value> = here
        .iter()
        .filter(|service| texts(&service["spec"]["hosts"]).any(|pattern| rank(pattern) == Some(best)))
        .flat_map(|service| list(&service["spec"]["http"]))
        .collect();
    decide(documents, &routes, request, alive)
}

/// In a caller's sidecar.
pub(crate) fn hop(documents: &[Value], host: &str, request: &Request<'_>, alive: Alive<'_>) -> Option<Done> {
    let service = services(documents)
        .find(|service| service["spec"]["gateways"].is_null() && texts(&service["spec"]["hosts"]).any(|name| name == host))?;
    let routes: Vec<&Value> = list(&service["spec"]["http"]).iter().collect();
    decide(documents, &routes, request, alive)
}

fn decide(documents: &[Value], routes: &[&Value], request: &Request<'_>, alive: Alive<'_>) -> Option<Done> {
    let holds = |route: &&&Value| route["match"].is_null() || list(&route["match"]).iter().any(|asked| matches(asked, request));
    let Some(route) = routes.iter().find(holds) else { return Some(Done::Status(404)) };
    if let Some(status) = route["directResponse"]["status"].as_u64() {
        return Some(Done::Status(status));
    }
    let targets = list(&route["route"]);
    let target = match targets {
        [only] => only,
        several => {
            let weight = |target: &Value| target["weight"].as_u64().unwrap();
            let mut drawn = request.roll? % several.iter().map(weight).sum::<u64>();
            several.iter().find(|target| {
                let found = drawn < weight(target);
                drawn = drawn.wrapping_sub(weight(target));
                found
            })?
        }
    };
    let labels = |destination: &Value| -> BTreeMap<String, String> {
        let rule = documents
            .iter()
            .find(|document| document["kind"] == "DestinationRule" && document["spec"]["host"] == destination["host"])
            .unwrap();
        let subset = list(&rule["spec"]["subsets"])
            .iter()
            .find(|subset| subset["name"] == destination["subset"])
            .unwrap_or_else(|| panic!("no subset {destination}"));
        serde_json::from_value(subset["labels"].clone()).unwrap()
    };
    let host = target["destination"]["host"].as_str().unwrap();
    let set = serde_json::from_value(target["headers"]["request"]["set"].clone()).unwrap_or_default();
    let mut choices = vec![labels(&target["destination"])];
    if let Some(fallback) = target["fallback"].get("target") {
        choices.push(labels(fallback));
    }
    Some(match choices.into_iter().find(|labels| alive(host, labels)) {
        Some(labels) => Done::Sent { host: host.to_owned(), labels, set },
        None => Done::Status(503),
    })
}

fn matches(asked: &Value, request: &Request<'_>) -> bool {
    let path = &request.path[..request.path.find(['?', '#']).unwrap_or(request.path.len())];
    let fold = asked["ignoreUriCase"] == true;
    let uri = asked["uri"].is_null() || {
        let lower = |text: &str| if fold && asked["uri"]["regex"].is_null() { text.to_ascii_lowercase() } else { text.to_owned() };
        let wanted: Value = asked["uri"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(kind, text)| (kind.clone(), Value::from(lower(text.as_str().unwrap()))))
            .collect();
        text_matches(&wanted, &lower(path))
    };
    let lines = |name: &str| -> Vec<String> {
        if name == ":method" {
            return vec![request.method.to_owned()];
        }
        request
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_matches([' ', '\t']).to_owned())
            .collect()
    };
    let empty = |wanted: &Value| wanted.as_object().unwrap().is_empty();
    let headers = pairs(&asked["headers"]).all(|(name, wanted)| {
        if empty(wanted) { !lines(name).is_empty() } else { lines(name).iter().any(|line| text_matches(wanted, line)) }
    });
    let without = pairs(&asked["withoutHeaders"]).all(|(name, wanted)| {
        let mut found = lines(name);
        if empty(wanted) {
            return found.is_empty();
        }
        if found.is_empty() {
            found.push(String::new());
        }
        !found.iter().any(|line| text_matches(wanted, line))
    });
    let without_fragment = request.path.split('#').next().unwrap();
    let query = without_fragment.split_once('?').map_or("", |(_, query)| query);
    let parameters = pairs(&asked["queryParams"]).all(|(name, wanted)| {
        let value =
            query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).find(|(key, _)| *key == name).map(|(_, value)| value);
        value.is_some_and(|value| empty(wanted) || text_matches(wanted, value))
    });
    let labels = pairs(&asked["sourceLabels"]).all(|(name, wanted)| request.source.get(name).is_some_and(|value| value == wanted));
    let method = asked["method"].is_null() || text_matches(&asked["method"], request.method);
    uri && headers && without && parameters && labels && method
}

fn text_matches(wanted: &Value, value: &str) -> bool {
    let (kind, text) = wanted.as_object().unwrap().iter().next().unwrap();
    let text = text.as_str().unwrap();
    match kind.as_str() {
        "exact" => value == text,
        "prefix" => value.starts_with(text),
        "regex" => whole(text).is_match(value.as_bytes()),
        other => panic!("a kind of match that Istio does not have: {other}"),
    }
}

fn whole(text: &str) -> Regex {
    RegexBuilder::new(&format!("^(?:{text})$")).unicode(false).build().unwrap()
}

fn services(documents: &[Value]) -> impl Iterator<Item = &Value> {
    documents.iter().filter(|document| document["kind"] == "VirtualService")
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

fn pairs(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
