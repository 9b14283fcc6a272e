//! Elementwise maximum, minimum and clamp.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::elementwise::arithmetic::broadcasts;
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

/// `y = max(a, b)`; at a tie each side gets half of the gradient.
pub(crate) struct Maximum;

impl<T: Float> Op<T, 2> for Maximum {
    const NAME: &'static str = "maximum";
    const SAVE: Save = Save::Inputs;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a.zip(b, T::maximum)
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * indicator(&a, &b)), saved.needs(1).then(|| gy * indicator(&b, &a))]
    }
}

/// `y = min(a, b)`; at a tie each side gets half of the gradient.
pub(crate) struct Minimum;

impl<T: Float> Op<T, 2> for Minimum {
    const NAME: &'static str = "minimum";
    const SAVE: Save = Save::Inputs;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a.zip(b, T::minimum)
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * indicator(&b, &a)), saved.needs(1).then(|| gy * indicator(&a, &b))]
    }
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

impl<T: Float> Var<T> {
    /// Elementwise maximum; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: impl Operand<T>) -> Var<T> {
        Maximum.of([self, &other.resolve(self.tape()).into_var(self.tape())])
    }

    /// Elementwise minimum; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: impl Operand<T>) -> Var<T> {
        Minimum.of([self, &other.resolve(self.tape()).into_var(self.tape())])
    }

    /// Limits the elements to `low ..= high`; a bound may be infinite. The gradient is 0 at the bounds and beyond.
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Var<T> {
        Clamp { low, high }.of([self])
    }
}
