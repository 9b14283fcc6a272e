//! Losses between probabilities.

use crate::autograd::{Op, Operand, Save, Saved, Var};
use crate::ops::loss::Reduction;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// Lower bound of the logarithms in [`BinaryCrossEntropy`], as in PyTorch.
const LOWEST_LOG: f64 = -100.0;
/// Lower bound of the denominator in its backward rule: PyTorch's constant, an `f32` in both precisions.
const LOWEST_VARIANCE: f64 = 1e-12f32 as f64;

broadcasting_op! {
    /// `−t ln p − (1 − t) ln(1 − p)`: `d/dp = (p − t)/(p (1 − p))`, `d/dt = ln(1 − p) − ln p`.
    ///
    /// The logarithms are clamped in the value only; the backward rule is that of the unclamped function, as in PyTorch.
    bce_loss: BinaryCrossEntropy { p, t => {
        let lowest = T::from_f64(LOWEST_LOG);
        p.zip(
            t,
            #[inline(always)]
            move |p, t| -t * p.ln().maximum(lowest) - (T::ONE - t) * (-p).ln_1p().maximum(lowest),
        )
    }; Inputs: |saved, gy| {
        let [p, t] = saved.inputs();
        let gp = || gy * ((&p - &t) / (&p * (1.0 - &p)).clamp(LOWEST_VARIANCE, f64::INFINITY));
        let gt = || gy * ((-&p).log1p() - p.ln());
        [saved.needs(0).then(gp), saved.needs(1).then(gt)]
    } }
    /// `−t ln σ(x) − (1 − t) ln σ(−x)`, where a term of probability 0 is 0 even for infinite x: `d/dx = (1 − t) σ(x) − t σ(−x)`,
    /// `d/dt = −x`.
    bce_with_logits_loss: BinaryCrossEntropyWithLogits { x, t => {
        let term = |p: T, x: T| if p == T::ZERO && !x.is_nan() { T::ZERO } else { p * x };
        x.zip_equal(
            t,
            #[inline(always)]
            move |x, t| {
                let rest = x.exp_neg_abs().ln_1p();
                term(t, (-x).maximum(T::ZERO) + rest) + term(T::ONE - t, x.maximum(T::ZERO) + rest)
            },
        )
    }; Inputs: |saved, gy| {
        let [x, t] = saved.inputs();
        [saved.needs(0).then(|| gy * LogitSlope.of([&x, &t])), saved.needs(1).then(|| -(gy * &x))]
    } }
    /// `(1 − t) σ(x) − t σ(−x)`: `d/dx = σ(x) σ(−x)`, `d/dt = −1`.
    logit_slope: LogitSlope { x, t => {
        x.zip_equal(
            t,
            #[inline(always)]
            |x, t| {
                let q = x.exp_neg_abs();
                let large = T::ONE / (T::ONE + q);
                let small = q * large;
                if x < T::ZERO { (T::ONE - t) * small - t * large } else { (T::ONE - t) * large - t * small }
            },
        )
    }; Inputs: |saved, u| [saved.needs(0).then(|| u.sigmoid_gradient(&saved.input(0))), saved.needs(1).then(|| -u)] }
    /// `t (ln t − x)`, 0 where t = 0 even for x = −∞: `d/dx = −t`, `d/dt = ln t + 1 − x`.
    kl_div_loss: KlDivergence { x, t => {
        x.zip(
            t,
            #[inline(always)]
            |x, t| if t == T::ZERO && !x.is_nan() { T::ZERO } else { t * (t.ln() - x) },
        )
    }; Inputs: |saved, gy| {
        let [x, t] = saved.inputs();
        [saved.needs(0).then(|| -(gy * &t)), saved.needs(1).then(|| gy * ((t.ln() + 1.0) - &x))]
    } }
    /// `y = eᵗ (t − x)`, 0 where eᵗ = 0 even for infinite t or x: `d/dx = −eᵗ`, `d/dt = y + eᵗ`.
    kl_div_log_loss: KlDivergenceOfLogarithms { x, t => {
        x.zip(
            t,
            #[inline(always)]
            |x, t| {
                let p = t.exp();
                if p == T::ZERO && !x.is_nan() { T::ZERO } else { p * (t - x) }
            },
        )
    }; InputsAndOutput: |saved, gy| {
        let p = saved.input(1).exp();
        [saved.needs(0).then(|| -(gy * &p)), saved.needs(1).then(|| gy * (saved.output() + &p))]
    } }
}

impl<T: Float> Var<T> {
    /// The binary cross-entropy `−t ln p − (1 − t) ln(1 − p)` of probabilities `p` (`self`) and targets `t`.
    ///
    /// Logarithms are clamped at −100. For scores before a sigmoid use
    /// [`bce_with_logits_loss`](Var::bce_with_logits_loss), which is exact. To weight the elements, reduce with
    /// [`Reduction::None`] and multiply.
    ///
    /// # Panics
    /// If the shapes differ, or a probability or target is not between 0 and 1, such as NaN.
    #[doc(alias = "binary_cross_entropy")]
    #[track_caller]
    pub fn bce_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        let target = self.target("bce_loss", &target);
        for (what, values) in [("input", self.value()), ("target", target.value())] {
            if let Some(k) = values.as_slice().iter().position(|x| !(T::ZERO..=T::ONE).contains(x)) {
                panics::not_a_probability("bce_loss", what, &values.as_slice()[k], k, values.shape());
            }
        }
        BinaryCrossEntropy.of([self, &*target]).reduce(reduction)
    }

    /// The binary cross-entropy `−t ln σ(x) − (1 − t) ln σ(−x)` of scores x (`self`) before a sigmoid, with 0 · ∞ = 0.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let scores = tape.var([1e4, -1e4]);
    /// assert_eq!(scores.bce_with_logits_loss(&tensor![1.0, 1.0], Reduction::Sum).item(), 1e4);
    /// ```
    #[doc(alias("binary_cross_entropy_with_logits", "SigmoidWithLoss"))]
    #[track_caller]
    pub fn bce_with_logits_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        BinaryCrossEntropyWithLogits.of([self, &*self.target("bce_with_logits_loss", &target)]).reduce(reduction)
    }

    /// [`bce_with_logits_loss`](Var::bce_with_logits_loss) with a weight on the positive term: a number, or one for each class.
    ///
    /// # Panics
    /// If the shapes of the scores and the target differ, or the weight does not broadcast to them.
    #[doc(alias = "pos_weight")]
    #[track_caller]
    pub fn bce_with_logits_pos_weight(
        &self,
        target: impl Operand<T>,
        positive_weight: impl Operand<T>,
        reduction: Reduction,
    ) -> Var<T> {
        let target = self.target("bce_with_logits_loss", &target);
        let positive = self.log_sigmoid().weighted(&(&*target * positive_weight));
        let negative = (-self).log_sigmoid().weighted(&(1.0 - &*target));
        (-(positive + negative)).reduce(reduction)
    }

    /// The Kullback–Leibler divergence `t (ln t − x)` of log-probabilities x (`self`) from probabilities t, with 0 ln 0 = 0.
    ///
    /// The term is 0 for t = 0 also where x = −∞; the derivative with respect to t is −∞ there. It is NaN for negative t.
    /// [`Reduction::BatchMean`] gives the mean divergence over the batch.
    ///
    /// # Panics
    /// If the shapes differ.
    #[doc(alias("kl_divergence", "KLDivLoss"))]
    #[track_caller]
    pub fn kl_div_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        KlDivergence.of([self, &*self.target("kl_div_loss", &target)]).reduce(reduction)
    }

    /// [`kl_div_loss`](Var::kl_div_loss) with a target of log-probabilities: `eᵗ (t − x)`, which is 0 for t = −∞.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn kl_div_log_loss(&self, log_target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        KlDivergenceOfLogarithms.of([self, &*self.target("kl_div_log_loss", &log_target)]).reduce(reduction)
    }
}
