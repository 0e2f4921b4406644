//! What the benches time is right: on every workload and stream the index answers as the linear walk does, and on a
//! sample, at small sizes, as the oracle does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what failed by failing, and JSON is read by index")]

use lane_benches::{
    router::{Engine, answer, rule_of},
    workload::{Call, MIXES, Place, Shape, Stream, TRAPS, Workload, hops, lines, requests},
};
use lane_core::{Change, Indexing, config::Config};
use lane_tests::oracle;
use serde_json::{Value, json};

fn as_data(call: &Call) -> Value {
    let headers: Vec<_> = call.headers.iter().map(|(name, value)| json!([name, value])).collect();
    let mut request =
        json!({ "method": call.method, "authority": call.authority, "path": call.path, "headers": headers, "roll": call.roll.to_string() });
    match &call.place {
        Place::Ingress => request["ingress"] = json!({ "gateway": "" }),
        Place::Hop(service) => request["hop"] = json!({ "service": service }),
    }
    request
}

/// Compares every answer, and the first so many with the oracle's; returns which rules decided.
fn compare(name: &str, config: &Config, calls: &[Call], by_oracle: usize) -> Vec<Option<usize>> {
    let lines = lines(calls);
    let requests = requests(calls, &lines);
    let [linear, auto, indexed] = [Indexing::Never, Indexing::Auto, Indexing::Always].map(|indexing| Engine::new(config, indexing));
    let document = serde_json::to_value(config).unwrap();
    let mut rules = Vec::new();
    for (index, (call, request)) in calls.iter().zip(&requests).enumerate() {
        let wanted = linear.decide(&call.place, request);
        assert_eq!(auto.decide(&call.place, request), wanted, "{name}, request {index}: {call:?}");
        assert_eq!(indexed.decide(&call.place, request), wanted, "{name}, request {index}, by the index: {call:?}");
        rules.push(rule_of(answer(&wanted)));
        if index < by_oracle {
            let said = oracle::decide(&document, &as_data(call));
            let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
            let router = &linear.router;
            assert_eq!(said["rule"], text(wanted.rule.map(|rule| router.rule_name(rule))), "{name}, request {index}: {call:?}");
            assert_eq!(said["lane"], text(wanted.lane.map(|lane| router.lane_name(lane))), "{name}, request {index}: {call:?}");
            assert_eq!(
                said["subset"]["lane"],
                text(wanted.serving.map(|lane| router.lane_name(lane))),
                "{name}, request {index}: {call:?}"
            );
        }
    }
    rules
}

fn all_streams(shape: &'static Shape, rules: usize, by_oracle: usize) {
    let workload = Workload::new(shape, rules);
    for stream in Stream::ALL {
        let name = format!("{} of {rules}, {}", shape.name, stream.name());
        let calls = workload.calls(stream, 64);
        assert!(calls.iter().all(|call| call.headers.len() >= 15), "{name}: 15 headers");
        let met = compare(&name, &workload.config, &calls, by_oracle);
        match stream {
            Stream::First | Stream::Last if shape.name == "adv_negation_only" => {
                assert!(met.iter().all(Option::is_none), "{name}: {met:?}");
            }
            Stream::First => assert!(met.iter().all(|rule| *rule == Some(0)), "{name}: {met:?}"),
            // Rules drawn at random overlap, so the last may be behind another.
            Stream::Last if ["adv_ternary", "adv_manyattrs"].contains(&shape.name) => {}
            Stream::Last => assert!(met.iter().all(|rule| *rule == Some(rules - 1)), "{name}: {met:?}"),
            _ => {}
        }
    }
}

#[test]
fn ten_rules() {
    MIXES.iter().chain(TRAPS).for_each(|shape| all_streams(shape, 10, 24));
}

#[test]
fn three_hundred_rules() {
    MIXES.iter().chain(TRAPS).for_each(|shape| all_streams(shape, 300, 6));
}

#[test]
fn two_thousand_rules() {
    for shape in MIXES.iter().chain(TRAPS) {
        // Two thousand hostile regexes take too long to compile for a plain test.
        let rules = if shape.name == "adv_rx_dotstar" { 500 } else { 2_000 };
        all_streams(shape, rules, 0);
    }
}

#[test]
fn hops_and_splits() {
    let settings = [hops::by_header(200), hops::with_fallback(200), hops::baggage(50)];
    let splits = [hops::By::Unsplit, hops::By::Roll, hops::By::Header, hops::By::Cookie].map(|by| hops::split(by, 50));
    for setting in settings.iter().chain(&splits) {
        compare(setting.name, &setting.config, &setting.calls, 20);
    }
}

#[test]
fn baggage_is_rewritten_as_the_oracle_does() {
    let setting = hops::baggage(20);
    let lines = lines(&setting.calls);
    let document = serde_json::to_value(&setting.config).unwrap();
    let engine = Engine::new(&setting.config, Indexing::Auto);
    for (call, request) in setting.calls.iter().zip(requests(&setting.calls, &lines)) {
        let decision = engine.decide(&call.place, &request);
        let mut set = serde_json::Map::new();
        let mut buffer = [0; lane_core::BUFFER_BYTES];
        engine.router.changes(&decision, &request, &mut buffer, |change| match change {
            Change::Set { name, value } => drop(set.insert(name.into(), String::from_utf8(value.to_vec()).unwrap().into())),
            Change::Remove { name } => drop(set.insert(name.into(), Value::Null)),
        });
        assert_eq!(oracle::decide(&document, &as_data(call))["set_headers"], Value::from(set));
    }
}
