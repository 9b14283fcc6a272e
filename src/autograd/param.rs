//! A trainable value, kept between steps.

use crate::tensor::{Float, Tensor};
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};

/// A trainable tensor of a model.
///
/// A parameter belongs to no tape. An operation that is given one reads it as a leaf of its tape,
/// the same leaf each time, and the optimizer finds its gradient in [`Gradients`](super::Gradients).
///
/// A clone is a parameter of its own that begins with the same value.
///
/// ```
/// use wengert::prelude::*;
///
/// let weight = Param::new([1.0, 2.0]);
/// let tape = Tape::new();
/// let gradients = (tape.constant([3.0, 4.0]) * &weight).sum().backward();
/// assert_eq!(gradients[&weight], tensor![3.0, 4.0]);
/// ```
pub struct Param<T: Float = f32> {
    id: ParamId,
    /// Counts the changes, so that a tape notices when what it read is no longer there.
    version: u32,
    trainable: bool,
    value: Tensor<T>,
}

/// Tells a parameter from all others of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParamId(u64);

impl<T: Float> Param<T> {
    /// A parameter that begins with the given value.
    pub fn new(value: impl Into<Tensor<T>>) -> Self {
        Param::create(value.into(), true)
    }

    /// A value that belongs to a model and is saved with it, but is not trained: a constant on every tape, such as a running mean.
    ///
    /// A forward pass changes it through [`Tape::update_buffer`](super::Tape::update_buffer).
    pub fn buffer(value: impl Into<Tensor<T>>) -> Self {
        Param::create(value.into(), false)
    }

    fn create(value: Tensor<T>, trainable: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Param { id: ParamId(NEXT.fetch_add(1, Ordering::Relaxed)), version: 0, trainable, value }
    }

    /// Whether this is trained: true unless it was made as a [`buffer`](Param::buffer).
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }

    /// The value.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The value, for changing it. Between two reads on one tape that is a mistake, which the tape notices.
    pub fn value_mut(&mut self) -> &mut Tensor<T> {
        self.version = self.version.wrapping_add(1);
        &mut self.value
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// The same parameter, for who cannot hold a reference to it.
    pub(crate) fn alias(&self) -> Self {
        Param { value: self.value.clone(), ..*self }
    }

    pub(crate) fn id(&self) -> ParamId {
        self.id
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }
}

impl<T: Float> Clone for Param<T> {
    fn clone(&self) -> Self {
        Param::create(self.value.clone(), self.trainable)
    }
}

impl<T: Float> Debug for Param<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "Param {:?}", self.value)
    }
}
