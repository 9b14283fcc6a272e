//! Activation functions.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{AxisIndex, Dims, Float, Tensor, resolve_axis};

elementwise! {
    /// Logistic sigmoid σ(x) = 1/(1 + e⁻ˣ), `dy/dx = σ(x) σ(−x)`.
    #[doc(alias = "logistic")]
    #[doc(alias = "expit")]
    sigmoid: Sigmoid { x => x.sigmoid(); input: |gy, x| gy.sigmoid_gradient(x) }
    /// Rectified linear unit max(x, 0), `dy/dx = 1` for x > 0 and 0 elsewhere, including at 0. NaN stays NaN.
    relu: Relu { x => if x <= T::ZERO { T::ZERO } else { x }; output: |gy, y| gy.leaky_relu_gradient(y, 0.0) }
    /// Log-sigmoid ln σ(x) = −ln(1 + e⁻ˣ) without overflow, `dy/dx = σ(−x)`.
    #[doc(alias = "logsigmoid")]
    log_sigmoid: LogSigmoid {
        x => x.minimum(T::ZERO) - x.exp_neg_abs().ln_1p();
        input: |gy, x| gy.log_sigmoid_gradient(x)
    }
    /// Softsign x/(1 + |x|), `dy/dx = 1/(1 + |x|)²`.
    softsign: Softsign {
        x => {
            // The value is ±1 beyond, also for infinities.
            let bound = T::from_f64(1e30);
            let x = x.maximum(-bound).minimum(bound);
            x / (T::ONE + x.abs())
        };
        input: |gy, x| gy.softsign_gradient(x)
    }
    /// Piecewise quadratic [`silu`](Var::silu), x clamp(x + 3, 0, 6)/6; the derivative is 0 at −3 and 1 at 3. Howard et al. 2019.
    hardswish: HardSwish {
        x => {
            let [three, six] = [3.0, 6.0].map(T::from_f64);
            let gate = (x + three).maximum(T::ZERO).minimum(six) / six;
            // The lower bound of x avoids ∞ · 0.
            x.maximum(-three) * gate
        };
        input: |gy, x| gy.hardswish_gradient(x)
    }
}

gradients! {
    /// gy σ(x) σ(−x), that is gy q/(1 + q)² with q = exp(−|x|): no cancellation in the tails.
    sigmoid_gradient: SigmoidGradient {
        x => {
            let q = x.exp_neg_abs();
            let sum = T::ONE + q;
            q / (sum * sum)
        };
        |gy, x| -(gy.sigmoid_gradient(x) * (x * 0.5).tanh())
    }
    /// gy σ(−x).
    log_sigmoid_gradient: LogSigmoidGradient { x => (-x).sigmoid(); |gy, x| -gy.sigmoid_gradient(x) }
    /// gy/(1 + |x|)².
    softsign_gradient: SoftsignGradient {
        x => {
            let r = T::ONE / (T::ONE + x.abs());
            r * r
        };
        |gy, x| gy.softsign_gradient(x) * (x.value().map(T::sign) * -2.0) / (x.abs() + 1.0)
    }
    /// gy (2x + 3)/6 between −3 and 3, 0 below and gy above.
    hardswish_gradient: HardSwishGradient {
        x => {
            let [two, three, six] = [2.0, 3.0, 6.0].map(T::from_f64);
            let inner = (two * x + three) / six;
            if x <= -three { T::ZERO } else if x >= three { T::ONE } else { inner }
        };
        |gy, x| gy.where_between(x, -3.0, 3.0) / 3.0
    }
}

/// The gradient through a (leaky) relu: `g` where x > 0 or x is NaN, `slope g` elsewhere. For relu, x may also be its output.
pub(crate) struct LeakyReluGradient {
    slope: f64,
}

impl<T: Float> Op<T, 2> for LeakyReluGradient {
    const NAME: &'static str = "leaky_relu_gradient";
    const SAVE: Save = Save::Input(1);

    fn describe(&self, description: &mut Description) {
        description.number("slope", self.slope);
    }

    fn forward(&mut self, [g, x]: [&Tensor<T>; 2]) -> Tensor<T> {
        let slope = T::from_f64(self.slope);
        if self.slope == 0.0 {
            return g.zip_equal(x, |g, x| if x <= T::ZERO { T::ZERO } else { g });
        }
        g.zip_equal(x, move |g, x| if x > T::ZERO { g } else { slope * g })
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        [saved.needs(0).then(|| gy.leaky_relu_gradient(&saved.input(1), self.slope)), None]
    }
}

/// `y = x` for x > 0, `slope x` elsewhere.
pub(crate) struct LeakyRelu {
    slope: f64,
}

impl<T: Float> Op<T, 1> for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("slope", self.slope);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let slope = T::from_f64(self.slope);
        x.map(move |x| if x <= T::ZERO { slope * x } else { x })
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.leaky_relu_gradient(&saved.input(0), self.slope))]
    }
}

/// `y = clamp(x/6 + 1/2, 0, 1)`, `dy/dx = 1/6` between the bounds.
pub(crate) struct HardSigmoid;

impl<T: Float> Op<T, 1> for HardSigmoid {
    const NAME: &'static str = "hardsigmoid";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let [three, six] = [3.0, 6.0].map(T::from_f64);
        x.map(|x| (x + three).maximum(T::ZERO).minimum(six) / six)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.where_between(&saved.input(0), -3.0, 3.0) * f64::from(1f32 / 6.0))]
    }
}

/// ELU, SELU and CELU: `y = scale x` for x > 0, `scale α (e^(x/width) − 1)` elsewhere.
pub(crate) struct ExponentialLinear {
    scale: f64,
    alpha: f64,
    width: f64,
}

impl<T: Float> Op<T, 1> for ExponentialLinear {
    const NAME: &'static str = "elu";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("scale", self.scale).number("alpha", self.alpha).number("width", self.width);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let [scale, factor, rate] = [self.scale, self.scale * self.alpha, 1.0 / self.width].map(T::from_f64);
        x.map(
            #[inline(always)]
            move |x| if x <= T::ZERO { factor * (x * rate).exp_m1() } else { scale * x },
        )
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (positive, factor) = (self.scale, self.scale * self.alpha / self.width);
        [Some(ExponentialLinearGradient { positive, factor, width: self.width }.of([gy, &saved.input(0)]))]
    }
}

/// `gx = positive gy` for x > 0, `factor e^(x/width) gy` elsewhere.
pub(crate) struct ExponentialLinearGradient {
    positive: f64,
    factor: f64,
    width: f64,
}

impl<T: Float> Op<T, 2> for ExponentialLinearGradient {
    const NAME: &'static str = "elu_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("positive", self.positive).number("factor", self.factor).number("width", self.width);
    }

    fn forward(&mut self, [gy, x]: [&Tensor<T>; 2]) -> Tensor<T> {
        let [positive, factor, rate] = [self.positive, self.factor, 1.0 / self.width].map(T::from_f64);
        gy.zip_equal(
            x,
            #[inline(always)]
            move |gy, x| gy * if x > T::ZERO { positive } else { factor * (x * rate).exp_neg_abs() },
        )
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let ([gy, x], &Self { positive, factor, width }) = (saved.inputs(), self);
        let curvature = ExponentialLinearGradient { positive: 0.0, factor: factor / width, width };
        [
            saved.needs(0).then(|| ExponentialLinearGradient { positive, factor, width }.of([u, &x])),
            saved.needs(1).then(|| curvature.of([&(u * gy), &x])),
        ]
    }
}

/// `y = ln(1 + e^(βx))/β`, or x where βx > threshold; `dy/dx = σ(βx)`.
pub(crate) struct Softplus {
    beta: f64,
    threshold: f64,
}

impl<T: Float> Op<T, 1> for Softplus {
    const NAME: &'static str = "softplus";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("beta", self.beta);
        if self.threshold.is_finite() {
            description.number("threshold", self.threshold);
        }
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let [beta, threshold] = [self.beta, self.threshold].map(T::from_f64);
        x.map(
            #[inline(always)]
            move |x| {
                let scaled = x * beta;
                let linear = if scaled > T::ZERO { x } else { T::ZERO };
                let rest = scaled.exp_neg_abs().ln_1p() / beta;
                if scaled > threshold { x } else { linear + rest }
            },
        )
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let Self { beta, threshold } = *self;
        [Some(SoftplusGradient { beta, threshold }.of([gy, &saved.input(0)]))]
    }
}

/// `gx = gy σ(βx)`, or gy where βx > threshold.
pub(crate) struct SoftplusGradient {
    beta: f64,
    threshold: f64,
}

impl<T: Float> Op<T, 2> for SoftplusGradient {
    const NAME: &'static str = "softplus_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("beta", self.beta);
    }

    fn forward(&mut self, [gy, x]: [&Tensor<T>; 2]) -> Tensor<T> {
        let [beta, threshold] = [self.beta, self.threshold].map(T::from_f64);
        gy.zip_equal(
            x,
            #[inline(always)]
            move |gy, x| gy * if x * beta > threshold { T::ONE } else { (x * beta).sigmoid() },
        )
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let ([gy, x], &Self { beta, threshold }) = (saved.inputs(), self);
        let gx = || {
            let slope = (u * gy).sigmoid_gradient(&(&x * beta)) * beta;
            slope.masked_fill(&x.value().mask(|x| x * T::from_f64(beta) > T::from_f64(threshold)), 0.0)
        };
        [saved.needs(0).then(|| SoftplusGradient { beta, threshold }.of([u, &x])), saved.needs(1).then(gx)]
    }
}

/// The halves of an axis of even size.
macro_rules! halves {
    ($x:ident, $op:literal, $axis:ident) => {{
        let (shape, axis) = ($x.shape(), resolve_axis($op, $axis.index(), $x.shape()));
        if shape[axis] % 2 == 1 {
            panics::odd_axis($op, axis, shape);
        }
        let half = (shape[axis] / 2) as isize;
        [$x.slice(axis, ..half), $x.slice(axis, half..)]
    }};
}

functions! {
    /// Leaky ReLU: x for x > 0, `slope` x elsewhere. The derivative at 0 is the slope; PyTorch's default slope is 0.01.
    fn leaky_relu(x, slope: f64) = LeakyRelu { slope }.of([x]);
    /// Exponential linear unit: x for x > 0, α (eˣ − 1) elsewhere. The derivative at 0 is α. Clevert et al. 2015.
    fn elu(x, alpha: f64) = ExponentialLinear { scale: 1.0, alpha, width: 1.0 }.of([x]);
    /// Self-normalizing [`elu`](Var::elu): 1.0507 x for x > 0, 1.0507 · 1.6733 (eˣ − 1) elsewhere. Klambauer et al. 2017.
    fn selu(x) = {
        let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
        ExponentialLinear { scale, alpha, width: 1.0 }.of([x])
    };
    /// Continuously differentiable [`elu`](Var::elu): x for x > 0, α (e^(x/α) − 1) elsewhere. Barron 2017.
    ///
    /// # Panics
    /// If α is 0 or not finite.
    fn celu(x, alpha: f64) = {
        if alpha == 0.0 || !alpha.is_finite() {
            panics::option("celu", alpha, "a finite alpha other than 0");
        }
        ExponentialLinear { scale: 1.0, alpha, width: alpha }.of([x])
    };
    /// Softplus ln(1 + eˣ), a smooth [`relu`](Var::relu); `dy/dx = σ(x)`. Neither overflows, so there is no threshold as in PyTorch.
    fn softplus(x) = x.softplus_with(1.0, f64::INFINITY);
    /// [`softplus`](Var::softplus) with its parameters: ln(1 + e^(βx))/β, or x where βx > threshold; `dy/dx = σ(βx)`.
    ///
    /// # Panics
    /// If β is 0 or not finite.
    fn softplus_with(x, beta: f64, threshold: f64) = {
        if beta == 0.0 || !beta.is_finite() {
            panics::option("softplus_with", beta, "a finite beta other than 0");
        }
        Softplus { beta, threshold }.of([x])
    };
    /// ReLU capped at 6, min(max(x, 0), 6); the derivative is 0 at 0 and at 6.
    fn relu6(x) = x.clamp(0.0, 6.0);
    /// Piecewise linear [`sigmoid`](Var::sigmoid), clamp(x/6 + 1/2, 0, 1); the derivative is 0 at ±3.
    ///
    /// The derivative between the bounds is 1/6 rounded to single precision even for `f64`, as in PyTorch.
    fn hardsigmoid(x) = HardSigmoid.of([x]);
    /// Gated linear unit: the first half of an axis times the [`sigmoid`](Var::sigmoid) of the second half. Dauphin et al. 2016.
    ///
    /// # Panics
    /// If the axis is out of range or its size is odd.
    fn glu(x, axis: impl AxisIndex) = {
        let [a, b] = halves!(x, "glu", axis);
        a * b.sigmoid()
    };
    /// SwiGLU: the [`silu`](Var::silu) of the first half of an axis times the second half. Shazeer 2020.
    ///
    /// # Panics
    /// If the axis is out of range or its size is odd.
    fn swiglu(x, axis: impl AxisIndex) = {
        let [a, b] = halves!(x, "swiglu", axis);
        a.silu() * b
    };
    /// GEGLU: the [`gelu`](Var::gelu) of the first half of an axis times the second half. Shazeer 2020.
    ///
    /// # Panics
    /// If the axis is out of range or its size is odd.
    fn geglu(x, axis: impl AxisIndex) = {
        let [a, b] = halves!(x, "geglu", axis);
        a.gelu() * b
    };
}

impl<T: Float> Var<T> {
    /// The gradient of a leaky relu with the upstream gradient `self`, given its input (or, for relu, its output) `x`.
    #[track_caller]
    fn leaky_relu_gradient(&self, x: &Var<T>, slope: f64) -> Var<T> {
        LeakyReluGradient { slope }.of([self, x])
    }

    /// Parametric ReLU: x for x > 0, `weight` x elsewhere, with a learned weight `[1]` or `[C]` (channels are axis 1). He et al. 2015.
    ///
    /// # Panics
    /// If the weight has another shape.
    #[track_caller]
    pub fn prelu(&self, weight: impl Operand<T>) -> Var<T> {
        let weight = self.resolve_operand(&weight);
        let (shape, channels) = (self.shape(), weight.value().len());
        let weight = match shape.len() {
            _ if channels == 1 => weight.with_shape(Dims::new()),
            2.. if weight.shape() == [shape[1]] => {
                weight.with_shape(std::iter::once(channels).chain(shape[2..].iter().map(|_| 1)).collect())
            }
            _ => panics::prelu_weight(weight.shape(), shape),
        };
        let positive = self.value().mask(|x| x > T::ZERO);
        // The side that is not chosen is 0, because an infinity there would make the gradient of the weight NaN.
        self.where_(&positive, self.masked_fill(&positive, 0.0) * weight)
    }
}
