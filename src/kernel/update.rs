//! Optimizer updates: each one pass over parameter, gradient and state.

use super::Float;

/// What a step of [`sgd`] needs beside the slices.
#[derive(Clone, Copy)]
pub(crate) struct Sgd<T> {
    pub(crate) learning_rate: T,
    pub(crate) momentum: T,
    /// Weight of the gradient in the velocity: 1 − dampening, and 1 at the first step.
    pub(crate) inflow: T,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: T,
}

simd! {
    /// `p ← p − lr (g + λ p)`.
    pub(crate) fn sgd[T: Float](p: &mut [T], g: &[T], s: Sgd<T>) {
        for (p, &g) in p.iter_mut().zip(g) {
            *p -= s.learning_rate * (g + s.weight_decay * *p);
        }
    }
}

simd! {
    /// `v ← μ v + inflow d; p ← p − lr v` with d = g + λ p; Nesterov's form steps along d + μ v.
    pub(crate) fn sgd_momentum[T: Float](p: &mut [T], g: &[T], v: &mut [T], s: Sgd<T>) {
        for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
            let d = g + s.weight_decay * *p;
            *v = s.momentum * *v + s.inflow * d;
            *p -= s.learning_rate * if s.nesterov { d + s.momentum * *v } else { *v };
        }
    }
}

/// What a step of [`adam`] needs beside the slices.
#[derive(Clone, Copy)]
pub(crate) struct Adam<T> {
    /// lr / (1 − β₁ᵗ).
    pub(crate) step_size: T,
    pub(crate) beta1: T,
    pub(crate) beta2: T,
    /// 1 / √(1 − β₂ᵗ).
    pub(crate) correction: T,
    pub(crate) epsilon: T,
    pub(crate) weight_decay: T,
}

simd! {
    /// `m ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) g²; p ← p − step m / (√s · correction + ε)`, with g ← g + λ p first.
    pub(crate) fn adam[T: Float](p: &mut [T], g: &[T], m: &mut [T], s: &mut [T], a: Adam<T>) {
        for (((p, &g), m), s) in p.iter_mut().zip(g).zip(m).zip(s) {
            let g = g + a.weight_decay * *p;
            *m = a.beta1 * *m + (T::ONE - a.beta1) * g;
            *s = a.beta2 * *s + (T::ONE - a.beta2) * g * g;
            *p -= a.step_size * *m / (s.sqrt() * a.correction + a.epsilon);
        }
    }
}
