//! The trace id in a tracing header's value (S28).

/// The trace id in the value of the header `name`: of `traceparent` and `b3` the trace-id field, none where
/// the value is malformed; of any other header the value as it is, none where it is empty.
pub(crate) fn parse<'v>(name: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    if name.eq_ignore_ascii_case("traceparent") {
        traceparent(value)
    } else if name.eq_ignore_ascii_case("b3") {
        b3(value)
    } else {
        (!value.is_empty()).then_some(value)
    }
}

/// W3C Trace Context level 1: `version "-" trace-id "-" parent-id "-" trace-flags`. A later version may append
/// further fields; version `ff`, ids of zeros only and upper-case digits are invalid.
fn traceparent(value: &[u8]) -> Option<&[u8]> {
    let (fields, more) = value.split_at_checked(55)?;
    let mut parts = fields.split(|byte| *byte == b'-');
    let mut field = |length| parts.next().filter(|part| part.len() == length && part.iter().all(is_lower_hex));
    let (version, trace_id, parent_id, _flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let well_ended = match version {
        b"ff" => false,
        b"00" => more.is_empty(),
        _ => more.is_empty() || more.starts_with(b"-"),
    };
    (well_ended && !is_zero(trace_id) && !is_zero(parent_id)).then_some(trace_id)
}

/// B3 single header: `trace-id "-" span-id [ "-" sampling-state [ "-" parent-span-id ] ]`; a sampling state alone carries no id.
fn b3(value: &[u8]) -> Option<&[u8]> {
    let mut parts = value.split(|byte| *byte == b'-');
    let id = |part: &[u8], lengths: &[usize]| lengths.contains(&part.len()) && part.iter().all(is_lower_hex);
    let trace_id = parts.next().filter(|part| id(part, &[16, 32]))?;
    parts.next().filter(|part| id(part, &[16]))?;
    let sampling = parts.next().is_none_or(|part| matches!(part, b"0" | b"1" | b"d"));
    let parent = parts.next().is_none_or(|part| id(part, &[16]));
    (sampling && parent && parts.next().is_none()).then_some(trace_id)
}

fn is_lower_hex(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_zero(id: &[u8]) -> bool {
    id.iter().all(|byte| *byte == b'0')
}
