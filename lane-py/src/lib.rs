//! `lane._lane`, the compiled half of the Python package: routers and what is asked of them. Plain values and
//! everything that only combines calls are written in Python, in `python/lane`; the types of this half are declared
//! in `_lane.pyi`. Nothing here decides anything: that is `lane-core`'s business, and reading text `lane-formats`'s.
#![forbid(unsafe_code)]
#![expect(unreachable_pub, reason = "Python reaches what Rust cannot see")]

mod bulk;
mod chain;
mod convert;
mod coverage;
mod decision;
mod diagnostic;
mod explanation;
mod liveness;
mod request;
mod router;
mod suite;
mod trace_table;

/// The compiled half of the package `lane`.
#[pyo3::pymodule(gil_used = false)]
mod _lane {
    #[pymodule_export]
    use crate::bulk::DecisionStream;
    #[pymodule_export]
    use crate::coverage::{covered_rules, track_coverage};
    #[pymodule_export]
    use crate::decision::Decision;
    #[pymodule_export]
    use crate::liveness::Liveness;
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::router::Router;
    #[pymodule_export]
    use crate::suite::{Case, Suite};
    #[pymodule_export]
    use crate::trace_table::TraceTable;

    use pyo3::{Bound, PyResult, Python, pyfunction, types::PyModule, types::PyModuleMethods};

    /// Runs the `lane` command with these arguments, the command's name first, and returns its exit code.
    #[pyfunction]
    fn run_command(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
        py.detach(|| lane_cli::run(arguments))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
