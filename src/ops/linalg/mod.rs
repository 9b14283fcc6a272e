//! Linear algebra on matrices `[n, n]` and batches `[…, n, n]`.
//!
//! A matrix is singular if a pivot is exactly 0; a nearly singular one gives large values.

pub(crate) mod cholesky;
pub(crate) mod determinant;
pub(crate) mod inverse;
mod lu;
pub(crate) mod solve;
mod trace;
pub(crate) mod triangular;

pub use triangular::Triangle;

use crate::panics;
use crate::tensor::{Float, Tensor};

/// The size n of square matrices `[…, n, n]`, or why the shape is not one.
fn square(shape: &[usize]) -> Result<usize, String> {
    match shape {
        [.., rows, columns] if rows == columns => Ok(*rows),
        _ => Err(panics::not_square(shape)),
    }
}

/// The n × n matrix with elements `entry(row, column)`.
fn matrix<T: Float>(n: usize, entry: impl Fn(usize, usize) -> f64) -> Tensor<T> {
    let elements = (0..n * n).map(|k| T::from_f64(entry(k / n, k % n)));
    Tensor::from_vec(elements.collect(), [n, n])
}
