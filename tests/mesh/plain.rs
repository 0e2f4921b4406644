//! Configurations of what meshes can say, so that most exports lose nothing.

use lane_tests::generate::Rng;
use serde_json::{Map, Value, json};

const SERVICES: &[&str] = &["mocka.default.svc.cluster.local", "mockb.default.svc.cluster.local", "mockc.shop.svc.cluster.local"];
const LANES: &[&str] = &["v1", "v2", "v3", "v2.1", "gray", "V1", "v-2_x.y"];
const HOSTS: &[&str] = &["*", "*.shop.example", "www.shop.example", "*.example", "api.shop.example"];
const VALUES: &[&str] = &["a", "b", "qa", "staff", "1", "test", "a.b", "x y"];
const HEADERS: &[&str] = &["x-user-group", "x-b", "X-C"];

/// What ASM's own lanes can say.
pub(crate) fn asm(seed: u64) -> Value {
    let rng = &mut Rng::new(seed);
    let permissive = rng.chance(60);
    let services = rng.some(SERVICES, 3);
    let lanes = rng.some(&["v1", "v2", "gray", "v2.1"], 3);
    let guiding = if permissive { rng.pick(&["version", "x-asm-prefer-tag"]) } else { "x-asm-prefer-tag" };
    let mut group = json!({ "name": "shop", "mode": if permissive { "permissive" } else { "strict" }, "gateways": [rng.pick(&["gw1", "team/gw2"])],
        "guiding_header": guiding, "services": services.iter().map(|host| json!({ "host": host })).collect::<Vec<_>>() });
    if permissive {
        group["baseline"] = json!(lanes[0]);
        group["context"] = rng.pick(&[json!("header"), json!({ "baggage": guiding }), json!({ "trace_id": "x-b3-traceid" })]);
    }
    if rng.chance(30) {
        group["tag_label"] = json!("version");
    }
    group["lanes"] = lanes
        .iter()
        .enumerate()
        .map(|(index, lane)| {
            let mut lane = json!({ "name": lane });
            if rng.chance(40) {
                lane["service_tag"] = json!(format!("t{index}"));
            }
            if permissive && index > 0 && rng.chance(60) {
                let count = rng.between(1, 2);
                lane["services"] = json!(rng.some(&services, count));
            }
            lane
        })
        .collect();
    let entry = |rng: &mut Rng, headers: bool| {
        let mut entry = json!({});
        if rng.chance(60) {
            entry["path"] = rng.pick(&[
                json!({ "exact": "/mock" }),
                json!({ "prefix": "/mock" }),
                json!({ "regex": "/m.*k" }),
                json!({ "segments": "/mock" }),
            ]);
        }
        if headers {
            entry["headers"] =
                rng.pick(&[json!({ "x-user-group": { "exact": "qa" } }), json!({ "x-b": { "prefix": "a" }, "X-C": { "in": ["a", "b"] } })]);
        }
        entry
    };
    let service = rng.pick(&services);
    let hosts = rng.some(HOSTS, 1);
    let mut rules = Vec::new();
    match rng.below(3) {
        0 => {
            let mut rule = json!({ "name": "split", "service": service, "hosts": hosts });
            if rng.chance(70) {
                let headers = rng.chance(50);
                rule["match"] = json!([entry(rng, headers), entry(rng, true)]);
            }
            rule["split"] = lanes.iter().map(|lane| json!({ "lane": lane, "weight": rng.pick(&[1, 30, 70]) })).collect();
            rules.push(rule);
        }
        1 => {
            for index in 0..rng.between(1, 3) {
                let headers = rng.chance(30);
                let service = rng.pick(&services);
                rules.push(json!({ "name": format!("r{index}"), "service": service, "hosts": hosts, "match": [entry(rng, headers)], "lane_from": { "header": guiding } }));
            }
        }
        _ => {
            for index in 0..rng.between(1, 3) {
                rules.push(json!({ "name": format!("r{index}"), "service": service, "match": [entry(rng, true)], "lane": lanes[1] }));
            }
        }
    }
    group["rules"] = json!(rules);
    json!({ "version": 1, "groups": [group] })
}

/// What the Gateway API can say, but for the order of rules, which is left to chance.
pub(crate) fn gateway_api(seed: u64) -> Value {
    let rng = &mut Rng::new(seed);
    let permissive = rng.chance(60);
    let services = rng.some(SERVICES, 2);
    let lanes = rng.some(&["v1", "v2", "gray", "V1"], 3);
    let mut group = json!({ "name": "shop", "mode": if permissive { "permissive" } else { "strict" }, "gateways": rng.pick(&[vec!["gw1"], vec!["gw1", "team/gw2"]]),
        "guiding_header": rng.pick(&["version", "X-Lane"]), "services": services.iter().map(|host| json!({ "host": host })).collect::<Vec<_>>() });
    if permissive {
        group["baseline"] = json!(lanes[0]);
    }
    group["lanes"] = lanes
        .iter()
        .enumerate()
        .map(|(index, lane)| {
            if permissive && index > 0 {
                json!({ "name": lane, "fallback": [] })
            } else {
                json!({ "name": lane, "service_tag": format!("t{index}") })
            }
        })
        .collect();
    let mut rules = Vec::new();
    for index in 0..rng.between(1, 3) {
        let mut entry = json!({});
        if rng.chance(60) {
            entry["path"] = rng.pick(&[
                json!({ "exact": "/mock" }),
                json!({ "segments": "/mock" }),
                json!({ "segments": "/" }),
                json!({ "exact": "/mock/x" }),
            ]);
        }
        if rng.chance(30) {
            entry["method"] = json!({ "exact": "GET" });
        }
        if rng.chance(60) {
            entry["headers"] =
                rng.pick(&[json!({ "x-user-group": { "exact": "qa" } }), json!({ "x-b": { "exact": "a" }, "X-C": { "present": true } })]);
        }
        if rng.chance(20) {
            entry["query"] = json!({ "v": { "exact": "1" } });
        }
        let mut rule = json!({ "name": format!("r{index}"), "service": rng.pick(&services), "match": [entry] });
        if rng.chance(30) {
            rule["hosts"] = json!(rng.some(HOSTS, 1));
        }
        match rng.below(3) {
            0 => rule["split"] = lanes.iter().map(|lane| json!({ "lane": lane, "weight": rng.pick(&[1, 30, 70]) })).collect(),
            1 => rule["lane_from"] = json!({ "header": group["guiding_header"] }),
            _ => rule["lane"] = json!(rng.pick(&lanes)),
        }
        rules.push(rule);
    }
    group["rules"] = json!(rules);
    json!({ "version": 1, "groups": [group] })
}

/// One configuration for Istio; the same seed gives the same one.
pub(crate) fn istio(seed: u64) -> Value {
    let rng = &mut Rng::new(seed);
    let two = rng.chance(25);
    let services = rng.some(SERVICES, 3);
    let groups = if two {
        vec![group(rng, "shop", &services[..2], "version"), group(rng, "pay", &services[2..], "x-pay-lane")]
    } else {
        let count = rng.between(1, 3);
        let guiding = rng.pick(&["version", "x-asm-prefer-tag", "X-Lane"]);
        vec![group(rng, "shop", &services[..count], guiding)]
    };
    json!({ "version": 1, "groups": groups })
}

fn group(rng: &mut Rng, name: &str, services: &[&str], guiding: &str) -> Value {
    let permissive = rng.chance(70);
    let count = rng.between(1, 4);
    let lanes = rng.some(LANES, count);
    let mut group = Map::new();
    group.insert("name".into(), json!(name));
    group.insert("mode".into(), json!(if permissive { "permissive" } else { "strict" }));
    group.insert("gateways".into(), json!(rng.pick(&[vec!["gw1"], vec!["gw1", "team/gw2"]])));
    group.insert("guiding_header".into(), json!(guiding));
    match rng.below(4) {
        0 => drop(group.insert("context".into(), json!({ "baggage": guiding }))),
        1 => drop(group.insert("context".into(), json!({ "trace_id": "x-b3-traceid" }))),
        _ => {}
    }
    let baseline = (permissive || rng.chance(40)).then(|| rng.pick(&lanes));
    if let Some(baseline) = baseline {
        group.insert("baseline".into(), json!(baseline));
        group.insert("unknown_lane".into(), json!(rng.pick(&["baseline", "reject", "nearest_ancestor"])));
    }
    if rng.chance(20) {
        group.insert("tag_label".into(), json!("version"));
    }
    let declared: Vec<Value> = services
        .iter()
        .map(|host| {
            let aliases =
                if rng.chance(30) { vec![format!("{}.internal.example", host.split('.').next().unwrap_or_default())] } else { vec![] };
            json!({ "host": host, "aliases": aliases })
        })
        .collect();
    group.insert("services".into(), json!(declared));
    let mut tags = vec!["t1", "t2", "t3", "t4", "t5"];
    let written: Vec<Value> = lanes
        .iter()
        .map(|lane| {
            let mut map = Map::from_iter([("name".to_owned(), json!(lane))]);
            if rng.chance(40) {
                map.insert("service_tag".into(), json!(tags.pop()));
            }
            let whole = !permissive || baseline == Some(*lane);
            if !whole && rng.chance(60) {
                let count = rng.between(1, services.len());
                map.insert("services".into(), json!(rng.some(services, count)));
            }
            if !whole && rng.chance(25) {
                map.insert("fallback".into(), json!(rng.pick(&[vec![], vec![baseline]])));
            }
            Value::Object(map)
        })
        .collect();
    group.insert("lanes".into(), json!(written));
    let count = rng.between(1, 4);
    let rules: Vec<Value> = (0..count).map(|index| rule(rng, index, services, &lanes, guiding)).collect();
    group.insert("rules".into(), json!(rules));
    Value::Object(group)
}

fn rule(rng: &mut Rng, index: usize, services: &[&str], lanes: &[&str], guiding: &str) -> Value {
    let mut rule = Map::new();
    rule.insert("name".into(), json!(format!("r{index}")));
    let hop = rng.chance(25);
    if hop {
        rule.insert("at".into(), json!(["hop"]));
    } else if rng.chance(60) {
        let count = rng.between(1, 2);
        rule.insert("hosts".into(), json!(rng.some(HOSTS, count)));
    }
    rule.insert("service".into(), json!(rng.pick(services)));
    if rng.chance(80) {
        let count = rng.between(1, 2);
        let entries: Vec<Value> = (0..count).map(|_| entry(rng, hop)).collect();
        rule.insert("match".into(), json!(entries));
    }
    match rng.below(5) {
        0 if !hop => {
            rule.insert("lane_from".into(), json!({ "header": guiding }));
        }
        1 | 2 => {
            let count = rng.between(1, lanes.len());
            let mut shares: Vec<Value> =
                rng.some(lanes, count).iter().map(|lane| json!({ "lane": lane, "weight": rng.pick(&[0, 1, 30, 70]) })).collect();
            shares[0]["weight"] = json!(40);
            rule.insert("split".into(), json!(shares));
        }
        _ => {
            rule.insert("lane".into(), json!(rng.pick(lanes)));
        }
    }
    Value::Object(rule)
}

fn entry(rng: &mut Rng, hop: bool) -> Value {
    let mut entry = Map::new();
    if rng.chance(60) {
        let path = rng.pick(&["/mock", "/mock/x", "/a.b", "/x/"]);
        let matcher = match rng.below(7) {
            0 | 1 => json!({ "exact": path }),
            2 => json!({ "prefix": path }),
            3 => json!({ "segments": path }),
            4 => json!({ "suffix": "x" }),
            5 => json!({ "ignore_case": { "prefix": path } }),
            _ => json!({ "regex": "/m.*k" }),
        };
        entry.insert("path".into(), matcher);
    }
    if rng.chance(25) {
        let method = rng.pick(&[json!({ "exact": "GET" }), json!({ "in": ["GET", "POST"] }), json!({ "not": { "exact": "GET" } })]);
        entry.insert("method".into(), method);
    }
    if rng.chance(60) {
        let count = rng.between(1, 2);
        let headers: Map<String, Value> = rng.some(HEADERS, count).iter().map(|name| ((*name).to_owned(), matcher(rng))).collect();
        entry.insert("headers".into(), Value::Object(headers));
    }
    if rng.chance(25) {
        entry.insert("query".into(), json!({ "v": { "exact": rng.pick(VALUES) } }));
    }
    if hop && rng.chance(30) {
        entry.insert("source".into(), json!({ "labels": { "tier": { "exact": "test" } } }));
    }
    if rng.chance(15) {
        entry.insert("not".into(), json!({ "headers": { "x-not": matcher(rng) } }));
    }
    if rng.chance(10) {
        let any: Vec<Value> = (0..2).map(|_| json!({ "headers": { "x-any": { "exact": rng.pick(VALUES) } } })).collect();
        entry.insert("any".into(), json!(any));
    }
    Value::Object(entry)
}

fn matcher(rng: &mut Rng) -> Value {
    let value = rng.pick(VALUES);
    let kind = match rng.below(9) {
        0..=2 => json!({ "exact": value }),
        3 => json!({ "prefix": value }),
        4 => json!({ "suffix": value }),
        5 => json!({ "contains": value }),
        6 => json!({ "in": [value, "zz"] }),
        7 => json!({ "ignore_case": { "exact": value } }),
        _ => json!({ "regex": "[a-c]+|qa" }),
    };
    match rng.below(8) {
        0 => json!({ "or_missing": { "not": kind } }),
        1 => json!({ "not": kind }),
        2 => json!({ "or_missing": kind }),
        3 => json!({ "present": rng.chance(50) }),
        _ => kind,
    }
}
