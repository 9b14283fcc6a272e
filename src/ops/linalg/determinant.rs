//! Determinants and their logarithms.

use crate::autograd::{Op, Save, Saved, Var};
use crate::ops::linalg::factors::Factors;
use crate::ops::linalg::{inverse, matrix, square};
use crate::ops::registry::Registered;
use crate::tensor::{Dims, Float, Positions, Tensor};

/// Up to this size the cofactors are computed by their definition.
const SMALL: usize = 3;

/// `y = det A`, whose gradient is the matrix of the cofactors: `y A⁻ᵀ`, or determinants of minors where A is small or singular.
pub(crate) struct Determinant;

impl<T: Float> Op<T, 1> for Determinant {
    const NAME: &'static str = "det";
    const SAVE: Save = Save::InputsAndOutput;

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, [a]: [&Tensor<T>; 1]) -> Tensor<T> {
        Factors::of(a).determinants()
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (a, y) = (saved.input(0), saved.output());
        let n = a.shape()[a.shape().len() - 1];
        if (1..=SMALL).contains(&n) || Factors::of(a.value()).nearly_singular() {
            return [Some(over_matrices(gy) * cofactors(&a))];
        }
        [Some(over_matrices(&(gy * y)) * inverse::transposed(&a))]
    }
}

/// `y = ln |det A|`, `dy/dA = A⁻ᵀ`.
pub(crate) struct LogDeterminant;

impl<T: Float> Op<T, 1> for LogDeterminant {
    const NAME: &'static str = "slogdet";
    const SAVE: Save = Save::Inputs;

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, [a]: [&Tensor<T>; 1]) -> Tensor<T> {
        Factors::of(a).logarithms()
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(over_matrices(gy) * inverse::transposed(&saved.input(0)))]
    }
}

/// A number for each matrix, in a shape that broadcasts against the matrices.
#[track_caller]
fn over_matrices<T: Float>(y: &Var<T>) -> Var<T> {
    y.with_shape(y.shape().iter().copied().chain([1, 1]).collect())
}

/// The cofactors by their definition: the determinants of the matrices without one row and one column, with alternating signs.
///
/// Takes n² determinants, which no division spoils: right at every rank, and to any order. The other way loses digits in higher
/// derivatives near a singular matrix.
#[track_caller]
fn cofactors<T: Float>(a: &Var<T>) -> Var<T> {
    let n = a.shape()[a.shape().len() - 1];
    let stack = &a.shape()[..a.shape().len() - 2];
    let others = |left_out: usize| (0..n).filter(move |&k| k != left_out);
    let mut positions = Vec::new();
    for start in (0..stack.iter().product()).map(|matrix: usize| matrix * n * n) {
        for (row, column) in (0..n * n).map(|k| (k / n, k % n)) {
            positions.extend(others(row).flat_map(|i| others(column).map(move |j| start + i * n + j)));
        }
    }
    let picked: Dims = stack.iter().copied().chain([n, n, n - 1, n - 1]).collect();
    let minors = a.take(Positions { positions: positions.into(), picked, whole: a.value().dims() });
    minors.det() * matrix(n, |row, column| if (row + column) % 2 == 0 { 1.0 } else { -1.0 })
}

impl<T: Float> Var<T> {
    /// The determinant of `[…, n, n]`, a number for each matrix; 1 for n = 0.
    ///
    /// The gradient is the matrix of the cofactors, also where the determinant is 0. For large matrices the determinant soon
    /// leaves the range of the floats: [`slogdet`](Var::slogdet) does not.
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
    #[track_caller]
    pub fn det(&self) -> Var<T> {
        Determinant.of([self])
    }

    /// The sign of the determinant of `[…, n, n]`, and the logarithm of its size: `det A = sign · exp(log)`.
    ///
    /// The sign, −1, 0 or 1, is constant between the singular matrices, hence a plain value. At a singular matrix the logarithm
    /// is −∞, and its gradient not finite.
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
    #[track_caller]
    pub fn slogdet(&self) -> (Tensor<T>, Var<T>) {
        let logarithm = LogDeterminant.of([self]);
        (Factors::of(self.value()).signs(), logarithm)
    }
}
