//! The decisions. They allocate nothing, take no lock and leave nothing to free.

use lane_core::{Decision, Headers, Liveness, Notes, Request};

use crate::{
    answer::{Room, lane_changes, lane_decision, lane_remember},
    guard::{Done, status},
    handle::inner,
    liveness::{counts, lane_liveness},
    request::{Asked, Use, lane_request},
    router::{Compiled, lane_router},
    sized::place,
    status::LANE_ERR_PANIC,
    text::{Listing, lane_str},
};

/// Where a decision is made.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    Gateway(&'a str),
    Call(&'a str),
}

impl At<'_> {
    pub(crate) fn decide<H: Headers + ?Sized>(self, compiled: &Compiled, request: &Request<'_, H>, liveness: &Liveness) -> Decision {
        match self {
            Self::Gateway(gateway) => compiled.router.ingress(gateway, request, liveness),
            Self::Call(service) => compiled.router.hop(service, request, liveness),
        }
    }

    /// The called name as given.
    pub(crate) fn called(&self) -> Option<&str> {
        match self {
            Self::Gateway(_) => None,
            Self::Call(service) => Some(service),
        }
    }
}

/// One decision, into the caller's structs.
struct Decide<'a> {
    compiled: &'a Compiled,
    liveness: &'a Liveness,
    at: At<'a>,
    room: Option<Room<'a>>,
}

impl Use for Decide<'_> {
    type Output = (lane_decision, Done);

    fn with<H: Headers + ?Sized>(self, request: &Request<'_, H>) -> Self::Output {
        let Self { compiled, liveness, at, room } = self;
        let decision = at.decide(compiled, request, liveness);
        let (notes, done) = room.map_or((Notes::NONE, Ok(())), |room| room.fill(&compiled.router, &decision, request));
        (lane_decision::of(&compiled.router, &decision, request, at.called(), notes), done)
    }
}

/// # Safety
///
/// As [`lane_ingress`].
unsafe fn decide<'a>(
    router: *const lane_router,
    liveness: *const lane_liveness,
    at: impl FnOnce() -> Result<At<'a>, i32>,
    request: *const lane_request,
    decision: *mut lane_decision,
    changes: *mut lane_changes,
) -> Done {
    // SAFETY: by this function's contract, here and below.
    let out = unsafe { place(decision) }?;
    out.write(lane_decision::BLANK);
    // SAFETY: as above.
    let room = unsafe {
        match changes.is_null() {
            true => None,
            false => Some(Room::of(place(changes)?)?),
        }
    };
    // SAFETY: as above.
    let compiled = unsafe { inner(router) }?;
    let all_live = Liveness::all_live();
    // SAFETY: as above.
    let (liveness, asked) = unsafe { (counts(liveness, compiled, &all_live)?, Asked::read(request)?) };
    let at = at()?;
    let (answer, done) = asked.lend(Decide { compiled, liveness, at, room })?;
    out.write(answer);
    done
}

/// Decides at a gateway: which rule, which lane, which endpoints. `gateway` is the name by which groups list it; a name
/// that no group lists meets the groups that hold everywhere. `liveness` may be NULL: everything counts as live.
/// `changes` may be NULL: a caller who only wants to know. Nothing is allocated, and nothing is to be freed.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_ingress(
    router: *const lane_router,
    liveness: *const lane_liveness,
    gateway: lane_str,
    request: *const lane_request,
    decision: *mut lane_decision,
    changes: *mut lane_changes,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        unsafe { decide(router, liveness, || Ok(At::Gateway(gateway.required()?)), request, decision, changes) }
    })
}

/// Decides at a service-to-service call: which endpoints of the called service. `service` is the called name as it
/// was written: host or alias, in any case, with or without port. The rest is as in lane_ingress.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_hop(
    router: *const lane_router,
    liveness: *const lane_liveness,
    service: lane_str,
    request: *const lane_request,
    decision: *mut lane_decision,
    changes: *mut lane_changes,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        unsafe { decide(router, liveness, || Ok(At::Call(service.required()?)), request, decision, changes) }
    })
}

/// What arriving requests ask to be remembered, into the caller's array.
struct Inbound<'a, 'l> {
    compiled: &'a Compiled,
    listing: &'l mut Listing<'a, lane_remember>,
}

impl Use for Inbound<'_, '_> {
    type Output = ();

    fn with<H: Headers + ?Sized>(self, request: &Request<'_, H>) {
        self.compiled.router.inbound(request, |remember| self.listing.add(Some(remember).into()));
    }
}

/// What a sidecar remembers of a request that arrives at its workload: the lane of every group whose context is a
/// trace id, where the request has one and its guiding header names a lane. `*len` is how many there are; where `items`
/// has room for fewer the call gives LANE_ERR_SPACE. `items` may be NULL where `items_len` is 0.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_inbound(
    router: *const lane_router,
    request: *const lane_request,
    items: *mut lane_remember,
    items_len: usize,
    len: *mut usize,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let mut listing = unsafe { Listing::new(items, items_len, len) }?;
        // SAFETY: as above.
        let (compiled, asked) = unsafe { (inner(router)?, Asked::read(request)?) };
        asked.lend(Inbound { compiled, listing: &mut listing })?;
        listing.close()
    })
}

/// A request as it is, but with one lane named in the guiding header of one group.
struct Naming<'a, H: ?Sized> {
    headers: &'a H,
    guiding: &'a str,
    lane: &'a str,
}

impl<H: Headers + ?Sized> Headers for Naming<'_, H> {
    type Lines<'h>
        = NamingLines<'h, H::Lines<'h>>
    where
        Self: 'h;

    fn lines(&self) -> Self::Lines<'_> {
        NamingLines { rest: self.headers.lines(), guiding: self.guiding.as_bytes(), lane: Some(self.lane.as_bytes()) }
    }
}

#[derive(Clone)]
struct NamingLines<'h, L> {
    rest: L,
    guiding: &'h [u8],
    lane: Option<&'h [u8]>,
}

impl<'h, L: Iterator<Item = (&'h [u8], &'h [u8])>> Iterator for NamingLines<'h, L> {
    type Item = L::Item;

    fn next(&mut self) -> Option<L::Item> {
        let guiding = self.guiding;
        if let Some(lane) = self.lane.take() {
            return Some((guiding, lane));
        }
        self.rest.find(|(name, _)| !name.eq_ignore_ascii_case(guiding))
    }
}

/// The trace ids of a request, into the caller's array.
struct TraceIds<'a, 'l>(Inbound<'a, 'l>);

impl Use for TraceIds<'_, '_> {
    type Output = ();

    // The engine tells a trace id together with the lane that a request names, so it is asked about the same request naming one.
    fn with<H: Headers + ?Sized>(self, request: &Request<'_, H>) {
        let router = &self.0.compiled.router;
        for (group, guiding, lane) in &self.0.compiled.traced {
            let headers = Naming { headers: request.headers, guiding, lane: router.lane_name(*lane) };
            router.inbound(&Request::new(&headers), |remember| {
                if remember.group == router.group_name(*group) {
                    self.0.listing.add(lane_remember { lane: lane_str::ABSENT, ..Some(remember).into() });
                }
            });
        }
    }
}

/// The trace id of a request for every group whose context is one, with the lane absent: what to ask a
/// lane_trace_table for before lane_hop, to fill lane_request.remembered with. The list is as in lane_inbound.
///
/// # Safety
///
/// Every pointer is NULL or as its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_trace_ids(
    router: *const lane_router,
    request: *const lane_request,
    items: *mut lane_remember,
    items_len: usize,
    len: *mut usize,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let mut listing = unsafe { Listing::new(items, items_len, len) }?;
        // SAFETY: as above.
        let (compiled, asked) = unsafe { (inner(router)?, Asked::read(request)?) };
        asked.lend(TraceIds(Inbound { compiled, listing: &mut listing }))?;
        listing.close()
    })
}
