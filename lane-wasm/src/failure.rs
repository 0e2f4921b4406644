//! What goes wrong, as the JSON of which the wrapper makes a `LaneError`.

use lane_formats::{Refused, request::AskError};
use serde::Serialize;
use serde_json::json;

use crate::places::{Diagnostic, Text};

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A configuration or a test file is refused.
    Config { diagnostics: Vec<Diagnostic>, unparsable: bool },
    /// A request cannot be read, or not be asked of this router.
    Request(AskError),
    /// A call that makes no sense.
    Usage { message: String, help: Option<String> },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: None }
    }

    pub(crate) fn usage_with(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Usage { message: message.into(), help }
    }

    /// What is wrong with a text.
    pub(crate) fn refused(text: &str, refused: Refused) -> Self {
        Self::Config { diagnostics: Text::new(text).diagnostics(refused.findings), unparsable: refused.unparsable }
    }

    /// What the wrapper reads.
    pub(crate) fn to_json(&self) -> String {
        let value = match self {
            Self::Config { diagnostics, unparsable } => json!({"kind": "config", "diagnostics": diagnostics, "unparsable": unparsable}),
            Self::Request(error) => {
                let problem = |problem: &lane_formats::request::Problem| json!({"path": problem.path, "message": problem.message, "help": problem.help});
                let problems: Vec<_> = error.problems.iter().map(problem).collect();
                json!({"kind": "request", "problems": problems})
            }
            Self::Usage { message, help } => json!({"kind": "usage", "message": message, "help": help}),
        };
        value.to_string()
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::Request(error)
    }
}

/// A value as JSON.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::usage(error.to_string()))
}
