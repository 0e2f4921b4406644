//! An allocator that counts while it is asked to: how often a decision allocates, and how many bytes a compiled
//! router keeps. Otherwise it costs one relaxed read.

#![expect(unsafe_code, reason = "there is no safe way to be an allocator; every call goes to the system's as it came")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

static COUNTS: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

fn count(calls: u64, bytes: i64) {
    if COUNTS.load(Relaxed) {
        CALLS.fetch_add(calls, Relaxed);
        BYTES.fetch_add(bytes, Relaxed);
    }
}

// SAFETY: every method hands its arguments on to the system's allocator and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the pointer came from the system's allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What happened on the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// How often memory was asked for, by any thread.
    pub calls: u64,
    /// How many bytes are kept more than before.
    pub bytes: i64,
}

/// Does something and says what happened on the heap meanwhile. Not to be nested.
pub fn during<R>(act: impl FnOnce() -> R) -> (R, Heap) {
    CALLS.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let result = act();
    COUNTS.store(false, Relaxed);
    (result, Heap { calls: CALLS.load(Relaxed), bytes: BYTES.load(Relaxed) })
}
