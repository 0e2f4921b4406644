//! Endpoint counts for Python: made by a router, updated from any thread while others decide.

use std::sync::Arc;

use lane_core::{Endpoints, SubsetId};
use lane_formats::request::{Ask, Live, Place};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    convert,
    router::{Loaded, Router},
};

/// How many endpoints each subset has, and how many of them are healthy; what was never set counts as live (S24).
///
/// `Router.liveness` makes one. It belongs to its router and may be set from any thread while others decide.
#[pyclass(frozen, module = "lane")]
pub struct Liveness {
    pub(crate) router: Arc<Loaded>,
    pub(crate) counts: Arc<lane_core::Liveness>,
}

impl Liveness {
    pub(crate) fn new(router: Arc<Loaded>, counts: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let table = router.router.liveness();
        let liveness = Self { router, counts: Arc::new(table) };
        if let Some(counts) = counts.filter(|counts| !counts.is_none()) {
            let ask = Ask { live: read(counts)?, ..Ask::new(Place::Inbound) };
            // Which names there are is told once for everybody.
            ask.liveness(&liveness.router.router).map_err(|error| PyValueError::new_err(error.to_string()))?;
            for live in &ask.live {
                liveness.store(&live.service, &live.lane, Some(Endpoints { total: live.endpoints, healthy: live.healthy }))?;
            }
        }
        Ok(liveness)
    }

    /// What the argument `live` stands for: nothing, a table of this router, or counts by service and lane.
    pub(crate) fn of(router: &Arc<Loaded>, live: Option<&Bound<'_, PyAny>>) -> PyResult<Arc<lane_core::Liveness>> {
        match live.filter(|live| !live.is_none()) {
            None => Ok(router.all_live.clone()),
            Some(live) => match live.cast::<Self>() {
                Ok(table) if Arc::ptr_eq(&table.get().router, router) => Ok(table.get().counts.clone()),
                Ok(_) => Err(PyValueError::new_err("this Liveness belongs to another router; make one with `router.liveness()`")),
                Err(_) => Ok(Self::new(router.clone(), Some(live))?.counts),
            },
        }
    }

    /// The subsets of a service and a lane, in every group that has both.
    fn subsets(&self, service: &str, lane: &str) -> PyResult<Vec<SubsetId>> {
        let ask =
            Ask { live: vec![Live { service: service.into(), lane: lane.into(), endpoints: 0, healthy: 0 }], ..Ask::new(Place::Inbound) };
        let router = &self.router.router;
        ask.liveness(router).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let services = router.services_named(service).iter();
        let subset = |service: &lane_core::ServiceId| router.subset(*service, router.lane_in(router.group_of(*service), lane)?);
        Ok(services.filter_map(subset).collect())
    }

    fn store(&self, service: &str, lane: &str, counts: Option<Endpoints>) -> PyResult<()> {
        for subset in self.subsets(service, lane)? {
            match counts {
                Some(counts) => self.counts.set(subset, counts),
                None => self.counts.clear(subset),
            };
        }
        Ok(())
    }
}

#[pymethods]
impl Liveness {
    /// Sets the counts of the service's endpoints in the lane. `service` is a host of the configuration.
    #[pyo3(signature = (service, lane, *, endpoints, healthy))]
    fn set(&self, service: &str, lane: &str, endpoints: u32, healthy: u32) -> PyResult<()> {
        check(endpoints, healthy)?;
        self.store(service, lane, Some(Endpoints { total: endpoints, healthy }))
    }

    /// Forgets the counts: the service counts as live in the lane again.
    #[pyo3(signature = (service, lane))]
    fn clear(&self, service: &str, lane: &str) -> PyResult<()> {
        self.store(service, lane, None)
    }

    /// The counts as (endpoints, healthy); `None` where they were never set, or the lane does not contain the service.
    fn get(&self, service: &str, lane: &str) -> PyResult<Option<(u32, u32)>> {
        let counts = self.subsets(service, lane)?.first().and_then(|subset| self.counts.get(*subset));
        Ok(counts.map(|counts| (counts.total, counts.healthy)))
    }

    /// Every count that was set, by service and lane, as (endpoints, healthy).
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let router = &self.router.router;
        let counts = PyDict::new(py);
        for group in router.groups() {
            for service in router.services(group) {
                let lanes = PyDict::new(py);
                for lane in router.lanes(group) {
                    if let Some(set) = router.subset(service, lane).and_then(|subset| self.counts.get(subset)) {
                        lanes.set_item(router.lane_name(lane), (set.total, set.healthy))?;
                    }
                }
                if !lanes.is_empty() {
                    match counts.get_item(router.service_host(service))? {
                        // A host that stands in several groups.
                        Some(known) => known.cast::<PyDict>()?.update(lanes.as_mapping())?,
                        None => counts.set_item(router.service_host(service), lanes)?,
                    }
                }
            }
        }
        Ok(counts)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let router = Router(self.router.clone()).repr(py)?;
        let counts = self.to_dict(py)?;
        Ok(if counts.is_empty() { format!("{router}.liveness()") } else { format!("{router}.liveness({})", counts.repr()?) })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let router = Router(slf.get().router.clone()).into_pyobject(py)?;
        Ok((convert::class(py, "_liveness")?, (router, slf.get().to_dict(py)?).into_pyobject(py)?))
    }
}

fn check(endpoints: u32, healthy: u32) -> PyResult<()> {
    if healthy > endpoints {
        return Err(PyValueError::new_err(format!("healthy {healthy} is above endpoints {endpoints}")));
    }
    Ok(())
}

/// Counts by service and lane: (endpoints, healthy).
fn read(value: &Bound<'_, PyAny>) -> PyResult<Vec<Live>> {
    let mut all = Vec::new();
    for (service, lanes) in convert::pairs("live", value)? {
        let service = convert::text("live", &service)?;
        for (lane, counts) in convert::pairs(&format!("live[{service:?}]"), &lanes)? {
            let lane = convert::text("live", &lane)?;
            let wanted = || convert::wrong_type(&format!("live[{service:?}][{lane:?}]"), "(endpoints, healthy)", &counts);
            let items: Vec<u32> = counts.try_iter().and_then(|items| items.map(|item| item?.extract()).collect()).map_err(|_| wanted())?;
            let [endpoints, healthy] = items.as_slice() else { return Err(wanted()) };
            check(*endpoints, *healthy)?;
            all.push(Live { service: service.clone(), lane, endpoints: *endpoints, healthy: *healthy });
        }
    }
    Ok(all)
}
