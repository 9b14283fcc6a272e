//! Systems of linear equations.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::linalg::lu::SharedFactors;
use crate::ops::linalg::square;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, MatmulShapes, Tensor};

/// `X = A⁻¹ B`: `gB = A⁻ᵀ gX`, `gA = −gB Xᵀ`. With Aᵀ instead of A: `gB = A⁻¹ gX`, `gA = −X gBᵀ`.
pub(crate) struct Solve<T: Float> {
    transposed: bool,
    factors: SharedFactors<T>,
}

impl<T: Float> Solve<T> {
    fn new() -> Self {
        Solve { transposed: false, factors: SharedFactors::default() }
    }
}

impl<T: Float> Op<T, 2> for Solve<T> {
    const NAME: &'static str = "solve";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.field("transposed", &self.transposed);
    }

    fn forward(&mut self, inputs: [&Tensor<T>; 2]) -> Tensor<T> {
        self.try_forward(inputs).expect("an invertible matrix")
    }
    fn try_forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Result<Tensor<T>, String> {
        let factors = self.factors.of(a);
        match factors.singular {
            Some((matrix, pivot)) => Err(panics::singular(matrix, a.shape(), pivot)),
            None => Ok(factors.solve(b, self.transposed)),
        }
    }
    fn backward(&self, saved: &Saved<T, 2>, gx: &Var<T>) -> [Option<Var<T>>; 2] {
        let gb = Solve { transposed: !self.transposed, factors: self.factors.clone() }.of([&saved.input(0), gx]);
        let ga = || {
            let x = saved.output();
            let (left, right) = if self.transposed { (&x, &gb) } else { (&gb, &x) };
            -left.multiply(right, false, true)
        };
        [saved.needs(0).then(ga), Some(gb)]
    }
}

/// The shapes of A and B as batches of matrices, or why they do not fit.
pub(crate) fn system_shapes(a: &[usize], b: &[usize]) -> Result<MatmulShapes, String> {
    square(a)?;
    MatmulShapes::new(a, b)
}

impl<T: Float> Var<T> {
    /// The solution X of `A X = B`, where this is A `[…, n, n]` and B is `[…, n, m]` or a vector `[n]`; the batch axes broadcast.
    ///
    /// Uses LU decomposition with partial pivoting. As in [`matmul`](Var::matmul), only a B with a single axis is a vector (PyTorch
    /// also treats some batches as vectors).
    ///
    /// # Panics
    /// If the shapes do not fit, or a matrix is singular.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[2.0, 1.0], [1.0, 3.0]]);
    /// assert_eq!(a.solve(&tensor![3.0, 4.0]).value(), &tensor![1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn solve(&self, b: impl Operand<T>) -> Var<T> {
        let b = self.resolve_operand(&b);
        let shapes = self.defined("solve", &b, system_shapes(self.shape(), b.shape()));
        Solve::new().of([self, &b.with_shape(shapes.b)]).with_shape(shapes.result)
    }
}

impl<T: Float> Tensor<T> {
    /// The solution X of `A X = B`, as [`Var::solve`].
    ///
    /// # Panics
    /// If the shapes do not fit, or a matrix is singular.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[2.0, 1.0], [1.0, 3.0]].solve(tensor![3.0, 4.0]), tensor![1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn solve(&self, b: impl Into<Tensor<T>>) -> Self {
        let b = b.into();
        let shapes = panics::defined("solve", system_shapes(self.shape(), b.shape()));
        Solve::new().of([self, &b.with_shape(shapes.b)]).with_shape(shapes.result)
    }
}
