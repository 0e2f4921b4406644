//! An Envoy dynamic module that decides lanes inside the proxy: as a route specifier or a cluster
//! specifier (Envoy 1.40 and later), which are asked while a route is resolved, or as an HTTP filter (Envoy 1.38 and later).
//! All ask the same engine; Envoy itself tells which endpoints are healthy.
//!
//! | question | room |
//! |---|---|
//! | what does Envoy call, and what happens if that panics? | `hooks.rs` |
//! | what may be configured? | `settings.rs` |
//! | which lane, which cluster, which headers? | `decide.rs` |
//! | how does Envoy get to know? | `route.rs`, `specifier.rs`, `filter.rs` |
//! | who compiles, who shares? | `plans.rs`, `memory.rs` |
//! | what is Envoy's C interface? | `abi.rs` |

pub mod abi;
pub mod decide;
pub mod filter;
pub mod hooks;
pub mod memory;
pub mod plans;
pub mod route;
pub mod settings;
pub mod specifier;
