//! Trigonometric functions and their inverses; angles are in radians.

use crate::autograd::{Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Sine, `dy/dx = cos x`.
    sin: Sin { x => x.sin(); input: |gy, x| gy.times_cos(x) }
    /// Cosine, `dy/dx = −sin x`.
    cos: Cos { x => x.cos(); input: |gy, x| -gy.times_sin(x) }
    /// Tangent, `dy/dx = 1 + y²`.
    tan: Tan { x => x.tan(); output: |gy, y| gy.tan_gradient(y) }
    /// Arc sine in [−π/2, π/2], `dy/dx = 1/√(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arcsin")]
    asin: Asin { x => x.asin(); input: |gy, x| gy.asin_gradient(x) }
    /// Arc cosine in [0, π], `dy/dx = −1/√(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arccos")]
    acos: Acos { x => x.acos(); input: |gy, x| -gy.asin_gradient(x) }
    /// Arc tangent in (−π/2, π/2), `dy/dx = 1/(1 + x²)`.
    #[doc(alias = "arctan")]
    atan: Atan { x => x.atan(); input: |gy, x| gy.atan_gradient(x) }
}

gradients! {
    /// gy cos x.
    times_cos: TimesCos { x => x.cos(); |gy, x| -gy.times_sin(x) }
    /// gy sin x.
    times_sin: TimesSin { x => x.sin(); |gy, x| gy.times_cos(x) }
    /// gy (1 + y²) for y = tan x.
    tan_gradient: TanGradient { y => T::ONE + y * y; |gy, y| gy.square_gradient(y) }
    /// gy/√(1 − x²), accurate near ±1.
    asin_gradient: AsinGradient {
        x => T::ONE / ((T::ONE - x) * (T::ONE + x)).sqrt();
        |gy, x| (gy.asin_gradient(x) * x).asin_gradient(x).asin_gradient(x)
    }
    /// gy/(1 + x²) without overflow: in terms of 1/x for large x.
    atan_gradient: AtanGradient {
        x => {
            let a = x.abs();
            let small = if a > T::ONE { T::ONE / a } else { a };
            let square = small * small;
            (if a > T::ONE { square } else { T::ONE }) / (T::ONE + square)
        };
        |gy, x| (gy.atan_gradient(x) * x).atan_gradient(x) * -2.0
    }
}

broadcasting! {
    /// Angle in (−π, π] of the point (`x`, `self`), as `f32::atan2`; the shapes broadcast. 0 at the origin, with derivative 0.
    ///
    /// `da/dy = x/(x² + y²)`, `da/dx = −y/(x² + y²)` for y = `self`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "arctan2")]
    atan2: Atan2 { y, x => y.zip(x, T::atan2); Inputs: |saved, ga| {
        let [y, x] = saved.inputs();
        let slope = |y: &Var<T>, x: &Var<T>| Atan2Slope.of([y, x]);
        [saved.needs(0).then(|| ga * slope(&y, &x)), saved.needs(1).then(|| -(ga * slope(&x, &y)))]
    } }
}

broadcasting_op! {
    /// `u = x/(x² + y²)` without overflow, 0 at the origin, where the angle is undefined. With `v = y/(x² + y²)`,
    /// `du/dx = v² − u²` and `du/dy = −2uv`: at the origin derivatives of every order are 0.
    atan2_slope: Atan2Slope { y, x => y.zip(x, #[inline(always)] |y, x| {
        let r = y.hypot(x);
        if r == T::ZERO || r == T::INFINITY { T::ZERO } else { x / r / r }
    }); Inputs: |saved, gu| {
        let [y, x] = saved.inputs();
        let (u, v) = (Atan2Slope.of([&y, &x]), Atan2Slope.of([&x, &y]));
        [saved.needs(0).then(|| gu * &u * (&v * -2.0)), saved.needs(1).then(|| gu * (&v - &u) * (&v + &u))]
    } }
}
