//! The packed calls give the same answers as requests as data, and survive any bytes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what failed by failing")]

use std::{fs, path::Path};

use lane_formats::request::Ask;
use serde_json::{Value, json};

use super::*;

const SHOP: &str = r#"{"version": 1, "groups": [
    {"name": "shop", "mode": "permissive", "baseline": "v1", "guiding_header": "version", "context": {"trace_id": "x-b3-traceid"},
     "services": [{"host": "web.svc", "aliases": ["web"]}, {"host": "cart.svc"}],
     "lanes": [{"name": "v1"}, {"name": "v2", "services": ["web.svc"], "labels": {"web.svc": {"tier": "test"}}}],
     "rules": [{"name": "all", "service": "web.svc", "split": [{"lane": "v1", "weight": 1}, {"lane": "v2", "weight": 1}],
                "sticky": {"keys": [{"header": "x-user"}], "generate": {"cookie": "lane-id", "ttl_seconds": 60}}}]}]}"#;

/// Writes requests, as a caller does.
#[derive(Clone, Default)]
struct Packer(Vec<u8>);

impl Packer {
    fn u8(mut self, number: u8) -> Self {
        self.0.push(number);
        self
    }

    fn u32(mut self, number: usize) -> Self {
        self.0.extend(u32::try_from(number).unwrap().to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self = self.u32(bytes.len());
        self.0.extend(bytes);
        self
    }

    fn list<T>(self, items: &[T], each: impl Fn(Self, &T) -> Self) -> Self {
        items.iter().fold(self.u32(items.len()), each)
    }

    fn ask(operation: u8, ask: &Ask) -> Self {
        let place = match &ask.place {
            Place::Ingress { gateway } => gateway,
            Place::Hop { service } => service,
            Place::Inbound => "",
        };
        let address = ask.source.ip.as_deref().and_then(|text| text.parse().ok()).map(|address| match address {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets().to_vec(),
        });
        let texts = [&ask.source.service, &ask.source.lane];
        let optional = [ask.method.is_some(), ask.authority.is_some(), ask.path.is_some(), ask.roll.is_some()];
        let more = [texts[0].is_some(), texts[1].is_some(), address.is_some(), ask.recorded.is_some()];
        let flags = optional.iter().chain(&more).enumerate().map(|(bit, is)| u8::from(*is) << bit).sum();
        let mut packer = Self::default().u8(operation).u8(flags).u8(0).bytes(place);
        for value in [&ask.method, &ask.authority, &ask.path].into_iter().flatten() {
            packer = packer.bytes(value);
        }
        packer.0.extend(ask.roll.map(u64::to_le_bytes).into_iter().flatten());
        for value in texts.into_iter().flatten() {
            packer = packer.bytes(value);
        }
        if let Some(address) = address {
            packer = packer.bytes(address);
        }
        let pair = |packer: Self, (name, value): &(String, String)| packer.bytes(name).bytes(value);
        packer = packer.list(&ask.source.labels, pair).list(&ask.remembered, pair);
        packer = packer.list(&ask.headers, |packer, (name, value)| packer.bytes(name).bytes(value));
        match &ask.recorded {
            Some(names) => packer.list(names, |packer, name| packer.bytes(name)),
            None => packer,
        }
    }
}

fn compile(text: &str) -> lane_packed {
    lane_packed::compile(Packer::default().u8(0).u8(0).0.into_iter().chain(text.bytes()).collect::<Vec<_>>().as_slice()).unwrap()
}

/// The whole answer.
fn answer(packed: &lane_packed, request: &[u8]) -> Result<Vec<u8>, i64> {
    let mut answer = vec![0; 64];
    loop {
        let length = packed.call(request, &mut answer);
        let length = usize::try_from(length).map_err(|_| length)?;
        if length <= answer.len() {
            answer.truncate(length);
            return Ok(answer);
        }
        answer.resize(length, 0);
    }
}

fn json_answer(packed: &lane_packed, request: &Packer) -> Value {
    serde_json::from_slice(&answer(packed, &request.0).unwrap()).unwrap()
}

/// Every shared vector that decides, explained through the packed calls: the decision is what it is without them.
#[test]
fn packed_requests_are_requests_as_data() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let topics = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut count = 0;
    for path in topics.flat_map(|topic| fs::read_dir(topic).unwrap()).map(|entry| entry.unwrap().path()) {
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let packed = compile(&file["config"].to_string());
        let ready = packed.ready.as_ref().unwrap();
        for case in file["cases"].as_array().unwrap() {
            let ask = Ask::from_value(&case["request"]).unwrap();
            set_live(&packed, &ask.live);
            let operation = match ask.place {
                Place::Ingress { .. } => operation::EXPLAIN_INGRESS,
                Place::Hop { .. } => operation::EXPLAIN_HOP,
                Place::Inbound => continue,
            };
            let (decision, explanation) = ask.explain(&ready.router).unwrap();
            let [decision, explanation] = [serde_json::to_string(&decision).unwrap(), serde_json::to_string(&explanation).unwrap()];
            let wanted = format!(r#"{{"decision":{decision},"explanation":{explanation}}}"#);
            assert_eq!(String::from_utf8(answer(&packed, &Packer::ask(operation, &ask).0).unwrap()).unwrap(), wanted, "{}", case["name"]);
            count += 1;
        }
    }
    assert!(count > 2_000, "only {count} vectors decide");
}

/// Resolves names and sets counts, as a caller does; all others are live.
fn set_live(packed: &lane_packed, live: &[Live]) {
    let mut entries = Vec::new();
    for count in live {
        let resolved = answer(packed, &Packer::default().u8(operation::RESOLVE).bytes(&count.service).bytes(&count.lane).0).unwrap();
        let mut reader = Reader::new(&resolved);
        assert_eq!(reader.u8(), Ok(1));
        for _ in 0..reader.u32().unwrap() {
            entries.push((reader.index().unwrap(), reader.index().unwrap(), count));
        }
    }
    let request = Packer::default().u8(operation::LIVE).u8(1).list(&entries, |packer, (service, lane, count)| {
        packer.u32(*service).u32(*lane).u8(1).u32(count.endpoints as usize).u32(count.healthy as usize)
    });
    assert_eq!(answer(packed, &request.0), Ok(Vec::new()));
}

#[test]
fn an_answer_says_how_much_room_it_needs_and_is_the_same_with_more() {
    let packed = compile(SHOP);
    let text = format!(
        r#"{{"ingress": {{"gateway": "edge"}}, "roll": 7, "headers": [["baggage", "k={}"], ["x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"]]}}"#,
        "x".repeat(9_000)
    );
    let request = Packer::ask(operation::INGRESS, &Ask::parse(&text).unwrap());
    let whole = answer(&packed, &request.0).unwrap();
    assert!(whole.windows(7).any(|window| window == b"lane-id"), "a cookie is set");
    for room in [0, 1, whole.len() - 1, whole.len(), BUFFER_BYTES + 1_023, BUFFER_BYTES + 1_024, BUFFER_BYTES + whole.len(), 1 << 16] {
        let mut buffer = vec![0xaa; room];
        let length = usize::try_from(packed.call(&request.0, &mut buffer)).unwrap();
        if length <= room {
            assert_eq!(buffer.get(..length), Some(&*whole), "room {room}");
        } else {
            assert!(room < whole.len() || room < BUFFER_BYTES + whole.len(), "room {room} is not enough?");
            assert_eq!(answer(&packed, &request.0).as_deref(), Ok(&*whole));
        }
    }
}

#[test]
fn every_beginning_of_a_request_and_every_longer_one_is_refused() {
    let packed = compile(SHOP);
    let text = r#"{"hop": {"service": "web"}, "method": "GET", "authority": "a", "path": "/", "roll": 1, "source": {"service": "cart.svc", "lane": "v2",
        "ip": "::1", "labels": {"a": "b"}}, "remembered": {"shop": "v2"}, "headers": [["version", "v2"]], "recorded": {"headers": ["version"]}}"#;
    let ask = Ask::parse(text).unwrap();
    let live = Packer::default().u8(operation::LIVE).u8(0).u32(1).u32(0).u32(0).u8(1).u32(3).u32(2);
    let resolve = Packer::default().u8(operation::RESOLVE).bytes("web.svc").bytes("v2");
    let plain = [operation::NAMES, operation::REPORT].map(|operation| Packer::default().u8(operation));
    let asks =
        [operation::INGRESS, operation::HOP, operation::INBOUND, operation::EXPLAIN_INGRESS, operation::EXPLAIN_HOP, operation::TRACE_IDS];
    let traced = Packer::ask(operation::TRACE_HOP, &ask).u8(1).u32(1).bytes("cart.svc");
    let requests = asks.map(|operation| Packer::ask(operation, &ask));
    for request in requests.iter().chain([&live, &resolve, &traced]).chain(&plain) {
        assert!(answer(&packed, &request.0).is_ok(), "operation {:?}", request.0.first());
        for length in 0..request.0.len() {
            assert_eq!(
                answer(&packed, &request.0[..length]),
                Err(status::MALFORMED),
                "{length} bytes of operation {:?}",
                request.0.first()
            );
        }
        assert_eq!(answer(&packed, &request.clone().u8(0).0), Err(status::MALFORMED));
    }
    assert_eq!(answer(&packed, &[0]), Err(status::UNKNOWN_OPERATION));
    assert_eq!(answer(&packed, &[99]), Err(status::UNKNOWN_OPERATION));
    let nowhere = Packer::default().u8(operation::LIVE).u8(0).u32(1).u32(0).u32(9).u8(1).u32(3).u32(2);
    assert_eq!(answer(&packed, &nowhere.0), Err(status::UNKNOWN_ID));
    let too_healthy = Packer::default().u8(operation::LIVE).u8(0).u32(1).u32(0).u32(0).u8(1).u32(2).u32(3);
    assert_eq!(answer(&packed, &too_healthy.0), Err(status::MALFORMED));
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

#[test]
fn hostile_bytes_give_a_status_or_an_answer() {
    let packed = compile(SHOP);
    let refused = compile("{}");
    let ask =
        Ask::parse(r#"{"hop": {"service": "web"}, "headers": [["version", "v2"], ["baggage", "a=b"], ["x-b3-traceid", "1"]], "roll": 3}"#)
            .unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut answered, mut malformed) = (0, 0);
    let mut buffer = vec![0; 20_000];
    for round in 0..200_000_usize {
        let mut request = match round % 3 {
            0 => (0..dice.roll(64)).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect(),
            _ => Packer::ask(u8::try_from(1 + dice.roll(12)).unwrap(), &ask).0,
        };
        for _ in 0..dice.roll(4) {
            match (dice.roll(3), request.len()) {
                (_, 0) => {}
                (0, length) => request[dice.roll(length)] = u8::try_from(dice.roll(256)).unwrap(),
                (1, length) => request.truncate(dice.roll(length)),
                (_, length) => request.insert(dice.roll(length), 0xff),
            }
        }
        let room = dice.roll(buffer.len());
        let result = packed.call(&request, &mut buffer[..room]);
        assert!(result >= status::PANIC, "unknown status {result}");
        assert_ne!(result, status::PANIC, "{request:?}");
        answered += usize::from(result >= 0);
        malformed += usize::from(result == status::MALFORMED);
        let report = request.first() == Some(&operation::REPORT);
        assert!(report || refused.call(&request, &mut buffer[..room]) < 0, "what was refused answers {request:?}");
    }
    assert!(answered > 10_000 && malformed > 10_000, "{answered} answered, {malformed} malformed: the dice are loaded");
}

#[test]
fn formats_are_found_out_and_reasons_are_told() {
    let yaml = "version: 1\ngroups: []\n";
    let flow = "{version: 1, groups: []}";
    for text in [yaml, flow, "\u{feff}{\"version\": 1, \"groups\": []}"] {
        let packed = compile(text);
        assert_eq!(packed.report["unparsable"], json!(false), "{text}: {}", packed.report);
    }
    let packed = compile(r#"{"version": 1, "groups": [}"#);
    assert_eq!(packed.report["refused"], json!(true));
    assert_eq!(packed.report["unparsable"], json!(true));
    assert!(packed.ready.is_none());
    let report = json_answer(&packed, &Packer::default().u8(operation::REPORT));
    assert_eq!(report["version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(report["diagnostics"][0]["line"], json!(1));
    assert_eq!(answer(&packed, &[operation::NAMES]), Err(status::REFUSED));
    assert_eq!(lane_packed::compile(&[3, 0]).err(), Some(Malformed));
    assert_eq!(lane_packed::compile(&[0, 1, 99, 0, 0, 0, 0, 0, 0, 0, 0]).err(), Some(Malformed));
    // No rules are allowed.
    let limited: Vec<u8> = [2, 1, 0].into_iter().chain(0_u64.to_le_bytes()).chain(SHOP.bytes()).collect();
    let packed = lane_packed::compile(&limited).unwrap();
    assert!(packed.report.to_string().contains("rules"), "{}", packed.report);
}

#[test]
fn bad_pointers_give_a_status() {
    let mut handle: *mut lane_packed = ptr::null_mut();
    let config = Packer::default().u8(2).u8(0).0.into_iter().chain(SHOP.bytes()).collect::<Vec<_>>();
    let refused = [0_u8, 0, b'x'];
    // SAFETY: pointers are NULL where that is tested, and else of living vectors.
    unsafe {
        assert_eq!(lane_packed_compile(config.as_ptr(), config.len(), ptr::null_mut()), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_compile(ptr::null(), 1, &raw mut handle), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_compile(config.as_ptr(), usize::MAX, &raw mut handle), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_compile(ptr::null(), 0, &raw mut handle), status::MALFORMED);
        assert!(handle.is_null());
        assert_eq!(lane_packed_compile(refused.as_ptr(), refused.len(), &raw mut handle), status::REFUSED);
        assert!(!handle.is_null());
        lane_packed_free(handle);
        assert_eq!(lane_packed_compile(config.as_ptr(), config.len(), &raw mut handle), 0);
        let (request, mut room) = ([operation::NAMES], [0_u8; 8]);
        assert_eq!(lane_packed_call(ptr::null(), request.as_ptr(), 1, room.as_mut_ptr(), 8), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_call(handle, ptr::null(), 1, room.as_mut_ptr(), 8), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_call(handle, request.as_ptr(), 1, ptr::null_mut(), 8), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_call(handle, request.as_ptr(), 1, room.as_mut_ptr(), usize::MAX), status::BAD_ARGUMENT);
        assert_eq!(lane_packed_call(handle, ptr::null(), 0, ptr::null_mut(), 0), status::MALFORMED);
        assert!(lane_packed_call(handle, request.as_ptr(), 1, ptr::null_mut(), 0) > 8);
        lane_packed_free(handle);
        lane_packed_free(ptr::null_mut());
    }
    assert_eq!(lane_packed_abi(), ABI);
}
