//! Putting into a request what a rule asks for: its hosts, one entry of its match, the value its action reads. Also the
//! names that a rule or a lookup reads: lanes, trace ids, authorities, near misses of each.

use super::draft::Draft;
use super::request::{Aim, list, text};
use super::sample::{near_miss, sample, swap_case};
use super::{LANES, Rng, VALUES};
use serde_json::{Map, Value, json};

/// Puts in what a rule asks for: hosts, one entry of its match, the value its action reads.
pub(super) fn wish_rule(aim: &Aim<'_>, rule: &Value, rng: &mut Rng, draft: &mut Draft, source: &mut Map<String, Value>) {
    let hosts = list(&rule["hosts"]);
    if !hosts.is_empty() && rng.chance(85) {
        let pattern = rng.pick(hosts).as_str().unwrap_or_default().to_owned();
        draft.authority = Some(authority(rng, |_| pattern.clone()));
    }
    let entries = list(&rule["match"]);
    if !entries.is_empty() && rng.chance(90) {
        wish_entry(&rng.pick(entries), rng, draft, source);
    }
    if !rule["lane_from"].is_null() && rng.chance(85) {
        let lane = lane_name(rng, aim.group);
        wish_key(&rule["lane_from"], lane, rng, draft);
    }
    let sticky = &rule["sticky"];
    for key in list(&sticky["keys"]) {
        if rng.chance(45) {
            let value = rng.pick(VALUES).to_owned();
            wish_key(key, value, rng, draft);
        }
    }
    if let Some(cookie) = sticky["generate"]["cookie"].as_str()
        && rng.chance(30)
    {
        let value = format!("{:016x}", rng.number());
        draft.cookies.insert(0, (cookie.to_owned(), value));
    }
}

fn wish_entry(entry: &Value, rng: &mut Rng, draft: &mut Draft, source: &mut Map<String, Value>) {
    for (field, condition) in entry.as_object().into_iter().flatten() {
        if rng.chance(8) {
            continue;
        }
        match field.as_str() {
            "method" => draft.method = sample(rng, condition),
            "path" => draft.path = sample(rng, condition),
            "percent" => {
                let value = rng.pick(VALUES).to_owned();
                wish_key(&condition["of"], value, rng, draft);
            }
            "all" => {
                for one in list(condition) {
                    wish_entry(one, rng, draft, source);
                }
            }
            "any" => wish_entry(&rng.pick(list(condition)), rng, draft, source),
            "not" if rng.chance(25) => wish_entry(condition, rng, draft, source),
            "not" => {}
            "source" => wish_source(condition, rng, source),
            _ => {
                for (name, matcher) in condition.as_object().into_iter().flatten() {
                    wish_named(field, name, sample(rng, matcher), draft);
                }
            }
        }
    }
}

/// Puts a value in front of what is there, or takes all away.
fn wish_named(field: &str, name: &str, value: Option<String>, draft: &mut Draft) {
    if field == "headers" {
        draft.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            draft.header(name, &value);
        }
        return;
    }
    let pairs = match field {
        "query" => &mut draft.query,
        "cookies" => &mut draft.cookies,
        _ => &mut draft.members,
    };
    pairs.retain(|(own, _)| own != name);
    pairs.extend(value.map(|value| (name.to_owned(), value)));
}

fn wish_source(condition: &Value, rng: &mut Rng, source: &mut Map<String, Value>) {
    if let Some(value) = sample(rng, &condition["service"]) {
        put_source(source, "service", value);
    }
    for (name, matcher) in condition["labels"].as_object().into_iter().flatten() {
        let value = sample(rng, matcher);
        let labels = source.entry("labels").or_insert_with(|| json!({}));
        if let (Some(value), Some(labels)) = (value, labels.as_object_mut()) {
            labels.insert(name.clone(), json!(value));
        }
    }
    if let Some(net) = condition["ip"][0].as_str() {
        let address = net.split('/').next().unwrap_or_default();
        put_source(source, "ip", address.to_owned());
    }
}

fn wish_key(key: &Value, value: String, rng: &mut Rng, draft: &mut Draft) {
    let Some((place, name)) = key.as_object().and_then(|key| key.iter().next()) else {
        return;
    };
    let Some(name) = name.as_str() else {
        return;
    };
    match place.as_str() {
        "header" => wish_named("headers", name, Some(value), draft),
        "cookie" => wish_named("cookies", name, Some(value), draft),
        "query" => wish_named("query", name, Some(value), draft),
        "baggage" => wish_named("baggage", name, Some(value), draft),
        _ => {
            let value = trace_value(rng, name).to_owned();
            wish_named("headers", name, Some(value), draft);
        }
    }
}

/// A host for a pattern, with port, upper case or a trailing dot.
pub(super) fn authority(rng: &mut Rng, pattern: impl Fn(&mut Rng) -> String) -> String {
    let pattern = pattern(rng);
    let mut host = match pattern.strip_prefix('*') {
        Some(suffix) => format!("{}{suffix}", rng.pick(&["www", "a.b", "x", ""])),
        None => pattern,
    };
    match rng.below(14) {
        0..=2 => host.push_str(":8080"),
        3 => host.push(':'),
        4 => host.push('.'),
        5 => host = swap_case(rng, &host),
        6 => host = near_miss(rng, &host),
        _ => {}
    }
    host
}

pub(super) fn trace_value(rng: &mut Rng, header: &str) -> &'static str {
    const ID: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    match header {
        "traceparent" => rng.pick(&[
            "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
            "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
            "cc-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01-what",
            "cc-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01.what",
            "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01-",
            "00-80F198EE56343BA864FE8B2A57D3EFF7-e457b5a2e4d86bd1-01",
            "ff-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
            "00-00000000000000000000000000000000-e457b5a2e4d86bd1-01",
            "00-80f198ee56343ba864fe8b2a57d3eff7-0000000000000000-01",
            "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1",
        ]),
        "b3" => rng.pick(&[
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
            "64fe8b2a57d3eff7-e457b5a2e4d86bd1",
            "64fe8b2a57d3eff7-e457b5a2e4d86bd1-d",
            "0",
            "64fe8b2a57d3eff7",
            "64fe8b2a57d3ef-e457b5a2e4d86bd1-1",
            "64FE8B2A57D3EFF7-e457b5a2e4d86bd1-1",
            "64fe8b2a57d3eff7-e457b5a2e4d86bd1-2",
            "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-x",
        ]),
        _ => rng.pick(&[ID, ID, "t-1", "", "T 1"]),
    }
}

/// A lane's name, mostly one of this group's.
pub(super) fn lane_name(rng: &mut Rng, group: &Value) -> String {
    let lanes = list(&group["lanes"]);
    let name = text(&lanes[rng.below(lanes.len())], "name").to_owned();
    match rng.below(20) {
        0 => near_miss(rng, &name),
        1 | 2 => format!("{name}.x"),
        3 => format!("{name}.x.y-1"),
        4 => rng.pick(LANES).to_owned(),
        5 => rng.pick(&["", "nowhere", "v1.", ".v1", "a,b", "caf\u{e9}"]).to_owned(),
        _ => name,
    }
}

pub(super) fn put_source(source: &mut Map<String, Value>, field: &str, value: String) {
    source.insert(field.to_owned(), json!(value));
}
