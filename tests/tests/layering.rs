//! Who may use whom: the rooms of `lane-core` (its top-level modules) and the arrows between them. The table below is
//! the project's truth; an arrow that it does not allow fails, and so does an entry that no code needs any more.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by failing")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};

/// Each room and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("config", &[]),
    ("bytes", &[]),
    ("request", &["bytes"]),
    ("intern", &[]),
    ("liveness", &["intern"]),
    ("decision", &["intern"]),
    ("context", &["intern"]),
    ("pattern", &["bytes", "intern"]),
    ("attribute", &["bytes", "context", "intern", "pattern", "request"]),
    ("condition", &["attribute", "intern", "pattern", "request"]),
    ("split", &["attribute", "intern", "pattern", "request"]),
    ("index", &["attribute", "bytes", "condition", "intern", "pattern", "request"]),
    ("router", &["attribute", "bytes", "condition", "context", "decision", "index", "intern", "liveness", "pattern", "request", "split"]),
    ("explain", &["attribute", "condition", "decision", "intern", "liveness", "pattern", "request", "router", "split"]),
    ("compile", &["attribute", "condition", "config", "context", "diagnostic", "index", "intern", "pattern", "router", "split"]),
    // What the crate offers, room by room; `attribute`, `condition`, `index`, `pattern` and `split` are nobody's outside.
    ("lib", &["compile", "context", "decision", "intern", "liveness", "request", "router"]),
];

/// Arrows for a few items only: room, used room, the items, why.
const EXCEPTIONS: &[(&str, &str, &[&str], &str)] = &[
    ("router", "config", &["At", "Mode", "UnknownLane"], "plain Copy enums that mean the same before and after compiling"),
    ("split", "config", &["Method"], "a plain Copy enum that means the same before and after compiling"),
    ("explain", "config", &["Method"], "the same enum, shown"),
    ("index", "config", &["At"], "a plain Copy enum that means the same before and after compiling"),
    ("index", "router", &["Plan", "RulesFound"], "the index is a part of the plan and reads the rules that stand beside it there"),
];

fn crate_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The paths in a piece of source that begin with `crate`, in full: `use crate::{a::{b, c}, d}` gives `a::b`, `a::c`, `d`.
fn paths(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "crate" => path(&mut tokens, Vec::new(), found),
            // Whoever climbs out of a room in another way would not be seen.
            TokenTree::Ident(word) if word == "super" => {
                let mut climbed = Vec::new();
                path(&mut tokens, Vec::new(), &mut climbed);
                let climbs = climbed.iter().any(|path| path.iter().any(|step| step == "super"));
                assert!(!climbs, "`super::super` hides who uses whom: write `crate::…`");
            }
            TokenTree::Group(group) => paths(group.stream(), found),
            _ => {}
        }
    }
}

/// What follows `crate` or a step of a path: `::step…` or `::{steps…}`.
fn path(tokens: &mut std::iter::Peekable<impl Iterator<Item = TokenTree>>, mut steps: Vec<String>, found: &mut Vec<Vec<String>>) {
    while tokens.next_if(|token| matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':')).is_some() {
        tokens.next();
        match tokens.next() {
            Some(TokenTree::Ident(step)) => steps.push(step.to_string()),
            Some(TokenTree::Group(group)) => {
                let mut inner = group.stream().into_iter().peekable();
                while let Some(token) = inner.next() {
                    if let TokenTree::Ident(step) = token {
                        let mut steps = steps.clone();
                        if step != "self" {
                            steps.push(step.to_string());
                        }
                        path(&mut inner, steps, found);
                    }
                    // The comma, or `as name` and the comma.
                    while inner.next_if(|token| !matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')).is_some() {}
                    inner.next();
                }
                return;
            }
            // A turbofish or a glob ends the path.
            _ => break,
        }
    }
    // `pub(crate)` is no path.
    if !steps.is_empty() {
        found.push(steps);
    }
}

fn tokens(path: &Path) -> TokenStream {
    fs::read_to_string(path).unwrap().parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `lib.rs` re-exports: name to (room, item).
fn offered(lib: &Path) -> BTreeMap<String, (String, String)> {
    let mut names = BTreeMap::new();
    for line in tokens(lib).to_string().split(';') {
        let Some(uses) = line.split("pub use ").nth(1) else { continue };
        let uses: TokenStream = format!("crate::{uses}").parse().unwrap();
        for item in uses.to_string().replace(['{', '}'], " ").split(',') {
            // `MAX_BYTES as BUFFER_BYTES` is found under its new name.
            let mut words = item.split_whitespace().rev();
            let (name, renamed) = (words.next().unwrap_or_default().to_owned(), words.next() == Some("as"));
            let original = if renamed { words.next().unwrap_or_default().to_owned() } else { name.clone() };
            let mut found = Vec::new();
            paths(uses.clone(), &mut found);
            let full = found.into_iter().find(|path| path.last() == Some(&original)).unwrap();
            names.insert(name, (full.first().cloned().unwrap(), original));
        }
    }
    names
}

/// Every use of one room by another: (room, used room, item), with a file that has it.
fn uses() -> BTreeMap<(String, String, String), PathBuf> {
    let source = crate_root().join("lane-core/src");
    let offered = offered(&source.join("lib.rs"));
    let mut uses = BTreeMap::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let mut found = Vec::new();
        paths(tokens(&file), &mut found);
        for steps in found {
            let first = steps.first().cloned().unwrap_or_default();
            let item = steps.get(1).cloned().unwrap_or_default();
            let (used, item) = offered.get(&first).cloned().unwrap_or((first, item));
            if used != room {
                uses.insert((room.clone(), used, item), file.clone());
            }
        }
        if room == "lib" {
            for (used, item) in offered.values() {
                uses.insert((room.clone(), used.clone(), item.clone()), file.clone());
            }
        }
    }
    uses
}

fn allowed(room: &str, used: &str, item: &str) -> bool {
    let whole = ARROWS.iter().any(|(from, to)| *from == room && to.contains(&used));
    let in_part = EXCEPTIONS.iter().any(|(from, to, items, _)| (*from, *to) == (room, used) && items.contains(&item));
    whole || in_part
}

#[test]
fn no_room_uses_another_against_the_table() {
    let uses = uses();
    assert!(uses.len() > 50, "the reader of `use crate::…` finds only {} uses", uses.len());
    let forbidden: Vec<String> = uses
        .iter()
        .filter(|((room, used, item), _)| !allowed(room, used, item))
        .map(|((room, used, item), file)| format!("{room} -> {used}::{item} in {}", file.display()))
        .collect();
    assert!(forbidden.is_empty(), "arrows that the table does not allow:\n  {}", forbidden.join("\n  "));
}

#[test]
fn every_entry_of_the_table_is_needed() {
    let uses = uses();
    let arrows: BTreeSet<(&str, &str)> = uses.keys().map(|(room, used, _)| (room.as_str(), used.as_str())).collect();
    for (room, used) in ARROWS {
        for used in *used {
            assert!(arrows.contains(&(room, used)), "nothing in `{room}` uses `{used}` any more");
        }
    }
    for (room, used, items, _) in EXCEPTIONS {
        for item in *items {
            let key = ((*room).to_owned(), (*used).to_owned(), (*item).to_owned());
            assert!(uses.contains_key(&key), "nothing in `{room}` uses `{used}::{item}` any more");
        }
    }
}

#[test]
fn every_room_stands_in_the_table() {
    let source = crate_root().join("lane-core/src");
    let rooms: BTreeSet<String> = rust_files(&source)
        .iter()
        .filter(|file| file.parent() == Some(&source))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, listed);
}

#[test]
fn nobody_but_the_front_door_uses_compile_and_the_router_sees_no_configuration() {
    for (room, used, item) in uses().keys() {
        assert!(used != "compile" || room == "lib", "{room} uses compile::{item}");
        let compiled = ["router", "index", "condition", "attribute", "pattern", "context", "decision", "liveness", "request"];
        let plain = ["At", "Mode", "UnknownLane"];
        assert!(used != "config" || !compiled.contains(&room.as_str()) || plain.contains(&item.as_str()), "{room} uses config::{item}");
    }
}

#[test]
fn no_source_file_is_longer_than_700_lines() {
    let crates = fs::read_dir(crate_root()).unwrap().map(|entry| entry.unwrap().path().join("src")).filter(|source| source.is_dir());
    let files: Vec<PathBuf> = crates.flat_map(|source| rust_files(&source)).collect();
    assert!(files.len() > 60, "only {} files found", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 700, "{} has {lines} lines", file.display());
    }
}

#[test]
fn the_reader_of_paths_sees_through_trees_strings_and_comments() {
    let source = r#"
        //! [`a`](crate::not::This)
        use crate::{a::{self, b, c::{D, E as F}}, g};
        fn f(x: crate::h::I<crate::j::K>) { crate::l::m::<crate::n::O>(); let s = "crate::p"; }
    "#;
    let mut found = Vec::new();
    paths(source.parse().unwrap(), &mut found);
    let found: Vec<String> = found.iter().map(|steps| steps.join("::")).collect();
    assert_eq!(found, ["a", "a::b", "a::c::D", "a::c::E", "g", "h::I", "j::K", "l::m", "n::O"]);
}
