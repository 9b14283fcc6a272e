//! Subsets of a data set: train/validation splits and cross-validation.

use crate::data::Dataset;
use crate::panics;
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A data set that borrows some of the samples of another one, made by [`Dataset::subset`], [`Dataset::split`] and
/// [`Dataset::k_fold`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Subset<'a, D> {
    dataset: &'a D,
    indices: Vec<usize>,
}

impl<'a, D: Dataset> Subset<'a, D> {
    /// The samples at positions that are in range.
    fn new(dataset: &'a D, indices: &[usize]) -> Self {
        Subset { dataset, indices: indices.into() }
    }

    /// The samples at any positions; panics if one is out of range.
    #[track_caller]
    pub(super) fn checked(dataset: &'a D, indices: Vec<usize>) -> Self {
        if let Some(&row) = indices.iter().find(|&&row| row >= dataset.len()) {
            panics::row_out_of_range(row, &[dataset.len()]);
        }
        Subset { dataset, indices }
    }

    /// The positions of the samples in the original data set, in order.
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

/// The size of the first part of a split: a fraction (`0.8`), rounded to a number of samples, or that number
/// (`50_000`).
pub trait Portion: Debug {
    /// The number of samples out of `count`; `None` if it is out of range.
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

/// A random permutation of `0..count`.
fn permutation(count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order = Vec::from_iter(0..count);
    order.shuffle(rng);
    order
}

/// Splits a data set in two at random.
#[track_caller]
pub(super) fn split<'a, D: Dataset>(
    dataset: &'a D,
    first: impl Portion,
    rng: &mut impl Rng,
) -> (Subset<'a, D>, Subset<'a, D>) {
    let Some(count) = first.of(dataset.len()) else { panics::portion(&first, dataset.len()) };
    let order = permutation(dataset.len(), rng);
    let (first, second) = order.split_at(count);
    (Subset::new(dataset, first), Subset::new(dataset, second))
}

/// Splits a data set in two at random, each class in the same proportion.
#[track_caller]
pub(super) fn split_stratified<'a, D: Dataset>(
    dataset: &'a D,
    first: impl Portion,
    labels: &[i64],
    rng: &mut impl Rng,
) -> (Subset<'a, D>, Subset<'a, D>) {
    let count = dataset.len();
    if labels.len() != count {
        panics::sample_count(count, labels.len());
    }
    let Some(wanted) = first.of(count) else { panics::portion(&first, count) };
    let mut classes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for row in permutation(count, rng) {
        classes.entry(labels[row]).or_default().push(row);
    }
    // The shares in units of 1 / count, so that they are exact; the largest remainders are rounded up.
    let share = |rows: &Vec<usize>| rows.len() as u128 * wanted as u128;
    let whole = |rows: &Vec<usize>| (share(rows) / count.max(1) as u128) as usize;
    let missing = wanted - classes.values().map(whole).sum::<usize>();
    let mut by_remainder: Vec<i64> = classes.keys().copied().collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(share(&classes[class]) % count.max(1) as u128));
    let rounded_up = &by_remainder[..missing];
    let (mut parts, mut rest) = (Vec::with_capacity(wanted), Vec::with_capacity(count - wanted));
    for (class, rows) in &classes {
        let (one, other) = rows.split_at(whole(rows) + usize::from(rounded_up.contains(class)));
        parts.extend_from_slice(one);
        rest.extend_from_slice(other);
    }
    parts.shuffle(rng);
    rest.shuffle(rng);
    (Subset { dataset, indices: parts }, Subset { dataset, indices: rest })
}

/// An iterator over the training and validation sets of a cross-validation, made by [`Dataset::k_fold`].
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
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
        Folds { dataset, order: permutation(dataset.len(), rng), count, position: 0 }
    }

    /// The start of a fold. The first folds take one more sample each if the division leaves a remainder.
    fn start(&self, fold: usize) -> usize {
        let (size, remainder) = (self.order.len() / self.count, self.order.len() % self.count);
        fold * size + fold.min(remainder)
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
