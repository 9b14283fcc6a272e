//! Losses on class labels.

use crate::autograd::{Description, Op, Operand, Save, Saved, Setting, Var};
use crate::kernel::softmax::cross_entropy::{self, Distribution};
use crate::ops::loss::Reduction;
use crate::ops::registry::Registered;
use crate::panics::{self, check_option};
use crate::tensor::{Dims, Float, Labels, Positions, Tensor, class_axis, classes_of, keepdim};
use std::rc::Rc;
use std::sync::Arc;

/// Softmax cross-entropy with options: label smoothing, class weights, an ignored label and the reduction.
///
/// Scores are `[N, C]` or `[N, C, …]` with `N` or `N · …` labels, or `[C]` with one label.
/// [`Var::softmax_cross_entropy`] is the short form without options.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let scores = tape.var([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]]);
/// let loss = CrossEntropy::new().label_smoothing(0.1).reduction(Reduction::Sum).loss(&scores, &[0, 1]);
/// assert!((loss.item() - 0.8025f32).abs() < 1e-4);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CrossEntropy {
    reduction: Reduction,
    label_smoothing: f64,
    class_weights: Option<Vec<f64>>,
    ignored: Option<i64>,
}

impl CrossEntropy {
    /// The mean over the samples, without label smoothing or class weights.
    #[doc(alias = "CrossEntropyLoss")]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reduction over the samples. With class weights the mean is weighted; if all weights are 0, it is NaN with gradient 0.
    pub fn reduction(self, reduction: Reduction) -> Self {
        CrossEntropy { reduction, ..self }
    }

    /// Moves the fraction ε of the target from the label to a uniform distribution over all classes. Szegedy et al. 2016.
    ///
    /// # Panics
    /// If not 0 ≤ ε ≤ 1.
    #[track_caller]
    pub fn label_smoothing(self, label_smoothing: f64) -> Self {
        if !(0.0..=1.0).contains(&label_smoothing) {
            panics::option("label_smoothing", label_smoothing, "between 0 and 1");
        }
        CrossEntropy { label_smoothing, ..self }
    }

    /// Sets a weight for each class.
    ///
    /// # Panics
    /// If a weight is negative or not finite.
    #[track_caller]
    pub fn class_weights(self, weights: &[f64]) -> Self {
        for &weight in weights {
            check_option("class weight", weight, 0.0..);
        }
        CrossEntropy { class_weights: Some(weights.to_vec()), ..self }
    }

    /// Excludes the samples with this label, which may be negative, also from the mean. By default every label must be a class.
    ///
    /// PyTorch ignores −100 by default; the equivalent is `ignore_index(-100)`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let scores = Tape::new().var([[2.0, 1.0], [0.0, 3.0], [5.0, 0.0]]);
    /// let loss = CrossEntropy::new().ignore_index(-100).loss(&scores, &[0, 1, -100]);
    /// assert_eq!(loss.item(), scores.slice(0, ..2).softmax_cross_entropy(&[0, 1]).item());
    /// ```
    pub fn ignore_index(self, label: i64) -> Self {
        CrossEntropy { ignored: Some(label), ..self }
    }

    /// The loss of scores before the softmax.
    ///
    /// # Panics
    /// If the number of labels or class weights does not match the scores, or a label is out of range.
    #[track_caller]
    pub fn loss<T: Float>(&self, scores: &Var<T>, labels: &(impl Labels + ?Sized)) -> Var<T> {
        self.loss_of_labels(scores, &labels.labels())
    }

    #[track_caller]
    #[inline(never)]
    fn loss_of_labels<T: Float>(&self, scores: &Var<T>, labels: &[i64]) -> Var<T> {
        let targets = self.targets("softmax_cross_entropy", scores.shape(), labels);
        let total = targets.total;
        let losses = SoftmaxCrossEntropy { targets: Rc::new(targets.distribution(self)) }.of([scores]);
        self.reduce_with(losses, total)
    }

    /// The loss of log-probabilities, such as the output of [`Var::log_softmax`]; label smoothing does not apply.
    ///
    /// # Panics
    /// If the number of labels or class weights does not match, or a label is out of range.
    #[track_caller]
    pub fn nll_loss<T: Float>(&self, log_probabilities: &Var<T>, labels: &(impl Labels + ?Sized)) -> Var<T> {
        self.nll_loss_of_labels(log_probabilities, &labels.labels())
    }

    #[track_caller]
    #[inline(never)]
    fn nll_loss_of_labels<T: Float>(&self, log_probabilities: &Var<T>, labels: &[i64]) -> Var<T> {
        let targets = self.targets("nll_loss", log_probabilities.shape(), labels);
        let total = targets.total;
        let weights: Tensor<T> = targets.weights();
        let label = |label: &Option<usize>| label.unwrap_or(0);
        let positions = Positions {
            indices: Arc::new(targets.labels.iter().map(label).collect()),
            n: targets.classes,
            inner: targets.inner,
            out_shape: targets.shape.clone(),
            in_shape: log_probabilities.value().dims(),
        };
        let ignored = weights.mask(|weight| weight == T::ZERO);
        self.reduce_with(log_probabilities.take(positions).masked_fill(&ignored, 0.0) * -weights, total)
    }

    /// The loss of scores before the softmax against target probabilities of the same shape, `−Σ w t ln softmax(x)` with class
    /// weights w; the mean is over the samples, not weighted. Terms with w t = 0 are 0, also where the score is −∞.
    ///
    /// # Panics
    /// If the shapes differ, the number of class weights does not match, or the scores are a scalar.
    #[doc(alias = "categorical_crossentropy")]
    #[track_caller]
    pub fn soft_target_loss<T: Float>(&self, scores: &Var<T>, target: impl Operand<T>) -> Var<T> {
        let axis = class_axis("softmax_cross_entropy", scores.shape());
        let target = scores.resolve_operand(&target);
        if target.shape() != scores.shape() {
            let reason = panics::probability_shape(scores.shape(), target.shape());
            scores.shape_error("softmax_cross_entropy", &target, &reason);
        }
        let smoothing = self.label_smoothing;
        let uniform = smoothing / scores.shape()[axis] as f64;
        let target = if smoothing > 0.0 { &*target * (1.0 - smoothing) + uniform } else { target.into_owned() };
        let classes = scores.shape()[axis];
        let target = match self.weights_of("softmax_cross_entropy", classes) {
            Some(weights) => {
                let weights = weights.iter().map(|&weight| T::from_f64(weight)).collect();
                let along: Dims = (axis..scores.shape().len()).map(|k| if k == axis { classes } else { 1 }).collect();
                target * Tensor::from_vec(weights, along.as_slice())
            }
            None => target,
        };
        let losses = -scores.log_softmax(axis).weighted(&target).sum_over(axis);
        let count = losses.value().len() as f64;
        self.reduce_with(losses, count)
    }

    #[track_caller]
    fn reduce_with<T: Float>(&self, losses: Var<T>, total: f64) -> Var<T> {
        match self.reduction {
            // The mean of no weight is NaN but its gradient is 0; dividing by 0 would make the gradient NaN too.
            Reduction::Mean if total == 0.0 => losses.sum() * 0.0 + f64::NAN,
            Reduction::Mean => losses.sum() / total,
            other => losses.reduce(other),
        }
    }

    /// The class weights, one for each class.
    #[track_caller]
    fn weights_of(&self, op: &str, classes: usize) -> Option<&[f64]> {
        let weights = self.class_weights.as_deref()?;
        if weights.len() != classes {
            panics::class_weights(op, weights.len(), classes);
        }
        Some(weights)
    }

    #[track_caller]
    fn targets(&self, op: &str, shape: &[usize], labels: &[i64]) -> Targets {
        let axis = class_axis(op, shape);
        let (classes, inner) = (shape[axis], shape[axis + 1..].iter().product());
        let mut label_shape = Dims::from_slice(shape);
        label_shape.remove(axis);
        let expected: usize = label_shape.iter().product();
        if labels.len() != expected {
            panics::label_count(op, shape, labels.len(), expected);
        }
        let weights = self.weights_of(op, classes);
        let labels = classes_of(op, labels, classes, self.ignored);
        let class_weight = |class: usize| weights.map_or(1.0, |weights| weights[class]);
        let weight: Vec<f64> = labels.iter().map(|label| label.map_or(0.0, class_weight)).collect();
        Targets { classes, inner, shape: label_shape, total: weight.iter().sum(), labels, weight }
    }
}

/// Labels and weights arranged to match the scores.
struct Targets {
    classes: usize,
    inner: usize,
    /// The shape of the labels: the shape of the scores without the class axis.
    shape: Dims,
    /// The class of each sample, or `None` if it is ignored.
    labels: Vec<Option<usize>>,
    /// The weight of each label; 0 if it is ignored.
    weight: Vec<f64>,
    total: f64,
}

impl Targets {
    fn weights<T: Float>(&self) -> Tensor<T> {
        Tensor::from_vec(self.weight.iter().map(|&w| T::from_f64(w)).collect(), self.shape.as_slice())
    }

    /// The weight of each log-probability in the loss.
    fn distribution<T: Float>(&self, options: &CrossEntropy) -> Distribution<T> {
        let smoothing = options.label_smoothing;
        let label = |(&label, &weight): (&Option<usize>, &f64)| (label, T::from_f64((1.0 - smoothing) * weight));
        let class_weight = |class: usize| options.class_weights.as_ref().map_or(1.0, |weights| weights[class]);
        let smoothed = if smoothing > 0.0 { self.classes } else { 0 };
        Distribution {
            classes: self.classes,
            inner: self.inner,
            labels: self.labels.iter().zip(&self.weight).map(label).collect(),
            spread: (0..smoothed)
                .map(|class| T::from_f64(smoothing / self.classes as f64 * class_weight(class)))
                .collect(),
        }
    }
}

/// `y = −Σ q ln softmax(x)` over the classes, for the constant q given by the labels.
pub(crate) struct SoftmaxCrossEntropy<T: Float> {
    targets: Rc<Distribution<T>>,
}

impl<T: Float> Op<T, 1> for SoftmaxCrossEntropy<T> {
    const NAME: &'static str = "softmax_cross_entropy";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.field("targets", &self.targets.shape());
        if let Some(labels) = self.targets.only_labels() {
            description.data("labels", Setting::Indices(labels.into()));
        }
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let mut samples = x.dims();
        samples.remove(class_axis("softmax_cross_entropy", x.shape()));
        Tensor::build(samples, |y| cross_entropy::cross_entropy(&self.targets, x.as_slice(), y))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let gradient = SoftmaxCrossEntropyGradient { targets: self.targets.clone() };
        [Some(gradient.of([&saved.input(0), gy]))]
    }
}

/// The gradient of the loss, `gx = gy (Σq · softmax(x) − q)`.
///
/// With p = softmax(x), the gradient of ⟨u, gx⟩ with respect to x is `gy Σq · p (u − Σ u p)`.
pub(crate) struct SoftmaxCrossEntropyGradient<T: Float> {
    targets: Rc<Distribution<T>>,
}

impl<T: Float> Op<T, 2> for SoftmaxCrossEntropyGradient<T> {
    const NAME: &'static str = "softmax_cross_entropy_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.field("targets", &self.targets.shape());
    }

    fn forward(&mut self, [x, gy]: [&Tensor<T>; 2]) -> Tensor<T> {
        Tensor::build(x.dims(), |gx| cross_entropy::gradient(&self.targets, x.as_slice(), gy.as_slice(), gx))
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let [x, gy] = saved.inputs();
        let axis = class_axis("softmax_cross_entropy_gradient", x.shape());
        let gx = || {
            let totals = Tensor::from_vec(self.targets.totals(), gy.shape());
            let p = x.softmax(axis);
            let along = (u * &p).sum_over(keepdim(axis as isize));
            p * (u - along) * (&gy * totals).unsqueeze(axis)
        };
        let ggy = || {
            let gradient = SoftmaxCrossEntropyGradient { targets: self.targets.clone() };
            (u * gradient.of([&x, &saved.constant(Tensor::ones(gy.shape()))])).sum_over(axis)
        };
        [saved.needs(0).then(gx), saved.needs(1).then(ggy)]
    }
}

impl<T: Float> Var<T> {
    /// The mean cross-entropy `−ln softmax(x)[label]` of scores before the softmax, in nats.
    ///
    /// Scores are `[N, C]` with one label per row, `[C]` with one label, or `[N, C, …]` with one label per position.
    /// See [`CrossEntropy`] for options.
    ///
    /// # Panics
    /// If the number of labels does not match the scores, or a label is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let scores = tape.var(Tensor::zeros([4, 10]));
    /// let loss = scores.softmax_cross_entropy(&[3, 1, 4, 1]);
    /// assert!((loss.item() - 10f32.ln()).abs() < 1e-6);
    /// ```
    #[doc(alias("cross_entropy", "SoftmaxWithLoss", "cross_entropy_error"))]
    #[track_caller]
    pub fn softmax_cross_entropy(&self, labels: &(impl Labels + ?Sized)) -> Var<T> {
        CrossEntropy::new().loss(self, labels)
    }

    /// The mean negative log-likelihood `−x[label]` of log-probabilities. See [`CrossEntropy::nll_loss`] for options.
    ///
    /// # Panics
    /// If the number of labels does not match, or a label is out of range.
    #[track_caller]
    pub fn nll_loss(&self, labels: &(impl Labels + ?Sized)) -> Var<T> {
        CrossEntropy::new().nll_loss(self, labels)
    }
}
