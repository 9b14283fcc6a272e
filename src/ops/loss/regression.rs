//! Losses between real values.

use crate::autograd::{Operand, Var};
use crate::ops::loss::Reduction;
use crate::tensor::Float;

impl<T: Float> Var<T> {
    /// The squared error, `(x − t)²`; the shapes broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let y = tape.var([1.0, 3.0]);
    /// assert_eq!(y.mse_loss(&tensor![1.0, 1.0], Reduction::Mean).item(), 2.0);
    /// ```
    #[track_caller]
    pub fn mse_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        (self - target).square().reduce(reduction)
    }

    /// The absolute error, `|x − t|`; the derivative is 0 at 0.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn l1_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        (self - target).abs().reduce(reduction)
    }

    /// The Huber loss of an error d: `d²/2` for `|d| ≤ δ`, `δ (|d| − δ/2)` beyond. Huber 1964.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn huber_loss(&self, target: impl Operand<T>, delta: f64, reduction: Reduction) -> Var<T> {
        let error = self - target;
        let bound = T::from_f64(delta);
        let near = error.value().mask(|d| d.abs() <= bound);
        let linear = (error.abs() - delta / 2.0) * delta;
        (error.square() / 2.0).where_(&near, linear).reduce(reduction)
    }

    /// The smooth L1 loss of an error d: `d²/(2β)` for `|d| < β`, `|d| − β/2` beyond. Equals [`huber_loss`](Var::huber_loss) / β.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn smooth_l1_loss(&self, target: impl Operand<T>, beta: f64, reduction: Reduction) -> Var<T> {
        let error = self - target;
        let bound = T::from_f64(beta);
        let near = error.value().mask(|d| d.abs() < bound);
        let linear = error.abs() - beta / 2.0;
        // With β = 0 the quadratic branch is never selected, but it must not divide by 0.
        let scale = if beta == 0.0 { 1.0 } else { 2.0 * beta };
        (error.square() / scale).where_(&near, linear).reduce(reduction)
    }
}
