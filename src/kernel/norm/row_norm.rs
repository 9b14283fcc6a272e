//! Normalization of rows to mean 0 and variance 1, or to mean square 1, with a weight and a bias per channel.
//!
//! Every kernel recomputes the statistics of a row while the row is in the cache, so each is one pass over memory.

use crate::kernel::Float;
use crate::kernel::base::float::power_of_two_below;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_chunk;
use crate::kernel::reduce::sums::sums;

/// Minimum elements per thread: some ten microseconds of work.
const MIN_ELEMENTS_PER_THREAD: usize = 1 << 15;

/// Rows whose weight gradients are summed in the precision of the elements.
const BLOCK: usize = 32;

/// Rows whose statistics are computed together: the steps of one row wait for each other, those of several do not.
const BUNDLE: usize = 16;
/// Elements of a bundle that stay in the first-level cache.
const BUNDLE_ELEMENTS: usize = 2048;
/// The longest rows that are summed side by side.
const SHORT: usize = 128;
/// Elements of short rows that are summed in their own precision.
const COLUMNS: usize = 16;

/// Contiguous rows of equal size, and how they are normalized.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// Elements of a row.
    pub(crate) size: usize,
    /// The number of channels. The elements alternate between them in runs of `run` elements; a row is a whole number of runs.
    pub(crate) channels: usize,
    pub(crate) run: usize,
    /// Whether the mean is subtracted.
    pub(crate) centered: bool,
    /// Added to the variance.
    pub(crate) epsilon: f64,
}

impl Rows {
    /// Elements of a chunk of whole rows that is worth a thread.
    fn chunk_size(&self) -> usize {
        self.size * MIN_ELEMENTS_PER_THREAD.div_ceil(self.size.max(1))
    }

    /// Elements of a bundle.
    fn bundle_size(&self) -> usize {
        self.size * (BUNDLE_ELEMENTS / self.size).clamp(1, BUNDLE)
    }

    /// Elements of a bundle of short rows side by side.
    fn columns_len(&self) -> usize {
        if self.size > SHORT { 0 } else { self.size * BUNDLE }
    }

    /// The channels of the row that begins at element `start`.
    fn channels_at(&self, start: usize) -> std::ops::Range<usize> {
        // Without a division, which takes as long as several elements.
        let first = if self.size == self.channels * self.run { 0 } else { start / self.run % self.channels };
        first..first + if self.run == 1 { self.size } else { self.size / self.run }
    }
}

/// How the elements of a row are normalized: `x̂ = (x − shift) scale − offset`.
///
/// The shift is the mean, rounded to the precision of the elements; the offset corrects the rounding error. So the deviations are
/// exact even if the mean is much larger.
#[derive(Clone, Copy)]
struct Row<T> {
    shift: T,
    scale: T,
    offset: T,
}

impl<T: Float> Row<T> {
    #[inline(always)]
    fn normalize(&self, x: T) -> T {
        (x - self.shift) * self.scale - self.offset
    }
}

/// How the rows of a bundle are normalized.
pub(crate) struct Statistics<T> {
    shifts: [T; BUNDLE],
    scales: [T; BUNDLE],
    offsets: [T; BUNDLE],
}

impl<T: Float> Statistics<T> {
    #[inline(always)]
    fn row(&self, k: usize) -> Row<T> {
        Row { shift: self.shifts[k], scale: self.scales[k], offset: self.offsets[k] }
    }
}

/// The scale of a row with the given variance.
#[inline(always)]
fn scale_of(variance: f64, epsilon: f64) -> f64 {
    // Not `max`, which would drop a NaN.
    1.0 / (if variance < 0.0 { 0.0 } else { variance } + epsilon).sqrt()
}

/// The scale of a row whose squares overflow: divided by a power of two near the largest deviation they do not.
#[cold]
#[inline(never)]
fn scale_of_large<T: Float>(row: &[T], shift: T, rest: f64, epsilon: f64) -> f64 {
    let deviations = row.iter().map(|&x| (x - shift).to_f64());
    let unit = power_of_two_below(deviations.clone().fold(0.0, |largest, deviation| deviation.abs().max(largest)));
    let squares: f64 = deviations.map(|deviation| (deviation / unit).powi(2)).sum();
    scale_of(squares / row.len() as f64 - (rest / unit).powi(2), epsilon / unit / unit) / unit
}

/// An element of each of several rows.
type Column<T> = [T; BUNDLE];

/// The elements of a bundle in the order of [`sums_of_rows`]: column by column if the rows are short, so that a vector holds an element
/// of each. Then `columns` has space for them.
#[inline(always)]
fn arrange<'a, T: Float>(size: usize, x: &'a [T], columns: &'a mut [T]) -> &'a [T] {
    if size > SHORT {
        return x;
    }
    T::transpose(x.len() / size, size, x, size, columns, BUNDLE);
    columns
}

/// Sums K terms over each row of two bundles, given in the order of [`arrange`]. A term is computed from the index of the row and an
/// element of each bundle.
#[inline(always)]
fn sums_of_rows<T: Float, const K: usize>(
    size: usize,
    [x, y]: [&[T]; 2],
    term: impl Fn(usize, T, T) -> [T; K],
) -> [[f64; BUNDLE]; K] {
    let mut totals = [[0.0; BUNDLE]; K];
    if size > SHORT {
        for (row, pair) in x.chunks_exact(size).zip(y.chunks_exact(size)).enumerate().take(BUNDLE) {
            let sums = sums([pair], |x, y| term(row, x, y));
            for k in 0..K {
                totals[k][row] = sums[k];
            }
        }
        return totals;
    }
    let [x, y]: [&[Column<T>]; 2] = [x.as_chunks().0, y.as_chunks().0];
    for (x, y) in x.chunks(COLUMNS).zip(y.chunks(COLUMNS)) {
        let mut sums = [[T::ZERO; BUNDLE]; K];
        for (x, y) in x.iter().zip(y) {
            for row in 0..BUNDLE {
                let terms = term(row, x[row], y[row]);
                for k in 0..K {
                    sums[k][row] += terms[k];
                }
            }
        }
        for k in 0..K {
            for row in 0..BUNDLE {
                totals[k][row] += sums[k][row].to_f64();
            }
        }
    }
    totals
}

simd! {
    /// How the rows of a bundle are normalized; `arranged` are their elements in the order of [`arrange`].
    pub(crate) fn statistics[T: Float](rows: &Rows, x: &[T], arranged: &[T]) -> Statistics<T> {
        let n = rows.size as f64;
        let mut shifts = [T::ZERO; BUNDLE];
        if rows.centered {
            let [sums] = sums_of_rows(rows.size, [arranged; 2], |_, x, _| [x]);
            for k in 0..BUNDLE {
                shifts[k] = T::from_f64(sums[k] / n);
            }
        }
        let [mut rests, squares] = sums_of_rows(rows.size, [arranged; 2], |k, x, _| [x - shifts[k], (x - shifts[k]) * (x - shifts[k])]);
        let (mut scales, share) = ([0.0; BUNDLE], n.recip());
        for k in 0..BUNDLE {
            rests[k] = if rows.centered { rests[k] * share } else { 0.0 };
            scales[k] = scale_of(squares[k] * share - rests[k] * rests[k], rows.epsilon);
        }
        for (k, row) in x.chunks_exact(rows.size).enumerate().take(BUNDLE) {
            if squares[k] < f64::INFINITY {
                continue;
            }
            scales[k] = scale_of_large(row, shifts[k], rests[k], rows.epsilon);
        }
        let mut statistics = Statistics { shifts, scales: [T::ZERO; BUNDLE], offsets: [T::ZERO; BUNDLE] };
        for k in 0..BUNDLE {
            statistics.scales[k] = T::from_f64(scales[k]);
            statistics.offsets[k] = T::from_f64(rests[k] * scales[k]);
        }
        statistics
    }
}

/// `y = x w` with the weight of each channel; the channels alternate in runs.
#[inline(always)]
fn scale<T: Float>(x: &[T], weight: &[T], run: usize, y: &mut [T]) {
    if run == 1 {
        y.iter_mut().zip(x).zip(weight).for_each(|((y, &x), &weight)| *y = x * weight);
        return;
    }
    for ((y, x), &weight) in y.chunks_exact_mut(run).zip(x.chunks_exact(run)).zip(weight) {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * weight);
    }
}

simd! {
    /// `y = x̂ w + b` for a bundle of rows; it begins at element `start` of all.
    pub(crate) fn normalize_bundle[T: Float](
        rows: &Rows,
        start: usize,
        x: &[T],
        weight: &[T],
        bias: &[T],
        columns: &mut [T],
        y: &mut [T],
    ) {
        let statistics = statistics(rows, x, arrange(rows.size, x, columns));
        for (k, (x, y)) in x.chunks_exact(rows.size).zip(y.chunks_exact_mut(rows.size)).enumerate().take(BUNDLE) {
            let row = statistics.row(k);
            let channels = rows.channels_at(start + k * rows.size);
            let (weight, bias) = (&weight[channels.clone()], &bias[channels]);
            if rows.run == 1 {
                for (((y, &x), &weight), &bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                    *y = row.normalize(x) * weight + bias;
                }
                continue;
            }
            let runs = y.chunks_exact_mut(rows.run).zip(x.chunks_exact(rows.run));
            for ((y, x), (&weight, &bias)) in runs.zip(weight.iter().zip(bias)) {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = row.normalize(x) * weight + bias);
            }
        }
    }
}

simd! {
    /// The gradient with respect to x: `gx = s (h − mean h − x̂ mean(h x̂))` with h = gy w, for a bundle of rows; it begins at element
    /// `start` of all.
    pub(crate) fn bundle_gradient[T: Float](
        rows: &Rows,
        start: usize,
        x: &[T],
        weight: &[T],
        gy: &[T],
        columns: [&mut [T]; 2],
        gx: &mut [T],
    ) {
        let [of_x, of_h] = columns;
        for (k, (gy, gx)) in gy.chunks_exact(rows.size).zip(gx.chunks_exact_mut(rows.size)).enumerate() {
            scale(gy, &weight[rows.channels_at(start + k * rows.size)], rows.run, gx);
        }
        let (arranged, h) = (arrange(rows.size, x, of_x), arrange(rows.size, gx, of_h));
        let statistics = statistics(rows, x, arranged);
        let [sums, products] = sums_of_rows(rows.size, [arranged, h], |k, x, h| [h, h * statistics.row(k).normalize(x)]);
        let n = rows.size as f64;
        for (k, (x, gx)) in x.chunks_exact(rows.size).zip(gx.chunks_exact_mut(rows.size)).enumerate().take(BUNDLE) {
            let row = statistics.row(k);
            let mean = T::from_f64(if rows.centered { sums[k] / n } else { 0.0 });
            let along = T::from_f64(products[k] / n);
            gx.iter_mut().zip(x).for_each(|(h, &x)| *h = row.scale * (*h - mean - row.normalize(x) * along));
        }
    }
}

simd! {
    /// Adds `Σ gy x̂` over the elements of each channel in a bundle of rows to `gw`; it begins at element `start` of all.
    pub(crate) fn add_weight_gradient[T: Float](rows: &Rows, start: usize, x: &[T], gy: &[T], columns: &mut [T], gw: &mut [T]) {
        let statistics = statistics(rows, x, arrange(rows.size, x, columns));
        for (k, (x, gy)) in x.chunks_exact(rows.size).zip(gy.chunks_exact(rows.size)).enumerate().take(BUNDLE) {
            let row = statistics.row(k);
            let gw = &mut gw[rows.channels_at(start + k * rows.size)];
            if rows.run == 1 {
                gw.iter_mut().zip(x).zip(gy).for_each(|((gw, &x), &gy)| *gw += gy * row.normalize(x));
                continue;
            }
            for ((gw, x), gy) in gw.iter_mut().zip(x.chunks_exact(rows.run)).zip(gy.chunks_exact(rows.run)) {
                let [sum] = sums([(x, gy)], |x, gy| [gy * row.normalize(x)]);
                *gw += T::from_f64(sum);
            }
        }
    }
}

/// [`normalize_bundle`] of all rows in parallel.
#[inline(never)]
pub(crate) fn normalize<T: Float>(rows: &Rows, x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    for_each_bundle(rows, y, |start, [columns, _], y| {
        normalize_bundle(rows, start, &x[start..][..y.len()], weight, bias, columns, y);
    });
}

/// [`bundle_gradient`] of all rows in parallel.
#[inline(never)]
pub(crate) fn gradient<T: Float>(rows: &Rows, x: &[T], weight: &[T], gy: &[T], gx: &mut [T]) {
    for_each_bundle(rows, gx, |start, columns, gx| {
        let [x, gy] = [x, gy].map(|values| &values[start..][..gx.len()]);
        bundle_gradient(rows, start, x, weight, gy, columns, gx);
    });
}

/// Calls `work` with the index of the first element of each bundle, space for the columns of two bundles, and the bundle, in parallel.
fn for_each_bundle<T: Float>(rows: &Rows, y: &mut [T], work: impl Fn(usize, [&mut [T]; 2], &mut [T]) + Sync) {
    let (size, columns_len) = (rows.chunk_size(), rows.columns_len());
    for_each_chunk(y, size, |index, y| {
        with_scratch(2 * columns_len, |columns| {
            let mut start = index * size;
            for y in y.chunks_mut(rows.bundle_size()) {
                work(start, columns.split_at_mut(columns_len).into(), y);
                start += y.len();
            }
        });
    });
}

/// The number of partial sums of [`weight_gradient`]; it depends on the sizes alone.
fn partial_sums(rows: &Rows, elements: usize) -> usize {
    elements.div_ceil(rows.chunk_size().max(1))
}

/// `gw = Σ gy x̂` over the elements of each channel, in parallel. Blocks of rows are summed in the precision of the elements, the
/// rest in double precision.
#[inline(never)]
pub(crate) fn weight_gradient<T: Float>(rows: &Rows, x: &[T], gy: &[T], gw: &mut [T]) {
    let (size, block, channels) = (rows.chunk_size(), BLOCK * rows.size, rows.channels);
    with_scratch(partial_sums(rows, x.len()) * channels, |partial: &mut [f64]| {
        for_each_chunk(partial, channels, |index, totals| {
            let end = ((index + 1) * size).min(x.len());
            totals.fill(0.0);
            with_scratch(channels + rows.columns_len(), |scratch: &mut [T]| {
                let (sums, columns) = scratch.split_at_mut(channels);
                for start in (index * size..end).step_by(block) {
                    let (end, bundle) = ((start + block).min(end), rows.bundle_size());
                    sums.fill(T::ZERO);
                    for start in (start..end).step_by(bundle) {
                        let range = start..(start + bundle).min(end);
                        add_weight_gradient(rows, start, &x[range.clone()], &gy[range], columns, sums);
                    }
                    totals.iter_mut().zip(&*sums).for_each(|(total, sum)| *total += sum.to_f64());
                }
            });
        });
        for (channel, gw) in gw.iter_mut().enumerate() {
            *gw = T::from_f64(partial.iter().skip(channel).step_by(channels).sum());
        }
    });
}
