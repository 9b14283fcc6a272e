//! A trainable value, kept between steps.

use crate::tensor::{Float, Tensor};
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};

/// A trainable tensor of a model.
///
/// A parameter belongs to no tape. As an operand it becomes a leaf of the tape, the same leaf each
/// time, and the optimizer finds its gradient in [`Gradients`](super::Gradients).
///
/// A clone is a separate parameter with the same initial value.
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
    /// The parameter of which this one is a clone, at any number of removes, or itself.
    origin: ParamId,
    /// The number of changes, by which a tape detects that a value it read is out of date.
    version: u32,
    trainable: bool,
    value: Tensor<T>,
}

/// Identifies a parameter within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParamId(u64);

impl<T: Float> Param<T> {
    /// A parameter with the given initial value.
    #[doc(alias = "Parameter")]
    pub fn new(value: impl Into<Tensor<T>>) -> Self {
        Param::create(value.into(), true)
    }

    /// A value that is saved with a model but not trained, such as a running mean: a constant on every tape.
    ///
    /// A forward pass updates it through [`Tape::update_buffer`](super::Tape::update_buffer).
    #[doc(alias = "register_buffer")]
    pub fn buffer(value: impl Into<Tensor<T>>) -> Self {
        Param::create(value.into(), false)
    }

    fn create(value: Tensor<T>, trainable: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = ParamId(NEXT.fetch_add(1, Ordering::Relaxed));
        Param { id, origin: id, version: 0, trainable, value }
    }

    /// Whether the parameter is trained: true unless it was created as a [`buffer`](Param::buffer).
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }

    /// The value.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The value, mutably. Changing it between two reads on one tape is a mistake, on which the tape panics.
    #[doc(alias = "copy_")]
    pub fn value_mut(&mut self) -> &mut Tensor<T> {
        self.version = self.version.wrapping_add(1);
        &mut self.value
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// A second handle to this parameter, for callers that cannot borrow it.
    pub(crate) fn alias(&self) -> Self {
        Param { value: self.value.clone(), ..*self }
    }

    pub(crate) fn id(&self) -> ParamId {
        self.id
    }

    pub(crate) fn origin(&self) -> ParamId {
        self.origin
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }
}

impl<T: Float> Clone for Param<T> {
    fn clone(&self) -> Self {
        Param { origin: self.origin, ..Param::create(self.value.clone(), self.trainable) }
    }
}

/// Prints the value, as that of a [`Tensor`].
impl<T: Float> Display for Param<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Display::fmt(&self.value, f)
    }
}

impl<T: Float> Debug for Param<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "Param {:?}", self.value)
    }
}
