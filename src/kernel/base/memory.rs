//! Recycled memory: a thread-local free list of blocks by size class.
//!
//! Every training step requests the same sizes. Returning a block to a free list instead of to the
//! allocator means that nothing is allocated from the second step on, and that the operating system
//! does not have to map and zero pages again. For small networks on a CPU that would take much of
//! the time of a step.
//!
//! A block that another thread drops returns to the thread that allocated it. Otherwise a thread whose results
//! are summed and dropped by another one would allocate them again in each step.

use crate::panics;
use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
use std::ops::Range;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, Weak};

/// Bytes that one thread keeps for reuse, per element type. Beyond it, blocks of the size that was not asked for the longest are freed.
/// As many may have been returned by other threads.
const BUDGET: usize = 256 << 20;

/// Bytes of a cache line, and of the widest vector register.
const CACHE_LINE: usize = 64;

/// Elements of the smallest class.
const SMALLEST: usize = 8;

/// An element type with a free list.
pub trait Pooled: Copy + Default + 'static {
    /// Calls `f` with the free list of this thread; `None` if the thread is exiting and the list is gone.
    #[doc(hidden)]
    fn with_pool<R>(f: impl FnOnce(&mut Pool<Self>) -> R) -> Option<R>;
}

macro_rules! pooled {
    ($($t:ident)*) => {$(
        impl Pooled for $t {
            fn with_pool<R>(f: impl FnOnce(&mut Pool<Self>) -> R) -> Option<R> {
                thread_local! {
                    static POOL: RefCell<Pool<$t>> = const { RefCell::new(Pool::new()) };
                }
                POOL.try_with(|pool| f(&mut pool.borrow_mut())).ok()
            }
        }
    )*};
}
pooled!(f32 f64 u32);

/// A handle to reference-counted memory; when the last handle is dropped, the memory goes to the free list.
pub struct Block<T: Pooled>(ManuallyDrop<Arc<Elements<T>>>);

struct Elements<T> {
    memory: Vec<T>,
    /// Where in `memory` the elements are.
    range: Range<usize>,
    /// Where this returns to; nowhere if it did not come from [`Block::take`]. Adopted memory is freed: nothing bounds how much of
    /// it there is.
    home: Weak<Mutex<Returned<T>>>,
}

/// Blocks that other threads have dropped, until the thread that allocated them asks for one.
struct Returned<T> {
    blocks: Vec<Arc<Elements<T>>>,
    bytes: usize,
}

/// The free list of one thread.
pub struct Pool<T> {
    classes: Vec<Class<T>>,
    bytes: usize,
    /// How often a block was asked for.
    clock: u64,
    /// Set by the first block.
    home: Option<Arc<Mutex<Returned<T>>>>,
}

/// The unshared blocks of a size class.
struct Class<T> {
    blocks: Vec<Arc<Elements<T>>>,
    /// When one was last asked for.
    asked: u64,
}

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Pool { classes: Vec::new(), bytes: 0, clock: 0, home: None }
    }

    /// A block of a class, or the home of a new one.
    fn take(&mut self, class: usize) -> Result<Arc<Elements<T>>, Weak<Mutex<Returned<T>>>> {
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, || Class { blocks: Vec::new(), asked: 0 });
        }
        self.clock += 1;
        self.classes[class].asked = self.clock;
        if self.classes[class].blocks.is_empty() {
            self.collect();
        }
        match self.classes[class].blocks.pop() {
            Some(block) => {
                self.bytes -= block.bytes();
                Ok(block)
            }
            None => {
                let empty = || Arc::new(Mutex::new(Returned { blocks: Vec::new(), bytes: 0 }));
                Err(Arc::downgrade(self.home.get_or_insert_with(empty)))
            }
        }
    }

    /// Takes in what other threads have returned.
    fn collect(&mut self) {
        // Nothing waits for the lock, which a child of `fork` could find locked for good.
        let returned = self.home.as_ref().and_then(|home| {
            let mut returned = home.try_lock().ok()?;
            returned.bytes = 0;
            Some(mem::take(&mut returned.blocks))
        });
        returned.into_iter().flatten().for_each(|block| self.keep(block));
    }

    /// Keeps a block of this thread, or returns that of another one. It is freed if too many have been returned, or if another thread
    /// does the same at this moment.
    fn give(&mut self, block: Arc<Elements<T>>) {
        if self.home.as_ref().is_some_and(|own| block.home.as_ptr() == Arc::as_ptr(own)) {
            self.keep(block);
        } else if let Some(home) = block.home.upgrade()
            && let Ok(mut returned) = home.try_lock()
            && returned.bytes + block.bytes() <= BUDGET
        {
            returned.bytes += block.bytes();
            returned.blocks.push(block);
        }
    }

    fn keep(&mut self, block: Arc<Elements<T>>) {
        let bytes = block.bytes();
        if bytes > BUDGET {
            return;
        }
        while self.bytes + bytes > BUDGET {
            let kept = self.classes.iter_mut().filter(|class| !class.blocks.is_empty());
            let oldest = kept.min_by_key(|class| class.asked).expect("blocks take up the budget");
            let freed = oldest.blocks.pop().expect("the class has blocks");
            self.bytes -= freed.bytes();
        }
        self.bytes += bytes;
        let (class, _) = class_of(block.range.len());
        self.classes[class].blocks.push(block);
    }
}

/// The size class for `length` elements, and the length of its blocks.
///
/// Four classes per power of two (8, 10, 12, 14, 16, 20, 24 …), so at most a fifth of a block is unused.
#[inline]
fn class_of(length: usize) -> (usize, usize) {
    let length = length.max(SMALLEST);
    let octave = length.ilog2() as usize;
    let step = octave - 2;
    let quarters = (length + (1 << step) - 1) >> step;
    let class = (octave - SMALLEST.ilog2() as usize) * 4 + (quarters - 4);
    (class, quarters << step)
}

/// Bytes from which on the system is asked whether it has that much: where it has not, an allocation ends the process.
const LARGE: usize = 1 << 30;

/// An empty vector with space for `length` elements.
///
/// # Panics
/// If there is not enough memory.
#[track_caller]
pub(crate) fn reserved<T>(length: usize) -> Vec<T> {
    let mut elements = Vec::new();
    if elements.try_reserve_exact(length).is_err() {
        panics::out_of_memory(length.saturating_mul(size_of::<T>()));
    }
    elements
}

/// A vector of `length` equal values.
///
/// # Panics
/// If there is not enough memory.
#[track_caller]
pub(crate) fn filled<T: Clone>(value: T, length: usize) -> Vec<T> {
    let mut elements = reserved(length);
    elements.resize(length, value);
    elements
}

/// Bytes from which on memory is asked for in huge pages. Rows of a large table are read at random, and with small pages the
/// processor looks up the address of each in memory.
const HUGE: usize = 32 << 20;

/// Asks the system to map memory that was not written yet in huge pages.
#[cfg(target_os = "linux")]
fn advise_huge_pages<T>(memory: &mut [T]) {
    const PAGE: usize = 2 << 20;
    let (address, end) = (memory.as_mut_ptr().cast::<u8>(), size_of_val(memory));
    let start = address.align_offset(PAGE).min(end);
    let length = (end - start) / PAGE * PAGE;
    // SAFETY: the pages are within the slice, and the advice changes no contents. Where it is refused, nothing changes.
    unsafe { libc::madvise(address.wrapping_add(start).cast(), length, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge_pages<T>(_: &mut [T]) {}

impl<T: Pooled> Elements<T> {
    /// Zeros that start at a cache line: a vector load that crosses two lines takes twice as long.
    #[track_caller]
    fn aligned(size: usize, home: Weak<Mutex<Returned<T>>>) -> Self {
        let length = size.saturating_add(CACHE_LINE / size_of::<T>());
        if length >= LARGE / size_of::<T>() {
            drop(reserved::<T>(length));
        }
        let mut memory = vec![T::default(); length];
        if length >= HUGE / size_of::<T>() {
            advise_huge_pages(&mut memory);
        }
        let start = memory.as_ptr().align_offset(CACHE_LINE);
        Elements { memory, range: start..start + size, home }
    }
}

impl<T> Elements<T> {
    fn bytes(&self) -> usize {
        self.range.len() * size_of::<T>()
    }
}

impl<T: Pooled> Block<T> {
    /// An unshared block of at least `length` elements, with arbitrary values.
    ///
    /// The flag tells whether the block is newly allocated, hence all zeros.
    #[inline(never)]
    #[track_caller]
    pub(crate) fn take(length: usize) -> (Self, bool) {
        if length > isize::MAX as usize / size_of::<T>() {
            panics::out_of_memory(length.saturating_mul(size_of::<T>()));
        }
        if cfg!(exact_blocks) {
            return (Block::adopt(vec![T::default(); length]), true);
        }
        let (class, size) = class_of(length);
        let (block, fresh) = match T::with_pool(|pool| pool.take(class)).unwrap_or_else(|| Err(Weak::new())) {
            Ok(block) => (block, false),
            Err(home) => (Arc::new(Elements::aligned(size, home)), true),
        };
        (Block(ManuallyDrop::new(block)), fresh)
    }

    /// A block that takes over a vector without copying it.
    pub(crate) fn adopt(elements: Vec<T>) -> Self {
        let range = 0..elements.len();
        Block(ManuallyDrop::new(Arc::new(Elements { memory: elements, range, home: Weak::new() })))
    }

    /// The elements: those of the whole size class, which may be more than requested.
    pub(crate) fn elements(&self) -> &[T] {
        &self.0.memory[self.0.range.clone()]
    }

    /// The elements for writing, if this is the only handle.
    pub(crate) fn elements_mut(&mut self) -> Option<&mut [T]> {
        self.is_unshared().then(|| {
            // SAFETY: this is the only handle, and it is borrowed exclusively for the life of the result, so it can be
            // neither read nor cloned meanwhile. The fence in `is_unshared` orders accesses through former handles
            // before this one. `Arc::as_ptr` gives a pointer that may be written through: it comes from the allocation.
            let block = unsafe { &mut *Arc::as_ptr(&self.0).cast_mut() };
            &mut block.memory[block.range.clone()]
        })
    }

    /// Like `Arc::get_mut`, which takes several times as long because it has to lock out weak handles. None exist here.
    fn is_unshared(&self) -> bool {
        let unshared = Arc::strong_count(&self.0) == 1;
        // Pairs with the release of the count when other threads drop their handles.
        fence(Ordering::Acquire);
        unshared
    }
}

impl<T: Pooled> Clone for Block<T> {
    fn clone(&self) -> Self {
        Block(self.0.clone())
    }
}

impl<T: Pooled> Drop for Block<T> {
    #[inline(never)]
    fn drop(&mut self) {
        let unshared = self.is_unshared();
        // SAFETY: `drop` runs once and is the last use of the field; `ManuallyDrop` does not drop it again.
        let block = unsafe { ManuallyDrop::take(&mut self.0) };
        if unshared {
            // During thread exit the pool may already be gone; the block is then freed.
            T::with_pool(|pool| pool.give(block));
        }
    }
}

/// Calls `f` with `length` elements of temporary memory, with arbitrary values.
#[track_caller]
pub(crate) fn with_scratch<T: Pooled, R>(length: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    if length == 0 {
        return f(&mut []);
    }
    let (mut block, _) = Block::take(length);
    f(&mut block.elements_mut().expect("blocks are given out unshared")[..length])
}

/// Asks for the cache lines of a slice before they are needed; without effect on other processors than x86-64.
#[inline]
pub(crate) fn prefetch<T>(x: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in x.chunks((64 / size_of::<T>()).max(1)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is valid, and every x86-64 processor has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = x;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn classes_are_in_order_and_waste_at_most_a_fifth() {
        let mut last = (0, 0);
        for length in 1..20_000 {
            let (class, size) = class_of(length);
            assert!(size >= length);
            assert!(length <= SMALLEST || (size - length) * 5 <= size, "{length} in a block of {size}");
            assert_eq!(class_of(size), (class, size));
            assert!((class, size) == last || (class == last.0 + 1 && size > last.1) || length == 1);
            last = (class, size);
        }
    }

    #[test]
    #[cfg_attr(exact_blocks, ignore = "blocks are not kept")]
    fn blocks_of_sizes_that_are_not_asked_for_make_room() {
        let length = BUDGET / 4 / size_of::<u32>();
        let recycled = |length: usize| !Block::<u32>::take(length).1;
        drop([1, 2, 3].map(|_| Block::<u32>::take(length)));
        let other = length / 4 * 3;
        drop([1, 2].map(|_| Block::<u32>::take(other)));
        assert!(recycled(other) && recycled(length));
        // The new size takes up all of the budget in the end.
        for _ in 0..4 {
            drop([1, 2, 3, 4, 5].map(|_| Block::<u32>::take(other)));
        }
        assert!(recycled(other) && !recycled(length));
        assert!(u32::with_pool(|pool| pool.bytes).unwrap() <= BUDGET);
    }

    #[test]
    #[cfg_attr(exact_blocks, ignore = "blocks are not kept")]
    fn what_another_thread_drops_comes_back() {
        let length = 3 << 12;
        let address = |block: &Block<f32>| block.elements().as_ptr() as usize;
        let block = Block::take(length).0;
        let own = address(&block);
        thread::spawn(move || drop(block)).join().unwrap();
        assert_eq!(address(&Block::take(length).0), own);
        // That of a thread that has exited is freed.
        let block = thread::spawn(move || Block::<f32>::take(length).0).join().unwrap();
        let bytes = || f32::with_pool(|pool| pool.bytes);
        let before = bytes();
        drop(block);
        assert_eq!(bytes(), before);
    }

    #[test]
    fn adopted_memory_does_not_pile_up() {
        let bytes = || f64::with_pool(|pool| pool.bytes);
        let before = bytes();
        drop(Block::adopt(vec![0f64; 16]));
        assert_eq!(bytes(), before);
    }

    #[test]
    #[cfg_attr(exact_blocks, ignore = "blocks are not kept")]
    fn a_block_comes_back_unless_it_is_shared() {
        let address = |block: &Block<f32>| block.elements().as_ptr();
        let (block, _) = Block::take(1000);
        let before = address(&block);
        drop(block);
        let (mut block, fresh) = Block::take(1000);
        assert!(address(&block) == before && !fresh && block.elements_mut().is_some());
        let other = block.clone();
        assert!(block.elements_mut().is_none());
        drop(block);
        assert_ne!(address(&Block::take(1000).0), address(&other));
    }
}
