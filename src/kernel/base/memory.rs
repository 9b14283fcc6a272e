//! Recycled memory: a thread-local free list of blocks, by size class.
//!
//! A training step asks for the same sizes again and again. Returning a block to a free list
//! instead of to the system means that from the second step on nothing is allocated, and no page
//! has to be faulted in and zeroed by the kernel, which is where much of the time of a small
//! network on a CPU goes otherwise.

use crate::kernel::Float;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

/// Bytes that one thread keeps for reuse, for each element type. What exceeds it goes back to the system.
const BUDGET: usize = 256 << 20;

/// Bytes of a line of the cache, and of the longest vector register.
const LINE: usize = 64;

/// Elements of the smallest class.
const SMALLEST: usize = 8;

/// A share of memory for the elements of tensors; the last one to be dropped gives it to the free list.
pub(crate) struct Block<T: Float>(ManuallyDrop<Arc<Elements<T>>>);

struct Elements<T> {
    memory: Vec<T>,
    /// Where the elements are in it.
    range: Range<usize>,
    /// Whether this came from [`Block::take`]. What comes from elsewhere must not go to the free list: nothing would bound it.
    recyclable: bool,
}

/// The free list of one thread: stacks of unshared blocks, one stack a size class.
pub struct Pool<T> {
    classes: Vec<Vec<Arc<Elements<T>>>>,
    bytes: usize,
}

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Pool { classes: Vec::new(), bytes: 0 }
    }

    fn take(&mut self, class: usize, size: usize) -> Option<Arc<Elements<T>>> {
        let block = self.classes.get_mut(class)?.pop()?;
        self.bytes -= size * size_of::<T>();
        Some(block)
    }

    fn give(&mut self, block: Arc<Elements<T>>) {
        let (class, size) = class_of(block.range.len());
        let bytes = size * size_of::<T>();
        if self.bytes + bytes <= BUDGET {
            if self.classes.len() <= class {
                self.classes.resize_with(class + 1, Vec::new);
            }
            self.classes[class].push(block);
            self.bytes += bytes;
        }
    }
}

/// The class that holds `length` elements, and the length of its blocks.
///
/// Four classes to a doubling (8, 10, 12, 14, 16, 20, 24 …), so at most a fifth of a block is unused.
#[inline]
fn class_of(length: usize) -> (usize, usize) {
    let length = length.max(SMALLEST);
    let octave = length.ilog2() as usize;
    let step = octave - 2;
    let quarters = (length + (1 << step) - 1) >> step;
    let class = (octave - SMALLEST.ilog2() as usize) * 4 + (quarters - 4);
    (class, quarters << step)
}

impl<T: Float> Elements<T> {
    /// Zeros that begin at a line of the cache: a vector register that is read across two lines takes twice as long.
    fn aligned(size: usize) -> Self {
        let memory = vec![T::ZERO; size + LINE / size_of::<T>()];
        let start = memory.as_ptr().align_offset(LINE);
        Elements { memory, range: start..start + size, recyclable: true }
    }
}

impl<T: Float> Block<T> {
    /// An unshared block of at least `length` elements, holding whatever its last user left there.
    ///
    /// The flag says that the block is fresh from the system, hence all zeros.
    pub(crate) fn take(length: usize) -> (Self, bool) {
        let (class, size) = class_of(length);
        let recycled = T::with_pool(|pool| pool.take(class, size)).flatten();
        let fresh = recycled.is_none();
        let block = recycled.unwrap_or_else(|| Arc::new(Elements::aligned(size)));
        (Block(ManuallyDrop::new(block)), fresh)
    }

    /// A block of elements that exist already.
    pub(crate) fn adopt(elements: Vec<T>) -> Self {
        let range = 0..elements.len();
        Block(ManuallyDrop::new(Arc::new(Elements { memory: elements, range, recyclable: false })))
    }

    /// The elements, of a recycled block more than were asked for.
    pub(crate) fn elements(&self) -> &[T] {
        &self.0.memory[self.0.range.clone()]
    }

    /// The elements for writing, if this is the only share.
    pub(crate) fn elements_mut(&mut self) -> Option<&mut [T]> {
        self.is_unshared().then(|| {
            // SAFETY: nobody else holds the block, and nobody can gain access while this share is borrowed.
            let block = unsafe { &mut *Arc::as_ptr(&self.0).cast_mut() };
            &mut block.memory[block.range.clone()]
        })
    }

    /// Like `Arc::get_mut`, which takes several times as long because it has to lock out weak handles. Here none exist.
    fn is_unshared(&self) -> bool {
        let unshared = Arc::strong_count(&self.0) == 1;
        // What other threads did to the block before they let go comes first.
        fence(Ordering::Acquire);
        unshared
    }
}

impl<T: Float> Clone for Block<T> {
    fn clone(&self) -> Self {
        Block(self.0.clone())
    }
}

impl<T: Float> Drop for Block<T> {
    fn drop(&mut self) {
        let unshared = self.is_unshared();
        // SAFETY: the block is not used again.
        let block = unsafe { ManuallyDrop::take(&mut self.0) };
        if unshared && block.recyclable {
            // During the thread's own exit the pool may be gone already: then the block is simply freed.
            T::with_pool(|pool| pool.give(block));
        }
    }
}

/// Calls `f` with `length` elements for its own use, in which it finds whatever their last user left there.
pub(crate) fn with_scratch<T: Float, R>(length: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let (mut block, _) = Block::take(length);
    f(&mut block.elements_mut().expect("blocks are given out unshared")[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn adopted_memory_does_not_pile_up() {
        let bytes = || f64::with_pool(|pool| pool.bytes);
        let before = bytes();
        drop(Block::adopt(vec![0f64; 16]));
        assert_eq!(bytes(), before);
    }

    #[test]
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
