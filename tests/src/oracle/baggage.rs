//! W3C baggage (S27): reading members, and rewriting the line with some members dropped and one put first.

use super::attribute::split_once;
use super::request::{Request, trim};
use super::truth::Seen;
use percent_encoding::{percent_decode, percent_encode_byte};

const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8192;

/// One member of the list: its bytes without outer blanks and, when well formed, key and decoded value.
struct Member {
    raw: Vec<u8>,
    pair: Option<(String, Vec<u8>)>,
}

impl Member {
    fn has_key(&self, key: &str) -> bool {
        matches!(&self.pair, Some((own, _)) if own == key)
    }
}

/// All lines form one list, split at `,`; empty members mean nothing.
fn members(request: &Request) -> Vec<Member> {
    let lines = request.lines("baggage");
    let items = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    items.map(trim).filter(|item| !item.is_empty()).map(|item| Member { raw: item.to_vec(), pair: read(item) }).collect()
}

/// None for a malformed member: no `=`, a key that is no token, a value not of baggage octets.
fn read(item: &[u8]) -> Option<(String, Vec<u8>)> {
    // Properties begin at the first `;`, so an `=` in them does not make a pair.
    let pair = item.split(|byte| *byte == b';').next()?;
    let (key, value) = split_once(pair, b'=')?;
    let (key, value) = (trim(key), trim(value));
    let token = !key.is_empty() && key.iter().all(|byte| is_token(*byte));
    if !token || !value.iter().all(|byte| is_octet(*byte)) {
        return None;
    }
    let key = String::from_utf8(key.to_vec()).ok()?;
    Some((key, percent_decode(value).collect()))
}

/// RFC 9110 tchar.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// The last of a repeated key counts.
pub(super) fn carried(request: &Request, key: &str) -> Option<Vec<u8>> {
    let mut members = members(request);
    members.retain(|member| member.has_key(key));
    members.pop()?.pair.map(|(_, value)| value)
}

/// The same for a condition, a key or a lookup.
pub(super) fn value(request: &Request, key: &str) -> Seen<Option<Vec<u8>>> {
    request.see("baggage")?;
    Ok(carried(request, key))
}

/// What becomes of the baggage header.
pub(super) enum Line {
    Untouched,
    Set(Vec<u8>),
    Removed,
}

/// The line after dropping the well-formed members of the `dropped` keys and writing `own` (key and value), and whether
/// the limits refused something (`context_full`).
pub(super) fn rewrite(request: &Request, dropped: &[&str], own: Option<(&str, &str)>) -> (Line, bool) {
    let mut members = members(request);
    let all = members.len();
    members.retain(|member| !dropped.iter().any(|key| member.has_key(key)));
    let mut removed = members.len() < all;

    let mut full = false;
    if let Some((key, value)) = own {
        // S18, S26: written when the member's value differs or a member was removed.
        let differs = carried(request, key).as_deref() != Some(value.as_bytes());
        if !differs && !removed {
            return (Line::Untouched, false);
        }
        let before = members.len();
        members.retain(|member| !member.has_key(key));
        removed |= members.len() < before;

        let mut parts = vec![encode(key, value)];
        parts.extend(members.iter().map(|member| member.raw.clone()));
        let line = parts.join(&b","[..]);
        if parts.len() <= MOST_MEMBERS && line.len() <= MOST_BYTES {
            return (Line::Set(line), false);
        }
        // Refused: the member is removed everywhere; what else was removed stays removed.
        full = true;
    }
    if !removed {
        return (Line::Untouched, full);
    }
    let parts: Vec<Vec<u8>> = members.into_iter().map(|member| member.raw).collect();
    let line = parts.join(&b","[..]);
    if line.is_empty() {
        (Line::Removed, full)
    } else if line.len() > MOST_BYTES {
        (Line::Removed, true)
    } else {
        (Line::Set(line), full)
    }
}

/// `key=value`, what is no baggage octet and `%` percent-encoded.
fn encode(key: &str, value: &str) -> Vec<u8> {
    let mut member = format!("{key}=");
    for byte in value.bytes() {
        if is_octet(byte) && byte != b'%' {
            member.push(char::from(byte));
        } else {
            member.push_str(percent_encode_byte(byte));
        }
    }
    member.into_bytes()
}
