//! ASM's documents: the resources that they show come out field by field as they describe them, and resources written
//! after them give the lane tables of section 9.

use lane_core::{Liveness, Options};
use lane_formats::{
    Format, Loaded,
    chain::table,
    load,
    mesh::{self, ExportOptions, Exported, ImportOptions, Input, MeshFormat},
};
use serde_json::{Value, json};

const STRICT: &str = "
version: 1
groups:
  - name: test
    mode: strict
    gateways: [ingressgateway]
    services: [{host: mocka.default.svc.cluster.local}, {host: mockb.default.svc.cluster.local}, {host: mockc.default.svc.cluster.local}]
    lanes: [{name: s1, service_tag: v1}, {name: s2, service_tag: v2}, {name: s3, service_tag: v3}]
    rules:
      - {name: r1, service: mocka.default.svc.cluster.local, match: [{path: {exact: /mock}}], lane_from: {header: x-asm-prefer-tag}}
";

const PERMISSIVE: &str = "
version: 1
groups:
  - name: test
    mode: permissive
    gateways: [ingressgateway]
    guiding_header: version
    context: {baggage: version}
    baseline: v1
    services: [{host: mocka.default.svc.cluster.local}, {host: mockb.default.svc.cluster.local}, {host: mockc.default.svc.cluster.local}]
    lanes:
      - name: v1
      - {name: v2, services: [mocka.default.svc.cluster.local, mockc.default.svc.cluster.local]}
      - {name: v3, services: [mocka.default.svc.cluster.local, mockb.default.svc.cluster.local]}
    rules:
      - {name: everyone, service: mocka.default.svc.cluster.local, split: [{lane: v1, weight: 40}, {lane: v2, weight: 30}, {lane: v3, weight: 30}]}
";

fn exported(text: &str, format: MeshFormat, upstream: bool) -> Exported {
    let loaded = load(text, Format::Yaml, &Options::default()).unwrap();
    let exported = mesh::export(&loaded.config, format, &ExportOptions { upstream, ..ExportOptions::default() });
    assert!(!exported.report.has_errors(), "{:#?}", exported.report.notes);
    exported
}

fn named<'e>(exported: &'e Exported, kind: &str, about: &str) -> &'e Value {
    exported
        .documents
        .iter()
        .find(|document| document["kind"] == kind && document.to_string().contains(about))
        .unwrap_or_else(|| panic!("no {kind} about {about}"))
}

/// Rows of the lane table: the service tag that serves at each service, with `*` for a fallback.
fn rows(loaded: &Loaded) -> Vec<String> {
    let table = table(&loaded.router, &loaded.config.groups[0], &Liveness::all_live());
    let tag = |lane: &str| {
        let lane = loaded.config.groups[0].lanes.iter().find(|other| other.name == lane).unwrap();
        lane.service_tag.clone().unwrap_or_else(|| lane.name.clone())
    };
    let cell = |cell: &lane_formats::chain::Cell| format!("{}{}", tag(cell.lane.as_deref().unwrap()), if cell.fallback { "*" } else { "" });
    table.rows.iter().map(|row| format!("{}: {}", row.lane, row.cells.iter().map(cell).collect::<Vec<_>>().join(" "))).collect()
}

fn imported(text: &str, format: MeshFormat) -> Loaded {
    let imported = mesh::import(&[Input { name: "resources.yaml", text }], format, &ImportOptions::default());
    assert!(!imported.report.has_errors(), "{:#?}", imported.report.notes);
    let yaml = imported.to_yaml().unwrap().unwrap();
    load(&yaml, Format::Yaml, &Options::default()).unwrap_or_else(|refused| panic!("{refused}\n{yaml}"))
}

const STRICT_ROWS: [&str; 3] = ["s1: v1 v1 v1", "s2: v2 v2 v2", "s3: v3 v3 v3"];
const PERMISSIVE_ROWS: [&str; 3] = ["v1: v1 v1 v1", "v2: v2 v1* v2", "v3: v3 v3 v1*"];

#[test]
fn a_strict_group_gives_the_resources_that_asm_generates() {
    let exported = exported(STRICT, MeshFormat::Istio, false);
    // "Assigns a label to each request based on the ASM_TRAFFIC_TAG pod label".
    let label = named(&exported, "TrafficLabel", "");
    assert_eq!(label["apiVersion"], "istio.alibabacloud.com/v1");
    assert_eq!(
        label["spec"],
        json!({ "rules": [{ "labels": [{ "name": "x-asm-prefer-tag", "valueFrom": ["$getLabel(ASM_TRAFFIC_TAG)"] }] }] })
    );
    // "Maps lane names to service version subsets".
    let rule = named(&exported, "DestinationRule", "mocka");
    assert_eq!(rule["apiVersion"], "networking.istio.io/v1");
    assert_eq!(rule["spec"]["host"], "mocka.default.svc.cluster.local");
    let subsets = json!([
        { "name": "s1", "labels": { "ASM_TRAFFIC_TAG": "v1" } },
        { "name": "s2", "labels": { "ASM_TRAFFIC_TAG": "v2" } },
        { "name": "s3", "labels": { "ASM_TRAFFIC_TAG": "v3" } },
    ]);
    assert_eq!(rule["spec"]["subsets"], subsets);
    // "Routes requests to the correct subset based on the x-asm-prefer-tag header and URI".
    let service = named(&exported, "VirtualService", "istio-system/ingressgateway");
    assert_eq!((&service["spec"]["hosts"], &service["spec"]["gateways"]), (&json!(["*"]), &json!(["istio-system/ingressgateway"])));
    for (index, lane) in ["s1", "s2", "s3"].iter().enumerate() {
        let route = &service["spec"]["http"][index];
        assert_eq!(route["match"], json!([{ "uri": { "exact": "/mock" }, "headers": { "x-asm-prefer-tag": { "exact": lane } } }]));
        assert_eq!(route["route"][0]["destination"], json!({ "host": "mocka.default.svc.cluster.local", "subset": lane }));
    }
}

#[test]
fn a_permissive_group_gives_the_resources_that_the_documents_write() {
    let exported = exported(PERMISSIVE, MeshFormat::Istio, false);
    let propagation = named(&exported, "ASMHeaderPropagation", "");
    assert_eq!(propagation["apiVersion"], "istio.alibabacloud.com/v1beta1");
    assert_eq!(propagation["spec"], json!({ "headers": ["version"] }));
    let subsets = |service: &str| {
        named(&exported, "DestinationRule", service)["spec"]["subsets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|subset| subset["name"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((subsets("mocka"), subsets("mockb"), subsets("mockc")), (vec!["v1", "v2", "v3"], vec!["v1", "v3"], vec!["v1", "v2"]));
    // "For each version match, specify a primary destination and a fallback".
    let service = named(&exported, "VirtualService", "test-mockc-lanes");
    let to = |subset: &str| json!({ "host": "mockc.default.svc.cluster.local", "subset": subset });
    let v2 = service["spec"]["http"]
        .as_array()
        .unwrap()
        .iter()
        .find(|route| route["match"] == json!([{ "headers": { "version": { "exact": "v2" } } }]))
        .unwrap();
    assert_eq!(v2["route"], json!([{ "destination": to("v2"), "fallback": { "target": to("v1") } }]));
    // "Distributes incoming traffic by weight and sets the version header on each request".
    let ingress = named(&exported, "VirtualService", "istio-system/ingressgateway");
    let routes = ingress["spec"]["http"][0]["route"].as_array().unwrap();
    let read =
        routes.iter().map(|route| (route["weight"].as_u64().unwrap(), route["headers"]["request"]["set"]["version"].as_str().unwrap()));
    assert_eq!(read.collect::<Vec<_>>(), [(40, "v1"), (30, "v2"), (30, "v3")]);
}

#[test]
fn upstream_leaves_out_what_asm_adds_and_says_so() {
    let exported = exported(PERMISSIVE, MeshFormat::Istio, true);
    assert!(
        exported
            .documents
            .iter()
            .all(|document| document["apiVersion"] == "networking.istio.io/v1" && !document.to_string().contains("fallback"))
    );
    let lost: Vec<String> = exported.report.notes.iter().map(|note| format!("{} {}", note.path, note.message)).collect();
    for wanted in [
        "groups[0].context upstream Istio does not restore `version`",
        "groups[0].lanes[1] upstream Istio has no fallback: while no endpoint of lane `v2`",
        "groups[0].lanes[2] upstream Istio has no fallback",
    ] {
        assert!(lost.iter().any(|note| note.starts_with(wanted)), "{wanted}: {lost:#?}");
    }
}

#[test]
fn asm_groups_and_lanes_have_the_fields_of_their_reference() {
    let strict = exported(STRICT, MeshFormat::Asm, false);
    let group = named(&strict, "ASMSwimLaneGroup", "");
    assert_eq!(group["apiVersion"], "istio.alibabacloud.com/v1");
    let services: Vec<Value> = ["mocka", "mockb", "mockc"].iter().map(|name| json!({ "name": name, "namespace": "default" })).collect();
    assert_eq!(
        group["spec"],
        json!({ "services": services, "isPermissive": false, "ingress": { "gateway": { "name": "ingressgateway", "namespace": "istio-system", "type": "ASM" } } })
    );
    let lane = named(&strict, "ASMSwimLane", "\"s2\"");
    assert_eq!(lane["metadata"], json!({ "name": "s2", "labels": { "swimlane-group": "test" } }));
    let rule = json!({ "name": "r1", "online": true, "hosts": ["*"], "match": { "uri": { "exact": "/mock" } }, "route": { "destination": { "host": "mocka.default.svc.cluster.local" } } });
    assert_eq!(lane["spec"], json!({ "labelSelector": { "ASM_TRAFFIC_TAG": "v2" }, "ingressRules": [rule] }));
    let permissive = exported(PERMISSIVE, MeshFormat::Asm, false);
    let group = named(&permissive, "ASMSwimLaneGroup", "");
    assert_eq!(
        group["spec"]["permissiveModeConfiguration"],
        json!({ "fallbackTarget": "v1", "traceHeader": "baggage", "routeHeader": "version" })
    );
    assert_eq!(
        group["spec"]["ingress"]["ingressRouting"],
        json!({ "ingressRoutingStrategy": "weighted", "weightedRoutingRule": { "hosts": ["*"] } })
    );
    let lane = named(&permissive, "ASMSwimLane", "\"v3\"");
    assert_eq!(lane["spec"]["services"], json!([services[0], services[1]]));
    assert_eq!(lane["spec"]["ingressWeight"], json!({ "destination": { "host": "mocka.default.svc.cluster.local" }, "weight": 30 }));
}

#[test]
fn exported_and_read_back_the_scenarios_keep_their_tables() {
    for (text, wanted) in [(STRICT, STRICT_ROWS), (PERMISSIVE, PERMISSIVE_ROWS)] {
        for format in [MeshFormat::Istio, MeshFormat::Asm] {
            let yaml = exported(text, format, false).to_yaml().unwrap();
            assert_eq!(rows(&imported(&yaml, format)), wanted, "{}", format.name());
        }
    }
}

#[test]
fn the_strict_scenario_as_asm_resources_gives_its_table() {
    let group = "
apiVersion: istio.alibabacloud.com/v1
kind: ASMSwimLaneGroup
metadata: {name: test}
spec:
  ingress: {gateway: {name: ingressgateway, namespace: istio-system, type: ASM}}
  services: [{name: mocka, namespace: default}, {name: mockb, namespace: default}, {name: mockc, namespace: default}]
";
    let lane = |name: &str, tag: &str| {
        format!(
            "---
apiVersion: istio.alibabacloud.com/v1
kind: ASMSwimLane
metadata: {{name: {name}, labels: {{swimlane-group: test}}}}
spec:
  labelSelector: {{ASM_TRAFFIC_TAG: {tag}}}
  ingressRules:
  - {{name: r1, online: true, hosts: ['*'], match: {{uri: {{exact: /mock}}}}, route: {{destination: {{host: mocka.default.svc.cluster.local}}}}}}
"
        )
    };
    let text = format!("{group}{}{}{}", lane("s1", "v1"), lane("s2", "v2"), lane("s3", "v3"));
    let loaded = imported(&text, MeshFormat::Asm);
    assert_eq!(rows(&loaded), STRICT_ROWS);
    let rule = serde_json::to_value(&loaded.config.groups[0].rules[0]).unwrap();
    assert_eq!(
        rule,
        json!({ "name": "r1", "service": "mocka.default.svc.cluster.local", "match": [{ "path": { "exact": "/mock" } }], "lane_from": { "header": "x-asm-prefer-tag" } })
    );
}

#[test]
fn the_permissive_scenario_as_istio_resources_gives_its_table() {
    let rule = |service: &str, versions: &[&str]| {
        let subsets: String =
            versions.iter().map(|version| format!("  - {{name: {version}, labels: {{ASM_TRAFFIC_TAG: {version}}}}}\n")).collect();
        format!(
            "---\napiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\nmetadata: {{name: {service}}}\nspec:\n  host: {service}.default.svc.cluster.local\n  subsets:\n{subsets}"
        )
    };
    // As the document has it: each version's subset first, whether it is there or not, then the baseline's.
    let service = |name: &str| {
        let host = format!("{name}.default.svc.cluster.local");
        let version = |version: &str| {
            format!(
                "  - match: [{{headers: {{version: {{exact: {version}}}}}}}]\n    route:\n    - destination: {{host: {host}, subset: {version}}}\n      fallback: {{target: {{host: {host}, subset: v1}}}}\n"
            )
        };
        format!(
            "---\napiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nmetadata: {{name: {name}}}\nspec:\n  hosts: [{host}]\n  http:\n  - match: [{{headers: {{version: {{exact: v1}}}}}}]\n    route: [{{destination: {{host: {host}, subset: v1}}}}]\n{}{}  - route: [{{destination: {{host: {host}, subset: v1}}}}]\n",
            version("v2"),
            version("v3")
        )
    };
    let ingress = "
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: gw-mocka}
spec:
  hosts: ['*']
  gateways: [istio-system/ingressgateway]
  http:
  - route:
    - {destination: {host: mocka.default.svc.cluster.local, subset: v1}, weight: 40, headers: {request: {set: {version: v1}}}}
    - {destination: {host: mocka.default.svc.cluster.local, subset: v2}, fallback: {target: {host: mocka.default.svc.cluster.local, subset: v1}}, weight: 30, headers: {request: {set: {version: v2}}}}
    - {destination: {host: mocka.default.svc.cluster.local, subset: v3}, fallback: {target: {host: mocka.default.svc.cluster.local, subset: v1}}, weight: 30, headers: {request: {set: {version: v3}}}}
---
apiVersion: istio.alibabacloud.com/v1beta1
kind: ASMHeaderPropagation
metadata: {name: version-propagation}
spec: {headers: [version]}
";
    let text = format!(
        "{}{}{}{}{}{}{ingress}",
        rule("mocka", &["v1", "v2", "v3"]),
        rule("mockb", &["v1", "v3"]),
        rule("mockc", &["v1", "v2"]),
        service("mocka"),
        service("mockb"),
        service("mockc")
    );
    let loaded = imported(&text, MeshFormat::Istio);
    assert_eq!(rows(&loaded), PERMISSIVE_ROWS);
    let group = serde_json::to_value(&loaded.config.groups[0]).unwrap();
    assert_eq!(
        (&group["baseline"], &group["context"], &group["guiding_header"]),
        (&json!("v1"), &json!({ "baggage": "version" }), &json!("version"))
    );
    assert_eq!(
        group["rules"][0]["split"],
        json!([{ "lane": "v1", "weight": 40 }, { "lane": "v2", "weight": 30 }, { "lane": "v3", "weight": 30 }])
    );
}
