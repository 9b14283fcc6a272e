//! Convolution, and its derivatives with respect to the image and to the weight.
//!
//! The windows of one image at a time become the columns of a matrix (im2col), which stays in the second-level cache; the rest
//! is a matrix product. Images are processed in parallel. The derivative with respect to the weight adds [`PARTIAL_SUMS`] sums
//! over images, whatever the number of threads, so that this number does not change a bit.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_chunk;
use crate::kernel::matmul::gemm::{Accum, MIN_FMAS_PER_THREAD, Matrix, gemm};
use crate::kernel::window::{Windows, col2im, im2col};
use std::ops::Range;

/// Partial sums over images of the derivative with respect to the weight.
const PARTIAL_SUMS: usize = 8;

/// The sizes of a convolution whose channels are split into independent groups.
///
/// The unit of work is one group of one image, numbered `image · groups + group`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) windows: Windows,
    pub(crate) groups: usize,
    /// Input channels of a group.
    pub(crate) inputs: usize,
    /// Output channels of a group.
    pub(crate) outputs: usize,
}

impl Convolution {
    /// Elements of a window over all input channels of a group: the rows of its im2col matrix.
    fn window_len(&self) -> usize {
        self.inputs * self.windows.kernel_len()
    }

    /// Elements of an input in a group.
    fn input_len(&self) -> usize {
        self.inputs * self.windows.input_len()
    }

    /// Elements of an output in a group.
    fn output_len(&self) -> usize {
        self.outputs * self.windows.output_len()
    }

    /// Elements of the weight in a group.
    fn weight_len(&self) -> usize {
        self.outputs * self.window_len()
    }

    /// The range of the weight of a unit's group.
    fn weight_range(&self, unit: usize) -> Range<usize> {
        let start = unit % self.groups * self.weight_len();
        start..start + self.weight_len()
    }

    /// Initializes the output of a unit with the bias of each of its channels, or with zeros.
    fn fill_bias<T: Float>(&self, bias: Option<&[T]>, unit: usize, channels: usize, y: &mut [T]) {
        let Some(bias) = bias else { return y.fill(T::ZERO) };
        let (first, size) = (unit % self.groups * channels, y.len() / channels.max(1));
        y.chunks_exact_mut(size.max(1)).zip(&bias[first..]).for_each(|(y, &bias)| y.fill(bias));
    }

    /// Calls `f` with the number of each unit and its `size` elements of `y`, in parallel.
    fn for_each_unit<T: Float>(&self, y: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        let units = MIN_FMAS_PER_THREAD.div_ceil(self.weight_len().saturating_mul(self.windows.output_len()).max(1));
        for_each_chunk(y, units * size.max(1), |chunk, y| {
            y.chunks_exact_mut(size.max(1)).enumerate().for_each(|(k, y)| f(chunk * units + k, y));
        });
    }
}

/// `y = W x + b` for the windows of x `[N, C, H, W]` and W `[out, C / groups, kernel_len]`.
#[inline(never)]
pub(crate) fn convolve<T: Float>(c: &Convolution, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (window_len, positions) = (c.window_len(), c.windows.output_len());
    c.for_each_unit(y, c.output_len(), |unit, y| {
        with_scratch(window_len * positions, |columns| {
            im2col(&c.windows, c.inputs, &x[unit * c.input_len()..][..c.input_len()], columns);
            c.fill_bias(bias, unit, c.outputs, y);
            let weight = Matrix::new(&weight[c.weight_range(unit)], c.outputs, window_len, false);
            gemm(weight, Matrix::new(columns, window_len, positions, false), Accum::Add, y);
        });
    });
}

/// The transposed convolution: the gradient of ⟨[`convolve`], y⟩ with respect to x, plus a bias.
#[inline(never)]
pub(crate) fn transpose<T: Float>(c: &Convolution, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
    let (window_len, positions) = (c.window_len(), c.windows.output_len());
    c.for_each_unit(x, c.input_len(), |unit, x| {
        with_scratch(window_len * positions, |columns| {
            let y = Matrix::new(&y[unit * c.output_len()..][..c.output_len()], c.outputs, positions, false);
            gemm(Matrix::new(&weight[c.weight_range(unit)], window_len, c.outputs, true), y, Accum::Replace, columns);
            c.fill_bias(bias, unit, c.inputs, x);
            col2im(&c.windows, c.inputs, columns, x);
        });
    });
}

/// The gradient of ⟨[`convolve`], y⟩ with respect to the weight.
#[inline(never)]
pub(crate) fn weight_gradient<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let (window_len, positions, len) = (c.window_len(), c.windows.output_len(), weight.len());
    let units = y.len() / c.output_len().max(1);
    let images = (units / c.groups.max(1)).div_ceil(PARTIAL_SUMS).max(1);
    with_scratch(PARTIAL_SUMS * len, |sums| {
        sums.fill(T::ZERO);
        for_each_chunk(sums, len, |k, sum| {
            with_scratch(window_len * positions, |columns| {
                let first = k * images * c.groups;
                for unit in first..units.min(first + images * c.groups) {
                    im2col(&c.windows, c.inputs, &x[unit * c.input_len()..][..c.input_len()], columns);
                    let y = Matrix::new(&y[unit * c.output_len()..][..c.output_len()], c.outputs, positions, false);
                    let sum = &mut sum[c.weight_range(unit)];
                    gemm(y, Matrix::new(columns, positions, window_len, true), Accum::Add, sum);
                }
            });
        });
        weight.fill(T::ZERO);
        for sum in sums.chunks_exact(len.max(1)) {
            weight.iter_mut().zip(sum).for_each(|(weight, &sum)| *weight += sum);
        }
    });
}
