//! Hosts and service names: what of an authority is compared (S13), how service names compare (S21), and host patterns.

use core::{
    hash::{BuildHasher, Hasher},
    net::{Ipv4Addr, Ipv6Addr},
};

use memchr::memrchr;

use super::{Pool, Text};

/// A pattern of a rule's `hosts`; texts are lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// `*`: every request, also one without authority.
    Any,
    /// `*.suffix`, kept with its dot: what ends so and is longer.
    Suffix(Text),
    /// This host.
    Exact(Text),
}

impl HostPattern {
    /// Whether the pattern holds for a host as [`of_authority`] gives it.
    pub(crate) fn holds(self, pool: &Pool, host: Option<&[u8]>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Suffix(suffix), Some(host)) => {
                let suffix = pool.bytes(suffix);
                let start = host.len().checked_sub(suffix.len()).filter(|start| *start > 0);
                start.and_then(|start| host.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
            (Self::Exact(text), Some(host)) => host.eq_ignore_ascii_case(pool.bytes(text)),
            (_, None) => false,
        }
    }
}

/// The host of an authority: without what follows the last `:` outside brackets.
#[inline]
pub(crate) fn of_authority(authority: &[u8]) -> &[u8] {
    match memrchr(b':', authority) {
        Some(colon) if memrchr(b']', authority).is_none_or(|bracket| bracket < colon) => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    }
}

/// The part of a service name that is compared: as an authority's host, without a trailing dot.
#[inline]
pub(crate) fn of_service(name: &[u8]) -> &[u8] {
    let host = of_authority(name);
    host.strip_suffix(b".").unwrap_or(host)
}

/// A hash of `name` that does not depend on the case of ASCII letters.
///
/// Eight bytes are lowered at a time, so that no lower-case copy is needed, however long the name is.
#[inline]
pub(crate) fn fold_hash(seeds: &impl BuildHasher, name: &[u8]) -> u64 {
    let mut hasher = seeds.build_hasher();
    let (chunks, rest) = name.as_chunks::<8>();
    for chunk in chunks {
        hasher.write_u64(fold_word(u64::from_le_bytes(*chunk)));
    }
    let mut last = [0; 8];
    if let Some(room) = last.get_mut(..rest.len()) {
        room.copy_from_slice(rest);
    }
    hasher.write_u64(fold_word(u64::from_le_bytes(last)));
    hasher.write_u64(name.len() as u64);
    hasher.finish()
}

/// Lowers the ASCII letters among eight bytes.
#[inline]
const fn fold_word(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // With the high bit cleared no addition carries into the next byte.
    let low = word & (0x7f * ONES);
    let from_a = low + (0x80 - b'A' as u64) * ONES;
    let above_z = low + (0x80 - b'Z' as u64 - 1) * ONES;
    let is_upper = (from_a & !above_z & !word) & (0x80 * ONES);
    word | (is_upper >> 2)
}

/// Whether `text` is a host: a DNS name (underscores allowed, as Kubernetes and Envoy do), an IPv4 address or a bracketed IPv6 address.
pub(crate) fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::FixedSeed;

    #[test]
    fn folding_a_word_lowers_letters_and_nothing_else() {
        for byte in 0..=u8::MAX {
            let word = u64::from_le_bytes([byte, b'A', byte, b'z', 0xff, byte, b'Z', b'[']);
            let lowered = [byte, b'A', byte, b'z', 0xff, byte, b'Z', b'['].map(|byte| byte.to_ascii_lowercase());
            assert_eq!(fold_word(word).to_le_bytes(), lowered, "{byte}");
        }
    }

    #[test]
    fn names_that_differ_in_case_only_hash_alike() {
        let seeds = FixedSeed::default();
        assert_eq!(fold_hash(&seeds, b"MockA.Default.svc"), fold_hash(&seeds, b"mocka.default.SVC"));
        assert_ne!(fold_hash(&seeds, b"mocka"), fold_hash(&seeds, b"mocka\0"));
    }

    #[test]
    fn the_port_is_cut_outside_brackets_only() {
        for (authority, host) in [("a:80", "a"), ("a:", "a"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("a:b:c", "a:b"), ("", "")] {
            assert_eq!(of_authority(authority.as_bytes()), host.as_bytes(), "{authority}");
        }
        assert_eq!(of_service(b"mocka.:80"), b"mocka");
    }
}
