//! Recycled memory: a thread-local free list of blocks, by size class.
//!
//! A training step asks for the same sizes again and again. Returning a block to a free list
//! instead of to the system means that from the second step on nothing is allocated, and no page
//! has to be faulted in and zeroed by the kernel, which is where much of the time of a small
//! network on a CPU goes otherwise.

use super::Float;
use std::sync::Arc;

/// Bytes that one thread keeps for reuse, for each element type. What exceeds it goes back to the system.
const BUDGET: usize = 256 << 20;

/// Elements of the smallest class.
const SMALLEST: usize = 8;

/// Memory for the elements of a tensor.
pub(crate) struct Block<T> {
    pub(crate) elements: Vec<T>,
    /// Whether this came from [`take`]. What comes from elsewhere must not go to the free list: nothing would bound it.
    recyclable: bool,
}

/// The free list of one thread: stacks of unshared blocks, one stack a size class.
pub struct Pool<T> {
    classes: Vec<Vec<Arc<Block<T>>>>,
    bytes: usize,
}

impl<T> Pool<T> {
    pub(super) const fn new() -> Self {
        Pool { classes: Vec::new(), bytes: 0 }
    }
}

/// The class that holds `length` elements, and the length of its blocks.
///
/// Four classes to a doubling (8, 10, 12, 14, 16, 20, 24 …), so at most a fifth of a block is unused.
fn class_of(length: usize) -> (usize, usize) {
    let length = length.max(SMALLEST);
    let octave = length.ilog2() as usize;
    let step = 1 << (octave - 2);
    let quarters = length.div_ceil(step);
    let class = (octave - SMALLEST.ilog2() as usize) * 4 + (quarters - 4);
    (class, quarters * step)
}

/// An unshared block of at least `length` elements, holding whatever its last user left there.
///
/// The flag says that the block is fresh from the system, hence all zeros.
pub(crate) fn take<T: Float>(length: usize) -> (Arc<Block<T>>, bool) {
    let (class, size) = class_of(length);
    let recycled = T::with_pool(|pool| {
        let block = pool.classes.get_mut(class)?.pop()?;
        pool.bytes -= size * size_of::<T>();
        Some(block)
    });
    match recycled.flatten() {
        Some(block) => (block, false),
        None => (Arc::new(Block { elements: vec![T::ZERO; size], recyclable: true }), true),
    }
}

/// A block of elements that exist already.
pub(crate) fn adopt<T>(elements: Vec<T>) -> Arc<Block<T>> {
    Arc::new(Block { elements, recyclable: false })
}

/// Takes back a block if nobody else holds it and it came from the free list.
pub(crate) fn give<T: Float>(block: Arc<Block<T>>) {
    // No weak handles exist, so a count of one means that nobody can gain access meanwhile.
    if Arc::strong_count(&block) != 1 || !block.recyclable {
        return;
    }
    let (class, size) = class_of(block.elements.len());
    let bytes = size * size_of::<T>();
    // During the thread's own exit the pool may be gone already: then the block is simply freed.
    T::with_pool(|pool| {
        if pool.bytes + bytes <= BUDGET {
            if pool.classes.len() <= class {
                pool.classes.resize_with(class + 1, Vec::new);
            }
            pool.classes[class].push(block);
            pool.bytes += bytes;
        }
    });
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
        give(adopt(vec![0f64; 16]));
        assert_eq!(bytes(), before);
    }

    #[test]
    fn a_block_comes_back_unless_it_is_shared() {
        let (block, _) = take::<f32>(1000);
        let address = block.elements.as_ptr();
        give(block);
        let (block, fresh) = take::<f32>(1000);
        assert!(block.elements.as_ptr() == address && !fresh);
        let other = block.clone();
        give(block);
        assert_ne!(take::<f32>(1000).0.elements.as_ptr(), other.elements.as_ptr());
    }
}
