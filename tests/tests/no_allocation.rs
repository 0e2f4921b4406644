//! A decision does not allocate (S31): every call on the hot path, on every vector and on generated requests, from the
//! first call on, on one thread and on several. A counting allocator is the witness.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what failed by failing")]
#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    net::IpAddr,
    thread,
};

use lane_core::{BUFFER_BYTES, Headers, Indexing, Liveness, Options, Recorded, Request, Router, Source};
use lane_formats::{
    Bytes, Format,
    request::{Ask, Place},
};
use lane_tests::{
    generate::{self, Rng},
    vectors,
};

#[path = "index/requests.rs"]
mod requests;
#[path = "index/rules.rs"]
mod rules;

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    /// Constant and without a destructor, so that reading it allocates nothing itself.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Everything that the hot path offers, once.
fn decide<H: Headers + ?Sized>(
    router: &Router,
    place: &Place,
    request: &Request<'_, H>,
    liveness: &Liveness,
    buffer: &mut [u8; BUFFER_BYTES],
) {
    let decision = match place {
        Place::Ingress { gateway } => router.ingress(gateway, request, liveness),
        Place::Hop { service } => router.hop(service, request, liveness),
        Place::Inbound => {
            router.inbound(request, |remember| {
                black_box(remember);
            });
            return;
        }
    };
    let notes = router.changes(&decision, request, buffer, |change| {
        black_box(change);
    });
    black_box((notes, router.remember(&decision, request), router.cookie(&decision)));
}

/// How often deciding about this request allocates. What the caller owns is made before it is counted.
fn allocations_of(router: &Router, ask: &Ask, liveness: &Liveness) -> usize {
    let labels: Vec<(&str, &str)> = ask.source.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let remembered: Vec<(&str, &str)> = ask.remembered.iter().map(|(group, lane)| (group.as_str(), lane.as_str())).collect();
    let names: Option<Vec<&str>> = ask.recorded.as_ref().map(|names| names.iter().map(String::as_str).collect());
    let mut buffer = [0; BUFFER_BYTES];
    let ip = ask.source.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok());
    let request = Request {
        method: ask.method.as_ref().map(Bytes::as_ref),
        authority: ask.authority.as_ref().map(Bytes::as_ref),
        path: ask.path.as_ref().map(Bytes::as_ref),
        source: Source { service: ask.source.service.as_deref(), labels: &labels, lane: ask.source.lane.as_deref(), ip },
        remembered: &remembered,
        roll: ask.roll,
        ..Request::new(ask.headers.as_slice())
    };
    match &names {
        None => allocations(|| decide(router, &ask.place, &request, liveness, &mut buffer)),
        Some(names) => {
            let headers = Recorded { headers: ask.headers.as_slice(), names };
            let Request { method, authority, path, source, remembered, roll, .. } = request;
            let request = Request { method, authority, path, source, remembered, roll, headers: &headers };
            allocations(|| decide(router, &ask.place, &request, liveness, &mut buffer))
        }
    }
}

/// A router with requests that it can be asked, and their endpoint counts.
struct Work {
    name: String,
    router: Router,
    asks: Vec<(Ask, Liveness)>,
}

impl Work {
    fn new(name: String, config: &serde_json::Value, requests: impl Iterator<Item = serde_json::Value>) -> Self {
        let router = lane_formats::load(&config.to_string(), Format::Json, &Options::default()).unwrap().router;
        let readable = requests.filter_map(|request| Ask::from_value(&request).ok());
        let asks = readable.filter_map(|ask| ask.liveness(&router).ok().map(|liveness| (ask, liveness))).collect();
        Self { name, router, asks }
    }

    /// Asks everything once.
    fn run(&self) {
        for (ask, liveness) in &self.asks {
            let count = allocations_of(&self.router, ask, liveness);
            assert_eq!(count, 0, "{} allocates: {}", self.name, ask.to_value());
        }
    }
}

fn all_vectors() -> Vec<Work> {
    let files = vectors::files().unwrap();
    files.into_iter().map(|file| Work::new(file.name, &file.config, file.cases.into_iter().map(|case| case.request))).collect()
}

fn generated(seeds: core::ops::Range<u64>) -> Vec<Work> {
    let work = |seed: u64| {
        let config = generate::config(seed);
        let mut rng = Rng::new(seed ^ 0xa110c);
        let requests: Vec<_> = (0..40).map(|_| generate::request(&config, &mut rng)).collect();
        Work::new(format!("seed {seed}"), &config, requests.into_iter())
    };
    seeds.map(work).collect()
}

#[test]
fn the_witness_sees_what_is_allocated() {
    assert_eq!(allocations(|| drop(black_box(vec![1_u8; 100]))), 1);
    assert_eq!(
        allocations(|| {
            black_box(1);
        }),
        0
    );
}

#[test]
fn no_vector_allocates_from_the_first_call_on() {
    let work = all_vectors();
    assert!(work.iter().map(|work| work.asks.len()).sum::<usize>() > 400);
    for work in work {
        // The first call, then another.
        work.run();
        work.run();
    }
}

#[test]
fn no_generated_request_allocates_from_the_first_call_on() {
    let work = generated(0..400);
    assert!(work.iter().map(|work| work.asks.len()).sum::<usize>() > 10_000);
    work.iter().for_each(Work::run);
}

#[test]
fn no_search_of_a_large_index_allocates() {
    for (seed, profile) in rules::Profile::ALL.into_iter().enumerate() {
        let mut rng = Rng::new(seed as u64 ^ 0x1dec5);
        let set = rules::RuleSet::generate(&mut rng, 600, profile);
        let mut options = Options::default();
        options.indexing = Indexing::Always;
        let router = Router::compile(&serde_json::from_value(set.document.clone()).unwrap(), &options).unwrap().router;
        let liveness = router.liveness();
        for _ in 0..300 {
            let asked = requests::Asked::generate(&mut rng, &set);
            let mut decision = None;
            let count = allocations(|| decision = Some(asked.decide(&router, &liveness)));
            let rule = decision.and_then(|decision| decision.rule);
            assert_eq!(count, 0, "{profile:?}, {} header lines\n{asked:?}\n{}", asked.headers.len(), set.shown(&router, &[rule]));
        }
    }
}

#[test]
fn several_threads_that_share_a_router_allocate_as_little() {
    let mut work = all_vectors();
    work.extend(generated(1_000..1_100));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| work.iter().for_each(Work::run));
        }
    });
}

#[test]
fn baggage_of_any_length_allocates_as_little() {
    let config = serde_json::json!({ "version": 1, "groups": [{
        "name": "g", "mode": "permissive", "baseline": "v1", "context": { "baggage": "k" },
        "services": [{ "host": "a.svc" }], "lanes": [{ "name": "v1" }],
        "rules": [{ "name": "r", "service": "a.svc", "lane": "v1" }],
    }] });
    let members: Vec<String> = (0..3_000).map(|number| format!("m{number}=%C3%A9")).collect();
    let requests = [members.join(","), "k=a,".repeat(9_000), format!("k=v1,x={}", "y".repeat(100_000)), ",".repeat(50_000)];
    let requests = requests.map(|line| serde_json::json!({ "ingress": { "gateway": "gw" }, "headers": [["baggage", line]] }));
    Work::new("long lines".into(), &config, requests.into_iter()).run();
}
