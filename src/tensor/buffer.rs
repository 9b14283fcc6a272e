//! The memory of a tensor: shared by clones, copied on write, recycled when the last owner is dropped.

use crate::kernel::Float;
use crate::kernel::base::memory::Block;
use crate::kernel::elementwise::fill;
use std::ops::Range;

/// The elements of a tensor.
#[derive(Clone)]
pub(super) enum Buffer<T: Float> {
    /// A single number, which is cheaper to copy than to share.
    One([T; 1]),
    /// A shared block, and the range of its elements in use.
    Many(Block<T>, Range<usize>),
}

impl<T: Float> Buffer<T> {
    /// Memory for `length` elements with arbitrary values.
    #[track_caller]
    pub(super) fn uninitialized(length: usize) -> Self {
        if length == 1 { Buffer::One([T::ZERO]) } else { Buffer::Many(Block::take(length).0, 0..length) }
    }

    /// `length` zeros.
    #[track_caller]
    pub(super) fn zeros(length: usize) -> Self {
        if length == 1 {
            return Buffer::One([T::ZERO]);
        }
        let (block, fresh) = Block::take(length);
        let mut buffer = Buffer::Many(block, 0..length);
        if !fresh {
            fill(buffer.get_mut(), T::ZERO);
        }
        buffer
    }

    /// Adopts a vector without copying it.
    pub(super) fn adopt(elements: Vec<T>) -> Self {
        let length = elements.len();
        if length == 1 { Buffer::One([elements[0]]) } else { Buffer::Many(Block::adopt(elements), 0..length) }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::One(_) => 1,
            Buffer::Many(_, range) => range.len(),
        }
    }

    pub(super) fn get(&self) -> &[T] {
        match self {
            Buffer::One(element) => element,
            Buffer::Many(block, range) => &block.elements()[range.clone()],
        }
    }

    /// A non-empty range of the elements, shared.
    pub(super) fn part(&self, run: Range<usize>) -> Self {
        let part = &self.get()[run.clone()];
        match self {
            Buffer::Many(block, own) if part.len() > 1 => {
                Buffer::Many(block.clone(), own.start + run.start..own.start + run.end)
            }
            _ => Buffer::One([part[0]]),
        }
    }

    /// The elements, mutably, in an unshared block.
    #[inline(never)]
    pub(super) fn get_mut(&mut self) -> &mut [T] {
        if let Buffer::Many(block, range) = self
            && block.elements_mut().is_none()
        {
            let (mut own, _) = Block::take(range.len());
            let elements = own.elements_mut().expect("blocks are given out unshared");
            elements[..range.len()].copy_from_slice(&block.elements()[range.clone()]);
            (*block, *range) = (own, 0..range.len());
        }
        match self {
            Buffer::One(element) => element,
            Buffer::Many(block, range) => &mut block.elements_mut().expect("unshared, or just copied")[range.clone()],
        }
    }
}
