//! A caller's request, lent to the engine: checked once, then read where it is.

use std::{cell::Cell, ffi::c_void, net::IpAddr, slice};

use lane_core::{Headers, Recorded, Request, Source, first_line_among, first_line_of};
use smallvec::SmallVec;

use crate::{
    sized::{self, SizedStruct},
    status::{LANE_ERR_HEADERS, LANE_ERR_SIZE},
    text::{array, lane_pair, lane_str},
};

/// Gives the header lines of a request one after the other, for callers who hold them in some other form than an
/// array. `cursor` is NULL for the first line, else what the call before returned. The function writes the line into
/// `*line` and returns what stands for it, anything but NULL, or returns NULL when there is no further line:
///
/// ```c
/// static const void *next(void *context, const void *cursor, lane_pair *line) {
///     const struct node *node = cursor ? ((const struct node *)cursor)->next : context;
///     if (node) { line->name = node->name; line->value = node->value; }
///     return node;
/// }
/// ```
///
/// The lines are walked several times during a call and must be the same each time; what they point to must live
/// until the call returns. The function must return: no longjmp, no C++ exception.
pub type lane_next_header =
    Option<unsafe extern "C" fn(context: *mut c_void, cursor: *const c_void, line: *mut lane_pair) -> *const c_void>;

/// One request, as far as the caller knows it. What is `{NULL, 0}`, or zero, is not known; lane_request_new() gives one of
/// which nothing is known. Header values, method, authority and path may hold any bytes; all else is UTF-8.
///
/// Ownership: the caller's, with everything that it points to; a call reads it and keeps nothing, but lane_remember's
/// trace id and a decision's service may point into it. Threads: a call does not write it, so it may be shared.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_request {
    /// `sizeof(lane_request)`.
    pub struct_size: usize,
    /// The method, for example `GET`.
    pub method: lane_str,
    /// The authority (`:authority`, or the `host` header), with or without port.
    pub authority: lane_str,
    /// The path as received, with query and fragment if there are any.
    pub path: lane_str,
    /// The header lines, in order. NULL where there are none, or next_header gives them.
    pub headers: *const lane_pair,
    /// How many header lines.
    pub headers_len: usize,
    /// Gives the header lines, instead of an array.
    pub next_header: lane_next_header,
    /// Handed to next_header.
    pub header_context: *mut c_void,
    /// The calling service, by host or alias (hops).
    pub source_service: lane_str,
    /// The lane of the calling workload, where it is known by name.
    pub source_lane: lane_str,
    /// The caller's IP address as text; what is none counts as not known.
    pub source_ip: lane_str,
    /// The labels of the calling workload. Up to 32 of them cost no allocation.
    pub source_labels: *const lane_pair,
    /// How many labels.
    pub source_labels_len: usize,
    /// The lanes remembered for the request's trace id, as (group, lane). Up to 8 of them cost no allocation.
    pub remembered: *const lane_pair,
    /// How many remembered lanes.
    pub remembered_len: usize,
    /// For requests from logs: the names of the headers that the log could see. What depends on another header is then
    /// undetermined instead of absent. NULL: all were seen.
    pub recorded: *const lane_str,
    /// How many names. With a pointer that is not NULL, 0 means that no header was seen.
    pub recorded_len: usize,
    /// A number drawn by the caller, uniform over all 64 bits; a split without a sticky key needs it.
    pub roll: u64,
    /// Whether there is a roll: 0 or 1.
    pub has_roll: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), integers, pointers and a nullable function pointer, the size first.
unsafe impl SizedStruct for lane_request {}

/// A header line: name and value.
type Line<'l> = (&'l [u8], &'l [u8]);

/// The header lines of a request.
pub(crate) struct Lines<'a> {
    form: Form<'a>,
    /// The first thing that was wrong with a line that the callback gave.
    bad: Cell<Option<i32>>,
}

#[derive(Clone, Copy)]
enum Form<'a> {
    /// Checked when they were read.
    Array(&'a [lane_pair]),
    Walk(unsafe extern "C" fn(*mut c_void, *const c_void, *mut lane_pair) -> *const c_void, *mut c_void),
}

/// A walk along the lines.
#[derive(Clone)]
pub(crate) enum Walk<'h> {
    Array(slice::Iter<'h, lane_pair>),
    Next { lines: &'h Lines<'h>, cursor: *const c_void },
    Over,
}

impl<'h> Iterator for Walk<'h> {
    type Item = Line<'h>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Array(pairs) => {
                let pair = pairs.next()?;
                // SAFETY: the pairs were checked when the request was read, and the caller keeps them as they are.
                unsafe { pair.both() }.ok()
            }
            Self::Next { lines, cursor } => {
                let line = lines.after(*cursor).inspect(|(next, _)| *cursor = *next);
                if line.is_none() {
                    *self = Self::Over;
                }
                line.map(|(_, line)| line)
            }
            Self::Over => None,
        }
    }
}

impl Lines<'_> {
    fn after(&self, cursor: *const c_void) -> Option<(*const c_void, Line<'_>)> {
        let Form::Walk(next, context) = self.form else { return None };
        let mut line = lane_pair { name: lane_str::ABSENT, value: lane_str::ABSENT };
        // SAFETY: the caller gave the function for this use, with this context.
        let cursor = unsafe { next(context, cursor, &raw mut line) };
        if cursor.is_null() {
            return None;
        }
        // SAFETY: the caller promises that the line can be read until the call returns.
        match unsafe { line.both() } {
            Ok(line) => Some((cursor, line)),
            Err(status) => {
                self.bad.set(Some(status));
                None
            }
        }
    }
}

impl Headers for Lines<'_> {
    type Lines<'h>
        = Walk<'h>
    where
        Self: 'h;

    #[inline]
    fn lines(&self) -> Walk<'_> {
        match self.form {
            Form::Array(pairs) => Walk::Array(pairs.iter()),
            Form::Walk(..) => Walk::Next { lines: self, cursor: std::ptr::null() },
        }
    }

    #[inline]
    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        match self.form {
            // SAFETY: the pairs were checked when the request was read, and the caller keeps them as they are.
            Form::Array(pairs) => first_line_of(pairs, name, |pair| unsafe { pair.both() }.unwrap_or_default()),
            Form::Walk(..) => first_line_among(self.lines(), name),
        }
    }
}

/// A request whose every pointer was checked.
pub(crate) struct Asked<'a> {
    method: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    lines: Lines<'a>,
    service: Option<&'a str>,
    lane: Option<&'a str>,
    ip: Option<IpAddr>,
    labels: Pairs<'a, 32>,
    remembered: Pairs<'a, 8>,
    recorded: Option<SmallVec<[&'a str; 8]>>,
    roll: Option<u64>,
}

/// Pairs as the engine wants them; so many stand on the stack.
type Pairs<'a, const INLINE: usize> = SmallVec<[(&'a str, &'a str); INLINE]>;

/// # Safety
///
/// As [`array`], and for every string of every pair.
unsafe fn pairs<'a, const INLINE: usize>(items: *const lane_pair, len: usize) -> Result<Pairs<'a, INLINE>, i32> {
    // SAFETY: the same contract.
    unsafe { array::<lane_pair>(items, len)?.iter().map(|pair| pair.texts()).collect() }
}

/// Something to do with a request as the engine wants it.
pub(crate) trait Use {
    /// What comes of it.
    type Output;
    /// Does it.
    fn with<'a, H: Headers + ?Sized>(self, request: &Request<'a, H>) -> Self::Output;
}

impl Asked<'_> {
    /// Reads the caller's request.
    ///
    /// # Safety
    ///
    /// `theirs` is NULL or a lane_request whose every pointer is as its field says, for as long as the result is used.
    pub(crate) unsafe fn read(theirs: *const lane_request) -> Result<Self, i32> {
        // SAFETY: by this function's contract, here and below.
        let theirs = unsafe { sized::read(theirs) }?;
        if theirs.reserved != 0 {
            return Err(LANE_ERR_SIZE);
        }
        let form = match theirs.next_header {
            None => {
                // SAFETY: as above.
                let pairs: &[lane_pair] = unsafe { array(theirs.headers, theirs.headers_len) }?;
                for pair in pairs {
                    // SAFETY: as above.
                    unsafe { pair.both() }?;
                }
                Form::Array(pairs)
            }
            Some(_) if !theirs.headers.is_null() || theirs.headers_len > 0 => return Err(LANE_ERR_HEADERS),
            Some(next) => Form::Walk(next, theirs.header_context),
        };
        // SAFETY: as above.
        unsafe {
            let recorded = match theirs.recorded.is_null() && theirs.recorded_len == 0 {
                true => None,
                false => {
                    let names = array::<lane_str>(theirs.recorded, theirs.recorded_len)?;
                    Some(names.iter().map(|name| name.required()).collect::<Result<_, _>>()?)
                }
            };
            Ok(Self {
                method: theirs.method.bytes()?,
                authority: theirs.authority.bytes()?,
                path: theirs.path.bytes()?,
                lines: Lines { form, bad: Cell::new(None) },
                service: theirs.source_service.text()?,
                lane: theirs.source_lane.text()?,
                ip: theirs.source_ip.text()?.and_then(|ip| ip.parse().ok()),
                labels: pairs(theirs.source_labels, theirs.source_labels_len)?,
                remembered: pairs(theirs.remembered, theirs.remembered_len)?,
                recorded,
                roll: (theirs.has_roll != 0).then_some(theirs.roll),
            })
        }
    }

    /// Lends the request to the engine. It fails where the callback gave a line that is none.
    pub(crate) fn lend<U: Use>(&self, user: U) -> Result<U::Output, i32> {
        let output = match &self.recorded {
            None => user.with(&self.request(&self.lines)),
            Some(names) => user.with(&self.request(&Recorded { headers: &self.lines, names })),
        };
        self.lines.bad.get().map_or(Ok(output), Err)
    }

    fn request<'s, H: Headers + ?Sized>(&'s self, headers: &'s H) -> Request<'s, H> {
        Request {
            method: self.method,
            authority: self.authority,
            path: self.path,
            source: Source { service: self.service, labels: &self.labels, lane: self.lane, ip: self.ip },
            remembered: &self.remembered,
            roll: self.roll,
            ..Request::new(headers)
        }
    }
}
