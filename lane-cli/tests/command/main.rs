//! The command as a user meets it: exit codes, what it prints, what it refuses. Pictures are goldens under
//! `tests/golden`; `LANE_UPDATE=1` rewrites them.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop at what it does not expect")]

mod check;
mod harness;
mod mesh;
mod others;
mod route;
mod stream;
mod test;
mod trace;
