//! Losses between real values.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::loss::Reduction;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// `y = slope d²/(2δ)` for an error |d| ≤ δ, `slope (|d| − δ/2)` beyond; `dy/dd = slope clamp(d/δ, −1, 1)`.
pub(crate) struct Huber {
    delta: f64,
    slope: f64,
}

impl Huber {
    /// The loss with a slope, or with slope δ. The range of the element type bounds δ, which would otherwise round to 0 or ∞.
    fn new<T: Float>(delta: f64, slope: Option<f64>) -> Self {
        let least = T::MIN_POSITIVE.to_f64();
        let delta = delta.clamp(least, least.recip());
        Huber { delta, slope: slope.unwrap_or(delta) }
    }

    /// The second derivative at 0.
    fn curvature(&self) -> f64 {
        self.slope / self.delta
    }
}

impl<T: Float> Op<T, 1> for Huber {
    const NAME: &'static str = "huber";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("delta", self.delta).number("slope", self.slope);
    }

    fn forward(&mut self, [d]: [&Tensor<T>; 1]) -> Tensor<T> {
        let [delta, slope, half_curvature] = [self.delta, self.slope, self.curvature() / 2.0].map(T::from_f64);
        d.map(|d| {
            let near = d.abs().minimum(delta);
            half_curvature * near * near + slope * (d.abs() - near)
        })
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy * (saved.input(0).clamp(-self.delta, self.delta) * self.curvature()))]
    }
}

impl<T: Float> Var<T> {
    /// The squared error, `(x − t)²`.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let y = tape.var([1.0, 3.0]);
    /// assert_eq!(y.mse_loss(&tensor![1.0, 1.0], Reduction::Mean).item(), 2.0);
    /// ```
    #[doc(alias("mean_squared_error", "sum_squared_error"))]
    #[track_caller]
    pub fn mse_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        (self - &*self.target("mse_loss", &target)).square().reduce(reduction)
    }

    /// The absolute error, `|x − t|`; the derivative is 0 at 0.
    ///
    /// # Panics
    /// If the shapes differ.
    #[doc(alias = "mean_absolute_error")]
    #[track_caller]
    pub fn l1_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        (self - &*self.target("l1_loss", &target)).abs().reduce(reduction)
    }

    /// The Huber loss of an error d: `d²/2` for `|d| ≤ δ`, `δ (|d| − δ/2)` beyond. Huber 1964.
    ///
    /// # Panics
    /// If the shapes differ, or δ is not finite and greater than 0.
    #[track_caller]
    pub fn huber_loss(&self, target: impl Operand<T>, delta: f64, reduction: Reduction) -> Var<T> {
        if !(delta > 0.0 && delta.is_finite()) {
            panics::option("huber_loss", delta, "a finite delta greater than 0");
        }
        let error = self - &*self.target("huber_loss", &target);
        Huber::new::<T>(delta, None).of([&error]).reduce(reduction)
    }

    /// The smooth L1 loss of an error d: `d²/(2β)` for `|d| < β`, `|d| − β/2` beyond. Equals [`huber_loss`](Var::huber_loss) / β,
    /// and [`l1_loss`](Var::l1_loss) for β = 0.
    ///
    /// # Panics
    /// If the shapes differ, or β is negative or not finite.
    #[track_caller]
    pub fn smooth_l1_loss(&self, target: impl Operand<T>, beta: f64, reduction: Reduction) -> Var<T> {
        if !(beta >= 0.0 && beta.is_finite()) {
            panics::option("smooth_l1_loss", beta, "a finite beta of 0 or more");
        }
        let error = self - &*self.target("smooth_l1_loss", &target);
        let losses = if beta == 0.0 { error.abs() } else { Huber::new::<T>(beta, Some(1.0)).of([&error]) };
        losses.reduce(reduction)
    }
}
