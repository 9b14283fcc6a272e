//! The memory of a tensor: shared, written only when unshared, recycled when the last holder lets go.

use crate::kernel::Float;
use crate::kernel::memory::Block;

/// The elements of a tensor.
#[derive(Clone)]
pub(super) enum Buffer<T: Float> {
    /// A single number, which is quicker copied than shared.
    One([T; 1]),
    /// A share of a block, of which the first elements are in use.
    Many(Block<T>, usize),
}

impl<T: Float> Buffer<T> {
    /// Memory for `length` elements with arbitrary values in it.
    pub(super) fn uninitialised(length: usize) -> Self {
        if length == 1 { Buffer::One([T::ZERO]) } else { Buffer::Many(Block::take(length).0, length) }
    }

    /// Memory for `length` zeros.
    pub(super) fn zeros(length: usize) -> Self {
        if length == 1 {
            return Buffer::One([T::ZERO]);
        }
        let (block, fresh) = Block::take(length);
        let mut buffer = Buffer::Many(block, length);
        if !fresh {
            buffer.get_mut().fill(T::ZERO);
        }
        buffer
    }

    /// Adopts a vector without copying it.
    pub(super) fn adopt(elements: Vec<T>) -> Self {
        let length = elements.len();
        if length == 1 { Buffer::One([elements[0]]) } else { Buffer::Many(Block::adopt(elements), length) }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::One(_) => 1,
            Buffer::Many(_, length) => *length,
        }
    }

    pub(super) fn get(&self) -> &[T] {
        match self {
            Buffer::One(element) => element,
            Buffer::Many(block, length) => &block.elements()[..*length],
        }
    }

    /// The elements for writing, in a block of its own.
    pub(super) fn get_mut(&mut self) -> &mut [T] {
        if let Buffer::Many(block, length) = self
            && block.elements_mut().is_none()
        {
            let (mut own, _) = Block::take(*length);
            let elements = own.elements_mut().expect("blocks are given out unshared");
            elements[..*length].copy_from_slice(&block.elements()[..*length]);
            *block = own;
        }
        match self {
            Buffer::One(element) => element,
            Buffer::Many(block, length) => &mut block.elements_mut().expect("unshared, or just copied")[..*length],
        }
    }
}
