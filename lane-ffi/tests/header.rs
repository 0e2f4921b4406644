//! `include/lane.h` is made of the sources and checked in: it is the same, or `LANE_UPDATE=1` makes it so. The structs
//! in it are as long as they are here.
#![expect(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The rooms of the ABI, in the order in which a reader of the header wants them.
const ROOMS: [&str; 12] =
    ["abi", "version", "status", "text", "error", "router", "liveness", "request", "answer", "decide", "inspect", "trace"];

/// `# Safety` sections speak of Rust's rules to Rust's reader; the header says its own at each type.
fn without_safety(source: &str) -> String {
    let mut in_safety = false;
    let mut kept = String::new();
    for line in source.lines() {
        let comment = line.trim_start().strip_prefix("///");
        in_safety = match comment.map(str::trim) {
            Some("# Safety") => {
                // The empty line before it goes as well.
                kept.truncate(kept.trim_end_matches("///\n").len());
                true
            }
            Some(_) => in_safety,
            None => false,
        };
        if !in_safety {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(home().join("cbindgen.toml")).unwrap();
    config.header = Some(fs::read_to_string(home().join("include/head.h.in")).unwrap().trim_end().to_owned());
    config.trailer = Some(fs::read_to_string(home().join("include/tail.h.in")).unwrap().trim_end().to_owned());
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    fs::create_dir_all(&scratch).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for room in ROOMS.iter().chain(&["json"]) {
        let source = fs::read_to_string(home().join(format!("src/{room}.rs"))).unwrap();
        let file = scratch.join(format!("{room}.rs"));
        fs::write(&file, without_safety(&source)).unwrap();
        builder = builder.with_src(file);
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_made_of_the_sources() {
    let file = home().join("include/lane.h");
    let made = generate();
    if std::env::var_os("LANE_UPDATE").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(made == there, "include/lane.h is not what the sources say; `LANE_UPDATE=1 cargo test -p lane-ffi --test header` renews it");
}

#[test]
fn the_version_is_the_packages() {
    let number = format!("{}.{}.{}", lane_ffi::LANE_VERSION_MAJOR, lane_ffi::LANE_VERSION_MINOR, lane_ffi::LANE_VERSION_PATCH);
    assert_eq!(number, env!("CARGO_PKG_VERSION"));
}

/// The prototypes of the header: name, and parameters as (type, name).
fn prototypes(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    // Between the opening comment and the inline helpers.
    let library = header.split_once("#define LANE_H").unwrap().1.split_once("/*").unwrap().0;
    let code: String = library.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some((before, rest)) = statement.split_once('(') else { continue };
        let name = before.rsplit([' ', '*']).next().unwrap();
        if !name.starts_with("lane_") || statement.contains(['{', '}']) || before.contains("typedef") {
            continue;
        }
        let list = rest.rsplit_once(')').unwrap().0;
        let parameters = list.split(',').map(str::trim).filter(|parameter| !parameter.is_empty() && *parameter != "void");
        let split = |parameter: &str| {
            let at = parameter.rfind([' ', '*']).unwrap() + 1;
            let (kind, name) = parameter.split_at(at);
            (kind.trim().to_owned(), name.to_owned())
        };
        found.push((name.to_owned(), parameters.map(split).collect()));
    }
    found
}

#[test]
fn every_parameter_that_can_be_null_has_a_row() {
    let header = fs::read_to_string(home().join("include/lane.h")).unwrap();
    let table = fs::read_to_string(home().join("docs/null.md")).unwrap();
    let prototypes = prototypes(&header);
    assert!(prototypes.len() > 25, "the header's prototypes are not read rightly: {prototypes:?}");
    let mut missing = Vec::new();
    for (function, parameters) in &prototypes {
        for (kind, parameter) in parameters {
            let can_be_null = kind.contains('*') || kind.ends_with("lane_str");
            if can_be_null && !table.contains(&format!("| `{function}` | `{parameter}` |")) {
                missing.push(format!("{function}({parameter})"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/null.md says nothing about: {}", missing.join(", "));
}

#[test]
fn every_entry_is_guarded() {
    // The body of an exported function begins with the guard, so that its fallback is the first thing that is read.
    let mut entries = 0;
    for room in ROOMS.iter().chain(&["json"]) {
        let path = home().join(format!("src/{room}.rs"));
        let source = fs::read_to_string(&path).unwrap();
        for entry in source.split("#[unsafe(no_mangle)]").skip(1) {
            let body = entry.split_once("{\n").unwrap().1;
            let first =
                body.lines().find(|line| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("const ")).unwrap().trim();
            assert!(first.starts_with("guard(") || first.starts_with("status("), "{}: an entry without a guard: {first}", path.display());
            entries += 1;
        }
    }
    assert!(entries > 25, "{entries} entries only");
}
