//! Reading one request as data (section 8), values as bytes. What the recorder did not see is left out here, so that
//! everything written later treats it as absent; conditions ask `see` first.

use super::document::{Group, groups, list, text};
use super::truth::{Seen, Unseen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) enum Place {
    Ingress { gateway: String },
    Hop { service: String },
    Inbound,
}

/// Endpoints and healthy endpoints of one service in one lane.
struct Live {
    service: String,
    lane: String,
    endpoints: u64,
    healthy: u64,
}

#[derive(Default)]
pub(super) struct Source {
    pub(super) service: Option<String>,
    pub(super) lane: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) ip: Option<IpAddr>,
}

pub(super) struct Request {
    pub(super) place: Place,
    pub(super) method: Option<Vec<u8>>,
    pub(super) authority: Option<Vec<u8>>,
    pub(super) path: Option<Vec<u8>>,
    pub(super) roll: Option<u64>,
    pub(super) source: Source,
    /// Names in lower case, values without outer blanks (S10).
    headers: Vec<(String, Vec<u8>)>,
    live: Vec<Live>,
    remembered: Vec<(String, String)>,
    recorded: Option<BTreeSet<String>>,
}

impl Request {
    pub(super) fn read(config: &Value, json: &Value) -> Result<Request, String> {
        let recorded = read_recorded(&json["recorded"])?;
        let mut headers = read_headers(&json["headers"])?;
        if let Some(names) = &recorded {
            headers.retain(|(name, _)| names.contains(name));
        }
        Ok(Request {
            place: read_place(json)?,
            method: read_optional(&json["method"])?,
            authority: read_optional(&json["authority"])?,
            path: read_optional(&json["path"])?,
            roll: read_roll(&json["roll"])?,
            source: read_source(&json["source"])?,
            headers,
            live: read_live(config, &json["live"])?,
            remembered: read_texts(&json["remembered"])?,
            recorded,
        })
    }

    /// The lines of a header in order; one that was not recorded has none.
    pub(super) fn lines(&self, name: &str) -> Vec<&[u8]> {
        let name = name.to_ascii_lowercase();
        let lines = self.headers.iter().filter(|(line, _)| *line == name);
        lines.map(|(_, value)| value.as_slice()).collect()
    }

    /// The lines of a header for a condition, a key or a lookup: not having seen them is not their absence.
    pub(super) fn see(&self, name: &str) -> Seen<Vec<&[u8]>> {
        let name = name.to_ascii_lowercase();
        match &self.recorded {
            Some(names) if !names.contains(&name) => Err(Unseen(format!("header {name}"))),
            _ => Ok(self.lines(&name)),
        }
    }

    /// (endpoints, healthy); none when nothing is known, which counts as live.
    pub(super) fn liveness(&self, host: &str, lane: &str) -> Option<(u64, u64)> {
        let mut live = self.live.iter();
        let live = live.find(|live| live.service == host && live.lane == lane)?;
        Some((live.endpoints, live.healthy))
    }

    /// The lane remembered for the trace id; an empty name counts as none (S22).
    pub(super) fn remembered(&self, group: Group<'_>) -> Option<&str> {
        let mut remembered = self.remembered.iter();
        let (_, lane) = remembered.find(|(name, _)| name == group.name())?;
        Some(lane.as_str()).filter(|lane| !lane.is_empty())
    }
}

/// Spaces and tabs, HTTP's optional white space.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = value.iter().position(|byte| !blank(byte)) else {
        return &[];
    };
    let end = value.iter().rposition(|byte| !blank(byte)).unwrap_or(start);
    &value[start..=end]
}

fn read_bytes(json: &Value) -> Result<Vec<u8>, String> {
    if let Some(text) = json.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    let encoded = json["base64"].as_str();
    let encoded = encoded.ok_or_else(|| format!("`{json}` is neither text nor base64"))?;
    STANDARD.decode(encoded).map_err(|error| format!("`{encoded}` is no base64: {error}"))
}

fn read_optional(json: &Value) -> Result<Option<Vec<u8>>, String> {
    if json.is_null() { Ok(None) } else { read_bytes(json).map(Some) }
}

fn read_text(json: &Value) -> Result<Option<String>, String> {
    match json {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(format!("`{other}` is no text")),
    }
}

fn read_texts(json: &Value) -> Result<Vec<(String, String)>, String> {
    match json {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(value) => Ok((name.clone(), value.to_owned())),
                None => Err(format!("`{value}` is no text")),
            })
            .collect(),
        other => Err(format!("`{other}` is no map")),
    }
}

/// Exactly one of `ingress`, `hop`, `inbound`.
fn read_place(json: &Value) -> Result<Place, String> {
    let given: Vec<&str> = ["ingress", "hop", "inbound"].into_iter().filter(|place| json[*place].is_object()).collect();
    match given.as_slice() {
        ["ingress"] => Ok(Place::Ingress { gateway: read_text(&json["ingress"]["gateway"])?.unwrap_or_default() }),
        ["hop"] => match read_text(&json["hop"]["service"])? {
            Some(service) => Ok(Place::Hop { service }),
            None => Err("a hop needs its service".to_owned()),
        },
        ["inbound"] => Ok(Place::Inbound),
        _ => Err("exactly one of ingress, hop, inbound is wanted".to_owned()),
    }
}

fn read_headers(json: &Value) -> Result<Vec<(String, Vec<u8>)>, String> {
    if !json.is_null() && !json.is_array() {
        return Err("headers are a list of pairs".to_owned());
    }
    let mut headers = Vec::new();
    for line in list(json) {
        let (Some(name), 2) = (line[0].as_str(), list(line).len()) else {
            return Err(format!("`{line}` is no header line"));
        };
        let value = read_bytes(&line[1])?;
        headers.push((name.to_ascii_lowercase(), trim(&value).to_vec()));
    }
    Ok(headers)
}

/// An unsigned 64-bit integer, as number or decimal string.
fn read_roll(json: &Value) -> Result<Option<u64>, String> {
    let roll = match json {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    roll.map(Some).ok_or_else(|| format!("`{json}` is no unsigned 64-bit integer"))
}

fn read_source(json: &Value) -> Result<Source, String> {
    if json.is_null() {
        return Ok(Source::default());
    }
    if !json.is_object() {
        return Err(format!("`{json}` is no source"));
    }
    // S13: an IPv4-mapped address is IPv4, what is no address counts as absent.
    let ip = read_text(&json["ip"])?.and_then(|ip| ip.parse::<IpAddr>().ok());
    Ok(Source {
        service: read_text(&json["service"])?,
        lane: read_text(&json["lane"])?,
        labels: read_texts(&json["labels"])?,
        ip: ip.map(|ip| ip.to_canonical()),
    })
}

fn read_recorded(json: &Value) -> Result<Option<BTreeSet<String>>, String> {
    if json.is_null() {
        return Ok(None);
    }
    let names = json["headers"].as_array();
    let names = names.ok_or("recorded names the headers that were seen")?;
    let mut seen = BTreeSet::new();
    for name in names {
        let name = name.as_str().ok_or("a header name is text")?;
        seen.insert(name.to_ascii_lowercase());
    }
    Ok(Some(seen))
}

/// `live` speaks of hosts and lanes that some group declares; healthy above endpoints is an error.
fn read_live(config: &Value, json: &Value) -> Result<Vec<Live>, String> {
    if !json.is_null() && !json.is_object() {
        return Err("live is a map of services".to_owned());
    }
    let mut live = Vec::new();
    for (service, lanes) in json.as_object().into_iter().flatten() {
        let mut holders = groups(config);
        holders.retain(|group| {
            let declared = group.service(service);
            declared.is_some_and(|declared| text(declared, "host") == service)
        });
        if holders.is_empty() {
            return Err(format!("`{service}` is no service's host"));
        }
        let lanes = lanes.as_object().ok_or("live has lanes by service")?;
        for (lane, counts) in lanes {
            if !holders.iter().any(|group| group.lane(lane.as_bytes()).is_some()) {
                return Err(format!("`{lane}` is no lane over `{service}`"));
            }
            let (Some(endpoints), Some(healthy), 2) = (counts[0].as_u64(), counts[1].as_u64(), list(counts).len()) else {
                return Err(format!("`{counts}` is not [endpoints, healthy]"));
            };
            if healthy > endpoints {
                return Err(format!("{healthy} healthy of {endpoints} endpoints"));
            }
            live.push(Live { service: service.clone(), lane: lane.clone(), endpoints, healthy });
        }
    }
    Ok(live)
}
