//! Factorizations of single matrices, and triangular systems.
//!
//! All of them are recursive: they halve the matrix until a block is small, and what remains are matrix products.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::matmul::gemm::gemm_serial;
use crate::kernel::matmul::product::{Accum, Matrix};

pub(crate) mod cholesky;
pub(crate) mod lu;
pub(crate) mod triangular;

/// `C ← C − A B`, where the rows of C are `step` apart.
fn subtract_product<T: Float>(a: Matrix<T>, b: Matrix<T>, c: &mut [T], step: usize) {
    with_scratch(a.len(), |negative| {
        a.copy_to(negative, |x| -x);
        gemm_serial(Matrix::new(negative, a.rows, a.columns, false), b, Accum::Add, c, step);
    });
}
