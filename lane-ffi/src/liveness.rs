//! The handle of endpoint counts: updated by whoever watches endpoints, while others decide.

use std::sync::Arc;

use lane_core::{Endpoints, Liveness};

use crate::{
    guard::{Done, guard, status},
    handle::{Handle, Shared, another, free_shared, inner, shared, slot},
    router::{Compiled, lane_router},
    status::{LANE_ERR_COUNTS, LANE_ERR_OTHER_ROUTER, LANE_ERR_PANIC, LANE_ERR_UNKNOWN},
    text::lane_str,
};

/// How many endpoints each subset of a router has, and how many of them are healthy. A subset that was never set
/// counts as live. It belongs to one router and keeps that alive; another router, also one compiled from the same
/// text, needs its own.
///
/// Ownership: made by lane_liveness_new; lane_liveness_share makes further references, and each is freed once with
/// lane_liveness_free. Threads: any number may set and decide with it at the same time, without a lock: a decision
/// never sees one half of an update of a subset.
pub struct lane_liveness {
    _opaque: [u8; 0],
}

impl Handle for lane_liveness {
    type Kind = Shared;
    type Inner = Table;
}

/// The counts, and whose they are.
pub(crate) struct Table {
    compiled: Arc<Compiled>,
    counts: Liveness,
}

/// The counts with which a router decides: none of a NULL table, where everything counts as live.
///
/// # Safety
///
/// `liveness` is NULL or a living handle.
pub(crate) unsafe fn counts<'a>(liveness: *const lane_liveness, compiled: &Compiled, all_live: &'a Liveness) -> Result<&'a Liveness, i32> {
    if liveness.is_null() {
        return Ok(all_live);
    }
    // SAFETY: by this function's contract.
    let table = unsafe { inner(liveness) }?;
    // Subsets of another router are others.
    if std::ptr::eq(Arc::as_ptr(&table.compiled), compiled) { Ok(&table.counts) } else { Err(LANE_ERR_OTHER_ROUTER) }
}

impl Table {
    /// Does something with the table for each subset that a service and a lane name: one in each group that has both.
    fn each(&self, service: &str, lane: &str, act: impl Fn(&Liveness, lane_core::SubsetId)) -> Done {
        let router = &self.compiled.router;
        let mut is_known = false;
        for service in router.services_named(service) {
            let Some(lane) = router.lane_in(router.group_of(*service), lane) else { continue };
            is_known = true;
            // A lane that does not contain the service has no endpoints of it.
            if let Some(subset) = router.subset(*service, lane) {
                act(&self.counts, subset);
            }
        }
        if is_known { Ok(()) } else { Err(LANE_ERR_UNKNOWN) }
    }
}

fn endpoints(total: u32, healthy: u32) -> Result<Endpoints, i32> {
    if healthy > total { Err(LANE_ERR_COUNTS) } else { Ok(Endpoints { total, healthy }) }
}

/// A table for this router, in which every subset counts as live, in `*liveness`.
///
/// # Safety
///
/// `router` is NULL or a living handle, `liveness` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_new(router: *const lane_router, liveness: *mut *const lane_liveness) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let out = unsafe { slot(liveness, std::ptr::null()) }?;
        // SAFETY: as above.
        unsafe { inner(router) }?;
        // SAFETY: as above, and not NULL.
        let compiled = unsafe { another(router) };
        let counts = compiled.router.liveness();
        *out = shared(Arc::new(Table { compiled, counts }));
        Ok(())
    })
}

/// Sets the counts of a service (host or alias) in a lane, in every group that has both; a lane that does not contain
/// the service is ignored. LANE_ERR_UNKNOWN where no group has such a service with such a lane; LANE_ERR_COUNTS where more are healthy than there are.
///
/// # Safety
///
/// `liveness` is NULL or a living handle; the strings are as lane_str says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_set(
    liveness: *const lane_liveness,
    service: lane_str,
    lane: lane_str,
    endpoints_in_all: u32,
    healthy: u32,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        let (table, service, lane) = unsafe { (inner(liveness)?, service.required()?, lane.required()?) };
        let endpoints = endpoints(endpoints_in_all, healthy)?;
        table.each(service, lane, |counts, subset| {
            counts.set(subset, endpoints);
        })
    })
}

/// Sets the counts of one subset by the ids that decisions and lane_subsets give: no name is looked up.
///
/// # Safety
///
/// `liveness` is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_set_id(
    liveness: *const lane_liveness,
    service_id: u32,
    lane_id: u32,
    endpoints_in_all: u32,
    healthy: u32,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        let table = unsafe { inner(liveness) }?;
        let endpoints = endpoints(endpoints_in_all, healthy)?;
        let (service, lane) = table.compiled.pair(service_id, lane_id)?;
        let subset = table.compiled.router.subset(service, lane).ok_or(LANE_ERR_UNKNOWN)?;
        table.counts.set(subset, endpoints);
        Ok(())
    })
}

/// Forgets the counts of a service in a lane: it counts as live again. Names are as in lane_liveness_set.
///
/// # Safety
///
/// `liveness` is NULL or a living handle; the strings are as lane_str says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_clear(liveness: *const lane_liveness, service: lane_str, lane: lane_str) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        let (table, service, lane) = unsafe { (inner(liveness)?, service.required()?, lane.required()?) };
        table.each(service, lane, |counts, subset| {
            counts.clear(subset);
        })
    })
}

/// One more reference to the same table in `*another_one`.
///
/// # Safety
///
/// `liveness` is NULL or a living handle, `another_one` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_share(liveness: *const lane_liveness, another_one: *mut *const lane_liveness) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let out = unsafe { slot(another_one, std::ptr::null()) }?;
        // SAFETY: as above.
        unsafe { inner(liveness) }?;
        // SAFETY: as above, and not NULL.
        *out = shared(unsafe { another(liveness) });
        Ok(())
    })
}

/// Gives up a reference and makes the variable NULL; the last one frees the table. NULL, and a variable that is NULL
/// already, do nothing.
///
/// # Safety
///
/// `liveness` is NULL or can be written; what it holds is NULL or a living handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_liveness_free(liveness: *mut *const lane_liveness) {
    // SAFETY: by this function's contract.
    guard((), || unsafe { free_shared(liveness) });
}
