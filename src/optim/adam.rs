//! Adam and AdamW.

use super::group::Decay;
use super::{Group, Optimizer, Settings, Slot, State, Step, check_option, optimizer};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// What Adam and AdamW share: how the moments are kept and used.
#[derive(Clone, Copy, Debug)]
struct Moments {
    betas: (f64, f64),
    epsilon: f64,
    amsgrad: bool,
}

impl Moments {
    fn new() -> Self {
        Moments { betas: (0.9, 0.999), epsilon: 1e-8, amsgrad: false }
    }

    /// How many tensors are kept for each parameter.
    fn tensors(&self) -> usize {
        if self.amsgrad { 3 } else { 2 }
    }

    fn rule<T: Float>(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], learning_rate: f64, decay: Decay<T>) {
        let (beta1, beta2) = self.betas;
        let size = learning_rate / (1.0 - beta1.powi(slot.steps));
        let correction = 1.0 / (1.0 - beta2.powi(slot.steps)).sqrt();
        let [size, correction, epsilon] = [size, correction, self.epsilon].map(T::from_f64);
        let [beta1, beta2, rest1, rest2] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let moments = |g: T, m: T, s: T| (beta1 * m + rest1 * g, beta2 * s + rest2 * g * g);
        let stepped = |p: T, m: T, s: T| p - size * m / (s.sqrt() * correction + epsilon);
        if self.amsgrad {
            let [m, s, largest] = slot.slices();
            return update::with_three(p, g, [m, s, largest], |p, g, [m, s, largest]| {
                let (p, g) = decay.apply(p, g);
                let (m, s) = moments(g, m, s);
                let largest = largest.maximum(s);
                (stepped(p, m, largest), [m, s, largest])
            });
        }
        let [m, s] = slot.slices();
        update::with_two(p, g, m, s, |p, g, [m, s]| {
            let (p, g) = decay.apply(p, g);
            let (m, s) = moments(g, m, s);
            (stepped(p, m, s), [m, s])
        });
    }
}

/// The options that Adam and AdamW share.
macro_rules! moments {
    ($name:ident) => {
        impl<T: Float> $name<T> {
            /// The shares of the mean gradient and of the mean square that are kept from step to step; 0.9 and 0.999 by default.
            #[track_caller]
            pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
                self.moments.betas = (check_option("beta1", beta1, 0.0, 1.0), check_option("beta2", beta2, 0.0, 1.0));
                self
            }

            /// What is added to the denominator; 1e-8 by default.
            #[track_caller]
            pub fn epsilon(mut self, epsilon: f64) -> Self {
                self.moments.epsilon = check_option("epsilon", epsilon, 0.0, f64::INFINITY);
                self
            }

            /// Divides by the largest mean square so far, so that step sizes do not grow again. Reddi et al. 2018.
            pub fn amsgrad(mut self) -> Self {
                self.moments.amsgrad = true;
                self
            }
        }
    };
}
moments!(Adam);
moments!(AdamW);

/// Adam, Kingma and Ba 2015: `m ← β₁ m + (1 − β₁) g`, `s ← β₂ s + (1 − β₂) g²`, `p ← p − lr m̂/(√ŝ + ε)` with the
/// estimates corrected for their start at 0.
///
/// PyTorch's conventions: ε is outside of the root and added after the correction, and weight decay is L2, `g ← g + λ p` first.
/// The number of steps is counted for each parameter.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Adam::new(0.1).betas(0.9, 0.99);
/// let tape = Tape::new();
/// let gradients = tape.param(&model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(format!("{:.4}", model.value()), "[ 0.9 -1.9]"); // the first step has the length lr
/// ```
#[derive(Clone, Debug)]
pub struct Adam<T: Float = f32> {
    settings: Settings,
    moments: Moments,
    state: State<T>,
}
optimizer!(Adam, |adam| adam.moments.tensors());

impl<T: Float> Adam<T> {
    /// Adam with β = (0.9, 0.999), ε = 1e-8 and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Adam { settings: Settings::new(learning_rate), moments: Moments::new(), state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        self.moments.rule(slot, p, g, step.learning_rate, step.l2());
    }
}

/// [`Adam`] with decoupled weight decay: `p ← p − lr λ p` before the step. Loshchilov and Hutter 2019.
#[derive(Clone, Debug)]
pub struct AdamW<T: Float = f32> {
    settings: Settings,
    moments: Moments,
    state: State<T>,
}
optimizer!(AdamW, |adam| adam.moments.tensors());

impl<T: Float> AdamW<T> {
    /// AdamW with β = (0.9, 0.999), ε = 1e-8 and λ = 0.01.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let mut settings = Settings::new(learning_rate);
        settings.weight_decay = 0.01;
        AdamW { settings, moments: Moments::new(), state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        self.moments.rule(slot, p, g, step.learning_rate, step.decoupled());
    }
}
