//! AdaGrad.

use super::{Group, Optimizer, Settings, Slot, State, Step, check_option, optimizer, setters};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// AdaGrad, Duchi et al. 2011: `s ← s + g²`, `p ← p − lr g/(√s + ε)`. The sum only grows, so steps die out.
///
/// ε is outside of the root; weight decay is L2.
///
/// ```
/// # use wengert::optim::AdaGrad;
/// # use wengert::prelude::*;
/// let optimizer: AdaGrad = AdaGrad::new(0.01).learning_rate_decay(1e-3);
/// # assert_eq!(optimizer.learning_rate(), 0.01);
/// ```
#[derive(Clone, Debug)]
pub struct AdaGrad<T: Float = f32> {
    settings: Settings,
    learning_rate_decay: f64,
    initial_accumulator: f64,
    epsilon: f64,
    state: State<T>,
}
optimizer!(AdaGrad, |_| 1);

setters!(AdaGrad {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
    /// Divides the learning rate by `1 + (t − 1) decay` at step t.
    learning_rate_decay: 0.0, f64::INFINITY;
    /// What the sum of squares begins with.
    initial_accumulator: 0.0, f64::INFINITY;
});

impl<T: Float> AdaGrad<T> {
    /// AdaGrad with ε = 1e-10, a sum that begins with 0, and no decays.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings::new(learning_rate);
        AdaGrad { settings, learning_rate_decay: 0.0, initial_accumulator: 0.0, epsilon: 1e-10, state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let first = if slot.steps == 1 { self.initial_accumulator } else { 0.0 };
        let rate = step.learning_rate / (1.0 + f64::from(slot.steps - 1) * self.learning_rate_decay);
        let decay = step.l2::<T>();
        let [rate, epsilon, first] = [rate, self.epsilon, first].map(T::from_f64);
        let [s] = slot.slices();
        update::with_one(p, g, s, |p, g, s| {
            let (p, g) = decay.apply(p, g);
            let s = s + first + g * g;
            (p - rate * g / (s.sqrt() + epsilon), s)
        });
    }
}
