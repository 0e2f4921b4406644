//! The packed calls: one flat request in, one flat answer out. They are for languages in which crossing the
//! border is dear or passing nested structs is awkward: Go uses them, through cgo and through WebAssembly.
//!
//! Four functions make the whole surface (in WebAssembly two more lend memory):
//!
//! | function | what it does |
//! |---|---|
//! | [`lane_packed_abi`] | the version of everything described here |
//! | [`lane_packed_compile`] | a configuration to a handle |
//! | [`lane_packed_call`] | a request and a handle to an answer |
//! | [`lane_packed_free`] | gives a handle back |
//!
//! # Conventions
//!
//! All numbers are little-endian and unaligned. `bytes` is a `u32` length and that many bytes; `text` is `bytes`
//! that are read as UTF-8, where what is not UTF-8 is replaced (and so names nothing). `[x]` stands only when
//! its flag is set. An id is an index, from 0, into the lists that [`NAMES`](operation::NAMES) gives; `0xffff_ffff` is none.
//! Bytes that do not follow the description give [`status::MALFORMED`], never a panic; so do bytes behind the end.
//!
//! # Configuration, as given to `lane_packed_compile`
//!
//! `u8` format (0: found out, 1: YAML, 2: JSON), `u8` count of limits, so many times (`u8` limit, `u64` value), then the text.
//! The limits of S6 are numbered: 0 rules, 1 automata bytes, 2 regex bytes, 3 lanes, 4 services, 5 groups, 6 subsets,
//! 7 condition levels, 8 document bytes.
//!
//! # Requests
//!
//! The first byte is the [`operation`].
//!
//! - `INGRESS`, `HOP`, `INBOUND`, `TRACE_IDS`, `EXPLAIN_INGRESS`, `EXPLAIN_HOP`, `TRACE_INGRESS`, `TRACE_HOP`: `u8` operation, `u16` flags
//!   (1 method, 2 authority, 4 path, 8 roll, 16 source service, 32 source lane, 64 source address, 128 recorded),
//!   `text` gateway or called service, [`bytes` method], [`bytes` authority], [`bytes` path], [`u64` roll],
//!   [`text` source service], [`text` source lane], [`bytes` source address, 4 or 16 in network order],
//!   `u32` count of source labels, each (`text` name, `text` value), `u32` count of remembered lanes, each (`text` group, `text` lane),
//!   `u32` count of header lines, each (`bytes` name, `bytes` value), [`u32` count of recorded headers, each `text` name].
//!   `TRACE_…` goes on with `u8` whether services follow, and if so `u32` count, each `text` service.
//! - `NAMES`, `REPORT`: `u8` operation.
//! - `RESOLVE`: `u8` operation, `text` service host, `text` lane.
//! - `LIVE`: `u8` operation, `u8` whether all subsets are set back to live first, `u32` count, each (`u32` service, `u32` lane,
//!   `u8` 1 to set or 0 to set back, `u32` endpoints, `u32` healthy). A lane that does not contain the service is passed over.
//!
//! # Answers
//!
//! - `INGRESS`, `HOP`: `u8` outcome (0 routed, 1 `fell_back`, 2 pass, 3 `no_route`, 4 unavailable, 5 undetermined), `u8` reason (0 none, 1 `not_in_lane`,
//!   2 `no_endpoints`, 3 `none_healthy`, 4 `below_min_healthy`), `u8` found (0 none, 1 header, 2 baggage, 3 cookie, 4 query, 5 `trace_id`, 6 source, 7 rule),
//!   `u8` whether a subset serves, the ids of group, rule, lane, service and serving lane (`u32` each), [`bytes` found value, where found is not 0],
//!   `u8` whether a cookie is set, [`text` name, `text` value, `u32` seconds], the list of `INBOUND`,
//!   changes as (`u8` 1, `text` name, `bytes` value) to set and (`u8` 2, `text` name) to remove, in no order, ended by `u8` 0,
//!   `u8` notes (1 `below_min_healthy`, 2 `context_full`, 4 `no_trace_id`, 8 `unknown_lane`), `u32` count of what is undetermined, each `text`.
//! - `INBOUND`: what to remember, each (`u8` 1, `text` group, `bytes` trace id, `text` lane), ended by `u8` 0.
//! - `TRACE_IDS`: the trace ids that the request carries, each (`u8` 1, `text` group, `bytes` trace id), ended by `u8` 0.
//! - `EXPLAIN_…`: JSON, `{"decision": …, "explanation": {"undetermined": …, "steps": …}}`. `TRACE_…`: the chain as JSON.
//! - `REPORT`: JSON, `{"version": …, "refused": …, "unparsable": …, "diagnostics": […]}`, the diagnostics as `lane check --json` prints them.
//! - `NAMES`: `u32` count of groups, each (`text` name, `u8` whether its context is a trace id); of services, each (`u32` group, `text` host); of lanes, each (`u32` group, `text` name,
//!   labels); of rules, each `text` name; of subsets with labels of their own, each (`u32` service, `u32` lane, labels); of
//!   header names that changes may hold, each `text`. Labels: `u32` count, each (`text` name, `text` value).
//! - `RESOLVE`: `u8` 1, `u32` count, each (`u32` service, `u32` lane); or `u8` 0, `text` field, `text` message, `text` help (may be empty).
//! - `LIVE`: nothing.

use core::{ptr, slice};

use lane_core::{BUFFER_BYTES, Endpoints, GroupId, LaneId, Liveness, Options, Router, ServiceId, config::Config};
use lane_formats::{
    Format, Loaded, Located, load_bytes,
    request::{Ask, Live, Place},
};
use serde_json::{Value, json};

use crate::guard::guard;

mod decide;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod write;

use read::{Malformed, Reader};
use write::Writer;

/// The version of the packed calls. It changes whenever a sentence of the module's description does.
const ABI: u32 = 1;

/// What `lane_packed_compile` and `lane_packed_call` return when they fail; never used for anything else again.
pub(crate) mod status {
    /// The request does not follow the description.
    pub(crate) const MALFORMED: i64 = -1;
    /// There is no such operation.
    pub(crate) const UNKNOWN_OPERATION: i64 = -2;
    /// A pointer is NULL that must not be, or a length is beyond what memory can hold.
    pub(crate) const BAD_ARGUMENT: i64 = -3;
    /// The configuration was refused; `REPORT` says why, and is all that the handle answers.
    pub(crate) const REFUSED: i64 = -4;
    /// An id or a name that the router does not have.
    pub(crate) const UNKNOWN_ID: i64 = -5;
    /// A defect of this library: it panicked, and nothing was decided.
    pub(crate) const PANIC: i64 = -6;
}

/// The first byte of a request; never used for anything else again.
pub(crate) mod operation {
    /// Decides at a gateway.
    pub(crate) const INGRESS: u8 = 1;
    /// Decides at a call inside the chain.
    pub(crate) const HOP: u8 = 2;
    /// What a sidecar remembers of a request that arrives (S26a).
    pub(crate) const INBOUND: u8 = 3;
    /// Decides at a gateway, and says why, as JSON.
    pub(crate) const EXPLAIN_INGRESS: u8 = 4;
    /// Decides at a call, and says why, as JSON.
    pub(crate) const EXPLAIN_HOP: u8 = 5;
    /// Follows a request through the chain from a gateway on, as JSON.
    pub(crate) const TRACE_INGRESS: u8 = 6;
    /// Follows a request through the chain from a first call on, as JSON.
    pub(crate) const TRACE_HOP: u8 = 7;
    /// The names that ids stand for.
    pub(crate) const NAMES: u8 = 8;
    /// Version and diagnostics, as JSON.
    pub(crate) const REPORT: u8 = 9;
    /// The subsets that a service's host and a lane's name stand for.
    pub(crate) const RESOLVE: u8 = 10;
    /// Sets endpoint counts.
    pub(crate) const LIVE: u8 = 11;
    /// The request's trace ids, by which lanes are remembered (S28).
    pub(crate) const TRACE_IDS: u8 = 12;
}

/// A compiled configuration with its endpoint counts, or the reasons why there is none. Shared freely between threads.
#[derive(Debug)]
pub struct lane_packed {
    ready: Option<Ready>,
    report: Value,
}

/// What a configuration that was not refused gives.
#[derive(Debug)]
struct Ready {
    router: Router,
    config: Config,
    liveness: Liveness,
    /// Ids by number.
    services: Vec<ServiceId>,
    lanes: Vec<LaneId>,
}

impl lane_packed {
    /// Compiles a packed configuration.
    fn compile(request: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(request);
        let format = reader.u8()?;
        let mut options = Options::default();
        for _ in 0..reader.u8()? {
            let (limit, value) = (reader.u8()?, reader.u64()?);
            let limits = &mut options.limits;
            let limit = match limit {
                0 => &mut limits.rules,
                1 => &mut limits.automata_bytes,
                2 => &mut limits.regex_bytes,
                3 => &mut limits.lanes,
                4 => &mut limits.services,
                5 => &mut limits.groups,
                6 => &mut limits.subsets,
                7 => &mut limits.condition_levels,
                8 => &mut limits.document_bytes,
                _ => return Err(Malformed),
            };
            *limit = usize::try_from(value).unwrap_or(usize::MAX);
        }
        let text = reader.rest();
        let loaded = match format {
            0 => load_either(text, &options),
            1 => load_bytes(text, Format::Yaml, &options),
            2 => load_bytes(text, Format::Json, &options),
            _ => return Err(Malformed),
        };
        Ok(match loaded {
            Ok(Loaded { router, config, warnings, .. }) => {
                let groups = || router.groups();
                let services = groups().flat_map(|group| router.services(group)).collect();
                let lanes = groups().flat_map(|group| router.lanes(group)).collect();
                let liveness = router.liveness();
                Self { report: report(false, false, &warnings), ready: Some(Ready { router, config, liveness, services, lanes }) }
            }
            Err(refused) => Self { report: report(true, refused.unparsable, &refused.findings), ready: None },
        })
    }

    /// Answers a request into `answer`; the length of the answer, which was written only as far as there is room, or a [`status`].
    fn call(&self, request: &[u8], answer: &mut [u8]) -> i64 {
        match self.answer(request, answer) {
            Ok(length) => i64::try_from(length).unwrap_or(status::BAD_ARGUMENT),
            Err(status) => status,
        }
    }

    fn answer(&self, request: &[u8], answer: &mut [u8]) -> Result<usize, i64> {
        let mut reader = Reader::new(request);
        let operation = reader.u8()?;
        if operation == operation::REPORT {
            reader.end()?;
            let mut writer = Writer::new(answer);
            writer.json(&self.report);
            return Ok(writer.length());
        }
        let ready = self.ready.as_ref().ok_or(status::REFUSED)?;
        match operation {
            operation::INGRESS..=operation::TRACE_HOP | operation::TRACE_IDS => ready.decide(operation, reader, answer),
            operation::NAMES => {
                reader.end()?;
                let mut writer = Writer::new(answer);
                ready.names(&mut writer);
                Ok(writer.length())
            }
            operation::RESOLVE => {
                let (service, lane) = (reader.text()?, reader.text()?);
                reader.end()?;
                let mut writer = Writer::new(answer);
                ready.resolve(&service, &lane, &mut writer);
                Ok(writer.length())
            }
            operation::LIVE => ready.live(reader).map(|()| 0),
            _ => Err(status::UNKNOWN_OPERATION),
        }
    }
}

impl Ready {
    /// The subsets that a name pair stands for: one in every group that has both.
    fn resolve(&self, service: &str, lane: &str, writer: &mut Writer<'_>) {
        // The engine of requests as data knows what is a name here, and what to say about one that is none.
        let live = Live { service: service.into(), lane: lane.into(), endpoints: 0, healthy: 0 };
        let ask = Ask { live: vec![live], ..Ask::new(Place::Inbound) };
        if let Err(error) = ask.liveness(&self.router) {
            let problem = error.problems.first();
            writer.u8(0);
            writer.bytes(problem.map(|problem| problem.path.to_string()).unwrap_or_default().as_bytes());
            writer.bytes(problem.map_or("", |problem| &problem.message).as_bytes());
            writer.bytes(problem.and_then(|problem| problem.help.as_deref()).unwrap_or_default().as_bytes());
            return;
        }
        writer.u8(1);
        writer.counted(|writer| {
            let mut count = 0;
            for service in self.hosts(service) {
                let lane = self.router.lane_in(self.router.group_of(service), lane);
                let Some(lane) = lane.filter(|lane| self.router.subset(service, *lane).is_some()) else { continue };
                writer.u32(service.index());
                writer.u32(lane.index());
                count += 1;
            }
            count
        });
    }

    /// The services of this host, one a group; aliases are none.
    fn hosts(&self, name: &str) -> impl Iterator<Item = ServiceId> {
        let called = self.router.services_named(name).iter().copied();
        called.filter(move |service| self.router.service_host(*service).eq_ignore_ascii_case(name))
    }

    fn live(&self, mut reader: Reader<'_>) -> Result<(), i64> {
        let all = reader.u8()?;
        // Nothing is set unless everything can be.
        let mut check = reader;
        let count = check.u32()?;
        for _ in 0..count {
            self.endpoints(&mut check)?;
        }
        check.end()?;
        if all != 0 {
            self.each_subset(|_, _, subset| {
                self.liveness.clear(subset);
            });
        }
        reader.u32()?;
        for _ in 0..count {
            let (service, lane, endpoints) = self.endpoints(&mut reader)?;
            let Some(subset) = self.router.subset(service, lane) else { continue };
            match endpoints {
                Some(endpoints) => self.liveness.set(subset, endpoints),
                None => self.liveness.clear(subset),
            };
        }
        Ok(())
    }

    fn endpoints(&self, reader: &mut Reader<'_>) -> Result<(ServiceId, LaneId, Option<Endpoints>), i64> {
        let service = self.services.get(reader.index()?).ok_or(status::UNKNOWN_ID)?;
        let lane = self.lanes.get(reader.index()?).ok_or(status::UNKNOWN_ID)?;
        let set = reader.u8()?;
        let (total, healthy) = (reader.u32()?, reader.u32()?);
        if set > 1 || healthy > total {
            return Err(status::MALFORMED);
        }
        Ok((*service, *lane, (set == 1).then_some(Endpoints { total, healthy })))
    }

    fn each_subset(&self, mut visit: impl FnMut(ServiceId, LaneId, lane_core::SubsetId)) {
        let router = &self.router;
        for group in router.groups() {
            for lane in router.lanes(group) {
                for service in router.services(group) {
                    if let Some(subset) = router.subset(service, lane) {
                        visit(service, lane, subset);
                    }
                }
            }
        }
    }

    /// The endpoint counts that are set, as a request's own.
    fn live_of_all(&self) -> Vec<Live> {
        let mut live = Vec::new();
        self.each_subset(|service, lane, subset| {
            if let Some(Endpoints { total, healthy }) = self.liveness.get(subset) {
                let (service, lane) = (self.router.service_host(service), self.router.lane_name(lane));
                live.push(Live { service: service.into(), lane: lane.into(), endpoints: total, healthy });
            }
        });
        live
    }

    fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.router.groups()
    }
}

/// Reads a text as the format that it looks like: JSON begins with a brace, but so may YAML.
fn load_either(text: &[u8], options: &Options) -> Result<Loaded, lane_formats::Refused> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let begins = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if begins != Some(&b'{') {
        return load_bytes(text, Format::Yaml, options);
    }
    load_bytes(text, Format::Json, options).or_else(|as_json| {
        if !as_json.unparsable {
            return Err(as_json);
        }
        match load_bytes(text, Format::Yaml, options) {
            Err(as_yaml) if as_yaml.unparsable => Err(as_json),
            as_yaml => as_yaml,
        }
    })
}

fn report(refused: bool, unparsable: bool, findings: &[Located]) -> Value {
    let diagnostics: Vec<Value> = findings.iter().map(|finding| finding.to_json(None)).collect();
    json!({ "version": env!("CARGO_PKG_VERSION"), "refused": refused, "unparsable": unparsable, "diagnostics": diagnostics })
}

/// The version of the packed calls. A caller that was written for another one must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn lane_packed_abi() -> u32 {
    ABI
}

/// Compiles the packed configuration of `length` bytes at `request`.
///
/// Returns 0, or a status. After 0 and after `status::REFUSED`, `*handle` is a handle that the caller
/// gives to [`lane_packed_free`] once; else it is NULL. `handle` may not be NULL.
///
/// # Safety
///
/// `request` points to `length` readable bytes, which nobody writes during the call, or is NULL with length 0;
/// `handle` points to room for one pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_packed_compile(request: *const u8, length: usize, handle: *mut *mut lane_packed) -> i64 {
    if handle.is_null() || is_no_slice(request, length) {
        return status::BAD_ARGUMENT;
    }
    // SAFETY: not NULL, and the caller promises room for a pointer.
    unsafe { handle.write(ptr::null_mut()) };
    // SAFETY: the caller promises the bytes.
    let request = unsafe { bytes(request, length) };
    let Some(compiled) = guard(None, || Some(lane_packed::compile(request))) else { return status::PANIC };
    match compiled {
        Ok(packed) => {
            let status = if packed.ready.is_some() { 0 } else { status::REFUSED };
            // SAFETY: as above.
            unsafe { handle.write(Box::into_raw(Box::new(packed))) };
            status
        }
        Err(Malformed) => status::MALFORMED,
    }
}

/// Answers the packed request of `request_length` bytes at `request` into the `room` bytes at `answer`.
///
/// Returns the length of the answer, or a status. When the length is above `room`, the answer is incomplete:
/// the same call with more room gives all of it. A buffer of 16 KiB is enough for nearly every decision, and 8 KiB
/// of it are lent to the engine meanwhile, which then needs no stack for them.
///
/// Any number of threads may call with one handle at once.
///
/// # Safety
///
/// `handle` came from [`lane_packed_compile`] and was not freed; `request` points to readable bytes which nobody writes
/// during the call; `answer` points to `room` initialised, writable bytes which nobody else uses during the call, or is NULL with room 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_packed_call(
    handle: *const lane_packed,
    request: *const u8,
    request_length: usize,
    answer: *mut u8,
    room: usize,
) -> i64 {
    if is_no_slice(request, request_length) || is_no_slice(answer, room) {
        return status::BAD_ARGUMENT;
    }
    // SAFETY: NULL, or a live handle as the caller promises.
    let Some(packed) = (unsafe { handle.as_ref() }) else { return status::BAD_ARGUMENT };
    // SAFETY: the caller promises the bytes, and that the two do not overlap.
    let (request, answer) = unsafe { (bytes(request, request_length), bytes_mut(answer, room)) };
    guard(status::PANIC, || packed.call(request, answer))
}

/// Gives a handle back. NULL is no handle, and nothing happens.
///
/// # Safety
///
/// `handle` came from [`lane_packed_compile`], was not freed, and no call with it is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_packed_free(handle: *mut lane_packed) {
    if !handle.is_null() {
        // SAFETY: the caller promises that the handle is ours and is given back once.
        let packed = unsafe { Box::from_raw(handle) };
        // A panic while memory is given back could only leak some of it.
        guard((), || drop(packed));
    }
}

/// Lends `length` bytes of a WebAssembly instance's memory, zeroed; NULL when there is no room. The host gives them back with [`lane_packed_return`].
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub extern "C" fn lane_packed_lend(length: usize) -> *mut u8 {
    let mut bytes: Vec<u8> = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        return ptr::null_mut();
    }
    bytes.resize(length, 0);
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// Takes back what [`lane_packed_lend`] lent.
///
/// # Safety
///
/// `pointer` came from `lane_packed_lend(length)` and is given back once.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_packed_return(pointer: *mut u8, length: usize) {
    if !pointer.is_null() {
        // SAFETY: made by `Box::into_raw` of a boxed slice of this length.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(pointer, length)) });
    }
}

/// Whether a pointer and a length cannot be a slice: no slice is longer than `isize::MAX`.
fn is_no_slice(pointer: *const u8, length: usize) -> bool {
    (pointer.is_null() && length > 0) || isize::try_from(length).is_err()
}

/// # Safety
///
/// `pointer` points to `length` readable bytes, or is NULL with length 0.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: checked here where it can be, and else the caller's promise.
    if pointer.is_null() { &[] } else { unsafe { slice::from_raw_parts(pointer, length) } }
}

/// # Safety
///
/// `pointer` points to `length` initialised bytes that nobody else uses, or is NULL with length 0.
unsafe fn bytes_mut<'a>(pointer: *mut u8, length: usize) -> &'a mut [u8] {
    // SAFETY: checked here where it can be, and else the caller's promise.
    if pointer.is_null() { &mut [] } else { unsafe { slice::from_raw_parts_mut(pointer, length) } }
}

/// The last [`BUFFER_BYTES`] of a large buffer, for the engine to write lines in, and what is before them.
fn split_scratch(answer: &mut [u8]) -> (&mut [u8], Option<&mut [u8; BUFFER_BYTES]>) {
    /// Fewer bytes than these are not worth splitting: most answers fit.
    const WORTH: usize = BUFFER_BYTES + 1024;
    if answer.len() < WORTH {
        return (answer, None);
    }
    match answer.split_last_chunk_mut() {
        Some((room, scratch)) => (room, Some(scratch)),
        None => (&mut [], None),
    }
}
