//! Determinants and log-determinants.

use crate::autograd::{Op, Save, Saved, Var};
use crate::ops::linalg::inverse::inverse_transposed;
use crate::ops::linalg::lu::SharedFactors;
use crate::ops::linalg::{matrix, square};
use crate::ops::registry::Registered;
use crate::tensor::{Dims, Float, Positions, Tensor};

/// Up to this size the gradient is computed from minors.
const MAX_SIZE_FOR_MINORS: usize = 3;

/// `y = det A`. The gradient is the cofactor matrix: `y A⁻ᵀ`, or computed from minors if A is small or nearly singular.
pub(crate) struct Determinant<T: Float> {
    factors: SharedFactors<T>,
}

impl<T: Float> Op<T, 1> for Determinant<T> {
    const NAME: &'static str = "det";
    const SAVE: Save = Save::InputsAndOutput;

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, [a]: [&Tensor<T>; 1]) -> Tensor<T> {
        self.factors.of(a).determinants()
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (a, y) = (saved.input(0), saved.output());
        let n = a.shape()[a.shape().len() - 1];
        if (1..=MAX_SIZE_FOR_MINORS).contains(&n) || self.factors.of(a.value()).nearly_singular() {
            return [Some(as_matrices(gy) * cofactors(&a))];
        }
        [Some(as_matrices(&(gy * y)) * inverse_transposed(&a, &self.factors))]
    }
}

/// `y = ln |det A|`, `dy/dA = A⁻ᵀ`.
pub(crate) struct LogDeterminant<T: Float> {
    factors: SharedFactors<T>,
}

impl<T: Float> Op<T, 1> for LogDeterminant<T> {
    const NAME: &'static str = "slogdet";
    const SAVE: Save = Save::Inputs;

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, [a]: [&Tensor<T>; 1]) -> Tensor<T> {
        self.factors.of(a).log_determinants()
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(as_matrices(gy) * inverse_transposed(&saved.input(0), &self.factors))]
    }
}

/// A scalar for each matrix, `[…]`, as `[…, 1, 1]`.
#[track_caller]
fn as_matrices<T: Float>(y: &Var<T>) -> Var<T> {
    y.with_shape(y.shape().iter().copied().chain([1, 1]).collect())
}

/// The cofactor matrix by its definition: determinants of the minors, with alternating signs.
///
/// Costs n² determinants but divides by nothing, so it is exact at every rank and order. `y A⁻ᵀ` loses digits in higher derivatives
/// near a singular matrix.
#[track_caller]
fn cofactors<T: Float>(a: &Var<T>) -> Var<T> {
    let n = a.shape()[a.shape().len() - 1];
    let matrices = a.value().len() / (n * n);
    let without = |removed: usize| (0..n).filter(move |&k| k != removed);
    let mut positions = Vec::new();
    for start in (0..matrices).map(|matrix| matrix * n * n) {
        for (row, column) in (0..n * n).map(|k| (k / n, k % n)) {
            positions.extend(without(row).flat_map(|i| without(column).map(move |j| start + i * n + j)));
        }
    }
    let out_shape = Dims::from_slice(&[matrices, n, n, n - 1, n - 1]);
    let minors = a.take(Positions::flat(positions, out_shape, a.value().dims()));
    let signs = matrix(n, |row, column| if (row + column) % 2 == 0 { 1.0 } else { -1.0 });
    minors.det().with_shape(a.value().dims()) * signs
}

functions! {
    /// The determinant of each matrix of `[…, n, n]`; 1 for n = 0.
    ///
    /// The gradient is the cofactor matrix, even where the determinant is 0. Determinants of large matrices easily overflow or
    /// underflow; [`slogdet`](Var::slogdet) does not.
    ///
    /// # Panics
    /// If the matrices are not square.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[1.0, 2.0], [2.0, 4.0]]);
    /// assert_eq!(a.det().item(), 0.0);
    /// assert_eq!(a.det().grad(&a).value(), &tensor![[4.0, -2.0], [-2.0, 1.0]]);
    /// ```
    #[doc(alias = "determinant")]
    fn det(x) = Determinant { factors: SharedFactors::default() }.of([x]);
}

impl<T: Float> Var<T> {
    /// The sign and the logarithm of the absolute determinant of each matrix of `[…, n, n]`: `det A = sign · exp(log)`.
    ///
    /// The sign, −1, 0 or 1, is piecewise constant and therefore returned as a tensor. For a singular matrix the logarithm is −∞ and
    /// its gradient is not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[2.0, 0.0], [0.0, -3.0]]);
    /// let (sign, log) = a.slogdet();
    /// assert_eq!(sign.item(), -1.0);
    /// assert!((log.item() - 6f32.ln()).abs() < 1e-6);
    /// ```
    #[doc(alias = "logdet")]
    #[track_caller]
    pub fn slogdet(&self) -> (Tensor<T>, Var<T>) {
        let factors = SharedFactors::default();
        let log = LogDeterminant { factors: factors.clone() }.of([self]);
        (factors.of(self.value()).signs(), log)
    }
}
