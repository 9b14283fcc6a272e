//! Dropout.

use crate::autograd::Var;
use crate::panics;
use crate::tensor::{Float, Tensor};
use rand_distr::{Bernoulli, Distribution};

impl<T: Float> Var<T> {
    /// On a training tape sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate), so that
    /// the expected value stays; on any other tape does nothing. Srivastava et al. 2014, the inverted form.
    ///
    /// The mask comes from the tape's own generator, so a seed of [`Tape::training`](crate::Tape::training) fixes it.
    ///
    /// # Panics
    /// If not 0 ≤ rate < 1.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let ones: Tensor = Tensor::ones([1000]);
    /// let tape = Tape::training(&mut wengert::rng(1));
    /// let y = tape.constant(&ones).dropout(0.5);
    /// assert!((y.value().mean().item() - 1.0).abs() < 0.1);
    /// assert_eq!(Tape::new().constant(&ones).dropout(0.5).value(), &ones);
    /// ```
    #[track_caller]
    pub fn dropout(&self, rate: f64) -> Var<T> {
        let Some(keep) = Bernoulli::new(1.0 - rate).ok().filter(|_| rate < 1.0) else {
            panics::probability("dropout", rate)
        };
        if !self.tape().is_training() || rate == 0.0 {
            return self.clone();
        }
        let scale = T::from_f64(1.0 / (1.0 - rate));
        let mut generator = self.tape().generator();
        let mask = Tensor::build(self.value().dims(), |mask| {
            mask.iter_mut().for_each(|mask| *mask = if keep.sample(&mut *generator) { scale } else { T::ZERO });
        });
        drop(generator);
        self * mask
    }
}
