//! Requests as lines of JSON.

use std::sync::LazyLock;

use lane_core::Router;
use lane_formats::request::Ask;
use serde_json::Value;

use crate::{answer, router};

static ROUTER: LazyLock<Router> = LazyLock::new(|| router(&lane_tests::generate::config(7)));

/// One line of `lane route --requests`.
///
/// # Panics
///
/// A promise is broken: see the crate's table.
pub fn request_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(ask) = Ask::parse(text) else { return };
    // A byte-order mark in front does no harm, and serde_json knows none.
    let value: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).unwrap();
    assert_eq!(Ask::from_value(&value).as_ref(), Ok(&ask), "as a value it is another request: {text}");
    let written = ask.to_value();
    assert_eq!(Ask::from_value(&written).as_ref(), Ok(&ask), "read otherwise the second time: {written}");
    assert_eq!(answer(&ROUTER, &written), answer(&ROUTER, &value));
}
