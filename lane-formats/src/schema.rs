//! The JSON Schema of a configuration: generated from the types of `lane_core::config` by the test below, checked
//! in, and at run time the description by which documents are checked.

/// The JSON Schema (draft-07) of a configuration document.
#[must_use]
pub const fn json_schema() -> &'static str {
    include_str!("../schema/lane.schema.json")
}

#[cfg(test)]
mod tests;
