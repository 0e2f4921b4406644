//! Who owns a handle, as a type: each opaque type says once whether it has one owner or is shared, and freeing it
//! the other way does not compile (as rustls-ffi does it). From a handle only `&T` is ever made, never `&mut T`:
//! nobody can know what other threads hold.

use std::{ptr, sync::Arc};

use crate::status::LANE_ERR_NULL;

/// One owner, who frees it.
pub(crate) enum Unique {}

/// As many owners as were asked for, each of whom frees his own reference.
pub(crate) enum Shared {}

/// An opaque C type.
pub(crate) trait Handle: Sized {
    /// [`Unique`] or [`Shared`].
    type Kind;
    /// What it stands for.
    type Inner;
}

/// A new handle with one owner.
pub(crate) fn unique<H: Handle<Kind = Unique>>(inner: H::Inner) -> *mut H {
    Box::into_raw(Box::new(inner)).cast()
}

/// A new reference of a shared handle.
pub(crate) fn shared<H: Handle<Kind = Shared>>(inner: Arc<H::Inner>) -> *const H {
    Arc::into_raw(inner).cast()
}

/// What the handle stands for.
///
/// # Safety
///
/// `handle` is NULL, or came from [`unique`] or [`shared`] of the same type and is not freed while the result is used.
pub(crate) unsafe fn inner<'a, H: Handle>(handle: *const H) -> Result<&'a H::Inner, i32> {
    // SAFETY: by this function's contract the pointer is NULL or one to a living `H::Inner`.
    unsafe { handle.cast::<H::Inner>().as_ref() }.ok_or(LANE_ERR_NULL)
}

/// One more reference of a shared handle.
///
/// # Safety
///
/// As [`inner`], and the handle is not NULL.
pub(crate) unsafe fn another<H: Handle<Kind = Shared>>(handle: *const H) -> Arc<H::Inner> {
    let inner = handle.cast::<H::Inner>();
    // SAFETY: the pointer came from `Arc::into_raw` and its reference still counts, which stays so: one is added first.
    unsafe {
        Arc::increment_strong_count(inner);
        Arc::from_raw(inner)
    }
}

/// Frees a handle with one owner, and makes the owner's variable NULL, so that freeing it again does nothing.
///
/// # Safety
///
/// `slot` is NULL or can be read and written; what it holds is NULL, or came from [`unique`] of this type and was not freed.
pub(crate) unsafe fn free_unique<H: Handle<Kind = Unique>>(slot: *mut *mut H) {
    // SAFETY: by this function's contract.
    let Some(slot) = (unsafe { slot.as_mut() }) else { return };
    let handle = std::mem::replace(slot, ptr::null_mut());
    if !handle.is_null() {
        // SAFETY: it came from `Box::into_raw` of this type, and nobody else frees it.
        drop(unsafe { Box::from_raw(handle.cast::<H::Inner>()) });
    }
}

/// Gives up one reference of a shared handle, and makes the owner's variable NULL.
///
/// # Safety
///
/// As [`free_unique`], for [`shared`].
pub(crate) unsafe fn free_shared<H: Handle<Kind = Shared>>(slot: *mut *const H) {
    // SAFETY: by this function's contract.
    let Some(slot) = (unsafe { slot.as_mut() }) else { return };
    let handle = std::mem::replace(slot, ptr::null());
    if !handle.is_null() {
        // SAFETY: it came from `Arc::into_raw` of this type, and this reference is its owner's to give up.
        drop(unsafe { Arc::from_raw(handle.cast::<H::Inner>()) });
    }
}

/// An out-parameter for a handle, NULL until it is set.
///
/// # Safety
///
/// `out` is NULL or can be written.
pub(crate) unsafe fn slot<'a, P: Copy>(out: *mut P, blank: P) -> Result<&'a mut P, i32> {
    if out.is_null() {
        return Err(LANE_ERR_NULL);
    }
    if !out.is_aligned() {
        return Err(crate::status::LANE_ERR_ALIGNMENT);
    }
    // SAFETY: it can be written and is aligned; what it held is overwritten before a reference to it exists.
    unsafe {
        out.write(blank);
        Ok(&mut *out)
    }
}
