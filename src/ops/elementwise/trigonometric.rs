//! Trigonometric functions and their inverses; angles are in radians.

use crate::autograd::{Op, Operand, Save, Saved, Var};
use crate::ops::elementwise::arithmetic::broadcasts;
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Sine, `dy/dx = cos x`.
    sin: Sin { x => x.sin(); input: |gy, x| gy * x.cos() }
    /// Cosine, `dy/dx = −sin x`.
    cos: Cos { x => x.cos(); input: |gy, x| -(gy * x.sin()) }
    /// Tangent, `dy/dx = 1 + y²`.
    tan: Tan { x => x.tan(); output: |gy, y| gy * (1.0 + y.square()) }
    /// Arc sine in [−π/2, π/2], `dy/dx = 1/√(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arcsin")]
    asin: Asin { x => x.asin(); input: |gy, x| gy * (1.0 - x.square()).rsqrt() }
    /// Arc cosine in [0, π], `dy/dx = −1/√(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arccos")]
    acos: Acos { x => x.acos(); input: |gy, x| -(gy * (1.0 - x.square()).rsqrt()) }
    /// Arc tangent in (−π/2, π/2), `dy/dx = 1/(1 + x²)`.
    #[doc(alias = "arctan")]
    atan: Atan { x => x.atan(); input: |gy, x| gy / (x.square() + 1.0) }
}

/// `a = atan2(y, x)`: `da/dy = x/(x² + y²)`, `da/dx = −y/(x² + y²)`.
pub(crate) struct Atan2;

impl<T: Float> Op<T, 2> for Atan2 {
    const NAME: &'static str = "atan2";
    const SAVE: Save = Save::Inputs;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [y, x]: [&Tensor<T>; 2]) -> Tensor<T> {
        y.zip(x, T::atan2)
    }
    fn backward(&self, saved: &Saved<T, 2>, ga: &Var<T>) -> [Option<Var<T>>; 2] {
        let [y, x] = saved.inputs();
        let r2 = x.square() + y.square();
        // The angle is undefined at the origin; the derivative there is defined as 0.
        let scale = ga / r2.masked_fill(&r2.value().mask(|r2| r2 == T::ZERO), 1.0);
        [saved.needs(0).then(|| &scale * &x), saved.needs(1).then(|| -(&scale * &y))]
    }
}

impl<T: Float> Var<T> {
    /// Angle in (−π, π] of the point (`x`, `self`), as `f32::atan2`; the shapes broadcast. 0 at the origin, with derivative 0.
    ///
    /// `da/dy = x/(x² + y²)`, `da/dx = −y/(x² + y²)` for y = `self`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "arctan2")]
    #[track_caller]
    pub fn atan2(&self, x: impl Operand<T>) -> Var<T> {
        Atan2.of([self, &x.resolve(self.tape()).into_var(self.tape())])
    }
}
