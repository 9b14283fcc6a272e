//! Softmax cross-entropy of class labels along the middle axis of `[outer, classes, inner]`, in one pass over the scores.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::softmax::exponentials::{
    self, Bundle, COLUMN_VALUES, Columns, LANES, MAX_TRANSPOSED, bundle_size, transpose_in, transpose_out,
};

/// The target distribution q of each sample: `q = weight [class = label] + spread[class]`, or all zeros without a label.
pub(crate) struct Distribution<T> {
    pub(crate) classes: usize,
    pub(crate) inner: usize,
    /// The label of each sample and its weight; `None` if the sample is ignored.
    pub(crate) labels: Vec<(Option<usize>, T)>,
    /// The share of each class by label smoothing; empty without smoothing.
    pub(crate) spread: Vec<T>,
}

impl<T: Float> Distribution<T> {
    /// `[samples, classes]`.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.labels.len(), self.classes]
    }

    /// The labels of rows of scores, if q is 1 at each label.
    pub(crate) fn only_labels(&self) -> Option<Vec<usize>> {
        let label = |&(label, weight): &(Option<usize>, T)| label.filter(|_| weight == T::ONE);
        if self.spread.is_empty() { self.labels.iter().map(label).collect() } else { None }
    }

    /// Σ q over the classes of each sample.
    pub(crate) fn totals(&self) -> Vec<T> {
        let spread = self.spread();
        self.labels.iter().map(|&(label, weight)| label.map_or(T::ZERO, |_| weight + spread)).collect()
    }

    fn spread(&self) -> T {
        self.spread.iter().fold(T::ZERO, |sum, &spread| sum + spread)
    }

    /// Scores per index of the outer axis.
    fn block(&self) -> usize {
        self.classes * self.inner
    }
}

/// `−q ln p`, or 0 for q = 0 even if p = 0.
#[inline(always)]
fn term<T: Float>(q: T, log: T) -> T {
    if q == T::ZERO { T::ZERO } else { -q * log }
}

simd! {
    /// The losses of samples whose scores are rows; `exponentials`, of the length of a bundle, is overwritten.
    pub(crate) fn row_losses[T: Float](
        targets: &Distribution<T>,
        x: &[T],
        labels: &[(Option<usize>, T)],
        exponentials: &mut [T],
        y: &mut [T],
    ) {
        let (n, size) = (targets.classes, exponentials.len());
        for ((y, x), labels) in y.chunks_mut(size / n).zip(x.chunks(size)).zip(labels.chunks(size / n)) {
            let bundle = Bundle::exp(x, n, exponentials);
            let logs = bundle.logs();
            let rows = x.chunks_exact(n).zip(bundle.shifts.iter().zip(&logs));
            for ((y, &(label, weight)), (x, (&shift, &log))) in y.iter_mut().zip(labels).zip(rows) {
                *y = label.map_or(T::ZERO, |label| term(weight, (x[label] - shift) - log));
                if label.is_some() {
                    for (&x, &spread) in x.iter().zip(&targets.spread) {
                        *y += term(spread, (x - shift) - log);
                    }
                }
            }
        }
    }
}

simd! {
    /// The losses of samples whose scores are the columns of `[classes, inner]`; `exponentials`, of as many elements, is overwritten.
    pub(crate) fn column_losses[T: Float](
        targets: &Distribution<T>,
        x: &[T],
        labels: &[(Option<usize>, T)],
        columns: &mut [T],
        exponentials: &mut [T],
        y: &mut [T],
    ) {
        let mut columns = Columns::new(columns);
        let inner = columns.shifts.len();
        columns.exp(x, exponentials);
        columns.sums.iter_mut().for_each(|sum| *sum = sum.ln());
        let log = |class: usize, i: usize| (x[class * inner + i] - columns.shifts[i]) - columns.sums[i];
        for (i, (y, &(label, weight))) in y.iter_mut().zip(labels).enumerate() {
            *y = label.map_or(T::ZERO, |label| term(weight, log(label, i)));
        }
        for (class, &spread) in targets.spread.iter().enumerate() {
            for (i, (y, (label, _))) in y.iter_mut().zip(labels).enumerate() {
                *y += label.map_or(T::ZERO, |_| term(spread, log(class, i)));
            }
        }
    }
}

simd! {
    /// The gradients of samples whose scores are rows.
    pub(crate) fn row_gradients[T: Float](
        targets: &Distribution<T>,
        x: &[T],
        labels: &[(Option<usize>, T)],
        gy: &[T],
        gx: &mut [T],
    ) {
        let (n, whole) = (targets.classes, targets.spread());
        let size = bundle_size(n);
        let samples = labels.chunks(size / n).zip(gy.chunks(size / n));
        for ((gx, x), (labels, gy)) in gx.chunks_mut(size).zip(x.chunks(size)).zip(samples) {
            let bundle = Bundle::exp(x, n, gx);
            let samples = labels.iter().zip(gy).zip(&bundle.sums);
            for (gx, ((&(label, weight), &gy), &sum)) in gx.chunks_exact_mut(n).zip(samples) {
                let Some(label) = label else {
                    gx.fill(T::ZERO);
                    continue;
                };
                let factor = gy * (weight + whole) / sum;
                gx.iter_mut().for_each(|gx| *gx *= factor);
                gx.iter_mut().zip(&targets.spread).for_each(|(gx, &spread)| *gx -= gy * spread);
                gx[label] -= gy * weight;
            }
        }
    }
}

simd! {
    /// The gradients of samples whose scores are the columns of `[classes, inner]`, in the same layout.
    pub(crate) fn column_gradients[T: Float](
        targets: &Distribution<T>,
        x: &[T],
        labels: &[(Option<usize>, T)],
        gy: &[T],
        columns: &mut [T],
        gx: &mut [T],
    ) {
        let mut columns = Columns::new(columns);
        let (inner, whole) = (columns.shifts.len(), targets.spread());
        columns.exp(x, gx);
        for ((sum, &(_, weight)), &gy) in columns.sums.iter_mut().zip(labels).zip(gy) {
            *sum = gy * (weight + whole) / *sum;
        }
        columns.scale(gx);
        for (gx, &spread) in gx.chunks_exact_mut(inner).zip(&targets.spread) {
            gx.iter_mut().zip(gy).for_each(|(gx, &gy)| *gx -= gy * spread);
        }
        for (i, (&(label, weight), &gy)) in labels.iter().zip(gy).enumerate() {
            match label {
                Some(label) => gx[label * inner + i] -= gy * weight,
                None => gx.iter_mut().skip(i).step_by(inner).for_each(|gx| *gx = T::ZERO),
            }
        }
    }
}

impl<T: Float> Distribution<T> {
    /// Whether samples are processed [`LANES`] at a time, transposed.
    fn is_transposed(&self) -> bool {
        self.inner == 1 && exponentials::is_transposed(self.labels.len(), self.classes)
    }
}

/// The losses `−Σ q ln softmax(x)` of all samples, in parallel.
#[inline(never)]
pub(crate) fn cross_entropy<T: Float>(targets: &Distribution<T>, x: &[T], y: &mut [T]) {
    if x.is_empty() {
        return y.fill(T::ZERO);
    }
    let (inner, block) = (targets.inner, targets.block());
    let size = chunk_size(x.len(), block) / targets.classes;
    for_each_chunk(y, size, |index, y| {
        let first = index * size;
        let (x, labels) = (&x[first * targets.classes..][..y.len() * targets.classes], &targets.labels[first..]);
        if targets.is_transposed() {
            let mut transposed = [[T::ZERO; MAX_TRANSPOSED]; 2];
            let [scores, exponentials] = transposed.each_mut().map(|block_of| &mut block_of[..block * LANES]);
            for ((y, x), labels) in y.chunks_mut(LANES).zip(x.chunks(block * LANES)).zip(labels.chunks(LANES)) {
                transpose_in(x, block, scores);
                column_losses(targets, scores, labels, &mut [T::ZERO; COLUMN_VALUES * LANES], exponentials, y);
            }
            return;
        }
        if inner == 1 {
            return with_scratch(bundle_size(block), |exponentials: &mut [T]| {
                row_losses(targets, x, labels, exponentials, y)
            });
        }
        with_scratch(COLUMN_VALUES * inner + block, |scratch: &mut [T]| {
            let (exponentials, columns) = scratch.split_at_mut(block);
            let blocks = y.chunks_exact_mut(inner).zip(x.chunks_exact(block));
            for ((y, x), labels) in blocks.zip(labels.chunks_exact(inner)) {
                column_losses(targets, x, labels, columns, exponentials, y);
            }
        });
    });
}

/// The gradients `gy (Σq · softmax(x) − q)` of all samples, in parallel.
#[inline(never)]
pub(crate) fn gradient<T: Float>(targets: &Distribution<T>, x: &[T], gy: &[T], gx: &mut [T]) {
    let (inner, block) = (targets.inner, targets.block());
    let size = chunk_size(x.len(), block);
    for_each_chunk(gx, size, |index, gx| {
        let (start, first) = (index * size, index * size / targets.classes);
        let (x, gy) = (&x[start..][..gx.len()], &gy[first..][..gx.len() / targets.classes]);
        let labels = &targets.labels[first..];
        if targets.is_transposed() {
            let mut transposed = [[T::ZERO; MAX_TRANSPOSED]; 2];
            let [scores, gradients] = transposed.each_mut().map(|block_of| &mut block_of[..block * LANES]);
            let bundles = gx.chunks_mut(block * LANES).zip(x.chunks(block * LANES));
            for ((gx, x), (labels, gy)) in bundles.zip(labels.chunks(LANES).zip(gy.chunks(LANES))) {
                transpose_in(x, block, scores);
                column_gradients(targets, scores, labels, gy, &mut [T::ZERO; COLUMN_VALUES * LANES], gradients);
                transpose_out(gradients, block, gx);
            }
            return;
        }
        if inner == 1 {
            return row_gradients(targets, x, labels, gy, gx);
        }
        with_scratch(COLUMN_VALUES * inner, |columns: &mut [T]| {
            let blocks = gx.chunks_exact_mut(block).zip(x.chunks_exact(block));
            for ((gx, x), (labels, gy)) in blocks.zip(labels.chunks_exact(inner).zip(gy.chunks_exact(inner))) {
                column_gradients(targets, x, labels, gy, columns, gx);
            }
        });
    });
}
