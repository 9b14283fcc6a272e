//! Powers, roots and reciprocals.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::kernel::elementwise;
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Square x², `dy/dx = 2x`.
    square: Square { x => x * x; input: |gy, x| gy.square_gradient(x) }
    /// Square root √x, `dy/dx = 1/(2y)`, infinite at 0; NaN for negative x.
    sqrt: Sqrt { x => x.sqrt(); output: |gy, y| gy / (y * 2.0) }
    /// Reciprocal square root 1/√x, `dy/dx = −y³/2`.
    rsqrt: Rsqrt { x => T::ONE / x.sqrt(); output: |gy, y| gy * y * y * (y * -0.5) }
    /// Reciprocal 1/x, `dy/dx = −y²`.
    #[doc(alias = "recip")]
    reciprocal: Reciprocal { x => T::ONE / x; output: |gy, y| -(gy * y * y) }
}

gradients! {
    /// gy · 2x.
    square_gradient: SquareGradient { x => x + x; |gy, _x| gy * 2.0 }
}

/// `y = xⁿ` for an integer n, `dy/dx = n xⁿ⁻¹`.
pub(crate) struct Powi {
    n: i32,
}

impl<T: Float> Op<T, 1> for Powi {
    const NAME: &'static str = "powi";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.data("n", Setting::Number(self.n.into())).field("n", &self.n);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.map_by(&|x, y| elementwise::powi(x, y, self.n))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let x = saved.input(0);
        [Some(match self.n {
            0 => gy.zeros_like(),
            1 => gy.clone(),
            2 => gy * (x * 2.0),
            i32::MIN => gy * (x.powi(i32::MIN) / x * f64::from(i32::MIN)),
            n => gy * (x.powi(n - 1) * f64::from(n)),
        })]
    }
}

/// `y = xᵖ` for a fixed real p, `dy/dx = p xᵖ⁻¹`.
pub(crate) struct Powf {
    exponent: f64,
}

impl<T: Float> Op<T, 1> for Powf {
    const NAME: &'static str = "powf";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("exponent", self.exponent);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let exponent = T::from_f64(self.exponent);
        match self.exponent {
            // Roots, as in PyTorch: cheaper than powf, and −0 keeps its sign.
            0.5 => x.map(T::sqrt),
            -0.5 => x.map(|x| T::ONE / x.sqrt()),
            _ => x.map(
                #[inline(always)]
                |x| x.powf(exponent),
            ),
        }
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        if self.exponent == 0.0 {
            return [Some(gy.zeros_like())];
        }
        [Some(gy * (saved.input(0).powf(self.exponent - 1.0) * self.exponent))]
    }
}

broadcasting! {
    /// Power xᵖ with a variable exponent; the shapes broadcast.
    ///
    /// `dy/dx = p xᵖ⁻¹` and `dy/dp = y ln x`, which is 0 where x = 0 and p ≥ 0.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "power")]
    pow: Pow { x, exponent => x.zip(exponent, #[inline(always)] |x, p| x.powf(p)); InputsAndOutput: |saved, gy| {
        let ([x, p], y) = (saved.inputs(), saved.output());
        let mask = |f: fn(T, T) -> bool| x.value().zip(p.value(), |x, p| if f(x, p) { T::ONE } else { T::ZERO });
        let gx = || {
            // x⁰ is constant, so its derivative is 0; with the exponent −1 it would be 0 · ∞ at x = 0.
            let constant = mask(|x, p| x == T::ZERO && p == T::ZERO);
            let exponent = (&p - 1.0).expand_to(gy.shape()).masked_fill(&constant, 1.0);
            gy * (&p * x.pow(&exponent))
        };
        let gp = || {
            // 0ᵖ is constant for p ≥ 0, so its derivative is 0, although ln 0 is not finite.
            let constant = mask(|x, p| x == T::ZERO && p >= T::ZERO);
            let log = x.expand_to(gy.shape()).masked_fill(&constant, 1.0).ln();
            gy * (&y * log)
        };
        [saved.needs(0).then(gx), saved.needs(1).then(gp)]
    } }
    /// Hypotenuse √(a² + b²) without overflow; the shapes broadcast. `dy/da = a/y`, NaN where both are 0.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    hypot: Hypot { a, b => a.zip(b, T::hypot); InputsAndOutput: |saved, gy| {
        let ([a, b], y) = (saved.inputs(), saved.output());
        [saved.needs(0).then(|| gy * (&a / &y)), saved.needs(1).then(|| gy * (&b / &y))]
    } }
}

functions! {
    /// Integer power xⁿ, `dy/dx = n xⁿ⁻¹`; 0⁰ = 1.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(2.0);
    /// assert_eq!(x.powi(3).grad(&x).item(), 12.0);
    /// ```
    fn powi(x, n: i32) = Powi { n }.of([x]);
    /// Real power xᵖ with a fixed exponent, `dy/dx = p xᵖ⁻¹`; NaN for negative x unless p is an integer.
    fn powf(x, exponent: f64) = Powf { exponent }.of([x]);
}

impl<T: Float> Var<T> {
    /// A constant of zeros of this shape.
    pub(crate) fn zeros_like(&self) -> Var<T> {
        self.constant(Tensor::filled(self.value().dims(), T::ZERO))
    }
}
