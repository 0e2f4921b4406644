//! Routes and clusters of a stock Envoy.

use lane_core::config::Config;
use serde_json::Value;

use super::{ExportOptions, Report};

pub(super) fn export(_config: &Config, _options: &ExportOptions, _report: &mut Report) -> Vec<Value> {
    Vec::new()
}
