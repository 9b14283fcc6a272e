//! Vector norms.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::kernel::base::float::power_of_two_below;
use crate::ops::registry::Registered;
use crate::tensor::{Axes, Float, Reduction, Tensor, keepdim, reduction_of};

/// The Euclidean norm over axes, which are kept with size 1: `y = √Σx²`, `dy/dx = x/y`, 0 where y = 0, as are all its derivatives.
pub(crate) struct Norm {
    reduction: Reduction,
}

impl<T: Float> Op<T, 1> for Norm {
    const NAME: &'static str = "norm";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.integers("axes", &self.reduction.axes);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let squares = x.map(|x| x * x).sum_with(&self.reduction).with_shape(self.reduction.kept.clone());
        // Squares that over- or underflow: the elements are divided by a power of two near the largest one before.
        let least = T::MIN_POSITIVE / T::EPSILON;
        if squares.as_slice().iter().all(|&square| square >= least && square < T::INFINITY) {
            return squares.map(T::sqrt);
        }
        let scale = scale(x, &self.reduction, true);
        let squares = x.zip(&scale, |x, scale| x / scale * (x / scale)).sum_with(&self.reduction);
        squares.with_shape(self.reduction.kept.clone()).zip(&scale, |square, scale| square.sqrt() * scale)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (x, y) = (saved.input(0), saved.output());
        if !y.value().as_slice().contains(&T::ZERO) {
            return [Some(gy * (x / y))];
        }
        let zero = y.value().mask(|y| y == T::ZERO);
        let direction = x.masked_fill(&zero.expand_to(x.shape()), 0.0) / y.masked_fill(&zero, 1.0);
        [Some(gy * direction)]
    }
}

/// A power of two for each vector, near its largest |x| or its smallest. Divided by it, powers neither over- nor underflow.
fn scale<T: Float>(x: &Tensor<T>, reduction: &Reduction, largest: bool) -> Tensor<T> {
    let size = x.map(T::abs);
    let extremum = if largest { size.largest(reduction) } else { size.smallest(reduction) };
    let power_of_two = |x: T| T::from_f64(power_of_two_below(x.to_f64()));
    let scale = extremum.map(|x| if x > T::ZERO && x < T::INFINITY { power_of_two(x) } else { T::ONE });
    scale.with_shape(reduction.kept.clone())
}

functions! {
    /// The Euclidean norm of all elements, `√Σx²`; the gradient of a zero vector is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([3.0, 4.0]);
    /// assert_eq!(x.norm().item(), 5.0);
    /// assert_eq!(x.norm().grad(&x).value(), &tensor![0.6, 0.8]);
    /// ```
    #[doc(alias = "linalg.norm")]
    fn norm(x) = x.norm_over(2.0, ..);

    /// Divides by the p-norm over [`Axes`], `x / max(‖x‖ₚ, ε)`: vectors of norm 1, except those with a norm below ε.
    ///
    /// # Panics
    /// See [`norm_over`](Var::norm_over).
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[3.0, 4.0], [0.0, 0.0]]);
    /// assert_eq!(x.normalize(2.0, 1, 1e-12).value(), &tensor![[0.6, 0.8], [0.0, 0.0]]);
    /// ```
    fn normalize(x, p: f64, axes: impl Axes, epsilon: f64) = {
        x / x.norm_over(p, keepdim(axes)).clamp(epsilon, f64::INFINITY)
    };
}

impl<T: Float> Var<T> {
    /// The p-norm over [`Axes`], `(Σ|x|ᵖ)^(1/p)`; the gradient of a zero vector is 0 for every p.
    ///
    /// p = ∞ gives the largest |x| and p = −∞ the smallest, where ties share the gradient; p = 0 counts the nonzero elements.
    ///
    /// # Panics
    /// If an axis is out of range or named twice; for p = ±∞ also if there are no elements.
    #[track_caller]
    pub fn norm_over(&self, p: f64, axes: impl Axes) -> Var<T> {
        self.norm_of(p, reduction_of("norm", self.shape(), &axes))
    }

    #[track_caller]
    #[inline(never)]
    fn norm_of(&self, p: f64, reduction: Reduction) -> Var<T> {
        let shape = reduction.shape.clone();
        match p {
            2.0 => Norm { reduction }.of([self]).with_shape(shape),
            1.0 => self.abs().sum_reduction(&reduction),
            0.0 => self.sign().abs().sum_reduction(&reduction),
            f64::INFINITY => self.abs().shared_extremum("norm", true, reduction),
            f64::NEG_INFINITY => self.abs().shared_extremum("norm", false, reduction),
            _ => {
                let scale = scale(self.value(), &reduction, p > 0.0);
                let size = (self / &scale).abs();
                let zero = size.value().mask(|x| x == T::ZERO);
                // |x|ᵖ has no derivative at 0 for p < 1, so zeros are masked and filled in after the power.
                let powers =
                    size.masked_fill(&zero, 1.0).powf(p).masked_fill(&zero, if p > 0.0 { 0.0 } else { f64::INFINITY });
                let sum = powers.sum_reduction(&reduction);
                let empty = sum.value().mask(|sum| sum == T::ZERO || !sum.is_finite());
                let root = sum.masked_fill(&empty, 1.0).powf(p.recip());
                // Norms that are 0 or not finite are filled in as constants.
                let constant = sum.value().map(|sum| sum.powf(T::from_f64(p.recip())));
                root.where_(&empty.map(|empty| T::ONE - empty), &constant) * scale.with_shape(shape)
            }
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The p-norm over [`Axes`], `(Σ|x|ᵖ)^(1/p)`; p = ±∞ gives the largest or smallest |x|, p = 0 counts the nonzero elements.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[3.0, -4.0]].norm_over(2.0, 1), tensor![5.0]);
    /// ```
    #[track_caller]
    pub fn norm_over(&self, p: f64, axes: impl Axes) -> Tensor<T> {
        let reduction = reduction_of("norm", self.shape(), &axes);
        let shape = reduction.shape.clone();
        match p {
            2.0 => Norm { reduction }.of([self]).with_shape(shape),
            1.0 => self.abs().sum_with(&reduction),
            0.0 => self.sign().abs().sum_with(&reduction),
            f64::INFINITY => self.abs().largest(&reduction),
            f64::NEG_INFINITY => self.abs().smallest(&reduction),
            _ => {
                let scale = scale(self, &reduction, p > 0.0);
                (self / &scale).abs().powf(p).sum_with(&reduction).powf(p.recip()) * scale.with_shape(shape)
            }
        }
    }
}
