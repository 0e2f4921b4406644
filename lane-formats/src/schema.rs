//! The JSON Schema of a configuration: generated from the types of `lane_core::config` by the test below, checked
//! in, and at run time the description by which documents are checked.

/// The JSON Schema (draft-07) of a configuration document.
#[must_use]
pub fn json_schema() -> &'static str {
    // A static, because a constant is repeated wherever it is used.
    static TEXT: &str = include_str!("../schema/lane.schema.json");
    TEXT
}

#[cfg(test)]
mod tests;
