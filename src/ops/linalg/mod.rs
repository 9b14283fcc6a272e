//! Linear algebra on matrices `[n, n]` and stacks of them `[…, n, n]`.
//!
//! A matrix is singular if a pivot is exactly 0; one that is nearly so gives large numbers, as everywhere.

pub(crate) mod cholesky;
pub(crate) mod determinant;
mod factors;
pub(crate) mod inverse;
pub(crate) mod solve;
mod trace;
pub(crate) mod triangular;

pub use triangular::Triangle;

use crate::panics;
use crate::tensor::{Float, Tensor};

/// The size of the square matrices of a shape, or why it has none.
fn square(shape: &[usize]) -> Result<usize, String> {
    match shape {
        [.., rows, columns] if rows == columns => Ok(*rows),
        _ => Err(panics::not_square(shape)),
    }
}

/// An n × n matrix whose entry at (row, column) is a function of these.
fn matrix<T: Float>(n: usize, entry: impl Fn(usize, usize) -> f64) -> Tensor<T> {
    let elements = (0..n * n).map(|k| T::from_f64(entry(k / n, k % n)));
    Tensor::from_vec(elements.collect(), [n, n])
}
