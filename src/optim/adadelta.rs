//! AdaDelta.

use super::{Group, Optimizer, Settings, Slot, State, Step, check_option, optimizer, setters};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// AdaDelta, Zeiler 2012: `s ← ρ s + (1 − ρ) g²`, `d = g √(u + ε)/√(s + ε)`, `u ← ρ u + (1 − ρ) d²`, `p ← p − lr d`.
///
/// ε is inside of the roots; weight decay is L2.
///
/// ```
/// # use wengert::optim::AdaDelta;
/// # use wengert::prelude::*;
/// let optimizer: AdaDelta = AdaDelta::new(1.0).rho(0.95);
/// # assert_eq!(optimizer.learning_rate(), 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct AdaDelta<T: Float = f32> {
    settings: Settings,
    rho: f64,
    epsilon: f64,
    state: State<T>,
}
optimizer!(AdaDelta, |_| 2);

setters!(AdaDelta {
    /// The ε that is added inside of both roots.
    epsilon: 0.0, f64::INFINITY;
    /// The share ρ of both mean squares that is kept from step to step.
    rho: 0.0, 1.0;
});

impl<T: Float> AdaDelta<T> {
    /// AdaDelta with ρ = 0.9 and ε = 1e-6; its usual learning rate is 1.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        AdaDelta { settings: Settings::new(learning_rate), rho: 0.9, epsilon: 1e-6, state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let decay = step.l2::<T>();
        let [rate, epsilon] = [step.learning_rate, self.epsilon].map(T::from_f64);
        let [rho, rest] = [self.rho, 1.0 - self.rho].map(T::from_f64);
        let [s, u] = slot.slices();
        update::with_two(p, g, s, u, |p, g, [s, u]| {
            let (p, g) = decay.apply(p, g);
            let s = rho * s + rest * g * g;
            let d = (u + epsilon).sqrt() / (s + epsilon).sqrt() * g;
            (p - rate * d, [s, rho * u + rest * d * d])
        });
    }
}
