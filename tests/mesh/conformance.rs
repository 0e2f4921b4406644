//! The Gateway API's own conformance tests about matching: imported, the routes must choose the backends that the tests
//! ask for. `data/gateway-api-conformance.json` says where they are from.

use lane_core::Options;
use lane_formats::{
    Format, load,
    mesh::{self, ImportOptions, Input, MeshFormat},
    request::Ask,
};
use serde_json::{Value, json};

const GATEWAY: &str = "gateway-conformance-infra/same-namespace";

#[test]
fn gateway_api_routes_choose_what_conformance_asks_for() {
    let data: Value = serde_json::from_str(include_str!("data/gateway-api-conformance.json")).unwrap();
    let (mut asked, mut failures) = (0, Vec::new());
    for suite in data["suites"].as_array().unwrap() {
        let name = suite["name"].as_str().unwrap();
        let text = suite["manifest"].as_str().unwrap();
        let imported = mesh::import(&[Input { name: "routes.yaml", text }], MeshFormat::GatewayApi, &ImportOptions::default());
        assert!(!imported.report.has_errors(), "{name}: {:#?}", imported.report.notes);
        let yaml = imported.to_yaml().unwrap().unwrap();
        let loaded = load(&yaml, Format::Yaml, &Options::default()).unwrap_or_else(|refused| panic!("{name}: {refused}\n{yaml}"));
        for case in suite["cases"].as_array().unwrap() {
            let headers: Vec<Value> = case["headers"].as_object().unwrap().iter().map(|(name, value)| json!([name, value])).collect();
            let mut request =
                json!({ "ingress": { "gateway": GATEWAY }, "method": case["method"], "path": case["path"], "headers": headers });
            if case["host"] != "" {
                request["authority"] = case["host"].clone();
            }
            let answer = serde_json::to_value(Ask::from_value(&request).unwrap().answer(&loaded.router).unwrap()).unwrap();
            asked += 1;
            if answer["lane"] != case["backend"] {
                failures.push(format!("{name}:{}: {request}: wanted {}, given {}", case["line"], case["backend"], answer["lane"]));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(asked, 72);
}
