//! Cholesky decomposition.

use crate::autograd::{Op, Save, Saved, Var};
use crate::kernel::linalg::cholesky;
use crate::ops::linalg::triangular::Triangle;
use crate::ops::linalg::{matrix, square};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// L with `L Lᵀ = (A + Aᵀ)/2`: gA is the symmetric part of `L⁻ᵀ Φ L⁻¹`, where Φ is the lower triangle of `Lᵀ gL` with its
/// diagonal halved.
///
/// Iain Murray 2016, "Differentiation of the Cholesky decomposition".
pub(crate) struct Cholesky;

impl<T: Float> Op<T, 1> for Cholesky {
    const NAME: &'static str = "cholesky";
    const SAVE: Save = Save::Output;

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, inputs: [&Tensor<T>; 1]) -> Tensor<T> {
        self.try_forward(inputs).expect("a positive definite matrix")
    }
    fn try_forward(&mut self, [a]: [&Tensor<T>; 1]) -> Result<Tensor<T>, String> {
        let n = a.shape()[a.rank() - 1];
        let mut y = (a + a.transpose(-1, -2)) * 0.5;
        for (k, y) in y.as_mut_slice().chunks_exact_mut((n * n).max(1)).enumerate() {
            cholesky::factor(y, n)
                .map_err(|(pivot, value)| panics::not_positive_definite(k, a.shape(), pivot, value.to_f64()))?;
        }
        Ok(y)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let l = saved.output();
        let n = l.shape()[l.shape().len() - 1];
        let lower = matrix(n, |row, column| match row.cmp(&column) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        });
        let phi = l.multiply(gy, true, false) * lower;
        let upper = l.transpose(-1, -2);
        let left = upper.solve_triangular(phi, Triangle::Upper);
        let both = upper.solve_triangular(left.transpose(-1, -2), Triangle::Upper);
        [Some((both.transpose(-1, -2) + both) * 0.5)]
    }
}

functions! {
    /// The Cholesky factor of symmetric positive definite matrices A `[…, n, n]`: the lower triangular L with `L Lᵀ = A`.
    ///
    /// Factors the symmetric part (A + Aᵀ)/2, so the gradient is symmetric (PyTorch reads only the lower triangle).
    ///
    /// # Panics
    /// If the matrices are not square, or the symmetric part of one is not positive definite.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[4.0, 2.0], [2.0, 5.0]]);
    /// assert_eq!(a.cholesky().value(), &tensor![[2.0, 0.0], [1.0, 2.0]]);
    /// ```
    fn cholesky(x) = Cholesky.of([x]);
}
