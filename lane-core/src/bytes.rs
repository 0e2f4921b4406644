//! Comparing short bytes: names, hosts, values. Most are so short that a call would cost more than comparing them.

/// Whether two values are the same.
#[inline(always)]
pub(crate) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        0 => true,
        1 => one.first() == other.first(),
        2..4 => same_ends::<2>(one, other),
        4..=8 => same_ends::<4>(one, other),
        9..=16 => same_ends::<8>(one, other),
        17..=32 => same_ends::<16>(one, other),
        _ => one == other,
    }
}

/// Whether two values have the same first and last bytes: where they overlap, that is all of them.
#[inline(always)]
fn same_ends<const COUNT: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<COUNT>() == other.first_chunk() && one.last_chunk::<COUNT>() == other.last_chunk()
}

/// Whether a header's name is this one, which is lower case.
#[inline(always)]
pub(crate) fn is_name(wanted: &str, name: &[u8]) -> bool {
    // Most headers differ in length already.
    wanted.len() == name.len() && is_name_of_this_length(wanted, name)
}

/// Not inlined, so that loops over headers stay as small as the comparison of lengths.
#[inline(never)]
fn is_name_of_this_length(wanted: &str, name: &[u8]) -> bool {
    // Most names are lower case already, and HTTP/2 demands it.
    same_bytes(wanted.as_bytes(), name) || wanted.as_bytes().eq_ignore_ascii_case(name)
}
