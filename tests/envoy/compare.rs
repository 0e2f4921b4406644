//! Many configurations in one Envoy, requests through each, and what reached which endpoint compared with the decision.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs,
    ops::Range,
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lane_core::{Options, Router, config::Config};
use lane_formats::{
    Format,
    mesh::{EnvoyOptions, ExportOptions},
    request::{Ask, Live, Place},
};
use lane_tests::generate::{self, Rng};
use serde_json::{Value, json};

use crate::{
    classes,
    proxy::{Answer, Client, Envoy, Lines, Upstreams, header_line, trim, workspace},
    reduce::{self, Way},
};

/// Configurations in one Envoy.
const BATCH: usize = 24;
/// Endpoints in one configuration, at most.
const ENDPOINTS: usize = 40;
/// The endpoint that must never be reached.
const NOBODY: usize = 0;
/// The endpoint for what is none of the lanes' business.
const PASS: usize = 1;
const FIRST: usize = 2;

/// What was compared.
#[derive(Debug, Default)]
pub struct Tally {
    configs: usize,
    requests: usize,
    rules: usize,
    dropped: usize,
    outcomes: BTreeMap<String, usize>,
    excluded: BTreeMap<&'static str, usize>,
    cookies: usize,
    sticky: usize,
    rewritten: usize,
    differences: Vec<String>,
}

impl Tally {
    /// Fails unless the run compared what it was to compare, of every kind.
    pub fn assert_enough(&self, configs: u64, requests: usize) {
        if let Some(first) = self.differences.first() {
            let file = workspace().join("differences.txt");
            fs::write(&file, self.differences.join("\n\n")).unwrap();
            panic!("{} differences, all of them in {}; the first:\n{first}", self.differences.len(), file.display());
        }
        assert_eq!(self.configs as u64, configs, "configurations");
        assert_eq!(self.requests, self.configs * requests, "requests");
        if self.configs >= 100 {
            for outcome in ["routed", "fell_back", "pass", "no_route", "unavailable"] {
                assert!(self.outcomes.get(outcome).is_some_and(|count| *count > 50), "too few requests end as `{outcome}`: {self}");
            }
            assert!(self.dropped * 20 <= self.rules, "more than one rule in twenty cannot be exported: {self}");
            assert!(self.sticky > 100 && self.cookies > 20 && self.rewritten > 500, "too little is tested: {self}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "envoy: {} configurations, {} requests, {} differences", self.configs, self.requests, self.differences.len())?;
        writeln!(f, "  outcomes {:?}", self.outcomes)?;
        writeln!(f, "  {} rules, of which {} cannot be exported", self.rules, self.dropped)?;
        writeln!(f, "  {} drawn by a key, {} cookies given, {} with headers changed", self.sticky, self.cookies, self.rewritten)?;
        write!(f, "  not compared: {:?}", self.excluded)
    }
}

/// One configuration in Envoy.
struct Candidate {
    seed: u64,
    config: Config,
    json: Value,
    router: Router,
    live: Vec<Live>,
    /// Which endpoint stands for which subset.
    ports: HashMap<(String, String), usize>,
    prefix: String,
    way: Way,
}

/// Stock Envoy.
pub fn run(seeds: Range<u64>, requests: usize) -> Tally {
    // How several lines of one header are matched is one switch for all of Envoy, so the two ways run apart.
    let (joined, each): (Vec<u64>, Vec<u64>) = seeds.partition(|seed| seed % 6 == 5);
    through_all(&[(Way::Each, each), (Way::Joined, joined)], requests, None)
}

/// Envoy with lane's module, which lies in this folder.
pub fn run_module(seeds: Range<u64>, requests: usize, modules: &Path) -> Tally {
    through_all(&[(Way::Module, seeds.collect())], requests, Some(modules))
}

fn through_all(ways: &[(Way, Vec<u64>)], requests: usize, modules: Option<&Path>) -> Tally {
    let mut tally = Tally::default();
    let upstreams = Upstreams::start(FIRST + BATCH * ENDPOINTS);
    for (way, seeds) in ways {
        for (number, seeds) in seeds.chunks(BATCH).enumerate() {
            let mut bootstrap = json!({ "static_resources": { "listeners": [], "clusters": [pass_cluster(&upstreams)] } });
            let slots = seeds.iter().enumerate();
            let candidates: Vec<Candidate> =
                slots.map(|(slot, seed)| candidate(*seed, slot, *way, &upstreams, &mut bootstrap, &mut tally)).collect();
            let environment = modules.map(|modules| ("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", modules));
            let envoy = Envoy::start(&format!("{way:?}-{number}"), &bootstrap, environment.as_slice());
            for candidate in &candidates {
                through(candidate, &envoy, requests, &mut tally);
            }
        }
    }
    tally
}

fn pass_cluster(upstreams: &Upstreams) -> Value {
    let endpoint =
        json!({ "endpoint": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": upstreams.port(PASS) } } } });
    json!({ "name": "pass", "type": "STATIC", "load_assignment": { "cluster_name": "pass", "endpoints": [{ "lb_endpoints": [endpoint] }] } })
}

fn candidate(seed: u64, slot: usize, way: Way, upstreams: &Upstreams, bootstrap: &mut Value, tally: &mut Tally) -> Candidate {
    let json = reduce::config(generate::config(seed), way);
    let loaded = lane_formats::load(&json.to_string(), Format::Json, &Options::default());
    let config = loaded.unwrap_or_else(|refused| panic!("seed {seed}: {:#?}\n{json}", refused.findings)).config;

    let mut ports = HashMap::new();
    let mut rng = Rng::new(seed ^ 0x11ea);
    let port = |service: &str, lane: &str| {
        let number = FIRST + slot * ENDPOINTS + ports.len();
        assert!(ports.len() < ENDPOINTS, "seed {seed}: too many subsets");
        ports.insert((service.to_owned(), lane.to_owned()), number);
        upstreams.port(number)
    };
    let (live, endpoints) = reduce::liveness(&config, &mut rng, port, upstreams.port(NOBODY));
    let options = ExportOptions {
        with_listeners: true,
        gateways: vec!["other".into()],
        envoy: EnvoyOptions {
            endpoints,
            health_checks: false,
            pass_cluster: Some("pass".into()),
            roll_header: Some(reduce::ROLL.into()),
            module: (way == Way::Module).then(|| "lane_envoy".into()),
            ..EnvoyOptions::default()
        },
        ..ExportOptions::default()
    };
    tally.rules += config.groups.iter().map(|group| group.rules.len()).sum::<usize>();
    let exported = reduce::export(config, &options);
    tally.dropped += exported.dropped;
    tally.configs += 1;

    // What is compared is what was exported.
    let json = serde_json::to_value(&exported.config).unwrap();
    let loaded = lane_formats::load(&json.to_string(), Format::Json, &Options::default());
    let router = loaded.unwrap_or_else(|refused| panic!("seed {seed}: {:#?}\n{json}", refused.findings)).router;
    let prefix = format!("{seed}:");
    join(bootstrap, exported.bootstrap, &prefix);
    Candidate { seed, config: exported.config, json, router, live, ports, prefix, way }
}

/// Puts a bootstrap into another: names get a prefix, ports are the system's to choose.
pub fn join(into: &mut Value, mut bootstrap: Value, prefix: &str) {
    let names = |list: &Value| list.as_array().unwrap().iter().map(|cluster| cluster["name"].as_str().unwrap().to_owned()).collect();
    let clusters: Vec<String> = names(&bootstrap["static_resources"]["clusters"]);
    rename(&mut bootstrap, &clusters, prefix);
    for listener in bootstrap["static_resources"]["listeners"].as_array_mut().unwrap() {
        listener["name"] = json!(format!("{prefix}{}", listener["name"].as_str().unwrap()));
        listener["address"]["socket_address"]["port_value"] = json!(0);
    }
    for kind in ["listeners", "clusters"] {
        let more = bootstrap["static_resources"][kind].as_array().unwrap().clone();
        into["static_resources"][kind].as_array_mut().unwrap().extend(more);
    }
    into["layered_runtime"] = bootstrap["layered_runtime"].clone();
    into["admin"] = json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } });
}

fn rename(value: &mut Value, clusters: &[String], prefix: &str) {
    if let Some(settings) = value.get_mut("plan").is_some().then_some(&mut *value) {
        // The module makes names of clusters itself, and reads the roll when it is told to.
        settings["cluster"] = json!(format!("{prefix}{}", settings["cluster"].as_str().unwrap()));
        settings["probe"] = json!(true);
    }
    match value {
        Value::String(text) if clusters.contains(text) => *text = format!("{prefix}{text}"),
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, clusters, prefix)),
        Value::Object(map) => map.values_mut().for_each(|value| rename(value, clusters, prefix)),
        _ => {}
    }
}

/// Requests through one configuration.
fn through(candidate: &Candidate, envoy: &Envoy, requests: usize, tally: &mut Tally) {
    let mut rng = Rng::new(candidate.seed ^ 0x5eed);
    let mut clients: HashMap<String, Client> = HashMap::new();
    let mut compared = 0;
    while compared < requests {
        let Some(mut ask) = reduce::request(&generate::request(&candidate.json, &mut rng), &candidate.live) else { continue };
        if candidate.way == Way::Module && matches!(ask.place, Place::Hop { .. }) {
            // At a hop the module knows of the caller what its settings say, and here they say nothing.
            ask.source.ip = None;
        }
        let listener = match &ask.place {
            Place::Ingress { gateway } => format!("{}gateway/{gateway}", candidate.prefix),
            _ => format!("{}sidecar", candidate.prefix),
        };
        // Gateways that no group names have no routes of their own.
        let listener = if envoy.listeners.contains_key(&listener) { listener } else { format!("{}gateway/other", candidate.prefix) };
        let class = match candidate.way {
            Way::Module => classes::refused(&ask).or_else(|| classes::of_module(&candidate.config, &ask)),
            _ => classes::excluded(&candidate.config, &ask),
        };
        if let Some(class) = class {
            *tally.excluded.entry(class).or_default() += 1;
            continue;
        }
        let client = clients.entry(listener.clone()).or_insert_with(|| Client::connect(envoy.listeners[&listener]).unwrap());
        compared += 1;
        tally.requests += 1;
        let answer = send(client, &ask);
        if let Err(difference) = compare(candidate, &ask, &answer, tally) {
            tally.differences.push(format!(
                "seed {}: {difference}\nrequest {}\nconfiguration {}",
                candidate.seed,
                ask.to_value(),
                candidate.json
            ));
        }
    }
}

pub fn send(client: &mut Client, ask: &Ask) -> Answer {
    let mut lines: Lines = vec![("host".into(), ask.authority.clone().unwrap().0)];
    lines.extend(ask.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())));
    let (method, path) = (ask.method.as_ref().unwrap(), ask.path.as_ref().unwrap());
    client.send(method.as_str().unwrap(), path.as_str().unwrap(), &lines).unwrap_or_else(|error| panic!("{error}: {}", ask.to_value()))
}

/// What reached an endpoint.
pub struct Reached {
    pub upstream: usize,
    pub lines: Lines,
}

pub fn reached(answer: &Answer) -> Option<Reached> {
    let upstream = answer.header("x-upstream")?.parse().ok()?;
    let lines = answer.body.split(|byte| *byte == b'\n').skip(1).filter_map(header_line).collect();
    Some(Reached { upstream, lines })
}

fn compare(candidate: &Candidate, ask: &Ask, answer: &Answer, tally: &mut Tally) -> Result<(), String> {
    let mut ask = ask.clone();
    let decide = |ask: &Ask| serde_json::to_value(ask.answer(&candidate.router).unwrap()).unwrap();
    let mut wanted = decide(&ask);
    if candidate.way == Way::Module {
        let given = |cookie: &Value| {
            format!("{}={}; Max-Age={}; Path=/; HttpOnly", text(&cookie["name"]), text(&cookie["value"]), cookie["ttl_seconds"])
        };
        let (wanted, got) = (wanted["set_cookie"].is_object().then(|| given(&wanted["set_cookie"])), answer.header("set-cookie"));
        tally.cookies += usize::from(wanted.is_some());
        if wanted != got {
            return Err(format!("cookie: wanted {wanted:?}, got {got:?}"));
        }
    } else if let Some(cookie) =
        generated(candidate, &wanted).filter(|_| wanted["outcome"] != "unavailable" || answer.header("set-cookie").is_some())
    {
        // The value is Envoy's own. With it, the client must come to where it was sent now.
        let given = given_cookie(&cookie, answer)?;
        ask.headers.insert(0, ("cookie".into(), given.into()));
        wanted = json_without_cookie(serde_json::to_value(ask.answer(&only(candidate, &wanted)).unwrap()).unwrap());
        ask.headers.remove(0);
        tally.cookies += 1;
    } else if let Some(cookie) = answer.header("set-cookie") {
        return Err(format!("a cookie that lane does not give: {cookie}"));
    }
    let outcome = wanted["outcome"].as_str().unwrap().to_owned();
    *tally.outcomes.entry(outcome.clone()).or_default() += 1;
    if rule_of(candidate, &wanted).is_some_and(|rule| rule.sticky.is_some()) {
        tally.sticky += 1;
    }

    let reached = reached(answer);
    let expected = match outcome.as_str() {
        "no_route" => (404, None),
        "unavailable" => (503, None),
        "pass" => (200, Some(PASS)),
        _ => {
            let subset = (wanted["service"].as_str().unwrap().to_owned(), wanted["subset"]["lane"].as_str().unwrap().to_owned());
            (200, Some(candidate.ports[&subset]))
        }
    };
    let got = (answer.status, reached.as_ref().map(|reached| reached.upstream));
    if got != expected {
        let name =
            |number: Option<usize>| number.map(|number| candidate.ports.iter().find(|(_, own)| **own == number).map(|(subset, _)| subset));
        return Err(format!("wanted {} {:?}, got {} {:?}\ndecision {wanted}", expected.0, name(expected.1), got.0, name(got.1)));
    }
    let Some(reached) = reached else { return Ok(()) };
    if wanted["set_headers"].as_object().is_some_and(|set| !set.is_empty())
        || wanted["remove_headers"].as_array().is_some_and(|list| !list.is_empty())
    {
        tally.rewritten += 1;
    }
    same_headers(candidate, &ask, &wanted, &reached)
}

/// The same configuration with no other rule than the one that decided, and that one without conditions: the cookie is to
/// choose the lane, and no condition on cookies is to notice it.
fn only(candidate: &Candidate, decision: &Value) -> Router {
    let mut config = candidate.config.clone();
    for group in &mut config.groups {
        let decides = decision["group"] == group.name.as_str();
        group.rules.retain(|rule| decides && decision["rule"] == rule.name.as_str());
        for rule in &mut group.rules {
            (rule.matches, rule.hosts) = (None, None);
        }
    }
    Router::compile(&config, &Options::default()).unwrap().router
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn rule_of<'c>(candidate: &'c Candidate, decision: &Value) -> Option<&'c lane_core::config::Rule> {
    let group = candidate.config.groups.iter().find(|group| decision["group"] == group.name.as_str())?;
    group.rules.iter().find(|rule| decision["rule"] == rule.name.as_str())
}

/// The cookie that the client is to be given. Lane gives none where nothing serves; Envoy draws another one, and gives it
/// with the 503 too.
fn generated(candidate: &Candidate, decision: &Value) -> Option<Value> {
    if decision["outcome"] != "unavailable" {
        return decision["set_cookie"].is_object().then(|| decision["set_cookie"].clone());
    }
    let generate = rule_of(candidate, decision)?.sticky.as_ref()?.generate.as_ref()?;
    Some(json!({ "name": generate.cookie, "value": null, "ttl_seconds": generate.ttl_seconds }))
}

fn given_cookie(wanted: &Value, answer: &Answer) -> Result<String, String> {
    let given = answer.header("set-cookie").ok_or("no cookie is given")?;
    let (cookie, rest) = given.split_once("; ").ok_or("a cookie without attributes")?;
    let (name, value) = cookie.split_once('=').ok_or("a cookie without value")?;
    let is_name = wanted["name"] == name && rest == format!("Max-Age={}; Path=/; HttpOnly", wanted["ttl_seconds"]);
    let is_value = value.len() == 16 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_name && is_value { Ok(cookie.to_owned()) } else { Err(format!("wanted {wanted}, got {given}")) }
}

fn json_without_cookie(mut decision: Value) -> Value {
    decision["set_cookie"] = Value::Null;
    decision
}

/// Compares the headers that reached the endpoint with those that lane's decision makes of the request's.
fn same_headers(candidate: &Candidate, ask: &Ask, decision: &Value, reached: &Reached) -> Result<(), String> {
    let mut lines: Lines = ask.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), trim(&value.0).to_vec())).collect();
    let removed: Vec<&str> = decision["remove_headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let set = decision["set_headers"].as_object().unwrap();
    lines.retain(|(name, _)| !removed.contains(&name.as_str()) && !set.keys().any(|set| set.eq_ignore_ascii_case(name)));
    lines.extend(set.iter().map(|(name, value)| (name.to_ascii_lowercase(), bytes(value))));

    let group = candidate.config.groups.iter().find(|group| decision["group"] == group.name.as_str());
    let guide = group.map(|group| group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag").to_ascii_lowercase());

    let guides =
        candidate.config.groups.iter().map(|group| group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag").to_ascii_lowercase());
    let guides: Vec<String> = guides.collect();

    let mut names: Vec<&str> = lines.iter().chain(&reached.lines).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // Envoy's own.
        if ["host", "content-length", "transfer-encoding"].contains(&name)
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-envoy-")
        {
            continue;
        }
        let values = |lines: &Lines| lines.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
        let (mut wanted, mut got) = (values(&lines), values(&reached.lines));
        if name == "x-request-id" {
            // Envoy keeps this header in one place and joins its lines as they come in.
            (wanted, got) = (inline(&wanted), inline(&got));
        }
        if candidate.way == Way::Module && guides.iter().any(|guide| guide == name) {
            // The module says again what stays of the guiding headers: each once, in one line.
            for values in [&mut wanted, &mut got] {
                values.retain(|value| !value.is_empty());
                let is_one = values.windows(2).all(|pair| pair[0] == pair[1]);
                *values = if is_one { values.iter().take(1).cloned().collect() } else { inline(values) };
            }
        }
        if guide.as_deref() == Some(name) {
            // Lane leaves a guiding header alone that names the lane already, however often; Envoy sets it.
            for values in [&mut wanted, &mut got] {
                values.retain(|value| !value.is_empty());
                values.dedup();
            }
        }
        if name == "baggage" {
            let own = own_key(candidate, decision);
            (wanted, got) = (members(&wanted, own), members(&got, own));
        }
        if wanted != got {
            let text = |values: &[Vec<u8>]| values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>();
            return Err(format!("header {name}: wanted {:?}, got {:?}\ndecision {decision}", text(&wanted), text(&got)));
        }
    }
    Ok(())
}

/// A value as decisions print it.
fn bytes(value: &Value) -> Vec<u8> {
    let encoded = value["base64"].as_str().map(|text| STANDARD.decode(text).unwrap());
    encoded.unwrap_or_else(|| value.as_str().unwrap_or_default().as_bytes().to_vec())
}

/// Lines as Envoy joins those of the headers that it knows by name.
fn inline(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let filled: Vec<&[u8]> = lines.iter().map(Vec::as_slice).filter(|line| !line.is_empty()).collect();
    vec![filled.join(&b","[..])]
}

/// The baggage key of the deciding group.
fn own_key<'c>(candidate: &'c Candidate, decision: &Value) -> Option<&'c str> {
    let group = candidate.config.groups.iter().find(|group| decision["group"] == group.name.as_str())?;
    match &group.context {
        Some(lane_core::config::Context::Baggage(key)) if !decision["found"].is_null() || !decision["rule"].is_null() => Some(key),
        _ => None,
    }
}

/// The list as a list: lines and blanks do not matter, nor where the lane's member stands, nor what an earlier one of its
/// key says. Lane leaves a list alone that is right already, and Envoy writes it anew.
fn members(lines: &[Vec<u8>], own: Option<&str>) -> Vec<Vec<u8>> {
    let members = lines.iter().flat_map(|line| line.split(|byte| *byte == b',')).map(|member| trim(member).to_vec());
    let (mine, mut others): (Vec<Vec<u8>>, Vec<Vec<u8>>) = members
        .filter(|member| !member.is_empty())
        .partition(|member| own.is_some() && pair(member).is_some_and(|(key, _)| Some(key) == own.map(str::as_bytes)));
    if let Some((key, value)) = mine.last().and_then(|member| pair(member)) {
        others.insert(0, [key, b"=", value].concat());
    }
    others
}

/// Key and value of a member; none of a malformed one, which is nobody's and stays.
fn pair(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let pair = member.split(|byte| *byte == b';').next()?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (trim(&pair[..equals]), trim(&pair[equals + 1..]));
    value.iter().all(|byte| byte.is_ascii_graphic() && !b"\",\\".contains(byte)).then_some((key, value))
}
