//! Noise that is added to images in steps, and removed again.

use std::f64::consts::FRAC_PI_2;
use wengert::prelude::*;

/// How much of an image is left after each step, and how much noise there is.
pub struct NoiseSchedule {
    /// The fraction ᾱ of the variance that is left.
    pub left: Vec<f64>,
    /// √ᾱ and √(1 − ᾱ): `[steps + 1, 1]`.
    pub signal: Tensor,
    pub noise: Tensor,
}

impl NoiseSchedule {
    /// The cosine schedule of Nichol and Dhariwal (2021), from an image to almost only noise.
    pub fn new(steps: usize) -> Self {
        let level = |step: usize| ((step as f64 / steps as f64 + 0.008) / 1.008 * FRAC_PI_2).cos().powi(2);
        let mut left = vec![1.0];
        for step in 1..=steps {
            left.push(left[step - 1] * (level(step) / level(step - 1)).max(0.001));
        }
        let column = |of: fn(f64) -> f64| left.iter().map(|&left| of(left) as f32).collect();
        let [signal, noise] = [column(f64::sqrt), column(|left| (1.0 - left).sqrt())]
            .map(|column| Tensor::from_vec(column, [steps + 1, 1]));
        NoiseSchedule { left, signal, noise }
    }

    pub fn steps(&self) -> usize {
        self.left.len() - 1
    }

    /// Images with noise, `√ᾱ x + √(1 − ᾱ) ε`, each after its own number of steps.
    pub fn noisy(&self, images: &Tensor, noise: &Tensor, steps: &[usize]) -> Tensor {
        images * self.signal.rows(steps) + noise * self.noise.rows(steps)
    }

    /// Draws images one step closer to the beginning, given the noise in them: from the normal distribution of the step before for the
    /// beginning that the noise implies.
    pub fn back(&self, x: &Tensor, noise: &Tensor, step: usize, rng: &mut impl Rng) -> Tensor {
        let [before, now] = [self.left[step - 1], self.left[step]];
        let alpha = now / before;
        let beginning = ((x - noise * (1.0 - now).sqrt()) / now.sqrt()).clamp(-1.0, 1.0);
        let mean = beginning * (before.sqrt() * (1.0 - alpha)) + x * (alpha.sqrt() * (1.0 - before));
        let deviation = ((1.0 - alpha) * (1.0 - before) / (1.0 - now)).sqrt();
        mean / (1.0 - now) + Tensor::<f32>::randn(x.shape(), rng) * deviation
    }
}
