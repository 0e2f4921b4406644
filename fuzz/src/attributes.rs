//! Header lines and paths that hold many values: bytes as they come from the network, under fixed configurations.

use std::sync::LazyLock;

use lane_core::{BUFFER_BYTES, Router};
use lane_formats::Bytes;
use serde_json::{Value, json};

use crate::{agree, answer, router};

/// A configuration and its router.
struct Fixture {
    config: Value,
    router: Router,
}

impl Fixture {
    fn new(config: Value) -> Self {
        Self { router: router(&config), config }
    }
}

/// A group that keeps its lane in the baggage, restores a header from it and has rules on members; and one whose key is
/// removed at gateways.
static BAGGAGE: LazyLock<Fixture> = LazyLock::new(|| {
    let lanes = json!([{ "name": "v1" }, { "name": "v2" }, { "name": "a-b.c" }]);
    Fixture::new(json!({ "version": 1, "groups": [
        { "name": "g", "mode": "permissive", "baseline": "v1", "guiding_header": "version", "context": { "baggage": "k" },
          "restore_headers": ["env"], "services": [{ "host": "a.svc" }], "lanes": lanes, "unknown_lane": "nearest_ancestor",
          "rules": [
            { "name": "exact", "service": "a.svc", "lane": "v2", "match": [{ "baggage": { "m": { "exact": "a b" } } }] },
            { "name": "absent", "service": "a.svc", "lane": "v2", "match": [{ "baggage": { "m": { "present": false }, "n": { "prefix": "x" } } }] },
            { "name": "named", "service": "a.svc", "lane_from": { "baggage": "k" } },
            { "name": "sticky", "service": "a.svc", "split": [{ "lane": "v1", "weight": 1 }, { "lane": "a-b.c", "weight": 1 }],
              "sticky": { "keys": [{ "baggage": "user" }] } },
          ] },
        { "name": "other", "mode": "permissive", "baseline": "v1", "guiding_header": "x-lane", "context": { "baggage": "k!" },
          "services": [{ "host": "b.svc" }], "lanes": [{ "name": "v1" }] },
    ] }))
});

/// Lines, separated by line feeds, as `baggage` headers of a request at a gateway and of a call.
///
/// # Panics
///
/// A promise is broken: see the crate's table.
pub fn baggage(bytes: &[u8]) {
    let lines: Vec<Value> = bytes.split(|byte| *byte == b'\n').take(8).map(|line| json!(["baggage", value(line)])).collect();
    for place in [json!({ "ingress": { "gateway": "gw" } }), json!({ "hop": { "service": "a.svc" } })] {
        let mut request = place;
        request["headers"] = json!(lines);
        request["roll"] = json!(7);
        let given = agree(&BAGGAGE.config, &BAGGAGE.router, &request);
        let Some(written) = given["set_headers"].get("baggage") else { continue };
        let length = written.as_str().map_or(0, str::len);
        assert!(length <= BUFFER_BYTES, "a line of {length} bytes was written");
        // What was written is right: at the next hop it names the lane, and nothing more is to be written.
        let mut next = json!({ "hop": { "service": "a.svc" }, "headers": [["baggage", written]] });
        let set = given["set_headers"].as_object().unwrap();
        let others = set.iter().filter(|(name, _)| *name != "baggage").map(|(name, value)| json!([name, value]));
        next["headers"].as_array_mut().unwrap().extend(others);
        let again = answer(&BAGGAGE.router, &next);
        assert_eq!(again["lane"], given["lane"], "{request}\n{given}\n{next}\n{again}");
        assert_eq!(again["set_headers"].get("baggage"), None, "{request}\n{given}\n{next}\n{again}");
    }
}

/// Rules on query parameters and cookies, and a lane that either may name.
static NAMES: LazyLock<Fixture> = LazyLock::new(|| {
    Fixture::new(json!({ "version": 1, "groups": [{
        "name": "g", "mode": "strict", "services": [{ "host": "a.svc" }],
        "lanes": [{ "name": "v1" }, { "name": "v2" }, { "name": "v3" }],
        "rules": [
            { "name": "query", "service": "a.svc", "lane": "v1", "match": [{ "query": { "q": { "exact": "a" } } }] },
            { "name": "cookie", "service": "a.svc", "lane": "v1", "match": [{ "cookies": { "c": { "exact": "a" } } }] },
            { "name": "empty", "service": "a.svc", "lane": "v2", "match": [{ "query": { "e": { "exact": "" } } }, { "cookies": { "e": { "exact": "" } } }] },
            { "name": "path", "service": "a.svc", "lane": "v2", "match": [{ "path": { "regex": "/(a|ab)/?" } }, { "path": { "segments": "/b" } }] },
            { "name": "by-query", "service": "a.svc", "lane_from": { "query": "lane" } },
            { "name": "by-cookie", "service": "a.svc", "lane_from": { "cookie": "lane" } },
            { "name": "split", "service": "a.svc", "split": [{ "lane": "v1", "weight": 1 }, { "lane": "v2", "weight": 2 }],
              "sticky": { "keys": [{ "cookie": "uid" }, { "query": "uid" }], "method": "ranges" } },
        ],
    }] }))
});

/// The first line is the path, the others are `cookie` headers.
///
/// # Panics
///
/// A promise is broken: see the crate's table.
pub fn query_and_cookies(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n').take(8).map(value);
    let path = lines.next();
    let cookies: Vec<Value> = lines.map(|line| json!(["cookie", line])).collect();
    let request = json!({ "ingress": { "gateway": "gw" }, "path": path, "headers": cookies, "roll": 1 });
    agree(&NAMES.config, &NAMES.router, &request);
}

/// Bytes as a header value of a request as data.
fn value(bytes: &[u8]) -> Value {
    serde_json::to_value(Bytes::from(bytes)).unwrap()
}
