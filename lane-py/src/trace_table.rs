//! The table of remembered lanes (S28) for Python: one owner's, who says what time it is; a lock keeps threads apart.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::{prelude::*, types::PyTuple};

use crate::convert;

/// Which lane a trace belongs to, for groups whose context is a trace id (S28).
///
/// It holds `capacity` associations at most, each dead when its age reaches `ttl`. Time is any unit that its owner likes, the
/// same one throughout; nothing here reads a clock. `remember` takes what decisions and `Router.inbound` ask to be remembered.
#[pyclass(frozen, module = "lane")]
pub struct TraceTable {
    table: Mutex<lane_core::TraceTable>,
    capacity: usize,
    ttl: u64,
}

impl TraceTable {
    fn table(&self) -> MutexGuard<'_, lane_core::TraceTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl TraceTable {
    #[new]
    #[pyo3(signature = (*, capacity, ttl))]
    fn new(capacity: usize, ttl: u64) -> Self {
        Self { table: Mutex::new(lane_core::TraceTable::new(capacity, ttl)), capacity, ttl }
    }

    /// Associates the trace id with the lane, or renews it; when the table is full the oldest write leaves.
    #[pyo3(signature = (group, trace_id, lane, *, now))]
    fn remember(&self, group: &str, trace_id: &Bound<'_, PyAny>, lane: &str, now: u64) -> PyResult<()> {
        let trace_id = convert::bytes("trace_id", trace_id)?;
        self.table().remember(group, &trace_id.0, lane, now);
        Ok(())
    }

    /// The lane of the trace id, unless it is dead. Reading renews nothing.
    #[pyo3(signature = (group, trace_id, *, now))]
    fn lane(&self, group: &str, trace_id: &Bound<'_, PyAny>, now: u64) -> PyResult<Option<String>> {
        let trace_id = convert::bytes("trace_id", trace_id)?;
        Ok(self.table().lane(group, &trace_id.0, now).map(String::from))
    }

    /// The associations that are alive, oldest write first.
    #[pyo3(signature = (*, now))]
    fn items<'py>(&self, py: Python<'py>, now: u64) -> PyResult<Bound<'py, PyTuple>> {
        let owned = |(group, trace_id, lane): (&str, &[u8], &str)| lane_formats::decision::Remembered {
            group: group.into(),
            trace_id: trace_id.into(),
            lane: lane.into(),
        };
        let all: Vec<_> = self.table().iter(now).map(owned).collect();
        crate::decision::remembered(py, &all)
    }

    /// How many associations the table may hold.
    #[getter]
    fn capacity(&self) -> usize {
        self.capacity
    }

    /// The age at which an association is dead.
    #[getter]
    fn ttl(&self) -> u64 {
        self.ttl
    }

    /// How many associations the table holds, dead ones that were not yet replaced included.
    fn __len__(&self) -> usize {
        self.table().len()
    }

    fn __repr__(&self) -> String {
        format!("TraceTable(capacity={}, ttl={})", self.capacity, self.ttl)
    }
}
