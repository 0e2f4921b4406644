//! Bad input: each with its place, its kind and its remedy.

use lane_core::diagnostic::Severity;
use lane_formats::mesh::{self, ImportOptions, Input, MeshFormat};

const RULE: &str = "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec:
  host: a.default.svc.cluster.local
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
";

/// A VirtualService inside the mesh with these routes, which begin on line 15.
fn inside(routes: &str) -> String {
    format!(
        "{RULE}apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a}}\nspec:\n  hosts: [a]\n  http:\n{routes}\n  - route: [{{destination: {{host: a, subset: v1}}}}]\n"
    )
}

fn told(text: &str, format: MeshFormat) -> Vec<String> {
    let imported = mesh::import(&[Input { name: "x.yaml", text }], format, &ImportOptions::default());
    imported.report.notes.iter().map(|note| format!("{}{note}", if note.severity == Severity::Error { "" } else { "warning " })).collect()
}

/// Each text is told what is wanted of it.
fn check(cases: &[(&str, String, &str)], format: MeshFormat) {
    let mut failures = Vec::new();
    for (name, text, wanted) in cases {
        let told = told(text, format);
        if !told.iter().any(|note| note.contains(wanted)) {
            failures.push(format!("{name}: wanted {wanted:?}, told {told:#?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn istio_resources_are_refused_with_place_and_remedy() {
    let cases: &[(&str, String, &str)] = &[
        (
            "unknown field",
            inside("  - match: [{header: {x: {exact: a}}}]\n    route: [{destination: {host: a, subset: v2}}]"),
            "16:14: LANE0712: spec.http[0].match[0].header: unknown field `header` (did you mean `headers`?)",
        ),
        (
            "missing subset",
            inside("  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: a, subset: v3}}]"),
            "17:45: LANE0715: spec.http[0].route[0].destination.subset: no DestinationRule of `a.default.svc.cluster.local` declares the subset `v3` (did you mean `v1`?)",
        ),
        (
            "two kinds of match",
            inside("  - match: [{uri: {exact: /b, prefix: /c}}]\n    route: [{destination: {host: a, subset: v2}}]"),
            "16:19: LANE0717: spec.http[0].match[0].uri: a match has one of `exact`, `prefix` and `regex` (remove the others)",
        ),
        (
            "number where text is meant",
            inside("  - match: [{headers: {x: {exact: 1}}}]\n    route: [{destination: {host: a, subset: v2}}]"),
            "16:35: LANE0717: spec.http[0].match[0].headers.x.exact: expected text, found the number `1` (quote it)",
        ),
        (
            "port",
            inside("  - match: [{port: 80}]\n    route: [{destination: {host: a, subset: v2}}]"),
            "16:20: LANE0714: spec.http[0].match[0].port: lanes cannot ask for `port`",
        ),
        (
            "weights of nothing",
            inside(
                "  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: a, subset: v1}}, {destination: {host: a, subset: v2}}]",
            ),
            "LANE0717: spec.http[0].route: the weights of these destinations sum up to 0",
        ),
        (
            "redirect",
            inside("  - match: [{uri: {exact: /b}}]\n    redirect: {uri: /c}"),
            "LANE0714: spec.http[0].redirect: lanes have no `redirect`; the route is left out",
        ),
        (
            "no subset",
            inside("  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: a}}]"),
            "LANE0714: spec.http[0].route[0].destination: this leads to all endpoints of `a.default.svc.cluster.local`, and a lane has its own",
        ),
        (
            "another service",
            inside("  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: b, subset: v1}}]"),
            "calls of `a.default.svc.cluster.local` are sent to another service",
        ),
        (
            "timeout",
            inside("  - match: [{uri: {exact: /b}}]\n    timeout: 3s\n    route: [{destination: {host: a, subset: v2}}]"),
            "warning 17:5: LANE0713: spec.http[0].timeout: `timeout` has no effect on lanes",
        ),
        (
            "unreachable",
            inside("  - route: [{destination: {host: a, subset: v1}}]"),
            "warning 17:5: LANE0719: spec.http[1]: no request reaches this route",
        ),
        (
            "conflict",
            format!(
                "{}---\n{}",
                inside("  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: a, subset: v2}}]"),
                inside("").split("---\n").nth(1).unwrap().replace("name: a", "name: b")
            ),
            "LANE0716: spec.hosts[0]: two VirtualServices route `a.default.svc.cluster.local` inside the mesh, and one of them is ignored",
        ),
        (
            "subset twice",
            RULE.replace("name: v2", "name: v1"),
            "8:5: LANE0716: spec.subsets[1]: subset `v1` of `a.default.svc.cluster.local` is declared twice, with other labels",
        ),
        ("subset's name", RULE.replace("name: v2", "name: v_2"), "8:12: LANE0717: spec.subsets[1].name: `v_2` is no name of a subset"),
        (
            "wrong kind",
            format!("{RULE}apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"),
            "11:7: LANE0711: kind: a `HTTPRoute` of `gateway.networking.k8s.io` is not read (`lane import gateway-api` reads it)",
        ),
        (
            "misspelt kind",
            format!("{RULE}apiVersion: networking.istio.io/v1\nkind: VirtualServise\n"),
            "LANE0711: kind: a `VirtualServise` of `networking.istio.io` is not read (did you mean `VirtualService`?)",
        ),
        (
            "no resource",
            "version: 1\ngroups: []\n".into(),
            "1:1: LANE0711: this is no Kubernetes resource: it has no `apiVersion` and `kind`",
        ),
        (
            "a Deployment",
            format!("{RULE}apiVersion: apps/v1\nkind: Deployment\n"),
            "warning 11:7: LANE0713: kind: resources of kind `Deployment` are not read",
        ),
        ("nothing", "apiVersion: apps/v1\nkind: Deployment\n".into(), "LANE0704: these files hold no subset"),
        ("no YAML", "a: [".into(), "LANE0717: "),
        (
            "bad regex",
            inside("  - match: [{uri: {regex: '(a'}}]\n    route: [{destination: {host: a, subset: v2}}]"),
            "lane would refuse what the resources say: LANE0403",
        ),
        (
            "order",
            inside(
                "  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: a, subset: v2}}]\n  - match: [{headers: {x-asm-prefer-tag: {exact: v2}}}]\n    route: [{destination: {host: a, subset: v2}}]",
            ),
            "18:5: LANE0714: spec.http[1]: this route comes after one that lanes would try later",
        ),
    ];
    check(cases, MeshFormat::Istio);
}

#[test]
fn asm_resources_are_refused_with_place_and_remedy() {
    let group = "apiVersion: istio.alibabacloud.com/v1\nkind: ASMSwimLaneGroup\nmetadata: {name: g}\nspec:\n  services: [{name: a, namespace: default}]\n  ingress: {gateway: {name: gw, namespace: istio-system, type: ASM}}\n";
    let lane = |name: &str, group: &str, more: &str| {
        format!(
            "---\napiVersion: istio.alibabacloud.com/v1\nkind: ASMSwimLane\nmetadata: {{name: {name}, labels: {{swimlane-group: {group}}}}}\nspec:\n  labelSelector: {{version: {name}}}\n{more}"
        )
    };
    let cases: &[(&str, String, &str)] = &[
        ("no group", lane("v1", "h", ""), "LANE0718: metadata.labels.swimlane-group: there is no ASMSwimLaneGroup `h`"),
        ("no lanes", group.into(), "LANE0718: the group `g` has no lanes"),
        ("lane twice", format!("{group}{}{}", lane("v1", "g", ""), lane("v1", "g", "")), "LANE0716: two lanes are called `v1`"),
        (
            "offline",
            format!("{group}{}", lane("v1", "g", "  ingressRules: [{name: r, route: {destination: {host: a}}}]\n")),
            "warning 13:18: LANE0713: spec.ingressRules[0]: the rule is not online",
        ),
        (
            "no baseline",
            format!(
                "{}{}",
                group.replace(
                    "spec:\n",
                    "spec:\n  isPermissive: true\n  permissiveModeConfiguration: {fallbackTarget: v9, routeHeader: version}\n"
                ),
                lane("v1", "g", "")
            ),
            "6:49: LANE0718: spec.permissiveModeConfiguration.fallbackTarget: there is no lane `v9` to fall back to",
        ),
        (
            "unknown field",
            format!("{group}{}", lane("v1", "g", "  labelSelectors: {}\n")),
            "LANE0712: spec.labelSelectors: unknown field `labelSelectors` (did you mean `labelSelector`?)",
        ),
        (
            "strict and partial",
            format!(
                "{}{}",
                group.replace("default}]", "default}, {name: b, namespace: default}]"),
                lane("v1", "g", "  services: [{name: a, namespace: default}]\n")
            ),
            "LANE0717: spec.services: the lane `v1` does not contain every service of its group",
        ),
    ];
    check(cases, MeshFormat::Asm);
}

#[test]
fn gateway_api_resources_are_refused_with_place_and_remedy() {
    let route = |rules: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r}}\nspec:\n  parentRefs: [{{name: gw}}]\n  rules:\n{rules}\n"
        )
    };
    let cases: &[(&str, String, &str)] = &[
        (
            "regex",
            route("  - {matches: [{path: {type: RegularExpression, value: /a.*}}], backendRefs: [{name: a, port: 80}]}"),
            "7:23: LANE0714: spec.rules[0].matches[0].path: which language a regular expression is in",
        ),
        (
            "redirect",
            route("  - {filters: [{type: RequestRedirect, requestRedirect: {path: {}}}]}"),
            "LANE0714: spec.rules[0].filters[0]: lanes have no redirects",
        ),
        (
            "mirror",
            route("  - {filters: [{type: RequestMirror, requestMirror: {}}], backendRefs: [{name: a, port: 80}]}"),
            "warning 7:16: LANE0713: spec.rules[0].filters[0]: the filter `RequestMirror` has no effect on lanes",
        ),
        (
            "no backend",
            route("  - {matches: [{path: {value: /a}}]}\n  - {backendRefs: [{name: a, port: 80}]}"),
            "LANE0714: spec.rules[0]: a rule leads to a lane, not to an answer",
        ),
        (
            "unknown field",
            route("  - {matchs: [], backendRefs: [{name: a, port: 80}]}"),
            "LANE0712: spec.rules[0].matchs: unknown field `matchs` (did you mean `matches`?)",
        ),
    ];
    check(cases, MeshFormat::GatewayApi);
}

#[test]
fn nothing_that_is_written_makes_an_import_panic() {
    let mut rng = lane_tests::generate::Rng::new(7);
    let whole = inside("  - match: [{headers: {x: {exact: a}}}]\n    route: [{destination: {host: a, subset: v2}, weight: 3}]");
    for _ in 0..3_000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..rng.between(1, 4) {
            let at = rng.below(bytes.len());
            match rng.below(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, rng.pick(b"{}[]:-*&!#'\"\n a0~")),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for format in [MeshFormat::Istio, MeshFormat::Asm, MeshFormat::GatewayApi] {
            for lossy in [false, true] {
                let imported =
                    mesh::import(&[Input { name: "x.yaml", text: &text }], format, &ImportOptions { lossy, ..ImportOptions::default() });
                assert!(imported.config.is_some() || !imported.report.notes.is_empty(), "nothing read, and nothing said\n{text}");
            }
        }
    }
}
