//! The router's handle: compiled once, immutable, shared.

use std::sync::Arc;

use lane_core::{GroupId, LaneId, Limits, Options, Router, ServiceId, config::Context};
use lane_formats::{Format, Loaded};
use serde_json::Value;

use crate::{
    error::{Told, blank, lane_error, tell},
    guard::{guard, status},
    handle::{Handle, Shared, another, free_shared, inner, shared, slot},
    sized::{self, SizedStruct},
    status::{LANE_ERR_FORMAT, LANE_ERR_PANIC, LANE_ERR_UNKNOWN},
    text::lane_str,
};

/// The configuration is JSON.
pub const LANE_FORMAT_JSON: i32 = 1;
/// The configuration is YAML; a library that was built without it says LANE_ERR_FORMAT.
pub const LANE_FORMAT_YAML: i32 = 2;

/// The guiding header of a group that names none (section 2).
const DEFAULT_GUIDING_HEADER: &str = "x-asm-prefer-tag";

/// A compiled configuration. It never changes: to reload, compile another one, and free this one when nobody uses it.
///
/// Ownership: made by lane_router_compile; lane_router_share makes further references, and each is freed once with
/// lane_router_free. Threads: any number may use one reference at the same time, without a lock, as long as it is not
/// freed meanwhile. Names that decisions give are the router's and live as long as any of its references.
pub struct lane_router {
    _opaque: [u8; 0],
}

impl Handle for lane_router {
    type Kind = Shared;
    type Inner = Compiled;
}

/// A router, and what the engine does not keep for a caller who holds numbers.
pub(crate) struct Compiled {
    pub(crate) router: Router,
    warnings: String,
    services: Box<[ServiceId]>,
    lanes: Box<[(LaneId, GroupId)]>,
    /// The groups whose context is a trace id, each with its guiding header and one of its lanes.
    pub(crate) traced: Box<[(GroupId, Box<str>, LaneId)]>,
}

impl Compiled {
    fn of(loaded: Loaded) -> Self {
        let Loaded { router, warnings, config, .. } = loaded;
        let warnings: Vec<Value> = warnings.iter().map(|warning| warning.to_json(None)).collect();
        // Ids are dense, in document order: an id's position is the id.
        let services = router.groups().flat_map(|group| router.services(group)).collect();
        let lanes = router.groups().flat_map(|group| router.lanes(group).map(move |lane| (lane, group))).collect();
        let traced = router.groups().zip(&config.groups).filter_map(|(id, group)| {
            let is_traced = matches!(group.context, Some(Context::TraceId(_)));
            let lane = router.lanes(id).next().filter(|_| is_traced)?;
            Some((id, group.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER).into(), lane))
        });
        let traced = traced.collect();
        Self { warnings: Value::from(warnings).to_string(), services, lanes, traced, router }
    }

    /// A service and a lane of one group.
    pub(crate) fn pair(&self, service: u32, lane: u32) -> Result<(ServiceId, LaneId), i32> {
        let service = self.services.get(service as usize).copied().ok_or(LANE_ERR_UNKNOWN)?;
        let (lane, group) = self.lanes.get(lane as usize).copied().ok_or(LANE_ERR_UNKNOWN)?;
        if self.router.group_of(service) == group { Ok((service, lane)) } else { Err(LANE_ERR_UNKNOWN) }
    }
}

/// What a configuration may ask for at most, so that a hostile one costs bounded time and memory (S6). A field that
/// is 0 stands for the limit that holds without options.
///
/// Ownership: the caller's, read during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_options {
    /// `sizeof(lane_options)`.
    pub struct_size: usize,
    /// Rules in all. 0: 100,000.
    pub rules: u64,
    /// Bytes of all regular expressions' automata. 0: 64 MiB.
    pub automata_bytes: u64,
    /// Bytes of one regular expression's automaton. 0: 2 MiB.
    pub regex_bytes: u64,
    /// Lanes of a group. 0: 10,000.
    pub lanes: u64,
    /// Services of a group. 0: 10,000.
    pub services: u64,
    /// Groups. 0: 1,000.
    pub groups: u64,
    /// Subsets in all: the sum over all lanes of the services that they contain. 0: 16,777,216.
    pub subsets: u64,
    /// Levels of conditions inside conditions. 0: 64.
    pub condition_levels: u64,
    /// Bytes of the document. 0: 16 MiB.
    pub document_bytes: u64,
}

// SAFETY: repr(C), integers only, the size first.
unsafe impl SizedStruct for lane_options {}

impl lane_options {
    fn options(&self) -> Options {
        let mut options = Options::default();
        let Limits { rules, automata_bytes, regex_bytes, lanes, services, groups, subsets, condition_levels, document_bytes, .. } =
            &mut options.limits;
        for (limit, wanted) in [
            (rules, self.rules),
            (automata_bytes, self.automata_bytes),
            (regex_bytes, self.regex_bytes),
            (lanes, self.lanes),
            (services, self.services),
            (groups, self.groups),
            (subsets, self.subsets),
            (condition_levels, self.condition_levels),
            (document_bytes, self.document_bytes),
        ] {
            if wanted != 0 {
                *limit = usize::try_from(wanted).unwrap_or(usize::MAX);
            }
        }
        options
    }
}

/// Compiles a configuration: `format` is LANE_FORMAT_JSON or LANE_FORMAT_YAML, `options` may be NULL. `*router` is the
/// new router, or NULL. Where the configuration is refused, LANE_ERR_CONFIG, `*error` has all its problems; `error`
/// may be NULL. It may be called from any thread; it takes milliseconds, so not from an event loop's.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_router_compile(
    config: lane_str,
    format: i32,
    options: *const lane_options,
    router: *mut *const lane_router,
    error: *mut *mut lane_error,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        unsafe { blank(error) };
        // SAFETY: as above.
        let out = unsafe { slot(router, std::ptr::null()) }?;
        // SAFETY: as above.
        let text = unsafe { config.bytes() }?.ok_or(crate::status::LANE_ERR_NULL)?;
        let format = match format {
            LANE_FORMAT_JSON => Format::Json,
            LANE_FORMAT_YAML if cfg!(feature = "yaml") => Format::Yaml,
            _ => return Err(LANE_ERR_FORMAT),
        };
        let options = match options.is_null() {
            true => Options::default(),
            // SAFETY: as above.
            false => unsafe { sized::read(options) }?.options(),
        };
        match lane_formats::load_bytes(text, format, &options) {
            Ok(loaded) => {
                *out = shared(Arc::new(Compiled::of(loaded)));
                Ok(())
            }
            // SAFETY: as above.
            Err(refused) => Err(unsafe { tell(error, Told::config(&refused)) }),
        }
    })
}

/// What is doubtful about the configuration: a JSON list as lane_error_json gives it, `[]` where nothing is. It lives as long as the router.
/// NULL gives `{NULL, 0}`.
///
/// # Safety
///
/// `router` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_router_warnings(router: *const lane_router) -> lane_str {
    // SAFETY: by this function's contract.
    guard(lane_str::ABSENT, || unsafe { inner(router) }.map_or(lane_str::ABSENT, |compiled| lane_str::view(compiled.warnings.as_bytes())))
}

/// One more reference to the same router in `*another_one`, for an owner of its own: a thread, a request in flight.
/// It costs one atomic increment.
///
/// # Safety
///
/// `router` is NULL or a living handle, `another_one` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_router_share(router: *const lane_router, another_one: *mut *const lane_router) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let out = unsafe { slot(another_one, std::ptr::null()) }?;
        // SAFETY: as above.
        unsafe { inner(router) }?;
        // SAFETY: as above, and not NULL.
        *out = shared(unsafe { another(router) });
        Ok(())
    })
}

/// Gives up a reference and makes the variable NULL; the last one frees the router. NULL, and a variable that is NULL
/// already, do nothing.
///
/// # Safety
///
/// `router` is NULL or can be written; what it holds is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_router_free(router: *mut *const lane_router) {
    // SAFETY: by this function's contract.
    guard((), || unsafe { free_shared(router) });
}
