//! Why something was refused: a handle that the caller reads and frees. There is no "last error" of a thread.

use lane_formats::{Refused, request::AskError};
use serde_json::{Value, json};

use crate::{
    guard::guard,
    handle::{Handle, Unique, free_unique, inner, unique},
    status::{LANE_ERR_CONFIG, LANE_ERR_PANIC, LANE_ERR_REQUEST, LANE_OK},
    text::lane_str,
};

/// Why a configuration or a request was refused, with every problem in it.
///
/// Ownership: made by the functions with a `lane_error **`, which write NULL where there is nothing to tell; the
/// caller frees it with lane_error_free. Threads: as many as you like may read it; one frees it, when no other reads.
pub struct lane_error {
    _opaque: [u8; 0],
}

impl Handle for lane_error {
    type Kind = Unique;
    type Inner = Told;
}

/// What an error tells.
pub(crate) struct Told {
    code: i32,
    message: String,
    json: String,
}

impl Told {
    pub(crate) fn config(refused: &Refused) -> Self {
        let findings: Vec<Value> = refused.findings.iter().map(|finding| finding.to_json(None)).collect();
        Self { code: LANE_ERR_CONFIG, message: refused.to_string(), json: Value::from(findings).to_string() }
    }

    pub(crate) fn request(error: &AskError) -> Self {
        let problem = |problem: &lane_formats::request::Problem| json!({ "severity": "error", "path": problem.path, "message": problem.message, "help": problem.help });
        let problems: Vec<Value> = error.problems.iter().map(problem).collect();
        Self { code: LANE_ERR_REQUEST, message: error.to_string(), json: Value::from(problems).to_string() }
    }
}

/// Puts an error where the caller wants it, if he does, and gives its status.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn tell(out: *mut *mut lane_error, told: Told) -> i32 {
    let code = told.code;
    if !out.is_null() && out.is_aligned() {
        // SAFETY: not NULL, aligned, and writable by this function's contract.
        unsafe { out.write(unique(told)) };
    }
    code
}

/// Writes NULL where an error may be put later; a caller who wants none gives NULL.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn blank(out: *mut *mut lane_error) {
    if !out.is_null() && out.is_aligned() {
        // SAFETY: not NULL, aligned, and writable by this function's contract.
        unsafe { out.write(std::ptr::null_mut()) };
    }
}

/// The status that was returned with the error: LANE_ERR_CONFIG or LANE_ERR_REQUEST. NULL gives LANE_OK.
///
/// # Safety
///
/// `error` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_error_code(error: *const lane_error) -> i32 {
    // SAFETY: by this function's contract.
    guard(LANE_ERR_PANIC, || unsafe { inner(error) }.map_or(LANE_OK, |told| told.code))
}

/// What is wrong, for people: one line a problem, `LINE:COLUMN: CODE: PATH: MESSAGE (HELP)` for a configuration.
/// It lives as long as the error. NULL gives `{NULL, 0}`.
///
/// # Safety
///
/// `error` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_error_message(error: *const lane_error) -> lane_str {
    // SAFETY: by this function's contract.
    guard(lane_str::ABSENT, || unsafe { inner(error) }.map_or(lane_str::ABSENT, |told| lane_str::view(told.message.as_bytes())))
}

/// What is wrong, for programs: a JSON list of objects with `severity`, `path`, `message` and `help`; for a
/// configuration also `code`, `line` and `column`, as `lane check --json` prints them. It lives as long as the error.
/// NULL gives `{NULL, 0}`.
///
/// # Safety
///
/// `error` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_error_json(error: *const lane_error) -> lane_str {
    // SAFETY: by this function's contract.
    guard(lane_str::ABSENT, || unsafe { inner(error) }.map_or(lane_str::ABSENT, |told| lane_str::view(told.json.as_bytes())))
}

/// Frees the error and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
///
/// # Safety
///
/// `error` is NULL or can be written; what it holds is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_error_free(error: *mut *mut lane_error) {
    // SAFETY: by this function's contract.
    guard((), || unsafe { free_unique(error) });
}
