//! Seeded generators of valid configurations and of requests for them. Alphabets are small, so that names collide and
//! rules hold often; requests are drawn from the configuration's own values and from their near misses.

#![expect(clippy::indexing_slicing, reason = "a failure here is a broken test, and JSON is read by index")]

mod condition;
mod config;
mod draft;
mod random;
mod request;
mod sample;
mod wish;

#[cfg(test)]
mod measure_tests;

pub use random::Rng;

use serde_json::Value;

/// A valid configuration (S1 to S7); the same seed gives the same one.
pub fn config(seed: u64) -> Value {
    config::config(&mut Rng::new(seed))
}

/// One request for a configuration: ingress, hop or inbound, now and then one that cannot be read.
pub fn request(config: &Value, rng: &mut Rng) -> Value {
    request::request(config, rng)
}

/// Gateways, of which a group may name some; requests also come in at another one.
const GATEWAYS: &[&str] = &["gw1", "gw2", "gw3"];

/// Services with their aliases.
const SERVICES: &[(&str, &[&str])] = &[
    ("mocka.default.svc.cluster.local", &["mocka", "mocka.default"]),
    ("mockb.default.svc.cluster.local", &["mockb"]),
    ("MockC.default.svc.cluster.local", &["MockC", "c"]),
    ("10.0.0.9", &["mockd"]),
    ("[fd00::1]", &["mocke"]),
];

const LANES: &[&str] = &["v1", "v2", "v3", "v2.1", "v2.1.x", "gray", "V1", "v-2_x.y"];
const GUIDING: &[&str] = &["version", "X-Lane", "x-asm-prefer-tag"];
const BAGGAGE_KEYS: &[&str] = &["version", "lane-ctx", "k!"];
const TRACE_HEADERS: &[&str] = &["x-b3-traceid", "traceparent", "b3", "X-Request-Id"];
/// `lane-ctx` is also a baggage key, of another group at most.
const RESTORED: &[&str] = &["env", "X-Tenant", "lane-ctx"];
const HOSTS: &[&str] = &["*", "*.shop.example", "www.shop.example", "api.Shop.Example", "*.example", "10.0.0.9", "[::1]"];

const HEADERS: &[&str] = &["x-user-group", "X-A", "x-b", "x-c"];
const COOKIES: &[&str] = &["uid", "beta", "lane-id"];
const QUERIES: &[&str] = &["v", "k", "uid"];
const MEMBERS: &[&str] = &["user", "version", "lane-ctx", "env", "k!"];
const LABELS: &[&str] = &["ASM_TRAFFIC_TAG", "tier"];
const METHODS: &[&str] = &["GET", "POST", "get"];

const VALUES: &[&str] =
    &["a", "b", "ab", "A", "aB", "qa", "QA", "staff", "1", "7", "-3", "42", "007", "v1", "v2", "v9", "", "a,b", "x y", "café", "test"];
const PATHS: &[&str] = &["/mock", "/mock/", "/mock/x", "/mockx", "/Mock", "/", "/a%2Fb", "/mock//x", "/x", "*", ""];
