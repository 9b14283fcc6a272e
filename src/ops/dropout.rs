//! Dropout.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::kernel::dropout;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};
use rand::Rng;

/// `y = x m/(1 − rate)` with a random mask m of zeros and ones, `gx = gy m/(1 − rate)`; the seed determines the mask.
#[derive(Clone)]
pub(crate) struct Dropout {
    rate: f64,
    seed: u64,
}

impl<T: Float> Op<T, 1> for Dropout {
    const NAME: &'static str = "dropout";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.number("rate", self.rate).field("seed", &self.seed);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let threshold = (self.rate * 2f64.powi(32)) as u32;
        let scale = T::from_f64(1.0 / (1.0 - self.rate));
        Tensor::build(x.dims(), |y| dropout::dropout(x.as_slice(), self.seed, threshold, scale, y))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(self.clone().of([gy]))]
    }
}

impl<T: Float> Var<T> {
    /// Dropout: on a training tape sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate).
    ///
    /// The scaling preserves the expected value, so on other tapes dropout is the identity. Srivastava et al. 2014 (inverted form).
    /// The mask is drawn from the tape's generator, so the seed of [`Tape::training`](crate::Tape::training) determines it.
    ///
    /// # Panics
    /// If the rate is not in [0, 1).
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
        check_rate(rate);
        if !self.tape().is_training() || rate == 0.0 {
            return self.clone();
        }
        let seed = self.tape().generator().next_u64();
        self.dropout_seeded(rate, seed)
    }

    /// [`dropout`](Var::dropout) with the mask of a given seed, on every tape.
    ///
    /// For a mask that stays fixed across steps, or for Monte Carlo dropout at inference (Gal and Ghahramani 2016).
    ///
    /// # Panics
    /// If the rate is not in [0, 1).
    #[track_caller]
    pub fn dropout_seeded(&self, rate: f64, seed: u64) -> Var<T> {
        check_rate(rate);
        Dropout { rate, seed }.of([self])
    }
}

/// Returns a rate; panics if it is not in [0, 1).
#[track_caller]
pub(crate) fn check_rate(rate: f64) -> f64 {
    if !(0.0..1.0).contains(&rate) {
        panics::probability("dropout", rate);
    }
    rate
}
