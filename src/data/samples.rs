//! Samples in memory, as rows of inputs and targets.

use crate::data::Dataset;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// Inputs and targets: tensors `[n, …]`, class labels, or other collections with one [row](SampleRows) per sample.
///
/// Use it for classification (the targets are a `Vec<usize>` of labels), regression (the targets are a [`Tensor`]) and
/// models with several inputs (the inputs are a pair). Train on single samples with `batches(1)`, on mini-batches with
/// `batches(32)`, or on the full batch with [`all`](Dataset::all), which does not copy tensors.
///
/// ```
/// use wengert::data::Samples;
/// use wengert::prelude::*;
///
/// let points = tensor![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 2.0]];
/// let samples = Samples::new(points, vec![0, 1, 1, 0, 0]);
/// let batches: Vec<_> = samples.batches(2).collect();
/// assert_eq!(batches[1].inputs, tensor![[1.0, 0.0], [1.0, 1.0]]);
/// assert_eq!(batches[1].targets, [1, 0]);
/// assert_eq!(batches[2].targets, [0]); // the last batch is smaller; drop_last() skips it
///
/// // Ratings of films by users: a pair of indices as input, a number as target.
/// let ratings = Samples::new((vec![0, 0, 1], vec![7, 8, 7]), tensor![4.0, 2.5, 5.0]);
/// let batch = ratings.batch(&[2, 0]);
/// assert_eq!(batch.inputs, (vec![1, 0], vec![7, 7]));
/// assert_eq!(batch.targets, tensor![5.0, 4.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Samples<X = Tensor, Y = Vec<usize>> {
    inputs: X,
    targets: Y,
    count: usize,
}

/// A batch of [`Samples`].
#[derive(Clone, Debug)]
pub struct SampleBatch<X = Tensor, Y = Vec<usize>> {
    /// The inputs, one per row: `[n, …]` for a tensor.
    pub inputs: X,
    /// The target of each input.
    pub targets: Y,
}

impl<X: SampleRows, Y: SampleRows> Samples<X, Y> {
    /// Inputs, and the target of each.
    ///
    /// # Panics
    /// If the numbers of inputs and targets differ, or either is a scalar tensor.
    #[doc(alias = "TensorDataset")]
    #[track_caller]
    pub fn new(inputs: X, targets: Y) -> Self {
        let (count, other) = (inputs.row_count(), targets.row_count());
        if count != other {
            panics::sample_count(count, other);
        }
        Samples { inputs, targets, count }
    }

    /// All inputs.
    pub fn inputs(&self) -> &X {
        &self.inputs
    }

    /// All targets.
    pub fn targets(&self) -> &Y {
        &self.targets
    }
}

impl<X: SampleRows, Y: SampleRows> Dataset for Samples<X, Y> {
    type Batch = SampleBatch<X, Y>;

    fn len(&self) -> usize {
        self.count
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> Self::Batch {
        SampleBatch { inputs: self.inputs.rows(indices), targets: self.targets.rows(indices) }
    }

    fn all(&self) -> Self::Batch {
        SampleBatch { inputs: self.inputs.clone(), targets: self.targets.clone() }
    }
}

/// A collection with one row per sample: a tensor (rows along the first axis), a vector, or a pair of these.
pub trait SampleRows: Clone {
    /// The number of rows.
    ///
    /// # Panics
    /// If it has no rows, like a scalar tensor, or its parts differ in their number of rows.
    fn row_count(&self) -> usize;

    /// The rows at the given positions, in their order.
    ///
    /// # Panics
    /// If a position is not less than the number of rows.
    fn rows(&self, indices: &[usize]) -> Self;
}

impl<T: Float> SampleRows for Tensor<T> {
    #[track_caller]
    fn row_count(&self) -> usize {
        match self.shape() {
            [count, ..] => *count,
            [] => panics::axis_out_of_range("Samples", 0, self.shape()),
        }
    }

    #[track_caller]
    fn rows(&self, indices: &[usize]) -> Self {
        Tensor::rows(self, indices)
    }
}

impl<V: Clone> SampleRows for Vec<V> {
    fn row_count(&self) -> usize {
        self.len()
    }

    #[track_caller]
    fn rows(&self, indices: &[usize]) -> Self {
        if let Some(&row) = indices.iter().find(|&&row| row >= self.len()) {
            panics::row_out_of_range(row, &[self.len()]);
        }
        indices.iter().map(|&row| self[row].clone()).collect()
    }
}

impl<A: SampleRows, B: SampleRows> SampleRows for (A, B) {
    #[track_caller]
    fn row_count(&self) -> usize {
        let (count, other) = (self.0.row_count(), self.1.row_count());
        if count != other {
            panics::sample_count(count, other);
        }
        count
    }

    #[track_caller]
    fn rows(&self, indices: &[usize]) -> Self {
        (self.0.rows(indices), self.1.rows(indices))
    }
}
