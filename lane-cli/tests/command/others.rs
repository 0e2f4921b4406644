//! `lane explain`, `schema`, `init`, `completions`, `--help`, `--version`, and bad usage of all.

use std::{fs, process::Command};

use serde_json::Value;

use crate::harness::{lane, root};

#[test]
fn the_page_of_a_diagnostic() {
    lane(&["explain", "LANE0102"]).exits(0).quiet().golden("explain");
    let page = lane(&["explain", "LANE0102"]).out;
    assert_eq!(lane(&["explain", "0102"]).out, page);
    assert_eq!(lane(&["explain", "lane0102"]).out, page);
    lane(&["explain", "LANE9999"]).exits(2).complains("`LANE9999` is no diagnostic");
    let list = lane(&["explain"]).exits(0).quiet();
    assert!(list.out.lines().count() > 40 && list.out.contains("LANE0102  reference to something that is not declared\n"));
}

#[test]
fn the_schema_is_that_of_the_formats() {
    let schema: Value = serde_json::from_str(&lane(&["schema"]).exits(0).quiet().out).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn init_writes_a_good_configuration_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanes.yaml");
    let path = file.to_str().unwrap();
    lane(&["init", path]).exits(0).quiet();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema="));
    lane(&["check", "--strict", path]).exits(0).quiet();
    fs::write(&file, "mine").unwrap();
    lane(&["init", path]).exits(2).complains("it exists already");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(lane(&["init", "-"]).exits(0).quiet().out, text);
    lane(&["init", "no/such/folder/lanes.yaml"]).exits(2).complains("no such file");
}

#[test]
fn init_writes_lanes_yaml_when_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_lane")).arg("init").current_dir(folder.path()).output().unwrap().status;
    assert!(status.success() && folder.path().join("lanes.yaml").exists());
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = lane(&["completions", shell]).exits(0).quiet();
        assert!(run.out.contains("route") && run.out.contains("requests"), "{shell}");
    }
    lane(&["completions", "cmd"]).exits(2);
}

#[test]
fn help_has_an_example_everywhere() {
    for command in ["check", "route", "trace", "test", "export", "import", "explain", "schema", "init", "completions"] {
        let run = lane(&[command, "--help"]).exits(0).quiet();
        assert!(run.out.contains("Example") && run.out.contains(&format!("lane {command}")), "{}", run.out);
    }
    lane(&["--help"]).exits(0).quiet().golden("help");
    lane(&["route", "--help"]).exits(0).quiet().golden("help-route");
    lane(&["trace", "--help"]).exits(0).quiet().golden("help-trace");
    lane(&["test", "--help"]).exits(0).quiet().golden("help-test");
}

#[test]
fn the_version_is_the_workspaces() {
    assert_eq!(lane(&["--version"]).exits(0).quiet().out, format!("lane {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_usage_is_exit_code_2() {
    for arguments in [&[][..], &["chekc"], &["check"], &["check", "--jsn", "x"], &["route"], &["trace", "-n", "many", "x"], &["test"]] {
        lane(arguments).exits(2);
    }
    lane(&["route", "no/such.yaml"]).exits(2).complains("cannot read `no/such.yaml`: no such file");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [&["schema"][..], &["explain"], &["check", "examples/strict.yaml"], &["trace", "examples/permissive.yaml"]] {
        let output = crate::harness::command(arguments).stdout(full()).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), complaint.as_str()),
            (Some(2), "error: cannot write the output: no space left on device\n"),
            "{arguments:?}"
        );
    }
}

#[test]
fn every_example_is_accepted() {
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") && !path.to_str().unwrap().contains("test") {
            lane(&["check", path.to_str().unwrap()]).exits(0).quiet();
        }
    }
}
