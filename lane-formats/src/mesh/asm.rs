use super::{ExportOptions, ImportOptions, Input, Report};
use lane_core::config::Config;
use serde_json::Value;

pub(super) fn export(_config: &Config, _options: &ExportOptions, _report: &mut Report) -> Vec<Value> {
    Vec::new()
}
pub(super) fn import(_inputs: &[Input<'_>], _options: &ImportOptions, _report: &mut Report) -> Option<Config> {
    None
}
