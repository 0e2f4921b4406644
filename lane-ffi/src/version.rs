//! Which library this is, so that a program finds out before it is too late.

use std::ffi::c_char;

use crate::{
    answer::{lane_changes, lane_decision},
    guard::{guard, status},
    request::lane_request,
    status::{LANE_ERR_PANIC, LANE_ERR_VERSION},
};

include!("abi.rs");

/// The version of this header, and of the library that it belongs to.
pub const LANE_VERSION_MAJOR: u32 = 0;
/// See LANE_VERSION_MAJOR.
pub const LANE_VERSION_MINOR: u32 = 1;
/// See LANE_VERSION_MAJOR.
pub const LANE_VERSION_PATCH: u32 = 0;

/// The library's version, for example `0.1.0`: NUL-terminated, for ever.
#[unsafe(no_mangle)]
pub extern "C" fn lane_version() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard(c"?".as_ptr(), || TEXT.as_ptr().cast())
}

/// The library's LANE_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn lane_abi_version() -> u32 {
    guard(0, || LANE_ABI_VERSION)
}

/// Whether the library that was loaded serves a program that was compiled against this header: LANE_OK, or
/// LANE_ERR_VERSION. Programs write `lane_check()`, which hands over what the header says; those that declare the ABI
/// by hand (LuaJIT, Python) hand over their own sizes, and learn whether their declarations are right.
#[unsafe(no_mangle)]
pub extern "C" fn lane_abi_check(abi_version: u32, request_size: usize, decision_size: usize, changes_size: usize) -> i32 {
    status(LANE_ERR_PANIC, || {
        // A later header may have made a struct longer; the library reads and writes what it knows.
        let sizes = [
            (request_size, size_of::<lane_request>()),
            (decision_size, size_of::<lane_decision>()),
            (changes_size, size_of::<lane_changes>()),
        ];
        let fits = abi_version == LANE_ABI_VERSION && sizes.iter().all(|(theirs, ours)| theirs >= ours);
        if fits { Ok(()) } else { Err(LANE_ERR_VERSION) }
    })
}
