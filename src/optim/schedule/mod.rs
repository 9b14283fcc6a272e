//! Learning rate schedules: the learning rate as a function of the step number.
//!
//! A step can be a batch or an epoch, depending on where the program evaluates the schedule. Steps count from 0, and the step
//! number is all that is needed to resume a run.
//!
//! ```
//! use wengert::optim::schedule::{Cosine, LinearRamp};
//! use wengert::prelude::*;
//!
//! // Ten steps of warm-up, then cosine decay.
//! let schedule = LinearRamp::new(1e-3, 10).start_factor(0.1).then(10, Cosine::new(1e-3, 90));
//! let mut model = Param::new([1.0, -2.0]);
//! let mut optimizer = Adam::new(1e-3);
//! for step in 0..100 {
//!     optimizer.set_learning_rate(schedule.at(step));
//!     let tape = Tape::new();
//!     let loss = tape.param(&model).square().sum();
//!     optimizer.step(&mut model, &loss.backward());
//! }
//! assert!(optimizer.learning_rate() < 1e-6);
//! ```
//!
//! The formulas and defaults are PyTorch's, in closed form; t is the step and lr the learning rate passed to the constructor.
//! [`ReduceOnPlateau`] depends on a metric and therefore has state; it does not implement [`Schedule`].

mod cosine;
mod decay;
mod plateau;
mod ramp;

use crate::panics::check_option;

pub use cosine::{Cosine, CosineWarmRestarts, OneCycle};
pub use decay::{Exponential, MultiStep, Polynomial, StepDecay};
pub use plateau::{PlateauState, ReduceOnPlateau};
pub use ramp::{Constant, LinearRamp};

/// The learning rate as a function of the step.
///
/// Functions are schedules too, as in PyTorch's `LambdaLR`:
///
/// ```
/// use wengert::prelude::*;
///
/// // The schedule of Vaswani et al. 2017, "Attention is all you need".
/// let transformer = |step: usize| {
///     let t = (step + 1) as f64;
///     512f64.powf(-0.5) * t.powf(-0.5).min(t * 4000f64.powf(-1.5))
/// };
/// assert!(transformer.at(3999) > transformer.at(10) && transformer.at(3999) > transformer.at(9000));
/// ```
#[doc(alias("lr_scheduler", "LambdaLR"))]
pub trait Schedule {
    /// The learning rate at a step, counted from 0.
    fn at(&self, step: usize) -> f64;

    /// Follows this schedule for `steps` steps, then `next`, whose steps count from 0 again. PyTorch's `SequentialLR`.
    ///
    /// ```
    /// # use wengert::optim::schedule::{Exponential, StepDecay};
    /// # use wengert::prelude::*;
    /// let schedule = StepDecay::new(0.1, 30).then(60, Exponential::new(0.001, 0.9));
    /// assert_eq!((schedule.at(59), schedule.at(60)), (0.1 * 0.1, 0.001));
    /// ```
    #[doc(alias = "SequentialLR")]
    fn then<S: Schedule>(self, steps: usize, next: S) -> Then<Self, S>
    where
        Self: Sized,
    {
        Then { first: self, steps, next }
    }

    /// The product with another schedule, created with a learning rate of 1. PyTorch's `ChainedScheduler`.
    ///
    /// ```
    /// # use wengert::optim::schedule::{Exponential, LinearRamp};
    /// # use wengert::prelude::*;
    /// let schedule = Exponential::new(0.1, 0.5).times(LinearRamp::new(1.0, 4).start_factor(0.5));
    /// assert_eq!((schedule.at(0), schedule.at(4)), (0.05, 0.1 / 16.0));
    /// ```
    #[doc(alias = "ChainedScheduler")]
    fn times<S: Schedule>(self, factor: S) -> Times<Self, S>
    where
        Self: Sized,
    {
        Times { schedule: self, factor }
    }
}

impl<F: Fn(usize) -> f64> Schedule for F {
    fn at(&self, step: usize) -> f64 {
        self(step)
    }
}

/// One schedule after another, returned by [`Schedule::then`].
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Then<A, B> {
    first: A,
    steps: usize,
    next: B,
}

impl<A: Schedule, B: Schedule> Schedule for Then<A, B> {
    fn at(&self, step: usize) -> f64 {
        match step.checked_sub(self.steps) {
            None => self.first.at(step),
            Some(step) => self.next.at(step),
        }
    }
}

/// The product of two schedules, returned by [`Schedule::times`].
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Times<A, B> {
    schedule: A,
    factor: B,
}

impl<A: Schedule, B: Schedule> Schedule for Times<A, B> {
    fn at(&self, step: usize) -> f64 {
        self.schedule.at(step) * self.factor.at(step)
    }
}

#[track_caller]
fn check_learning_rate(learning_rate: f64) -> f64 {
    check_option("learning_rate", learning_rate, 0.0..)
}

/// Checks that a number of steps is not 0.
#[track_caller]
fn check_steps(steps: usize) -> usize {
    check_option("steps", steps as f64, 1.0..);
    steps
}
