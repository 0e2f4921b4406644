//! Trace ids (S28): the configured header's value; of `traceparent` the trace-id field, of `b3` the first field.

use super::request::Request;
use super::truth::Seen;

/// The trace id for a key: not having seen the header is not its absence.
pub(super) fn seen(request: &Request, header: &str) -> Seen<Option<Vec<u8>>> {
    request.see(header)?;
    Ok(carried(request, header))
}

/// The trace id the request carries; an empty value is none.
pub(super) fn carried(request: &Request, header: &str) -> Option<Vec<u8>> {
    let value = *request.lines(header).first()?;
    let id = match header.to_ascii_lowercase().as_str() {
        "traceparent" => traceparent(value)?,
        "b3" => b3(value)?,
        _ => value,
    };
    Some(id.to_vec()).filter(|id| !id.is_empty())
}

/// W3C Trace Context level 1: `00-<32>-<16>-<2>` in lower-case hex; later versions may go on after a further `-`.
fn traceparent(value: &[u8]) -> Option<&[u8]> {
    let mut fields = value.splitn(5, |byte| *byte == b'-');
    let (version, id) = (fields.next()?, fields.next()?);
    let (parent, flags) = (fields.next()?, fields.next()?);
    let rest = fields.next();
    let well_formed = hex(version, 2)
        && version != b"ff"
        && (version != b"00" || rest.is_none())
        && hex(id, 32)
        && !zero(id)
        && hex(parent, 16)
        && !zero(parent)
        && hex(flags, 2);
    well_formed.then_some(id)
}

/// `{trace}-{span}[-{0|1|d}[-{parent}]]`; the sampling state alone carries no id.
fn b3(value: &[u8]) -> Option<&[u8]> {
    let fields: Vec<&[u8]> = value.split(|byte| *byte == b'-').collect();
    let (id, span, rest) = match fields.as_slice() {
        [id, span, rest @ ..] => (*id, *span, rest),
        _ => return None,
    };
    let well_formed = (hex(id, 16) || hex(id, 32))
        && hex(span, 16)
        && match rest {
            [] => true,
            [sampling] => sampled(sampling),
            [sampling, parent] => sampled(sampling) && hex(parent, 16),
            _ => false,
        };
    well_formed.then_some(id)
}

fn sampled(state: &[u8]) -> bool {
    matches!(state, b"0" | b"1" | b"d")
}

fn hex(field: &[u8], digits: usize) -> bool {
    field.len() == digits && field.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn zero(field: &[u8]) -> bool {
    field.iter().all(|byte| *byte == b'0')
}
