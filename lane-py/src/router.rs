//! The router as Python holds it: a compiled configuration with the text that it came from, which is what pickling
//! and comparing need. Every method takes what its caller calls a request, and options by keyword.

use std::{fs::File, io::Read, path::PathBuf, sync::Arc};

use lane_core::{Limits, Options, config::Config};
use lane_formats::{
    Format, Located,
    decision::Answer,
    request::{Ask, AskError, Place},
};
use pyo3::{
    exceptions::{PyOSError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict, PyString, PyTuple},
};

use crate::{
    bulk::{self, DecisionStream},
    chain, convert,
    coverage::Coverage,
    decision::{self, Decision, Origin},
    diagnostic::{self, Text},
    explanation,
    liveness::Liveness,
    request::{self, Request},
};

/// A compiled configuration and its text.
pub(crate) struct Loaded {
    pub(crate) router: lane_core::Router,
    pub(crate) config: Config,
    pub(crate) all_live: Arc<lane_core::Liveness>,
    pub(crate) coverage: Option<Arc<Coverage>>,
    warnings: Vec<Located>,
    text: Vec<u8>,
    format: Format,
    /// The file that it was read from, or what the caller calls it.
    name: Option<String>,
    limits: Limits,
    limits_given: Vec<(String, usize)>,
}

impl Loaded {
    /// The gateway that is meant where none is named.
    pub(crate) fn gateway(&self, given: Option<&str>) -> PyResult<String> {
        if let Some(given) = given {
            return Ok(given.into());
        }
        let mut named: Vec<&str> =
            self.config.groups.iter().flat_map(|group| group.gateways.iter().flatten()).map(String::as_str).collect();
        named.sort_unstable();
        named.dedup();
        match named.as_slice() {
            [] => Ok(String::new()),
            [only] => Ok((*only).into()),
            [..] => Err(PyValueError::new_err(format!("`gateway` is needed: the configuration names {}", named.join(", ")))),
        }
    }

    fn source(&self) -> Text<'_> {
        Text { name: self.name.as_deref(), bytes: &self.text, format: self.format }
    }
}

/// A compiled configuration: it decides where requests go.
///
/// Immutable, and shared freely between threads; to reload, make another one. Routers are equal when their texts are.
#[pyclass(frozen, eq, module = "lane")]
pub struct Router(pub(crate) Arc<Loaded>);

impl PartialEq for Router {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        one.text == other.text && one.format == other.format && one.limits == other.limits
    }
}

impl Router {
    fn load(py: Python<'_>, text: Vec<u8>, format: Format, name: Option<String>, limits_given: Vec<(String, usize)>) -> PyResult<Self> {
        let mut options = Options::default();
        for (limit, value) in &limits_given {
            set_limit(&mut options.limits, limit, *value)?;
        }
        let loaded = py.detach(|| lane_formats::load_bytes(&text, format, &options));
        match loaded {
            Ok(loaded) => Ok(Self(Arc::new(Loaded {
                coverage: Coverage::of(name.as_deref(), &loaded.config),
                router: loaded.router,
                config: loaded.config,
                all_live: Arc::new(lane_core::Liveness::all_live()),
                warnings: loaded.warnings,
                text,
                format,
                name,
                limits: options.limits,
                limits_given,
            }))),
            Err(refused) => Err(diagnostic::compile_error(py, &refused.findings, &Text { name: name.as_deref(), bytes: &text, format })),
        }
    }

    fn origin(&self, ask: Ask, live: Option<&Bound<'_, PyAny>>) -> PyResult<Origin> {
        Ok(Origin { router: self.0.clone(), ask, liveness: Liveness::of(&self.0, live)? })
    }

    /// The request where it enters: at a call of `service`, else at `gateway`.
    fn enter(
        &self,
        request: &Bound<'_, PyAny>,
        gateway: Option<&str>,
        service: Option<&str>,
        roll: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Ask> {
        let place = match (gateway, service) {
            (Some(_), Some(_)) => return Err(PyTypeError::new_err("a request enters at a `gateway` or at a `service`, not at both")),
            (None, Some(service)) => Place::Hop { service: service.into() },
            (gateway, None) => Place::Ingress { gateway: self.0.gateway(gateway)? },
        };
        Ok(Request::of(request)?.at(place, roll.map(request::read_roll).transpose()?))
    }

    pub(crate) fn repr(&self, py: Python<'_>) -> PyResult<String> {
        let loaded = &*self.0;
        let mut options = String::new();
        if !loaded.limits_given.is_empty() {
            let limits = limits_dict(py, &loaded.limits_given)?;
            options = format!(", limits={}", limits.repr()?);
        }
        let text = match str::from_utf8(&loaded.text) {
            Ok(text) => PyString::new(py, text).into_any(),
            Err(_) => PyBytes::new(py, &loaded.text).into_any(),
        };
        let constructor = match loaded.format {
            Format::Yaml => "from_yaml",
            Format::Json => "from_json",
        };
        Ok(match &loaded.name {
            Some(name) => format!("Router.from_file({}{options})", PyString::new(py, name).repr()?),
            None => format!("Router.{constructor}({}{options})", text.repr()?),
        })
    }
}

/// The decision, and the rule counted that made it.
pub(crate) fn decide(py: Python<'_>, origin: Origin) -> PyResult<Decision> {
    let answer = py.detach(|| origin.ask.answer_with(&origin.router.router, &origin.liveness));
    let Some(report) = answer.decision() else { return Err(PyValueError::new_err("nothing is decided where a request arrives")) };
    if let Some(coverage) = &origin.router.coverage {
        coverage.decided(report.group.as_deref(), report.rule.as_deref());
    }
    Ok(Decision::new(report, origin))
}

pub(crate) fn refused(error: AskError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[pymethods]
impl Router {
    /// Compiles a configuration written in YAML.
    ///
    /// `limits` changes what a configuration may ask for at most (S6), for example `{"rules": 1000}`.
    /// Raises CompileError with everything that is wrong.
    #[staticmethod]
    #[pyo3(signature = (text, *, limits=None))]
    fn from_yaml(py: Python<'_>, text: &Bound<'_, PyAny>, limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::load(py, document(text)?, Format::Yaml, None, read_limits(limits)?)
    }

    /// Compiles a configuration written in JSON. Raises CompileError with everything that is wrong.
    #[staticmethod]
    #[pyo3(signature = (text, *, limits=None))]
    fn from_json(py: Python<'_>, text: &Bound<'_, PyAny>, limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::load(py, document(text)?, Format::Json, None, read_limits(limits)?)
    }

    /// Compiles a configuration file: `.json` is JSON, all else YAML.
    ///
    /// Raises CompileError with everything that is wrong, and OSError if the file cannot be read.
    #[staticmethod]
    #[pyo3(signature = (path, *, limits=None))]
    fn from_file(py: Python<'_>, path: PathBuf, limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let name = path.to_string_lossy().into_owned();
        let text = read(&path).map_err(|error| unreadable(&error, &name))?;
        Self::load(py, text, Format::of_path(&name), Some(name), read_limits(limits)?)
    }

    /// Compiles a configuration that was read already, or made: what `json.loads` would give.
    ///
    /// Raises CompileError with everything that is wrong; its places are those of the same configuration as JSON.
    #[staticmethod]
    #[pyo3(signature = (config, *, limits=None))]
    fn from_dict(py: Python<'_>, config: &Bound<'_, PyAny>, limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let value = convert::to_json("", config)?;
        // Written out, so that a diagnostic has lines to point at.
        let text = serde_json::to_vec_pretty(&value).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Self::load(py, text, Format::Json, None, read_limits(limits)?)
    }

    /// Every finding of a configuration, errors and warnings, without making a router; a right one has none.
    #[staticmethod]
    #[pyo3(signature = (text, *, format="yaml", name=None))]
    fn check<'py>(py: Python<'py>, text: &Bound<'py, PyAny>, format: &str, name: Option<&str>) -> PyResult<Bound<'py, PyTuple>> {
        let format = read_format(format)?;
        let bytes = document(text)?;
        let found = match py.detach(|| lane_formats::load_bytes(&bytes, format, &Options::default())) {
            Ok(loaded) => loaded.warnings,
            Err(refused) => refused.findings,
        };
        diagnostic::diagnostics(py, &found, &Text { name, bytes: &bytes, format })
    }

    #[staticmethod]
    fn _restore(py: Python<'_>, text: Vec<u8>, format: &str, name: Option<String>, limits: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::load(py, text, read_format(format)?, name, read_limits(Some(limits))?)
    }

    /// Decides about a request at a gateway: which rule, which lane, which endpoints (S16, S17).
    ///
    /// `gateway` may be left out where the configuration names only one. `live` is a `Liveness` of this router, or counts:
    /// `{host: {lane: (endpoints, healthy)}}`; what is not listed counts as live. `roll` stands in for the request's own.
    #[pyo3(signature = (request, *, gateway=None, live=None, roll=None))]
    fn ingress(
        &self,
        request: &Bound<'_, PyAny>,
        gateway: Option<&str>,
        live: Option<&Bound<'_, PyAny>>,
        roll: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        decide(request.py(), self.origin(self.enter(request, gateway, None, roll)?, live)?)
    }

    /// Decides about a call of `service`, host or alias, inside the chain: which of its endpoints serve (S21 to S25).
    #[pyo3(signature = (request, *, service, live=None, roll=None))]
    fn hop(
        &self,
        request: &Bound<'_, PyAny>,
        service: &str,
        live: Option<&Bound<'_, PyAny>>,
        roll: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        decide(request.py(), self.origin(self.enter(request, None, Some(service), roll)?, live)?)
    }

    /// What a sidecar remembers of a request that arrives at its workload (S26a).
    fn inbound<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
        let ask = Request::of(request)?.at(Place::Inbound, None);
        match ask.answer_with(&self.0.router, &self.0.all_live) {
            Answer::Inbound { remember } => decision::remembered(request.py(), &remember),
            Answer::Decision(_) => Ok(PyTuple::empty(request.py())),
        }
    }

    /// Decides like `ingress`, or like `hop` where a `service` is given, and tells why (S30).
    #[pyo3(signature = (request, *, gateway=None, service=None, live=None, roll=None))]
    fn explain<'py>(
        &self,
        request: &Bound<'py, PyAny>,
        gateway: Option<&str>,
        service: Option<&str>,
        live: Option<&Bound<'py, PyAny>>,
        roll: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        explanation::explain(request.py(), self.origin(self.enter(request, gateway, service, roll)?, live)?)
    }

    /// Follows a request through the whole chain: the gateway's decision, or that of a first call, and one at every call.
    ///
    /// `services` are called one after the other, each by the one before; left out, they are those of the deciding group
    /// from the first one on. Applications pass on no more than the group's context.
    #[pyo3(signature = (request, *, gateway=None, service=None, services=None, live=None, roll=None))]
    fn trace<'py>(
        &self,
        request: &Bound<'py, PyAny>,
        gateway: Option<&str>,
        service: Option<&str>,
        services: Option<&Bound<'py, PyAny>>,
        live: Option<&Bound<'py, PyAny>>,
        roll: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let services = services.map(|services| convert::texts("services", services)).transpose()?;
        chain::trace(request.py(), self.origin(self.enter(request, gateway, service, roll)?, live)?, services)
    }

    /// Follows a request through a call graph. `calls` are made by the service that the request enters: names, or a
    /// mapping from a name to the calls that it makes in turn, for example `{"mockb": ["mockc"], "mockd": []}`.
    #[pyo3(signature = (request, calls, *, gateway=None, service=None, live=None, roll=None))]
    fn trace_calls<'py>(
        &self,
        request: &Bound<'py, PyAny>,
        calls: &Bound<'py, PyAny>,
        gateway: Option<&str>,
        service: Option<&str>,
        live: Option<&Bound<'py, PyAny>>,
        roll: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        chain::tree(request.py(), self.origin(self.enter(request, gateway, service, roll)?, live)?, calls)
    }

    /// Answers a request written as data (section 8 of the semantics): with a decision, or for `inbound` with what to remember.
    fn answer<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = request.py();
        let ask = Ask::from_value(&convert::to_json("", request)?).map_err(refused)?;
        let liveness = Arc::new(ask.liveness(&self.0.router).map_err(refused)?);
        if ask.place == Place::Inbound {
            return Ok(match ask.answer_with(&self.0.router, &liveness) {
                Answer::Inbound { remember } => decision::remembered(py, &remember)?.into_any(),
                Answer::Decision(_) => PyTuple::empty(py).into_any(),
            });
        }
        let decision = decide(py, Origin { router: self.0.clone(), ask, liveness })?;
        Ok(decision.into_pyobject(py)?.into_any())
    }

    /// A table of endpoint counts for this router; what is not set counts as live.
    #[pyo3(signature = (counts=None))]
    fn liveness(&self, counts: Option<&Bound<'_, PyAny>>) -> PyResult<Liveness> {
        Liveness::new(self.0.clone(), counts)
    }

    /// Decides about every row of a table or stream of requests; see the README for columns and results.
    #[pyo3(signature = (data, *, gateway=None, service=None, columns=None, constants=None, recorded=None, live=None,
        output=None, keep=None, prefix="", dictionary=true))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn route_arrow(
        &self,
        data: &Bound<'_, PyAny>,
        gateway: Option<String>,
        service: Option<String>,
        columns: Option<&Bound<'_, PyAny>>,
        constants: Option<&Bound<'_, PyAny>>,
        recorded: Option<&Bound<'_, PyAny>>,
        live: Option<&Bound<'_, PyAny>>,
        output: Option<&Bound<'_, PyAny>>,
        keep: Option<&Bound<'_, PyAny>>,
        prefix: &str,
        dictionary: bool,
    ) -> PyResult<DecisionStream> {
        let liveness = Liveness::of(&self.0, live)?;
        let options = bulk::Options { gateway, service, columns, constants, recorded, output, keep, prefix, dictionary };
        bulk::route(&self.0, data, liveness, &options)
    }

    /// What is doubtful about the configuration.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        diagnostic::diagnostics(py, &self.0.warnings, &self.0.source())
    }

    /// The configuration as data, without what was left out.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::as_python(py, &self.0.config)
    }

    /// The file that the configuration was read from.
    #[getter]
    fn file(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    fn __hash__(&self) -> u64 {
        convert::hash(&String::from_utf8_lossy(&self.0.text))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.repr(py)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let Loaded { text, format, name, limits_given, .. } = &*self.0;
        let format = match format {
            Format::Yaml => "yaml",
            Format::Json => "json",
        };
        let arguments = (PyBytes::new(py, text), format, name, limits_dict(py, limits_given)?).into_pyobject(py)?;
        Ok((py.get_type::<Self>().getattr("_restore")?, arguments))
    }
}

/// A document's text: `str`, or the bytes of a file.
fn document(text: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    convert::bytes("text", text).map(|bytes| bytes.0)
}

pub(crate) fn read_format(format: &str) -> PyResult<Format> {
    match format {
        "yaml" => Ok(Format::Yaml),
        "json" => Ok(Format::Json),
        _ => Err(PyValueError::new_err(format!("`format` is \"yaml\" or \"json\", not {format:?}"))),
    }
}

/// A document beyond this is refused anyway, unless its limit was raised.
const MOST: u64 = 1 << 30;

fn read(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut text)?;
    Ok(text)
}

/// The exception that `open` would raise.
fn unreadable(error: &std::io::Error, name: &str) -> PyErr {
    match error.raw_os_error() {
        // The system's words without Rust's number behind them; the class follows from the number.
        Some(number) => {
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, words, name.to_owned()))
        }
        None => PyOSError::new_err(format!("{error}: {name}")),
    }
}

const LIMITS: &str = "rules, automata_bytes, regex_bytes, lanes, services, groups, subsets, condition_levels, document_bytes";

fn set_limit(limits: &mut Limits, name: &str, value: usize) -> PyResult<()> {
    *match name {
        "rules" => &mut limits.rules,
        "automata_bytes" => &mut limits.automata_bytes,
        "regex_bytes" => &mut limits.regex_bytes,
        "lanes" => &mut limits.lanes,
        "services" => &mut limits.services,
        "groups" => &mut limits.groups,
        "subsets" => &mut limits.subsets,
        "condition_levels" => &mut limits.condition_levels,
        "document_bytes" => &mut limits.document_bytes,
        _ => return Err(PyValueError::new_err(format!("there is no limit {name:?}; there are: {LIMITS}"))),
    } = value;
    Ok(())
}

fn read_limits(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, usize)>> {
    let Some(limits) = limits.filter(|limits| !limits.is_none()) else { return Ok(Vec::new()) };
    let limit = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name = convert::text("limits", &name)?;
        let wanted = |_| convert::wrong_type(&format!("limits[{name:?}]"), "a whole number from 0", &value);
        Ok((name.clone(), value.extract().map_err(wanted)?))
    };
    convert::pairs("limits", limits)?.into_iter().map(limit).collect()
}

fn limits_dict<'py>(py: Python<'py>, limits: &[(String, usize)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in limits {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}
