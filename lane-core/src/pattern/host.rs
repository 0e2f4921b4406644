//! Hosts and service names: what of an authority is compared (S13), how service names compare (S21), and host patterns.

use core::net::{Ipv4Addr, Ipv6Addr};

use memchr::memrchr;

use super::{Pool, Text};

/// A pattern of a rule's `hosts`; texts are lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A name in lower case, on the stack; none where it is longer than any name in a configuration.
pub(crate) struct Lowered {
    bytes: [u8; LONGEST_NAME],
    length: usize,
}

/// DNS names have at most 253 bytes, addresses in brackets fewer.
const LONGEST_NAME: usize = 256;

/// The end of a name, as much of it as a name in a configuration can be.
pub(crate) fn ending(name: &[u8]) -> &[u8] {
    name.len().checked_sub(LONGEST_NAME).and_then(|start| name.get(start..)).unwrap_or(name)
}

impl Lowered {
    /// Not inlined: names mostly are lower case, and callers stay small.
    #[inline(never)]
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        let mut lowered = Self { bytes: [0; LONGEST_NAME], length: name.len() };
        let room = lowered.bytes.get_mut(..name.len())?;
        room.copy_from_slice(name);
        room.make_ascii_lowercase();
        Some(lowered)
    }

    pub(crate) fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
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

    #[test]
    fn the_port_is_cut_outside_brackets_only() {
        for (authority, host) in [("a:80", "a"), ("a:", "a"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("a:b:c", "a:b"), ("", "")] {
            assert_eq!(of_authority(authority.as_bytes()), host.as_bytes(), "{authority}");
        }
        assert_eq!(of_service(b"mocka.:80"), b"mocka");
    }
}
