//! Matrix products.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Dims, Float, MatmulShapes, Tensor, checked_shape, length_of_vectors, lengths_of_vectors};
use std::borrow::Cow;

/// `C = A B` for matrices or batches of matrices, each optionally stored transposed: `gA = gC Bᵀ`, `gB = Aᵀ gC`.
///
/// The backward rule sets transpose flags instead of copying.
pub(crate) struct Matmul {
    transpose_a: bool,
    transpose_b: bool,
}

impl<T: Float> Op<T, 2> for Matmul {
    const NAME: &'static str = "matmul";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        description.flag("transpose_a", self.transpose_a).flag("transpose_b", self.transpose_b);
    }

    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a.matmul_transposed(b, self.transpose_a, self.transpose_b)
    }
    fn backward(&self, saved: &Saved<T, 2>, gc: &Var<T>) -> [Option<Var<T>>; 2] {
        let (ta, tb) = (self.transpose_a, self.transpose_b);
        let ga = || if ta { saved.input(1).multiply(gc, tb, true) } else { gc.multiply(&saved.input(1), false, !tb) };
        let gb = || if tb { gc.multiply(&saved.input(0), true, ta) } else { saved.input(0).multiply(gc, !ta, false) };
        [saved.needs(0).then(ga), saved.needs(1).then(gb)]
    }
}

/// `y = x Wᵀ + b` for rows x: `gx = gy W`, `gW = gyᵀ x` and `gb = Σ gy`, which the engine sums over the rows as for any
/// broadcast input.
pub(crate) struct Linear;

impl<T: Float> Op<T, 3> for Linear {
    const NAME: &'static str = "linear";
    const SAVE: Save = Save::Others;

    fn forward(&mut self, [x, weight, bias]: [&Tensor<T>; 3]) -> Tensor<T> {
        x.linear(weight, bias)
    }
    fn backward(&self, saved: &Saved<T, 3>, gy: &Var<T>) -> [Option<Var<T>>; 3] {
        [
            saved.needs(0).then(|| gy.multiply(&saved.input(1), false, false)),
            saved.needs(1).then(|| gy.multiply(&saved.input(0), true, false)),
            saved.needs(2).then(|| gy.clone()),
        ]
    }
}

impl<T: Float> Var<T> {
    /// The matrix product of `[…, m, k]` and `[…, k, n]`; the leading axes broadcast.
    ///
    /// As in NumPy and PyTorch, a vector on the left is treated as a row and a vector on the right as a column, and the
    /// added axis is removed from the result; two vectors give their dot product.
    ///
    /// # Panics
    /// If the shapes are incompatible, or one is a scalar.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0]]);
    /// let w = tape.var([[3.0], [4.0]]);
    /// let y = x.matmul(&w);
    /// assert_eq!(y.value(), &tensor![[11.0]]);
    /// assert_eq!(y.sum().grad(&x).value(), &tensor![[3.0, 4.0]]);
    /// ```
    #[doc(alias("mm", "bmm"))]
    #[track_caller]
    pub fn matmul(&self, other: impl Operand<T>) -> Var<T> {
        self.times(&self.resolve_operand(&other))
    }

    #[track_caller]
    #[inline(never)]
    fn times(&self, other: &Var<T>) -> Var<T> {
        match MatmulShapes::new(self.shape(), other.shape()) {
            Ok(shapes) if shapes.b.len() == 2 && shapes.a.len() > 2 => {
                // The batch shares one matrix: fold it into the rows, so that the gradient needs no sum over the batch.
                let rows = self.with_shape(flat(&shapes.a));
                rows.multiply(&other.with_shape(shapes.b), false, false).with_shape(shapes.result)
            }
            Ok(shapes) => {
                let (a, b) = (self.with_shape(shapes.a), other.with_shape(shapes.b));
                a.multiply(&b, false, false).with_shape(shapes.result)
            }
            Err(reason) => self.shape_error("matmul", other, &reason),
        }
    }

    /// `x Wᵀ` for x `[…, in]` and W `[out, in]`, the weight layout of PyTorch; [`linear_bias`](Var::linear_bias) adds a bias.
    ///
    /// # Panics
    /// If the shapes are incompatible.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0]]);
    /// assert_eq!(x.linear(&tensor![[3.0, 4.0]]).value(), &tensor![[11.0]]);
    /// ```
    #[track_caller]
    pub fn linear(&self, weight: impl Operand<T>) -> Var<T> {
        self.linear_with(&self.resolve_operand(&weight), None)
    }

    /// `x Wᵀ + b` for x `[…, in]`, W `[out, in]` and b `[out]`, the weight layout of PyTorch.
    ///
    /// # Panics
    /// If the shapes are incompatible.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0]]);
    /// assert_eq!(x.linear_bias(&tensor![[3.0, 4.0]], &tensor![0.5]).value(), &tensor![[11.5]]);
    /// ```
    #[track_caller]
    pub fn linear_bias(&self, weight: impl Operand<T>, bias: impl Operand<T>) -> Var<T> {
        self.linear_with(&self.resolve_operand(&weight), Some(&self.resolve_operand(&bias)))
    }

    #[track_caller]
    #[inline(never)]
    fn linear_with(&self, weight: &Var<T>, bias: Option<&Var<T>>) -> Var<T> {
        let (x, w) = (self.shape(), weight.shape());
        let (Some(&inputs), [outputs, columns]) = (x.last(), w) else {
            self.shape_error("linear", weight, &panics::not_linear(x, w))
        };
        if inputs != *columns {
            self.shape_error("linear", weight, &panics::linear_inputs(x, w, inputs, *columns));
        }
        let result = x[..x.len() - 1].iter().copied().chain([*outputs]).collect();
        let result = checked_shape("linear", result);
        let rows = if x.len() == 2 { Cow::Borrowed(self) } else { Cow::Owned(self.with_shape(flat(x))) };
        let y = if let Some(bias) = bias {
            if bias.shape() != [*outputs] {
                self.shape_error("linear", bias, &panics::linear_bias(bias.shape(), w));
            }
            Linear.of([&*rows, weight, bias])
        } else {
            rows.multiply(weight, false, true)
        };
        if x.len() == 2 {
            return y;
        }
        y.with_shape(result)
    }

    /// The dot product of two vectors.
    ///
    /// # Panics
    /// If the operands are not vectors of the same length.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// assert_eq!(tape.var([1.0, 2.0]).dot(&tensor![3.0, 4.0]).item(), 11.0);
    /// ```
    #[doc(alias("inner", "vdot"))]
    #[track_caller]
    pub fn dot(&self, other: impl Operand<T>) -> Var<T> {
        let other = self.resolve_operand(&other);
        self.defined("dot", &other, length_of_vectors(self.shape(), other.shape()));
        self.matmul(&*other)
    }

    /// The outer product of two vectors: `[m]` and `[n]` give `[m, n]`.
    ///
    /// # Panics
    /// If the operands are not vectors.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let y = tape.var([1.0, 2.0]).outer(&tensor![3.0, 4.0]);
    /// assert_eq!(y.value(), &tensor![[3.0, 4.0], [6.0, 8.0]]);
    /// ```
    #[track_caller]
    pub fn outer(&self, other: impl Operand<T>) -> Var<T> {
        let other = self.resolve_operand(&other);
        let [m, n] = self.defined("outer", &other, lengths_of_vectors(self.shape(), other.shape()));
        checked_shape("outer", Dims::from_slice(&[m, n]));
        let (column, row) = (Dims::from_slice(&[m, 1]), Dims::from_slice(&[1, n]));
        self.with_shape(column).multiply(&other.with_shape(row), false, false)
    }

    /// `beta · self + alpha · x y`, where `self` broadcasts against the [matrix product](Var::matmul) `x y`.
    ///
    /// # Panics
    /// If the shapes are incompatible or do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let (x, y) = (tensor![[1.0, 2.0]], tensor![[3.0], [4.0]]);
    /// assert_eq!(tape.var([[1.0]]).addmm(&x, &y, 0.5, 2.0).value(), &tensor![[22.5]]);
    /// ```
    #[track_caller]
    pub fn addmm(&self, x: impl Operand<T>, y: impl Operand<T>, beta: f64, alpha: f64) -> Var<T> {
        let x = self.resolve_operand(&x);
        self * beta + x.matmul(y) * alpha
    }

    /// The product of matrices or batches of matrices of compatible shapes, each stored transposed if its flag is set.
    #[track_caller]
    pub(crate) fn multiply(&self, other: &Var<T>, transpose_a: bool, transpose_b: bool) -> Var<T> {
        Matmul { transpose_a, transpose_b }.of([self, other])
    }
}

/// The shape with all axes but the last merged into one.
fn flat(shape: &[usize]) -> Dims {
    let (rows, columns) = shape.split_at(shape.len() - 1);
    Dims::from_slice(&[rows.iter().product(), columns[0]])
}
