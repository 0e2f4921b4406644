//! Whole chains and call graphs for Python: `lane.Chain`, `lane.Hop`, `lane.CallTree`, `lane.Call`, with decisions that
//! can each tell why.

use lane_formats::{
    Bytes,
    chain::{self, Branch, TraceOptions},
    decision::Report,
    request::Ask,
};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyMapping, PyString, PyTuple},
};

use crate::{
    convert,
    decision::{self, Decision, Origin},
    router::refused,
};

/// More levels of calls than any chain has.
const MOST_LEVELS: usize = 64;

/// A request's way through a line of services.
pub(crate) fn trace(py: Python<'_>, origin: Origin, services: Option<Vec<String>>) -> PyResult<Bound<'_, PyAny>> {
    let loaded = origin.router.clone();
    let ask = with_counts(&origin);
    let options = TraceOptions { ask, services };
    let chain = py.detach(|| chain::trace(&loaded.router, &loaded.config, &options)).map_err(refused)?;
    let mut asks = chain.asks(&options.ask).into_iter();
    let mut made = |report: &Report| decision_of(py, &origin, report, asks.next());
    let ingress = chain.ingress.as_ref().map(&mut made).transpose()?;
    let class = convert::class(py, "Hop")?;
    let mut hops = Vec::with_capacity(chain.hops.len());
    for hop in &chain.hops {
        let decision = made(&hop.decision)?;
        let remembered = decision::remembered(py, &hop.remembered)?;
        hops.push(class.call1((&hop.from, &hop.service, decision, lines(py, &hop.passed_on)?, remembered))?);
    }
    let table = chain.table.as_ref().map(|table| self::table(py, table)).transpose()?;
    let share = |share: &chain::Share| {
        convert::class(py, "Share")?.call_method1("_of", (&share.lane, share.weight, share.numerator, share.denominator))
    };
    let shares = chain.shares.as_ref().map(|shares| shares.iter().map(share).collect::<PyResult<Vec<_>>>());
    let shares = shares.transpose()?.map(|shares| PyTuple::new(py, shares)).transpose()?;
    convert::class(py, "Chain")?.call1((ingress, PyTuple::new(py, hops)?, chain.complete, table, shares))
}

/// A request's way through a call graph.
pub(crate) fn tree<'py>(py: Python<'py>, origin: Origin, calls: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let calls = read_calls(calls, 0)?;
    let loaded = origin.router.clone();
    let ask = with_counts(&origin);
    let tree = py.detach(|| chain::tree(&loaded.router, &loaded.config, &ask, &calls)).map_err(refused)?;
    let decision = decision_of(py, &origin, &tree.entry, Some(ask))?;
    convert::class(py, "CallTree")?.call1((decision, branches(py, &origin, &tree.calls)?))
}

fn branches<'py>(py: Python<'py>, origin: &Origin, calls: &[Branch]) -> PyResult<Bound<'py, PyTuple>> {
    let class = convert::class(py, "Call")?;
    let branch = |branch: &Branch| {
        let hop = &branch.hop;
        let decision = decision_of(py, origin, &hop.decision, Some(branch.ask.clone()))?;
        let remembered = decision::remembered(py, &hop.remembered)?;
        let calls = branches(py, origin, &branch.calls)?;
        class.call1((&hop.from, &hop.service, decision, lines(py, &hop.passed_on)?, remembered, calls))
    };
    PyTuple::new(py, calls.iter().map(branch).collect::<PyResult<Vec<_>>>()?)
}

/// What a service calls: names, or a mapping from names to what they call.
fn read_calls(value: &Bound<'_, PyAny>, level: usize) -> PyResult<Vec<chain::Call>> {
    if level > MOST_LEVELS {
        return Err(PyValueError::new_err(format!("`calls` is nested more than {MOST_LEVELS} levels deep")));
    }
    if value.is_none() {
        return Ok(Vec::new());
    }
    if value.is_instance_of::<PyString>() {
        return Err(convert::wrong_type("calls", "names or a mapping from names to their calls", value));
    }
    if let Ok(mapping) = value.cast::<PyMapping>() {
        let call = |(service, calls): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok(chain::Call { service: convert::text("calls", &service)?, calls: read_calls(&calls, level + 1)? })
        };
        return convert::pairs("calls", mapping.as_any())?.into_iter().map(call).collect();
    }
    let mut calls = Vec::new();
    for item in value.try_iter().map_err(|_| convert::wrong_type("calls", "names or a mapping from names to their calls", value))? {
        let item = item?;
        match item.cast::<PyString>() {
            Ok(_) => calls.push(chain::Call { service: convert::text("calls", &item)?, calls: Vec::new() }),
            Err(_) => calls.extend(read_calls(&item, level + 1)?),
        }
    }
    Ok(calls)
}

/// The decision with the request that was asked; the rule that made it is counted.
fn decision_of(py: Python<'_>, origin: &Origin, report: &Report, ask: Option<Ask>) -> PyResult<Py<Decision>> {
    if let Some(coverage) = &origin.router.coverage {
        coverage.decided(report.group.as_deref(), report.rule.as_deref());
    }
    let ask = ask.unwrap_or_else(|| origin.ask.clone());
    Py::new(py, Decision::new(report.clone(), Origin { ask, ..origin.clone() }))
}

/// The request with the endpoint counts in it: a chain is asked with those that its request brings.
fn with_counts(origin: &Origin) -> Ask {
    let router = &origin.router.router;
    let mut ask = origin.ask.clone();
    if std::sync::Arc::ptr_eq(&origin.liveness, &origin.router.all_live) {
        return ask;
    }
    for group in router.groups() {
        for service in router.services(group) {
            for lane in router.lanes(group) {
                let counts = router.subset(service, lane).and_then(|subset| origin.liveness.get(subset));
                if let Some(counts) = counts {
                    ask.live.push(lane_formats::request::Live {
                        service: router.service_host(service).into(),
                        lane: router.lane_name(lane).into(),
                        endpoints: counts.total,
                        healthy: counts.healthy,
                    });
                }
            }
        }
    }
    ask
}

fn lines<'py>(py: Python<'py>, lines: &[(String, Bytes)]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, lines.iter().map(|(name, value)| (name, convert::from_bytes(py, value))))
}

fn table<'py>(py: Python<'py>, table: &chain::Table) -> PyResult<Bound<'py, PyAny>> {
    let class = convert::class(py, "Cell")?;
    let cell = |cell: &chain::Cell| {
        let outcome = decision::word(cell.outcome);
        class.call1((outcome, &cell.lane, cell.fallback, cell.reason.map(decision::word)))
    };
    let row = |row: &chain::Row| {
        let cells = row.cells.iter().map(cell).collect::<PyResult<Vec<_>>>()?;
        Ok((row.lane.clone(), PyTuple::new(py, cells)?))
    };
    let rows = table.rows.iter().map(row).collect::<PyResult<Vec<_>>>()?;
    convert::class(py, "LaneTable")?.call_method1("_of", (&table.group, PyTuple::new(py, &table.services)?, rows))
}
