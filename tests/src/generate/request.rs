//! Random requests for a configuration. Most are aimed at one of its rules: what the rule wants is put in, then noise is
//! laid over it.

use super::draft::{Draft, value_json};
use super::sample::{near_miss, swap_case};
use super::wish::{authority, lane_name, put_source, trace_value, wish_rule};
use super::{
    BAGGAGE_KEYS, COOKIES, GATEWAYS, GUIDING, HEADERS, HOSTS, LABELS, MEMBERS, METHODS, PATHS, QUERIES, RESTORED, Rng, TRACE_HEADERS,
    VALUES,
};
use serde_json::{Map, Value, json};

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Where the request goes, and at which group and rule it is aimed.
pub(super) struct Aim<'a> {
    pub(super) group: &'a Value,
    rule: Option<&'a Value>,
    hop: bool,
}

pub(super) fn request(config: &Value, rng: &mut Rng) -> Value {
    let kind = rng.below(100);
    let hop = kind >= 50;
    let aim = aim(config, rng, hop);
    let mut draft = Draft::default();
    let mut source = Map::new();
    noise(rng, &mut draft);
    // A lane name that is found early leaves the rules `at` hop unasked, so some requests carry none.
    let bare = hop && rng.chance(40);
    if !bare {
        context(config, rng, &mut draft);
    }
    if !bare && (aim.hop || rng.chance(40)) {
        caller(&aim, rng, &mut source);
    }
    if let Some(rule) = aim.rule {
        wish_rule(&aim, rule, rng, &mut draft, &mut source);
    }

    let mut request = Map::new();
    match kind {
        0..=49 => request.insert("ingress".into(), json!({ "gateway": gateway(&aim, rng) })),
        50..=95 => request.insert("hop".into(), json!({ "service": called(&aim, rng) })),
        _ => request.insert("inbound".into(), json!({})),
    };
    for (field, value) in [("method", &draft.method), ("authority", &draft.authority)] {
        if let Some(value) = value {
            request.insert(field.into(), json!(value));
        }
    }
    if let Some(path) = draft.path_text(rng) {
        request.insert("path".into(), json!(path));
    }
    let lines = draft.header_lines(rng);
    if rng.chance(12) {
        request.insert("recorded".into(), recorded(rng, &lines));
    }
    let lines: Vec<Value> = lines.iter().map(|(name, value)| json!([name, value_json(value)])).collect();
    if !lines.is_empty() || rng.chance(50) {
        request.insert("headers".into(), json!(lines));
    }
    if rng.chance(85) {
        request.insert("roll".into(), roll(rng));
    }
    if !source.is_empty() || rng.chance(5) {
        request.insert("source".into(), Value::Object(source));
    }
    if rng.chance(65) {
        request.insert("live".into(), live(&aim, config, rng));
    }
    if aim.hop && rng.chance(50) {
        request.insert("remembered".into(), remembered(config, rng));
    }
    if rng.chance(1) {
        spoil(rng, &mut request);
    }
    Value::Object(request)
}

/// Makes a request that cannot be read (section 8).
fn spoil(rng: &mut Rng, request: &mut Map<String, Value>) {
    match rng.below(6) {
        0 => {
            request.remove("ingress");
            request.remove("hop");
            request.remove("inbound");
            None
        }
        1 => {
            request.insert("ingress".into(), json!({ "gateway": "gw1" }));
            request.insert("hop".into(), json!({ "service": "mocka" }))
        }
        2 => request.insert("roll".into(), json!(rng.pick(&["-1", "x", "1.5"]))),
        3 => request.insert("live".into(), json!({ "nowhere": { "v1": [1, 1] } })),
        4 => request.insert("headers".into(), json!([["x-a", 7]])),
        _ => request.insert("roll".into(), json!(-1)),
    };
}

fn aim<'a>(config: &'a Value, rng: &mut Rng, hop: bool) -> Aim<'a> {
    let groups = list(&config["groups"]);
    let group = &groups[rng.below(groups.len())];
    let place = if hop { "hop" } else { "gateway" };
    let rules: Vec<&Value> = list(&group["rules"])
        .iter()
        .filter(|rule| match rule["at"].as_array() {
            Some(places) => places.iter().any(|at| at == place),
            None => !hop,
        })
        .collect();
    let rule = (!rules.is_empty() && rng.chance(85)).then(|| rng.pick(&rules));
    Aim { group, rule, hop }
}

fn gateway(aim: &Aim<'_>, rng: &mut Rng) -> String {
    let named = list(&aim.group["gateways"]);
    if !named.is_empty() && rng.chance(80) {
        return rng.pick(named).as_str().unwrap_or_default().to_owned();
    }
    rng.pick(&[GATEWAYS, &["other"]].concat()).to_owned()
}

/// The called service's name, written in one of the ways that mean the same, or in one that does not.
fn called(aim: &Aim<'_>, rng: &mut Rng) -> String {
    let services = list(&aim.group["services"]);
    let mut service = &services[rng.below(services.len())];
    if let Some(rule) = aim.rule
        && rng.chance(75)
    {
        let mut services = services.iter();
        service = services.find(|service| service["host"] == rule["service"]).unwrap_or(service);
    }
    let mut name = service_name(rng, service);
    match rng.below(24) {
        0 => name.push_str(":8080"),
        1 => name.push('.'),
        2 => name.push_str(".:80"),
        3 => name = swap_case(rng, &name),
        4 => name = near_miss(rng, &name),
        5 => name.push_str(".."),
        _ => {}
    }
    name
}

fn service_name(rng: &mut Rng, service: &Value) -> String {
    let aliases = list(&service["aliases"]);
    let name = if aliases.is_empty() || rng.chance(60) { service["host"].clone() } else { rng.pick(aliases) };
    name.as_str().unwrap_or_default().to_owned()
}

/// What any request may carry, whether or not a rule asks for it.
fn noise(rng: &mut Rng, draft: &mut Draft) {
    if rng.chance(85) {
        draft.method = Some(rng.pick(METHODS).to_owned());
    }
    if rng.chance(90) {
        let path = rng.pick(PATHS);
        draft.path = Some(path.to_owned());
    }
    if rng.chance(88) {
        draft.authority = Some(authority(rng, rng_host));
    }
    for name in HEADERS {
        if rng.chance(25) {
            draft.header(name, rng.pick(VALUES));
        }
    }
    for name in COOKIES {
        if rng.chance(20) {
            draft.cookies.push((name.to_string(), rng.pick(VALUES).to_owned()));
        }
    }
    for name in QUERIES {
        if rng.chance(20) {
            draft.query.push((name.to_string(), rng.pick(VALUES).to_owned()));
        }
    }
    for name in MEMBERS.iter().chain(RESTORED) {
        if rng.chance(20) {
            draft.members.push((name.to_string(), rng.pick(VALUES).to_owned()));
        }
    }
    for name in RESTORED {
        if rng.chance(10) {
            draft.header(name, rng.pick(&["prod", ""]));
        }
    }
    for name in TRACE_HEADERS {
        if rng.chance(45) {
            draft.header(name, trace_value(rng, name));
        }
    }
}

fn rng_host(rng: &mut Rng) -> String {
    rng.pick(HOSTS).to_owned()
}

/// Lane context for every group: guiding header, baggage member.
fn context(config: &Value, rng: &mut Rng, draft: &mut Draft) {
    let often = rng.pick(&[5, 35, 60]);
    for group in list(&config["groups"]) {
        let guiding = group["guiding_header"].as_str().unwrap_or(GUIDING[2]);
        if rng.chance(often) {
            let lane = lane_name(rng, group);
            draft.header(guiding, &lane);
            if rng.chance(5) {
                let other = lane_name(rng, group);
                draft.header(guiding, &other);
            }
        }
        let key = group["context"]["baggage"].as_str();
        if rng.chance(often) {
            let key = key.unwrap_or_else(|| rng.pick(BAGGAGE_KEYS)).to_owned();
            let lane = lane_name(rng, group);
            draft.members.push((key, lane));
        }
    }
}

/// Who calls: mostly a service of the group, with the labels of one of its lanes.
fn caller(aim: &Aim<'_>, rng: &mut Rng, source: &mut Map<String, Value>) {
    let group = aim.group;
    let services = list(&group["services"]);
    let service = &services[rng.below(services.len())];
    if rng.chance(60) {
        let mut name = service_name(rng, service);
        match rng.below(14) {
            0 => name.push_str(".:80"),
            1 => name = swap_case(rng, &name),
            2 => name = rng.pick(&["stranger", ""]).to_owned(),
            _ => {}
        }
        put_source(source, "service", name);
    }
    if rng.chance(60) {
        let lanes = list(&group["lanes"]);
        let lane = &lanes[rng.below(lanes.len())];
        let tag = lane["service_tag"].as_str().unwrap_or_else(|| text(lane, "name"));
        let label = group["tag_label"].as_str().unwrap_or(LABELS[0]);
        let mut labels =
            lane["labels"][text(service, "host")].as_object().cloned().unwrap_or_else(|| Map::from_iter([(label.to_owned(), json!(tag))]));
        if rng.chance(15) {
            labels.insert(rng.pick(LABELS).to_owned(), json!(rng.pick(VALUES)));
        }
        source.insert("labels".into(), Value::Object(labels));
    }
    if rng.chance(25) {
        let lane = lane_name(rng, group);
        put_source(source, "lane", lane);
    }
    if rng.chance(55) {
        let ip = rng.pick(&["10.0.0.7", "10.0.0.8", "::ffff:10.0.0.7", "192.168.1.5", "fd00::1", "FD00:0:0:0:0:0:0:1", "not-an-ip"]);
        put_source(source, "ip", ip.to_owned());
    }
}

/// The headers a recorder could see: some of those that are there, some that are not.
fn recorded(rng: &mut Rng, lines: &[(String, Vec<u8>)]) -> Value {
    let blind = rng.pick(&[5, 20, 50]);
    let always = ["baggage", "cookie"];
    let known = [HEADERS, GUIDING, TRACE_HEADERS, RESTORED, &always].concat();
    let carried = lines.iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = Vec::new();
    for name in carried.chain(known) {
        let seen = names.iter().any(|own| own.eq_ignore_ascii_case(name));
        if !seen && !rng.chance(blind) {
            names.push(name);
        }
    }
    json!({ "headers": names })
}

fn roll(rng: &mut Rng) -> Value {
    let roll = match rng.below(3) {
        0 => rng.below(150) as u64,
        1 => u64::MAX - rng.below(3) as u64,
        _ => rng.number(),
    };
    if rng.chance(60) { json!(roll.to_string()) } else { json!(roll) }
}

fn live(aim: &Aim<'_>, config: &Value, rng: &mut Rng) -> Value {
    let sick = rng.pick(&[10, 40, 92]);
    let listed = if sick > 90 { 97 } else { 60 };
    let mut live = Map::new();
    let groups = [aim.group].into_iter().chain(list(&config["groups"]).iter().filter(|_| rng.chance(30)));
    let groups: Vec<&Value> = groups.collect();
    for group in groups {
        for service in list(&group["services"]) {
            let mut lanes = Map::new();
            for lane in list(&group["lanes"]) {
                if rng.chance(listed) {
                    let counts = if rng.chance(sick) {
                        rng.pick(&[[0, 0], [3, 0], [0, 0], [3, 0], [100, 33], [2, 1], [4, 1]])
                    } else {
                        rng.pick(&[[1, 1], [3, 3], [100, 50], [100, 34]])
                    };
                    lanes.insert(text(lane, "name").to_owned(), json!(counts));
                }
            }
            live.insert(text(service, "host").to_owned(), Value::Object(lanes));
        }
    }
    if rng.chance(1)
        && let Some(lanes) = live.values_mut().next()
    {
        // A line that cannot be read: an unknown lane, or more healthy endpoints than endpoints.
        *lanes = if rng.chance(50) { json!({ "nowhere": [1, 1] }) } else { json!({ text(&list(&aim.group["lanes"])[0], "name"): [1, 2] }) };
    }
    Value::Object(live)
}

fn remembered(config: &Value, rng: &mut Rng) -> Value {
    let mut remembered = Map::new();
    for group in list(&config["groups"]) {
        if rng.chance(70) {
            let lane = lane_name(rng, group);
            remembered.insert(text(group, "name").to_owned(), json!(lane));
        }
    }
    Value::Object(remembered)
}
