//! The dropout layer.

use super::layer::stateless;
use super::{Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::ops::check_rate;
use crate::tensor::Float;

/// [`Var::dropout`] with a fixed rate: zeroes random elements on a training tape, and is the identity on any other.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Net { hidden: Linear, dropout: Dropout, output: Linear }
/// module!(Net { hidden, output; dropout });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability that an element is set to 0.
    pub rate: f64,
}

impl Dropout {
    /// Creates a layer with the given rate.
    ///
    /// # Panics
    /// If not 0 ≤ rate < 1.
    #[doc(alias = "TimeDropout")]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Dropout { rate: check_rate(rate) }
    }

    /// Applies dropout to `x` if its tape is a training tape.
    ///
    /// # Panics
    /// If not 0 ≤ rate < 1.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Var<T>) -> Var<T> {
        x.dropout(self.rate)
    }
}

stateless!([] Dropout, "Dropout");

impl<T: Float> Layer<T> for Dropout {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        Dropout::forward(self, x)
    }
}
