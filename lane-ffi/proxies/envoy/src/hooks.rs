//! What Envoy calls. Every hook runs its body behind `guard`, with what it answers after a panic beside it: a panic
//! that left the module would end the proxy.
//!
//! Envoy looks all hooks of an extension up when it loads a configuration, so those that have nothing to do are here too.
#![expect(unsafe_code, reason = "hooks are C functions that get pointers from Envoy")]

use core::{
    ffi::{c_char, c_void},
    panic::AssertUnwindSafe,
    ptr,
};
use std::panic::catch_unwind;

use crate::{
    abi::{self, Buffer, HeaderLine, Level, Routing, Selection, Stream, log},
    filter::{Filter, FilterConfig, Next},
    route::RouteSpecifier,
    specifier::Specifier,
};

type Pointer = *mut c_void;

/// Runs a hook's body; after a panic the hook answers with the fallback.
fn guard<T>(hook: &str, fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping a payload may panic again.
        core::mem::forget(payload);
        log(Level::Error, &format!("lane: {hook} panicked; please report this"));
        fallback
    })
}

/// Makes what a hook hands to Envoy for the life of a configuration; null where the configuration is refused.
fn configured<T>(hook: &str, name: Buffer, config: Buffer, make: impl FnOnce(&[u8]) -> Result<T, String>) -> Pointer {
    guard(hook, ptr::null_mut(), || {
        // SAFETY: Envoy lends name and configuration for the time of the hook.
        let (name, config) = unsafe { (name.bytes(), config.bytes()) };
        match make(config) {
            Ok(made) => Box::into_raw(Box::new(made)).cast(),
            Err(errors) => {
                let name = String::from_utf8_lossy(name);
                // Envoy itself only says that something is wrong.
                for error in errors.lines() {
                    log(Level::Error, &format!("lane: `{name}` is refused: {error}"));
                }
                ptr::null_mut()
            }
        }
    })
}

/// Ends what [`configured`] made.
///
/// # Safety
///
/// `made` is null or came from a hook that made a `T`, and is not used again.
unsafe fn destroyed<T>(hook: &str, made: Pointer) {
    guard(hook, (), || {
        if !made.is_null() {
            // SAFETY: by the caller's promise.
            drop(unsafe { Box::from_raw(made.cast::<T>()) });
        }
    });
}

/// Envoy loads the module; the answer is the version of the ABI.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    guard("program_init", ptr::null(), abi::load)
}

/// A route with a cluster specifier is configured; null refuses the configuration.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_cluster_specifier_config_new(_envoy: Pointer, name: Buffer, config: Buffer) -> Pointer {
    configured("cluster_specifier_config_new", name, config, Specifier::new)
}

/// A route with a cluster specifier goes.
///
/// # Safety
///
/// `specifier` came from `envoy_dynamic_module_on_cluster_specifier_config_new` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_specifier_config_destroy(specifier: Pointer) {
    // SAFETY: by the caller's promise.
    unsafe { destroyed::<Specifier>("cluster_specifier_config_destroy", specifier) };
}

/// The cluster of a request is wanted. `false` chooses none, and Envoy then answers 503.
///
/// # Safety
///
/// `specifier` came from `envoy_dynamic_module_on_cluster_specifier_config_new`, `context` is valid during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_cluster_specifier_select(specifier: Pointer, context: Pointer) -> bool {
    guard("cluster_specifier_select", false, || {
        // SAFETY: by the caller's promise; many threads may select at once, none of them changes the specifier.
        let (specifier, selection) = unsafe { (&*specifier.cast::<Specifier>(), Selection::new(context)) };
        specifier.select(selection)
    })
}

/// A route specifier is configured; null refuses the configuration.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_route_specifier_config_new(_envoy: Pointer, name: Buffer, config: Buffer) -> Pointer {
    configured("route_specifier_config_new", name, config, RouteSpecifier::new)
}

/// A route specifier goes.
///
/// # Safety
///
/// `specifier` came from `envoy_dynamic_module_on_route_specifier_config_new` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_config_destroy(specifier: Pointer) {
    // SAFETY: by the caller's promise.
    unsafe { destroyed::<RouteSpecifier>("route_specifier_config_destroy", specifier) };
}

/// A request has a route; what is to be different is recorded, and Envoy goes on with it.
///
/// # Safety
///
/// `specifier` came from `envoy_dynamic_module_on_route_specifier_config_new`, `context` is valid during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_route_specifier_on_route(specifier: Pointer, context: Pointer) -> u32 {
    let decided = guard("route_specifier_on_route", false, || {
        // SAFETY: by the caller's promise; many threads may route at once, none of them changes the specifier.
        let (specifier, routing) = unsafe { (&*specifier.cast::<RouteSpecifier>(), Routing::new(context)) };
        specifier.route(routing);
        true
    });
    if !decided {
        // Nobody knows which lane this is: no answer but 503 keeps it out of a wrong one.
        // SAFETY: by the caller's promise.
        guard("route_specifier_on_route", (), || unsafe { Routing::new(context) }.answer(503, "lane_panic"));
    }
    CONTINUE
}

/// A filter is configured; null refuses the configuration.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_http_filter_config_new(_envoy: Pointer, name: Buffer, config: Buffer) -> Pointer {
    configured("http_filter_config_new", name, config, FilterConfig::new)
}

/// A filter's configuration goes.
///
/// # Safety
///
/// `config` came from `envoy_dynamic_module_on_http_filter_config_new` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(config: Pointer) {
    // SAFETY: by the caller's promise.
    unsafe { destroyed::<FilterConfig>("http_filter_config_destroy", config) };
}

/// What the hooks of one stream know.
struct StreamFilter {
    /// Outlives the stream: Envoy keeps a configuration as long as there are filters of it.
    config: *const FilterConfig,
    filter: Filter,
}

/// A stream begins; null closes it.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_http_filter_new(config: Pointer, _envoy: Pointer) -> Pointer {
    guard("http_filter_new", ptr::null_mut(), || {
        Box::into_raw(Box::new(StreamFilter { config: config.cast(), filter: Filter::new() })).cast()
    })
}

/// A stream ends.
///
/// # Safety
///
/// `filter` came from `envoy_dynamic_module_on_http_filter_new` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(filter: Pointer) {
    // SAFETY: by the caller's promise.
    unsafe { destroyed::<StreamFilter>("http_filter_destroy", filter) };
}

/// `envoy_dynamic_module_type_on_http_filter_request_headers_status`, as far as it is used.
const CONTINUE: u32 = 0;
const STOP_ITERATION: u32 = 1;

/// A request's headers are there.
///
/// # Safety
///
/// `filter` came from `envoy_dynamic_module_on_http_filter_new`, `envoy` is valid during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(envoy: Pointer, filter: Pointer, _end_of_stream: bool) -> u32 {
    let next = guard("http_filter_request_headers", None, || {
        // SAFETY: by the caller's promise; Envoy calls the hooks of one stream one after the other.
        let (StreamFilter { config, filter }, stream) = unsafe { (&mut *filter.cast::<StreamFilter>(), Stream::new(envoy)) };
        // SAFETY: the configuration outlives the stream, see there.
        Some(filter.request_headers(unsafe { &**config }, &stream))
    });
    match next {
        Some(Next::Continue) => CONTINUE,
        Some(Next::Stop) => STOP_ITERATION,
        // Nobody knows which lane this is: no answer but 503 keeps it out of a wrong one.
        None => guard("http_filter_request_headers", STOP_ITERATION, || {
            // SAFETY: by the caller's promise.
            unsafe { Stream::new(envoy) }.respond(503, "lane: this request could not be decided\n", "lane_panic");
            STOP_ITERATION
        }),
    }
}

/// A response's headers are there.
///
/// # Safety
///
/// `filter` came from `envoy_dynamic_module_on_http_filter_new`, `envoy` is valid during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_response_headers(
    envoy: Pointer,
    filter: Pointer,
    _end_of_stream: bool,
) -> u32 {
    guard("http_filter_response_headers", CONTINUE, || {
        // SAFETY: by the caller's promise; Envoy calls the hooks of one stream one after the other.
        let (filter, stream) = unsafe { (&mut *filter.cast::<StreamFilter>(), Stream::new(envoy)) };
        filter.filter.response_headers(&stream);
        CONTINUE
    })
}

/// Per-route configuration has no meaning here; null refuses it.
#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(name: Buffer, config: Buffer) -> Pointer {
    configured::<()>("http_filter_per_route_config_new", name, config, |_| {
        Err("lane has no configuration for single routes; give the plan more rules".to_owned())
    })
}

/// Hooks that must be there and do nothing; what they answer is `Continue`.
macro_rules! inert {
    ($($name:ident($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        $(
            /// Nothing to do.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($(_: $argument),*) $(-> $answer)? {
                $(const { 0 as $answer })?
            }
        )*
    };
}

inert! {
    envoy_dynamic_module_on_route_specifier_route_destroy(Pointer, u64);
    envoy_dynamic_module_on_http_filter_per_route_config_destroy(Pointer);
    envoy_dynamic_module_on_http_filter_request_body(Pointer, Pointer, bool) -> u32;
    envoy_dynamic_module_on_http_filter_request_trailers(Pointer, Pointer) -> u32;
    envoy_dynamic_module_on_http_filter_response_body(Pointer, Pointer, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_trailers(Pointer, Pointer) -> u32;
    envoy_dynamic_module_on_http_filter_stream_complete(Pointer, Pointer);
    envoy_dynamic_module_on_http_filter_local_reply(Pointer, Pointer, u32, Buffer, bool) -> u32;
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(Pointer, Pointer);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(Pointer, Pointer);
    envoy_dynamic_module_on_http_filter_scheduled(Pointer, Pointer, u64);
    envoy_dynamic_module_on_http_filter_http_callout_done(Pointer, Pointer, u64, u32, *const HeaderLine, usize, *const Buffer, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(Pointer, Pointer, u64, *const HeaderLine, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(Pointer, Pointer, u64, *const Buffer, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(Pointer, Pointer, u64, *const HeaderLine, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(Pointer, Pointer, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(Pointer, Pointer, u64, u32);
    envoy_dynamic_module_on_http_filter_config_scheduled(Pointer, Pointer, u64);
    envoy_dynamic_module_on_http_filter_config_http_callout_done(Pointer, Pointer, u64, u32, *const HeaderLine, usize, *const Buffer, usize);
    envoy_dynamic_module_on_http_filter_config_http_stream_headers(Pointer, Pointer, u64, *const HeaderLine, usize, bool);
    envoy_dynamic_module_on_http_filter_config_http_stream_data(Pointer, Pointer, u64, *const Buffer, usize, bool);
    envoy_dynamic_module_on_http_filter_config_http_stream_trailers(Pointer, Pointer, u64, *const HeaderLine, usize);
    envoy_dynamic_module_on_http_filter_config_http_stream_complete(Pointer, Pointer, u64);
    envoy_dynamic_module_on_http_filter_config_http_stream_reset(Pointer, Pointer, u64, u32);
}
