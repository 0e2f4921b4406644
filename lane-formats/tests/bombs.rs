//! Small texts that cost a careless reader seconds, gigabytes or its stack. Each must be refused in well under a
//! second, and those that are small themselves in little memory.
#![cfg(feature = "yaml")]

use std::time::{Duration, Instant};

use lane_core::Options;
use lane_formats::{Format, load};

/// A name, a text, the language, and what must be said.
type Bomb = (&'static str, String, Format, &'static str);

fn small() -> Vec<Bomb> {
    let doubling = |name: char, before: char| format!("{name}: &{name} [{}]\n", [format!("*{before}").as_str(); 9].join(","));
    let laughs: String = ('b'..='i').zip('a'..).map(|(name, before)| doubling(name, before)).collect();
    let ladder: String = (1..5_000).map(|step| format!("x{step}: &x{step} [*x{}]\n", step - 1)).collect();
    let keys: Vec<String> = (0..100_000).map(|key| format!("\"k{key}\":1")).collect();
    vec![
        ("open brackets", "[".repeat(100_000), Format::Yaml, "more than 192 deep"),
        ("open brackets", "[".repeat(100_000), Format::Json, "EOF while parsing"),
        ("brackets", "[".repeat(50_000) + &"]".repeat(50_000), Format::Yaml, "more than 192 deep"),
        ("brackets", "[".repeat(50_000) + &"]".repeat(50_000), Format::Json, "more than 192 deep"),
        ("open braces", "{\"a\":".repeat(20_000), Format::Yaml, "more than 192 deep"),
        ("braces", "{\"a\":".repeat(20_000) + "1" + &"}".repeat(20_000), Format::Json, "more than 192 deep"),
        ("dashes", "- ".repeat(50_000), Format::Yaml, "more than 192 deep"),
        ("indentation", (0..400).map(|depth| " ".repeat(depth) + "a:\n").collect(), Format::Yaml, "more than 192 deep"),
        ("anchors", (0..10_000).map(|anchor| format!("&a{anchor} [")).collect(), Format::Yaml, "more than 192 deep"),
        ("billion laughs", format!("a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n{laughs}"), Format::Yaml, "aliases repeat too much"),
        (
            "one long text",
            format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), ["*a"; 20_000].join(",")),
            Format::Yaml,
            "aliases repeat too much",
        ),
        ("ladder of aliases", format!("x0: &x0 [1]\n{ladder}"), Format::Yaml, "more than 192 deep"),
        ("alias in itself", "a: &a [*a]".into(), Format::Yaml, "stands inside what it repeats"),
        ("wrong values", format!("{{\"version\":1,\"groups\":[{}1]}}", "1,".repeat(300_000)), Format::Json, "more than 10000 problems"),
        ("unknown fields", format!("{{{}}}", keys.join(",")), Format::Json, "unknown field"),
        ("one field again and again", format!("{{{}}}", ["\"a\":1"; 100_000].join(",")), Format::Json, "written twice"),
    ]
}

/// As large as a document may be, or larger.
fn large() -> Vec<Bomb> {
    vec![
        ("many values", format!("[{}0]", "0,".repeat(4_500_000)), Format::Json, "more than 4000000 values"),
        ("too large", " ".repeat((16 << 20) + 1), Format::Yaml, "more than the 16777216 that are allowed"),
    ]
}

fn is_refused_quickly((name, text, format, wanted): Bomb) {
    // Without optimisation everything takes several times as long.
    let patience = Duration::from_millis(if cfg!(debug_assertions) { 4_000 } else { 800 });
    let started = Instant::now();
    let refused = load(&text, format, &Options::default()).err().map(|refused| refused.to_string()).unwrap_or_default();
    let took = started.elapsed();
    assert!(refused.contains(wanted), "{name}, {format:?}: {}", refused.get(..200).unwrap_or(&refused));
    assert!(took < patience, "{name}, {format:?}: {took:?}");
}

#[test]
fn bombs_are_refused_quickly_and_in_little_memory() {
    small().into_iter().for_each(is_refused_quickly);
    // The most memory that this process ever had, in kB; Linux tells.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
    assert!(peak.is_none_or(|peak| peak < 200 << 10), "{peak:?} kB");
    large().into_iter().for_each(is_refused_quickly);
}
