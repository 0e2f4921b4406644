//! Decisions about tables and streams of requests, over the Arrow PyCapsule interface: nothing is copied on the way in,
//! memory stays constant, and the interpreter's lock is not held while rows are decided.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use lane_core::{Decision, Headers, Liveness, Outcome, Request, Source, config::At};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
    types::{PyBool, PyCapsule, PyDict, PyTuple},
};
use pyo3_arrow::{PyRecordBatchReader, input::AnyRecordBatch};

use crate::{convert, router::Loaded};

mod cells;
mod needs;
mod output;
mod plan;
mod rows;

use cells::Cells;
use output::{Column, Dictionaries, Result as Output};
use plan::{Batch, Plan};
use rows::{Complete, Partial, Row};

/// So many rows are decided at once: a batch of results fits into a processor's cache.
const ROWS: usize = 1 << 16;

/// What `route_arrow` was told.
pub(crate) struct Options<'a, 'py> {
    pub(crate) gateway: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) columns: Option<&'a Bound<'py, PyAny>>,
    pub(crate) constants: Option<&'a Bound<'py, PyAny>>,
    pub(crate) recorded: Option<&'a Bound<'py, PyAny>>,
    pub(crate) output: Option<&'a Bound<'py, PyAny>>,
    pub(crate) keep: Option<&'a Bound<'py, PyAny>>,
    pub(crate) prefix: &'a str,
    pub(crate) dictionary: bool,
}

/// Decides about every row.
pub(crate) fn route(
    loaded: &Arc<Loaded>,
    data: &Bound<'_, PyAny>,
    liveness: Arc<Liveness>,
    options: &Options<'_, '_>,
) -> PyResult<DecisionStream> {
    let arrow = ["__arrow_c_stream__", "__arrow_c_array__"];
    if !arrow.iter().any(|name| data.hasattr(*name).unwrap_or(false)) {
        let wanted = "an Arrow table or stream (polars, pyarrow, pandas, DuckDB: anything with `__arrow_c_stream__`)";
        return Err(convert::wrong_type("data", wanted, data));
    }
    let reader = data.extract::<AnyRecordBatch>()?.into_reader()?;
    let given = reader.schema();
    let outputs = outputs(options)?;
    let plan = Plan::new(loaded, &given, options, outputs.contains(&Output::Notes))?;
    let kept = kept(&given, options)?;
    let mut fields: Vec<_> = kept.iter().filter_map(|position| given.fields().get(*position).cloned()).collect();
    for output in &outputs {
        let name = format!("{}{}", options.prefix, output.name());
        if fields.iter().any(|field| *field.name() == name) {
            let message = format!("the results have a column `{name}` twice; give a `prefix`, for example prefix=\"lane_\"");
            return Err(PyValueError::new_err(message));
        }
        fields.push(Arc::new(output.field(name, options.dictionary)));
    }
    let router = Routing {
        dictionaries: Dictionaries::of(&loaded.router),
        loaded: loaded.clone(),
        liveness,
        plan,
        outputs,
        kept,
        dictionary: options.dictionary,
        schema: Arc::new(Schema::new(fields)),
    };
    let schema = router.schema.clone();
    let stream = Routed { reader, router, rest: None, rows_before: 0, failed: false };
    Ok(DecisionStream { reader: Mutex::new(Some(Box::new(stream))), schema })
}

fn outputs(options: &Options<'_, '_>) -> PyResult<Vec<Output>> {
    let Some(names) = options.output.filter(|names| !names.is_none()) else { return Ok(Output::USUAL.to_vec()) };
    let named = |name: String| {
        let all = || Output::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        Output::named(&name).ok_or_else(|| PyValueError::new_err(format!("there is no result `{name}`; there are: {}", all())))
    };
    convert::texts("output", names)?.into_iter().map(named).collect()
}

/// The positions of the columns that go into the results.
fn kept(schema: &Schema, options: &Options<'_, '_>) -> PyResult<Vec<usize>> {
    let Some(keep) = options.keep.filter(|keep| !keep.is_none()) else { return Ok(Vec::new()) };
    if let Ok(all) = keep.cast::<PyBool>() {
        return Ok(if all.is_true() { (0..schema.fields().len()).collect() } else { Vec::new() });
    }
    let position = |name: String| {
        let names = || schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
        let position = schema.fields().iter().position(|field| *field.name() == name);
        position.ok_or_else(|| PyValueError::new_err(format!("there is no column `{name}` to keep; there are: {}", names())))
    };
    convert::texts("keep", keep)?.into_iter().map(position).collect()
}

/// Everything that deciding about a batch needs.
struct Routing {
    loaded: Arc<Loaded>,
    liveness: Arc<Liveness>,
    plan: Plan,
    dictionaries: Dictionaries,
    outputs: Vec<Output>,
    kept: Vec<usize>,
    dictionary: bool,
    schema: SchemaRef,
}

impl Routing {
    /// The results of a batch; `before` rows came before it.
    fn batch(&self, batch: &RecordBatch, before: usize) -> Result<RecordBatch, ArrowError> {
        let rows = self.plan.batch(batch)?;
        let mut columns: Vec<Column<'_>> = self.outputs.iter().map(|output| Column::new(*output, &self.dictionaries, rows.rows)).collect();
        self.decide(&rows, before, &mut columns)?;
        let kept = self.kept.iter().filter_map(|position| batch.columns().get(*position).cloned());
        let mut arrays: Vec<ArrayRef> = kept.collect();
        for column in columns {
            arrays.push(column.finish(self.dictionary)?);
        }
        RecordBatch::try_new(self.schema.clone(), arrays)
    }

    fn decide(&self, batch: &Batch, before: usize, columns: &mut [Column<'_>]) -> Result<(), ArrowError> {
        let mut cookies = Vec::new();
        let mut labels = Vec::new();
        let mut remembered = Vec::new();
        for row in 0..batch.rows {
            let wrong = |wrong: Wrong| ArrowError::ComputeError(format!("row {}, `{}`: {}", before + row, wrong.what, wrong.why));
            let place = match &batch.place {
                None => self.plan.place.as_str(),
                Some(_) => text_in(&batch.place, row, "service or gateway").map_err(wrong)?.unwrap_or_default(),
            };
            read_labels(batch, row, &mut labels).map_err(wrong)?;
            read_remembered(batch, row, &mut remembered).map_err(wrong)?;
            let source = Source {
                service: text_in(&batch.source_service, row, "source_service").map_err(wrong)?,
                labels: &labels,
                lane: text_in(&batch.source_lane, row, "source_lane").map_err(wrong)?,
                // What is no address counts as absent.
                ip: bytes_in(&batch.source_ip, row).and_then(|ip| str::from_utf8(ip).ok()?.parse().ok()),
            };
            if !batch.headers.cookies.is_empty() {
                batch.headers.write_cookies(row, &mut cookies);
            }
            let line = Row { columns: &batch.headers, row, cookies: &cookies };
            let roll = batch.roll.get(row).map_err(|why| wrong(Wrong { what: "roll", why }))?;
            let known = Known { batch, row, place, source, remembered: &remembered, roll };
            match &self.plan.recorded {
                None => self.row(&known, &Complete(line), columns),
                Some(recorded) => self.row(&known, &Partial { row: line, recorded }, columns),
            }
        }
        Ok(())
    }

    #[inline]
    fn row<H: Headers>(&self, known: &Known<'_>, headers: &H, columns: &mut [Column<'_>]) {
        let Known { batch, row, place, source, remembered, roll } = *known;
        let request = Request {
            method: bytes_in(&batch.method, row),
            authority: bytes_in(&batch.authority, row),
            path: bytes_in(&batch.path, row),
            headers,
            source,
            remembered,
            roll,
        };
        let router = &self.loaded.router;
        let decision = match self.plan.at {
            At::Gateway => router.ingress(place, &request, &self.liveness),
            At::Hop => router.hop(place, &request, &self.liveness),
        };
        if let (Some(coverage), Some(rule)) = (&self.loaded.coverage, decision.rule) {
            coverage.decided_at(rule.index());
        }
        for (column, output) in columns.iter_mut().zip(&self.outputs) {
            column.push(&decision, || self.text(*output, &decision, place, &request));
        }
    }

    /// The text of a result that is no name.
    #[cold]
    fn text<H: Headers>(&self, output: Output, decision: &Decision, place: &str, request: &Request<'_, H>) -> Option<String> {
        let router = &self.loaded.router;
        let text = match output {
            Output::Undetermined if decision.outcome == Outcome::Undetermined => {
                let explanation = match self.plan.at {
                    At::Gateway => router.explain_ingress(place, request, &self.liveness),
                    At::Hop => router.explain_hop(place, request, &self.liveness),
                };
                explanation.undetermined.join(", ")
            }
            Output::Notes => {
                let mut buffer = [0; lane_core::BUFFER_BYTES];
                let notes = decision.notes.and(router.changes(decision, request, &mut buffer, |_| ()));
                notes.names().collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }
}

/// What is known of one row.
#[derive(Clone, Copy)]
struct Known<'r> {
    batch: &'r Batch,
    row: usize,
    place: &'r str,
    source: Source<'r>,
    remembered: &'r [(&'r str, &'r str)],
    roll: Option<u64>,
}

/// What a row holds where something else is wanted.
struct Wrong {
    what: &'static str,
    why: String,
}

#[inline]
fn bytes_in(cells: &Option<Cells>, row: usize) -> Option<&[u8]> {
    cells.as_ref()?.get(row)
}

#[inline]
fn text_in<'b>(cells: &'b Option<Cells>, row: usize, what: &'static str) -> Result<Option<&'b str>, Wrong> {
    bytes_in(cells, row).map(|bytes| text(bytes, what)).transpose()
}

fn text<'b>(bytes: &'b [u8], what: &'static str) -> Result<&'b str, Wrong> {
    str::from_utf8(bytes).map_err(|_| Wrong { what, why: "it is not UTF-8".into() })
}

/// The labels of the calling workload.
#[inline]
fn read_labels<'b>(batch: &'b Batch, row: usize, labels: &mut Vec<(&'b str, &'b str)>) -> Result<(), Wrong> {
    labels.clear();
    for (name, cells) in &batch.labels {
        if let Some(value) = cells.get(row) {
            labels.push((name, text(value, "label")?));
        }
    }
    if let Some(pairs) = &batch.label_pairs {
        for (name, value) in pairs.entries(row).filter_map(|entry| pairs.get(entry)) {
            labels.push((text(name, "source_labels")?, text(value, "source_labels")?));
        }
    }
    Ok(())
}

/// The lanes remembered for the request's trace id.
#[inline]
fn read_remembered<'b>(batch: &'b Batch, row: usize, remembered: &mut Vec<(&'b str, &'b str)>) -> Result<(), Wrong> {
    remembered.clear();
    for (group, cells) in &batch.remembered {
        if let Some(lane) = cells.get(row) {
            remembered.push((group, text(lane, "remembered")?));
        }
    }
    Ok(())
}

/// A stream of results, read off a stream of requests.
struct Routed {
    reader: Box<dyn RecordBatchReader + Send>,
    router: Routing,
    /// What is left of a large batch.
    rest: Option<RecordBatch>,
    rows_before: usize,
    /// Nothing comes after an error.
    failed: bool,
}

impl Routed {
    fn piece(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.reader.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            },
        };
        let rows = batch.num_rows().min(ROWS);
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        let before = self.rows_before;
        self.rows_before += rows;
        Some(self.router.batch(&batch.slice(0, rows), before))
    }
}

impl Iterator for Routed {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        // Whoever reads the stream calls this through C, where a panic would end the process.
        let piece = catch_unwind(AssertUnwindSafe(|| self.piece())).unwrap_or_else(|_| {
            Some(Err(ArrowError::ComputeError("a batch could not be read; its buffers do not fit its schema".into())))
        })?;
        Some(piece.map_err(|error| {
            self.failed = true;
            // An error's text ends at its first zero byte in C.
            ArrowError::ComputeError(message(&error).replace('\0', "\u{fffd}"))
        }))
    }
}

/// An error's words without the name of its kind.
fn message(error: &ArrowError) -> String {
    match error {
        ArrowError::ComputeError(message) | ArrowError::SchemaError(message) | ArrowError::CDataInterface(message) => message.clone(),
        other => other.to_string(),
    }
}

impl RecordBatchReader for Routed {
    fn schema(&self) -> SchemaRef {
        self.router.schema.clone()
    }
}

/// Decisions about a stream of requests, as an Arrow stream that is read once: `polars.DataFrame(stream)`,
/// `pyarrow.table(stream)`, `duckdb.from_arrow`, or `counts` where only the numbers matter.
///
/// Rows are decided while the stream is read, so memory stays constant, and nothing is decided before.
#[pyclass(frozen, module = "lane")]
pub struct DecisionStream {
    reader: Mutex<Option<Box<dyn RecordBatchReader + Send>>>,
    schema: SchemaRef,
}

impl DecisionStream {
    fn take(&self) -> PyResult<Box<dyn RecordBatchReader + Send>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.ok_or_else(|| PyRuntimeError::new_err("this stream was read already; call `route_arrow` again, or keep a table of it"))
    }
}

#[pymethods]
impl DecisionStream {
    /// The stream for whoever reads Arrow streams; it can be taken once.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<Bound<'py, PyCapsule>>) -> PyResult<Bound<'py, PyAny>> {
        let reader = Bound::new(py, PyRecordBatchReader::new(self.take()?))?;
        reader.call_method1(intern!(py, "__arrow_c_stream__"), (requested_schema,))
    }

    /// The types of the columns.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let schema = Bound::new(py, pyo3_arrow::PySchema::new(self.schema.clone()))?;
        schema.call_method0(intern!(py, "__arrow_c_schema__"))
    }

    /// The names of the columns.
    #[getter]
    fn column_names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.schema.fields().iter().map(|field| field.name()))
    }

    /// Reads the whole stream and counts its rows by these columns' values: `{("routed", "v1"): 40, …}`.
    #[pyo3(signature = (*columns))]
    fn counts<'py>(&self, py: Python<'py>, columns: Vec<String>) -> PyResult<Bound<'py, PyDict>> {
        let mut positions = Vec::with_capacity(columns.len());
        for name in &columns {
            let found = self.schema.fields().iter().position(|field| field.name() == name);
            let found = found.filter(|position| {
                let kind = self.schema.fields().get(*position).map(|field| field.data_type());
                kind.is_some_and(cells::is_text)
            });
            let message = || PyValueError::new_err(format!("there is no result `{name}` to count by that holds text"));
            positions.push(found.ok_or_else(message)?);
        }
        let reader = self.take()?;
        let counts = py.detach(|| count(reader, &positions)).map_err(|error| PyValueError::new_err(message(&error)))?;
        let dict = PyDict::new(py);
        for (values, rows) in counts {
            let values = values.iter().map(|value| value.as_deref().map(String::from_utf8_lossy));
            dict.set_item(PyTuple::new(py, values)?, rows)?;
        }
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let names = self.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
        let read = self.reader.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        format!("<lane.DecisionStream of {names}{}>", if read { ", read already" } else { "" })
    }
}

type Counts = Vec<(Vec<Option<Vec<u8>>>, u64)>;

/// Counts rows by the values of some columns, in the order in which the values first come.
fn count(reader: Box<dyn RecordBatchReader + Send>, positions: &[usize]) -> Result<Counts, ArrowError> {
    let mut counts: Counts = Vec::new();
    let mut known = std::collections::HashMap::<Vec<Option<Vec<u8>>>, usize>::new();
    for batch in reader {
        let batch = batch?;
        let columns = positions.iter().filter_map(|position| batch.columns().get(*position));
        let cells = columns.map(Cells::of).collect::<Result<Vec<_>, _>>()?;
        let mut last: Option<(Vec<Option<&[u8]>>, usize)> = None;
        for row in 0..batch.num_rows() {
            let values = || cells.iter().map(|cells| cells.get(row));
            // Neighbours are often alike.
            let position = match &last {
                Some((same, position)) if same.iter().copied().eq(values()) => *position,
                _ => {
                    let owned: Vec<_> = values().map(|value| value.map(<[u8]>::to_vec)).collect();
                    let position = *known.entry(owned).or_insert_with_key(|values| {
                        counts.push((values.clone(), 0));
                        counts.len() - 1
                    });
                    last = Some((values().collect(), position));
                    position
                }
            };
            if let Some((_, rows)) = counts.get_mut(position) {
                *rows += 1;
            }
        }
    }
    Ok(counts)
}
