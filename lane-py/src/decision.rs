//! A decision as Python holds it: the fields of S29, and where it came from, so that it can tell why.

use std::sync::Arc;

use lane_core::{FoundIn, Liveness, Outcome};
use lane_formats::{
    decision::{Fallback, Found, Remembered, Report, SetCookie, Subset},
    request::Ask,
};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{convert, explanation, router::Loaded};

/// What was asked, and of whom.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) router: Arc<Loaded>,
    pub(crate) ask: Ask,
    pub(crate) liveness: Arc<Liveness>,
}

/// One decision: what becomes of a request, and what is to be done to it.
///
/// Routers make decisions; the class can be called too, to write down what is expected. Two decisions are equal when
/// all their fields are, whoever made them.
#[pyclass(frozen, eq, module = "lane")]
#[derive(Clone)]
pub struct Decision {
    report: Arc<Report>,
    origin: Option<Arc<Origin>>,
}

impl PartialEq for Decision {
    fn eq(&self, other: &Self) -> bool {
        *self.report == *other.report
    }
}

impl Decision {
    pub(crate) fn new(report: Report, origin: Origin) -> Self {
        Self { report: Arc::new(report), origin: Some(Arc::new(origin)) }
    }

    /// What is not as in a decision about nothing, as arguments of the class.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = &*self.report;
        let arguments = PyDict::new(py);
        arguments.set_item("outcome", word(report.outcome))?;
        for (name, value) in [("group", &report.group), ("rule", &report.rule), ("lane", &report.lane), ("service", &report.service)] {
            if let Some(value) = value {
                arguments.set_item(name, value)?;
            }
        }
        for (name, value) in [
            ("subset", self.subset(py)?),
            ("fallback", self.fallback(py)?),
            ("reason", self.reason().into_pyobject(py)?),
            ("found", self.found(py)?),
            ("set_headers", self.set_headers(py)?.into_any()),
            ("remove_headers", self.remove_headers(py)?.into_any()),
            ("set_cookie", self.set_cookie(py)?),
            ("remember", self.remember(py)?.into_any()),
            ("notes", self.notes(py)?.into_any()),
            ("undetermined", self.undetermined(py)?.into_any()),
        ] {
            if !value.is_none() && (!value.hasattr("__len__")? || value.len()? > 0) {
                arguments.set_item(name, value)?;
            }
        }
        Ok(arguments)
    }
}

#[pymethods]
impl Decision {
    #[new]
    #[pyo3(signature = (*, outcome, group=None, rule=None, lane=None, service=None, subset=None, fallback=None, reason=None,
        found=None, set_headers=None, remove_headers=None, set_cookie=None, remember=None, notes=None, undetermined=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create(
        outcome: &str,
        group: Option<String>,
        rule: Option<String>,
        lane: Option<String>,
        service: Option<String>,
        subset: Option<&Bound<'_, PyAny>>,
        fallback: Option<&Bound<'_, PyAny>>,
        reason: Option<&str>,
        found: Option<&Bound<'_, PyAny>>,
        set_headers: Option<&Bound<'_, PyAny>>,
        remove_headers: Option<&Bound<'_, PyAny>>,
        set_cookie: Option<&Bound<'_, PyAny>>,
        remember: Option<&Bound<'_, PyAny>>,
        notes: Option<&Bound<'_, PyAny>>,
        undetermined: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let outcome: Outcome = of_word("outcome", outcome)?;
        let texts = |what, value: Option<&Bound<'_, PyAny>>| value.map(|value| convert::texts(what, value)).transpose();
        let lines = set_headers.map(|value| convert::pairs("set_headers", value)).transpose()?.unwrap_or_default();
        let lines = lines.iter().map(|(name, value)| Ok((convert::text("set_headers", name)?, convert::bytes("set_headers", value)?)));
        let remembered = remember.map(PyAnyMethods::try_iter).transpose()?;
        let report = Report {
            outcome,
            status: outcome.status(),
            group,
            rule,
            lane,
            service,
            subset: subset.map(read_subset).transpose()?,
            fallback: fallback.map(read_fallback).transpose()?,
            reason: reason.map(|reason| of_word("reason", reason)).transpose()?,
            found: found.map(read_found).transpose()?,
            set_headers: lines.collect::<PyResult<_>>()?,
            remove_headers: texts("remove_headers", remove_headers)?.unwrap_or_default(),
            set_cookie: set_cookie.map(read_set_cookie).transpose()?,
            remember: remembered.into_iter().flatten().map(|one| read_remembered(&one?)).collect::<PyResult<_>>()?,
            notes: texts("notes", notes)?.unwrap_or_default(),
            undetermined: texts("undetermined", undetermined)?.unwrap_or_default(),
        };
        Ok(Self { report: Arc::new(report), origin: None })
    }

    /// What becomes of the request: `routed`, `fell_back`, `pass`, `no_route`, `unavailable` or `undetermined` (S29).
    #[getter]
    fn outcome(&self) -> String {
        word(self.report.outcome)
    }

    /// The HTTP status that fits: 200, 404 or 503; 0 where nobody can say (S29).
    #[getter]
    fn status(&self) -> u16 {
        self.report.status
    }

    /// The group that decided.
    #[getter]
    fn group(&self) -> Option<&str> {
        self.report.group.as_deref()
    }

    /// The rule that decided.
    #[getter]
    fn rule(&self) -> Option<&str> {
        self.report.rule.as_deref()
    }

    /// The lane to which the request belongs; which one serves is `subset.lane`.
    #[getter]
    fn lane(&self) -> Option<&str> {
        self.report.lane.as_deref()
    }

    /// The called service's host; the name as given where it is nobody's.
    #[getter]
    fn service(&self) -> Option<&str> {
        self.report.service.as_deref()
    }

    /// The endpoints that serve.
    #[getter]
    fn subset<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(Subset { lane, labels }) = &self.report.subset else { return Ok(py.None().into_bound(py)) };
        convert::class(py, "Subset")?.call1((lane, labels.clone()))
    }

    /// Which lane serves in which one's place.
    #[getter]
    fn fallback<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(Fallback { from, to }) = &self.report.fallback else { return Ok(py.None().into_bound(py)) };
        convert::class(py, "Fallback")?.call1((from, to))
    }

    /// Why the lane itself does not serve: `not_in_lane`, `no_endpoints`, `none_healthy` or `below_min_healthy` (S24).
    #[getter]
    fn reason(&self) -> Option<String> {
        self.report.reason.map(word)
    }

    /// The lane name as it was found, and where.
    #[getter]
    fn found<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(Found { value, place }) = &self.report.found else { return Ok(py.None().into_bound(py)) };
        convert::class(py, "Found")?.call1((convert::from_bytes(py, value), word(*place)))
    }

    /// Headers to set, by name as configured; each replaces all lines of its name.
    #[getter]
    fn set_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in &self.report.set_headers {
            headers.set_item(name, convert::from_bytes(py, value))?;
        }
        Ok(headers)
    }

    /// Headers to remove: lower-case names, sorted.
    #[getter]
    fn remove_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.report.remove_headers)
    }

    /// The cookie to set for the client.
    #[getter]
    fn set_cookie<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(SetCookie { name, value, ttl_seconds }) = &self.report.set_cookie else { return Ok(py.None().into_bound(py)) };
        convert::class(py, "SetCookie")?.call1((name, value, ttl_seconds))
    }

    /// What to remember for the request's trace id.
    #[getter]
    fn remember<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        remembered(py, &self.report.remember)
    }

    /// Remarks, sorted: `below_min_healthy`, `context_full`, `no_trace_id`, `unknown_lane` (S29).
    #[getter]
    fn notes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.report.notes)
    }

    /// What the decision depends on and nobody recorded: `header NAME` or `roll`, sorted.
    #[getter]
    fn undetermined<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.report.undetermined)
    }

    /// Why the decision is what it is. With a `Liveness`, its counts of now are asked.
    ///
    /// Raises ValueError for a decision that no router of this process made.
    fn explain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.origin {
            Some(origin) => explanation::explain(py, (**origin).clone()),
            None => Err(PyValueError::new_err("this decision does not know its router: it was written down or unpickled")),
        }
    }

    /// Whether `explain` can tell why: not for decisions that were written down or unpickled.
    #[getter]
    fn explainable(&self) -> bool {
        self.origin.is_some()
    }

    /// The decision as every front-end of lane prints it, as Python's own objects (S29).
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::as_python(py, &*self.report)
    }

    /// The decision as every front-end of lane prints it (S29).
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&*self.report).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// What patterns of `match` statements name by position.
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("outcome", "lane", "service")
    }

    fn __hash__(&self) -> PyResult<u64> {
        self.to_json().map(|text| convert::hash(&text))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        convert::repr("Decision", &self.arguments(py)?)
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok(convert::new_arguments(self.arguments(py)?))
    }
}

/// What to remember, as a tuple of `lane.Remembered`.
pub(crate) fn remembered<'py>(py: Python<'py>, all: &[Remembered]) -> PyResult<Bound<'py, PyTuple>> {
    let class = convert::class(py, "Remembered")?;
    let one = |one: &Remembered| class.call1((&one.group, convert::from_bytes(py, &one.trace_id), &one.lane));
    PyTuple::new(py, all.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}

/// A word of the engine as it is written.
pub(crate) fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(String::from)).unwrap_or_default()
}

fn of_word<T: DeserializeOwned>(what: &str, word: &str) -> PyResult<T> {
    serde_json::from_value(word.into()).map_err(|error| PyValueError::new_err(format!("`{what}`: {error}")))
}

fn read_subset(value: &Bound<'_, PyAny>) -> PyResult<Subset> {
    let labels = convert::text_pairs("subset.labels", Some(&value.getattr("labels")?))?;
    Ok(Subset { lane: convert::text("subset.lane", &value.getattr("lane")?)?, labels: labels.into_iter().collect() })
}

fn read_fallback(value: &Bound<'_, PyAny>) -> PyResult<Fallback> {
    // `from` is a keyword of Python.
    let text = |name: &str| convert::text("fallback", &value.getattr(name)?);
    Ok(Fallback { from: text("origin")?, to: text("to")? })
}

fn read_found(value: &Bound<'_, PyAny>) -> PyResult<Found> {
    let place: FoundIn = of_word("found.place", &convert::text("found.place", &value.getattr("place")?)?)?;
    Ok(Found { value: convert::bytes("found.value", &value.getattr("value")?)?, place })
}

fn read_set_cookie(value: &Bound<'_, PyAny>) -> PyResult<SetCookie> {
    let text = |name: &str| convert::text("set_cookie", &value.getattr(name)?);
    Ok(SetCookie { name: text("name")?, value: text("value")?, ttl_seconds: value.getattr("ttl_seconds")?.extract()? })
}

fn read_remembered(value: &Bound<'_, PyAny>) -> PyResult<Remembered> {
    let text = |name: &str| convert::text("remember", &value.getattr(name)?);
    let trace_id = convert::bytes("remember", &value.getattr("trace_id")?)?;
    Ok(Remembered { group: text("group")?, trace_id, lane: text("lane")? })
}
