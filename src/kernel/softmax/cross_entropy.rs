//! Softmax cross-entropy of class labels along the middle axis of `[outer, classes, inner]`, in one pass over the scores.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::softmax::{LANES, MAX_TRANSPOSED, exp_lanes, shift_and_sum, transpose_in, transpose_out};

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
        self.inner == 1 && self.classes <= MAX_TRANSPOSED
    }

    /// The losses of samples whose scores are the columns of `[classes, inner]`.
    #[inline(always)]
    fn column_losses(&self, x: &[T], labels: &[(Option<usize>, T)], [shifts, logs]: [&mut [T]; 2], y: &mut [T]) {
        let inner = shifts.len();
        shift_and_sum(x, inner, shifts, logs);
        logs.iter_mut().for_each(|sum| *sum = sum.ln());
        let log = |class: usize, i: usize| (x[class * inner + i] - shifts[i]) - logs[i];
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
    #[inline(always)]
    fn column_gradients(
        &self,
        x: &[T],
        labels: &[(Option<usize>, T)],
        gy: &[T],
        [shifts, factors]: [&mut [T]; 2],
        gx: &mut [T],
    ) {
        let (inner, whole) = (shifts.len(), self.spread());
        shift_and_sum(x, inner, shifts, factors);
        for ((factor, (_, weight)), &gy) in factors.iter_mut().zip(labels).zip(gy) {
            *factor = gy * (*weight + whole) / *factor;
        }
        if inner == 1 {
            for (gx, x) in gx.chunks_mut(LANES).zip(x.chunks(LANES)) {
                let exps = exp_lanes(x, shifts[0]);
                gx.iter_mut().zip(&exps).for_each(|(gx, &exp)| *gx = exp * factors[0]);
            }
        } else {
            for (gx, x) in gx.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
                for (((gx, &x), &shift), &factor) in gx.iter_mut().zip(x).zip(&*shifts).zip(&*factors) {
                    *gx = (x - shift).exp() * factor;
                }
            }
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

simd! {
    /// The losses `−Σ q ln softmax(x)` of the samples from `first` on; `scratch` has twice the length of the inner axis.
    pub(crate) fn losses[T: Float](targets: &Distribution<T>, first: usize, x: &[T], scratch: &mut [T], y: &mut [T]) {
        let (block, labels) = (targets.block(), &targets.labels[first..]);
        if targets.is_transposed() {
            let mut transposed = [T::ZERO; MAX_TRANSPOSED * LANES];
            let transposed = &mut transposed[..block * LANES];
            for ((y, x), labels) in y.chunks_mut(LANES).zip(x.chunks(block * LANES)).zip(labels.chunks(LANES)) {
                transpose_in(x, block, transposed);
                let [mut shifts, mut logs] = [[T::ZERO; LANES]; 2];
                targets.column_losses(transposed, labels, [&mut shifts, &mut logs], y);
            }
            return;
        }
        let (shifts, logs) = scratch.split_at_mut(targets.inner);
        let blocks = y.chunks_exact_mut(targets.inner).zip(x.chunks_exact(block));
        for ((y, x), labels) in blocks.zip(labels.chunks_exact(targets.inner)) {
            targets.column_losses(x, labels, [shifts, logs], y);
        }
    }
}

simd! {
    /// The gradients `gy (Σq · softmax(x) − q)` of the samples from `first` on; `scratch` has twice the length of the inner axis.
    pub(crate) fn gradients[T: Float](targets: &Distribution<T>, first: usize, x: &[T], gy: &[T], scratch: &mut [T], gx: &mut [T]) {
        let (block, labels) = (targets.block(), &targets.labels[first..]);
        if targets.is_transposed() {
            let mut transposed = [[T::ZERO; MAX_TRANSPOSED * LANES]; 2];
            let [transposed, gradients] = transposed.each_mut().map(|block_of| &mut block_of[..block * LANES]);
            let bundles = gx.chunks_mut(block * LANES).zip(x.chunks(block * LANES));
            for ((gx, x), (labels, gy)) in bundles.zip(labels.chunks(LANES).zip(gy.chunks(LANES))) {
                transpose_in(x, block, transposed);
                let [mut shifts, mut factors] = [[T::ZERO; LANES]; 2];
                targets.column_gradients(transposed, labels, gy, [&mut shifts, &mut factors], gradients);
                transpose_out(gradients, block, gx);
            }
            return;
        }
        let (shifts, factors) = scratch.split_at_mut(targets.inner);
        let blocks = gx.chunks_exact_mut(block).zip(x.chunks_exact(block));
        let samples = labels.chunks_exact(targets.inner).zip(gy.chunks_exact(targets.inner));
        for ((gx, x), (labels, gy)) in blocks.zip(samples) {
            targets.column_gradients(x, labels, gy, [shifts, factors], gx);
        }
    }
}

/// The [`losses`] of all samples in parallel.
#[inline(never)]
pub(crate) fn cross_entropy<T: Float>(targets: &Distribution<T>, x: &[T], y: &mut [T]) {
    if x.is_empty() {
        return y.fill(T::ZERO);
    }
    let size = chunk_size(x.len(), targets.block()) / targets.classes;
    for_each_chunk(y, size, |index, y| {
        let first = index * size;
        let x = &x[first * targets.classes..][..y.len() * targets.classes];
        with_scratch(2 * targets.inner, |scratch| losses(targets, first, x, scratch, y));
    });
}

/// The [`gradients`] of all samples in parallel.
#[inline(never)]
pub(crate) fn gradient<T: Float>(targets: &Distribution<T>, x: &[T], gy: &[T], gx: &mut [T]) {
    let size = chunk_size(x.len(), targets.block());
    for_each_chunk(gx, size, |index, gx| {
        let (start, first) = (index * size, index * size / targets.classes);
        let (x, gy) = (&x[start..][..gx.len()], &gy[first..][..gx.len() / targets.classes]);
        with_scratch(2 * targets.inner, |scratch| gradients(targets, first, x, gy, scratch, gx));
    });
}
