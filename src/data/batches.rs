//! Data sets and iteration over their batches.

use crate::data::subset::{self, Folds, Portion, Subset};
use crate::panics;
use crate::tensor::Labels;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;

/// A collection of samples that can be gathered into batches.
///
/// ```
/// use wengert::prelude::*;
///
/// /// Points of a parabola.
/// struct Parabola;
///
/// impl Dataset for Parabola {
///     type Batch = (Tensor, Tensor);
///
///     fn len(&self) -> usize { 100 }
///     fn batch(&self, indices: &[usize]) -> (Tensor, Tensor) {
///         let x = Tensor::from_vec(indices.iter().map(|&k| k as f32 / 100.0).collect(), [indices.len(), 1]);
///         (x.clone(), &x * &x)
///     }
/// }
///
/// for (x, y) in Parabola.batches(32).shuffled(&mut wengert::rng(0)) {
///     assert_eq!(x.shape(), y.shape());
/// }
/// ```
pub trait Dataset {
    /// The samples of one training step.
    type Batch;

    /// The number of samples.
    fn len(&self) -> usize;

    /// The samples at the given positions, in their order.
    ///
    /// # Panics
    /// If a position is not less than [`len`](Dataset::len).
    fn batch(&self, indices: &[usize]) -> Self::Batch;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples as one batch.
    fn all(&self) -> Self::Batch {
        self.batch(&Vec::from_iter(0..self.len()))
    }

    /// Iterates over all samples in order, `size` at a time; the last batch may be smaller.
    ///
    /// # Panics
    /// If `size` is 0.
    #[doc(alias = "DataLoader")]
    #[track_caller]
    fn batches(&self, size: usize) -> Batches<'_, Self>
    where
        Self: Sized,
    {
        if size == 0 {
            panics::batch_size();
        }
        Batches { dataset: self, order: Vec::from_iter(0..self.len()), position: 0, size, drop_last: false }
    }

    /// A data set of the samples at the given positions, in their order; it borrows this one.
    ///
    /// # Panics
    /// If a position is not less than [`len`](Dataset::len).
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let series = Samples::new(Tensor::<f32>::arange(0.0, 10.0, 1.0), vec![0; 10]);
    /// let (past, future) = (series.subset(0..8), series.subset(8..10)); // in order, unlike the parts of split
    /// assert_eq!(future.all().inputs, tensor![8.0, 9.0]);
    /// # assert_eq!(past.len(), 8);
    /// ```
    #[track_caller]
    fn subset(&self, indices: impl IntoIterator<Item = usize>) -> Subset<'_, Self>
    where
        Self: Sized,
    {
        Subset::checked(self, Vec::from_iter(indices))
    }

    /// Splits the samples at random, such as into a training and a validation set. The first part gets a fraction
    /// (`0.8`) or a number (`50_000`) of the samples, the second part the rest; both are in random order.
    ///
    /// # Panics
    /// If the fraction is not between 0 and 1, or the number exceeds [`len`](Dataset::len).
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let samples = Samples::new(Tensor::<f32>::ones([10, 3]), vec![0; 10]);
    /// let (train, validation) = samples.split(0.8, &mut wengert::rng(0));
    /// assert_eq!((train.len(), validation.len()), (8, 2));
    /// ```
    #[doc(alias("random_split", "train_test_split"))]
    #[track_caller]
    fn split(&self, first: impl Portion, rng: &mut impl Rng) -> (Subset<'_, Self>, Subset<'_, Self>)
    where
        Self: Sized,
    {
        subset::split(self, first, rng)
    }

    /// [`split`](Dataset::split) with about the same fractions of each class in both parts. Without it, a rare class may be missing in
    /// the validation set.
    ///
    /// The first part has the size that `split` gives it. Each class contributes its fraction, rounded up or down; those that are
    /// cut the most are rounded up.
    ///
    /// # Panics
    /// If there is not one label for each sample, or as for `split`.
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let labels = vec![0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    /// let samples = Samples::new(Tensor::<f32>::ones([10, 3]), labels.clone());
    /// let (train, validation) = samples.split_stratified(0.5, &labels, &mut wengert::rng(0));
    /// let rare = |part: Vec<usize>| part.into_iter().filter(|&label| label == 1).count();
    /// assert_eq!((rare(train.all().targets), rare(validation.all().targets)), (1, 1));
    /// ```
    #[doc(alias("stratify", "StratifiedShuffleSplit"))]
    #[track_caller]
    fn split_stratified(
        &self,
        first: impl Portion,
        labels: &(impl Labels + ?Sized),
        rng: &mut impl Rng,
    ) -> (Subset<'_, Self>, Subset<'_, Self>)
    where
        Self: Sized,
    {
        subset::split_stratified(self, first, &labels.labels(), rng)
    }

    /// Iterates over the k training and validation sets of a cross-validation. Each sample is in one validation set;
    /// the folds are random, and their sizes differ by at most one.
    ///
    /// # Panics
    /// If k is less than 2, or more than [`len`](Dataset::len).
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let samples = Samples::new(Tensor::<f32>::ones([10, 3]), vec![0; 10]);
    /// for (train, validation) in samples.k_fold(5, &mut wengert::rng(0)) {
    ///     assert_eq!((train.len(), validation.len()), (8, 2));
    /// }
    /// ```
    #[doc(alias("KFold", "cross_validation"))]
    #[track_caller]
    fn k_fold(&self, k: usize, rng: &mut impl Rng) -> Folds<'_, Self>
    where
        Self: Sized,
    {
        Folds::new(self, k, rng)
    }
}

/// An iterator over the batches of a data set, made by [`Dataset::batches`].
///
/// ```
/// use wengert::data::Images;
/// use wengert::prelude::*;
///
/// let images = Images::new(vec![0; 10 * 4], vec![1; 10], [2, 2]);
/// let sizes: Vec<usize> = images.batches(4).map(|batch| batch.labels.len()).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// assert_eq!(images.batches(4).drop_last().len(), 2);
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct Batches<'a, D> {
    dataset: &'a D,
    /// The order of the samples; those before `position` have been visited.
    order: Vec<usize>,
    position: usize,
    size: usize,
    drop_last: bool,
}

impl<D: Dataset> Batches<'_, D> {
    /// Visits the samples in a random order (Fisher–Yates), which depends only on the state of the generator.
    #[doc(alias("shuffle", "RandomSampler"))]
    pub fn shuffled(mut self, rng: &mut impl Rng) -> Self {
        self.order[self.position..].shuffle(rng);
        self
    }

    /// Draws as many samples as the data set has, with replacement, each with a probability proportional to its weight: some samples occur
    /// several times, others not at all. [`balanced_weights`] makes classes equally frequent.
    ///
    /// # Panics
    /// If there is not one weight for each sample, or a weight is negative or not finite, or all are 0.
    ///
    /// ```
    /// use wengert::data::{Samples, balanced_weights};
    /// use wengert::prelude::*;
    ///
    /// let labels: Vec<usize> = (0..1000).map(|k| usize::from(k % 50 == 0)).collect(); // one in fifty
    /// let samples = Samples::new(Tensor::<f32>::ones([1000, 1]), labels);
    /// let weights = balanced_weights(samples.targets());
    /// let drawn = samples.batches(100).weighted(&weights, &mut wengert::rng(0));
    /// let rare: usize = drawn.flat_map(|batch| batch.targets).sum();
    /// assert!((450..550).contains(&rare));
    /// ```
    #[doc(alias = "WeightedRandomSampler")]
    #[track_caller]
    pub fn weighted(mut self, weights: &[f64], rng: &mut impl Rng) -> Self {
        let count = self.dataset.len();
        if weights.len() != count {
            panics::sample_weights(weights.len(), count);
        }
        let mut total = 0.0;
        let mut sums = Vec::with_capacity(count);
        for &weight in weights {
            panics::check_option("weight", weight, 0.0..);
            total += weight;
            sums.push(total);
        }
        if count > 0 {
            panics::check_option("sum of the weights", total, (Bound::Excluded(0.0), Bound::Unbounded));
        }
        // The first sample whose sum exceeds a uniform number: one without weight never is.
        let last = sums.partition_point(|&sum| sum < total);
        let draw = |_| {
            let at = rng.random::<f64>() * total;
            sums.partition_point(|&sum| sum <= at).min(last)
        };
        self.order = (0..count).map(draw).collect();
        self
    }

    /// Skips the last batch if it is smaller than the others.
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// The positions of the samples of each batch, for programs that gather them later or elsewhere: for example, a part on each of several
    /// [machines](crate::distributed).
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let samples = Samples::new(Tensor::<f32>::arange(0.0, 5.0, 1.0), vec![0; 5]);
    /// assert_eq!(samples.batches(3).indices().collect::<Vec<_>>(), [vec![0, 1, 2], vec![3, 4]]);
    /// ```
    #[doc(alias = "BatchSampler")]
    pub fn indices(mut self) -> impl ExactSizeIterator<Item = Vec<usize>> {
        (0..self.len()).map(move |_| self.advance().expect("as many as counted").to_vec())
    }

    /// The positions of the samples of the next batch.
    fn advance(&mut self) -> Option<&[usize]> {
        let remaining = &self.order[self.position..];
        let indices = &remaining[..self.size.min(remaining.len())];
        if indices.is_empty() || (self.drop_last && indices.len() < self.size) {
            return None;
        }
        self.position += indices.len();
        Some(indices)
    }

    /// Gathers the batches on a background thread, up to `count` of them ahead, and passes `work` an iterator over
    /// them.
    ///
    /// It pays if gathering a batch takes about as long as a training step, for example when images are read from disk
    /// or augmented; samples in memory are gathered faster than they can be sent to another thread. The batches and
    /// their order do not change.
    ///
    /// # Panics
    /// If `work` or the gathering of a batch panics.
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::prelude::*;
    ///
    /// let samples = Samples::new(Tensor::<f32>::arange(0.0, 10.0, 1.0), vec![0; 10]);
    /// let sizes: Vec<usize> = samples.batches(4).prefetch(2, |batches| {
    ///     batches.map(|batch| batch.targets.len()).collect()
    /// });
    /// assert_eq!(sizes, [4, 4, 2]);
    /// ```
    #[doc(alias = "num_workers")]
    pub fn prefetch<R>(self, count: usize, work: impl FnOnce(mpsc::IntoIter<D::Batch>) -> R) -> R
    where
        D: Sync,
        D::Batch: Send,
    {
        thread::scope(|scope| {
            // The blocked sender holds one more batch.
            let (sender, receiver) = mpsc::sync_channel(count.saturating_sub(1));
            let loader = scope.spawn(move || {
                for batch in self {
                    // The receiver is gone: `work` returned early.
                    if sender.send(batch).is_err() {
                        break;
                    }
                }
            });
            let result = work(receiver.into_iter());
            loader.join().unwrap_or_else(|panic| resume_unwind(panic));
            result
        })
    }
}

/// Weights for [`Batches::weighted`] with which all classes are equally frequent: 1 / (number of samples of the class).
#[doc(alias("class_weight", "compute_sample_weight"))]
pub fn balanced_weights(labels: &(impl Labels + ?Sized)) -> Vec<f64> {
    let labels = labels.labels();
    let mut counts = BTreeMap::new();
    labels.iter().for_each(|label| *counts.entry(label).or_insert(0.0) += 1.0);
    labels.iter().map(|label| 1.0 / counts[label]).collect()
}

impl<D: Dataset> Iterator for Batches<'_, D> {
    type Item = D::Batch;

    fn next(&mut self) -> Option<D::Batch> {
        let dataset = self.dataset;
        self.advance().map(|indices| dataset.batch(indices))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = self.order.len() - self.position;
        let count = if self.drop_last { remaining / self.size } else { remaining.div_ceil(self.size) };
        (count, Some(count))
    }
}

impl<D: Dataset> ExactSizeIterator for Batches<'_, D> {}
