//! Traps of the matchers (S7 to S14): each row is one `match` entry, one request, and whether it holds.

use super::decide;
use serde_json::{Value, json};

fn holds(entry: Value, request: Value) -> bool {
    holds_in("each", entry, request)
}

fn holds_in(header_values: &str, entry: Value, request: Value) -> bool {
    let config = json!({ "version": 1, "groups": [{
        "name": "g", "mode": "strict", "header_values": header_values,
        "services": [{ "host": "a.local", "aliases": ["a"] }],
        "lanes": [{ "name": "v1" }],
        "rules": [{ "name": "r", "service": "a.local", "match": [entry], "lane": "v1" }],
    }] });
    let mut request = request;
    request["ingress"] = json!({ "gateway": "g" });
    decide(&config, &request)["outcome"] == "routed"
}

fn header(matcher: Value, lines: &[&str]) -> bool {
    let lines: Vec<Value> = lines.iter().map(|line| json!(["X", line])).collect();
    holds(json!({ "headers": { "x": matcher } }), json!({ "headers": lines }))
}

#[test]
fn s8_absence_is_false_also_under_the_wrapper_not() {
    assert!(!header(json!({ "not": { "exact": "a" } }), &[]));
    assert!(header(json!({ "or_missing": { "not": { "exact": "a" } } }), &[]));
    assert!(header(json!({ "present": false }), &[]));
    let entry = json!({ "not": { "headers": { "x": { "exact": "a" } } } });
    assert!(holds(entry, json!({})));
}

#[test]
fn s10_lines_match_one_by_one_or_joined() {
    let lines = ["b", "a"];
    assert!(header(json!({ "exact": "a" }), &lines));
    assert!(!header(json!({ "not": { "exact": "a" } }), &lines));
    assert!(!header(json!({ "exact": "b,a" }), &lines));
    assert!(header(json!({ "exact": "a" }), &[" \ta "]));
    let joined = json!({ "headers": { "x": { "exact": "b,a" } } });
    let lines = json!({ "headers": [["x", "b"], ["X", " a "]] });
    assert!(holds_in("joined", joined, lines));
}

#[test]
fn s7_ranges_take_decimal_digits_only() {
    let range = json!({ "range": { "min": 7, "max": 42 } });
    for (value, wanted) in
        [("7", true), ("41", true), ("42", false), ("007", true), ("+7", false), ("7.0", false), ("", false), ("-", false), ("7 7", false)]
    {
        assert_eq!(header(range.clone(), &[value]), wanted, "{value}");
    }
    // What is no number is false, so the wrapper `not` holds for it; beyond i64 is no number.
    assert!(header(json!({ "not": range }), &["x"]));
    assert!(!header(json!({ "range": { "min": 0 } }), &["9223372036854775808"]));
}

#[test]
fn s9_regexes_match_the_whole_value_in_bytes() {
    assert!(header(json!({ "regex": "a|ab" }), &["ab"]));
    assert!(!header(json!({ "regex": "." }), &["é"]));
    assert!(header(json!({ "regex": ".." }), &["é"]));
    assert!(!header(json!({ "regex": r"\d" }), &["٣"]));
    let entry = json!({ "headers": { "x": { "regex": ".+" } } });
    assert!(holds(entry, json!({ "headers": [["x", { "base64": "//4=" }]] })));
}

#[test]
fn s11_paths_and_segments() {
    for (pattern, path, wanted) in [
        ("/a", "/a", true),
        ("/a", "/a/b", true),
        ("/a", "/ab", false),
        ("/a/", "/a", true),
        ("/a", "/a?x=/b", true),
        ("/a", "/a#f", true),
        ("/", "/x", true),
        ("/", "*", false),
        ("/", "", false),
        ("/a", "/A", false),
    ] {
        let entry = json!({ "path": { "segments": pattern } });
        assert_eq!(holds(entry, json!({ "path": path })), wanted, "{pattern} {path}");
    }
}

#[test]
fn s12_query_and_cookies() {
    for (path, wanted) in [
        ("/?k=a", true),
        ("/?k=b&k=a", false),
        ("/?&k=a#k=b", true),
        ("/#?k=a", false),
        ("/?k=%61", false),
        ("/?x?k=a", false),
        ("/?k=a=", false),
    ] {
        let entry = json!({ "query": { "k": { "exact": "a" } } });
        assert_eq!(holds(entry, json!({ "path": path })), wanted, "{path}");
    }
    let entry = json!({ "query": { "k": { "exact": "" } } });
    assert!(holds(entry, json!({ "path": "/?k" })));
    for (line, wanted) in [
        ("k=a", true),
        ("x=1;\t k=\"a\"", true),
        ("k;k=a", true),
        ("k=b; k=a", false),
        ("k =a", false),
        ("k= a", false),
        ("k=a ; x=1", false),
        ("k=\"a", false),
        ("K=a", false),
    ] {
        let entry = json!({ "cookies": { "k": { "exact": "a" } } });
        assert_eq!(holds(entry, json!({ "headers": [["Cookie", line]] })), wanted, "{line}");
    }
}

#[test]
fn s27_baggage_is_read_leniently_member_by_member() {
    for (lines, wanted) in [
        (vec!["k=a"], true),
        (vec!["k = a ;p=1"], true),
        (vec!["k=%61"], true),
        (vec!["k=b", "k=a"], true),
        (vec!["k=a,k=b"], false),
        (vec!["k=a,k=b c"], true),
        (vec!["k=a,k=\"b\""], true),
        (vec!["k;p=a"], false),
        (vec!["K=a"], false),
        (vec!["k x=a"], false),
        (vec!["=a"], false),
    ] {
        let entry = json!({ "baggage": { "k": { "exact": "a" } } });
        let headers: Vec<Value> = lines.iter().map(|line| json!(["baggage", line])).collect();
        assert_eq!(holds(entry, json!({ "headers": headers })), wanted, "{lines:?}");
    }
    for (value, wanted) in [("a+b", "a+b"), ("%zz%", "%zz%"), ("a=b", "a=b"), ("%20", " ")] {
        let entry = json!({ "baggage": { "k": { "exact": wanted } } });
        let headers = json!([["baggage", format!("k={value}")]]);
        assert!(holds(entry, json!({ "headers": headers })), "{value}");
    }
}

#[test]
fn s13_sources() {
    let entry = json!({ "source": { "service": { "exact": "a.local" } } });
    for name in ["a.local", "A.LOCAL.", "a", "a.:80"] {
        assert!(holds(entry.clone(), json!({ "source": { "service": name } })), "{name}");
    }
    let entry = json!({ "source": { "ip": ["10.0.0.0/8"] } });
    assert!(holds(entry.clone(), json!({ "source": { "ip": "::ffff:10.1.2.3" } })));
    assert!(!holds(entry, json!({ "source": { "ip": "10.1.2" } })));
    let entry = json!({ "percent": { "of": { "source_ip": true }, "below": 100 } });
    assert!(!holds(entry, json!({ "source": { "ip": "nowhere" } })));
}

#[test]
fn s14_percentages_are_exact() {
    // The share of 10,000 keys, and the boundary taken in hundredths.
    let share = |below: Value| {
        let entry = json!({ "percent": { "of": { "header": "x" }, "below": below, "salt": "s" } });
        let keys = (0..2000).map(|key| json!({ "headers": [["x", key.to_string()]] }));
        keys.filter(|request| holds(entry.clone(), request.clone())).count()
    };
    assert_eq!(share(json!(0)), 0);
    assert_eq!(share(json!(100)), 2000);
    let bucket = |key: &str| xxhash_rust::xxh64::xxh64(format!("s\0{key}").as_bytes(), 0) % 10_000;
    for below in [0.29, 57.01, 33.33] {
        let hundredths = (below * 100.0_f64).round() as u64;
        let wanted = (0..2000).filter(|key| bucket(&key.to_string()) < hundredths).count();
        assert_eq!(share(json!(below)), wanted, "{below}");
    }
}

#[test]
fn s15_empty_entries_hold() {
    assert!(holds(json!({}), json!({})));
    assert!(holds(json!({ "all": [] }), json!({})));
    assert!(!holds(json!({ "not": {} }), json!({})));
}
