//! The dropout layer.

use super::layer::stateless;
use super::{Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::tensor::Float;

/// [`Var::dropout`] with a fixed rate: sets elements to 0 on a training tape, does nothing on any other.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Net { hidden: Linear, dropout: Dropout, output: Linear }
/// module!(Net { hidden, output; dropout });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability with which an element is set to 0.
    pub rate: f64,
}

impl Dropout {
    /// A layer with the given rate.
    pub fn new(rate: f64) -> Self {
        Dropout { rate }
    }

    /// Drops elements of `x`, if its tape is for training.
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
