//! Generated configurations and requests, brought to what a stock Envoy is asked to do: what the export reports as lost
//! is taken out of configurations, and requests become ones that HTTP can carry and that Envoy does not refuse.

use lane_core::{
    config::Config,
    diagnostic::{Severity, Step},
};
use lane_formats::{
    Bytes,
    mesh::{self, Endpoint, ExportOptions, MeshFormat},
    request::{Ask, Live, Place},
};
use lane_tests::generate::Rng;
use serde_json::{Value, json};

/// The header that gives Envoy the roll of a split.
pub const ROLL: &str = "x-lane-roll";

/// How Envoy is to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By routes; each line of a header is matched on its own.
    Each,
    /// By routes; the lines of a header are matched joined.
    Joined,
    /// By lane's module.
    Module,
}

/// The header that gives the module the roll; a module built for tests reads it.
pub const PROBE_ROLL: &str = "x-lane-probe-roll";

/// What the export would lose, taken out. Every other part of what the generator makes stays.
pub fn config(mut config: Value, way: Way) -> Value {
    for group in config["groups"].as_array_mut().unwrap() {
        // A route table remembers nothing, and what the module remembers is not in these requests.
        if group.get("context").is_some_and(|context| context.get("trace_id").is_some()) {
            group.as_object_mut().unwrap().remove("context");
        }
        // The module loses nothing else.
        if way == Way::Module {
            continue;
        }
        // How lines of one header are matched is one switch for all of Envoy.
        group["header_values"] = json!(if way == Way::Joined { "joined" } else { "each" });
        for service in group["services"].as_array_mut().unwrap() {
            service.as_object_mut().unwrap().remove("min_healthy_percent");
        }
        for rule in group.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(sticky) = rule.get_mut("sticky") {
                sticky["method"] = json!("ranges");
            }
            if let Some(entries) = rule.get_mut("match") {
                without_caller(entries);
            }
        }
    }
    config
}

/// Only the caller's address is known to Envoy.
fn without_caller(value: &mut Value) {
    if let Some(source) = value.get_mut("source").and_then(Value::as_object_mut) {
        source.remove("service");
        source.remove("labels");
        if source.is_empty() {
            value.as_object_mut().unwrap().remove("source");
        }
    }
    match value {
        Value::Array(list) => list.iter_mut().for_each(without_caller),
        Value::Object(map) => map.values_mut().for_each(without_caller),
        _ => {}
    }
}

/// A configuration as Envoy runs it.
pub struct Exported {
    pub config: Config,
    pub bootstrap: Value,
    /// Rules that the export could not say, and that are therefore left out of both sides.
    pub dropped: usize,
}

/// Exports without losses; rules that cannot be said are taken out and counted.
pub fn export(mut config: Config, options: &ExportOptions) -> Exported {
    let mut dropped = 0;
    loop {
        let exported = mesh::export(&config, MeshFormat::Envoy, options);
        let errors = exported.report.notes.iter().filter(|note| note.severity == Severity::Error || note.code == mesh::Code::Approximated);
        let mut rules: Vec<(usize, usize)> = errors
            .map(|note| match note.path.steps() {
                [Step::Field(_), Step::Index(group), Step::Field(rules), Step::Index(rule), ..] if &**rules == "rules" => (*group, *rule),
                _ => panic!("a loss that is no rule's: {note}"),
            })
            .collect();
        if rules.is_empty() {
            return Exported { config, bootstrap: exported.documents.into_iter().next().unwrap(), dropped };
        }
        rules.sort_unstable();
        rules.dedup();
        for (group, rule) in rules.into_iter().rev() {
            config.groups[group].rules.remove(rule);
            dropped += 1;
        }
    }
}

/// Endpoint counts of every subset, the same for all requests: Envoy has them in its configuration.
pub fn liveness(config: &Config, rng: &mut Rng, mut port: impl FnMut(&str, &str) -> u16, nobody: u16) -> (Vec<Live>, Vec<Endpoint>) {
    let (mut live, mut endpoints): (Vec<Live>, Vec<Endpoint>) = (Vec::new(), Vec::new());
    let sick = rng.pick(&[0, 15, 50]);
    for group in &config.groups {
        for service in &group.services {
            for lane in &group.lanes {
                let is_known = live.iter().any(|known| known.service == service.host && known.lane == lane.name);
                if is_known || lane.services.as_ref().is_some_and(|services| !services.contains(&service.host)) {
                    continue;
                }
                let own = port(&service.host, &lane.name);
                let one = |address, healthy| Endpoint { service: service.host.clone(), lane: lane.name.clone(), address, healthy };
                let (counts, more) = match rng.chance(sick).then(|| rng.below(3)) {
                    None => ((1, 1), vec![one(Some(("127.0.0.1".into(), own)), true)]),
                    Some(0) => ((0, 0), vec![one(None, true)]),
                    Some(1) => ((1, 0), vec![one(Some(("127.0.0.1".into(), nobody)), false)]),
                    // Some endpoints are ill: the healthy one takes all requests, and no fallback takes a part of them.
                    Some(_) => ((2, 1), vec![one(Some(("127.0.0.1".into(), own)), true), one(Some(("127.0.0.1".into(), nobody)), false)]),
                };
                live.push(Live { service: service.host.clone(), lane: lane.name.clone(), endpoints: counts.0, healthy: counts.1 });
                endpoints.extend(more);
            }
        }
    }
    (live, endpoints)
}

/// A generated request as HTTP can carry it; none for what is no request to a proxy.
pub fn request(value: &Value, live: &[Live]) -> Option<Ask> {
    let mut ask = Ask::from_value(value).ok()?;
    match &ask.place {
        Place::Ingress { .. } => {}
        // The called name is the authority of the call.
        Place::Hop { service } => ask.authority = Some(service.as_str().into()),
        Place::Inbound => return None,
    }
    ask.recorded = None;
    ask.remembered.clear();
    ask.live = live.to_vec();
    ask.source = Default::default();
    ask.source.ip = Some("127.0.0.1".into());
    let roll = ask.roll.unwrap_or(7);
    ask.roll = Some(roll);
    ask.headers.push((ROLL.into(), roll.to_string().into()));
    ask.headers.push((PROBE_ROLL.into(), roll.to_string().into()));

    // HTTP has a method, a path and a host, always.
    let method = ask.method.get_or_insert_with(|| "GET".into());
    if method.as_str() == Some("get") {
        *method = "PUT".into();
    }
    let path = ask.path.get_or_insert_with(|| "/".into());
    let text = path.as_str()?.replace(' ', "+");
    *path = Bytes(if text.starts_with('/') { text.into_bytes() } else { format!("/{text}").into_bytes() });
    ask.authority.get_or_insert_with(|| "nowhere.invalid".into());
    Some(ask)
}
