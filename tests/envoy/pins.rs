//! The listed differences between lane and a stock Envoy: each class has a row in `differences.md`, and requests that show
//! it here. A class that is no difference any more fails, and so does one that is not listed.

use std::collections::{BTreeSet, HashMap};

use lane_core::Options;
use lane_formats::{
    Format,
    mesh::{self, Endpoint, EnvoyOptions, ExportOptions, MeshFormat},
    request::{Ask, Place},
};
use serde_json::Value;

use crate::{
    classes,
    compare::{join, reached, send},
    proxy::{Client, Envoy, Upstreams},
};

/// A list of more members than lane writes (S27).
fn long_list() -> String {
    (0..80).map(|number| format!("m{number}=1")).collect::<Vec<_>>().join(",")
}

pub fn run() -> BTreeSet<String> {
    let data: Value = serde_json::from_str(include_str!("data/differences.json")).unwrap();
    let loaded = lane_formats::load(&data["config"].to_string(), Format::Json, &Options::default()).unwrap();
    let upstreams = Upstreams::start(2);
    let lanes = ["a", "b"];
    let endpoint = |(number, lane): (usize, &&str)| Endpoint {
        service: "web.svc".into(),
        lane: (*lane).into(),
        address: Some(("127.0.0.1".into(), upstreams.port(number))),
        healthy: true,
    };
    let envoy =
        EnvoyOptions { endpoints: lanes.iter().enumerate().map(endpoint).collect(), health_checks: false, ..EnvoyOptions::default() };
    let options = ExportOptions { with_listeners: true, envoy, ..ExportOptions::default() };
    let exported = mesh::export(&loaded.config, MeshFormat::Envoy, &options);
    assert_eq!(exported.report.notes, []);
    let mut bootstrap = serde_json::json!({ "static_resources": { "listeners": [], "clusters": [] } });
    join(&mut bootstrap, exported.documents[0].clone(), "");
    let envoy = Envoy::start("pins", &bootstrap, &[]);

    let mut classes = BTreeSet::new();
    let mut clients = HashMap::new();
    for pin in data["pins"].as_array().unwrap() {
        let class = pin["class"].as_str().unwrap();
        let mut ask = Ask::from_value(&pin["request"]).unwrap();
        if class == "baggage-size" {
            ask.headers.push(("baggage".into(), long_list().into()));
        }
        assert_eq!(classes::excluded(&loaded.config, &ask), Some(class), "{pin}");
        classes.insert(class.to_owned());

        let decision = serde_json::to_value(ask.answer(&loaded.router).unwrap()).unwrap();
        assert_eq!(decision["lane"], pin["lane"], "{pin}\n{decision}");
        let listener = if matches!(ask.place, Place::Hop { .. }) { "sidecar" } else { "gateway/edge" };
        // A refused request ends its connection.
        let client = clients.entry(class).or_insert_with(|| Client::connect(envoy.listeners[listener]).unwrap());
        let answer = send(client, &ask);
        assert_eq!(pin["envoy"]["status"], answer.status, "{pin}");
        let reached = reached(&answer);
        let got = reached.as_ref().map(|reached| lanes[reached.upstream]);
        assert_eq!(pin["envoy"]["lane"].as_str(), got, "{pin}");
        let baggage = |lines: &[(String, Vec<u8>)]| lines.iter().any(|(name, value)| name == "baggage" && value.starts_with(b"lane="));
        if let (Some(wanted), Some(reached)) = (pin["envoy"]["sets_baggage"].as_bool(), &reached) {
            assert_eq!(baggage(&reached.lines), wanted, "{pin}");
            assert_eq!(decision["notes"], serde_json::json!(["context_full"]), "{pin}");
        }
        let differs = answer.status != decision["status"] || got.is_some_and(|lane| decision["lane"] != lane) || class == "baggage-size";
        assert!(differs, "no difference: {pin}");
    }
    classes
}
