use lane_core::config::Config;
use crate::mesh::{ImportOptions, Input, Report};
pub(in crate::mesh) fn import(_inputs: &[Input<'_>], _options: &ImportOptions, _report: &mut Report) -> Option<Config> { None }
