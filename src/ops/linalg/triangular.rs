//! Triangular systems of linear equations.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::kernel::linalg::triangular;
use crate::kernel::matmul::product::Matrix;
use crate::ops::linalg::lu::solve_each;
use crate::ops::linalg::matrix;
use crate::ops::linalg::solve::system_shapes;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// The lower or upper triangle of a square matrix, including the diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triangle {
    /// On and below the diagonal.
    Lower,
    /// On and above the diagonal.
    Upper,
}

impl Triangle {
    fn transposed(self) -> Self {
        match self {
            Triangle::Lower => Triangle::Upper,
            Triangle::Upper => Triangle::Lower,
        }
    }

    /// The mask of the triangle: ones inside, zeros outside.
    fn mask<T: Float>(self, n: usize) -> Tensor<T> {
        let inside = |row: usize, column: usize| match self {
            Triangle::Lower => row >= column,
            Triangle::Upper => row <= column,
        };
        matrix(n, |row, column| f64::from(u8::from(inside(row, column))))
    }
}

/// `X = A⁻¹ B` for triangular A: `gB = A⁻ᵀ gX`, and gA is the triangle of `−gB Xᵀ`.
pub(crate) struct SolveTriangular {
    triangle: Triangle,
}

impl<T: Float> Op<T, 2> for SolveTriangular {
    const NAME: &'static str = "solve_triangular";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.field("triangle", &self.triangle);
    }

    fn forward(&mut self, inputs: [&Tensor<T>; 2]) -> Tensor<T> {
        self.try_forward(inputs).expect("a diagonal without zeros")
    }
    fn try_forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Result<Tensor<T>, String> {
        let n = a.shape()[a.rank() - 1];
        let elements = a.as_slice();
        if let Some(k) = (0..a.len().checked_div(n).unwrap_or(0)).find(|k| elements[k * n + k % n] == T::ZERO) {
            return Err(panics::singular(k / n, a.shape(), k % n));
        }
        Ok(solve_each(a.shape(), b, |k, x, m| {
            let a = Matrix::new(&elements[k * n * n..][..n * n], n, n, false);
            match self.triangle {
                Triangle::Lower => triangular::solve_lower(a, false, x, m, m),
                Triangle::Upper => triangular::solve_upper(a, false, x, m, m),
            }
        }))
    }
    fn backward(&self, saved: &Saved<T, 2>, gx: &Var<T>) -> [Option<Var<T>>; 2] {
        let a = saved.input(0);
        let n = a.shape()[a.shape().len() - 1];
        let gb = a.transpose(-1, -2).solve_triangular(gx, self.triangle.transposed());
        let ga = || -gb.multiply(&saved.output(), false, true) * self.triangle.mask(n);
        [saved.needs(0).then(ga), Some(gb)]
    }
}

impl<T: Float> Var<T> {
    /// The solution X of `A X = B`, where A is a triangle of this `[…, n, n]` and B is `[…, n, m]` or a vector `[n]`.
    ///
    /// The batch axes broadcast. The other triangle is not read and gets no gradient.
    ///
    /// # Panics
    /// If the shapes do not fit, or an element of the diagonal is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// use wengert::ops::Triangle;
    ///
    /// let tape = Tape::new();
    /// let a = tape.var([[2.0, 7.0], [1.0, 4.0]]);
    /// let x = a.solve_triangular(&tensor![4.0, 6.0], Triangle::Lower);
    /// assert_eq!(x.value(), &tensor![2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn solve_triangular(&self, b: impl Operand<T>, triangle: Triangle) -> Var<T> {
        let b = self.resolve_operand(&b);
        let shapes = self.defined("solve_triangular", &b, system_shapes(self.shape(), b.shape()));
        SolveTriangular { triangle }.of([self, &b.with_shape(shapes.b)]).with_shape(shapes.result)
    }

    /// The solution X of `A X = B` for a positive definite `A = L Lᵀ`, of which this is the Cholesky factor L: `X = L⁻ᵀ L⁻¹ B`.
    ///
    /// B is `[…, n, m]` or a vector `[n]`. One factor serves for many B.
    ///
    /// # Panics
    /// If the shapes do not fit, or an element of the diagonal is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let factor = tape.var([[4.0, 2.0], [2.0, 5.0]]).cholesky();
    /// assert_eq!(factor.cholesky_solve(&tensor![8.0, 12.0]).value(), &tensor![1.0, 2.0]);
    /// ```
    #[doc(alias = "cho_solve")]
    #[track_caller]
    pub fn cholesky_solve(&self, b: impl Operand<T>) -> Var<T> {
        let b = self.resolve_operand(&b);
        let shapes = self.defined("cholesky_solve", &b, system_shapes(self.shape(), b.shape()));
        let y = self.solve_triangular(b.with_shape(shapes.b), Triangle::Lower);
        self.transpose(-1, -2).solve_triangular(y, Triangle::Upper).with_shape(shapes.result)
    }
}

impl<T: Float> Tensor<T> {
    /// The solution X of `A X = B`, where A is a triangle of this, as [`Var::solve_triangular`].
    ///
    /// # Panics
    /// If the shapes do not fit, or an element of the diagonal is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// use wengert::ops::Triangle;
    ///
    /// let a = tensor![[2.0, 7.0], [1.0, 4.0]];
    /// assert_eq!(a.solve_triangular(tensor![4.0, 6.0], Triangle::Lower), tensor![2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn solve_triangular(&self, b: impl Into<Tensor<T>>, triangle: Triangle) -> Self {
        let b = b.into();
        let shapes = panics::defined("solve_triangular", system_shapes(self.shape(), b.shape()));
        SolveTriangular { triangle }.of([self, &b.with_shape(shapes.b)]).with_shape(shapes.result)
    }

    /// The solution X of `A X = B` for `A = L Lᵀ`, of which this is the Cholesky factor L, as [`Var::cholesky_solve`].
    ///
    /// # Panics
    /// If the shapes do not fit, or an element of the diagonal is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let factor = tensor![[4.0, 2.0], [2.0, 5.0]].cholesky();
    /// assert_eq!(factor.cholesky_solve(tensor![8.0, 12.0]), tensor![1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn cholesky_solve(&self, b: impl Into<Tensor<T>>) -> Self {
        let b = b.into();
        let shapes = panics::defined("cholesky_solve", system_shapes(self.shape(), b.shape()));
        let y = self.solve_triangular(b.with_shape(shapes.b), Triangle::Lower);
        self.transpose(-1, -2).solve_triangular(y, Triangle::Upper).with_shape(shapes.result)
    }
}
