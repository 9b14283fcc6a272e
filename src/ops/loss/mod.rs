//! Losses, all numerically stable for scores up to ±10⁴.

pub(crate) mod classification;
pub(crate) mod probability;
mod regression;

use crate::autograd::Var;
use crate::tensor::Float;
pub use classification::CrossEntropy;

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

impl<T: Float> Var<T> {
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
