//! The embedding layer for bags of indices.

use super::Init;
use crate::autograd::{Param, Tape, Var};
use crate::ops::Bag;
use crate::tensor::Float;
use rand::Rng;

/// A lookup table whose rows are combined for each bag of indices, such as the words of a sentence in any order.
///
/// ```
/// use wengert::nn::EmbeddingBag;
/// use wengert::ops::Bag;
/// use wengert::prelude::*;
///
/// let layer = EmbeddingBag::new(10, 3, Init::Normal(1.0), &mut wengert::rng(0)).combine(Bag::Sum);
/// let y = layer.forward(&Tape::new(), &[vec![4, 2, 5], vec![7]]);
/// assert_eq!(y.shape(), [2, 3]);
/// ```
#[derive(Clone, Debug)]
pub struct EmbeddingBag<T: Float = f32> {
    /// `[count, size]`.
    pub weight: Param<T>,
    /// How the rows of a bag are combined.
    pub combine: Bag,
}
crate::module!(EmbeddingBag<T> { weight; combine });

impl<T: Float> EmbeddingBag<T> {
    /// Creates a table of `count` vectors of the given size, which are averaged; PyTorch initializes with
    /// [`Init::Normal(1.0)`](Init::Normal).
    #[track_caller]
    pub fn new(count: usize, size: usize, init: Init, rng: &mut impl Rng) -> Self {
        EmbeddingBag { weight: Param::new(init.sample(&[count, size], rng)), combine: Bag::Mean }
    }

    /// Sets how the rows of a bag are combined.
    #[must_use]
    pub fn combine(self, combine: Bag) -> Self {
        EmbeddingBag { combine, ..self }
    }

    /// The combined vectors of each bag: `[bags, size]`. See [`Var::embedding_bag`].
    ///
    /// # Panics
    /// If an index is not less than the number of vectors.
    #[track_caller]
    pub fn forward(&self, tape: &Tape<T>, bags: &[impl AsRef<[usize]>]) -> Var<T> {
        tape.param(&self.weight).embedding_bag(bags, self.combine)
    }
}
