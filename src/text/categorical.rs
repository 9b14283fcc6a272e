//! Categorical distributions.

use crate::panics::{self, check_option};
use crate::tensor::{Float, Indices, Tensor};
use crate::text::ranking::{self, Candidates};
use rand::{Rng, RngExt};
use std::hint::black_box;

/// Categorical distributions over the last axis of logits `[…, K]`: the scores of a language model, or of a policy.
///
/// Temperature and truncation apply in the order of the calls. Ties go to the first category, as in [`Tensor::argmax`]. Probabilities are
/// values without a gradient; [`Var::log_softmax`](crate::Var::log_softmax) has one.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::Categorical;
///
/// let logits = tensor![[0.0, 2.0, 1.0], [5.0, 0.0, 5.0]];
/// let mut rng = wengert::rng(0);
/// let next = Categorical::new(&logits).temperature(0.8).top_k(2).top_p(0.9).sample(&mut rng);
/// assert_eq!(next.shape(), [2]);
/// assert_eq!(Categorical::new(&logits).temperature(0.0).sample(&mut rng), Indices::from([1, 0]));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Categorical<T: Float = f32> {
    /// The logits, 0 for the most probable category of each distribution and −∞ for impossible ones.
    logits: Tensor<T>,
}

impl<T: Float> Categorical<T> {
    /// The distributions with probabilities `softmax(x)`. A logit of −∞ makes a category impossible.
    ///
    /// # Panics
    /// If the logits are a scalar, a logit is NaN or ∞, or no category is possible.
    #[doc(alias = "multinomial")]
    #[track_caller]
    #[inline(never)]
    pub fn new(logits: &Tensor<T>) -> Self {
        let Some(&k) = logits.shape().last() else { panics::no_class_axis("Categorical") };
        if k == 0 {
            panics::nothing_to_choose("Categorical", logits.rank() - 1, logits.shape());
        }
        check_logarithms("Categorical", "logits", logits);
        let mut logits = logits.clone();
        let shape = logits.dims();
        for (row, x) in logits.as_mut_slice().chunks_exact_mut(k).enumerate() {
            let max = x.iter().fold(T::NEG_INFINITY, |max, &x| if x > max { x } else { max });
            if max == T::NEG_INFINITY {
                panics::impossible(row, &shape);
            }
            x.iter_mut().for_each(|x| *x -= max);
        }
        Categorical { logits }
    }

    /// Divides the logits by a temperature: below 1 the distribution is sharper, above 1 flatter. At 0 only the most probable category
    /// is possible.
    ///
    /// # Panics
    /// If the temperature is negative or not finite.
    #[track_caller]
    pub fn temperature(self, temperature: f64) -> Self {
        let temperature = check_option("temperature", temperature, 0.0..);
        match temperature {
            0.0 => self.most_probable(1),
            _ => Categorical { logits: self.logits.map(|x| T::from_f64(x.to_f64() / temperature)) },
        }
    }

    /// Keeps the k most probable categories, or all if there are fewer (Fan et al. 2018).
    ///
    /// # Panics
    /// If k is 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::text::Categorical;
    ///
    /// let distribution = Categorical::new(&tensor![0.0, 0.0, 1.0, -1.0]).top_k(1);
    /// assert_eq!(distribution.probabilities(), tensor![0.0, 0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn top_k(self, k: usize) -> Self {
        check_option("top_k", k as f64, 1.0..);
        self.most_probable(k)
    }

    #[inline(never)]
    fn most_probable(self, k: usize) -> Self {
        self.keep(&|possible| ranking::select(possible, k))
    }

    /// Keeps the most probable categories that together have at least the probability p, and at least one: the nucleus (Holtzman et al.
    /// 2020).
    ///
    /// # Panics
    /// If not 0 ≤ p ≤ 1.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::text::Categorical;
    ///
    /// let logits = tensor![0.5, 0.25, 0.125, 0.125].ln();
    /// let kept = |p: f64| Categorical::new(&logits).top_p(p).probabilities().iter().filter(|&&x| x > 0.0).count();
    /// assert_eq!([kept(0.0), kept(0.4), kept(0.6), kept(0.8), kept(1.0)], [1, 1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn top_p(self, p: f64) -> Self {
        let p = check_option("top_p", p, 0.0..=1.0);
        if p < 1.0 { self.nucleus(p) } else { self }
    }

    #[inline(never)]
    fn nucleus(self, p: f64) -> Self {
        self.keep(&|possible| select_nucleus(possible, p))
    }

    /// Makes the categories of each distribution impossible that `select` removes from a list of those that are possible.
    fn keep(mut self, select: &dyn Fn(&mut Candidates)) -> Self {
        let k = self.categories();
        let mut kept = Vec::with_capacity(k);
        for x in self.logits.as_mut_slice().chunks_exact_mut(k) {
            kept.clear();
            kept.extend(x.iter().map(|x| x.to_f64()).zip(0..).filter(|&(logit, _)| logit > f64::NEG_INFINITY));
            select(&mut kept);
            x.fill(T::NEG_INFINITY);
            kept.iter().for_each(|&(logit, category)| x[category] = T::from_f64(logit));
        }
        self
    }

    /// Draws a category from each distribution: `[…]`.
    ///
    /// It takes one random number for each.
    pub fn sample(&self, rng: &mut impl Rng) -> Indices {
        let count = self.logits.len() / self.categories();
        let quantiles: Vec<f64> = (0..count).map(|_| rng.random()).collect();
        self.at_quantiles(&quantiles)
    }

    /// For each distribution, the first category at which the cumulative probability exceeds a number in `[0, 1)`.
    #[inline(never)]
    fn at_quantiles(&self, quantiles: &[f64]) -> Indices {
        let rows = self.logits.as_slice().chunks_exact(self.categories());
        let category = |(x, quantile): (&[T], &f64)| {
            let mut left = quantile * sum(x);
            let reached = x.iter().position(|&x| {
                left -= weight(x);
                left < 0.0
            });
            // Rounding may leave a rest; it belongs to the last possible category.
            reached.or_else(|| x.iter().rposition(|&x| weight(x) > 0.0)).unwrap_or(0)
        };
        let categories: Vec<usize> = rows.zip(quantiles).map(category).collect();
        Indices::new(categories, self.batch_shape())
    }

    /// The probability of each category: `[…, K]`.
    pub fn probabilities(&self) -> Tensor<T> {
        self.logits.softmax(-1)
    }

    /// The natural logarithm of the probability of one category of each distribution: `[…]`; −∞ if it is impossible.
    ///
    /// # Panics
    /// If the shape of the categories is not that of the distributions, or a category is out of range.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::text::Categorical;
    ///
    /// let distribution = Categorical::new(&tensor![[0.0, 0.0], [0.0, f32::NEG_INFINITY]]);
    /// assert_eq!(distribution.log_prob([1, 0]), tensor![0.5f32.ln(), 0.0]);
    /// ```
    #[track_caller]
    pub fn log_prob(&self, categories: impl Into<Indices>) -> Tensor<T> {
        self.log_prob_of(&categories.into())
    }

    #[track_caller]
    #[inline(never)]
    fn log_prob_of(&self, categories: &Indices) -> Tensor<T> {
        if categories.shape() != self.batch_shape() {
            panics::category_shape(categories.shape(), self.logits.shape());
        }
        if let Some(&category) = categories.as_slice().iter().find(|&&category| category >= self.categories()) {
            panics::selection_out_of_range("log_prob", category as i128, self.logits.rank() - 1, self.logits.shape());
        }
        let column = Indices::new(categories.as_slice(), [self.batch_shape(), &[1]].concat());
        self.logits.log_softmax(-1).gather(-1, column).reshape(self.batch_shape())
    }

    /// The entropy of each distribution in nats, `−Σ p ln p`: `[…]`.
    #[inline(never)]
    pub fn entropy(&self) -> Tensor<T> {
        let term = |x: T| if x > T::NEG_INFINITY { -x.exp() * x } else { T::ZERO };
        self.logits.log_softmax(-1).map(term).sum_over(-1)
    }

    /// The number of categories.
    fn categories(&self) -> usize {
        self.logits.shape()[self.logits.rank() - 1]
    }

    /// The shape without the axis of the categories.
    fn batch_shape(&self) -> &[usize] {
        &self.logits.shape()[..self.logits.rank() - 1]
    }
}

/// Panics if a value is not finite and not −∞.
#[track_caller]
pub(super) fn check_logarithms<T: Float>(op: &str, what: &str, x: &Tensor<T>) {
    if let Some(at) = x.iter().position(|&x| x.is_nan() || x == T::INFINITY) {
        panics::not_a_logarithm(op, what, &x.as_slice()[at], at, x.shape());
    }
}

/// Keeps the fewest categories, the most probable first, whose probabilities add up to at least `p`.
fn select_nucleus(possible: &mut Candidates, p: f64) {
    let mut left = p * possible.iter().map(|&(logit, _)| weight(logit)).sum::<f64>();
    ranking::sort(possible);
    let mut needed = 0;
    for &(logit, _) in possible.iter() {
        needed += 1;
        left -= weight(logit);
        if left <= 0.0 {
            break;
        }
    }
    possible.truncate(needed);
}

/// A probability that is not normalized.
fn weight<T: Float>(logit: T) -> f64 {
    logit.to_f64().exp()
}

fn sum<T: Float>(logits: &[T]) -> f64 {
    logits.iter().map(|&x| weight(x)).sum()
}

/// Instantiates the methods for an element type.
pub(super) fn instantiate<T: Float>() {
    let x = Categorical::<T>::new(&Tensor::zeros([2]));
    _ = black_box((x.clone().temperature(1.0).top_k(1).top_p(0.5), x.at_quantiles(&[0.5])));
    _ = black_box((x.probabilities(), x.log_prob(0), x.entropy()));
}
