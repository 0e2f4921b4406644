//! Random configurations that keep every rule of validity (S1 to S7): groups, services, lanes, rules, splits. Conditions
//! are made next door.

use super::condition::{Names, entry, key};
use super::{BAGGAGE_KEYS, COOKIES, GATEWAYS, GUIDING, HOSTS, LANES, RESTORED, Rng, SERVICES, TRACE_HEADERS};
use serde_json::{Map, Value, json};

pub(super) fn config(rng: &mut Rng) -> Value {
    let count = rng.between(1, 3);
    // S5: groups that share services differ in guiding header and baggage key; where those are alike, the services are
    // parted and all groups agree on `trust_client`.
    let alike = rng.chance(20);
    let guiding = rng.some(GUIDING, count);
    let keys = rng.some(BAGGAGE_KEYS, count);
    let services = rng.some(SERVICES, SERVICES.len());
    let trust = rng.chance(25);
    let groups: Vec<Value> = (0..count)
        .map(|index| {
            if alike {
                let own = &services[index * 5 / count..(index + 1) * 5 / count];
                let services = rng.some(own, 4);
                group(rng, index, &services, (guiding[0], keys[0]), trust)
            } else {
                let many = rng.between(1, 4);
                // Mostly the same few services, so that groups share them.
                let pool = if rng.chance(70) { &SERVICES[..3] } else { SERVICES };
                let services = rng.some(pool, many);
                let trust = rng.chance(25);
                group(rng, index, &services, (guiding[index], keys[index]), trust)
            }
        })
        .collect();
    json!({ "version": 1, "groups": groups })
}

type Service = (&'static str, &'static [&'static str]);

fn group(rng: &mut Rng, index: usize, services: &[Service], (guiding, key): (&str, &str), trust: bool) -> Value {
    let permissive = rng.chance(60);
    let mut group = Map::new();
    group.insert("name".into(), json!(["shop", "pay", "G.3"][index]));
    let mode = if permissive { "permissive" } else { "strict" };
    group.insert("mode".into(), json!(mode));

    let named = rng.chance(50);
    if named {
        let count = rng.between(1, 2);
        group.insert("gateways".into(), json!(rng.some(GATEWAYS, count)));
    }
    if guiding != "x-asm-prefer-tag" || rng.chance(50) {
        group.insert("guiding_header".into(), json!(guiding));
    }
    match rng.below(10) {
        0 => {
            group.insert("context".into(), json!("header"));
        }
        1..=5 => {
            group.insert("context".into(), json!({ "baggage": key }));
        }
        6..=8 => {
            let header = rng.pick(TRACE_HEADERS);
            group.insert("context".into(), json!({ "trace_id": header }));
        }
        _ => {}
    }
    if rng.chance(40) {
        let count = rng.between(1, 2);
        let mut restored = rng.some(RESTORED, count);
        // S1: no baggage key of the same group.
        restored.retain(|name| *name != key);
        if !restored.is_empty() {
            group.insert("restore_headers".into(), json!(restored));
        }
    }
    if rng.chance(15) {
        group.insert("tag_label".into(), json!("tier"));
    }
    if trust {
        group.insert("trust_client".into(), json!(true));
        // S16: `keep_lane` needs `gateways` and `trust_client`.
        if named && rng.chance(60) {
            group.insert("keep_lane".into(), json!(true));
        }
    } else if rng.chance(10) {
        group.insert("trust_client".into(), json!(false));
    }
    match rng.below(8) {
        0 | 1 => group.insert("header_values".into(), json!("joined")),
        2 => group.insert("header_values".into(), json!("each")),
        _ => None,
    };

    let count = rng.between(1, 5);
    let lanes = rng.some(LANES, count);
    let baseline = (permissive || rng.chance(50)).then(|| rng.pick(&lanes));
    if let Some(baseline) = baseline {
        group.insert("baseline".into(), json!(baseline));
    }
    // S2: all but `reject` need a baseline.
    if rng.chance(60) {
        let choices: &[&str] = match baseline {
            Some(_) => &["baseline", "reject", "nearest_ancestor", "nearest_ancestor"],
            None => &["reject"],
        };
        group.insert("unknown_lane".into(), json!(rng.pick(choices)));
    }

    let hosts: Vec<&str> = services.iter().map(|(host, _)| *host).collect();
    let declared: Vec<Value> = services.iter().map(|service| self::service(rng, *service)).collect();
    let tag = group.get("tag_label").and_then(Value::as_str).unwrap_or("ASM_TRAFFIC_TAG");
    let shape = Shape { permissive, baseline, tag: tag.to_owned(), hosts, names: lanes };
    group.insert("services".into(), json!(declared));
    let declared: Vec<Value> = shape.names.iter().map(|name| lane(rng, &shape, name)).collect();
    group.insert("lanes".into(), json!(declared));
    let names = Names { guiding };
    let count = rng.below(6);
    let rules: Vec<Value> = (0..count).map(|index| rule(rng, index, &shape, &names)).collect();
    if !rules.is_empty() {
        group.insert("rules".into(), json!(rules));
    }
    Value::Object(group)
}

fn service(rng: &mut Rng, (host, aliases): Service) -> Value {
    let mut service = Map::new();
    service.insert("host".into(), json!(host));
    if rng.chance(70) {
        service.insert("aliases".into(), json!(aliases));
    }
    if rng.chance(40) {
        let percent = rng.pick(&[0, 1, 34, 50, 100]);
        service.insert("min_healthy_percent".into(), json!(percent));
    }
    Value::Object(service)
}

/// What lanes and rules of one group refer to.
struct Shape<'a> {
    permissive: bool,
    baseline: Option<&'a str>,
    tag: String,
    hosts: Vec<&'a str>,
    names: Vec<&'a str>,
}

fn lane(rng: &mut Rng, shape: &Shape<'_>, name: &str) -> Value {
    let mut lane = Map::new();
    lane.insert("name".into(), json!(name));
    if rng.chance(25) {
        lane.insert("service_tag".into(), json!(rng.pick(&["t1", "t2", "v1"])));
    }
    // S2: the baseline and every lane in strict mode hold every service.
    let whole = !shape.permissive || shape.baseline == Some(name);
    let mut hosts = shape.hosts.clone();
    if !whole && rng.chance(65) {
        let count = rng.between(1, hosts.len());
        hosts = rng.some(&hosts, count);
        lane.insert("services".into(), json!(hosts));
    } else if rng.chance(15) {
        lane.insert("services".into(), json!(hosts));
    }
    if rng.chance(20) {
        let host = rng.pick(&hosts);
        let mut labels = Map::new();
        labels.insert("tier".into(), json!(rng.pick(&["test", "prod", "v1", "v2"])));
        if rng.chance(60) {
            let value = rng.pick(&["v1", "v2", "v5"]);
            labels.insert(shape.tag.clone(), json!(value));
        }
        lane.insert("labels".into(), json!({ host: labels }));
    }
    // S2, S3: none in strict mode, none for the baseline, never the lane itself.
    if !whole && rng.chance(50) {
        let mut others = shape.names.clone();
        others.retain(|other| *other != name);
        let count = rng.between(0, others.len());
        lane.insert("fallback".into(), json!(rng.some(&others, count)));
    }
    Value::Object(lane)
}

fn rule(rng: &mut Rng, index: usize, shape: &Shape<'_>, names: &Names<'_>) -> Value {
    let mut rule = Map::new();
    rule.insert("name".into(), json!(format!("r{index}")));
    let (at, hop): (Option<&[&str]>, bool) = match rng.below(20) {
        0 => (Some(&["gateway"]), false),
        1..=4 => (Some(&["hop"]), true),
        5..=9 => (Some(&["gateway", "hop"]), true),
        _ => (None, false),
    };
    if let Some(at) = at {
        rule.insert("at".into(), json!(at));
    }
    if rng.chance(45) {
        let count = rng.between(1, 2);
        rule.insert("hosts".into(), json!(rng.some(HOSTS, count)));
    }
    rule.insert("service".into(), json!(rng.pick(&shape.hosts)));
    if rng.chance(75) {
        let count = rng.between(1, 2);
        let entries: Vec<Value> = (0..count).map(|_| entry(rng, names, 3)).collect();
        rule.insert("match".into(), json!(entries));
    }
    match rng.below(20) {
        0..=5 => {
            rule.insert("lane".into(), json!(rng.pick(&shape.names)));
        }
        6..=11 => {
            rule.insert("lane_from".into(), lane_from(rng, names));
        }
        _ => split(rng, shape, names, hop, &mut rule),
    }
    Value::Object(rule)
}

fn lane_from(rng: &mut Rng, names: &Names<'_>) -> Value {
    match rng.below(6) {
        0 | 1 => json!({ "header": names.guiding }),
        2 => json!({ "header": names.guiding.to_ascii_uppercase() }),
        _ => loop {
            let key = key(rng, names);
            if key["source_ip"].is_null() && key["trace_id"].is_null() {
                break key;
            }
        },
    }
}

fn split(rng: &mut Rng, shape: &Shape<'_>, names: &Names<'_>, hop: bool, rule: &mut Map<String, Value>) {
    let count = rng.between(1, shape.names.len());
    let lanes = rng.some(&shape.names, count);
    let mut weights: Vec<u64> = lanes.iter().map(|_| rng.pick(&[0, 1, 1, 10, 30, 40, 1_000_000])).collect();
    // S4: at least one is positive, the sum is at most 2^32-1.
    if weights.iter().all(|weight| *weight == 0) {
        let at = rng.below(weights.len());
        weights[at] = rng.pick(&[1, 100, 4_294_967_295]);
    }
    let shares: Vec<Value> = lanes.iter().zip(weights).map(|(lane, weight)| json!({ "lane": lane, "weight": weight })).collect();
    rule.insert("split".into(), json!(shares));
    if rng.chance(35) {
        return;
    }

    let mut sticky = Map::new();
    // S19: `generate` stands in no rule that holds `at` hop.
    let generates = !hop && rng.chance(60);
    let least = usize::from(!generates);
    let mut keys: Vec<Value> = Vec::new();
    for _ in 0..rng.between(least, 3) {
        let key = key(rng, names);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if generates {
        let cookie = rng.pick(COOKIES);
        keys.retain(|key| key["cookie"] != cookie);
        let seconds = rng.pick(&[60, 86_400]);
        let generate = json!({ "cookie": cookie, "ttl_seconds": seconds });
        sticky.insert("generate".into(), generate);
    }
    if !keys.is_empty() {
        sticky.insert("keys".into(), json!(keys));
    }
    match rng.below(4) {
        0 => sticky.insert("method".into(), json!("rendezvous")),
        1 | 2 => sticky.insert("method".into(), json!("ranges")),
        _ => None,
    };
    if rng.chance(25) {
        sticky.insert("salt".into(), json!(rng.pick(&["s", "2024-é"])));
    }
    rule.insert("sticky".into(), Value::Object(sticky));
}
