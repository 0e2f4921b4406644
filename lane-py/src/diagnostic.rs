//! What is wrong with a text, for Python: every finding as a `lane.Diagnostic`, drawn with its line as the command
//! draws it, and the exception that carries them.

use lane_cli::{findings, source::Source};
use lane_core::diagnostic::Severity;
use lane_formats::{Format, Located};
use pyo3::{prelude::*, types::PyTuple};

use crate::convert;

/// So many findings are drawn with their lines; a text with more is told the others in a line each.
const DRAWN: usize = 50;

/// A text and what it is called.
pub(crate) struct Text<'t> {
    pub(crate) name: Option<&'t str>,
    pub(crate) bytes: &'t [u8],
    pub(crate) format: Format,
}

/// The findings as `lane.Diagnostic` objects.
pub(crate) fn diagnostics<'py>(py: Python<'py>, found: &[Located], text: &Text<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let class = convert::class(py, "Diagnostic")?;
    let name = text.name.unwrap_or("<config>");
    let source = Source { name: name.into(), bytes: text.bytes.to_vec(), format: text.format };
    let mut all = Vec::with_capacity(found.len());
    for (position, finding) in found.iter().enumerate() {
        let rendered = if position < DRAWN { drawn(finding, &source) } else { format!("{name}:{finding}") };
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = (finding.line, finding.column, finding.range.start, finding.range.end);
        let fields =
            (severity, finding.code.as_str(), &finding.message, &finding.help, text.name, finding.path.to_string(), place, rendered);
        all.push(class.call_method1("_of", fields)?);
    }
    PyTuple::new(py, all)
}

fn drawn(finding: &Located, source: &Source) -> String {
    let mut out = Vec::new();
    let plain = || format!("{}:{finding}", source.name);
    match findings::draw(std::slice::from_ref(finding), source, &mut out, false) {
        Ok(()) => String::from_utf8(out).map_or_else(|_| plain(), |text| text.trim_end().to_owned()),
        Err(_) => plain(),
    }
}

/// The exception for a text that was refused.
pub(crate) fn compile_error(py: Python<'_>, found: &[Located], text: &Text<'_>) -> PyErr {
    let error = diagnostics(py, found, text).and_then(|found| convert::class(py, "CompileError")?.call1((found,)));
    error.map_or_else(|error| error, PyErr::from_value)
}
