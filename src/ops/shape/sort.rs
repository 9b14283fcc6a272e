//! Sorting along an axis.

use crate::autograd::Var;
use crate::tensor::{AxisIndex, Float, Indices, Tensor};

impl<T: Float> Var<T> {
    #[track_caller]
    fn order_along(&self, op: &str, axis: i128, count: Option<usize>, descending: bool) -> Indices {
        self.value().order_along(op, axis, count, descending)
    }
}

functions! {
    /// The elements along an axis in ascending or descending order, and the [`Indices`] they had: `y = x.gather(axis, indices)`,
    /// whose derivative this is.
    ///
    /// Both have the shape of x. Equal elements keep their order, and NaN counts as the greatest, as in PyTorch.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = tensor![[3.0, 1.0, 2.0], [5.0, 5.0, 4.0]];
    /// let (sorted, indices) = x.sort(1, false);
    /// assert_eq!(sorted, tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]]);
    /// assert_eq!(indices, [[1, 2, 0], [2, 0, 1]].into());
    /// ```
    fn sort(x, axis: impl AxisIndex, descending: bool) -> (Self, Indices) = {
        let indices = x.order_along("sort", axis.index(), None, descending);
        (x.gather(axis, &indices), indices)
    };

    /// The [`Indices`] that [`sort`](Self::sort) an axis.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![3.0, 1.0, 2.0].argsort(0, true), [0, 2, 1].into());
    /// ```
    fn argsort(x, axis: impl AxisIndex, descending: bool) -> Indices =
        x.order_along("argsort", axis.index(), None, descending);

    /// The k largest elements along an axis, the largest first, and their [`Indices`]: `y = x.gather(axis, indices)`, whose
    /// derivative this is.
    ///
    /// Both have the shape of x with k at the axis. Of equal elements the first ones are taken, and NaN counts as the greatest.
    ///
    /// # Panics
    /// If the axis is out of range, or has fewer than k elements.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[3.0, 1.0, 2.0], [5.0, 5.0, 4.0]]);
    /// let (largest, indices) = x.topk(2, 1);
    /// assert_eq!(largest.value(), &tensor![[3.0, 2.0], [5.0, 5.0]]);
    /// assert_eq!(indices, [[0, 2], [0, 1]].into());
    /// assert_eq!(largest.sum().grad(&x).value(), &tensor![[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]);
    /// ```
    #[doc(alias("top_k", "argpartition", "partition"))]
    fn topk(x, k: usize, axis: impl AxisIndex) -> (Self, Indices) = {
        let indices = x.order_along("topk", axis.index(), Some(k), true);
        (x.gather(axis, &indices), indices)
    };
}
