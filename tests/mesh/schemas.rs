//! Everything that is exported is valid by the schemas that Istio and the Gateway API publish (`schemas/README.md`), of
//! which every object is closed here: the API server would drop an unknown field without a word.

use std::{fs, path::Path};

use jsonschema::Validator;
use lane_core::Options;
use lane_formats::{
    Format, load,
    mesh::{self, ExportOptions, MeshFormat},
};
use lane_tests::generate;
use serde_json::{Value, json};

use crate::plain;

/// Allows no field that is not named.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("type") == Some(&json!("object")) && map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".into(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

fn schema(file: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mesh/schemas").join(file);
    let mut schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    close(&mut schema);
    let properties = schema["properties"].as_object_mut().unwrap();
    for field in ["apiVersion", "kind", "metadata"] {
        properties.insert(field.into(), json!({}));
    }
    jsonschema::validator_for(&schema).unwrap()
}

fn check(config: &Value, format: MeshFormat, upstream: bool, schemas: &[(&str, Validator)]) -> usize {
    let loaded = load(&config.to_string(), Format::Json, &Options::default()).unwrap();
    let exported = mesh::export(&loaded.config, format, &ExportOptions { lossy: true, upstream, ..ExportOptions::default() });
    let mut checked = 0;
    for mut document in exported.documents {
        // What ASM adds to Istio's own kinds is no part of Istio's schema.
        for route in document.pointer_mut("/spec/http").and_then(Value::as_array_mut).into_iter().flatten() {
            for target in route.get_mut("route").and_then(Value::as_array_mut).into_iter().flatten() {
                let fallback = target.as_object_mut().unwrap().remove("fallback");
                assert!(fallback.is_none() || !upstream, "a fallback for upstream Istio: {config}");
            }
        }
        let kind = document["kind"].as_str().unwrap();
        if let Some((_, schema)) = schemas.iter().find(|(known, _)| *known == kind) {
            let errors: Vec<String> = schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}\n{document}\n{config}");
            checked += 1;
        } else {
            let asm = ["TrafficLabel", "ASMHeaderPropagation", "ASMSwimLaneGroup", "ASMSwimLane", "Service"];
            assert!(asm.contains(&kind) && (!upstream || kind == "Service"), "{kind}: {config}");
        }
    }
    checked
}

#[test]
fn exports_are_valid_by_published_schemas() {
    let schemas = [
        ("VirtualService", schema("istio-virtualservice.json")),
        ("DestinationRule", schema("istio-destinationrule.json")),
        ("HTTPRoute", schema("gateway-api-httproute.json")),
    ];
    let mut checked = [0; 3];
    for seed in 0..400 {
        for config in [plain::istio(seed), plain::gateway_api(seed), plain::asm(seed), generate::config(seed)] {
            checked[0] += check(&config, MeshFormat::Istio, false, &schemas);
            checked[1] += check(&config, MeshFormat::Istio, true, &schemas);
            checked[2] += check(&config, MeshFormat::GatewayApi, false, &schemas);
        }
    }
    println!(
        "valid by published schemas: {} of ASM's Istio, {} of upstream Istio, {} of the Gateway API",
        checked[0], checked[1], checked[2]
    );
    assert!(checked.iter().all(|count| *count > 1_000), "{checked:?} documents are too few");
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    let schema = schema("istio-virtualservice.json");
    let service = |http: Value| json!({ "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {}, "spec": { "hosts": ["a"], "http": http } });
    assert!(schema.is_valid(&service(json!([{ "route": [{ "destination": { "host": "a", "subset": "v1" }, "weight": 1 }] }]))));
    for wrong in [
        json!([{ "route": [{ "destination": { "host": "a", "subset": 1 } }] }]),
        json!([{ "rout": [] }]),
        json!([{ "match": [{ "headers": { "x": { "exact": "a", "prefix": "b" } } }] }]),
    ] {
        assert!(!schema.is_valid(&service(wrong.clone())), "{wrong}");
    }
}
