//! A global allocator that counts the bytes allocated by each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// The allocation counts of this thread.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { held: 0, most: 0, largest: 0 }) };
}

/// The number of bytes allocated by a thread.
#[derive(Clone, Copy)]
struct Counts {
    held: isize,
    /// The peak.
    most: isize,
    /// The size of the largest block.
    largest: usize,
}

/// The system allocator with counts per thread.
struct Counting;

// SAFETY: every call is forwarded unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Counts { held, most, largest } = COUNTS.get();
        let held = held + layout.size() as isize;
        COUNTS.set(Counts { held, most: most.max(held), largest: largest.max(layout.size()) });
        // SAFETY: the caller upholds the contract of this method, which is that of the system allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let counts = COUNTS.get();
        COUNTS.set(Counts { held: counts.held - layout.size() as isize, ..counts });
        // SAFETY: the caller upholds the contract of this method, which is that of the system allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of bytes held by this thread.
pub fn held_bytes() -> isize {
    COUNTS.get().held
}

/// The result of a computation and the peak number of bytes held by this thread.
pub fn most_bytes<X>(compute: impl FnOnce() -> X) -> (X, isize) {
    let counts = COUNTS.get();
    COUNTS.set(Counts { most: counts.held, ..counts });
    let result = compute();
    (result, COUNTS.get().most)
}

/// The result of a computation and the size of the largest block requested by this thread.
pub fn largest_block<X>(compute: impl FnOnce() -> X) -> (X, usize) {
    COUNTS.set(Counts { largest: 0, ..COUNTS.get() });
    let result = compute();
    (result, COUNTS.get().largest)
}
