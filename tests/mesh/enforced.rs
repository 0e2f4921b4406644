//! What `lane export istio` writes does, read naively, what lane decides: the same endpoints, the same guiding header.
//!
//! The sides of a request that ASM's own resources see to (baggage, trace ids) are left out, as are requests that a mesh
//! cannot tell from others: several lines of a guiding header, callers that are not what their labels say.

use std::collections::BTreeMap;

use lane_core::Options;
use lane_formats::{
    Format, load,
    mesh::{self, ExportOptions, MeshFormat},
    request::Ask,
};
use lane_tests::generate::{self, Rng};
use serde_json::{Value, json};

use crate::{
    interpreter::{self, Done, Request},
    plain,
};

/// The request without what the mesh does not see; none for one that it could not tell from others.
fn plain_request(config: &Value, request: &Value) -> Option<Value> {
    let mut request = request.clone();
    for (field, value) in [("method", "GET"), ("path", "/")] {
        if request.get(field).is_none() {
            request[field] = json!(value);
        }
    }
    for field in ["remembered", "recorded", "inbound"] {
        if request.as_object_mut()?.remove(field).is_some_and(|_| field != "remembered") {
            return None;
        }
    }
    let lines: Vec<Value> = request["headers"].as_array().cloned().unwrap_or_default();
    let kept: Vec<Value> = lines
        .into_iter()
        .filter(|line| !["baggage", "x-b3-traceid"].contains(&&*line[0].as_str().unwrap_or_default().to_ascii_lowercase()))
        .collect();
    if kept.iter().any(|line| !line[1].is_string()) {
        return None;
    }
    for group in config["groups"].as_array()? {
        let guiding = group["guiding_header"].as_str().unwrap_or("x-asm-prefer-tag");
        if kept.iter().filter(|line| line[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case(guiding))).count() > 1 {
            return None;
        }
    }
    request["headers"] = json!(kept);
    // Istio knows callers by labels alone.
    let labels = request["source"]["labels"].clone();
    request["source"] = if labels.is_object() { json!({ "labels": labels }) } else { json!({}) };
    Some(request)
}

fn compare(seed: u64) -> (usize, usize) {
    let config = plain::istio(seed);
    let loaded = load(&config.to_string(), Format::Json, &Options::default()).unwrap();
    let exported = mesh::export(&loaded.config, MeshFormat::Istio, &ExportOptions { lossy: true, ..ExportOptions::default() });
    if exported.report.has_losses() {
        return (0, 0);
    }
    let groups = config["groups"].as_array().unwrap();
    let mut rng = Rng::new(seed ^ 0xe4f0);
    let (mut asked, mut sent) = (0, 0);
    for _ in 0..80 {
        let Some(request) = plain_request(&config, &generate::request(&config, &mut rng)) else { continue };
        let Ok(ask) = Ask::from_value(&request) else { continue };
        let Ok(answer) = ask.answer(&loaded.router) else { continue };
        let decision = serde_json::to_value(answer).unwrap();
        let lines: Vec<(String, String)> = request["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| (line[0].as_str().unwrap().to_owned(), line[1].as_str().unwrap().to_owned()))
            .collect();
        let read = Request {
            method: request["method"].as_str().unwrap(),
            authority: request["authority"].as_str(),
            path: request["path"].as_str().unwrap(),
            headers: lines.clone(),
            source: serde_json::from_value(request["source"]["labels"].clone()).unwrap_or_default(),
            roll: request["roll"].as_str().map_or_else(|| request["roll"].as_u64(), |roll| roll.parse().ok()),
        };
        // Endpoints are alive unless the request says that none of their lane is.
        let alive = |host: &str, labels: &BTreeMap<String, String>| {
            let group =
                groups.iter().find(|group| group["services"].as_array().unwrap().iter().any(|service| service["host"] == host)).unwrap();
            let tag = group["tag_label"].as_str().unwrap_or("ASM_TRAFFIC_TAG");
            let lane = group["lanes"]
                .as_array()
                .unwrap()
                .iter()
                .find(|lane| lane["service_tag"].as_str().or(lane["name"].as_str()) == Some(labels[tag].as_str()))
                .unwrap();
            request["live"][host][lane["name"].as_str().unwrap()].as_array().is_none_or(|counts| counts[1] != 0)
        };
        let done = if let Some(gateway) = request["ingress"]["gateway"].as_str() {
            if !groups.iter().any(|group| group["gateways"].as_array().unwrap().iter().any(|name| name == gateway)) {
                continue;
            }
            interpreter::ingress(&exported.documents, gateway, &read, &alive)
        } else {
            let called = &decision["service"];
            if decision["outcome"] == "pass" {
                continue;
            }
            interpreter::hop(&exported.documents, called.as_str().unwrap(), &read, &alive)
        };
        let wanted = match decision["outcome"].as_str().unwrap() {
            "routed" | "fell_back" => {
                let group = groups.iter().find(|group| group["name"] == decision["group"]).unwrap();
                let guiding = group["guiding_header"].as_str().unwrap();
                // The header as it is after the hop.
                let before = lines
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(guiding))
                    .map(|(_, value)| value.trim_matches([' ', '\t']).to_owned());
                let after = decision["set_headers"][guiding].as_str().map(str::to_owned).or(before.clone());
                let given = match &done {
                    Some(Done::Sent { set, .. }) => set.get(guiding).cloned().or(before),
                    _ => before,
                };
                assert_eq!(given, after, "seed {seed}: the guiding header after {request}\n{decision}\n{done:?}");
                sent += 1;
                Some((
                    decision["service"].as_str().unwrap().to_owned(),
                    serde_json::from_value::<BTreeMap<String, String>>(decision["subset"]["labels"].clone()).unwrap(),
                ))
            }
            "undetermined" => continue,
            _ => None,
        };
        let given = match done {
            Some(Done::Sent { host, labels, .. }) => Some((host, labels)),
            // Nothing is drawn without a roll.
            None if request.get("roll").is_none() => continue,
            Some(Done::Status(_)) | None => None,
        };
        asked += 1;
        assert_eq!(given, wanted, "seed {seed}\n{config}\n{request}\n{decision}\n{}", exported.to_yaml().unwrap());
    }
    (asked, sent)
}

#[test]
fn istio_does_what_lane_decides() {
    let (mut asked, mut sent) = (0, 0);
    for seed in 0..600 {
        let counts = compare(seed);
        asked += counts.0;
        sent += counts.1;
    }
    println!("istio, read naively: {asked} requests, {sent} of them sent to endpoints, all as lane decides");
    assert!(asked > 10_000 && sent > 5_000, "{asked} requests and {sent} sent are too few");
}
