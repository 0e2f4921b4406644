//! Where problems are found, how they are told, and what is read exactly.
#![cfg_attr(feature = "yaml", expect(clippy::indexing_slicing, reason = "a test may stop at what it does not expect"))]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use super::*;

/// Everything that is said about a text, as `line:column path: message (help)`.
fn told(text: &str, format: Format) -> Vec<String> {
    let findings = match load(text, format, &Options::default()) {
        Ok(loaded) => loaded.warnings,
        Err(refused) => refused.findings,
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

#[cfg(feature = "yaml")]
/// A group around these lines, which stand four deep.
fn group(lines: &str) -> String {
    format!(
        "version: 1\ngroups:\n  - name: g\n    mode: permissive\n    baseline: v1\n    services: [{{host: a.svc}}, {{host: b.svc}}]\n    lanes:\n      - name: v1\n{lines}"
    )
}

#[cfg(feature = "yaml")]
mod yaml {
    use super::*;

    fn yaml(text: &str) -> Vec<String> {
        told(text, Format::Yaml)
    }

    #[test]
    fn all_problems_of_shape_are_told_at_once() {
        let text = "version: \"1\"\nversion: 1\ngroups:\n  - name: 1.10\n    mode: strickt\n    gatways: [a]\n    services: {host: a}\n    lanes:\n      - {}\n    keep_lane: yes\n";
        let wanted = [
            "1:10: LANE0004: version: expected a whole number from 0 to 4294967295, found the text `1` (leave the quotes out: `1`)",
            "2:1: LANE0003: version: `version` is written twice",
            "4:11: LANE0004: groups[0].name: expected text, found the number `1.10` (quote it: `\"1.10\"`)",
            "5:11: LANE0004: groups[0].mode: expected the text `strict` or `permissive`, found the text `strickt` (did you mean `strict`?)",
            "6:5: LANE0002: groups[0].gatways: unknown field `gatways` (did you mean `gateways`?)",
            "7:15: LANE0004: groups[0].services: expected a list, found a map (put it in a list: begin it with `- `, or write brackets around it)",
            "9:9: LANE0005: groups[0].lanes[0]: the field `name` is missing (write `name:` with text)",
            "10:16: LANE0004: groups[0].keep_lane: expected `true` or `false`, found the text `yes` (write `true`, without quotes)",
        ];
        assert_eq!(yaml(text), wanted);
    }

    #[test]
    fn problems_of_meaning_are_told_beside_those_of_shape_unless_they_may_follow_from_them() {
        let text = group(
            "    unknown_lan: reject\n    rules:\n      - {name: r, service: c.svc, lane: v9}\n      - {name: s, service: a.svc, lan: v1}\n      - {name: t, service: a.svc, split: [{lane: v1, weight: x}]}\n",
        );
        let wanted = [
            "9:5: LANE0002: groups[0].unknown_lan: unknown field `unknown_lan` (did you mean `unknown_lane`?)",
            "11:28: LANE0102: groups[0].rules[0].service: group `g` has no service `c.svc` (did you mean `a.svc`?)",
            "11:41: LANE0102: groups[0].rules[0].lane: group `g` has no lane `v9` (did you mean `v1`?)",
            "12:35: LANE0002: groups[0].rules[1].lan: unknown field `lan` (did you mean `lane`?)",
            "13:62: LANE0004: groups[0].rules[2].split[0].weight: expected a whole number from 0 to 4294967295, found the text `x`",
        ];
        assert_eq!(yaml(&text), wanted);
    }

    #[test]
    fn a_key_at_fault_is_pointed_at() {
        let text = group(
            "    rules:\n      - name: r\n        service: a.svc\n        lane: v1\n        match:\n          - headers: {x y: {exact: a}, z: {prefix: \"\"}}\n",
        );
        let told = yaml(&text);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("14:23: LANE0104: groups[0].rules[0].match[0].headers.x y"), "{told:?}");
        assert!(told[1].starts_with("14:52: LANE0402: groups[0].rules[0].match[0].headers.z.prefix"), "{told:?}");
        let text = group("        labels: {c.svc: {tier: test}}\n");
        assert!(yaml(&text)[0].starts_with("9:18: LANE0102: groups[0].lanes[0].labels[\"c.svc\"]"), "{:?}", yaml(&text));
    }

    #[test]
    fn what_yaml_has_and_we_do_not_take_is_told_where_it_stands() {
        let text = "version: 1\ngroups:\n  - &g {name: !!str g, mode: strict, services: [], lanes: []}\n  - <<: *g\n    1: x\n    ? [a]\n    : b\n";
        let told = yaml(text);
        assert_eq!(
            told[0],
            "3:15: LANE0007: groups[0].name: the tag `!!str` is not supported (leave the tag out; text that looks like a number is quoted)"
        );
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[1].starts_with("4:5: LANE0007: groups[1]: merge keys are not supported"), "{told:?}");
        assert!(
            told.iter().any(|told| told.starts_with("5:5: LANE0004: groups[1]: the key is the number `1`, not text (quote it: `\"1\"`)")),
            "{told:?}"
        );
        assert!(told.iter().any(|told| told.starts_with("6:7: LANE0004: groups[1]: the key is a list")), "{told:?}");
    }

    #[test]
    fn syntax_errors_stand_alone_and_say_what_to_do() {
        let cases = [
            ("", "1:1: LANE0001: the text holds no document"),
            ("# nothing\n", "1:1: LANE0001: the text holds no document"),
            ("a: [b, {c: d}\n", "1:4: LANE0001: the `]` that ends what begins here is missing"),
            (
                "a: [b, {c: d}\ne: f\n",
                "2:2: LANE0001: this is not YAML: illegal placement of ':' indicator (perhaps the bracket in line 1 is not closed)",
            ),
            ("a: b: c\n", "1:5: LANE0001: "),
            ("a:\n\tb: c\n", "2:1: LANE0001: a tab stands where YAML wants spaces (indent with spaces)"),
            (
                "hosts: [*.shop.example]\n",
                "1:9: LANE0001: the alias `*.shop.example` repeats nothing that is anchored before it (text that begins with `*` is quoted: `\"*.shop.example\"`)",
            ),
            (
                "a: \"x\\\\y\\d\"\n",
                "1:9: LANE0001: `\\d` is no escape (in double quotes `\\` begins an escape; write regular expressions in single quotes)",
            ),
            ("a: 'b\n", "2:1: LANE0001: text in quotes goes on in a line that is not indented (perhaps a quote above is not closed)"),
            ("a: 'b", "1:4: LANE0001: the quote that begins here is not closed"),
            ("a: @b\n", "1:4: LANE0001: text cannot begin with `@` (quote the text)"),
            ("a: b\n---\na: b\n", "2:1: LANE0007: the text holds more than one document (one file holds one configuration)"),
            ("%YAML 1.1\n---\na: b\n", "2:1: LANE0007: only YAML 1.2 is supported (leave the `%YAML` line out)"),
        ];
        for (text, wanted) in cases {
            let refused = load(text, Format::Yaml, &Options::default()).unwrap_err();
            assert_eq!(refused.unparsable, !wanted.contains("LANE0007"), "{text}");
            assert_eq!(refused.findings.len(), 1, "{text}: {refused}");
            assert!(refused.to_string().starts_with(wanted), "{text}: {refused}");
        }
    }

    #[test]
    fn aliases_repeat_values_and_are_blamed_where_they_stand() {
        let text = group("        labels: {a.svc: &l {tier: test}, b.svc: *l}\n    rules: [{name: r, service: &s a.svc, lane: *s}]\n");
        assert_eq!(
            yaml(&text),
            ["10:48: LANE0102: groups[0].rules[0].lane: group `g` has no lane `a.svc` (declare the lane under `lanes`)"]
        );
    }

    #[test]
    fn a_byte_order_mark_carriage_returns_and_closing_brackets_anywhere_do_no_harm() {
        let text = format!("\u{feff}{}", group("    rules: [\n    {name: r, service: a.svc, lane: v1}\n    ]\n").replace('\n', "\r\n"));
        assert!(yaml(&text).is_empty(), "{:?}", yaml(&text));
    }

    #[test]
    fn decimals_are_taken_exactly() {
        let below = |written: &str| {
            let text = group(&format!(
                "    rules:\n      - {{name: r, service: a.svc, lane: v1, match: [{{percent: {{of: {{cookie: c}}, below: {written}}}}}]}}\n"
            ));
            let read = read(&text, Format::Yaml, &Options::default()).map_err(|refused| refused.findings.len());
            read.map(|document| document.config.groups[0].rules[0].matches.as_ref().unwrap()[0].percent.as_ref().unwrap().below.0)
        };
        let taken = ["0.29", "12.3", "12.30", "12.300", "100", "0", "1.15", "99.99", "+5", "0x10"];
        assert_eq!(taken.map(below), [29, 1_230, 1_230, 1_230, 10_000, 0, 115, 9_999, 500, 1_600].map(Ok));
        for refused in ["12.345", "100.01", "-1", "1e1", ".inf", "\"5\"", "12.3000000000000000000000000000001"] {
            assert_eq!(below(refused), Err(1), "{refused}");
        }
    }

    #[test]
    fn conditions_may_stand_as_deep_as_the_limit_says() {
        let nested = |levels: usize, before: &str, after: &str| {
            let condition = before.repeat(levels - 1) + "{}" + &after.repeat(levels - 1);
            yaml(&group(&format!("    rules:\n      - {{name: r, service: a.svc, lane: v1, match: [{condition}]}}\n")))
        };
        for (before, after) in [("{not: ", "}"), ("{all: [", "]}")] {
            assert!(nested(64, before, after).is_empty(), "{before}");
            let told = nested(65, before, after);
            assert!(told.len() == 1 && told[0].starts_with("10:") && told[0].contains("LANE0501"), "{told:?}");
        }
    }

    #[test]
    fn without_what_is_left_out_nothing_is_assumed() {
        // An empty `match:` would hold for every request.
        let text = group("    rules:\n      - name: r\n        service: a.svc\n        lane: v1\n        match:\n");
        assert_eq!(
            yaml(&text),
            ["13:14: LANE0004: groups[0].rules[0].match: expected a list, found nothing (write a value, or leave the field out)"]
        );
    }
}

#[test]
fn json_is_told_the_same_way() {
    let text = "{\"version\": 1,\n \"groups\": [{\"name\": 7, \"mode\": null, \"services\": [],\n  \"lanes\": [], \"naem\": \"ä\", \"name\": \"g\"}]}";
    let wanted = [
        "2:22: LANE0004: groups[0].name: expected text, found the number `7` (quote it: `\"7\"`)",
        "2:33: LANE0004: groups[0].mode: expected the text `strict` or `permissive`, found `null` (write a value, or leave the field out)",
        "3:16: LANE0002: groups[0].naem: unknown field `naem` (did you mean `name`?)",
        "3:29: LANE0003: groups[0].name: `name` is written twice",
    ];
    assert_eq!(told(text, Format::Json), wanted);
}

#[test]
fn json_that_is_none_has_a_place() {
    let cases = [
        ("", "1:1: LANE0001: the text holds no document"),
        ("{\"a\": 1,}", "1:9: LANE0001: this is not JSON: a comma stands before `}` (leave the comma out)"),
        ("{\n  'a': 1}", "2:3: LANE0001: this is not JSON: key must be a string (text stands in double quotes)"),
        ("{\"a\": [1, 2", "1:11: LANE0001: this is not JSON: EOF while parsing a list (a bracket or a quote is opened and not closed)"),
        ("{\"a\": \"\\ud800\"}", "1:14: LANE0001: this is not JSON: unexpected end of hex escape"),
        ("\"Β\t", "1:3: LANE0001: this is not JSON: control character (\\u0000-\\u001F) found while parsing a string"),
        ("{} x", "1:4: LANE0001: this is not JSON: trailing characters"),
    ];
    for (text, wanted) in cases {
        let refused = load(text, Format::Json, &Options::default()).unwrap_err();
        assert!(refused.unparsable && refused.to_string() == wanted, "{text}: {refused}");
    }
}

#[test]
fn bytes_must_be_utf_8_and_few_enough() {
    let refused = |bytes: &[u8], options: &Options| load_bytes(bytes, Format::Json, options).unwrap_err().to_string();
    let mut options = Options::default();
    assert_eq!(
        refused(b"{\"a\":\n\"\xff\"}", &options),
        "2:2: LANE0001: the text is not UTF-8: byte 7 does not belong there (save the file as UTF-8)"
    );
    assert!(refused(b"\xff\xfe{\0", &options).contains("UTF-16"));
    options.limits.document_bytes = 4;
    assert_eq!(refused(b"{    }", &options), "1:1: LANE0006: the document has 6 bytes, more than the 4 that are allowed");
}

#[test]
fn the_format_is_told_by_the_name() {
    assert_eq!(
        ["a.json", "A.JSON", "json", "a.yaml", "a.json.txt", "é.j"].map(Format::of_path).map(|format| format == Format::Json),
        [true, true, false, false, false, false]
    );
}

#[test]
fn places_lead_to_values() {
    let text = "{\"version\": 1, \"groups\": []}";
    let document = read(text, Format::Json, &Options::default()).unwrap();
    let root = FieldPath::root();
    assert_eq!(text.get(document.places.range(&root.field("version"))), Some("1"));
    assert_eq!(text.get(document.places.range(&root.field("groups").index(3).field("name"))), Some("[]"));
    assert_eq!(document.config, serde_json::from_str(text).unwrap());
}
