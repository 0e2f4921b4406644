//! What of a request a condition, a key or a lookup sees: hosts, path, query, cookies, the guiding header, keys.
//! Baggage and trace ids have rooms of their own.

use super::document::{Group, text};
use super::request::Request;
use super::truth::Seen;
use super::{baggage, trace};
use serde_json::Value;

/// S13: lower-cased, without what follows the last `:` outside brackets.
pub(super) fn host_name(host: &[u8]) -> Vec<u8> {
    let mut host = host.to_ascii_lowercase();
    if let Some(colon) = host.iter().rposition(|byte| *byte == b':')
        && !host[colon..].contains(&b']')
    {
        host.truncate(colon);
    }
    host
}

/// S13: service names compare as hosts do, and a trailing dot is removed.
pub(super) fn service_name(name: &str) -> Vec<u8> {
    let mut name = host_name(name.as_bytes());
    if name.last() == Some(&b'.') {
        name.pop();
    }
    name
}

/// S13: `*` any, `*.suffix` what ends in `.suffix` and is longer, else exact; without authority only `*`.
pub(super) fn hosts_hold(rule: &Value, request: &Request) -> bool {
    let Some(patterns) = rule["hosts"].as_array() else {
        return true;
    };
    let host = request.authority.as_deref().map(host_name);
    patterns.iter().filter_map(Value::as_str).any(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        if pattern == "*" {
            return true;
        }
        let Some(host) = &host else {
            return false;
        };
        match pattern.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_bytes()),
            None => *host == pattern.as_bytes(),
        }
    })
}

/// S11: without query and fragment, as received.
pub(super) fn path(request: &Request) -> Option<Vec<u8>> {
    let path = request.path.as_deref()?;
    let end = path.iter().position(|byte| matches!(byte, b'?' | b'#'));
    Some(path[..end.unwrap_or(path.len())].to_vec())
}

/// S12: fragment cut first, then after the first `?`, split at `&` and the first `=`, nothing decoded, first of a name.
pub(super) fn query(request: &Request, name: &str) -> Option<Vec<u8>> {
    let path = request.path.as_deref()?;
    let path = path.split(|byte| *byte == b'#').next()?;
    let mark = path.iter().position(|byte| *byte == b'?')?;
    path[mark + 1..]
        .split(|byte| *byte == b'&')
        .map(|pair| split_once(pair, b'=').unwrap_or((pair, b"")))
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value.to_vec())
}

/// S12: all lines split at `;`, blanks before a name skipped and nothing else, surrounding `"` removed, first of a name.
pub(super) fn cookie(request: &Request, name: &str) -> Seen<Option<Vec<u8>>> {
    for line in request.see("cookie")? {
        for item in line.split(|byte| *byte == b';') {
            let start = item.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
            let item = &item[start.unwrap_or(item.len())..];
            let Some((key, value)) = split_once(item, b'=') else {
                continue;
            };
            if key == name.as_bytes() {
                let quoted = value.len() >= 2 && value.starts_with(b"\"") && value.ends_with(b"\"");
                let value = if quoted { &value[1..value.len() - 1] } else { value };
                return Ok(Some(value.to_vec()));
            }
        }
    }
    Ok(None)
}

/// S10: where one value is wanted, the first line counts.
pub(super) fn first_line(request: &Request, name: &str) -> Seen<Option<Vec<u8>>> {
    Ok(request.see(name)?.first().map(|line| line.to_vec()))
}

/// What stands in a guiding header.
pub(super) struct Guided {
    pub(super) value: Vec<u8>,
    /// Different lines are an unknown lane without an ancestor (S10).
    pub(super) ambiguous: bool,
}

/// S10: empty lines are ignored, different lines are an unknown lane, named by the lines joined with `,`.
pub(super) fn guiding(request: &Request, group: Group<'_>) -> Seen<Option<Guided>> {
    let mut lines = request.see(group.guiding())?;
    lines.retain(|line| !line.is_empty());
    let Some(first) = lines.first() else {
        return Ok(None);
    };
    let ambiguous = lines.iter().any(|line| line != first);
    let value = if ambiguous { lines.join(&b","[..]) } else { first.to_vec() };
    Ok(Some(Guided { value, ambiguous }))
}

/// The value of a sticky key or of `percent.of`; an empty one is none (S14, S20).
pub(super) fn key(request: &Request, key: &Value) -> Seen<Option<Vec<u8>>> {
    let value = if key["source_ip"] == true {
        request.source.ip.map(|ip| ip.to_string().into_bytes())
    } else if key["trace_id"].is_string() {
        trace::seen(request, text(key, "trace_id"))?
    } else {
        named(request, key)?
    };
    Ok(value.filter(|value| !value.is_empty()))
}

/// The value of `{header: N}`, `{cookie: N}`, `{query: N}` or `{baggage: K}`.
pub(super) fn named(request: &Request, place: &Value) -> Seen<Option<Vec<u8>>> {
    if let Some(name) = place["header"].as_str() {
        first_line(request, name)
    } else if let Some(name) = place["cookie"].as_str() {
        cookie(request, name)
    } else if let Some(name) = place["query"].as_str() {
        Ok(query(request, name))
    } else {
        baggage::value(request, text(place, "baggage"))
    }
}

pub(super) fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = text.iter().position(|byte| *byte == at)?;
    Some((&text[..position], &text[position + 1..]))
}
