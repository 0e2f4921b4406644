//! The C ABI: [`lane-core`](lane_core) behind opaque handles, sized structs and (pointer, length) strings. The
//! header `include/lane.h` is made of this crate's sources by the test `header`; what a C programmer has to know stands
//! in the comments here, because they are the header's.
//!
//! | room | what lives there |
//! |---|---|
//! | `guard` | what keeps a panic on this side |
//! | `handle` | who owns a handle, as a type |
//! | `text`, `sized` | strings, arrays and structs of the caller, checked before they are looked at |
//! | `router`, `liveness`, `trace`, `error` | one kind of handle each |
//! | `request` | a caller's request, lent to the engine |
//! | `decide`, `answer` | the decisions, and what is written into the caller's structs |
//! | `packed` | the same for callers that hand over bytes instead of structs; not in the header |
//! | `inspect`, `json` | lists of what a router holds; explaining, and requests as data |
//!
//! This is the only crate of the workspace with hand-written `unsafe`: a border to C cannot be written without it.
#![expect(unsafe_code, reason = "a C ABI takes raw pointers; every use says why it is sound")]
#![expect(non_camel_case_types, reason = "types have one name on both sides of the border, the C one")]

mod answer;
mod decide;
mod error;
mod guard;
mod handle;
mod inspect;
mod json;
mod liveness;
mod packed;
mod request;
mod router;
mod sized;
mod status;
mod text;
mod trace;
mod version;

// What is `pub` in these rooms is the ABI; everything else there is `pub(crate)` at most.
pub use answer::*;
pub use decide::*;
pub use error::*;
pub use inspect::*;
pub use json::*;
pub use liveness::*;
pub use packed::{lane_packed, lane_packed_abi, lane_packed_call, lane_packed_compile, lane_packed_free};
#[cfg(target_family = "wasm")]
pub use packed::{lane_packed_lend, lane_packed_return};
pub use request::*;
pub use router::*;
pub use status::*;
pub use text::*;
pub use trace::*;
pub use version::*;
