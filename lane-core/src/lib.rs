//! Traffic lanes as a library: which version of each service in a call chain does a request meet?
//!
//! A [`Config`](config::Config) is compiled once into a [`Router`], which then answers for any number of
//! requests, from any number of threads, without allocating, locking or failing. The crate does no I/O, reads
//! no clock and draws no random number: it is `no_std` and forbids unsafe code, so the compiler holds it to that.
//!
//! Where each decision is made:
//!
//! | question | room |
//! |---|---|
//! | which rule does a request at a gateway meet? | `router/ingress.rs` |
//! | which lane does a call inside the chain belong to? | `router/hop.rs` |
//! | which endpoints serve, and what if there are none? | `router/resolve.rs` |
//! | what changes in the headers, what is remembered? | `router/changes.rs` |
//! | does a condition hold? | `condition.rs`, over `attribute.rs` and `pattern.rs` |
//! | which lane of a split? | `split.rs` |
//! | which rules need not even be tried? | `index.rs` |
//! | is the configuration right, and what does it mean? | `compile.rs` |
//! | why? | `explain.rs`, a recorder on the same walks |
//!
//! The semantics are written down, sentence by sentence, in `docs/semantics.md`; S-numbers in comments point there.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "index"), expect(dead_code, reason = "the index asks more of the other rooms than the walks do"))]

extern crate alloc;

mod attribute;
mod bytes;
mod compile;
mod condition;
pub mod config;
mod context;
mod decision;
pub mod diagnostic;
pub mod explain;
#[cfg(feature = "index")]
mod index;
#[cfg(not(feature = "index"))]
#[path = "index/linear.rs"]
mod index;
mod intern;
mod liveness;
mod pattern;
mod request;
mod router;
mod split;

pub use compile::{Compiled, Indexing, Limits, Options};
pub use context::{baggage::MAX_BYTES as BUFFER_BYTES, table::TraceTable};
pub use decision::{Decision, FoundIn, Notes, Outcome, Reason};
pub use intern::{GroupId, LaneId, RuleId, ServiceId, SubsetId};
pub use liveness::{Endpoints, Liveness};
#[cfg(feature = "http")]
pub use request::MapLines;
pub use request::{Headers, NoHeaders, PairLines, Recorded, Request, Source, first_line_among, first_line_of};
pub use router::{Bytes, Change, Cookie, Remember, Router, RulesFound, Stats};
