//! What goes wrong, as the JSON of which the wrapper makes a `LaneError`.

use lane_formats::{Refused, request::AskError};
use serde::Serialize;

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
        let written = match self {
            Self::Config { diagnostics, unparsable } => json(&Written::Config { diagnostics, unparsable: *unparsable }),
            Self::Request(error) => {
                let problem = |problem: &'_ lane_formats::request::Problem| Problem {
                    path: problem.path.to_string(),
                    message: problem.message.clone(),
                    help: problem.help.clone(),
                };
                json(&Written::Request { problems: error.problems.iter().map(problem).collect() })
            }
            Self::Usage { message, help } => json(&Written::Usage { message, help: help.as_deref() }),
        };
        written.unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Written<'f> {
    Config { diagnostics: &'f [Diagnostic], unparsable: bool },
    Request { problems: Vec<Problem> },
    Usage { message: &'f str, help: Option<&'f str> },
}

#[derive(Serialize)]
struct Problem {
    path: String,
    message: String,
    help: Option<String>,
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
