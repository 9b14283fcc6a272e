//! Elementwise maximum, minimum and clamp.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

broadcasting! {
    /// Elementwise maximum; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    maximum: Maximum { x, other => x.zip(other, T::maximum); Inputs: |saved, gy| {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * indicator(&a, &b)), saved.needs(1).then(|| gy * indicator(&b, &a))]
    } }
    /// Elementwise minimum; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    minimum: Minimum { x, other => x.zip(other, T::minimum); Inputs: |saved, gy| {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * indicator(&b, &a)), saved.needs(1).then(|| gy * indicator(&a, &b))]
    } }
}

/// 1 where a > b, 0 where a < b, ½ at a tie; 1 where either is NaN, as in PyTorch.
fn indicator<T: Float>(a: &Var<T>, b: &Var<T>) -> Tensor<T> {
    let half = T::from_f64(0.5);
    a.value().zip(b.value(), |a, b| {
        if a == b {
            half
        } else if a < b {
            T::ZERO
        } else {
            T::ONE
        }
    })
}

/// `y = min(max(x, low), high)`; the gradient is 0 at the bounds and beyond.
pub(crate) struct Clamp {
    low: f64,
    high: f64,
}

impl<T: Float> Op<T, 1> for Clamp {
    const NAME: &'static str = "clamp";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("low", self.low).number("high", self.high);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
        x.map(|x| x.maximum(low).minimum(high))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
        [Some(gy.masked_fill(&saved.input(0).value().mask(|x| x <= low || x >= high), 0.0))]
    }
}

functions! {
    /// Limits the elements to `low ..= high`; a bound may be infinite. The gradient is 0 at the bounds and beyond.
    #[doc(alias = "clip")]
    fn clamp(x, low: f64, high: f64) = Clamp { low, high }.of([x]);
}
