//! Losses, all numerically stable for scores up to ±10⁴.

pub(crate) mod classification;
pub(crate) mod probability;
pub(crate) mod regression;

use crate::autograd::{Op, Operand, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};
pub use classification::CrossEntropy;
use std::borrow::Cow;

/// How the losses of the elements are reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// No reduction.
    None,
    /// The sum.
    Sum,
    /// The mean.
    #[default]
    Mean,
    /// The sum divided by the size of the first axis.
    BatchMean,
}

broadcasting_op! {
    /// `y = w x`, but 0 where w = 0 and x is infinite: a term of probability 0 does not occur.
    weighted: Weighted { w, x => w.zip(x, |w, x| if w == T::ZERO && !x.is_nan() { T::ZERO } else { w * x }); Others: |saved, gy| {
        [saved.needs(0).then(|| gy * saved.input(1)), saved.needs(1).then(|| gy.weighted(&saved.input(0)))]
    } }
}

impl<T: Float> Var<T> {
    /// The product with weights that broadcast, where 0 · ∞ = 0.
    #[track_caller]
    fn weighted(&self, weights: &Var<T>) -> Var<T> {
        Weighted.of([weights, self])
    }

    /// The target of a loss of elements, which must have this shape: broadcast, the mean would silently be over all pairs.
    #[track_caller]
    fn target<'a>(&self, op: &str, target: &'a impl Operand<T>) -> Cow<'a, Var<T>> {
        let target = self.resolve_operand(target);
        if target.shape() != self.shape() {
            self.shape_error(op, &target, &panics::target_shape(self.shape(), target.shape()));
        }
        target
    }

    #[track_caller]
    fn reduce(&self, reduction: Reduction) -> Var<T> {
        match reduction {
            Reduction::None => self.clone(),
            Reduction::Sum => self.sum(),
            Reduction::Mean => self.mean(),
            Reduction::BatchMean => self.sum() / self.shape().first().copied().unwrap_or(1) as f64,
        }
    }
}
