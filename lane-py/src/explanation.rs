//! Why a decision is what it is, as a `lane.Explanation`: the steps as data, and in the words of the command.

use lane_cli::{command::route::why, paint::Paint};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyList, PyTuple},
};

use crate::{
    convert,
    decision::{Decision, Origin},
};

/// Asks again, with a recorder.
pub(crate) fn explain(py: Python<'_>, origin: Origin) -> PyResult<Bound<'_, PyAny>> {
    let refused = |error: lane_formats::request::AskError| PyValueError::new_err(error.to_string());
    let (answer, explanation) = origin.ask.explain_with(&origin.router.router, &origin.liveness).map_err(refused)?;
    let Some(report) = answer.decision() else { return Err(PyValueError::new_err("nothing was decided, so there is nothing to explain")) };
    let lines = why::lines(&explanation, &origin.router.router, Paint(false));
    let steps = convert::as_python(py, &explanation.steps)?;
    let steps = steps.cast::<PyList>()?.to_tuple();
    let undetermined = PyTuple::new(py, &explanation.undetermined)?;
    let lines = PyTuple::new(py, lines)?;
    convert::class(py, "Explanation")?.call1((Decision::new(report, origin), steps, undetermined, lines))
}
