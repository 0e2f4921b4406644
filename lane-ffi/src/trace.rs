//! The handle of the table that remembers lanes by trace id.

use std::sync::{Mutex, PoisonError};

use lane_core::TraceTable;

use crate::{
    guard::{guard, status},
    handle::{Handle, Unique, free_unique, inner, slot, unique},
    status::{LANE_ERR_NULL, LANE_ERR_PANIC, LANE_ERR_SPACE, LANE_ERR_UNKNOWN},
    text::{array_mut, lane_str},
};

/// Lanes by group and trace id, for groups whose context is a trace id: bounded, with a time-to-live, and a clock that
/// the caller hands in with each call, in any unit that he likes, the same one throughout. It belongs to no router and
/// outlives reloads.
///
/// Ownership: made by lane_trace_table_new, freed once with lane_trace_table_free. Threads: any number may use it at
/// the same time; it has a lock of its own, held for one look-up.
pub struct lane_trace_table {
    _opaque: [u8; 0],
}

impl Handle for lane_trace_table {
    type Kind = Unique;
    type Inner = Mutex<TraceTable>;
}

/// The longest lane name and one byte more: room for what lane_trace_table_lane writes.
pub const LANE_NAME_BYTES: usize = 64;

/// An empty table for at most `capacity` lanes, each dead when its age reaches `ttl`, in `*table`.
///
/// # Safety
///
/// `table` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_trace_table_new(capacity: usize, ttl: u64, table: *mut *mut lane_trace_table) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        let out = unsafe { slot(table, std::ptr::null_mut()) }?;
        *out = unique(Mutex::new(TraceTable::new(capacity, ttl)));
        Ok(())
    })
}

/// Remembers a lane, or renews it; when the table is full the oldest write leaves. The three strings are those of a
/// lane_remember. A clock that goes back counts as standing still.
///
/// # Safety
///
/// `table` is NULL or a living handle; the strings are as lane_str says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_trace_table_remember(
    table: *const lane_trace_table,
    group: lane_str,
    trace_id: lane_str,
    lane: lane_str,
    now: u64,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract.
        let (table, group, trace_id, lane) =
            unsafe { (inner(table)?, group.required()?, trace_id.bytes()?.ok_or(LANE_ERR_NULL)?, lane.required()?) };
        // A write that panicked half-way leaves a table that is odd at worst, never unsound.
        table.lock().unwrap_or_else(PoisonError::into_inner).remember(group, trace_id, lane, now);
        Ok(())
    })
}

/// Copies the lane of a trace id into `buffer`, without a NUL, and its length into `*len`: 0, with LANE_ERR_UNKNOWN, where
/// none is remembered. Reading renews nothing.
///
/// # Safety
///
/// Every pointer is NULL or as its type says; `buffer_len` bytes can be written to `buffer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_trace_table_lane(
    table: *const lane_trace_table,
    group: lane_str,
    trace_id: lane_str,
    now: u64,
    buffer: *mut std::ffi::c_char,
    buffer_len: usize,
    len: *mut usize,
) -> i32 {
    status(LANE_ERR_PANIC, || {
        // SAFETY: by this function's contract, here and below.
        let (len, buffer) = unsafe { (slot(len, 0)?, array_mut::<u8>(buffer.cast(), buffer_len)?) };
        // SAFETY: as above.
        let (table, group, trace_id) = unsafe { (inner(table)?, group.required()?, trace_id.bytes()?.ok_or(LANE_ERR_NULL)?) };
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = table.lane(group, trace_id, now).ok_or(LANE_ERR_UNKNOWN)?.as_bytes();
        *len = lane.len();
        buffer.get_mut(..lane.len()).ok_or(LANE_ERR_SPACE)?.copy_from_slice(lane);
        Ok(())
    })
}

/// Frees the table and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
///
/// # Safety
///
/// `table` is NULL or can be written; what it holds is NULL or a living handle that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lane_trace_table_free(table: *mut *mut lane_trace_table) {
    // SAFETY: by this function's contract.
    guard((), || unsafe { free_unique(table) });
}
