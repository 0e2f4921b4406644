//! JSON out, and requests as JSON in: for reports, tests and paths that need not be fast.

use lane_core::{Headers, Liveness, Request};
use lane_formats::{
    decision::{Answer, Report},
    request::Ask,
};
use serde_json::json;

use crate::{
    decide::At,
    error::{Told, blank, lane_error, tell},
    guard::{Done, guard, status},
    handle::{Handle, Unique, free_unique, inner, slot, unique},
    liveness::{counts, lane_liveness},
    request::{Asked, Use, lane_request},
    router::{Compiled, lane_router},
    status::LANE_ERR_PANIC,
    text::lane_str,
};

/// A text that the library made.
///
/// Ownership: made by the functions with a `lane_text **`; the caller frees it with lane_text_free. Threads: as many as
/// you like may read it; one frees it, when no other reads.
pub struct lane_text {
    _opaque: [u8; 0],
}

impl Handle for lane_text {
    type Kind = Unique;
    type Inner = String;
}

/// What the text says: UTF-8, followed by a NUL that is not counted. It lives as long as the text. NULL gives `{NULL, 0}`.
///
/// # Safety
///
/// `text` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_text_str(text: *const lane_text) -> lane_str {
    guard(lane_str::ABSENT, || {
        // SAFETY: by this function's contract.
        let text = unsafe { inner(text) }.ok();
        text.map_or(lane_str::ABSENT, |text| lane_str::view(text.strip_suffix('\0').unwrap_or(text).as_bytes()))
    })
}

/// Frees the text and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
///
/// # Safety
///
/// `text` is NULL or can be written; what it holds is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_text_free(text: *mut *mut lane_text) {
    // SAFETY: by this function's contract.
    guard((), || unsafe { free_unique(text) });
}

/// Decides and tells why.
struct Explain<'a> {
    compiled: &'a Compiled,
    liveness: &'a Liveness,
    at: At<'a>,
}

impl Use for Explain<'_> {
    type Output = String;

    fn with<H: Headers + ?Sized>(self, request: &Request<'_, H>) -> String {
        let router = &self.compiled.router;
        let explanation = match self.at {
            At::Gateway(gateway) => router.explain_ingress(gateway, request, self.liveness),
            At::Call(service) => router.explain_hop(service, request, self.liveness),
        };
        let undetermined = match explanation.decision.outcome {
            lane_core::Outcome::Undetermined => explanation.undetermined.clone(),
            _ => Vec::new(),
        };
        let report = Report::new(router, &explanation.decision, request, self.at.called(), undetermined);
        json!({ "decision": report, "explanation": explanation }).to_string()
    }
}

/// # Safety
///
/// As [`lane_explain_ingress`].
unsafe fn explain<'a>(
    router: *const lane_router,
    liveness: *const lane_liveness,
    at: impl FnOnce() -> Result<At<'a>, i32>,
    request: *const lane_request,
    text: *mut *mut lane_text,
) -> Done {
    // SAFETY: by this function's contract, here and below.
    let out = unsafe { slot(text, std::ptr::null_mut()) }?;
    // SAFETY: as above.
    let compiled = unsafe { inner(router) }?;
    let all_live = Liveness::all_live();
    // SAFETY: as above.
    let (liveness, asked) = unsafe { (counts(liveness, compiled, &all_live)?, Asked::read(request)?) };
    let at = at()?;
    *out = made(asked.lend(Explain { compiled, liveness, at })?);
    Ok(())
}

fn made(mut text: String) -> *mut lane_text {
    text.push('\0');
    unique(text)
}

/// Decides as lane_ingress, and tells why, as JSON in `*text`: `{"decision": ..., "explanation": {"undetermined": [...],
/// "steps": [...]}}`, what `lane route --explain --json` prints. It walks every rule and allocates.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_explain_ingress(
    router: *const lane_router,
    liveness: *const lane_liveness,
    gateway: lane_str,
    request: *const lane_request,
    text: *mut *mut lane_text,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        unsafe { explain(router, liveness, || Ok(At::Gateway(gateway.required()?)), request, text) }
    })
}

/// Decides as lane_hop, and tells why, as lane_explain_ingress does.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_explain_hop(
    router: *const lane_router,
    liveness: *const lane_liveness,
    service: lane_str,
    request: *const lane_request,
    text: *mut *mut lane_text,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        unsafe { explain(router, liveness, || Ok(At::Call(service.required()?)), request, text) }
    })
}

/// Answers a request that is one JSON object (semantics, section 8) with the decision as JSON (section 7) in `*text`:
/// one call for tests, tools and languages whose FFI is poor. With `explain` other than 0 the answer is that of
/// lane_explain_ingress. A request that is refused gives LANE_ERR_REQUEST, and `*error` says why; `error` may be NULL.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_decide_json(
    router: *const lane_router,
    request: lane_str,
    explain: i32,
    text: *mut *mut lane_text,
    error: *mut *mut lane_error,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        unsafe { blank(error) };
        // SAFETY: as above.
        let out = unsafe { slot(text, std::ptr::null_mut()) }?;
        // SAFETY: as above.
        let (compiled, request) = unsafe { (inner(router)?, request.required()?) };
        let answer = Ask::parse(request).and_then(|ask| match explain {
            0 => ask.answer(&compiled.router).map(|answer: Answer| json!(answer).to_string()),
            _ => ask
                .explain(&compiled.router)
                .map(|(decision, explanation)| json!({ "decision": decision, "explanation": explanation }).to_string()),
        });
        match answer {
            Ok(answer) => {
                *out = made(answer);
                Ok(())
            }
            // SAFETY: as above.
            Err(problem) => Err(unsafe { tell(error, Told::request(&problem)) }),
        }
    })
}
