//! Embedding lookup.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Indices, Rows, Tensor};

/// `y[k] = x[indices[k]]`; the gradient of a row is the sum over its uses, and 0 for the padding row.
pub(crate) struct Embedding<T: Float> {
    rows: Rows,
    /// A mask of the uses of the padding row.
    padding: Option<Tensor<T>>,
}

impl<T: Float> Op<T, 1> for Embedding<T> {
    const NAME: &'static str = "embedding";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let (chosen, rows) = self.rows.counts();
        description.field("rows", &format_args!("{chosen} of {rows}"));
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.select_rows(&self.rows)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let rows = self.rows.clone();
        [Some(match &self.padding {
            Some(padding) => gy.masked_fill(padding, 0.0).scatter_rows(rows),
            None => gy.scatter_rows(rows),
        })]
    }
}

impl<T: Float> Var<T> {
    /// Looks up rows of this table `[n, D…]`: [`Indices`] of shape `[I…]` give `[I…, D…]`.
    ///
    /// The row `padding_idx`, if given, is read like the others but gets no gradient, as in PyTorch.
    ///
    /// # Panics
    /// If there is no axis, or an index or the padding row is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let table = tape.var([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]);
    /// let y = table.embedding([[1, 2], [1, 0]], Some(0));
    /// assert_eq!(y.shape(), [2, 2, 2]);
    /// assert_eq!(y.sum().grad(&table).value(), &tensor![[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]]);
    /// ```
    #[track_caller]
    pub fn embedding(&self, indices: impl Into<Indices>, padding_idx: Option<usize>) -> Var<T> {
        let indices = indices.into();
        let rows = Rows::along("embedding", self.shape(), 0, indices.as_slice(), indices.shape());
        if let Some(row) = padding_idx.filter(|&row| row >= self.shape()[0]) {
            panics::selection_out_of_range("embedding", row as i128, 0, self.shape());
        }
        let padding = padding_idx.map(|row| uses_of(row, &indices, self.shape().len() - 1));
        Embedding { rows, padding }.of([self])
    }
}

/// 1 where an index is that of the row and 0 elsewhere, with a new axis of size 1 for each axis of a row.
pub(crate) fn uses_of<T: Float>(row: usize, indices: &Indices, axes: usize) -> Tensor<T> {
    let uses = indices.as_slice().iter().map(|&index| if index == row { T::ONE } else { T::ZERO });
    let shape: Vec<usize> = indices.shape().iter().copied().chain(std::iter::repeat_n(1, axes)).collect();
    Tensor::from_vec(uses.collect(), shape)
}
