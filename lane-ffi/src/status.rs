//! The status codes. A number is never used again for something else.

use std::ffi::{CStr, c_char};

use crate::guard::guard;

/// It worked.
pub const LANE_OK: i32 = 0;
/// A pointer is NULL that must not be: the table in `docs/null.md` has every one.
pub const LANE_ERR_NULL: i32 = 1;
/// `struct_size` is no size that such a struct can have: it was not set, or a later version's struct has something in
/// fields that this library does not know, in a reserved field, or in flags.
pub const LANE_ERR_SIZE: i32 = 2;
/// A length above LANE_MAX_LENGTH: mostly a negative number that became a size.
pub const LANE_ERR_LENGTH: i32 = 3;
/// Text that is not UTF-8 where a name is meant: a gateway, a service, a lane, a label, a header that was recorded.
/// Header lines, method, authority and path may hold any bytes.
pub const LANE_ERR_UTF8: i32 = 4;
/// A pointer to a struct or an array that is not aligned as its type asks for.
pub const LANE_ERR_ALIGNMENT: i32 = 5;
/// The library is another one than the header: its ABI version or a struct's size differs.
pub const LANE_ERR_VERSION: i32 = 6;
/// A configuration was refused; the lane_error says why.
pub const LANE_ERR_CONFIG: i32 = 7;
/// No format of this number, or one that this library was built without.
pub const LANE_ERR_FORMAT: i32 = 8;
/// A request written as JSON was refused; the lane_error says why.
pub const LANE_ERR_REQUEST: i32 = 9;
/// The caller's array or buffer is too small; the length that was asked for says how much is needed.
pub const LANE_ERR_SPACE: i32 = 10;
/// The liveness table is another router's.
pub const LANE_ERR_OTHER_ROUTER: i32 = 11;
/// A name or an id that the router does not have.
pub const LANE_ERR_UNKNOWN: i32 = 12;
/// More healthy endpoints than endpoints.
pub const LANE_ERR_COUNTS: i32 = 13;
/// Header lines given in both ways: as an array and by a callback.
pub const LANE_ERR_HEADERS: i32 = 14;
/// A bug in the library: the call failed, everything else goes on.
pub const LANE_ERR_PANIC: i32 = 15;

/// Every status with its name.
const NAMES: [(i32, &CStr); 16] = [
    (LANE_OK, c"LANE_OK"),
    (LANE_ERR_NULL, c"LANE_ERR_NULL"),
    (LANE_ERR_SIZE, c"LANE_ERR_SIZE"),
    (LANE_ERR_LENGTH, c"LANE_ERR_LENGTH"),
    (LANE_ERR_UTF8, c"LANE_ERR_UTF8"),
    (LANE_ERR_ALIGNMENT, c"LANE_ERR_ALIGNMENT"),
    (LANE_ERR_VERSION, c"LANE_ERR_VERSION"),
    (LANE_ERR_CONFIG, c"LANE_ERR_CONFIG"),
    (LANE_ERR_FORMAT, c"LANE_ERR_FORMAT"),
    (LANE_ERR_REQUEST, c"LANE_ERR_REQUEST"),
    (LANE_ERR_SPACE, c"LANE_ERR_SPACE"),
    (LANE_ERR_OTHER_ROUTER, c"LANE_ERR_OTHER_ROUTER"),
    (LANE_ERR_UNKNOWN, c"LANE_ERR_UNKNOWN"),
    (LANE_ERR_COUNTS, c"LANE_ERR_COUNTS"),
    (LANE_ERR_HEADERS, c"LANE_ERR_HEADERS"),
    (LANE_ERR_PANIC, c"LANE_ERR_PANIC"),
];

/// The name of a status, for messages: NUL-terminated, for ever. A number that is no status gives `?`.
#[unsafe(no_mangle)]
pub extern "C" fn lane_status_name(status: i32) -> *const c_char {
    guard(c"?".as_ptr(), || NAMES.iter().find(|(number, _)| *number == status).map_or(c"?", |(_, name)| name).as_ptr())
}
