//! The worked examples of section 9, and what each kind of context carries.
#![cfg(feature = "yaml")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it does not expect")]

use lane_core::Options;

use super::*;
use crate::{Format, Loaded, load};

fn example(name: &str) -> Loaded {
    let path = format!("{}/../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    load(&std::fs::read_to_string(path).unwrap(), Format::Yaml, &Options::default()).unwrap()
}

fn traced(loaded: &Loaded, request: &str, services: Option<&[&str]>) -> Chain {
    let services = services.map(|services| services.iter().map(|service| (*service).to_owned()).collect());
    let ask = Ask::parse(request).unwrap();
    let chain = trace(&loaded.router, &loaded.config, &TraceOptions { ask: ask.clone(), services }).unwrap();
    // Each decision can be asked for on its own.
    let asks = chain.asks(&ask);
    let alone: Vec<_> = asks.iter().map(|ask| ask.answer(&loaded.router).unwrap().decision().unwrap()).collect();
    assert!(chain.decisions().eq(&alone), "{chain:#?}\n{alone:#?}");
    chain
}

/// Who serves, step by step, with `*` after a fallback.
fn served(chain: &Chain) -> Vec<String> {
    let shown = |(service, report): (&str, &Report)| {
        let service = service.split('.').next().unwrap_or_default();
        let lane = report.subset.as_ref().map_or_else(|| format!("{:?}", report.outcome), |subset| subset.lane.clone());
        format!("{service}({lane}{})", if report.fallback.is_some() { "*" } else { "" })
    };
    chain.steps().map(shown).collect()
}

fn rows(table: &Table) -> Vec<String> {
    let cell = |cell: &Cell| format!("{}{}", cell.lane.clone().unwrap_or_default(), if cell.fallback { "*" } else { "" });
    table.rows.iter().map(|row| format!("{}: {}", row.lane, row.cells.iter().map(cell).collect::<Vec<_>>().join(" "))).collect()
}

#[test]
fn the_strict_example_of_section_9() {
    let loaded = example("strict");
    for _ in 0..100 {
        for (lane, tag) in [("s1", "v1"), ("s2", "v2"), ("s3", "v3")] {
            let request =
                format!(r#"{{"ingress":{{"gateway":"ingressgateway"}},"path":"/mock","headers":[["x-asm-prefer-tag","{lane}"]]}}"#);
            let chain = traced(&loaded, &request, None);
            assert!(chain.complete);
            assert_eq!(served(&chain), ["mocka", "mockb", "mockc"].map(|service| format!("{service}({lane})")));
            let tags = chain.decisions().map(|report| report.subset.as_ref().unwrap().labels.get("ASM_TRAFFIC_TAG").unwrap().as_str());
            assert!(tags.eq([tag; 3]));
        }
    }
    for request in [
        r#"{"ingress":{"gateway":"ingressgateway"},"path":"/other","headers":[["x-asm-prefer-tag","s1"]]}"#,
        r#"{"ingress":{"gateway":"ingressgateway"},"path":"/mock","headers":[["x-asm-prefer-tag","s9"]]}"#,
    ] {
        let chain = traced(&loaded, request, None);
        assert!(!chain.complete && chain.hops.is_empty());
        assert_eq!(chain.ingress.unwrap().status, 404);
    }
}

#[test]
fn the_permissive_example_of_section_9() {
    let loaded = example("permissive");
    let chain = traced(&loaded, r#"{"ingress":{"gateway":"ingressgateway"},"roll":40}"#, None);
    assert_eq!(served(&chain), ["mocka(v2)", "mockb(v1*)", "mockc(v2)"]);
    // Only the baggage is passed on; the hop restores the guiding header.
    let passed_on: Vec<_> = chain.hops.iter().map(|hop| hop.passed_on.clone()).collect();
    assert_eq!(passed_on, vec![vec![("baggage".to_owned(), Bytes::from("version=v2"))]; 2]);
    assert_eq!(chain.hops[0].decision.set_headers, [("version".to_owned(), Bytes::from("v2"))]);
    assert_eq!(rows(chain.table.as_ref().unwrap()), ["v1: v1 v1 v1", "v2: v2 v1* v2", "v3: v3 v3 v1*"]);
    let shares: Vec<_> = chain.shares.unwrap().iter().map(|share| format!("{} {share}", share.lane)).collect();
    assert_eq!(shares, ["v1 2/5", "v2 3/10", "v3 3/10"]);
}

#[test]
fn a_trace_id_carries_the_lane_by_the_sidecars_memory() {
    let loaded = example("trace-id");
    let request = r#"{"ingress":{"gateway":"edge"},"authority":"orders.example","headers":[["cookie","gray=1"],["x-b3-traceid","abc"]]}"#;
    let chain = traced(&loaded, request, None);
    assert_eq!(served(&chain), ["web(gray)", "api(gray)", "db-proxy(base*)"]);
    assert_eq!(chain.hops[0].passed_on, [("x-b3-traceid".to_owned(), Bytes::from("abc"))]);
    assert_eq!(chain.hops[0].remembered[0].lane, "gray");
    assert_eq!(rows(chain.table.as_ref().unwrap()), ["base: base base base", "gray: gray gray base*"]);
}

#[test]
fn services_may_be_named_and_a_chain_ends_where_nobody_serves() {
    let loaded = example("permissive");
    let live = r#""live":{"mockb.default.svc.cluster.local":{"v1":[0,0]}}"#;
    let request = format!(r#"{{"ingress":{{"gateway":"ingressgateway"}},"roll":40,{live}}}"#);
    let chain = traced(&loaded, &request, Some(&["mocka", "mockc", "mockb", "mockc"]));
    assert_eq!(served(&chain), ["mocka(v2)", "mockc(v2)", "mockb(Unavailable)"]);
    assert!(!chain.complete);
    let chain = traced(&loaded, r#"{"hop":{"service":"mockb"},"headers":[["version","v3"]]}"#, None);
    assert_eq!(served(&chain), ["mockb(v3)", "mockc(v1*)"]);
    assert!(chain.ingress.is_none() && chain.complete);
}

#[test]
fn a_header_context_is_passed_on_as_the_guiding_header() {
    let text = "version: 1\ngroups:\n  - {name: g, mode: permissive, baseline: v1, services: [{host: a.svc}, {host: b.svc}, {host: c.svc}], lanes: [{name: v1}, {name: v2, services: [a.svc, c.svc]}], rules: [{name: r, service: a.svc, lane: v2}]}\n";
    let loaded = load(text, Format::Yaml, &Options::default()).unwrap();
    let chain = traced(&loaded, r#"{"ingress":{"gateway":"any"},"headers":[["x-other","1"]]}"#, None);
    assert_eq!(served(&chain), ["a(v2)", "b(v1*)", "c(v2)"]);
    assert_eq!(chain.hops[1].passed_on, [("x-asm-prefer-tag".to_owned(), Bytes::from("v2"))]);
}

#[test]
fn what_only_arrives_is_no_chain() {
    let loaded = example("permissive");
    let options = TraceOptions { ask: Ask::new(Place::Inbound), services: None };
    assert_eq!(
        trace(&loaded.router, &loaded.config, &options).unwrap_err().to_string(),
        "`inbound`: a chain begins at a gateway or at a call"
    );
}
