//! Losses between probabilities.

use crate::autograd::{Op, Operand, Save, Saved, Var};
use crate::ops::loss::Reduction;
use crate::ops::registry::Registered;
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
}

impl<T: Float> Var<T> {
    /// The binary cross-entropy `−t ln p − (1 − t) ln(1 − p)` of probabilities `p` (`self`) and targets `t`.
    ///
    /// Logarithms are clamped at −100. For scores before a sigmoid use
    /// [`bce_with_logits_loss`](Var::bce_with_logits_loss), which is exact. To weight the elements, reduce with
    /// [`Reduction::None`] and multiply.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn bce_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        BinaryCrossEntropy.of([self, &*self.resolve_operand(&target)]).reduce(reduction)
    }

    /// The binary cross-entropy `−t ln σ(x) − (1 − t) ln σ(−x)` of scores x (`self`) before a sigmoid.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let scores = tape.var([1e4, -1e4]);
    /// assert_eq!(scores.bce_with_logits_loss(&tensor![1.0, 1.0], Reduction::Sum).item(), 1e4);
    /// ```
    #[track_caller]
    pub fn bce_with_logits_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        self.bce_with_logits_pos_weight(target, 1.0, reduction)
    }

    /// [`bce_with_logits_loss`](Var::bce_with_logits_loss) with a weight on the positive term: a number, or one for each class.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn bce_with_logits_pos_weight(
        &self,
        target: impl Operand<T>,
        positive_weight: impl Operand<T>,
        reduction: Reduction,
    ) -> Var<T> {
        let target = self.resolve_operand(&target);
        let positive = (&*target * self.log_sigmoid()) * positive_weight;
        let negative = (1.0 - &*target) * (-self).log_sigmoid();
        (-(positive + negative)).reduce(reduction)
    }

    /// The Kullback–Leibler divergence `t (ln t − x)` of log-probabilities x (`self`) from probabilities t, with 0 ln 0 = 0.
    ///
    /// [`Reduction::BatchMean`] gives the mean divergence over the batch.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn kl_div_loss(&self, target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        let target = self.resolve_operand(&target);
        let zero = target.value().mask(|t| t <= T::ZERO);
        (&*target * (target.masked_fill(&zero, 1.0).ln() - self)).reduce(reduction)
    }

    /// [`kl_div_loss`](Var::kl_div_loss) with a target of log-probabilities: `eᵗ (t − x)`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn kl_div_log_loss(&self, log_target: impl Operand<T>, reduction: Reduction) -> Var<T> {
        let target = self.resolve_operand(&log_target);
        (target.exp() * (&*target - self)).reduce(reduction)
    }
}
