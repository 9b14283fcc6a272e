//! Gradient clipping.

use crate::autograd::Gradients;
use crate::panics;
use crate::tensor::Float;
use std::hint::black_box;
use std::ops::Range;

/// Gradient clipping, applied between `backward` and `step`.
///
/// Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks": at a cliff of the loss
/// surface the gradient is enormous, and only its direction is useful.
///
/// All gradients are included, also those of frozen parameters and of variables; constant inputs have none.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([0.0, 0.0]);
/// let tape = Tape::new();
/// let mut gradients = (tape.constant([3.0, 4.0]) * &model).sum().backward();
/// assert_eq!(gradients.clip_norm(1.0), 5.0); // the norm before clipping
/// Sgd::new(1.0).step(&mut model, &gradients);
/// assert_eq!(format!("{:.4}", model.value()), "[-0.6 -0.8]");
/// ```
impl<T: Float> Gradients<T> {
    /// The Euclidean norm of all gradients as one vector, `√Σ g²`, in double precision; useful for logging.
    pub fn norm(&self) -> f64 {
        self.norm_p(2.0)
    }

    /// The p-norm of all gradients as one vector, `(Σ |g|ᵖ)^(1/p)`; for infinite p the largest `|g|`.
    ///
    /// # Panics
    /// If p is not positive.
    #[track_caller]
    #[inline(never)]
    pub fn norm_p(&self, p: f64) -> f64 {
        if p.is_nan() || p <= 0.0 {
            panics::option("norm: p", p, "more than 0");
        }
        let tensors = || self.elements();
        let largest = || tensors().flatten().fold(T::ZERO, |largest, g| largest.maximum(g.abs())).to_f64();
        if p == f64::INFINITY {
            return largest();
        }
        let powers = |scale: f64| match p {
            2.0 => tensors().map(|gradient| sum(gradient, |g| (g * scale) * (g * scale))).sum::<f64>(),
            _ => tensors().map(|gradient| sum(gradient, |g| (g * scale).abs().powf(p))).sum::<f64>(),
        };
        let root = |sum: f64| if p == 2.0 { sum.sqrt() } else { sum.powf(1.0 / p) };
        let sum = powers(1.0);
        if ACCURATE.contains(&sum) {
            return root(sum);
        }
        let largest = largest();
        let scale = (1.0 / largest).min(f64::MAX);
        if largest > 0.0 && largest.is_finite() { root(powers(scale)) / scale } else { largest }
    }

    /// Scales all gradients by `min(1, bound/(norm + 1e-6))`, so that their total [norm](Gradients::norm) is at most the
    /// bound and the direction is unchanged. Returns the norm before clipping.
    ///
    /// PyTorch's `clip_grad_norm_`; as there, a NaN norm makes all gradients NaN.
    ///
    /// # Panics
    /// If the bound is negative or NaN.
    #[doc(alias("clip_grad_norm_", "clip_grads", "clip_by_global_norm"))]
    #[track_caller]
    pub fn clip_norm(&mut self, bound: f64) -> f64 {
        self.clip_norm_p(bound, 2.0)
    }

    /// [`clip_norm`](Gradients::clip_norm) with the [p-norm](Gradients::norm_p).
    ///
    /// # Panics
    /// If the bound is negative or NaN, or p is not positive.
    #[track_caller]
    #[inline(never)]
    pub fn clip_norm_p(&mut self, bound: f64, p: f64) -> f64 {
        check_bound("clip_norm: the bound", bound);
        let norm = self.norm_p(p);
        let factor = bound / (norm + 1e-6);
        if factor < 1.0 || factor.is_nan() {
            *self *= factor;
        }
        norm
    }

    /// Clamps each element to `[−bound, bound]`; NaNs are kept. Unlike [`clip_norm`](Gradients::clip_norm), this changes the
    /// direction.
    ///
    /// PyTorch's `clip_grad_value_`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// # let model = Param::new([0.0, 0.0]);
    /// # let tape = Tape::new();
    /// let mut gradients = (tape.constant([3.0, -0.5]) * &model).sum().backward();
    /// gradients.clip_value(1.0);
    /// assert_eq!(gradients[&model], tensor![1.0, -0.5]);
    /// ```
    ///
    /// # Panics
    /// If the bound is negative or NaN.
    #[doc(alias = "clip_grad_value_")]
    #[track_caller]
    #[inline(never)]
    pub fn clip_value(&mut self, bound: f64) {
        check_bound("clip_value: the bound", bound);
        let bound = T::from_f64(bound);
        for gradient in self.elements_mut() {
            gradient.iter_mut().for_each(|g| *g = g.minimum(bound).maximum(-bound));
        }
    }
}

/// Sums of powers of which no relevant term has under- or overflowed.
const ACCURATE: Range<f64> = 1e-280..f64::INFINITY;

#[track_caller]
fn check_bound(what: &str, bound: f64) {
    if bound.is_nan() || bound < 0.0 {
        panics::option(what, bound, "0 or more");
    }
}

/// Σ f(g) in double precision, with eight independent partial sums.
fn sum<T: Float>(gradient: &[T], f: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    for chunk in gradient.chunks(sums.len()) {
        for (sum, g) in sums.iter_mut().zip(chunk) {
            *sum += f(g.to_f64());
        }
    }
    sums.iter().sum()
}

/// Instantiates the passes over all gradients for an element type.
pub(super) fn instantiate<T: Float>() {
    black_box(Gradients::norm_p as fn(&Gradients<T>, f64) -> f64);
    black_box(Gradients::clip_norm_p as fn(&mut Gradients<T>, f64, f64) -> f64);
    black_box(Gradients::clip_value as fn(&mut Gradients<T>, f64));
}
