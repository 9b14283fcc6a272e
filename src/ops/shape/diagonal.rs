//! Diagonals and triangles of matrices.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{AxisIndex, Float, Tensor, View, checked_shape, matrix_columns, resolve_axis};

/// The lower triangle; the gradient is the lower triangle of gy.
pub(crate) struct Tril {
    diagonal: isize,
}

impl<T: Float> Op<T, 1> for Tril {
    const NAME: &'static str = "tril";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.signed("diagonal", self.diagonal);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.tril(self.diagonal)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.tril(self.diagonal))]
    }
}

/// The upper triangle; the gradient is the upper triangle of gy.
pub(crate) struct Triu {
    diagonal: isize,
}

impl<T: Float> Op<T, 1> for Triu {
    const NAME: &'static str = "triu";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.signed("diagonal", self.diagonal);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.triu(self.diagonal)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.triu(self.diagonal))]
    }
}

impl<T: Float> Var<T> {
    /// The lower triangle of the matrices in the last two axes: 0 where column − row > `diagonal`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant(Tensor::ones([2, 3]));
    /// assert_eq!(x.tril(0).value(), &tensor![[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]);
    /// assert_eq!(x.tril(-1).value(), &tensor![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Var<T> {
        matrix_columns("tril", self.shape());
        Tril { diagonal }.of([self])
    }

    /// The upper triangle of the matrices in the last two axes: 0 where column − row < `diagonal`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Var<T> {
        matrix_columns("triu", self.shape());
        Triu { diagonal }.of([self])
    }

    /// The diagonal of two axes, where column − row = `offset`. The two axes are removed; the diagonal becomes the last axis.
    ///
    /// # Panics
    /// If an axis is out of range, or both are the same.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diagonal(0, 0, 1).value(), &tensor![1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1).value(), &tensor![2.0]);
    /// ```
    #[doc(alias = "diag")]
    #[track_caller]
    pub fn diagonal(&self, offset: isize, rows: impl AxisIndex, columns: impl AxisIndex) -> Var<T> {
        self.slice_by(View::diagonal(self.shape(), offset, rows, columns))
    }

    /// Square matrices with the last axis on the diagonal where column − row = `offset`, and zeros elsewhere.
    ///
    /// # Panics
    /// If there is no axis, or the matrices are too large.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// assert_eq!(tape.constant([1.0, 2.0]).diag_embed(0).value(), &tensor![[1.0, 0.0], [0.0, 2.0]]);
    /// ```
    #[doc(alias = "diag")]
    #[track_caller]
    pub fn diag_embed(&self, offset: isize) -> Var<T> {
        let last = resolve_axis("diag_embed", -1, self.shape());
        let n = self.shape()[last].saturating_add(offset.unsigned_abs());
        let shape = checked_shape("diag_embed", self.shape()[..last].iter().copied().chain([n, n]).collect());
        self.pad_by(View::diagonal(&shape, offset, -2, -1), shape, 0.0)
    }
}
