//! Strings and arrays of the caller: checked first, then looked at where they are.

use std::{ffi::c_char, ptr, slice, str};

use crate::{
    handle::slot,
    status::{LANE_ERR_ALIGNMENT, LANE_ERR_LENGTH, LANE_ERR_NULL, LANE_ERR_SPACE, LANE_ERR_UTF8},
};

/// No string and no array is longer than this: what is, was mostly a negative number once.
pub const LANE_MAX_LENGTH: usize = 0x7fff_ffff;

/// Some bytes: a pointer and a length. There is no NUL at the end. `{NULL, 0}` is absent, which is not the same as
/// empty, and NULL with a length is an error.
///
/// Ownership: none, a lane_str is a view. What a function hands in is read during the call only. What it hands out
/// belongs to the router, or to what the function says, and lives as long as that.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_str {
    /// The first byte.
    pub ptr: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// Two strings that belong together: a header line, a label, a group and its remembered lane.
///
/// Ownership: none, see lane_str.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lane_pair {
    /// The header, the label, the group.
    pub name: lane_str,
    /// What it holds.
    pub value: lane_str,
}

impl lane_str {
    /// No string.
    pub(crate) const ABSENT: Self = Self { ptr: ptr::null(), len: 0 };

    /// A view of `bytes`; whoever hands it out says how long they live.
    pub(crate) const fn view(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr().cast(), len: bytes.len() }
    }

    /// A view of what is there.
    pub(crate) fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::ABSENT, |text| Self::view(text.as_bytes()))
    }

    /// The bytes, if there are any.
    ///
    /// # Safety
    ///
    /// The pointer is NULL, or `len` bytes can be read there for `'a`.
    pub(crate) unsafe fn bytes<'a>(self) -> Result<Option<&'a [u8]>, i32> {
        match (self.ptr.is_null(), self.len) {
            (true, 0) => Ok(None),
            (true, _) => Err(LANE_ERR_NULL),
            (false, len) if len > LANE_MAX_LENGTH => Err(LANE_ERR_LENGTH),
            // SAFETY: not NULL, not too long, and readable by this function's contract.
            (false, len) => Ok(Some(unsafe { slice::from_raw_parts(self.ptr.cast(), len) })),
        }
    }

    /// The text, if there is any.
    ///
    /// # Safety
    ///
    /// As [`bytes`](Self::bytes).
    pub(crate) unsafe fn text<'a>(self) -> Result<Option<&'a str>, i32> {
        // SAFETY: the same contract.
        let bytes = unsafe { self.bytes() }?;
        bytes.map(str::from_utf8).transpose().map_err(|_| LANE_ERR_UTF8)
    }

    /// The text, which must be there.
    ///
    /// # Safety
    ///
    /// As [`bytes`](Self::bytes).
    pub(crate) unsafe fn required<'a>(self) -> Result<&'a str, i32> {
        // SAFETY: the same contract.
        unsafe { self.text() }?.ok_or(LANE_ERR_NULL)
    }
}

impl lane_pair {
    /// The two texts; an absent one is empty.
    ///
    /// # Safety
    ///
    /// As [`lane_str::bytes`], for both.
    pub(crate) unsafe fn texts<'a>(self) -> Result<(&'a str, &'a str), i32> {
        // SAFETY: the same contract.
        unsafe { Ok((self.name.text()?.unwrap_or_default(), self.value.text()?.unwrap_or_default())) }
    }

    /// The two as bytes; an absent one is empty.
    ///
    /// # Safety
    ///
    /// As [`lane_str::bytes`], for both.
    pub(crate) unsafe fn both<'a>(self) -> Result<(&'a [u8], &'a [u8]), i32> {
        // SAFETY: the same contract.
        unsafe { Ok((self.name.bytes()?.unwrap_or_default(), self.value.bytes()?.unwrap_or_default())) }
    }
}

/// An array of the caller; NULL with length 0 is an empty one.
///
/// # Safety
///
/// `items` is NULL, or `len` of them can be read there for `'a`.
pub(crate) unsafe fn array<'a, T>(items: *const T, len: usize) -> Result<&'a [T], i32> {
    if items.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(LANE_ERR_NULL) };
    }
    if len > LANE_MAX_LENGTH / size_of::<T>() {
        return Err(LANE_ERR_LENGTH);
    }
    if !items.is_aligned() {
        return Err(LANE_ERR_ALIGNMENT);
    }
    // SAFETY: not NULL, aligned, not too long, and readable by this function's contract.
    Ok(unsafe { slice::from_raw_parts(items, len) })
}

/// An array of the caller to write into; NULL with length 0 is an empty one.
///
/// # Safety
///
/// `items` is NULL, or `len` of them can be written there for `'a`, and nobody else uses them. What stands there is
/// never read, so it need not be initialised.
pub(crate) unsafe fn array_mut<'a, T>(items: *mut T, len: usize) -> Result<&'a mut [T], i32> {
    if items.is_null() {
        return if len == 0 { Ok(&mut []) } else { Err(LANE_ERR_NULL) };
    }
    if len > LANE_MAX_LENGTH / size_of::<T>() {
        return Err(LANE_ERR_LENGTH);
    }
    if !items.is_aligned() {
        return Err(LANE_ERR_ALIGNMENT);
    }
    // SAFETY: not NULL, aligned, not too long, and writable by this function's contract; the types are integers and
    // pointers, which any bytes are.
    Ok(unsafe { slice::from_raw_parts_mut(items, len) })
}

/// A list for the caller: as much as he has room for, and how long it is in all.
pub(crate) struct Listing<'a, T> {
    room: slice::IterMut<'a, T>,
    len: &'a mut usize,
    fits: bool,
}

impl<T> Listing<'_, T> {
    /// # Safety
    ///
    /// As [`array_mut`]; `len` is NULL or can be written.
    pub(crate) unsafe fn new(items: *mut T, items_len: usize, len: *mut usize) -> Result<Self, i32> {
        // SAFETY: by this function's contract.
        let (len, room) = unsafe { (slot(len, 0)?, array_mut(items, items_len)?.iter_mut()) };
        Ok(Self { room, len, fits: true })
    }

    pub(crate) fn add(&mut self, item: T) {
        *self.len += 1;
        match self.room.next() {
            Some(room) => *room = item,
            None => self.fits = false,
        }
    }

    pub(crate) fn close(self) -> Result<(), i32> {
        if self.fits { Ok(()) } else { Err(LANE_ERR_SPACE) }
    }
}
