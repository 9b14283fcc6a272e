//! Normalization of channels, the middle axis of `[samples, channels, run]`: sums over each channel, and elementwise passes with
//! values per channel.
//!
//! One thread sums a channel, in an order that depends on the sizes alone, so the number of threads does not change a bit.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::reduce::sums::sums;
use std::ops::Range;

/// Columns that are summed together where a run is a single element: a few cache lines.
const COLUMNS: usize = 32;
/// Rows that are summed in the precision of the elements; the sums of such blocks are added in double precision.
const ROWS: usize = 16;
/// Runs shorter than this, unless there are very few, are summed by columns, one per position in a run.
const SHORT: usize = 64;

/// The layout of channels: the elements alternate between them in runs of equal length.
#[derive(Clone, Copy)]
pub(crate) struct Channels {
    pub(crate) count: usize,
    pub(crate) run: usize,
    /// Added to the variance.
    pub(crate) epsilon: f64,
}

impl Channels {
    /// Elements of a sample.
    fn sample(&self) -> usize {
        self.count * self.run
    }

    /// The layout with every position of a sample as a channel.
    fn positions(&self) -> Channels {
        Channels { count: self.sample(), run: 1, ..*self }
    }

    /// Channels whose totals are stored together.
    fn group(&self) -> usize {
        if self.run == 1 { COLUMNS } else { 1 }
    }

    /// Elements of a channel, at least 1: the divisor of means.
    pub(crate) fn elements(&self, length: usize) -> usize {
        (length / self.count.max(1)).max(1)
    }
}

simd! {
    /// Sums two terms in x minus a shift per channel, and g, over each channel from `first` on. The totals are
    /// `[groups, 2, channels of a group]`.
    pub(crate) fn sum_groups[T: Float, F: Fn(T, T) -> [T; 2]](
        channels: &Channels,
        first: usize,
        x: &[T],
        g: &[T],
        shifts: &[T],
        totals: &mut [f64],
        term: F,
    ) {
        totals.fill(0.0);
        if x.is_empty() {
            return;
        }
        if channels.run > 1 {
            for (channel, totals) in totals.chunks_exact_mut(2).enumerate().map(|(k, totals)| (first + k, totals)) {
                let run = |x| run_of(channels, channel, x);
                let runs = x.chunks_exact(channels.sample()).zip(g.chunks_exact(channels.sample()));
                let shift = shifts[channel];
                totals.copy_from_slice(&sums(runs.map(|(x, g)| (run(x), run(g))), |x, g| term(x - shift, g)));
            }
            return;
        }
        let rows = ROWS * channels.count;
        for (x, g) in x.chunks(rows).zip(g.chunks(rows)) {
            for (k, totals) in totals.chunks_exact_mut(2 * COLUMNS).enumerate() {
                let start = first + k * COLUMNS;
                // The compiler unrolls the loop of the constant width.
                match channels.count - start {
                    COLUMNS.. => add_columns(channels.count, start..start + COLUMNS, x, g, shifts, totals, &term),
                    _ => add_columns(channels.count, start..channels.count, x, g, shifts, totals, &term),
                }
            }
        }
    }
}

/// The run of a channel in a sample.
#[inline(always)]
fn run_of<'a, T>(channels: &Channels, channel: usize, sample: &'a [T]) -> &'a [T] {
    &sample[channel * channels.run..][..channels.run]
}

/// Adds the terms of the columns of a few rows to the totals of their group.
#[inline(always)]
fn add_columns<T: Float>(
    row: usize,
    columns: Range<usize>,
    x: &[T],
    g: &[T],
    shifts: &[T],
    totals: &mut [f64],
    term: &impl Fn(T, T) -> [T; 2],
) {
    let mut lanes = [[T::ZERO; COLUMNS]; 2];
    let shifts = &shifts[columns.clone()];
    for (x, g) in x.chunks_exact(row).zip(g.chunks_exact(row)) {
        let (x, g) = (&x[columns.clone()], &g[columns.clone()]);
        for lane in 0..columns.len() {
            let [first, second] = term(x[lane] - shifts[lane], g[lane]);
            lanes[0][lane] += first;
            lanes[1][lane] += second;
        }
    }
    totals.iter_mut().zip(lanes.as_flattened()).for_each(|(total, lane)| *total += lane.to_f64());
}

/// Sums two terms in x minus a shift per channel, and g; calls `finish` with each channel and its sums, in order.
fn sum_channels<T: Float>(
    channels: &Channels,
    operands: [&[T]; 2],
    shifts: &[T],
    term: impl Fn(T, T) -> [T; 2] + Sync,
    mut finish: impl FnMut(usize, [f64; 2]),
) {
    let samples = operands[0].len() / channels.sample().max(1);
    if channels.run == 1 || channels.run >= SHORT.min(ROWS * samples) {
        return parallel_sums(channels, operands, shifts, term, finish);
    }
    with_scratch(channels.sample(), |columns: &mut [T]| {
        let runs = columns.chunks_exact_mut(channels.run).zip(shifts);
        runs.for_each(|(columns, &shift)| columns.fill(shift));
        let (mut channel, mut sums) = (0, [0.0; 2]);
        parallel_sums(&channels.positions(), operands, columns, term, |position, of_position| {
            (0..2).for_each(|k| sums[k] += of_position[k]);
            if position + 1 == (channel + 1) * channels.run {
                finish(channel, std::mem::take(&mut sums));
                channel += 1;
            }
        });
    });
}

/// [`sum_groups`] of all channels in parallel.
fn parallel_sums<T: Float>(
    channels: &Channels,
    [x, g]: [&[T]; 2],
    shifts: &[T],
    term: impl Fn(T, T) -> [T; 2] + Sync,
    mut finish: impl FnMut(usize, [f64; 2]),
) {
    let group = channels.group();
    let groups = channels.count.div_ceil(group);
    let elements = channels.elements(x.len()) * group;
    let size = chunk_size(groups * elements, elements) / elements;
    with_scratch(2 * group * groups, |totals: &mut [f64]| {
        for_each_chunk(totals, 2 * group * size, |index, totals| {
            sum_groups(channels, index * size * group, x, g, shifts, totals, &term);
        });
        for (first, totals) in (0..).step_by(group).zip(totals.chunks_exact(2 * group)) {
            let (left, right) = totals.split_at(group);
            for lane in 0..group.min(channels.count - first) {
                finish(first + lane, [left[lane], right[lane]]);
            }
        }
    });
}

/// The statistics that normalize each channel, `[3, channels]`: `x̂ = (x − mean − rest) scale` with `scale = 1/√(variance + ε)`;
/// and the variance.
///
/// The mean is rounded to the precision of the elements, and `rest` is the rounding error. So the deviations are exact even if the
/// mean is much larger. For the same reason the sums are of the elements minus the mean of the first few.
#[inline(never)]
pub(crate) fn statistics<T: Float>(channels: &Channels, x: &[T], statistics: &mut [T], variance: &mut [T]) {
    let few = &x[..x.len().min(channels.sample() * ROWS.div_ceil(channels.run.max(1)))];
    let count = channels.count;
    let (mean, rest_and_scale) = statistics.split_at_mut(count);
    let (rest, scale) = rest_and_scale.split_at_mut(count);
    with_scratch(count, |shifts: &mut [T]| {
        mean.fill(T::ZERO);
        let n = channels.elements(few.len()) as f64;
        sum_channels(channels, [few; 2], mean, |d, _| [d, d], |k, [sum, _]| shifts[k] = T::from_f64(sum / n));
        let n = channels.elements(x.len()) as f64;
        sum_channels(
            channels,
            [x; 2],
            shifts,
            |d, _| [d, d * d],
            |k, [sum, squares]| {
                let (shift, deviation) = (shifts[k].to_f64(), sum / n);
                mean[k] = T::from_f64(shift + deviation);
                rest[k] = T::from_f64(shift - mean[k].to_f64() + deviation);
                let squares = squares / n - deviation * deviation;
                // Not `max`, which would drop a NaN.
                let squares = if squares < 0.0 { 0.0 } else { squares };
                variance[k] = T::from_f64(squares);
                scale[k] = T::from_f64((squares + channels.epsilon).sqrt().recip());
            },
        );
    });
}

/// The sums `[2, channels]` of g and of `g x̂` over each channel.
#[inline(never)]
pub(crate) fn weighted_sums<T: Float>(channels: &Channels, x: &[T], g: &[T], statistics: &[T], y: &mut [T]) {
    let [mean, rest, scale] = parts(statistics, channels.count);
    let (plain, weighted) = y.split_at_mut(channels.count);
    sum_channels(
        channels,
        [x, g],
        mean,
        |d, g| [g, g * d],
        |k, [sum, products]| {
            plain[k] = T::from_f64(sum);
            weighted[k] = T::from_f64((products - rest[k].to_f64() * sum) * scale[k].to_f64());
        },
    );
}

/// Splits a slice into K parts of equal size.
fn parts<T, const K: usize>(all: &[T], size: usize) -> [&[T]; K] {
    std::array::from_fn(|k| &all[k * size..][..size])
}

simd! {
    /// `y = f(values of the channel, x, g)`. The slices begin with a run, or with a sample if runs are single elements.
    pub(crate) fn map_chunk[T: Float, const K: usize, F: Fn([T; K], T, T) -> T](
        channels: &Channels,
        first_run: usize,
        values: [&[T]; K],
        x: &[T],
        g: &[T],
        y: &mut [T],
        f: F,
    ) {
        if channels.run == 1 {
            let rows = x.chunks_exact(channels.count).zip(g.chunks_exact(channels.count));
            for (y, (x, g)) in y.chunks_exact_mut(channels.count).zip(rows) {
                for k in 0..channels.count {
                    y[k] = f(values.map(|values| values[k]), x[k], g[k]);
                }
            }
            return;
        }
        let runs = x.chunks_exact(channels.run).zip(g.chunks_exact(channels.run));
        for (k, (y, (x, g))) in y.chunks_exact_mut(channels.run).zip(runs).enumerate() {
            let values = values.map(|values| values[(first_run + k) % channels.count]);
            y.iter_mut().zip(x).zip(g).for_each(|((y, &x), &g)| *y = f(values, x, g));
        }
    }
}

/// [`map_chunk`] of all elements in parallel.
fn map_channels<T: Float, const K: usize>(
    channels: &Channels,
    values: [&[T]; K],
    [x, g]: [&[T]; 2],
    y: &mut [T],
    f: impl Fn([T; K], T, T) -> T + Sync,
) {
    if y.is_empty() {
        return;
    }
    let multiple = if channels.run == 1 { channels.count } else { channels.run };
    let size = chunk_size(y.len(), multiple);
    for_each_chunk(y, size, |index, y| {
        let start = index * size;
        let (x, g) = (&x[start..][..y.len()], &g[start..][..y.len()]);
        map_chunk(channels, start / channels.run, values, x, g, y, &f);
    });
}

/// `y = x̂ w + b` with the weight and the bias of the channel.
#[inline(never)]
pub(crate) fn normalize<T: Float>(channels: &Channels, x: &[T], [weight, bias, statistics]: [&[T]; 3], y: &mut [T]) {
    let [mean, rest, scale] = parts(statistics, channels.count);
    with_scratch(2 * channels.count, |values: &mut [T]| {
        let (slope, offset) = values.split_at_mut(channels.count);
        for k in 0..channels.count {
            slope[k] = scale[k] * weight[k];
            offset[k] = bias[k] - rest[k] * slope[k];
        }
        map_channels(channels, [mean, slope, offset], [x; 2], y, |[mean, slope, offset], x, _| {
            (x - mean) * slope + offset
        });
    });
}

/// The gradient with respect to x: `gx = w s (gy − mean gy − x̂ mean(gy x̂))`, from the [`weighted_sums`] of gy.
#[inline(never)]
pub(crate) fn gradient<T: Float>(
    channels: &Channels,
    [x, gy]: [&[T]; 2],
    [weight, sums, statistics]: [&[T]; 3],
    gx: &mut [T],
) {
    let [mean, rest, scale] = parts(statistics, channels.count);
    let [plain, weighted] = parts(sums, channels.count);
    let n = T::from_f64(channels.elements(x.len()) as f64);
    with_scratch(3 * channels.count, |values: &mut [T]| {
        let (factor, line) = values.split_at_mut(channels.count);
        let (slope, offset) = line.split_at_mut(channels.count);
        for k in 0..channels.count {
            factor[k] = scale[k] * weight[k];
            slope[k] = -factor[k] * scale[k] * (weighted[k] / n);
            offset[k] = -factor[k] * (plain[k] / n) - rest[k] * slope[k];
        }
        map_channels(channels, [mean, factor, slope, offset], [x, gy], gx, |[mean, factor, slope, offset], x, gy| {
            gy * factor + ((x - mean) * slope + offset)
        });
    });
}
