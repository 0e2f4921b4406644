//! A cluster for each subset that a route leads to, and an aggregate cluster where a lane falls back: Envoy then takes
//! the first of its members that has a healthy endpoint (S24).

use std::collections::BTreeSet;

use lane_core::config::{Group, Lane, Mode};
use serde_json::{Value, json};

use super::clause::object;

/// The endpoints of one service in one lane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subset {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) lane: String,
    pub(super) labels: Value,
}

/// Where a subset's endpoints come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// From the control plane.
    Discovered,
    /// These.
    Static {
        endpoints: Vec<Value>,
        /// Whether endpoints are asked whether they live.
        checked: bool,
    },
}

/// The clusters of a configuration.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    subsets: Vec<Subset>,
    aggregates: Vec<(String, Vec<String>)>,
    /// The names of both.
    known: BTreeSet<String>,
}

impl Clusters {
    /// The cluster to which a lane's requests for a service go; none where no lane may serve them.
    pub(super) fn landing(&mut self, group: &Group, host: &str, lane: &str) -> Option<String> {
        let candidates: Vec<&Lane> = candidates(group, lane).into_iter().filter(|lane| contains(lane, host)).collect();
        let names: Vec<String> = candidates.iter().map(|lane| self.subset(group, host, lane)).collect();
        match names.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            [first, others @ ..] => {
                let others: Vec<&str> = others.iter().filter_map(|name| name.rsplit('/').next()).collect();
                let name = format!("{first},{}", others.join(","));
                if self.known.insert(name.clone()) {
                    self.aggregates.push((name.clone(), names.clone()));
                }
                Some(name)
            }
        }
    }

    /// The cluster of a subset.
    pub(super) fn subset(&mut self, group: &Group, host: &str, lane: &Lane) -> String {
        let name = format!("{}/{host}/{}", group.name, lane.name);
        if self.known.insert(name.clone()) {
            let tag = group.tag_label.as_deref().unwrap_or("ASM_TRAFFIC_TAG");
            let labels = lane
                .labels
                .get(host)
                .map_or_else(|| json!({ tag: lane.service_tag.as_ref().unwrap_or(&lane.name) }), |labels| json!(labels));
            self.subsets.push(Subset { name: name.clone(), host: host.into(), lane: lane.name.clone(), labels });
        }
        name
    }

    /// The clusters, subsets first; `source` says where a subset's endpoints come from.
    pub(super) fn write(&self, mut source: impl FnMut(&Subset) -> Source) -> Vec<Value> {
        let mut clusters: Vec<Value> = self.subsets.iter().map(|subset| written(subset, source(subset))).collect();
        clusters.extend(self.aggregates.iter().map(|(name, members)| {
            json!({
                "name": name,
                "lb_policy": "CLUSTER_PROVIDED",
                "cluster_type": {
                    "name": "envoy.clusters.aggregate",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                        "clusters": members,
                    },
                },
                "common_lb_config": never_to_the_unhealthy(),
            })
        }));
        clusters
    }

    /// Whether some lane falls back from this service.
    pub(super) fn has_fallback(&self, group: &str, host: &str) -> bool {
        let own = format!("{group}/{host}/");
        self.aggregates.iter().any(|(name, _)| name.starts_with(&own))
    }

    /// Whether a lane falls back anywhere.
    pub(super) fn falls_back(&self) -> bool {
        !self.aggregates.is_empty()
    }
}

fn written(subset: &Subset, source: Source) -> Value {
    let mut cluster = object(json!({ "name": subset.name }));
    match source {
        Source::Discovered => cluster.extend(object(json!({
            "type": "EDS",
            "eds_cluster_config": { "eds_config": { "ads": {}, "resource_api_version": "V3" } },
        }))),
        Source::Static { endpoints, checked } => {
            cluster.extend(object(json!({
                "type": "STATIC",
                "load_assignment": {
                    "cluster_name": subset.name,
                    "endpoints": [{ "lb_endpoints": endpoints }],
                    // One healthy endpoint takes all: otherwise a part would go to the fallback as soon as some are ill.
                    "policy": { "overprovisioning_factor": 100_000 },
                },
            })));
            if checked {
                let check = json!({
                    "timeout": "1s",
                    "interval": "1s",
                    "unhealthy_threshold": 2,
                    "healthy_threshold": 1,
                    "tcp_health_check": {},
                });
                cluster.insert("health_checks".into(), json!([check]));
            }
        }
    }
    cluster.extend(object(json!({
        "common_lb_config": never_to_the_unhealthy(),
        // For who makes the endpoints, and for people.
        "metadata": { "filter_metadata": { "lane": { "service": subset.host, "lane": subset.lane, "labels": subset.labels } } },
    })));
    Value::Object(cluster)
}

/// Without this Envoy sends requests to unhealthy endpoints once half of them are (its panic mode).
fn never_to_the_unhealthy() -> Value {
    json!({ "healthy_panic_threshold": { "value": 0 } })
}

/// The lane and those that serve in its place, in order (S24).
pub(super) fn candidates<'g>(group: &'g Group, lane: &str) -> Vec<&'g Lane> {
    let named = |name: &str| group.lanes.iter().find(|lane| lane.name == name);
    let Some(first) = named(lane) else { return Vec::new() };
    let baseline = group.baseline.as_deref().filter(|baseline| group.mode == Mode::Permissive && *baseline != lane);
    let fallback: Vec<&str> = match &first.fallback {
        Some(fallback) => fallback.iter().map(String::as_str).collect(),
        None => baseline.into_iter().collect(),
    };
    core::iter::once(first).chain(fallback.into_iter().filter_map(named)).collect()
}

/// Whether the lane contains the service.
pub(super) fn contains(lane: &Lane, host: &str) -> bool {
    lane.services.as_ref().is_none_or(|services| services.iter().any(|service| service == host))
}
