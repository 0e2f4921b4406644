//! What is written into the caller's structs: a decision, and what it changes in the request.

use std::ffi::c_char;

use lane_core::{
    BUFFER_BYTES, Change, Cookie, Decision, FoundIn, GroupId, Headers, LaneId, Notes, Outcome, Reason, Remember, Request, Router, RuleId,
    ServiceId, SubsetId,
};

use crate::{
    sized::{Place, SizedStruct},
    status::{LANE_ERR_SIZE, LANE_ERR_SPACE},
    text::{array_mut, lane_str},
};

/// Nothing was decided: the call failed.
pub const LANE_OUTCOME_NONE: i32 = 0;
/// The lane itself serves.
pub const LANE_OUTCOME_ROUTED: i32 = 1;
/// Another lane serves in its place.
pub const LANE_OUTCOME_FELL_BACK: i32 = 2;
/// This traffic is none of ours; leave it as it is.
pub const LANE_OUTCOME_PASS: i32 = 3;
/// Ours, but no lane takes it: 404.
pub const LANE_OUTCOME_NO_ROUTE: i32 = 4;
/// A lane takes it, but nothing that may serve is there: 503.
pub const LANE_OUTCOME_UNAVAILABLE: i32 = 5;
/// It depends on a roll that was not given, or on a header that was not recorded. lane_explain_ingress and
/// lane_explain_hop list what is missing.
pub const LANE_OUTCOME_UNDETERMINED: i32 = 6;

/// The lane itself serves, or there is no lane.
pub const LANE_REASON_NONE: i32 = 0;
/// The lane does not contain the service.
pub const LANE_REASON_NOT_IN_LANE: i32 = 1;
/// The lane's subset has no endpoints.
pub const LANE_REASON_NO_ENDPOINTS: i32 = 2;
/// No endpoint of the lane's subset is healthy.
pub const LANE_REASON_NONE_HEALTHY: i32 = 3;
/// Fewer endpoints are healthy than the service asks for.
pub const LANE_REASON_BELOW_MIN_HEALTHY: i32 = 4;

/// No lane name was looked for, or none found.
pub const LANE_FOUND_NONE: i32 = 0;
/// In a header: the guiding header, or the one that `lane_from` names.
pub const LANE_FOUND_HEADER: i32 = 1;
/// In a baggage member.
pub const LANE_FOUND_BAGGAGE: i32 = 2;
/// In the cookie that `lane_from` names.
pub const LANE_FOUND_COOKIE: i32 = 3;
/// In the query parameter that `lane_from` names.
pub const LANE_FOUND_QUERY: i32 = 4;
/// It was remembered for the trace id.
pub const LANE_FOUND_TRACE_ID: i32 = 5;
/// It is the caller's own lane.
pub const LANE_FOUND_SOURCE: i32 = 6;
/// A rule that holds at hops gave it.
pub const LANE_FOUND_RULE: i32 = 7;

/// The lane serves although fewer of its endpoints are healthy than the service asks for.
pub const LANE_NOTE_BELOW_MIN_HEALTHY: u32 = 1;
/// The baggage has no room for the lane. Only known where changes are asked for.
pub const LANE_NOTE_CONTEXT_FULL: u32 = 2;
/// The group's context is a trace id and the request has none.
pub const LANE_NOTE_NO_TRACE_ID: u32 = 4;
/// The lane name that was found is no lane of the group.
pub const LANE_NOTE_UNKNOWN_LANE: u32 = 8;

/// The id of nothing.
pub const LANE_NO_ID: u32 = 0xffff_ffff;

/// A lane to remember for a trace id: put it into a lane_trace_table. Absent where `group.ptr` is NULL.
///
/// Ownership: none; group and lane are the router's, the trace id is a view into the request.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_remember {
    /// The group.
    pub group: lane_str,
    /// The request's trace id.
    pub trace_id: lane_str,
    /// The lane.
    pub lane: lane_str,
}

/// A cookie to set for the client, so that it stays in its lane. Absent where `name.ptr` is NULL.
///
/// Ownership: the caller's; the name is the router's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_cookie {
    /// The cookie's name.
    pub name: lane_str,
    /// How long the client keeps it, in seconds.
    pub ttl_seconds: u32,
    /// Its value: 16 lower-case hex digits, NUL-terminated.
    pub value: [c_char; 20],
}

/// One decision. Where nothing of a kind was decided, a name is `{NULL, 0}` and an id is LANE_NO_ID. When a call
/// fails, it is blank: the outcome is LANE_OUTCOME_NONE.
///
/// Ownership: the caller's; there is nothing to free. Names are the router's and live as long as it; the service of
/// LANE_OUTCOME_PASS at a hop is the name as it was given. Threads: the struct is the caller's own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_decision {
    /// `sizeof(lane_decision)`, set by the caller.
    pub struct_size: usize,
    /// What becomes of the request: LANE_OUTCOME_...
    pub outcome: i32,
    /// The HTTP status that fits: 200, 404 or 503; 0 where nobody can say.
    pub status: i32,
    /// Why the lane itself does not serve: LANE_REASON_...
    pub reason: i32,
    /// Where the lane name was found: LANE_FOUND_...
    pub found_in: i32,
    /// Remarks: LANE_NOTE_..., one bit each.
    pub notes: u32,
    /// The group that decided.
    pub group_id: u32,
    /// The rule that decided.
    pub rule_id: u32,
    /// The lane to which the request belongs; it is carried on.
    pub lane_id: u32,
    /// The service that is called.
    pub service_id: u32,
    /// The lane whose endpoints serve: the lane itself, or the one to which it fell back.
    pub serving_id: u32,
    /// The endpoints that serve: dense from 0, made to be an index into the caller's own table, see lane_subsets.
    pub subset_id: u32,
    /// 0.
    pub reserved: u32,
    /// The name of the group.
    pub group: lane_str,
    /// The name of the rule.
    pub rule: lane_str,
    /// The name of the lane.
    pub lane: lane_str,
    /// The host of the service.
    pub service: lane_str,
    /// The name of the lane whose endpoints serve.
    pub serving: lane_str,
    /// The cookie to set for the client.
    pub cookie: lane_cookie,
    /// What to remember for the request's trace id.
    pub remember: lane_remember,
}

// SAFETY: repr(C), integers and pointers, the size first.
unsafe impl SizedStruct for lane_decision {}

/// All lines of the header are replaced by one of this value.
pub const LANE_CHANGE_SET: i32 = 1;
/// All lines of the header go.
pub const LANE_CHANGE_REMOVE: i32 = 2;

/// One change of a request's headers. Only what differs is set, and only what is carried is removed.
///
/// Ownership: none; both strings are in the buffer of the lane_changes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_change {
    /// LANE_CHANGE_SET or LANE_CHANGE_REMOVE.
    pub kind: i32,
    /// 0.
    pub reserved: u32,
    /// The header's name: as configured where it is set, lower case where it is removed.
    pub name: lane_str,
    /// Its value, where it is set.
    pub value: lane_str,
}

/// A buffer of this size has room for the changes of every request whose header lines have at most 15,000 bytes together, unless
/// LANE_WANT_FOUND asks for more.
pub const LANE_BUFFER_BYTES: usize = 32768;
/// The engine works in so many bytes of the buffer: the longest line that it may write.
pub const LANE_WORK_BYTES: usize = 8192;
/// So many changes are seldom exceeded: one for each guiding header that is carried, each restored header, and the baggage.
pub const LANE_CHANGES_LEN: usize = 16;

/// Asks also for the lane name as it was found, which reports print; this may allocate for the time of the call.
pub const LANE_WANT_FOUND: u32 = 1;

/// Where the changes of a decision go: into an array and a buffer that the caller lends. Nothing is allocated and
/// nothing is to be freed. Where either is too small for the changes the call gives LANE_ERR_SPACE, the decision is whole all the
/// same, `changes_len` is 0, and both `..._needed` say what to ask again with.
///
/// Ownership: the caller's, with both areas; what stands there is valid until the next call with them. Nothing of the
/// request may lie in them. Threads: one at a time, as with any struct of yours.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_changes {
    /// `sizeof(lane_changes)`, set by the caller.
    pub struct_size: usize,
    /// In: room for names and values. With less than LANE_WORK_BYTES nothing is decided. It need not be initialised.
    pub buffer: *mut c_char,
    /// In: how many bytes; LANE_BUFFER_BYTES is a good size.
    pub buffer_len: usize,
    /// In: room for the changes; NULL where `items_len` is 0.
    pub items: *mut lane_change,
    /// In: how many; LANE_CHANGES_LEN is a good number.
    pub items_len: usize,
    /// In: LANE_WANT_FOUND, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Out: how many changes there are in `items`.
    pub changes_len: usize,
    /// Out: how many items the changes need.
    pub items_needed: usize,
    /// Out: how many bytes the changes need.
    pub buffer_needed: usize,
    /// Out: the lane name as it was found, any bytes; `{NULL, 0}` if none was, or it was not asked for.
    pub found: lane_str,
}

// SAFETY: repr(C), integers and pointers, the size first.
unsafe impl SizedStruct for lane_changes {}

const fn outcome(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Routed => LANE_OUTCOME_ROUTED,
        Outcome::FellBack => LANE_OUTCOME_FELL_BACK,
        Outcome::Pass => LANE_OUTCOME_PASS,
        Outcome::NoRoute => LANE_OUTCOME_NO_ROUTE,
        Outcome::Unavailable => LANE_OUTCOME_UNAVAILABLE,
        Outcome::Undetermined => LANE_OUTCOME_UNDETERMINED,
    }
}

const fn reason(reason: Option<Reason>) -> i32 {
    match reason {
        None => LANE_REASON_NONE,
        Some(Reason::NotInLane) => LANE_REASON_NOT_IN_LANE,
        Some(Reason::NoEndpoints) => LANE_REASON_NO_ENDPOINTS,
        Some(Reason::NoneHealthy) => LANE_REASON_NONE_HEALTHY,
        Some(Reason::BelowMinHealthy) => LANE_REASON_BELOW_MIN_HEALTHY,
    }
}

const fn found_in(found: Option<FoundIn>) -> i32 {
    match found {
        None => LANE_FOUND_NONE,
        Some(FoundIn::Header) => LANE_FOUND_HEADER,
        Some(FoundIn::Baggage) => LANE_FOUND_BAGGAGE,
        Some(FoundIn::Cookie) => LANE_FOUND_COOKIE,
        Some(FoundIn::Query) => LANE_FOUND_QUERY,
        Some(FoundIn::TraceId) => LANE_FOUND_TRACE_ID,
        Some(FoundIn::Source) => LANE_FOUND_SOURCE,
        Some(FoundIn::Rule) => LANE_FOUND_RULE,
    }
}

fn notes(notes: Notes) -> u32 {
    [
        (Notes::BELOW_MIN_HEALTHY, LANE_NOTE_BELOW_MIN_HEALTHY),
        (Notes::CONTEXT_FULL, LANE_NOTE_CONTEXT_FULL),
        (Notes::NO_TRACE_ID, LANE_NOTE_NO_TRACE_ID),
        (Notes::UNKNOWN_LANE, LANE_NOTE_UNKNOWN_LANE),
    ]
    .into_iter()
    .filter(|(note, _)| notes.has(*note))
    .fold(0, |bits, (_, bit)| bits | bit)
}

/// A dense id as a number.
pub(crate) fn id(index: Option<usize>) -> u32 {
    index.and_then(|index| u32::try_from(index).ok()).unwrap_or(LANE_NO_ID)
}

impl From<Option<Remember<'_>>> for lane_remember {
    fn from(remember: Option<Remember<'_>>) -> Self {
        match remember {
            Some(Remember { group, trace_id, lane }) => {
                Self { group: lane_str::view(group.as_bytes()), trace_id: lane_str::view(trace_id), lane: lane_str::view(lane.as_bytes()) }
            }
            None => Self { group: lane_str::ABSENT, trace_id: lane_str::ABSENT, lane: lane_str::ABSENT },
        }
    }
}

impl From<Option<Cookie<'_>>> for lane_cookie {
    fn from(cookie: Option<Cookie<'_>>) -> Self {
        let mut ours = Self { name: lane_str::ABSENT, ttl_seconds: 0, value: [0; 20] };
        if let Some(Cookie { name, value, ttl_seconds }) = cookie {
            ours.name = lane_str::view(name.as_bytes());
            ours.ttl_seconds = ttl_seconds;
            for (room, digit) in ours.value.iter_mut().zip(value) {
                *room = digit.cast_signed() as c_char;
            }
        }
        ours
    }
}

impl lane_decision {
    /// A decision about nothing.
    pub(crate) const BLANK: Self = Self {
        struct_size: size_of::<Self>(),
        outcome: LANE_OUTCOME_NONE,
        status: 0,
        reason: LANE_REASON_NONE,
        found_in: LANE_FOUND_NONE,
        notes: 0,
        group_id: LANE_NO_ID,
        rule_id: LANE_NO_ID,
        lane_id: LANE_NO_ID,
        service_id: LANE_NO_ID,
        serving_id: LANE_NO_ID,
        subset_id: LANE_NO_ID,
        reserved: 0,
        group: lane_str::ABSENT,
        rule: lane_str::ABSENT,
        lane: lane_str::ABSENT,
        service: lane_str::ABSENT,
        serving: lane_str::ABSENT,
        cookie: lane_cookie { name: lane_str::ABSENT, ttl_seconds: 0, value: [0; 20] },
        remember: lane_remember { group: lane_str::ABSENT, trace_id: lane_str::ABSENT, lane: lane_str::ABSENT },
    };

    /// The decision about `request`; `called` is the called name of a hop, as given.
    pub(crate) fn of<H: Headers + ?Sized>(
        router: &Router,
        decision: &Decision,
        request: &Request<'_, H>,
        called: Option<&str>,
        more: Notes,
    ) -> Self {
        // Names of ids that the router itself gave, so every look-up finds something.
        let service = decision.service.map_or(called, |service| Some(router.service_host(service)));
        Self {
            struct_size: size_of::<Self>(),
            outcome: outcome(decision.outcome),
            status: i32::from(decision.outcome.status()),
            reason: reason(decision.reason),
            found_in: found_in(decision.found),
            notes: notes(decision.notes.and(more)),
            group_id: id(decision.group.map(GroupId::index)),
            rule_id: id(decision.rule.map(RuleId::index)),
            lane_id: id(decision.lane.map(LaneId::index)),
            service_id: id(decision.service.map(ServiceId::index)),
            serving_id: id(decision.serving.map(LaneId::index)),
            subset_id: id(decision.subset.map(SubsetId::index)),
            reserved: 0,
            group: lane_str::maybe(decision.group.map(|group| router.group_name(group))),
            rule: lane_str::maybe(decision.rule.map(|rule| router.rule_name(rule))),
            lane: lane_str::maybe(decision.lane.map(|lane| router.lane_name(lane))),
            service: lane_str::maybe(service),
            serving: lane_str::maybe(decision.serving.map(|lane| router.lane_name(lane))),
            cookie: router.cookie(decision).into(),
            remember: router.remember(decision, request).into(),
        }
    }
}

/// Where changes are written: a caller's lane_changes, checked.
pub(crate) struct Room<'a> {
    theirs: Place<lane_changes>,
    fields: lane_changes,
    work: &'a mut [u8; BUFFER_BYTES],
    buffer: &'a mut [u8],
    items: &'a mut [lane_change],
}

impl<'a> Room<'a> {
    /// Reads where to write, and says that nothing stands there yet.
    ///
    /// # Safety
    ///
    /// The areas that the fields tell of can be written for `'a`, and nothing else that is used for `'a` lies in them.
    pub(crate) unsafe fn of(theirs: Place<lane_changes>) -> Result<Self, i32> {
        let mut fields = theirs.get();
        fields.changes_len = 0;
        fields.items_needed = 0;
        fields.buffer_needed = LANE_BUFFER_BYTES;
        fields.found = lane_str::ABSENT;
        theirs.write(fields);
        if fields.flags & !LANE_WANT_FOUND != 0 || fields.reserved != 0 {
            return Err(LANE_ERR_SIZE);
        }
        // SAFETY: by this function's contract.
        let (buffer, items) =
            unsafe { (array_mut::<u8>(fields.buffer.cast(), fields.buffer_len)?, array_mut(fields.items, fields.items_len)?) };
        let Some((work, buffer)) = buffer.split_first_chunk_mut() else { return Err(LANE_ERR_SPACE) };
        Ok(Self { theirs, fields, work, buffer, items })
    }

    /// Writes the changes of a decision, and gives the remarks that they add. They may not fit.
    pub(crate) fn fill<H: Headers + ?Sized>(
        self,
        router: &Router,
        decision: &Decision,
        request: &Request<'_, H>,
    ) -> (Notes, Result<(), i32>) {
        let Self { theirs, mut fields, work, buffer, items } = self;
        let mut pen = Pen { rest: buffer, bytes: LANE_WORK_BYTES, fits: true };
        let mut items = items.iter_mut();
        let notes = router.changes(decision, request, work, |change| {
            let (kind, name, value) = match change {
                Change::Set { name, value } => (LANE_CHANGE_SET, name, Some(value)),
                Change::Remove { name } => (LANE_CHANGE_REMOVE, name, None),
            };
            let change = lane_change {
                kind,
                reserved: 0,
                name: pen.copy(name.as_bytes()),
                value: value.map_or(lane_str::ABSENT, |value| pen.copy(value)),
            };
            fields.items_needed += 1;
            match items.next() {
                Some(item) => *item = change,
                None => pen.fits = false,
            }
        });
        if fields.flags & LANE_WANT_FOUND != 0 {
            fields.found = router.found_value(decision, request).map_or(lane_str::ABSENT, |value| pen.copy(&value));
        }
        fields.buffer_needed = pen.bytes;
        fields.changes_len = if pen.fits { fields.items_needed } else { 0 };
        if !pen.fits {
            fields.found = lane_str::ABSENT;
        }
        theirs.write(fields);
        (notes, if pen.fits { Ok(()) } else { Err(LANE_ERR_SPACE) })
    }
}

/// Copies into what is left of a buffer, and counts what would have been needed.
struct Pen<'a> {
    rest: &'a mut [u8],
    bytes: usize,
    fits: bool,
}

impl Pen<'_> {
    fn copy(&mut self, bytes: &[u8]) -> lane_str {
        self.bytes += bytes.len();
        let rest = std::mem::take(&mut self.rest);
        let Some((place, rest)) = rest.split_at_mut_checked(bytes.len()) else {
            self.fits = false;
            return lane_str::ABSENT;
        };
        place.copy_from_slice(bytes);
        self.rest = rest;
        lane_str::view(place)
    }
}
