//! The requests of section 8 and the decision of section 7 as they are written there, and what is said of wrong ones.
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use lane_core::{Options, Router};

use super::*;
use crate::{Format, decision::Answer, load};

const CONFIG: &str = r#"{"version": 1, "groups": [{"name": "shop", "mode": "permissive", "gateways": ["ingressgateway"], "guiding_header": "version",
  "context": {"baggage": "version"}, "baseline": "v1",
  "services": [{"host": "mocka.default.svc.cluster.local", "aliases": ["mocka"]}, {"host": "mockb.default.svc.cluster.local", "aliases": ["mockb"]}],
  "lanes": [{"name": "v1"}, {"name": "v2", "services": ["mocka.default.svc.cluster.local"]}],
  "rules": [{"name": "everyone", "service": "mocka.default.svc.cluster.local",
    "split": [{"lane": "v1", "weight": 1}, {"lane": "v2", "weight": 1}],
    "sticky": {"keys": [{"cookie": "uid"}], "generate": {"cookie": "lane-id", "ttl_seconds": 60}}}]},
 {"name": "traced", "mode": "permissive", "gateways": ["other"], "guiding_header": "x-t", "context": {"trace_id": "x-b3-traceid"}, "baseline": "v2",
  "services": [{"host": "t.svc"}], "lanes": [{"name": "v2"}]}]}"#;

fn router() -> Router {
    load(CONFIG, Format::Json, &Options::default()).unwrap().router
}

fn answer(request: &str) -> String {
    serde_json::to_string(&Ask::parse(request).unwrap().answer(&router()).unwrap()).unwrap()
}

fn refused(request: &str) -> String {
    Ask::parse(request)
        .map_err(|error| error.to_string())
        .and_then(|ask| ask.answer(&router()).map_err(|error| error.to_string()))
        .unwrap_err()
}

#[test]
fn the_decision_of_section_7_is_printed_as_it_stands_there() {
    let wanted = concat!(
        r#"{"outcome":"fell_back","status":200,"group":"shop","rule":null,"lane":"v2","service":"mockb.default.svc.cluster.local","#,
        r#""subset":{"lane":"v1","labels":{"ASM_TRAFFIC_TAG":"v1"}},"fallback":{"from":"v2","to":"v1"},"reason":"not_in_lane","#,
        r#""found":{"value":"v2","in":"header"},"set_headers":{},"remove_headers":[],"set_cookie":null,"remember":[],"notes":[],"undetermined":[]}"#,
    );
    let request = r#"{"hop":{"service":"mockb"},"source":{"service":"mocka","labels":{"ASM_TRAFFIC_TAG":"v2"},"ip":"10.0.0.7"},"remembered":{},"headers":[["version","v2"],["baggage","version=v2"]]}"#;
    assert_eq!(answer(request), wanted);
}

#[test]
fn the_requests_of_section_8_are_read_and_written_back() {
    let ingress = r#"{"ingress":{"gateway":"ingressgateway"},"method":"GET","authority":"www.shop.example:8080","path":"/mock?x=1","headers":[["x-user-group","qa"],["cookie","uid=7"]],"roll":"12345","live":{"mockb.default.svc.cluster.local":{"v1":[3,3],"v2":[2,0]}}}"#;
    let ask = Ask::parse(ingress).unwrap();
    assert_eq!(ask.to_value().to_string(), ingress);
    assert_eq!((ask.roll, ask.live.len(), ask.headers.len()), (Some(12_345), 2, 2));
    assert!(matches!(ask.answer(&router()).unwrap(), Answer::Decision(report) if report.status == 200 && report.set_cookie.is_none()));

    let inbound = r#"{"inbound":{},"headers":[["x-t","v2"],["x-b3-traceid","80f198ee56343ba864fe8b2a57d3eff7"]]}"#;
    assert_eq!(Ask::parse(inbound).unwrap().to_value().to_string(), inbound);
    assert_eq!(answer(inbound), r#"{"remember":[{"group":"traced","trace_id":"80f198ee56343ba864fe8b2a57d3eff7","lane":"v2"}]}"#);

    let everything = r#"{"hop":{"service":"mockb"},"source":{"service":"mocka","lane":"v2","ip":"::1","labels":{"a":"b"}},"remembered":{"traced":"v2"},"headers":[["x",{"base64":"/w=="}]],"roll":"18446744073709551615","recorded":{"headers":["x"]}}"#;
    assert_eq!(Ask::parse(everything).unwrap().to_value().to_string(), everything);
}

#[test]
fn rolls_are_numbers_or_decimal_text() {
    let roll = |roll: &str| Ask::parse(&format!(r#"{{"inbound":{{}},"roll":{roll}}}"#)).ok().and_then(|ask| ask.roll);
    assert_eq!(["0", "18446744073709551615", "\"7\"", "\"007\""].map(roll), [Some(0), Some(u64::MAX), Some(7), Some(7)]);
    for wrong in ["-1", "1.0", "1e3", "18446744073709551616", "\"+7\"", "\"\"", "\"0x7\"", "null", "true", "[1]"] {
        assert_eq!(roll(wrong), None, "{wrong}");
    }
}

#[test]
fn a_split_without_a_roll_is_undetermined_and_a_cookie_is_generated_with_one() {
    let report = answer(r#"{"ingress":{"gateway":"ingressgateway"}}"#);
    assert!(report.contains(r#""outcome":"undetermined","status":0,"group":"shop","rule":"everyone""#), "{report}");
    assert!(report.ends_with(r#""undetermined":["roll"]}"#), "{report}");
    let report = answer(r#"{"ingress":{"gateway":"ingressgateway"},"roll":255}"#);
    assert!(report.contains(r#""set_cookie":{"name":"lane-id","value":"00000000000000ff","ttl_seconds":60}"#), "{report}");
    let report = answer(r#"{"ingress":{"gateway":"ingressgateway"},"roll":255,"recorded":{"headers":["version"]}}"#);
    assert!(report.ends_with(r#""undetermined":["header cookie"]}"#), "{report}");
}

#[test]
fn what_is_not_utf_8_is_base64() {
    let report = answer(r#"{"hop":{"service":"mockb"},"headers":[["version",{"base64":"/3YyAA=="}]]}"#);
    assert!(report.contains(r#""found":{"value":{"base64":"/3YyAA=="},"in":"header"}"#), "{report}");
    let report = answer(r#"{"hop":{"service":"mockb"},"headers":[["version","v1"],["version","v2"]]}"#);
    assert!(report.contains(r#""found":{"value":"v1,v2","in":"header"}"#), "{report}");
    let report = answer(r#"{"hop":{"service":"Nobody:80"}}"#);
    assert!(
        report.starts_with(r#"{"outcome":"pass","status":200,"group":null,"rule":null,"lane":null,"service":"Nobody:80","subset":null"#),
        "{report}"
    );
}

#[test]
fn everything_wrong_is_said_with_its_field() {
    let cases = [
        ("{}", "one of `ingress`, `hop` or `inbound` is missing"),
        (r#"{"ingress":{"gateway":"g"},"hop":{"service":"a"}}"#, "exactly one of `ingress`, `hop` and `inbound` may stand"),
        (r#"{"ingress":{}}"#, "`ingress`: the field `gateway` is missing"),
        (
            r#"{"hop":{"servcie":"a"}}"#,
            "`hop.servcie`: unknown field `servcie` (did you mean `service`?); `hop`: the field `service` is missing",
        ),
        (r#"{"inbound":{"x":1}}"#, "`inbound.x`: unknown field `x` (no field is known here)"),
        (r#"{"inbound":{},"header":[]}"#, "`header`: unknown field `header` (did you mean `headers`?)"),
        (r#"{"inbound":{},"headers":{"a":"b"}}"#, "`headers`: expected a list, found a map"),
        (
            r#"{"inbound":{},"headers":[["a"],["b",7],["c",{"base64":"%"}]]}"#,
            "`headers[0]`: a header line is a list of its name and its value; `headers[1][1]`: expected text, found the number `7` (quote it: `\"7\"`); `headers[2][1].base64`: this is not base64",
        ),
        (
            r#"{"inbound":{},"live":{"mockb.default.svc.cluster.local":{"v1":[2,3]}}}"#,
            "`live[\"mockb.default.svc.cluster.local\"].v1`: healthy 3 is above endpoints 2",
        ),
        (
            r#"{"inbound":{},"live":{"a":{"v1":[2]}}}"#,
            "`live.a.v1`: counts are a list of two numbers: endpoints, and how many of them are healthy",
        ),
        (r#"{"inbound":{},"live":{"a":{"v1":[2,-1]}}}"#, "`live.a.v1[1]`: expected a whole number from 0, found the number `-1`"),
        (
            r#"{"inbound":{},"live":{"mockb":{"v1":[2,1]}}}"#,
            "`live.mockb`: no service has this host (services are named by their hosts here: `mockb.default.svc.cluster.local`)",
        ),
        (
            r#"{"inbound":{},"live":{"t.svd":{"v1":[2,1],"v2":[1,1]}}}"#,
            "`live[\"t.svd\"]`: no service has this host (did you mean `t.svc`?)",
        ),
        (
            r#"{"inbound":{},"live":{"t.svc":{"v3":[2,1]}}}"#,
            "`live[\"t.svc\"].v3`: no group of this service has the lane `v3` (did you mean `v2`?)",
        ),
        (r#"{"inbound":{},"roll":1,"roll":2}"#, "`roll`: `roll` is written twice"),
        (r#"{"inbound":{},"method":null}"#, "`method`: expected text, found `null` (write a value, or leave the field out)"),
        (r#"{"inbound":{},"recorded":{}}"#, "`recorded`: the field `headers` is missing"),
        ("[]", "expected a map, found a list"),
        ("{\"inbound\":", "this is not JSON: EOF while parsing a value at column 11 (a bracket or a quote is opened and not closed)"),
        ("{\n\"inbound\" {}}", "this is not JSON: expected `:` at line 2, column 11"),
    ];
    for (request, wanted) in cases {
        assert_eq!(refused(request), wanted, "{request}");
    }
}

#[test]
fn a_lane_that_does_not_contain_a_service_has_no_endpoints_to_count() {
    assert!(
        answer(r#"{"hop":{"service":"mockb"},"headers":[["version","v2"]],"live":{"mockb.default.svc.cluster.local":{"v2":[1,0]}}}"#)
            .contains("not_in_lane")
    );
    let hosts_without_case = r#"{"hop":{"service":"mockb"},"live":{"MOCKB.default.svc.cluster.local":{"v1":[1,0]}}}"#;
    assert!(answer(hosts_without_case).contains(r#""outcome":"unavailable""#));
}

#[test]
fn explaining_answers_the_same() {
    let router = router();
    for request in [r#"{"hop":{"service":"mockb"},"headers":[["version","v2"]]}"#, r#"{"ingress":{"gateway":"ingressgateway"}}"#] {
        let ask = Ask::parse(request).unwrap();
        let (answer, explanation) = ask.explain(&router).unwrap();
        assert_eq!(answer, ask.answer(&router).unwrap());
        assert!(!explanation.steps.is_empty());
    }
    assert!(Ask::new(Place::Inbound).explain(&router).is_err());
}
