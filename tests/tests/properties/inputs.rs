//! A decision depends on its inputs, on what they mean, and on nothing else.

use std::thread;

use lane_core::{Options, config::Config};
use lane_formats::{Format, request::Ask};
use lane_tests::{generate::Rng, vectors};
use serde_json::{Value, json};

use super::{World, answer, router};

/// Moves header lines so that lines of one name keep their order.
fn permuted(lines: &[Value], rng: &mut Rng) -> Vec<Value> {
    let name = |line: &Value| line[0].as_str().unwrap_or_default().to_ascii_lowercase();
    let mut order: Vec<String> = rng.some(lines, usize::MAX).iter().map(name).collect();
    // The positions are shuffled; each is then filled with the next line of its name.
    let mut left: Vec<Value> = lines.to_vec();
    let moved = order.drain(..).map(|wanted| {
        let next = left.iter().position(|line| name(line) == wanted).unwrap();
        left.remove(next)
    });
    moved.collect()
}

#[test]
fn the_order_of_unrelated_headers_and_further_ones_change_nothing() {
    for seed in 0..200 {
        let world = World::new(seed, 20);
        let mut rng = Rng::new(seed);
        for (request, wanted) in world.answers() {
            let Some(lines) = request["headers"].as_array() else { continue };
            let mut moved = request.clone();
            let mut lines = permuted(lines, &mut rng);
            moved["headers"] = json!(lines);
            assert_eq!(answer(&world.router, &moved), wanted, "seed {seed}, moved\n{request}\n{moved}");
            for name in ["x-nobody-asks", "X-Forwarded-For", "accept"] {
                lines.insert(rng.between(0, lines.len()), json!([name, rng.pick(&["v1", "a,b", ""])]));
            }
            moved["headers"] = json!(lines);
            assert_eq!(answer(&world.router, &moved), wanted, "seed {seed}, with unrelated headers\n{request}\n{moved}");
        }
    }
}

#[test]
fn the_case_of_header_names_and_of_the_authority_changes_nothing() {
    for seed in 300..450 {
        let world = World::new(seed, 20);
        for (request, wanted) in world.answers() {
            let mut shouted = request.clone();
            for line in shouted.get_mut("headers").and_then(Value::as_array_mut).into_iter().flatten() {
                line[0] = json!(line[0].as_str().unwrap().to_ascii_uppercase());
            }
            if let Some(authority) = request["authority"].as_str() {
                shouted["authority"] = json!(authority.to_ascii_uppercase());
            }
            assert_eq!(answer(&world.router, &shouted), wanted, "seed {seed}\n{request}");
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_answer_in_any_order_and_from_any_thread() {
    for seed in 500..560 {
        let world = World::new(seed, 30);
        let wanted: Vec<Value> = world.requests.iter().map(|request| answer(&world.router, request)).collect();
        let again = router(&world.config);
        let check = |request: &Value, wanted: &Value| {
            assert_eq!(answer(&world.router, request), *wanted, "seed {seed}, asked again\n{request}");
            assert_eq!(answer(&again, request), *wanted, "seed {seed}, compiled again\n{request}");
        };
        world.requests.iter().zip(&wanted).rev().for_each(|(request, wanted)| check(request, wanted));
        thread::scope(|scope| {
            for start in 0..3 {
                let (requests, wanted) = (&world.requests, &wanted);
                let check = &check;
                scope.spawn(move || (start..requests.len()).chain(0..start).for_each(|at| check(&requests[at], &wanted[at])));
            }
        });
    }
}

#[test]
fn a_configuration_that_was_written_and_read_again_decides_alike() {
    for seed in 600..750 {
        let world = World::new(seed, 20);
        let config: Config = serde_json::from_value(world.config.clone()).unwrap();
        let text = serde_json::to_string_pretty(&config).unwrap();
        // JSON is YAML too.
        for format in [Format::Json, Format::Yaml] {
            let loaded =
                lane_formats::load(&text, format, &Options::default()).unwrap_or_else(|refused| panic!("seed {seed}: {refused}\n{text}"));
            assert_eq!(loaded.config, config, "seed {seed}");
            for (request, wanted) in world.answers() {
                assert_eq!(answer(&loaded.router, request), wanted, "seed {seed}\n{request}");
            }
        }
    }
}

#[test]
fn a_request_that_was_written_and_read_again_is_answered_alike() {
    for seed in 900..980 {
        let world = World::new(seed, 30);
        for (request, wanted) in world.answers() {
            let written = Ask::from_value(request).unwrap().to_value();
            assert_eq!(answer(&world.router, &written), wanted, "seed {seed}\n{request}\n{written}");
        }
    }
}

/// Explains every request that decides something and compares.
fn explained(world: &str, router: &lane_core::Router, request: &Value, wanted: &Value) {
    if request.get("inbound").is_some() {
        return;
    }
    let (report, explanation) = Ask::from_value(request).unwrap().explain(router).unwrap();
    assert_eq!(serde_json::to_value(report).unwrap(), *wanted, "{world}\n{request}");
    let undetermined = wanted["outcome"] == "undetermined";
    assert_eq!(!explanation.undetermined.is_empty(), undetermined, "{world}\n{request}\n{explanation:#?}");
}

#[test]
fn explaining_agrees_with_deciding() {
    for seed in 1_000..1_150 {
        let world = World::new(seed, 20);
        for (request, wanted) in world.answers() {
            explained(&format!("seed {seed}"), &world.router, request, &wanted);
        }
    }
    for file in vectors::files().unwrap() {
        let router = router(&file.config);
        for case in &file.cases {
            let wanted = answer(&router, &case.request);
            if wanted.get("error").is_none() {
                explained(&case.name, &router, &case.request, &wanted);
            }
        }
    }
}

#[test]
fn what_was_changed_needs_no_change_at_the_next_hop() {
    // Setting what a hop decision says and asking again gives the same lane, and sets nothing more (S26).
    for seed in 1_300..1_500 {
        let world = World::new(seed, 20);
        for (request, wanted) in world.answers() {
            let settled = wanted["outcome"] == "routed" || wanted["outcome"] == "fell_back";
            if request.get("hop").is_none() || request.get("recorded").is_some() || !settled || wanted["notes"] != json!([]) {
                continue;
            }
            let mut next = request.clone();
            let set = wanted["set_headers"].as_object().unwrap();
            let mut lines = request["headers"].as_array().cloned().unwrap_or_default();
            lines.retain(|line| !set.keys().any(|name| name.eq_ignore_ascii_case(line[0].as_str().unwrap())));
            lines.extend(set.iter().map(|(name, value)| json!([name, value])));
            next["headers"] = json!(lines);
            let again = answer(&world.router, &next);
            // Rules look at headers, and the first look-up of another group may now find something.
            if again["rule"] == wanted["rule"] && again["group"] == wanted["group"] && again["found"]["in"] == wanted["found"]["in"] {
                assert_eq!(again["set_headers"], json!({}), "seed {}\n{request}\n{wanted}\n{next}\n{again}", world.seed);
            }
        }
    }
}
