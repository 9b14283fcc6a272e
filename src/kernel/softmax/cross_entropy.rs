//! Softmax cross-entropy of class labels along the middle axis of `[outer, classes, inner]`, in one pass over the scores.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::elementwise::update_chunk;
use crate::kernel::softmax::{
    self, COLUMN_VALUES, Columns, LANES, MAX_TRANSPOSED, exp_columns, exp_row, map_columns, take_logarithms,
    transpose_in, transpose_out,
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

impl<T: Float> Distribution<T> {
    /// Whether samples are processed [`LANES`] at a time, transposed.
    fn is_transposed(&self) -> bool {
        self.inner == 1 && softmax::is_transposed(self.labels.len(), self.classes)
    }

    /// The losses of samples whose scores are the columns of `[classes, inner]`.
    fn column_losses(&self, x: &[T], labels: &[(Option<usize>, T)], columns: &mut [T], y: &mut [T]) {
        let mut columns = Columns::new(columns);
        let inner = columns.shifts.len();
        match inner {
            1 => [columns.shifts[0], columns.sums[0]] = exp_row(x, &mut []),
            _ => exp_columns(x, &mut columns),
        }
        take_logarithms(columns.sums);
        let log = |class: usize, i: usize| (x[class * inner + i] - columns.shifts[i]) - columns.sums[i];
        for (i, (y, &(label, weight))) in y.iter_mut().zip(labels).enumerate() {
            *y = label.map_or(T::ZERO, |label| term(weight, log(label, i)));
        }
        for (class, &spread) in self.spread.iter().enumerate() {
            for (i, (y, (label, _))) in y.iter_mut().zip(labels).enumerate() {
                *y += label.map_or(T::ZERO, |_| term(spread, log(class, i)));
            }
        }
    }

    /// The gradients of samples whose scores are the columns of `[classes, inner]`, in the same layout.
    fn column_gradients(&self, x: &[T], labels: &[(Option<usize>, T)], gy: &[T], columns: &mut [T], gx: &mut [T]) {
        let mut columns = Columns::new(columns);
        let (inner, whole) = (columns.shifts.len(), self.spread());
        let factor = |gy, weight, sum| gy * (weight + whole) / sum;
        if inner == 1 {
            let [_, sum] = exp_row(x, gx);
            let factor = factor(gy[0], labels[0].1, sum);
            update_chunk(gx, x, &|exp, _| exp * factor);
        } else {
            exp_columns(x, &mut columns);
            for ((sum, &(_, weight)), &gy) in columns.sums.iter_mut().zip(labels).zip(gy) {
                *sum = factor(gy, weight, *sum);
            }
            map_columns(
                x,
                columns.shifts,
                columns.sums,
                gx,
                #[inline(always)]
                |x: T, factor| x.exp() * factor,
            );
        }
        for (gx, &spread) in gx.chunks_exact_mut(inner).zip(&self.spread) {
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
            let mut transposed = [T::ZERO; MAX_TRANSPOSED * LANES];
            let transposed = &mut transposed[..block * LANES];
            for ((y, x), labels) in y.chunks_mut(LANES).zip(x.chunks(block * LANES)).zip(labels.chunks(LANES)) {
                transpose_in(x, block, transposed);
                targets.column_losses(transposed, labels, &mut [T::ZERO; COLUMN_VALUES * LANES], y);
            }
            return;
        }
        with_scratch(COLUMN_VALUES * inner, |columns| {
            let blocks = y.chunks_exact_mut(inner).zip(x.chunks_exact(block));
            for ((y, x), labels) in blocks.zip(labels.chunks_exact(inner)) {
                targets.column_losses(x, labels, columns, y);
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
            let mut transposed = [[T::ZERO; MAX_TRANSPOSED * LANES]; 2];
            let [transposed, gradients] = transposed.each_mut().map(|block_of| &mut block_of[..block * LANES]);
            let bundles = gx.chunks_mut(block * LANES).zip(x.chunks(block * LANES));
            for ((gx, x), (labels, gy)) in bundles.zip(labels.chunks(LANES).zip(gy.chunks(LANES))) {
                transpose_in(x, block, transposed);
                targets.column_gradients(transposed, labels, gy, &mut [T::ZERO; COLUMN_VALUES * LANES], gradients);
                transpose_out(gradients, block, gx);
            }
            return;
        }
        with_scratch(COLUMN_VALUES * inner, |columns| {
            let blocks = gx.chunks_exact_mut(block).zip(x.chunks_exact(block));
            for ((gx, x), (labels, gy)) in blocks.zip(labels.chunks_exact(inner).zip(gy.chunks_exact(inner))) {
                targets.column_gradients(x, labels, gy, columns, gx);
            }
        });
    });
}
