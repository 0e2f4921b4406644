//! Text in, text out: configurations as YAML or JSON with a place for every problem, requests and decisions as
//! JSON, whole chains, and test files. Nothing here decides anything: that is `lane-core`'s business.
//!
//! ```
//! use lane_formats::{Format, load, request::Ask};
//!
//! let text = r#"{"version": 1, "groups": [{"name": "shop", "mode": "strict", "services": [{"host": "web.svc"}],
//!     "lanes": [{"name": "s1"}, {"name": "s2"}], "rules": [{"name": "all", "service": "web.svc", "lane": "s2"}]}]}"#;
//! let loaded = load(text, Format::Json, &Default::default())?;
//! let answer = Ask::parse(r#"{"ingress": {"gateway": "edge"}, "path": "/"}"#)?.answer(&loaded.router)?;
//! assert!(serde_json::to_string(&answer)?.starts_with(r#"{"outcome":"routed","status":200,"group":"shop","rule":"all","lane":"s2""#));
//!
//! let refused = load(&text.replace("lane\": \"s2", "lane\": \"s9"), Format::Json, &Default::default()).unwrap_err();
//! assert!(refused.to_string().contains("LANE0102: groups[0].rules[0].lane: group `shop` has no lane `s9`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bytes;
pub mod cases;
pub mod chain;
pub mod decision;
mod fields;
mod load;
#[cfg(feature = "mesh")]
pub mod mesh;
mod place;
pub mod request;
pub mod schema;
mod shape;
mod tree;

pub use bytes::Bytes;
pub use load::{Document, Format, Loaded, Places, Refused, load, load_bytes, read};
pub use place::Located;

/// The README's example is one of this crate's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
