//! `lane export` and `lane import` as a user meets them: what goes to which stream, exit codes, files and directories.

use std::fs;

use crate::harness::{fed, lane};

#[test]
fn an_export_goes_out_and_its_report_beside_it() {
    let run = lane(&["export", "istio", "examples/permissive.yaml"])
        .exits(0)
        .complains("warning[LANE0703]: the mesh does not take baggage members away");
    assert!(run.out.starts_with("apiVersion: istio.alibabacloud.com/v1beta1\nkind: ASMHeaderPropagation\n"));
    assert!(run.err.contains("--> examples/permissive.yaml:18:14") && run.err.ends_with("1 warning\n"), "{}", run.err);
    let json = lane(&["export", "istio", "--json", "examples/permissive.yaml"]).exits(0);
    let note: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(
        (note["code"].as_str(), note["line"].as_u64(), note["path"].as_str()),
        (Some("LANE0703"), Some(18), Some("groups[0].context"))
    );
}

#[test]
fn what_a_mesh_cannot_do_is_written_only_when_that_is_asked_for() {
    let run =
        lane(&["export", "istio", "examples/sticky-canary.yaml"]).exits(1).complains("error[LANE0701]: Istio draws anew for each request");
    assert_eq!(run.out, "");
    assert!(run.err.contains("note: `--lossy` makes of losses warnings"), "{}", run.err);
    let lossy = lane(&["export", "istio", "--lossy", "examples/sticky-canary.yaml"]).exits(0).complains("warning[LANE0701]");
    assert!(lossy.out.contains("kind: VirtualService"));
}

#[test]
fn what_is_exported_can_be_imported() {
    for format in ["istio", "asm"] {
        let yaml = lane(&["export", format, "examples/strict.yaml"]).exits(0).out;
        let back = fed(&["import", format, "-"], yaml.as_bytes()).exits(0);
        let table = |configuration: &str| {
            let run = fed(&["trace", "-", "-n", "1"], configuration.as_bytes()).exits(0);
            run.out.lines().filter(|line| line.starts_with("| ")).map(str::to_owned).collect::<Vec<_>>()
        };
        let original = fs::read_to_string(crate::harness::root().join("examples/strict.yaml")).unwrap();
        assert_eq!(table(&back.out), table(&original), "{format}");
    }
}

#[test]
fn directories_are_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = lane(&["export", "istio", "examples/strict.yaml"]).exits(0).out;
    let documents: Vec<&str> = yaml.split("---\n").collect();
    for (index, document) in documents.iter().enumerate() {
        fs::write(folder.path().join(format!("{index:02}.yaml")), document).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "not a resource").unwrap();
    let path = folder.path().to_str().unwrap();
    let one = fed(&["import", "istio", "-"], yaml.as_bytes()).exits(0).out;
    assert_eq!(lane(&["import", "istio", path]).exits(0).out, one);
    let empty = tempfile::tempdir().unwrap();
    lane(&["import", "istio", empty.path().to_str().unwrap()]).exits(2).complains("holds no resource files");
}

#[test]
fn lists_are_opened() {
    let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "a"},
         "spec": {"host": "a", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}},
        {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
         "spec": {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a", "subset": "v1"}}]}]}}]}"#;
    let run = fed(&["import", "istio", "--group", "shop", "-"], list.as_bytes()).exits(0);
    assert!(run.out.contains("name: shop") && run.out.contains("baseline: v1"), "{}", run.out);
}

#[test]
fn bad_input_is_told_with_its_place() {
    let wrong = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a, subset: []}\n";
    let run = fed(&["import", "istio", "-"], wrong.as_bytes()).exits(1).complains("error[LANE0712]: unknown field `subset`");
    assert!(run.err.contains("--> <stdin>:4:17") && run.err.contains("did you mean `subsets`?"), "{}", run.err);
    assert_eq!(run.out, "");
    lane(&["export", "istio", "--group", "nobody", "examples/strict.yaml"])
        .exits(1)
        .complains("error[LANE0704]: there is no group `nobody`");
    lane(&["export", "nonsense", "examples/strict.yaml"]).exits(2);
    lane(&["export", "istio", "no-such-file.yaml"]).exits(2).complains("no such file");
    lane(&["import", "istio", "no-such-file.yaml"]).exits(2).complains("no such file");
    fed(&["import", "istio", "-"], b"\xff\xfe").exits(2).complains("is not UTF-8");
}

#[test]
fn every_note_has_a_page() {
    for code in lane_formats::mesh::Code::ALL {
        let page = lane(&["explain", code.as_str()]).exits(0).quiet();
        assert!(page.out.starts_with(&format!("{code}: {}", code.title())), "{}", page.out);
    }
}
