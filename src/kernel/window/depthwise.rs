//! Depthwise convolution, in which each channel has its own kernel, one kernel element at a time and without columns.
//!
//! A padded copy of a channel is split into planes by the remainders of its positions modulo the strides. Then the windows are
//! numbered along the rows of a plane, and what a kernel element is multiplied by are consecutive elements of one plane. Windows
//! that would begin past the end of a row are computed too, and left out at the end.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::window::{Windows, add_strided, copy, copy_strided};

/// Elements that are computed together, in registers.
const BLOCK: usize = 32;

/// A kernel element and the offset at which it is multiplied.
#[derive(Clone, Copy)]
pub(crate) struct Tap {
    element: usize,
    offset: usize,
}

/// Elements of a channel that are consecutive in a plane, though on the channel they may be a stride apart.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pixel: usize,
    start: usize,
    length: usize,
}

/// The layout of channels that are padded and split for the windows of a convolution.
pub(crate) struct Planes {
    windows: Windows,
    /// The columns of a plane.
    width: usize,
    /// Elements of a plane, in whole blocks.
    size: usize,
    runs: Vec<Run>,
    /// All kernel elements, with their offsets in all planes.
    taps: Vec<Tap>,
    /// The kernel elements on each plane, with the offsets of the adjoint in the windows.
    adjoint: Vec<Vec<Tap>>,
    /// The largest offset in a plane: zeros before the first window that the adjoint reads.
    margin: usize,
}

impl Planes {
    /// The layout for windows of an image, of which there must be some.
    pub(crate) fn new(windows: &Windows) -> Self {
        let Windows { input, kernel, stride, padding, dilation, .. } = *windows;
        let [height, width] = [0, 1].map(|axis| (input[axis] + 2 * padding[axis]).div_ceil(stride[axis]));
        let size = (height * width).next_multiple_of(BLOCK);
        // The plane and the place in it.
        let split = |row: usize, column: usize| {
            (row % stride[0] * stride[1] + column % stride[1], row / stride[0] * width + column / stride[1])
        };
        let elements = 0..windows.kernel_len();
        let place = |k: usize| split(k / kernel[1] * dilation[0], k % kernel[1] * dilation[1]);
        let taps = elements.clone().map(|k| Tap { element: k, offset: place(k).0 * size + place(k).1 }).collect();
        let margin = elements.clone().map(|k| place(k).1).max().unwrap_or(0);
        let on = |plane| elements.clone().filter(move |&k| place(k).0 == plane);
        let adjoint = (0..stride[0] * stride[1])
            .map(|plane| on(plane).map(|k| Tap { element: k, offset: margin - place(k).1 }).collect())
            .collect();
        let run = |row: usize, column: usize| {
            let (plane, at) = split(row + padding[0], column + padding[1]);
            let length = (input[1] - column).div_ceil(stride[1]);
            Run { pixel: row * input[1] + column, start: plane * size + at, length }
        };
        let starts = stride[1].min(input[1]);
        let runs = (0..input[0] * starts).map(|k| run(k / starts, k % starts)).collect();
        Planes { windows: *windows, width, size, runs, taps, adjoint, margin }
    }

    /// Elements of all planes, and as many more as the last block may read.
    fn input_len(&self) -> usize {
        self.adjoint.len() * self.size + BLOCK
    }

    /// Windows, including those past the end of a row, in whole blocks.
    fn output_len(&self) -> usize {
        let [rows, columns] = self.windows.output;
        ((rows - 1) * self.width + columns).next_multiple_of(BLOCK)
    }

    /// The same, with zeros on both sides that the adjoint reads.
    fn spread_len(&self) -> usize {
        self.margin + self.size.max(self.output_len())
    }

    /// `y += w * x` of one channel.
    pub(crate) fn convolve<T: Float>(&self, x: &[T], weight: &[T], y: &mut [T]) {
        with_scratch(self.input_len() + self.output_len(), |scratch| {
            let (padded, sums) = scratch.split_at_mut(self.input_len());
            pad(self, x, padded);
            sums.fill(T::ZERO);
            correlate(&self.taps, weight, padded, sums);
            gather(self, sums, y);
        });
    }

    /// The adjoint of [`convolve`](Planes::convolve) with respect to x, added to x.
    pub(crate) fn transpose<T: Float>(&self, y: &[T], weight: &[T], x: &mut [T]) {
        with_scratch(self.spread_len() + self.input_len(), |scratch| {
            let (windows, padded) = scratch.split_at_mut(self.spread_len());
            spread(self, y, windows);
            padded.fill(T::ZERO);
            for (taps, plane) in self.adjoint.iter().zip(padded.chunks_exact_mut(self.size)) {
                correlate(taps, weight, windows, plane);
            }
            crop(self, padded, x);
        });
    }

    /// The adjoint of [`convolve`](Planes::convolve) with respect to the weight, added to it, for images `[channels, height, width]`.
    pub(crate) fn weight_gradient<T: Float>(&self, x: &[T], y: &[T], weight: &mut [T]) {
        let (lanes, channels) = (weight.len() * BLOCK, weight.len() / self.taps.len());
        with_scratch(lanes + self.input_len() + self.spread_len(), |scratch| {
            let (lanes, scratch) = scratch.split_at_mut(lanes);
            let (padded, windows) = scratch.split_at_mut(self.input_len());
            let (lanes, _) = lanes.as_chunks_mut::<BLOCK>();
            lanes.fill([T::ZERO; BLOCK]);
            let units = x.chunks_exact(self.windows.input_len()).zip(y.chunks_exact(self.windows.output_len()));
            for (unit, (x, y)) in units.enumerate() {
                pad(self, x, padded);
                spread(self, y, windows);
                let lanes = &mut lanes[unit % channels * self.taps.len()..][..self.taps.len()];
                correlations(&self.taps, padded, &windows[self.margin..][..self.output_len()], lanes);
            }
            for (weight, lanes) in weight.iter_mut().zip(lanes) {
                lanes.iter().for_each(|&lane| *weight += lane);
            }
        });
    }
}

simd! {
    /// Copies a channel to planes, with zeros around it.
    pub(crate) fn pad[T: Float](planes: &Planes, x: &[T], padded: &mut [T]) {
        let step = planes.windows.stride[1];
        padded.fill(T::ZERO);
        for run in &planes.runs {
            copy_strided(&x[run.pixel..], step, &mut padded[run.start..][..run.length]);
        }
    }
}

simd! {
    /// Adds what is in the planes to a channel: the adjoint of [`pad`].
    pub(crate) fn crop[T: Float](planes: &Planes, padded: &[T], x: &mut [T]) {
        let step = planes.windows.stride[1];
        for run in &planes.runs {
            add_strided(&padded[run.start..][..run.length], &mut x[run.pixel..], step);
        }
    }
}

simd! {
    /// Adds the windows that begin within a row to those of `y`.
    pub(crate) fn gather[T: Float](planes: &Planes, windows: &[T], y: &mut [T]) {
        for (y, windows) in y.chunks_exact_mut(planes.windows.output[1]).zip(windows.chunks(planes.width)) {
            y.iter_mut().zip(windows).for_each(|(y, &x)| *y += x);
        }
    }
}

simd! {
    /// Windows `y` with zeros for those that begin past the end of a row, and zeros on both sides.
    pub(crate) fn spread[T: Float](planes: &Planes, y: &[T], windows: &mut [T]) {
        let width = planes.windows.output[1];
        windows.fill(T::ZERO);
        for (y, windows) in y.chunks_exact(width).zip(windows[planes.margin..].chunks_mut(planes.width)) {
            copy(y, &mut windows[..width]);
        }
    }
}

simd! {
    /// Adds to `y` the products of kernel elements and x at their offsets.
    pub(crate) fn correlate[T: Float](taps: &[Tap], weight: &[T], x: &[T], y: &mut [T]) {
        let (blocks, _) = y.as_chunks_mut::<BLOCK>();
        for (k, y) in blocks.iter_mut().enumerate() {
            let mut sums = *y;
            for tap in taps {
                let (w, x) = (weight[tap.element], &x[k * BLOCK + tap.offset..][..BLOCK]);
                for lane in 0..BLOCK {
                    sums[lane] += w * x[lane];
                }
            }
            *y = sums;
        }
    }
}

simd! {
    /// Adds to each kernel element, in as many parts as a block has elements, the products of y and x at its offset.
    pub(crate) fn correlations[T: Float](taps: &[Tap], x: &[T], y: &[T], lanes: &mut [[T; BLOCK]]) {
        let (blocks, _) = y.as_chunks::<BLOCK>();
        for tap in taps {
            let mut sums = lanes[tap.element];
            for (k, y) in blocks.iter().enumerate() {
                let x = &x[k * BLOCK + tap.offset..][..BLOCK];
                for lane in 0..BLOCK {
                    sums[lane] += y[lane] * x[lane];
                }
            }
            lanes[tap.element] = sums;
        }
    }
}
