//! Matrix products, batched and broadcast.

use super::{Dims, Float, Tensor, broadcast, check_shape, checked_shape};
use crate::kernel::matmul::gemm::{for_each_matrix, gemm};
use crate::kernel::matmul::outer;
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::reduce;
use crate::panics;

impl<T: Float> Tensor<T> {
    /// The matrix product of `[…, m, k]` and `[…, k, n]`, with broadcast batch axes; vectors are treated as in numpy's `matmul`.
    ///
    /// # Panics
    /// If the inner sizes differ, the batch axes do not broadcast, or an operand is a scalar.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let a = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(a.matmul(&tensor![1.0, 1.0]), tensor![3.0, 7.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn matmul(&self, other: &Self) -> Self {
        let shapes = panics::defined("matmul", MatmulShapes::new(self.shape(), other.shape()));
        let (a, b) = (self.with_shape(shapes.a), other.with_shape(shapes.b));
        a.matmul_transposed(&b, false, false).with_shape(shapes.result)
    }

    /// The dot product of two vectors.
    ///
    /// # Panics
    /// If the operands are not vectors of the same length.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0].dot(&tensor![3.0, 4.0]).item(), 11.0);
    /// ```
    #[doc(alias("inner", "vdot"))]
    #[track_caller]
    pub fn dot(&self, other: &Self) -> Self {
        panics::defined("dot", length_of_vectors(self.shape(), other.shape()));
        self.matmul(other)
    }

    /// The outer product of two vectors: `[m]` and `[n]` give `[m, n]`.
    ///
    /// # Panics
    /// If the operands are not vectors.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0].outer(&tensor![3.0, 4.0]), tensor![[3.0, 4.0], [6.0, 8.0]]);
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Self) -> Self {
        let [m, n] = panics::defined("outer", lengths_of_vectors(self.shape(), other.shape()));
        checked_shape("outer", Dims::from_slice(&[m, n]));
        self.with_shape(Dims::from_slice(&[m, 1])) * other
    }

    /// The product of matrices `[…, m, k]` and `[…, k, n]`, each stored transposed if its flag is set.
    #[inline(never)]
    pub(crate) fn matmul_transposed(&self, other: &Self, transpose_a: bool, transpose_b: bool) -> Self {
        let [(batch_a, a_sizes), (batch_b, b_sizes)] = [split(self.shape()), split(other.shape())];
        let ordered =
            |[rows, columns]: [usize; 2], transposed| if transposed { [columns, rows] } else { [rows, columns] };
        let ([m, k], [rows, n]) = (ordered(a_sizes, transpose_a), ordered(b_sizes, transpose_b));
        let (a, b) = (self.as_slice(), other.as_slice());
        if batch_a.is_empty() && batch_b.is_empty() {
            match (m, k, n) {
                (_, 1, 1..) => return Tensor::build(Dims::from_slice(&[m, n]), |y| outer(a, b, y)),
                (_, 2.., 1) if !transpose_a => {
                    return Tensor::build(Dims::from_slice(&[m, 1]), |y| reduce::matvec(a, b, y));
                }
                _ => {}
            }
            let (a, b) = (Matrix::new(a, m, k, transpose_a), Matrix::new(b, rows, n, transpose_b));
            return Tensor::build(Dims::from_slice(&[m, n]), |c| gemm(a, b, Accum::Replace, c));
        }
        let batch = broadcast(batch_a, batch_b).expect("the caller checks that the batches broadcast");
        let [at_a, at_b] = [batch_a, batch_b].map(|own| Offsets::new(own, &batch));
        Tensor::build(batch.iter().copied().chain([m, n]).collect(), |c| {
            for_each_matrix(c, m * n, m * k * n, |index, c| {
                let (i, j) = (at_a.of(index) * m * k, at_b.of(index) * rows * n);
                let a = Matrix::new(&a[i..i + m * k], m, k, transpose_a);
                let b = Matrix::new(&b[j..j + rows * n], rows, n, transpose_b);
                gemm(a, b, Accum::Replace, c);
            });
        })
    }

    /// `x Wᵀ + b` for rows x `[m, k]`, W `[n, k]` and b `[n]`.
    #[inline(never)]
    pub(crate) fn linear(&self, weight: &Self, bias: &Self) -> Self {
        let ([m, k], [n, columns]) = (split(self.shape()).1, split(weight.shape()).1);
        let (x, weight) = (Matrix::new(self.as_slice(), m, k, false), Matrix::new(weight.as_slice(), columns, n, true));
        Tensor::build(Dims::from_slice(&[m, n]), |y| gemm(x, weight, Accum::Bias(bias.as_slice()), y))
    }
}

/// The lengths of two vectors, or why the shapes are not those of vectors.
pub(crate) fn lengths_of_vectors(a: &[usize], b: &[usize]) -> Result<[usize; 2], String> {
    match (a, b) {
        (&[m], &[n]) => Ok([m, n]),
        _ => Err(panics::not_vectors(a, b)),
    }
}

/// The length of two vectors of the same length, or why the shapes are not those.
pub(crate) fn length_of_vectors(a: &[usize], b: &[usize]) -> Result<usize, String> {
    let [m, n] = lengths_of_vectors(a, b)?;
    if m == n { Ok(m) } else { Err(panics::sizes_differ(a, b)) }
}

/// The shapes of a matrix product by numpy's rules, with vectors promoted to matrices.
pub(crate) struct MatmulShapes {
    /// The shapes of the operands as (batches of) matrices.
    pub(crate) a: Dims,
    pub(crate) b: Dims,
    /// The shape of the result, without the axes added to vectors.
    pub(crate) result: Dims,
}

impl MatmulShapes {
    /// The shapes of a product; the error is why the two cannot be multiplied.
    pub(crate) fn new(a: &[usize], b: &[usize]) -> Result<Self, String> {
        if a.is_empty() || b.is_empty() {
            return Err(panics::no_matrices(a, b));
        }
        let matrix_a: Dims = if a.len() == 1 { Dims::from_slice(&[1, a[0]]) } else { Dims::from_slice(a) };
        let matrix_b: Dims = if b.len() == 1 { Dims::from_slice(&[b[0], 1]) } else { Dims::from_slice(b) };
        let (batch_a, [m, k]) = split(&matrix_a);
        let (batch_b, [rows, n]) = split(&matrix_b);
        if k != rows {
            return Err(panics::do_not_chain(a, b, k, rows));
        }
        let mut result = broadcast(batch_a, batch_b).ok_or_else(|| panics::batches_do_not_broadcast(a, b))?;
        result.extend((a.len() > 1).then_some(m));
        result.extend((b.len() > 1).then_some(n));
        Ok(MatmulShapes { a: matrix_a, b: matrix_b, result: check_shape(result)? })
    }
}

/// The batch axes, and the last two.
#[inline]
fn split(shape: &[usize]) -> (&[usize], [usize; 2]) {
    let (batch, matrix) = shape.split_at(shape.len() - 2);
    (batch, [matrix[0], matrix[1]])
}

/// Maps each matrix of the result to the matrix of an operand whose batch axes are broadcast.
pub(crate) struct Offsets {
    /// The size in the result and the step in the operand of each batch axis, the last first.
    axes: Vec<(usize, usize)>,
}

impl Offsets {
    /// For an operand with batch axes `own` and a result with batch axes `batch`.
    pub(crate) fn new(own: &[usize], batch: &[usize]) -> Self {
        let mut step = 1;
        let axes = (0..batch.len()).rev().map(|axis| {
            let size = (axis + own.len()).checked_sub(batch.len()).map_or(1, |k| own[k]);
            let stride = if size == 1 { 0 } else { step };
            step *= size;
            (batch[axis], stride)
        });
        Offsets { axes: axes.collect() }
    }

    /// The index of the operand's matrix for that of the result.
    pub(crate) fn of(&self, mut index: usize) -> usize {
        let mut at = 0;
        for &(size, step) in &self.axes {
            at += index % size * step;
            index /= size;
        }
        at
    }
}
