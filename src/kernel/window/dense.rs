//! Convolution over several channels with stride 1 as matrix products whose factors are read from
//! [planes](crate::kernel::window::planes), without columns in memory.
//!
//! The rows of the matrix of windows, one for each kernel element of each channel, are overlapping parts of the planes.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::matmul::gemm::{gemm, gemm_strided};
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::window::conv::Convolution;
use crate::kernel::window::planes::{Planes, Tap, crop, gather, pad, spread};
use std::ops::Range;

/// Windows that are computed for each that is used, at most: with more past the end of a row, columns are faster.
const MAX_WINDOWS: usize = 2;

/// A convolution of one group of channels.
pub(crate) struct Dense {
    planes: Planes,
    inputs: usize,
    outputs: usize,
    /// For each input channel and kernel element, where what it is multiplied by starts on the planes of the image.
    starts: Vec<usize>,
    /// For each output channel and kernel element, the same for the adjoint, on its spread windows.
    adjoint_starts: Vec<usize>,
    /// The part of a plane that is on the image.
    image: Range<usize>,
}

impl Dense {
    /// The convolution, if it makes no steps, and pays for these windows.
    pub(crate) fn new(c: &Convolution) -> Option<Self> {
        let planes = Planes::new(&c.windows)?;
        let ([adjoint], true) = (&planes.adjoint[..], planes.window_count() <= MAX_WINDOWS * c.windows.output_len())
        else {
            return None;
        };
        let starts = |channels: usize, step: usize, taps: &[Tap]| {
            (0..channels).flat_map(|channel| taps.iter().map(move |tap| channel * step + tap.offset)).collect()
        };
        Some(Dense {
            inputs: c.inputs,
            outputs: c.outputs,
            starts: starts(c.inputs, planes.input_len(), &planes.taps),
            adjoint_starts: starts(c.outputs, planes.spread_len(), adjoint),
            image: planes.image_range(),
            planes,
        })
    }

    /// Adds the convolution of an image.
    pub(crate) fn convolve<T: Float>(&self, x: &[T], weight: &[T], y: &mut [T]) {
        let (planes, count, x_len) = (&self.planes, self.planes.window_count(), self.inputs * self.planes.input_len());
        with_scratch(x_len + self.outputs * count, |scratch| {
            let (padded, sums) = scratch.split_at_mut(x_len);
            self.pad(x, padded);
            let weight = Matrix::new(weight, self.outputs, self.starts.len(), false);
            gemm(weight, Matrix::with_starts(padded, &self.starts, count), Accum::Replace, sums);
            let channels = y.chunks_exact_mut(planes.windows.output_len()).zip(sums.chunks_exact(count));
            channels.for_each(|(y, sums)| gather(planes, sums, y));
        });
    }

    /// The weight as [`transpose`](Dense::transpose) reads it: `[inputs, outputs, kernel elements]`.
    pub(crate) fn adjoint_weight<T: Float>(&self, weight: &[T], adjoint: &mut [T]) {
        let kernel = self.planes.taps.len();
        for (k, adjoint) in adjoint.chunks_exact_mut(kernel).enumerate() {
            let (input, output) = (k / self.outputs, k % self.outputs);
            adjoint.copy_from_slice(&weight[(output * self.inputs + input) * kernel..][..kernel]);
        }
    }

    /// Adds the adjoint with respect to x of an image.
    pub(crate) fn transpose<T: Float>(&self, y: &[T], adjoint_weight: &[T], x: &mut [T]) {
        let (planes, step, y_len) = (&self.planes, self.planes.input_len(), self.outputs * self.planes.spread_len());
        with_scratch(y_len + self.inputs * step, |scratch| {
            let (windows, padded) = scratch.split_at_mut(y_len);
            self.spread(y, windows);
            let weight = Matrix::new(adjoint_weight, self.inputs, self.adjoint_starts.len(), false);
            let windows = Matrix::with_starts(&windows[self.image.start..], &self.adjoint_starts, self.image.len());
            gemm_strided(weight, windows, Accum::Replace, &mut padded[self.image.start..], step);
            let channels = x.chunks_exact_mut(planes.windows.input_len()).zip(padded.chunks_exact(step));
            channels.for_each(|(x, padded)| crop(planes, padded, x));
        });
    }

    /// The adjoint with respect to the weight `[groups · outputs, inputs · kernel elements]` of images `[groups · inputs, …]`.
    pub(crate) fn weight_gradient<T: Float>(&self, x: &[T], y: &[T], weight: &mut [T]) {
        let (planes, count, rows) = (&self.planes, self.planes.window_count(), self.starts.len());
        let (x_len, y_len) = (self.inputs * planes.input_len(), self.outputs * planes.spread_len());
        with_scratch(weight.len() + x_len + y_len, |scratch| {
            let (sums, scratch) = scratch.split_at_mut(weight.len());
            let (padded, windows) = scratch.split_at_mut(x_len);
            sums.fill(T::ZERO);
            let x = x.chunks_exact(self.inputs * planes.windows.input_len());
            let y = y.chunks_exact(self.outputs * planes.windows.output_len());
            let groups = weight.len() / (rows * self.outputs);
            for (unit, (x, y)) in x.zip(y).enumerate() {
                self.pad(x, padded);
                self.spread(y, windows);
                let x = Matrix::with_starts(padded, &self.starts, count);
                let y = Matrix::strided(&windows[planes.margin..], self.outputs, count, planes.spread_len());
                let sums = &mut sums[unit % groups * rows * self.outputs..][..rows * self.outputs];
                gemm(x, y.transposed(), Accum::Add, sums);
            }
            let groups = sums.chunks_exact(rows * self.outputs).zip(weight.chunks_exact_mut(rows * self.outputs));
            groups.for_each(|(sums, weight)| T::transpose(rows, self.outputs, sums, self.outputs, weight, rows));
        });
    }

    /// [`pad`]s all input channels.
    fn pad<T: Float>(&self, x: &[T], padded: &mut [T]) {
        let (size, padded_size) = (self.planes.windows.input_len(), self.planes.input_len());
        let channels = x.chunks_exact(size).zip(padded.chunks_exact_mut(padded_size));
        channels.for_each(|(x, padded)| pad(&self.planes, x, padded));
    }

    /// [`spread`]s all output channels.
    fn spread<T: Float>(&self, y: &[T], windows: &mut [T]) {
        let (size, spread_size) = (self.planes.windows.output_len(), self.planes.spread_len());
        let channels = y.chunks_exact(size).zip(windows.chunks_exact_mut(spread_size));
        channels.for_each(|(y, windows)| spread(&self.planes, y, windows));
    }
}
