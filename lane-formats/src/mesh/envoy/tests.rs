//! What the export reports, and the shape of what it writes. Whether Envoy then decides as lane does is compared in
//! `tests/envoy`, with a real one.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop at what it does not expect")]

use lane_core::Options;
use serde_json::{Value, json};

use crate::{
    Format, load,
    mesh::{Code, Endpoint, EnvoyOptions, ExportOptions, Exported, MeshFormat, export},
};

/// A group of one service, with these fields besides.
fn config(more: Value) -> Value {
    let mut group = json!({
        "name": "shop", "mode": "permissive", "baseline": "v1", "gateways": ["edge"],
        "services": [{ "host": "web.svc" }], "lanes": [{ "name": "v1" }, { "name": "v2" }],
    });
    for (name, value) in more.as_object().unwrap() {
        group[name] = value.clone();
    }
    json!({ "version": 1, "groups": [group] })
}

fn rule(more: Value) -> Value {
    let mut rule = json!({ "name": "r", "service": "web.svc" });
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    config(json!({ "rules": [rule] }))
}

fn exported(config: &Value, options: &ExportOptions) -> Exported {
    let config = load(&config.to_string(), Format::Json, &Options::default()).unwrap().config;
    export(&config, MeshFormat::Envoy, options)
}

fn losses(config: &Value) -> Vec<(Code, String)> {
    let options = ExportOptions { with_listeners: true, ..ExportOptions::default() };
    exported(config, &options).report.notes.iter().map(|note| (note.code, note.path.to_string())).collect()
}

#[test]
fn what_routes_cannot_say_is_reported_with_its_field() {
    let split = json!([{ "lane": "v1", "weight": 1 }, { "lane": "v2", "weight": 1 }]);
    let sticky = |more: Value| rule(json!({ "split": split, "sticky": more }));
    let any: Vec<Value> = (0..200).map(|number| json!({ "headers": { "x-a": { "exact": number.to_string() } } })).collect();
    let cases = [
        (config(json!({ "context": { "trace_id": "x-b3-traceid" } })), "groups[0].context"),
        (config(json!({ "services": [{ "host": "web.svc", "min_healthy_percent": 50 }] })), "groups[0].services[0].min_healthy_percent"),
        (sticky(json!({ "keys": [{ "cookie": "uid" }] })), "groups[0].rules[0].sticky.method"),
        (
            rule(json!({ "lane": "v2", "match": [{ "source": { "labels": { "app": { "exact": "x" } } } }] })),
            "groups[0].rules[0].match[0].source.labels.app",
        ),
        (
            rule(json!({ "lane": "v2", "match": [{ "source": { "service": { "present": true } } }] })),
            "groups[0].rules[0].match[0].source.service",
        ),
        (rule(json!({ "lane": "v2", "match": [{ "any": any }] })), "groups[0].rules[0].match[0].any"),
        (rule(json!({ "lane": "v2", "match": [{ "not": { "path": { "regex": r"/a(^b|c)" } } }] })), "groups[0].rules[0].match[0].not.path"),
    ];
    for (config, path) in cases {
        assert_eq!(losses(&config), [(Code::Lost, path.to_owned())], "{config}");
    }
    let fine = [
        sticky(
            json!({ "keys": [{ "cookie": "uid" }, { "query": "u" }], "method": "ranges", "salt": "100%", "generate": { "cookie": "c", "ttl_seconds": 9 } }),
        ),
        rule(json!({ "lane": "v2", "match": [{ "percent": { "of": { "baggage": "user" }, "below": 12.5 } }] })),
        rule(json!({ "lane": "v2", "match": [{ "not": { "path": { "regex": "/a[^b]*" }, "query": { "q": { "regex": r"\d+" } } } }] })),
        rule(json!({ "lane": "v2", "match": [{ "source": { "ip": ["10.0.0.0/8"] } }] })),
        config(json!({ "context": { "baggage": "lane" }, "restore_headers": ["x-env"], "unknown_lane": "nearest_ancestor" })),
    ];
    for config in fine {
        assert_eq!(losses(&config), [], "{config}");
    }
}

#[test]
fn no_expression_is_empty() {
    // Envoy refuses a configuration with an empty expression; the comparison met one in 1,200 configurations.
    let config = rule(json!({ "lane": "v2", "match": [{ "path": { "in": [""] }, "query": { "q": { "not": { "in": ["", "a"] } } } }] }));
    let options = ExportOptions { with_listeners: true, ..ExportOptions::default() };
    let text = exported(&config, &options).documents[0].to_string();
    assert!(text.contains(r#""safe_regex":{"regex":"(?:)"}"#) && !text.contains(r#""regex":"""#), "{text}");
}

#[test]
fn anchors_do_not_stand_inside_a_pattern() {
    // A member's value stands behind a `=` in the metadata.
    let config = rule(json!({ "lane": "v2", "match": [{ "baggage": { "user": { "regex": "^a$" } } }] }));
    let options = ExportOptions { with_listeners: true, ..ExportOptions::default() };
    assert!(exported(&config, &options).documents[0].to_string().contains(r#""regex":"=(?:a)""#));
}

#[test]
fn losses_are_warnings_where_they_are_asked_for() {
    let config = config(json!({ "context": { "trace_id": "x-b3-traceid" } }));
    let options = ExportOptions { with_listeners: true, lossy: true, ..ExportOptions::default() };
    let exported = exported(&config, &options);
    assert!(exported.report.has_losses() && !exported.report.has_errors());
    assert_eq!(exported.documents.len(), 1);
}

#[test]
fn an_endpoint_of_nothing_is_an_error() {
    let endpoint = |service: &str, lane: &str| Endpoint { service: service.into(), lane: lane.into(), address: None, healthy: true };
    let envoy = EnvoyOptions {
        endpoints: vec![endpoint("web.svc", "v1"), endpoint("web.svc", "v3"), endpoint("web", "v1")],
        ..EnvoyOptions::default()
    };
    let options = ExportOptions { with_listeners: true, envoy, ..ExportOptions::default() };
    let notes = exported(&config(json!({})), &options).report.notes;
    assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), [Code::NothingThere; 2]);
    assert!(notes[0].message.contains("no lane `v3` holds a service `web.svc`"), "{}", notes[0]);
}

#[test]
fn without_listeners_there_are_resources() {
    let config = rule(json!({ "lane": "v2", "hosts": ["*.Shop.example"], "match": [{ "path": { "segments": "/a/" } }] }));
    let exported = exported(&config, &ExportOptions::default());
    let [routes, clusters, rest] = exported.documents.as_slice() else { panic!("{:#?}", exported.documents) };
    let gateway = &routes["resources"][0];
    assert_eq!(gateway["@type"], "type.googleapis.com/envoy.config.route.v3.RouteConfiguration");
    assert_eq!((&gateway["name"], &gateway["virtual_hosts"][0]["domains"]), (&json!("gateway/edge"), &json!(["*.shop.example"])));
    let route = &gateway["virtual_hosts"][0]["routes"][0];
    assert_eq!(route["match"], json!({ "path_separated_prefix": "/a" }));
    assert_eq!(route["route"], json!({ "cluster": "shop/web.svc/v2,v1" }));
    assert_eq!(clusters["resources"][0]["type"], "EDS");
    assert_eq!(rest["runtime"]["re2.max_program_size.error_level"], 100_000);
    // What falls back needs a setting where the endpoints are told.
    assert_eq!(exported.report.notes.iter().map(|note| note.code).collect::<Vec<_>>(), [Code::Assumed]);
    assert!(exported.report.notes[0].help.as_ref().unwrap().contains("overprovisioning_factor"));
}

#[test]
fn the_module_loses_nothing_but_wants_to_know_its_workload() {
    let config = config(json!({
        "context": { "trace_id": "x-b3-traceid" },
        "rules": [{ "name": "r", "at": ["hop"], "service": "web.svc", "lane": "v2", "match": [{ "source": { "labels": { "app": { "exact": "x" } } } }] }],
    }));
    let envoy = EnvoyOptions { module: Some("lane_envoy".into()), ..EnvoyOptions::default() };
    let options = ExportOptions { with_listeners: true, envoy, ..ExportOptions::default() };
    let exported = exported(&config, &options);
    let notes: Vec<(Code, String)> = exported.report.notes.iter().map(|note| (note.code, note.path.to_string())).collect();
    let assumed = ["groups[0].context", "groups[0].rules[0].match[0].source"];
    assert_eq!(notes, assumed.map(|path| (Code::Assumed, path.to_owned())));
    let text = exported.documents[0].to_string();
    assert!(text.contains("DynamicModuleClusterSpecifier") && text.contains(r#""cluster":"{group}/{service}/{lane}""#), "{text}");
}
