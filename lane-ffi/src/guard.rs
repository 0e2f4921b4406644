//! What keeps a panic on this side of the border. Library code has no way to panic that is known; should one be
//! found, one call fails and the process goes on: no hook, no abort, nothing that later calls would notice.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::LANE_OK;

/// Runs the body of an exported function. `on_panic` is what the function returns should the body panic; it stands
/// at every entry, where its reader looks for it.
///
/// Unwind safety: what a body can leave half done is the caller's out-structs, which are blank until the end, and
/// the cells of a liveness table, each of which is one atomic word.
pub(crate) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping what was thrown runs code that nobody knows; it is left to leak.
        std::mem::forget(payload);
        on_panic
    })
}

/// What the body of a function that returns a status says: fine, or the status.
pub(crate) type Done = Result<(), i32>;

/// [`guard`] for a function that returns a status.
pub(crate) fn status(on_panic: i32, body: impl FnOnce() -> Done) -> i32 {
    guard(on_panic, || body().err().unwrap_or(LANE_OK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{LANE_ERR_NULL, LANE_ERR_PANIC};

    #[test]
    #[expect(clippy::panic, reason = "this is the test of panics")]
    fn a_panic_becomes_the_fallback() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropping what was thrown");
            }
        }
        assert_eq!(status(LANE_ERR_PANIC, || panic!("a bug")), LANE_ERR_PANIC);
        assert_eq!(status(LANE_ERR_PANIC, || std::panic::panic_any(Bomb)), LANE_ERR_PANIC);
        assert_eq!(status(LANE_ERR_PANIC, || Err(LANE_ERR_NULL)), LANE_ERR_NULL);
        assert_eq!(status(LANE_ERR_PANIC, || Ok(())), LANE_OK);
        assert_eq!(guard(7, || panic!("a bug")), 7);
    }
}
