//! Matrix trace.

use crate::autograd::Var;
use crate::panics;
use crate::tensor::{Float, Tensor};

functions! {
    /// The trace, the sum of the diagonal, of each matrix of `[…, m, n]`; they need not be square.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.trace().item(), 5.0);
    /// assert_eq!(a.trace().grad(&a).value(), &Tensor::eye(2));
    /// ```
    fn trace(x) = {
        if x.shape().len() < 2 {
            panics::wrong_shapes("trace", &panics::not_a_matrix(x.shape()), "");
        }
        x.diagonal(0, -2, -1).sum_over(-1)
    };
}
