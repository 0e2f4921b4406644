//! Decisions: configurations and requests from seeds, disturbed by the bytes that follow.

use lane_core::{Indexing, Options, Router, config::Config};
use lane_tests::generate::{self, Rng};
use serde_json::{Value, json};

use crate::{agree, answer};

/// Eight bytes choose the configuration, eight the request; each byte behind them changes the request a little.
///
/// # Panics
///
/// Router and oracle, or the router's own ways, disagree.
pub fn decision(bytes: &[u8]) {
    let (seeds, changes) = bytes.split_at(bytes.len().min(16));
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    let (first, second) = seeds.split_at(seeds.len().min(8));
    let config = generate::config(number(first));
    let mut rng = Rng::new(number(second));
    let mut request = generate::request(&config, &mut rng);
    for change in changes.chunks(2).take(16) {
        disturb(&mut request, change.first().copied().unwrap_or_default(), change.get(1).copied().unwrap_or_default());
    }

    let parsed: Config = serde_json::from_value(config.clone()).unwrap();
    let [linear, indexed] = [Indexing::Never, Indexing::Always].map(|indexing| {
        let mut options = Options::default();
        options.indexing = indexing;
        let compiled = Router::compile(&parsed, &options);
        compiled.unwrap_or_else(|error| panic!("a valid configuration was refused: {error:?}\n{config}")).router
    });
    let given = agree(&config, &linear, &request);
    assert_eq!(answer(&indexed, &request), given, "by the index\n{request}\n{config}");
}

/// Changes one thing: which one the first byte says, how the second.
fn disturb(request: &mut Value, what: u8, how: u8) {
    let texts = [
        "", "a", "v1", "v2.1", "ab", "A", "é", "%", "a,b", "a=b", "=", ";", "\"a\"", " a ", "\t", "1", "-3", "/mock", "?", "#", "a;b=c",
        "v2.1.x.y",
    ];
    let text = texts[usize::from(how) % texts.len()];
    match what % 12 {
        0 => request["path"] = json!(format!("/{text}")),
        1 => append(request, "path", text),
        2 => append(request, "authority", text),
        3 => request["method"] = json!(text),
        4 => request["roll"] = json!(u64::from(how)),
        5 => request["roll"] = json!((u64::MAX - u64::from(how)).to_string()),
        6..=9 => {
            let Some(lines) = request.get_mut("headers").and_then(Value::as_array_mut) else { return };
            if lines.is_empty() {
                return;
            }
            let at = usize::from(how) % lines.len();
            match what % 12 {
                6 => {
                    lines.remove(at);
                }
                7 => {
                    let again = lines[at].clone();
                    lines.insert(0, again);
                }
                8 => lines.reverse(),
                _ => {
                    let value = lines[at][1].as_str().map(|value| format!("{value}{}", texts[usize::from(what) % texts.len()]));
                    if let Some(value) = value {
                        lines[at][1] = json!(value);
                    }
                }
            }
        }
        10 => {
            let names = ["baggage", "cookie", "version", "x-b3-traceid", "env"];
            let line = json!([names[usize::from(how) % names.len()], text]);
            match request.get_mut("headers").and_then(Value::as_array_mut) {
                Some(lines) => lines.push(line),
                None => request["headers"] = json!([line]),
            }
        }
        _ => {
            request.as_object_mut().unwrap().remove(["live", "source", "remembered", "recorded"][usize::from(how) % 4]);
        }
    }
}

fn append(request: &mut Value, field: &str, text: &str) {
    if let Some(value) = request.get(field).and_then(Value::as_str) {
        request[field] = json!(format!("{value}{text}"));
    }
}
