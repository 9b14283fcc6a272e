//! The memory of a tensor: shared, written only when unshared, recycled when the last holder lets go.

use crate::kernel::Float;
use crate::kernel::memory::{self, Block};
use std::sync::Arc;

/// A share of a block of memory. The block may be longer than the tensor.
pub(super) struct Buffer<T: Float> {
    /// Always `Some`, except while being dropped.
    block: Option<Arc<Block<T>>>,
    length: usize,
}

impl<T: Float> Buffer<T> {
    /// Memory for `length` elements with arbitrary values in it.
    pub(super) fn uninitialised(length: usize) -> Self {
        Buffer { block: Some(memory::take(length).0), length }
    }

    /// Memory for `length` zeros.
    pub(super) fn zeros(length: usize) -> Self {
        let (block, fresh) = memory::take(length);
        let mut buffer = Buffer { block: Some(block), length };
        if !fresh {
            buffer.get_mut().fill(T::ZERO);
        }
        buffer
    }

    /// Adopts a vector without copying it.
    pub(super) fn adopt(elements: Vec<T>) -> Self {
        let length = elements.len();
        Buffer { block: Some(memory::adopt(elements)), length }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    fn block(&self) -> &Block<T> {
        self.block.as_ref().expect("a buffer has its block until it is dropped")
    }

    pub(super) fn get(&self) -> &[T] {
        &self.block().elements[..self.length]
    }

    /// The elements for writing, in a block of its own.
    pub(super) fn get_mut(&mut self) -> &mut [T] {
        if Arc::get_mut(self.block.as_mut().expect("as above")).is_none() {
            let mut copy = Buffer::uninitialised(self.length);
            copy.get_mut().copy_from_slice(self.get());
            *self = copy;
        }
        let block = Arc::get_mut(self.block.as_mut().expect("as above")).expect("unshared, or just copied");
        &mut block.elements[..self.length]
    }
}

impl<T: Float> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Buffer { block: self.block.clone(), length: self.length }
    }
}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            memory::give(block);
        }
    }
}
