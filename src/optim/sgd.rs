//! Stochastic gradient descent.

use super::{Group, Optimizer, Settings, Slot, State, Step, check_option, optimizer, setters};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// Stochastic gradient descent, with momentum if asked for: `v ← μ v + (1 − dampening) g`, `p ← p − lr v`.
///
/// PyTorch's conventions: the first velocity is the undamped gradient, the learning rate is outside of the velocity,
/// Nesterov's step is along `g + μ v`, and weight decay is L2, `g ← g + λ p` first.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Sgd::new(0.1);
/// let tape = Tape::new();
/// let gradients = tape.param(&model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(model.value(), &tensor![0.8, -1.6]);
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<T: Float = f32> {
    settings: Settings,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    state: State<T>,
}
optimizer!(Sgd, |sgd| usize::from(sgd.momentum != 0.0));

setters!(Sgd {
    /// The share μ of the velocity that is kept from step to step; 0.9 is usual. Polyak 1964.
    momentum: 0.0, f64::INFINITY;
});

impl<T: Float> Sgd<T> {
    /// Plain gradient descent, `p ← p − lr g`.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings::new(learning_rate);
        Sgd { settings, momentum: 0.0, dampening: 0.0, nesterov: false, state: State::new() }
    }

    /// Takes the share `dampening` from each gradient but the first on its way into the velocity.
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// Looks ahead: steps along `g + μ v`. Nesterov 1983, in the form of Sutskever et al. 2013.
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let (decay, nesterov) = (step.l2::<T>(), self.nesterov);
        let inflow = if slot.steps == 1 { 1.0 } else { 1.0 - self.dampening };
        let [rate, momentum, inflow] = [step.learning_rate, self.momentum, inflow].map(T::from_f64);
        if self.momentum == 0.0 {
            return update::stateless(p, g, |p, g| p - rate * decay.apply(p, g).1);
        }
        let [v] = slot.slices();
        update::with_one(p, g, v, |p, g, v| {
            let (p, g) = decay.apply(p, g);
            let v = momentum * v + inflow * g;
            (p - rate * if nesterov { g + momentum * v } else { v }, v)
        });
    }
}
