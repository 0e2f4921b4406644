//! Structs that know their size, so that they can grow at their end while programs that were compiled before go on.

use std::mem::MaybeUninit;

use crate::status::{LANE_ERR_ALIGNMENT, LANE_ERR_NULL, LANE_ERR_SIZE};

/// More bytes than any struct will ever grow by: beyond it, `struct_size` was never set.
const ROOM: usize = 1024;

/// A `repr(C)` struct of integers and pointers whose first field is `size_t struct_size`.
///
/// # Safety
///
/// The struct is as it is said here, so that any bytes in it are a value of it.
pub(crate) unsafe trait SizedStruct: Copy {}

/// The size that the caller says his struct has.
unsafe fn size_of_theirs<T: SizedStruct>(theirs: *const T) -> Result<usize, i32> {
    if theirs.is_null() {
        return Err(LANE_ERR_NULL);
    }
    if !theirs.is_aligned() {
        return Err(LANE_ERR_ALIGNMENT);
    }
    // SAFETY: the first field can be read, by the contract of the two callers.
    let size = unsafe { theirs.cast::<usize>().read() };
    // Version 1 is the shortest that there is.
    if (size_of::<T>()..=size_of::<T>() + ROOM).contains(&size) { Ok(size) } else { Err(LANE_ERR_SIZE) }
}

/// The caller's struct, as far as it is known here; what is not known must be zero, or it would go unheard.
///
/// # Safety
///
/// `theirs` is NULL, or as many bytes as its first field says can be read there.
pub(crate) unsafe fn read<T: SizedStruct>(theirs: *const T) -> Result<T, i32> {
    // SAFETY: the same contract.
    let size = unsafe { size_of_theirs(theirs) }?;
    let rest = size - size_of::<T>();
    if rest > 0 {
        // SAFETY: `size` bytes can be read, and the caller has set those that he knows of.
        let beyond = unsafe { std::slice::from_raw_parts(theirs.add(1).cast::<u8>(), rest) };
        if beyond.iter().any(|byte| *byte != 0) {
            return Err(LANE_ERR_SIZE);
        }
    }
    // SAFETY: `size` bytes can be read, that is at least `T`; any bytes are a `T`, by the trait's promise.
    Ok(unsafe { theirs.read() })
}

/// Where to write a struct of the caller's: as much of it as is known here.
pub(crate) struct Place<T>(*mut T);

/// The caller's struct, to be written.
///
/// # Safety
///
/// `theirs` is NULL, or as many bytes as its first field says can be written there until the place is gone.
pub(crate) unsafe fn place<T: SizedStruct>(theirs: *mut T) -> Result<Place<T>, i32> {
    // SAFETY: the same contract.
    unsafe { size_of_theirs(theirs.cast_const()) }?;
    Ok(Place(theirs))
}

impl<T: SizedStruct> Place<T> {
    /// Writes everything but the size, which stays the caller's.
    pub(crate) fn write(&self, ours: T) {
        let head = size_of::<usize>();
        let bytes = size_of::<T>() - head;
        let from = (&raw const ours).cast::<MaybeUninit<u8>>();
        // SAFETY: the place was checked when it was made; the two do not overlap, one is on this stack.
        unsafe { from.add(head).copy_to_nonoverlapping(self.0.cast::<MaybeUninit<u8>>().add(head), bytes) };
    }

    /// What stands there now.
    pub(crate) fn get(&self) -> T {
        // SAFETY: the place was checked when it was made, and any bytes are a `T`.
        unsafe { self.0.read() }
    }
}
