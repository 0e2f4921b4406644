//! The border to Envoy: the C types of the dynamic module ABI, the callbacks found when the module is loaded, and
//! safe words for them. Nothing else in this crate touches a pointer of Envoy's, apart from the hooks.
//!
//! Signatures follow `source/extensions/dynamic_modules/abi/abi.h` of Envoy 1.38 to 1.40. A wrong one would not fail
//! to link, it would misread memory: each callback used here is exercised in a real Envoy of every supported version.
#![expect(unsafe_code, reason = "calling Envoy means calling C functions with pointers")]

use core::{
    ffi::{CStr, c_char, c_void},
    ptr, slice,
};
use std::sync::OnceLock;

use lane_core::{Headers, first_line_of};

/// Bytes of Envoy's or of ours; `envoy_buffer` and `module_buffer` of the ABI have this one shape. Never owns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    pointer: *const u8,
    length: usize,
}

impl Buffer {
    /// No bytes; as the value of a header: the header is removed.
    pub const NONE: Self = Self { pointer: ptr::null(), length: 0 };

    /// These bytes, for the time of a call.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        Self { pointer: bytes.as_ptr(), length: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// The buffer comes from Envoy, and what it points at lives as long as `'a`.
    #[must_use]
    pub const unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.pointer.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: by the caller's promise.
        unsafe { slice::from_raw_parts(self.pointer, self.length) }
    }
}

/// One header line as Envoy lends it. Valid during the hook in which it was read, until a header is set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HeaderLine {
    name: Buffer,
    value: Buffer,
}

impl HeaderLine {
    const NONE: Self = Self { name: Buffer::NONE, value: Buffer::NONE };
}

/// The header lines of a request, pseudo headers first, as Envoy keeps them.
#[derive(Clone, Copy, Debug)]
pub struct HeaderLines<'h>(&'h [HeaderLine]);

impl<'h> HeaderLines<'h> {
    /// No lines.
    pub const NONE: Self = Self(&[]);

    /// The lines of Envoy's that begin with `:`, and the others.
    #[must_use]
    pub fn split_pseudo(self) -> (Self, Self) {
        let pseudo = self.iter().take_while(|(name, _)| name.first() == Some(&b':')).count();
        let (pseudo, others) = self.0.split_at_checked(pseudo).unwrap_or((self.0, &[]));
        (Self(pseudo), Self(others))
    }

    /// All lines as (name, value); Envoy's names are lower case.
    #[must_use]
    pub fn iter(self) -> Lines<'h> {
        Lines(self.0.iter())
    }
}

/// The lines of [`HeaderLines`].
#[derive(Clone, Debug)]
pub struct Lines<'h>(slice::Iter<'h, HeaderLine>);

impl<'h> Iterator for Lines<'h> {
    type Item = (&'h [u8], &'h [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: lines are made by `Store::filled` only, which ties them to the hook that lends them.
        self.0.next().map(|line| unsafe { (line.name.bytes(), line.value.bytes()) })
    }
}

impl Headers for HeaderLines<'_> {
    type Lines<'l>
        = Lines<'l>
    where
        Self: 'l;

    fn lines(&self) -> Lines<'_> {
        self.iter()
    }

    #[inline]
    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        // SAFETY: lines are made by `Store::filled` only, which ties them to the hook that lends them.
        first_line_of(self.0, name, |line| unsafe { (line.name.bytes(), line.value.bytes()) })
    }
}

/// Room for the header lines of one request, kept from request to request.
#[derive(Debug, Default)]
pub struct Store(Vec<HeaderLine>);

impl Store {
    /// Asks for the number of lines and then for the lines.
    fn filled(&mut self, count: usize, fill: impl FnOnce(*mut HeaderLine) -> bool) -> HeaderLines<'_> {
        self.0.clear();
        self.0.resize(count, HeaderLine::NONE);
        if count > 0 && !fill(self.0.as_mut_ptr()) {
            self.0.clear();
        }
        HeaderLines(&self.0)
    }
}

/// Endpoint counts of a cluster, all priorities together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    /// All endpoints.
    pub total: usize,
    /// Those that Envoy may send requests to: healthy ones and degraded ones.
    pub healthy: usize,
}

impl Hosts {
    /// Sums what Envoy counts for each priority; none where it does not know the cluster.
    fn sum(mut count: impl FnMut(u32, &mut usize, &mut usize, &mut usize) -> bool) -> Option<Self> {
        let mut sum = Self::default();
        // Envoy has at most 128 priorities; the first that does not exist ends the list.
        for priority in 0..128 {
            let (mut total, mut healthy, mut degraded) = (0, 0, 0);
            if !count(priority, &mut total, &mut healthy, &mut degraded) {
                return (priority > 0).then_some(sum);
            }
            sum.total += total;
            sum.healthy += healthy + degraded;
        }
        Some(sum)
    }
}

/// Declares the callbacks: names without their common prefix, and their C signatures.
macro_rules! callbacks {
    ($($name:ident: fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// Envoy's functions, as far as the running version has them.
        #[derive(Debug)]
        struct Callbacks {
            $($name: Option<unsafe extern "C" fn($($argument),*) $(-> $answer)?>,)*
        }

        impl Callbacks {
            fn resolve() -> Self {
                // SAFETY: the type of each field is the signature that Envoy gives the symbol.
                unsafe { Self { $($name: symbol(concat!("envoy_dynamic_module_callback_", stringify!($name), "\0")),)* } }
            }
        }
    };
}

type Pointer = *mut c_void;

callbacks! {
    log: fn(u32, Buffer);

    // The cluster specifier, from 1.40 on.
    cluster_specifier_get_request_headers_size: fn(Pointer) -> usize;
    cluster_specifier_get_request_headers: fn(Pointer, *mut HeaderLine) -> bool;
    cluster_specifier_get_attribute_string: fn(Pointer, u32, *mut Buffer) -> bool;
    cluster_specifier_get_random_value: fn(Pointer) -> u64;
    cluster_specifier_get_cluster_host_count: fn(Pointer, Buffer, u32, *mut usize, *mut usize, *mut usize) -> bool;
    cluster_specifier_set_cluster_name: fn(Pointer, Buffer);
    cluster_specifier_set_cluster_not_found_response_code: fn(Pointer, u32) -> bool;
    cluster_specifier_set_route_metadata_string: fn(Pointer, Buffer, Buffer, Buffer);

    // The route specifier, from 1.40 on.
    route_specifier_get_request_headers_size: fn(Pointer) -> usize;
    route_specifier_get_request_headers: fn(Pointer, *mut HeaderLine) -> bool;
    route_specifier_get_attribute_string: fn(Pointer, u32, *mut Buffer) -> bool;
    route_specifier_get_random_value: fn(Pointer) -> u64;
    route_specifier_get_cluster_host_count: fn(Pointer, Buffer, u32, *mut usize, *mut usize, *mut usize) -> bool;
    route_specifier_set_cluster_name: fn(Pointer, Buffer) -> bool;
    route_specifier_set_cluster_not_found_response_code: fn(Pointer, u32) -> bool;
    route_specifier_add_request_header: fn(Pointer, Buffer, Buffer, u32) -> bool;
    route_specifier_remove_request_header: fn(Pointer, Buffer) -> bool;
    route_specifier_add_response_header: fn(Pointer, Buffer, Buffer, u32) -> bool;

    // The HTTP filter.
    http_get_headers_size: fn(Pointer, u32) -> usize;
    http_get_headers: fn(Pointer, u32, *mut HeaderLine) -> bool;
    http_set_header: fn(Pointer, u32, Buffer, Buffer) -> bool;
    http_add_header: fn(Pointer, u32, Buffer, Buffer) -> bool;
    http_clear_route_cache: fn(Pointer);
    http_clear_route_cluster_cache: fn(Pointer);
    http_get_cluster_host_count: fn(Pointer, u32, *mut usize, *mut usize, *mut usize) -> bool;
    http_filter_get_attribute_string: fn(Pointer, u32, *mut Buffer) -> bool;
    http_send_response: fn(Pointer, u32, *const HeaderLine, usize, Buffer, Buffer);
}

/// A function of Envoy's by its name; none where this version has no such function.
///
/// # Safety
///
/// `T` is an `Option` of a function pointer with the signature of that function; `name` ends with a zero byte.
unsafe fn symbol<T>(name: &str) -> Option<T> {
    const { assert!(size_of::<Option<fn()>>() == size_of::<*mut c_void>()) };
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    // Looked up while running: a symbol that is missing must not keep an older Envoy from loading the module.
    // SAFETY: `name` is a C string. The answer is null or the address of a function.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise the address is that of a `T`.
    Some(unsafe { core::mem::transmute_copy::<*mut c_void, T>(&address) })
}

static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();

fn callbacks() -> &'static Callbacks {
    CALLBACKS.get_or_init(Callbacks::resolve)
}

/// Resolves the callbacks and gives the ABI version to answer with: the one of the Envoy that asks, as the few
/// functions used here are the same in all of them.
#[must_use]
pub fn load() -> *const c_char {
    let version = if callbacks().cluster_specifier_set_cluster_name.is_some() { c"v0.2.0" } else { c"v0.1.0" };
    version.as_ptr()
}

/// Envoy's log levels, as far as this module uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing once.
    Info = 2,
    /// Doubtful.
    Warn = 3,
    /// Wrong.
    Error = 4,
}

/// Writes to Envoy's log (logger `dynamic_modules`), or to standard error where there is no Envoy.
pub fn log(level: Level, message: &str) {
    match callbacks().log {
        // SAFETY: the message lives during the call.
        Some(log) => unsafe { log(level as u32, Buffer::of(message.as_bytes())) },
        None => eprintln!("{message}"),
    }
}

/// `envoy_dynamic_module_type_attribute_id_SourceAddress`: the downstream's address with port.
const SOURCE_ADDRESS: u32 = 24;

fn attribute(get: Option<unsafe extern "C" fn(Pointer, u32, *mut Buffer) -> bool>, context: Pointer) -> Option<Buffer> {
    let mut address = Buffer::NONE;
    // SAFETY: `context` is valid, as whoever made the `Selection` or `Stream` promised.
    unsafe { get?(context, SOURCE_ADDRESS, &raw mut address) }.then_some(address)
}

/// One call of the cluster specifier.
#[derive(Debug)]
pub struct Selection(Pointer);

impl Selection {
    /// Where the route's answers are put, for `%METADATA(ROUTE:lane:…)%`.
    const NAMESPACE: &'static [u8] = b"lane";

    /// The selection that Envoy asks for.
    ///
    /// # Safety
    ///
    /// `context` is what Envoy gave to the hook, and the value does not outlive the hook.
    #[must_use]
    pub const unsafe fn new(context: *mut c_void) -> Self {
        Self(context)
    }

    /// Whether this Envoy has cluster specifiers.
    #[must_use]
    pub fn is_supported() -> bool {
        callbacks().cluster_specifier_set_cluster_name.is_some()
    }

    /// The request's header lines.
    pub fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        let callbacks = callbacks();
        let (Some(size), Some(get)) =
            (callbacks.cluster_specifier_get_request_headers_size, callbacks.cluster_specifier_get_request_headers)
        else {
            return HeaderLines::NONE;
        };
        // SAFETY: the context is valid, and there is room for as many lines as Envoy says there are.
        unsafe { store.filled(size(self.0), |lines| get(self.0, lines)) }
    }

    /// A number that is the same whenever this request is routed.
    #[must_use]
    pub fn roll(&self) -> Option<u64> {
        // SAFETY: the context is valid.
        callbacks().cluster_specifier_get_random_value.map(|get| unsafe { get(self.0) })
    }

    /// The client's address with port.
    #[must_use]
    pub fn source_address(&self) -> Option<&[u8]> {
        // SAFETY: the address lives as long as the stream.
        attribute(callbacks().cluster_specifier_get_attribute_string, self.0).map(|address| unsafe { address.bytes() })
    }

    /// The endpoints of a cluster; none where Envoy has no such cluster.
    #[must_use]
    pub fn hosts(&self, cluster: &str) -> Option<Hosts> {
        let count = callbacks().cluster_specifier_get_cluster_host_count?;
        let cluster = Buffer::of(cluster.as_bytes());
        // SAFETY: the context is valid, the pointers are to locals.
        Hosts::sum(|priority, total, healthy, degraded| unsafe { count(self.0, cluster, priority, total, healthy, degraded) })
    }

    /// Chooses the cluster.
    pub fn set_cluster(&self, cluster: &str) {
        if let Some(set) = callbacks().cluster_specifier_set_cluster_name {
            // SAFETY: the context is valid; Envoy copies the name.
            unsafe { set(self.0, Buffer::of(cluster.as_bytes())) };
        }
    }

    /// Answers with this status, by choosing a cluster that does not exist.
    pub fn answer(&self, status: u16, cluster: &str) {
        self.set_cluster(cluster);
        if let Some(set) = callbacks().cluster_specifier_set_cluster_not_found_response_code {
            // SAFETY: the context is valid.
            unsafe { set(self.0, u32::from(status)) };
        }
    }

    /// Leaves a value for `%METADATA(ROUTE:lane:KEY)%` in the route's configuration.
    pub fn set_metadata(&self, key: &str, value: &[u8]) {
        if let Some(set) = callbacks().cluster_specifier_set_route_metadata_string {
            // SAFETY: the context is valid; Envoy copies key and value.
            unsafe { set(self.0, Buffer::of(Self::NAMESPACE), Buffer::of(key.as_bytes()), Buffer::of(value)) };
        }
    }
}

/// One call of the route specifier.
#[derive(Debug)]
pub struct Routing(Pointer);

/// `envoy_dynamic_module_type_route_specifier_header_append_action`, as far as it is used.
const APPEND_IF_EXISTS_OR_ADD: u32 = 0;
const OVERWRITE_IF_EXISTS_OR_ADD: u32 = 2;

impl Routing {
    /// The routing that Envoy asks about.
    ///
    /// # Safety
    ///
    /// `context` is what Envoy gave to the hook, and the value does not outlive the hook.
    #[must_use]
    pub const unsafe fn new(context: *mut c_void) -> Self {
        Self(context)
    }

    /// The request's header lines.
    pub fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        let callbacks = callbacks();
        let (Some(size), Some(get)) = (callbacks.route_specifier_get_request_headers_size, callbacks.route_specifier_get_request_headers)
        else {
            return HeaderLines::NONE;
        };
        // SAFETY: the context is valid, and there is room for as many lines as Envoy says there are.
        unsafe { store.filled(size(self.0), |lines| get(self.0, lines)) }
    }

    /// A number that is the same whenever this request is routed.
    #[must_use]
    pub fn roll(&self) -> Option<u64> {
        // SAFETY: the context is valid.
        callbacks().route_specifier_get_random_value.map(|get| unsafe { get(self.0) })
    }

    /// The client's address with port.
    #[must_use]
    pub fn source_address(&self) -> Option<&[u8]> {
        // SAFETY: the address lives as long as the stream.
        attribute(callbacks().route_specifier_get_attribute_string, self.0).map(|address| unsafe { address.bytes() })
    }

    /// The endpoints of a cluster; none where Envoy has no such cluster.
    #[must_use]
    pub fn hosts(&self, cluster: &str) -> Option<Hosts> {
        let count = callbacks().route_specifier_get_cluster_host_count?;
        let cluster = Buffer::of(cluster.as_bytes());
        // SAFETY: the context is valid, the pointers are to locals.
        Hosts::sum(|priority, total, healthy, degraded| unsafe { count(self.0, cluster, priority, total, healthy, degraded) })
    }

    /// Chooses the cluster.
    pub fn set_cluster(&self, cluster: &str) {
        if let Some(set) = callbacks().route_specifier_set_cluster_name {
            // SAFETY: the context is valid; Envoy copies the name.
            unsafe { set(self.0, Buffer::of(cluster.as_bytes())) };
        }
    }

    /// Answers with this status, by choosing a cluster that does not exist.
    pub fn answer(&self, status: u16, cluster: &str) {
        self.set_cluster(cluster);
        if let Some(set) = callbacks().route_specifier_set_cluster_not_found_response_code {
            // SAFETY: the context is valid.
            unsafe { set(self.0, u32::from(status)) };
        }
    }

    /// Sets a header of the request in place of all its lines.
    pub fn set_request_header(&self, name: &str, value: &[u8]) {
        if let Some(add) = callbacks().route_specifier_add_request_header {
            // SAFETY: the context is valid; Envoy copies name and value.
            unsafe { add(self.0, Buffer::of(name.as_bytes()), Buffer::of(value), OVERWRITE_IF_EXISTS_OR_ADD) };
        }
    }

    /// Removes a header of the request.
    pub fn remove_request_header(&self, name: &str) {
        if let Some(remove) = callbacks().route_specifier_remove_request_header {
            // SAFETY: the context is valid; Envoy copies the name.
            unsafe { remove(self.0, Buffer::of(name.as_bytes())) };
        }
    }

    /// Adds a header line to the response.
    pub fn add_response_header(&self, name: &str, value: &[u8]) {
        if let Some(add) = callbacks().route_specifier_add_response_header {
            // SAFETY: the context is valid; Envoy copies name and value.
            unsafe { add(self.0, Buffer::of(name.as_bytes()), Buffer::of(value), APPEND_IF_EXISTS_OR_ADD) };
        }
    }
}

/// One stream of the HTTP filter.
#[derive(Debug)]
pub struct Stream(Pointer);

const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;

impl Stream {
    /// The stream that Envoy asks about.
    ///
    /// # Safety
    ///
    /// `filter` is what Envoy gave to the hook, and the value does not outlive the hook.
    #[must_use]
    pub const unsafe fn new(filter: *mut c_void) -> Self {
        Self(filter)
    }

    /// The request's header lines.
    pub fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        let callbacks = callbacks();
        let (Some(size), Some(get)) = (callbacks.http_get_headers_size, callbacks.http_get_headers) else { return HeaderLines::NONE };
        // SAFETY: the filter is valid, and there is room for as many lines as Envoy says there are.
        unsafe { store.filled(size(self.0, REQUEST_HEADERS), |lines| get(self.0, REQUEST_HEADERS, lines)) }
    }

    /// The client's address with port.
    #[must_use]
    pub fn source_address(&self) -> Option<&[u8]> {
        // SAFETY: the address lives as long as the stream.
        attribute(callbacks().http_filter_get_attribute_string, self.0).map(|address| unsafe { address.bytes() })
    }

    /// Replaces all lines of a request header by one.
    pub fn set_request_header(&self, name: &str, value: &[u8]) {
        self.put(callbacks().http_set_header, REQUEST_HEADERS, name, Buffer::of(value));
    }

    /// Removes all lines of a request header.
    pub fn remove_request_header(&self, name: &str) {
        self.put(callbacks().http_set_header, REQUEST_HEADERS, name, Buffer::NONE);
    }

    /// Adds a line to the response's headers.
    pub fn add_response_header(&self, name: &str, value: &[u8]) {
        self.put(callbacks().http_add_header, RESPONSE_HEADERS, name, Buffer::of(value));
    }

    fn put(&self, put: Option<unsafe extern "C" fn(Pointer, u32, Buffer, Buffer) -> bool>, kind: u32, name: &str, value: Buffer) {
        if let Some(put) = put {
            // SAFETY: the filter is valid; Envoy copies name and value.
            unsafe { put(self.0, kind, Buffer::of(name.as_bytes()), value) };
        }
    }

    /// Makes Envoy look for the route again, by the headers as they now are.
    pub fn clear_route_cache(&self) {
        if let Some(clear) = callbacks().http_clear_route_cache {
            // SAFETY: the filter is valid.
            unsafe { clear(self.0) };
        }
    }

    /// Makes Envoy ask the cluster specifier of the route again, before this returns; without one nothing happens.
    pub fn refresh_cluster(&self) {
        if let Some(refresh) = callbacks().http_clear_route_cluster_cache {
            // SAFETY: the filter is valid.
            unsafe { refresh(self.0) };
        }
    }

    /// The endpoints of the cluster to which the request is routed; none where there is no such cluster.
    #[must_use]
    pub fn hosts(&self) -> Option<Hosts> {
        let count = callbacks().http_get_cluster_host_count?;
        // SAFETY: the filter is valid, the pointers are to locals.
        Hosts::sum(|priority, total, healthy, degraded| unsafe { count(self.0, priority, total, healthy, degraded) })
    }

    /// Answers in the upstream's place. `details` are for access logs.
    pub fn respond(&self, status: u16, body: &str, details: &str) {
        if let Some(send) = callbacks().http_send_response {
            let (body, details) = (Buffer::of(body.as_bytes()), Buffer::of(details.as_bytes()));
            // SAFETY: the filter is valid; Envoy copies body and details; there are no header lines.
            unsafe { send(self.0, u32::from(status), ptr::null(), 0, body, details) };
        }
    }
}
