//! Every fuzz body, over the corpus and over some thousands of inputs made from it and from seeds.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what failed by failing")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use lane_fuzz::{BODIES, Body};
use lane_tests::generate::{self, Rng};

/// The checked-in inputs of a body, by file name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut inputs: Vec<(String, Vec<u8>)> =
        entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect();
    inputs.sort();
    inputs
}

/// Runs a body; what it breaks on is shown as Rust source.
fn run(body: Body, input: &[u8], what: &str) {
    let result = catch_unwind(AssertUnwindSafe(|| body(input)));
    assert!(result.is_ok(), "{what}: b\"{}\"", input.escape_ascii());
}

/// An input with a few bytes changed, taken out, put in or doubled; now and then with a part of another.
fn mutated(rng: &mut Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    const BYTES: &[u8] = b"\0\t\n\r \"#%&'*+,-./0129:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc3\xa9\xff";
    let mut input = input.to_vec();
    for _ in 0..rng.between(1, 6) {
        let at = rng.below(input.len() + 1);
        let end = (at + rng.between(1, 12)).min(input.len());
        match rng.below(7) {
            0 => input.insert(at, rng.pick(BYTES)),
            1 if at < input.len() => input[at] = rng.pick(BYTES),
            2 => drop(input.drain(at..end)),
            3 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            4 if !other.is_empty() => {
                let start = rng.below(other.len());
                let stop = (start + rng.between(1, 40)).min(other.len());
                input.splice(at..at, other[start..stop].iter().copied());
            }
            5 => input.truncate(rng.pick(&[at, input.len(), input.len()])),
            _ if at < input.len() => input[at] ^= 1 << rng.below(8),
            _ => {}
        }
    }
    input
}

fn replay(name: &str, seeds: Vec<Vec<u8>>, rounds: usize) {
    let (_, body) = BODIES.into_iter().find(|(body, _)| *body == name).unwrap();
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "no corpus for {name}");
    for (file, input) in &corpus {
        run(body, input, file);
    }
    let mut pool: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    for input in &seeds {
        run(body, input, "seed");
    }
    pool.extend(seeds);
    let mut rng = Rng::new(0xf022);
    for round in 0..rounds {
        let [one, other] = [0, 1].map(|_| pool[rng.below(pool.len())].clone());
        run(body, &mutated(&mut rng, &one, &other), &format!("round {round}"));
    }
}

#[test]
fn config_text() {
    let text = |seed| [b"\x01", generate::config(seed).to_string().as_bytes()].concat();
    replay("config_text", (0..20).map(text).collect(), 3_000);
}

#[test]
fn decision() {
    let mut rng = Rng::new(1);
    let seeds = (0..2_000).map(|_| (0..rng.between(0, 6)).flat_map(|_| rng.number().to_be_bytes()).collect()).collect();
    replay("decision", seeds, 1_000);
}

#[test]
fn baggage() {
    replay("baggage", Vec::new(), 6_000);
}

#[test]
fn query_and_cookies() {
    replay("query_and_cookies", Vec::new(), 6_000);
}

#[test]
fn request_json() {
    let config = generate::config(7);
    let mut rng = Rng::new(7);
    let seeds = (0..200).map(|_| generate::request(&config, &mut rng).to_string().into_bytes()).collect();
    replay("request_json", seeds, 6_000);
}

#[test]
fn every_body_has_a_target_and_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(fuzz.join("fuzz_targets/Cargo.toml")).unwrap();
    for (name, _) in BODIES {
        let shim = fs::read_to_string(fuzz.join("fuzz_targets").join(name).with_extension("rs")).unwrap();
        assert!(shim.contains(&format!("lane_fuzz::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(corpus(name).len() >= 3, "{name}");
    }
}
