//! What a caller knows of one request, borrowed: nothing is copied, parsed or lower-cased up front. Headers
//! come through a trait, so a proxy lends the map it already has; that of the crate `http` fits with the feature `http`.

use core::{net::IpAddr, slice};

use crate::bytes::is_name;

#[cfg(feature = "http")]
mod map;
#[cfg(feature = "http")]
pub use map::MapLines;

/// Header lines as their owner holds them.
///
/// Names are compared without regard to case; values may hold any bytes, and outer blanks are ignored (S10).
pub trait Headers {
    /// The header lines in order, as (name, value).
    type Lines<'h>: Iterator<Item = (&'h [u8], &'h [u8])> + Clone
    where
        Self: 'h;

    /// Whether [`recorded`](Self::recorded) may ever say no; what is always complete pays nothing for the question.
    const PARTIAL: bool = false;

    /// All header lines, in order.
    fn lines(&self) -> Self::Lines<'_>;

    /// The value of the first line of this lower-case name, and whether there are more of that name.
    ///
    /// What finds lines by name in a better way than going through all of them says so here.
    #[inline]
    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        first_line_among(self.lines(), name)
    }

    /// Whether the source could have seen a header of this lower-case name. A log that does not record a header
    /// says no, and what depends on that header is then undetermined instead of absent (section 8).
    fn recorded(&self, _name: &str) -> bool {
        true
    }
}

/// Lines of a slice of (name, value) pairs, see [`Headers`].
#[derive(Debug)]
pub struct PairLines<'h, N, V>(slice::Iter<'h, (N, V)>);

impl<N, V> Clone for PairLines<'_, N, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'h, N: AsRef<[u8]>, V: AsRef<[u8]>> Iterator for PairLines<'h, N, V> {
    type Item = (&'h [u8], &'h [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for [(N, V)] {
    type Lines<'h>
        = PairLines<'h, N, V>
    where
        Self: 'h;

    #[inline]
    fn lines(&self) -> Self::Lines<'_> {
        PairLines(self.iter())
    }

    #[inline(always)]
    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        first_line_of(self, name, |(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// [`Headers::first_line`] of these lines.
#[inline]
pub fn first_line_among<'h>(lines: impl Iterator<Item = (&'h [u8], &'h [u8])>, name: &str) -> Option<(&'h [u8], bool)> {
    let mut values = lines.filter(|(known, _)| is_name(name, known)).map(|(_, value)| value);
    values.next().map(|first| (first, values.next().is_some()))
}

/// [`Headers::first_line`] for lines that lie side by side, each of which `read` shows as (name, value).
#[inline(always)]
pub fn first_line_of<'h, T>(lines: &'h [T], name: &str, read: impl Fn(&'h T) -> (&'h [u8], &'h [u8])) -> Option<(&'h [u8], bool)> {
    // Four at a time: most headers cost nothing but a comparison of lengths.
    let (fours, rest) = lines.as_chunks::<4>();
    let mut first = None;
    for four in fours {
        if four.iter().any(|line| read(line).0.len() == name.len()) && is_second_among(four, name, &read, &mut first) {
            return first.map(|line| (read(line).1, true));
        }
    }
    let is_more = is_second_among(rest, name, &read, &mut first);
    first.map(|line| (read(line).1, is_more))
}

/// Looks for the first line of a name, and when it is known for a second; whether there is one.
#[inline(always)]
fn is_second_among<'h, T>(lines: &'h [T], name: &str, read: impl Fn(&'h T) -> (&'h [u8], &'h [u8]), first: &mut Option<&'h T>) -> bool {
    for line in lines {
        if is_name(name, read(line).0) {
            if first.is_some() {
                return true;
            }
            *first = Some(line);
        }
    }
    false
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    type Lines<'h>
        = PairLines<'h, N, V>
    where
        Self: 'h;

    #[inline]
    fn lines(&self) -> Self::Lines<'_> {
        PairLines(self.iter())
    }

    #[inline]
    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        self.as_slice().first_line(name)
    }
}

/// Headers of which only some could have been recorded, as in an access log.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a, H: ?Sized> {
    /// The lines that were recorded.
    pub headers: &'a H,
    /// The names that the recorder could see, in any case.
    pub names: &'a [&'a str],
}

impl<H: Headers + ?Sized> Headers for Recorded<'_, H> {
    type Lines<'h>
        = H::Lines<'h>
    where
        Self: 'h;

    const PARTIAL: bool = true;

    fn lines(&self) -> Self::Lines<'_> {
        self.headers.lines()
    }

    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        self.headers.first_line(name)
    }

    fn recorded(&self, name: &str) -> bool {
        self.names.iter().any(|recorded| recorded.eq_ignore_ascii_case(name))
    }
}

/// One request, as far as the caller knows it.
#[derive(Debug)]
pub struct Request<'a, H: ?Sized> {
    /// The method, for example `GET`.
    pub method: Option<&'a [u8]>,
    /// The authority (`:authority`, or the `Host` header), with or without port.
    pub authority: Option<&'a [u8]>,
    /// The path as received, with query and fragment if there are any.
    pub path: Option<&'a [u8]>,
    /// The header lines.
    pub headers: &'a H,
    /// Who calls.
    pub source: Source<'a>,
    /// The lanes remembered for the request's trace id, as (group, lane); see [`TraceTable`](crate::TraceTable).
    pub remembered: &'a [(&'a str, &'a str)],
    /// A number drawn by the caller, uniform over all of `u64`; splits without a key need it (S19).
    pub roll: Option<u64>,
}

impl<'a, H: ?Sized> Request<'a, H> {
    /// A request of which only the headers are known.
    #[must_use]
    pub const fn new(headers: &'a H) -> Self {
        Self { method: None, authority: None, path: None, headers, source: Source::UNKNOWN, remembered: &[], roll: None }
    }
}

impl<H: ?Sized> Clone for Request<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: ?Sized> Copy for Request<'_, H> {}

/// Who calls, as far as the caller of the engine knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The calling service, by host or alias.
    pub service: Option<&'a str>,
    /// Labels of the calling workload, as (name, value).
    pub labels: &'a [(&'a str, &'a str)],
    /// The lane of the calling workload, where it is known by name.
    pub lane: Option<&'a str>,
    /// The caller's address.
    pub ip: Option<IpAddr>,
}

impl Source<'_> {
    /// A caller of whom nothing is known.
    pub const UNKNOWN: Self = Self { service: None, labels: &[], lane: None, ip: None };
}

/// The owner of `Request::headers` when there are none.
pub type NoHeaders = [(&'static str, &'static str); 0];
