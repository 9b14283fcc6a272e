//! Matrix inverses and powers.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::linalg::lu::SharedFactors;
use crate::ops::linalg::square;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// `Y = A⁻¹`, `gA = −Yᵀ gY Yᵀ`.
pub(crate) struct Inverse<T: Float> {
    /// Whether to panic on a singular matrix; otherwise its inverse is not finite.
    strict: bool,
    factors: SharedFactors<T>,
}

impl<T: Float> Op<T, 1> for Inverse<T> {
    const NAME: &'static str = "inverse";
    const SAVE: Save = Save::Output;

    fn describe(&self, description: &mut Description) {
        description.field("strict", &self.strict);
    }

    fn check(&self, [a]: [&[usize]; 1]) -> Result<(), String> {
        square(a).map(|_| ())
    }
    fn forward(&mut self, inputs: [&Tensor<T>; 1]) -> Tensor<T> {
        self.try_forward(inputs).expect("an invertible matrix")
    }
    fn try_forward(&mut self, [a]: [&Tensor<T>; 1]) -> Result<Tensor<T>, String> {
        // The gradient reads the output alone.
        let shared = std::mem::take(&mut self.factors);
        let factors = shared.of(a);
        if let (true, Some((matrix, pivot))) = (self.strict, factors.singular) {
            return Err(panics::singular(matrix, a.shape(), pivot));
        }
        Ok(factors.solve(&Tensor::eye(a.shape()[a.rank() - 1]), false))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let y = saved.output();
        [Some(-y.multiply(gy, true, false).multiply(&y, false, true))]
    }
}

/// `A⁻ᵀ`, for rules, given the factors of A; not finite where A is singular.
#[track_caller]
pub(crate) fn inverse_transposed<T: Float>(a: &Var<T>, factors: &SharedFactors<T>) -> Var<T> {
    Inverse { strict: false, factors: factors.clone() }.of([a]).transpose(-1, -2)
}

functions! {
    /// The inverse of each matrix of `[…, n, n]`.
    ///
    /// For `A⁻¹ B` use [`solve`](Var::solve), which is faster and more accurate.
    ///
    /// # Panics
    /// If the matrices are not square, or one is singular.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let a = tape.var([[2.0, 0.0], [1.0, 4.0]]);
    /// assert_eq!(a.inverse().value(), &tensor![[0.5, 0.0], [-0.125, 0.25]]);
    /// ```
    #[doc(alias = "inv")]
    fn inverse(x) = Inverse { strict: true, factors: SharedFactors::default() }.of([x]);
}

impl<T: Float> Var<T> {
    /// The n-th power of each square matrix, by repeated squaring; a negative n is a power of the inverse.
    ///
    /// # Panics
    /// If the matrices are not square, or n is negative and one is singular.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let fibonacci = tape.var([[1.0, 1.0], [1.0, 0.0]]);
    /// assert_eq!(fibonacci.matrix_power(10).value(), &tensor![[89.0, 55.0], [55.0, 34.0]]);
    /// ```
    #[track_caller]
    pub fn matrix_power(&self, n: i32) -> Var<T> {
        let size = panics::defined("matrix_power", square(self.shape()));
        let mut square = if n < 0 { self.inverse() } else { self.clone() };
        let (mut product, mut exponent) = (None, n.unsigned_abs());
        while exponent > 0 {
            if exponent % 2 == 1 {
                product = Some(match product {
                    Some(product) => square.multiply(&product, false, false),
                    None => square.clone(),
                });
            }
            exponent /= 2;
            if exponent > 0 {
                square = square.multiply(&square, false, false);
            }
        }
        match product {
            Some(product) => product,
            // The power 0 depends on the matrices too: its gradient is 0.
            None => self.masked_fill(&Tensor::ones(self.shape()), 0.0) + Tensor::eye(size),
        }
    }
}
