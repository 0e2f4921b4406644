//! Lists of what a router holds, for callers who keep tables of their own beside it.

use crate::{
    answer::id,
    guard::status,
    handle::inner,
    router::lane_router,
    status::LANE_ERR_PANIC,
    text::{Listing, lane_pair, lane_str},
};

/// The endpoints of one service that belong to one lane.
///
/// Ownership: none; names are the router's and live as long as it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_subset {
    /// The group.
    pub group_id: u32,
    /// The service; one host in two groups is two services.
    pub service_id: u32,
    /// The lane.
    pub lane_id: u32,
    /// The subset: dense from 0.
    pub subset_id: u32,
    /// The name of the group.
    pub group: lane_str,
    /// The host of the service.
    pub service: lane_str,
    /// The name of the lane.
    pub lane: lane_str,
    /// The value of the workload label that marks the lane's endpoints.
    pub service_tag: lane_str,
}

/// A lane that may serve.
///
/// Ownership: none; the name is the router's and lives as long as it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_candidate {
    /// The lane.
    pub lane_id: u32,
    /// Its subset of the service.
    pub subset_id: u32,
    /// The name of the lane.
    pub lane: lane_str,
}

/// Every subset of the router, to build a table of upstreams whose index is the subset's id. `*len` is how many there
/// are; where `items` has room for fewer the call gives LANE_ERR_SPACE. `items` may be NULL where `items_len` is 0, so that
/// a first call asks how many.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_subsets(router: *const lane_router, items: *mut lane_subset, items_len: usize, len: *mut usize) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let mut listing = unsafe { Listing::new(items, items_len, len) }?;
        // SAFETY: as above.
        let router = &unsafe { inner(router) }?.router;
        for group in router.groups() {
            for lane in router.lanes(group) {
                for service in router.services(group) {
                    let Some(subset) = router.subset(service, lane) else { continue };
                    listing.add(lane_subset {
                        group_id: id(Some(group.index())),
                        service_id: id(Some(service.index())),
                        lane_id: id(Some(lane.index())),
                        subset_id: id(Some(subset.index())),
                        group: lane_str::view(router.group_name(group).as_bytes()),
                        service: lane_str::view(router.service_host(service).as_bytes()),
                        lane: lane_str::view(router.lane_name(lane).as_bytes()),
                        service_tag: lane_str::view(router.service_tag(lane).as_bytes()),
                    });
                }
            }
        }
        listing.close()
    })
}

/// The labels that select a lane's endpoints of a service; ids are a decision's `service_id` and `serving_id`. The list
/// is as in lane_subsets. It is empty where the lane does not contain the service.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_subset_labels(
    router: *const lane_router,
    service_id: u32,
    lane_id: u32,
    items: *mut lane_pair,
    items_len: usize,
    len: *mut usize,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let mut listing = unsafe { Listing::new(items, items_len, len) }?;
        // SAFETY: as above.
        let compiled = unsafe { inner(router) }?;
        let (service, lane) = compiled.pair(service_id, lane_id)?;
        if compiled.router.subset(service, lane).is_some() {
            for (name, value) in compiled.router.subset_labels(service, lane) {
                listing.add(lane_pair { name: lane_str::view(name.as_bytes()), value: lane_str::view(value.as_bytes()) });
            }
        }
        listing.close()
    })
}

/// The lanes that may serve a service in a lane's place, in the order in which they are asked: the lane itself, then its
/// fallback lanes, those left out that do not contain the service. For callers who know health only by their own means:
/// decide without a liveness table, then take the first candidate that is well. Ids are a decision's `service_id` and
/// `lane_id`; the list is as in lane_subsets.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_candidates(
    router: *const lane_router,
    service_id: u32,
    lane_id: u32,
    items: *mut lane_candidate,
    items_len: usize,
    len: *mut usize,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let mut listing = unsafe { Listing::new(items, items_len, len) }?;
        // SAFETY: as above.
        let compiled = unsafe { inner(router) }?;
        let (service, lane) = compiled.pair(service_id, lane_id)?;
        for (lane, subset) in compiled.router.candidates(service, lane) {
            listing.add(lane_candidate {
                lane_id: id(Some(lane.index())),
                subset_id: id(Some(subset.index())),
                lane: lane_str::view(compiled.router.lane_name(lane).as_bytes()),
            });
        }
        listing.close()
    })
}
