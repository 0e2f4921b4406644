//! A request as Python holds it: immutable, comparable, picklable. What others call a request (those of `requests`
//! and `httpx`, WSGI and ASGI scopes) is read in `python/lane/_accept.py`.

use std::sync::Arc;

use lane_formats::{
    Bytes,
    request::{Ask, Place, Source},
};
use pyo3::{
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::{PyBool, PyDict, PyInt, PyString, PyTuple},
};

use crate::convert;

/// One request, as far as it is known.
///
/// Every argument may be left out: `None` for `method`, `authority` and `path` means that the request carries none.
/// `recorded` names the headers that the recorder could see, where it did not see all; what depends on another is then
/// undetermined. `roll` is a number from 0 to 2**64 - 1 that splits without a key draw by.
#[pyclass(frozen, eq, module = "lane")]
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The place says nothing: the router's method does.
    pub(crate) ask: Arc<Ask>,
}

impl Request {
    /// What anybody calls a request.
    pub(crate) fn of(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(request) = value.cast::<Self>() {
            return Ok(request.get().clone());
        }
        let py = value.py();
        let read = py.import(intern!(py, "lane._accept"))?.call_method1(intern!(py, "request_of"), (value,))?;
        read.cast::<Self>().map(|request| request.get().clone()).map_err(|_| PyTypeError::new_err("`request_of` must give a lane.Request"))
    }

    pub(crate) fn from_ask(ask: Ask) -> Self {
        Self { ask: Arc::new(ask) }
    }

    /// The request asked at this place, with the roll that is given beside it.
    pub(crate) fn at(&self, place: Place, roll: Option<u64>) -> Ask {
        let mut ask = Ask { place, ..(*self.ask).clone() };
        ask.roll = roll.or(ask.roll);
        ask
    }

    /// What differs from a request of which nothing is known, as arguments of the class.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let ask = &*self.ask;
        let arguments = PyDict::new(py);
        for (name, value) in [("method", &ask.method), ("authority", &ask.authority), ("path", &ask.path)] {
            if let Some(value) = value {
                arguments.set_item(name, convert::from_bytes(py, value))?;
            }
        }
        if !ask.headers.is_empty() {
            arguments.set_item("headers", self.headers(py)?)?;
        }
        if ask.source != Source::default() {
            arguments.set_item("source", self.source(py)?)?;
        }
        if !ask.remembered.is_empty() {
            arguments.set_item("remembered", self.remembered(py)?)?;
        }
        if let Some(roll) = ask.roll {
            arguments.set_item("roll", roll)?;
        }
        if ask.recorded.is_some() {
            arguments.set_item("recorded", self.recorded(py)?)?;
        }
        Ok(arguments)
    }
}

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (*, method=None, authority=None, path=None, headers=None, source=None, remembered=None, roll=None, recorded=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        method: Option<&Bound<'_, PyAny>>,
        authority: Option<&Bound<'_, PyAny>>,
        path: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        source: Option<&Bound<'_, PyAny>>,
        remembered: Option<&Bound<'_, PyAny>>,
        roll: Option<&Bound<'_, PyAny>>,
        recorded: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let bytes = |what: &str, value: Option<&Bound<'_, PyAny>>| value.map(|value| convert::bytes(what, value)).transpose();
        let mut ask = Ask::new(Place::Inbound);
        ask.method = bytes("method", method)?;
        ask.authority = bytes("authority", authority)?;
        ask.path = bytes("path", path)?;
        ask.headers = headers.map(header_lines).transpose()?.unwrap_or_default();
        ask.source = source.map(read_source).transpose()?.unwrap_or_default();
        ask.remembered = convert::text_pairs("remembered", remembered)?;
        ask.roll = roll.map(read_roll).transpose()?;
        ask.recorded = recorded.map(|names| convert::texts("recorded", names)).transpose()?;
        Ok(Self::from_ask(ask))
    }

    /// A request of what others call one: a `requests` or `httpx` request, a WSGI environment, an ASGI scope, a
    /// mapping with the fields of this class, or a lane.Request itself.
    #[staticmethod]
    #[pyo3(name = "of")]
    fn of_any(request: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::of(request)
    }

    /// A request for this URL; what else is known of it is given as for the class.
    #[staticmethod]
    #[pyo3(signature = (url, *, method="GET", **known))]
    fn from_url<'py>(url: &Bound<'py, PyString>, method: &str, known: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let py = url.py();
        let arguments = known.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        arguments.set_item("method", method)?;
        let (authority, path): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            py.import(intern!(py, "lane._accept"))?.call_method1(intern!(py, "split_url"), (url,))?.extract()?;
        arguments.set_item("authority", authority)?;
        arguments.set_item("path", path)?;
        py.get_type::<Self>().call((), Some(&arguments))
    }

    /// The same request with some fields changed.
    #[pyo3(signature = (**changes))]
    fn replace<'py>(&self, py: Python<'py>, changes: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let arguments = self.arguments(py)?;
        if let Some(changes) = changes {
            arguments.update(changes.as_mapping())?;
        }
        py.get_type::<Self>().call((), Some(&arguments))
    }

    /// The method, for example `GET`.
    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.ask.method.as_ref().map(|value| convert::from_bytes(py, value))
    }

    /// The authority, with or without port.
    #[getter]
    fn authority<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.ask.authority.as_ref().map(|value| convert::from_bytes(py, value))
    }

    /// The path as received, with query and fragment if there are any.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.ask.path.as_ref().map(|value| convert::from_bytes(py, value))
    }

    /// The header lines, in order.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.ask.headers.iter().map(|(name, value)| (name, convert::from_bytes(py, value))))
    }

    /// Who calls.
    #[getter]
    fn source<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Source { service, labels, lane, ip } = &self.ask.source;
        let all = PyDict::new(py);
        for (name, value) in labels {
            all.set_item(name, value)?;
        }
        convert::class(py, "Source")?.call1((service, all, lane, ip))
    }

    /// The lanes remembered for the request's trace id, by group.
    #[getter]
    fn remembered<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let remembered = PyDict::new(py);
        for (group, lane) in &self.ask.remembered {
            remembered.set_item(group, lane)?;
        }
        Ok(remembered)
    }

    /// The number that splits without a key draw by.
    #[getter]
    fn roll(&self) -> Option<u64> {
        self.ask.roll
    }

    /// The names of the headers that the recorder could see; `None` where it saw them all.
    #[getter]
    fn recorded<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.ask.recorded.as_ref().map(|names| PyTuple::new(py, names)).transpose()
    }

    /// What patterns of `match` statements name by position.
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("method", "authority", "path")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        convert::repr("Request", &self.arguments(py)?)
    }

    fn __hash__(&self) -> u64 {
        convert::hash(&self.ask.to_value().to_string())
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok(convert::new_arguments(self.arguments(py)?))
    }
}

/// Header lines of a mapping or of pairs; where a mapping has a list for a name, each entry is a line.
fn header_lines(value: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Bytes)>> {
    let mut lines = Vec::new();
    for (name, value) in convert::pairs("headers", value)? {
        let name = convert::bytes("headers", &name)?;
        let Some(name) = name.as_str() else { return Err(PyValueError::new_err("a header's name is not UTF-8")) };
        let what = format!("headers[{name:?}]");
        match value.cast::<pyo3::types::PyList>() {
            Ok(values) => {
                for value in values {
                    lines.push((name.to_owned(), convert::bytes(&what, &value)?));
                }
            }
            Err(_) => lines.push((name.to_owned(), convert::bytes(&what, &value)?)),
        }
    }
    Ok(lines)
}

/// Who calls: a `lane.Source`, or a mapping with its fields.
fn read_source(value: &Bound<'_, PyAny>) -> PyResult<Source> {
    let py = value.py();
    let class = convert::class(py, "Source")?;
    let given = if value.is_instance(&class)? {
        value.clone()
    } else {
        let fields = PyDict::new(py);
        for (name, field) in convert::pairs("source", value)? {
            fields.set_item(name, field)?;
        }
        class.call((), Some(&fields)).map_err(|error| {
            let refused = PyTypeError::new_err("`source` has the fields service, labels, lane and ip");
            refused.set_cause(py, Some(error));
            refused
        })?
    };
    let field = |name: &str| given.getattr(name);
    Ok(Source {
        service: convert::optional_text("source.service", Some(&field("service")?))?,
        labels: convert::text_pairs("source.labels", Some(&field("labels")?))?,
        lane: convert::optional_text("source.lane", Some(&field("lane")?))?,
        ip: convert::optional_text("source.ip", Some(&field("ip")?))?,
    })
}

/// An unsigned number of 64 bits, or its decimal digits as tools write them.
pub(crate) fn read_roll(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    const WANTED: &str = "a whole number from 0 to 18446744073709551615";
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        let refused = |_| PyOverflowError::new_err(format!("`roll` must be {WANTED}"));
        return value.extract().map_err(refused);
    }
    if let Ok(text) = value.cast::<PyString>() {
        let digits = convert::text("roll", text.as_any())?;
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        return number.ok_or_else(|| PyValueError::new_err(format!("`roll` must be {WANTED}")));
    }
    Err(convert::wrong_type("roll", WANTED, value))
}
