//! `lane route --requests`.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::json;

use crate::harness::{command, fed, lane};

const PERMISSIVE: &str = "examples/permissive.yaml";

/// What `lane route --requests -` makes of this.
fn stream(input: &[u8]) -> crate::harness::Run {
    fed(&["route", PERMISSIVE, "--requests", "-"], input)
}

#[test]
fn every_line_is_answered_in_order() {
    let input: String = (0..5000).map(|roll| format!("{{\"ingress\":{{\"gateway\":\"ingressgateway\"}},\"roll\":{roll}}}\n")).collect();
    let answers = stream(input.as_bytes()).exits(0).quiet().lines();
    assert_eq!(answers.len(), 5000);
    for (roll, answer) in answers.iter().enumerate() {
        let lane = match roll % 100 {
            0..40 => "v1",
            40..70 => "v2",
            _ => "v3",
        };
        assert_eq!(answer["lane"], lane, "roll {roll}");
    }
}

#[test]
fn bad_lines_are_named_and_the_run_goes_on() {
    let mut input = Vec::new();
    input.extend_from_slice(b"{\"ingress\":{\"gateway\":\"ingressgateway\"},\"roll\":\"45\"}\n");
    input.extend_from_slice(b"\n   \t\r\n");
    input.extend_from_slice(b"not json\n");
    input.extend_from_slice(b"{\"hop\":{\"service\":\"mockb\"},\"headers\":[[\"version\",\"v2\"]]}\r\n");
    input.extend_from_slice(b"{\"hop\":{\"service\":\"mockb\"},\"ingress\":{\"gateway\":\"x\"}}\n");
    input.extend_from_slice(b"{\"hop\":{\"service\":\"mockb\"},\"live\":{\"mockb.default.svc.cluster.local\":{\"v1\":[1,2]}}}\n");
    input.extend_from_slice(b"\xff\xfe\n");
    input.extend_from_slice(b"{\"inbound\":{}}");
    let run = stream(&input).exits(1).quiet();
    let answers = run.lines();
    let shapes: Vec<_> =
        answers.iter().map(|answer| answer.get("line").or(answer.get("outcome")).or(answer.get("remember")).cloned()).collect();
    let wanted = [json!("routed"), json!(4), json!("fell_back"), json!(6), json!(7), json!(8), json!([])];
    assert_eq!(shapes, wanted.map(Some), "{}", run.out);
    for answer in answers.iter().filter(|answer| answer.get("line").is_some()) {
        assert!(answer["error"].is_string() && answer.as_object().unwrap().len() == 2, "{answer}");
    }
    run.golden("route-stream");
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let mut input = vec![b'x'; 20 << 20];
    input.extend_from_slice(b"\n{\"inbound\":{}}\n");
    let answers = stream(&input).exits(1).lines();
    assert_eq!(answers, [json!({"error": "the line is longer than 16 MiB", "line": 1}), json!({"remember": []})]);
}

#[test]
fn requests_may_come_from_a_file_and_be_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    std::fs::write(&file, "{\"hop\":{\"service\":\"mockb\"}}\n").unwrap();
    let answers = lane(&["route", PERMISSIVE, "--requests", file.to_str().unwrap(), "--explain"]).exits(0).quiet().lines();
    assert_eq!(answers[0]["decision"]["outcome"], "routed");
    assert!(answers[0]["explanation"]["steps"].is_array());
    assert_eq!(stream(b"").exits(0).quiet().out, "");
    lane(&["route", PERMISSIVE, "--requests", "no/such.jsonl"]).exits(2).complains("cannot read `no/such.jsonl`: no such file");
    lane(&["route", PERMISSIVE, "--requests", "-", "-H", "a: b"]).exits(2);
}

#[test]
fn whoever_waits_for_an_answer_gets_it() {
    let mut child = command(&["route", PERMISSIVE, "--requests", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut requests = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for service in ["mocka", "mockb", "mockc"] {
        writeln!(requests, "{{\"hop\":{{\"service\":\"{service}\"}}}}").unwrap();
        requests.flush().unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains(&format!("\"service\":\"{service}.default")), "{answer}");
    }
    drop(requests);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let mut input = String::new();
    for _ in 0..20_000 {
        writeln!(input, "{{\"hop\":{{\"service\":\"mockb\"}}}}").unwrap();
    }
    let mut child = command(&["route", PERMISSIVE, "--requests", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(first.contains("outcome"));
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}
