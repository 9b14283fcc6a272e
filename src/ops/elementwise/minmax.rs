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
        x.map(move |x| x.maximum(low).minimum(high))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.where_between(&saved.input(0), self.low, self.high))]
    }
}

/// `gy` where x is between two bounds, 0 at the bounds and beyond, and for NaN.
pub(crate) struct WhereBetween {
    low: f64,
    high: f64,
}

impl<T: Float> Op<T, 2> for WhereBetween {
    const NAME: &'static str = "where_between";
    const SAVE: Save = Save::Input(1);

    fn describe(&self, description: &mut Description) {
        description.number("low", self.low).number("high", self.high);
    }

    fn forward(&mut self, [gy, x]: [&Tensor<T>; 2]) -> Tensor<T> {
        let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
        gy.zip_equal(x, move |gy, x| if (x > low) & (x < high) { gy } else { T::ZERO })
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        [saved.needs(0).then(|| u.where_between(&saved.input(1), self.low, self.high)), None]
    }
}

impl<T: Float> Var<T> {
    /// The elements of this where x, of the same shape, is between two bounds; 0 elsewhere.
    #[track_caller]
    pub(in crate::ops::elementwise) fn where_between(&self, x: &Var<T>, low: f64, high: f64) -> Var<T> {
        WhereBetween { low, high }.of([self, x])
    }
}

functions! {
    /// Limits the elements to `low ..= high`; a bound may be infinite. The gradient is 0 at the bounds and beyond.
    #[doc(alias = "clip")]
    fn clamp(x, low: f64, high: f64) = Clamp { low, high }.of([x]);
}
