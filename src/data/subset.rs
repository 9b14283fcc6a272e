//! Parts of a data set: for training and validation, and for cross-validation.

use super::Dataset;
use crate::panics;
use rand::Rng;
use rand::seq::SliceRandom;
use std::fmt::Debug;

/// Some of the samples of a data set, as a data set of its own. No sample is copied.
///
/// [`Dataset::subset`], [`Dataset::split`] and [`Dataset::k_fold`] make them.
#[derive(Clone, Debug)]
pub struct Subset<'a, D> {
    dataset: &'a D,
    indices: Vec<usize>,
}

impl<'a, D: Dataset> Subset<'a, D> {
    /// The samples at positions that are known to be in the data set.
    fn new(dataset: &'a D, indices: &[usize]) -> Self {
        Subset { dataset, indices: indices.into() }
    }

    #[track_caller]
    pub(super) fn checked(dataset: &'a D, indices: Vec<usize>) -> Self {
        if let Some(&row) = indices.iter().find(|&&row| row >= dataset.len()) {
            panics::row_out_of_range(row, &[dataset.len()]);
        }
        Subset { dataset, indices }
    }

    /// Where its samples are in the whole data set, in order.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Dataset> Dataset for Subset<'_, D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> D::Batch {
        if let Some(&row) = indices.iter().find(|&&row| row >= self.len()) {
            panics::row_out_of_range(row, &[self.len()]);
        }
        self.dataset.batch(&Vec::from_iter(indices.iter().map(|&row| self.indices[row])))
    }

    fn all(&self) -> D::Batch {
        self.dataset.batch(&self.indices)
    }
}

/// How much of a data set: a fraction (`0.8`), which is rounded to whole samples, or a number of samples (`50_000`).
pub trait Portion: Debug {
    /// The number of samples, out of `count`; `None` if there are not that many.
    fn of(&self, count: usize) -> Option<usize>;
}

impl Portion for f64 {
    fn of(&self, count: usize) -> Option<usize> {
        (0.0..=1.0).contains(self).then(|| (self * count as f64).round() as usize)
    }
}

impl Portion for usize {
    fn of(&self, count: usize) -> Option<usize> {
        (*self <= count).then_some(*self)
    }
}

/// The positions of a data set in a random order.
fn shuffled(count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order = Vec::from_iter(0..count);
    order.shuffle(rng);
    order
}

/// Cuts a data set in two at random.
#[track_caller]
pub(super) fn split<'a, D: Dataset>(
    dataset: &'a D,
    first: impl Portion,
    rng: &mut impl Rng,
) -> (Subset<'a, D>, Subset<'a, D>) {
    let Some(count) = first.of(dataset.len()) else { panics::portion(&first, dataset.len()) };
    let order = shuffled(dataset.len(), rng);
    let (first, second) = order.split_at(count);
    (Subset::new(dataset, first), Subset::new(dataset, second))
}

/// The parts for training and validation of a cross-validation: an iterator that [`Dataset::k_fold`] makes.
#[derive(Clone, Debug)]
pub struct Folds<'a, D> {
    dataset: &'a D,
    order: Vec<usize>,
    count: usize,
    position: usize,
}

impl<'a, D: Dataset> Folds<'a, D> {
    #[track_caller]
    pub(super) fn new(dataset: &'a D, count: usize, rng: &mut impl Rng) -> Self {
        if count < 2 || count > dataset.len() {
            panics::folds(count, dataset.len());
        }
        Folds { dataset, order: shuffled(dataset.len(), rng), count, position: 0 }
    }

    /// Where a fold begins. What does not divide evenly goes to the first folds, one sample each.
    fn start(&self, fold: usize) -> usize {
        let (size, more) = (self.order.len() / self.count, self.order.len() % self.count);
        fold * size + fold.min(more)
    }
}

impl<'a, D: Dataset> Iterator for Folds<'a, D> {
    type Item = (Subset<'a, D>, Subset<'a, D>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.position == self.count {
            return None;
        }
        let (before, rest) = self.order.split_at(self.start(self.position));
        let (fold, after) = rest.split_at(self.start(self.position + 1) - before.len());
        self.position += 1;
        Some((Subset::new(self.dataset, &[before, after].concat()), Subset::new(self.dataset, fold)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.position;
        (left, Some(left))
    }
}

impl<D: Dataset> ExactSizeIterator for Folds<'_, D> {}
