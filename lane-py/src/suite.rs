//! Test files (`lane test`) for the pytest plugin: each case is run on its own, and a failed one tells what differs
//! and why.

use lane_core::Options;
use lane_formats::{
    Format,
    cases::{self, SuiteConfig},
    chain::{self, TraceOptions},
};
use pyo3::{prelude::*, types::PyTuple};

use crate::{
    convert,
    decision::Origin,
    diagnostic::{self, Text},
    explanation,
    router::{Router, read_format, refused},
};

/// A test file: a configuration, and requests with what is expected of them.
#[pyclass(frozen, module = "lane._lane")]
pub struct Suite {
    config: Option<String>,
    inline: bool,
    cases: Vec<cases::Case>,
}

#[pymethods]
impl Suite {
    /// Reads a test file. Raises CompileError with everything that is wrong with it.
    #[staticmethod]
    #[pyo3(signature = (text, *, format="yaml", name=None))]
    fn read(py: Python<'_>, text: &str, format: &str, name: Option<&str>) -> PyResult<Self> {
        let format: Format = read_format(format)?;
        let source = Text { name, bytes: text.as_bytes(), format };
        let suite = cases::Suite::read(text, format, &Options::default());
        let suite = suite.map_err(|refused| diagnostic::compile_error(py, &refused.findings, &source))?;
        let (config, inline) = match suite.config {
            None => (None, false),
            Some(SuiteConfig::Path(path)) => (Some(path), false),
            Some(SuiteConfig::Inline(loaded)) => {
                let text = serde_json::to_string(&loaded.config);
                (Some(text.map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?), true)
            }
        };
        Ok(Self { config, inline, cases: suite.cases })
    }

    /// The configuration's file, relative to the test file; `None` where it stands in the test file or nowhere.
    #[getter]
    fn config_file(&self) -> Option<&str> {
        self.config.as_deref().filter(|_| !self.inline)
    }

    /// The configuration that stands in the test file, as JSON.
    #[getter]
    fn config_text(&self) -> Option<&str> {
        self.config.as_deref().filter(|_| self.inline)
    }

    /// The cases, in order.
    #[getter]
    fn cases(&self) -> Vec<Case> {
        self.cases.iter().cloned().map(Case).collect()
    }
}

/// One request and what is expected of it.
#[pyclass(frozen, module = "lane._lane")]
#[derive(Clone)]
pub struct Case(cases::Case);

#[pymethods]
impl Case {
    /// The case's name, unique in its file.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its line, counted from 1.
    #[getter]
    fn line(&self) -> usize {
        self.0.line
    }

    /// Asks the router. Returns what is not as expected, as (field, wanted, actual); a case holds when that is nothing.
    ///
    /// Raises ValueError if the request cannot be asked of this router.
    fn run<'py>(&self, router: &Bound<'py, Router>) -> PyResult<Bound<'py, PyTuple>> {
        let py = router.py();
        let loaded = &router.get().0;
        let differences = self.0.run(&loaded.router, &loaded.config).map_err(refused)?;
        self.count(router.get());
        let one =
            |one: &cases::Difference| Ok((one.key.clone(), convert::as_python(py, &one.wanted)?, convert::as_python(py, &one.actual)?));
        PyTuple::new(py, differences.iter().map(one).collect::<PyResult<Vec<_>>>()?)
    }

    /// Why the decisions about the case are what they are: of the request, and of every call of its chain.
    fn explain<'py>(&self, router: &Bound<'py, Router>) -> PyResult<Bound<'py, PyTuple>> {
        let py = router.py();
        let loaded = &router.get().0;
        let mut asks = vec![self.0.request.clone()];
        if let Some(chain) = self.chain(router.get()) {
            asks = chain.asks(&self.0.request);
        }
        let mut explanations = Vec::new();
        for ask in asks {
            // What arrives decides nothing.
            if ask.place != lane_formats::request::Place::Inbound {
                let liveness = std::sync::Arc::new(ask.liveness(&loaded.router).map_err(refused)?);
                explanations.push(explanation::explain(py, Origin { router: loaded.clone(), ask, liveness })?);
            }
        }
        PyTuple::new(py, explanations)
    }
}

impl Case {
    fn chain(&self, router: &Router) -> Option<chain::Chain> {
        let services = self.0.chain.as_ref()?.iter().map(|(service, _)| service.clone()).collect();
        let options = TraceOptions { ask: self.0.request.clone(), services: Some(services) };
        chain::trace(&router.0.router, &router.0.config, &options).ok()
    }

    /// Counts the rules that decided.
    fn count(&self, router: &Router) {
        let Some(coverage) = &router.0.coverage else { return };
        let answer = self.0.request.answer(&router.0.router).ok().and_then(lane_formats::decision::Answer::decision);
        let chain = self.chain(router);
        for report in answer.iter().chain(chain.iter().flat_map(chain::Chain::decisions)) {
            coverage.decided(report.group.as_deref(), report.rule.as_deref());
        }
    }
}
