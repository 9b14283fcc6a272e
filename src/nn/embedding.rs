//! The embedding layer.

use super::Init;
use crate::autograd::{Param, Tape, Var};
use crate::ops::uses_of;
use crate::panics;
use crate::tensor::{Float, Indices};
use rand::Rng;

/// A lookup table of vectors, one for each index of a vocabulary or other discrete set.
///
/// Its input is not a variable: indices are integers, which have no gradient, so the tape is passed as a separate argument.
/// For this reason it does not implement [`Layer`](super::Layer).
///
/// The gradient of the table is a list of the rows that were read ([`Gradients::rows`](crate::Gradients::rows)): Adam updates these
/// rows alone, as PyTorch's `SparseAdam` does; [`Gradients::into_dense`](crate::Gradients::into_dense) makes it update all.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = Embedding::new(10, 3, Init::Normal(1.0), &mut wengert::rng(0)).padding(0);
/// let tape = Tape::new();
/// let sentences = [[4, 2, 5], [7, 0, 0]];
/// let y = layer.forward(&tape, sentences);
/// assert_eq!(y.shape(), [2, 3, 3]);
/// assert_eq!(y.value().select(0, 1).select(0, 2), Tensor::zeros([3]));
/// ```
#[derive(Clone, Debug)]
pub struct Embedding<T: Float = f32> {
    /// `[count, size]`.
    pub weight: Param<T>,
    /// The row of the padding index, which is not trained and read as 0.
    pub padding_idx: Option<usize>,
}
crate::module!(Embedding<T> { weight; padding_idx });

impl<T: Float> Embedding<T> {
    /// Creates a table of `count` vectors of the given size; PyTorch initializes with [`Init::Normal(1.0)`](Init::Normal).
    #[doc(alias("EmbedID", "TimeEmbedding", "nn.Embedding"))]
    #[track_caller]
    pub fn new(count: usize, size: usize, init: Init, rng: &mut impl Rng) -> Self {
        Embedding { weight: Param::new(init.sample(&[count, size], rng)), padding_idx: None }
    }

    /// Sets row `padding_idx` to 0 and excludes it from training, for padding sequences to the same length.
    ///
    /// It is read as 0 even if other values are loaded or assigned, as from a layer without padding; PyTorch reads those.
    ///
    /// # Panics
    /// If `padding_idx` is out of range.
    #[must_use]
    #[track_caller]
    pub fn padding(mut self, padding_idx: usize) -> Self {
        let [count, size] = *self.weight.shape() else { panics::no_matrix("Embedding", self.weight.shape()) };
        if padding_idx >= count {
            panics::selection_out_of_range("Embedding", padding_idx as i128, 0, self.weight.shape());
        }
        let start = padding_idx * size;
        self.weight.value_mut().as_mut_slice()[start..start + size].fill(T::ZERO);
        Embedding { padding_idx: Some(padding_idx), ..self }
    }

    /// Looks up the vectors of [`Indices`] of shape `[A, …]`: `[A, …, size]`.
    ///
    /// # Panics
    /// If an index is not less than the number of vectors.
    #[track_caller]
    pub fn forward(&self, tape: &Tape<T>, indices: impl Into<Indices>) -> Var<T> {
        self.look_up(tape, indices.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn look_up(&self, tape: &Tape<T>, indices: Indices) -> Var<T> {
        let y = tape.param(&self.weight).embedding(&indices, self.padding_idx);
        match self.padding_idx.filter(|&row| self.weight.value().rows(&[row]).iter().any(|&x| x != T::ZERO)) {
            None => y,
            Some(row) => y.masked_fill(&uses_of(row, &indices, 1), 0.0),
        }
    }
}
