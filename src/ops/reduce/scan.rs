//! Cumulative sums, products and logsumexps along an axis.
//!
//! Products, and the gradients of products and logsumexps, are linear recurrences: they divide by no element and subtract no
//! large numbers.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{AxisIndex, Float, Tensor, View, scan_axis};

/// `yₖ = x₀ + … + xₖ`, or from the end; the gradient is the cumulative sum in the opposite direction.
pub(crate) struct Cumsum {
    axis: usize,
    reverse: bool,
}

impl<T: Float> Op<T, 1> for Cumsum {
    const NAME: &'static str = "cumsum";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis).flag("reverse", self.reverse);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.running_sum(self.axis, self.reverse)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(Cumsum { reverse: !self.reverse, ..*self }.of([gy]))]
    }
}

/// `yₖ = aₖ₋₁ yₖ₋₁ + bₖ`, or in reverse `yₖ = aₖ yₖ₊₁ + bₖ`: gb is the recurrence of gy in the opposite direction, and `ga`
/// at each step is gb after the step times y before it.
pub(crate) struct Recurrence {
    axis: usize,
    reverse: bool,
}

impl<T: Float> Op<T, 2> for Recurrence {
    const NAME: &'static str = "recurrence";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis).flag("reverse", self.reverse);
    }

    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        b.recurrence(a, self.axis, self.reverse)
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let Recurrence { axis, reverse } = *self;
        let gb = gy.recurrence(&saved.input(0), axis, !reverse);
        let n = gy.shape()[axis];
        let ga = || {
            let (y, (earlier, later)) = (saved.output(), (0..n - 1, 1..n));
            let (to, from) = if reverse { (earlier, later) } else { (later, earlier) };
            gb.narrow(axis, to) * y.narrow(axis, from)
        };
        [saved.needs(0).then(ga), Some(gb)]
    }
}

/// `yₖ = ln(exp x₀ + … + exp xₖ)`; with `rₖ = gyₖ + exp(yₖ − yₖ₊₁) rₖ₊₁` the gradient is `exp(xₖ − yₖ) rₖ`.
pub(crate) struct LogCumSumExp {
    axis: usize,
}

impl<T: Float> Op<T, 1> for LogCumSumExp {
    const NAME: &'static str = "logcumsumexp";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.running_logsumexp(self.axis)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (x, y, axis) = (saved.input(0), saved.output(), self.axis);
        // exp(−∞ − −∞) is 0 here: a term of −∞ has no share.
        let total = y.masked_fill(&y.value().mask(|y| y == T::NEG_INFINITY), 0.0);
        let share = (x - &total).exp();
        let n = y.shape()[axis];
        if n < 2 {
            return [Some(gy * share)];
        }
        let kept = (y.narrow(axis, 0..n - 1) - total.narrow(axis, 1..n)).exp();
        [Some(share * gy.recurrence(&kept, axis, true))]
    }
}

impl<T: Float> Var<T> {
    /// The cumulative sum along an axis, `yₖ = x₀ + … + xₖ`, accumulated in double precision.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0, 2.0, 3.0]);
    /// assert_eq!(x.cumsum(0).value(), &tensor![1.0, 3.0, 6.0]);
    /// assert_eq!(x.cumsum(0).sum().grad(&x).value(), &tensor![3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: impl AxisIndex) -> Var<T> {
        let axis = scan_axis("cumsum", self.shape(), axis.index());
        Cumsum { axis, reverse: false }.of([self])
    }

    /// The cumulative product along an axis, `yₖ = x₀ ⋯ xₖ`, differentiated without division, so that zeros need no special case.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([2.0, 0.0, 5.0]);
    /// assert_eq!(x.cumprod(0).value(), &tensor![2.0, 0.0, 0.0]);
    /// assert_eq!(x.cumprod(0).sum().grad(&x).value(), &tensor![1.0, 12.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: impl AxisIndex) -> Var<T> {
        let axis = scan_axis("cumprod", self.shape(), axis.index());
        let Some(&n) = self.shape().get(axis).filter(|&&n| n > 1) else { return self.clone() };
        let first = View::narrowed(self.shape(), axis, 0..1);
        let start = self.slice_by(first.clone()).pad_by(first, self.value().dims(), 0.0);
        start.recurrence(&self.narrow(axis, 1..n), axis, false)
    }

    /// The cumulative logsumexp along an axis, `yₖ = ln(exp x₀ + … + exp xₖ)`, without overflow.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let y = tape.constant([1000.0, 1000.0]).logcumsumexp(0);
    /// assert_eq!(y.value(), &tensor![1000.0, 1000.0 + 2f32.ln()]);
    /// ```
    #[track_caller]
    pub fn logcumsumexp(&self, axis: impl AxisIndex) -> Var<T> {
        let axis = scan_axis("logcumsumexp", self.shape(), axis.index());
        if self.shape().is_empty() { self.clone() } else { LogCumSumExp { axis }.of([self]) }
    }

    /// `yₖ = aₖ₋₁ yₖ₋₁ + bₖ` along an axis, or in reverse `yₖ = aₖ yₖ₊₁ + bₖ`, where b is `self` and a is shorter by one.
    #[track_caller]
    fn recurrence(&self, a: &Var<T>, axis: usize, reverse: bool) -> Var<T> {
        Recurrence { axis, reverse }.of([a, self])
    }
}
