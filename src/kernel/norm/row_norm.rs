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

    /// The channels of the row that begins at element `start`.
    fn channels_at(&self, start: usize) -> std::ops::Range<usize> {
        let first = start / self.run % self.channels;
        first..first + self.size / self.run
    }
}

/// How the elements of a row are normalized: `x̂ = (x − shift) scale − offset`.
///
/// The shift is the mean, rounded to the precision of the elements; the offset corrects the rounding error. So the deviations are
/// exact even if the mean is much larger.
#[derive(Clone, Copy)]
pub(crate) struct Statistics<T> {
    shift: T,
    scale: T,
    offset: T,
}

impl<T: Float> Statistics<T> {
    #[inline(always)]
    fn normalize(&self, x: T) -> T {
        (x - self.shift) * self.scale - self.offset
    }
}

/// `Σ (x − shift)²` where the squares overflow: divided by the square of a power of two near the largest deviation, and that power.
#[cold]
#[inline(never)]
fn squares<T: Float>(row: &[T], shift: T) -> (f64, f64) {
    let deviations = row.iter().map(|&x| (x - shift).to_f64());
    let unit = power_of_two_below(deviations.clone().fold(0.0, |largest, deviation| deviation.abs().max(largest)));
    (deviations.map(|deviation| (deviation / unit).powi(2)).sum(), unit)
}

/// Rows whose statistics are computed together: the steps of one row wait for each other, those of several do not.
const BUNDLE: usize = 8;
/// Elements of a bundle that stay in the first-level cache.
const BUNDLE_ELEMENTS: usize = 2048;

/// Each row with its statistics.
#[inline(always)]
fn with_statistics<'a, T: Float>(rows: &Rows, x: &'a [T]) -> impl Iterator<Item = (&'a [T], Statistics<T>)> {
    let size = rows.size * (BUNDLE_ELEMENTS / rows.size).clamp(1, BUNDLE);
    x.chunks(size).flat_map(|bundle| bundle.chunks_exact(rows.size).zip(statistics(rows, bundle)))
}

simd! {
    /// How the rows of a bundle are normalized.
    pub(crate) fn statistics[T: Float](rows: &Rows, x: &[T]) -> [Statistics<T>; BUNDLE] {
        let n = rows.size as f64;
        let mut shifts = [T::ZERO; BUNDLE];
        if rows.centered {
            for (shift, row) in shifts.iter_mut().zip(x.chunks_exact(rows.size)) {
                let [sum] = sums([(row, row)], |x, _| [x]);
                *shift = T::from_f64(sum / n);
            }
        }
        // The sums of the deviations and of their squares, these in squared units.
        let mut moments = [(0.0, 0.0, 1.0); BUNDLE];
        for ((moments, row), &shift) in moments.iter_mut().zip(x.chunks_exact(rows.size)).zip(&shifts) {
            let [first, second] = sums([(row, row)], |x, _| [x - shift, (x - shift) * (x - shift)]);
            let (second, unit) = if second < f64::INFINITY { (second, 1.0) } else { squares(row, shift) };
            *moments = (first, second, unit);
        }
        std::array::from_fn(|k| {
            let (first, second, unit) = moments[k];
            let rest = if rows.centered { first / n } else { 0.0 };
            let variance = second / n - (rest / unit).powi(2);
            // Not `max`, which would drop a NaN.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let scale = (variance + rows.epsilon / unit / unit).sqrt().recip() / unit;
            Statistics { shift: shifts[k], scale: T::from_f64(scale), offset: T::from_f64(rest * scale) }
        })
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
    /// `y = x̂ w + b`; the rows begin at element `start` of all.
    pub(crate) fn normalize_rows[T: Float](rows: &Rows, start: usize, x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
        for (k, ((x, row), y)) in with_statistics(rows, x).zip(y.chunks_exact_mut(rows.size)).enumerate() {
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
    /// The gradient with respect to x: `gx = s (h − mean h − x̂ mean(h x̂))` with h = gy w; the rows begin at element `start` of all.
    pub(crate) fn gradient_rows[T: Float](rows: &Rows, start: usize, x: &[T], weight: &[T], gy: &[T], gx: &mut [T]) {
        let gradients = gy.chunks_exact(rows.size).zip(gx.chunks_exact_mut(rows.size));
        for (k, ((x, row), (gy, gx))) in with_statistics(rows, x).zip(gradients).enumerate() {
            scale(gy, &weight[rows.channels_at(start + k * rows.size)], rows.run, gx);
            let [sum, products] = sums([(x, &*gx)], |x, h| [h, h * row.normalize(x)]);
            let n = x.len() as f64;
            let mean = T::from_f64(if rows.centered { sum / n } else { 0.0 });
            let along = T::from_f64(products / n);
            gx.iter_mut().zip(x).for_each(|(h, &x)| *h = row.scale * (*h - mean - row.normalize(x) * along));
        }
    }
}

simd! {
    /// Adds `Σ gy x̂` over the elements of each channel to `gw`; the rows begin at element `start` of all.
    pub(crate) fn add_weight_gradient[T: Float](rows: &Rows, start: usize, x: &[T], gy: &[T], gw: &mut [T]) {
        for (k, ((x, row), gy)) in with_statistics(rows, x).zip(gy.chunks_exact(rows.size)).enumerate() {
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

/// [`normalize_rows`] of all rows in parallel.
#[inline(never)]
pub(crate) fn normalize<T: Float>(rows: &Rows, x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    let size = rows.chunk_size();
    for_each_chunk(y, size, |index, y| {
        let start = index * size;
        normalize_rows(rows, start, &x[start..start + y.len()], weight, bias, y);
    });
}

/// [`gradient_rows`] of all rows in parallel.
#[inline(never)]
pub(crate) fn gradient<T: Float>(rows: &Rows, x: &[T], weight: &[T], gy: &[T], gx: &mut [T]) {
    let size = rows.chunk_size();
    for_each_chunk(gx, size, |index, gx| {
        let range = index * size..index * size + gx.len();
        gradient_rows(rows, range.start, &x[range.clone()], weight, &gy[range], gx);
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
            with_scratch(channels, |sums: &mut [T]| {
                for start in (index * size..end).step_by(block) {
                    let range = start..(start + block).min(end);
                    sums.fill(T::ZERO);
                    add_weight_gradient(rows, start, &x[range.clone()], &gy[range], sums);
                    totals.iter_mut().zip(&*sums).for_each(|(total, sum)| *total += sum.to_f64());
                }
            });
        });
        for (channel, gw) in gw.iter_mut().enumerate() {
            *gw = T::from_f64(partial.iter().skip(channel).step_by(channels).sum());
        }
    });
}
