//! Convolution, and its derivatives with respect to the image and to the weight.
//!
//! 3 × 3 kernels with stride 1 use [Winograd's algorithm](crate::kernel::window::winograd), and depthwise convolution has
//! [kernels of its own](crate::kernel::window::depthwise). In general the windows of one image at a time become the columns of a
//! matrix (im2col), which stays in the second-level cache; the rest is a matrix product. Images are processed in parallel. The
//! derivative with respect to the weight adds up to [`PARTIAL_SUMS`] sums over images, whatever the number of threads, so that this
//! number does not change a bit.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_chunk;
use crate::kernel::matmul::gemm::{MIN_FMAS_PER_THREAD, gemm};
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::window::depthwise::Planes;
use crate::kernel::window::winograd::Winograd;
use crate::kernel::window::{Windows, col2im, im2col, interleaved, with_deinterleaved};
use std::ops::Range;

/// Partial sums over images of the derivative with respect to the weight, at most.
const PARTIAL_SUMS: usize = 8;
/// Positions that are summed in each of them at least: for fewer, adding them up would take longer than the sums.
const MIN_SUMMED_POSITIONS: usize = 256;
/// Elements of columns at a time, which stay in the second-level cache.
const BLOCK_ELEMENTS: usize = 1 << 15;

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

    /// The best way to compute this convolution of some images.
    fn method(&self, images: usize) -> Method {
        let nonempty = self.windows.output_len() > 0 && self.windows.input_len() > 0;
        if nonempty && self.groups > 1 && self.inputs == 1 && self.outputs == 1 {
            return Method::Depthwise(Planes::new(&self.windows));
        }
        let winograd = || Winograd::new(&self.windows, [self.inputs, self.outputs], images);
        (self.groups == 1).then(winograd).flatten().map_or(Method::Columns, Method::Winograd)
    }

    /// Whether the windows of an image are its elements.
    fn is_pointwise(&self) -> bool {
        let Windows { input, output, kernel, padding, .. } = self.windows;
        kernel == [1, 1] && padding == [0, 0] && input == output
    }

    /// Calls `f` for blocks of rows of windows, with space for their columns and for as many positions in each output channel.
    ///
    /// The columns stay in the second-level cache, unless the weight does not either.
    fn for_each_block<T: Float>(&self, mut f: impl FnMut(Range<usize>, &mut [T], &mut [T])) {
        let [height, width] = self.windows.output;
        let (row, channels) = (self.window_len() * width, self.outputs);
        let rows = (BLOCK_ELEMENTS.max(self.weight_len()) / row.max(1)).clamp(1, height.max(1));
        with_scratch((row + channels * width) * rows, |scratch| {
            for first in (0..height).step_by(rows) {
                let rows = first..height.min(first + rows);
                let (columns, y) = scratch.split_at_mut(row * rows.len());
                f(rows.clone(), columns, &mut y[..channels * width * rows.len()]);
            }
        });
    }

    /// Copies some rows of each output channel.
    fn copy_rows<T: Float>(&self, rows: &Range<usize>, y: &[T], block: &mut [T]) {
        let range = rows.start * self.windows.output[1]..rows.end * self.windows.output[1];
        let channels = y.chunks_exact(self.windows.output_len().max(1));
        let block = block.chunks_exact_mut(range.len().max(1));
        channels.zip(block).for_each(|(y, block)| block.copy_from_slice(&y[range.clone()]));
    }

    /// Calls `f` with the number of each unit and its `size` elements of `y`, in parallel.
    fn for_each_unit<T: Float>(&self, y: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        let units = MIN_FMAS_PER_THREAD.div_ceil(self.weight_len().saturating_mul(self.windows.output_len()).max(1));
        for_each_chunk(y, units * size.max(1), |chunk, y| {
            y.chunks_exact_mut(size.max(1)).enumerate().for_each(|(k, y)| f(chunk * units + k, y));
        });
    }
}

/// How a convolution and its derivatives are computed.
enum Method {
    Winograd(Winograd),
    Depthwise(Planes),
    Columns,
}

/// `y = W x + b` for the windows of x `[N, C, H, W]` and W `[out, C / groups, kernel_len]`.
#[inline(never)]
pub(crate) fn convolve<T: Float>(c: &Convolution, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let method = c.method(x.len() / (c.groups * c.input_len()).max(1));
    if let Method::Winograd(winograd) = &method {
        return winograd.convolve(x, weight, bias, y);
    }
    let (window_len, [_, width]) = (c.window_len(), c.windows.output);
    c.for_each_unit(y, c.output_len(), |unit, y| {
        let (x, weight) = (&x[unit * c.input_len()..][..c.input_len()], &weight[c.weight_range(unit)]);
        c.fill_bias(bias, unit, c.outputs, y);
        if let Method::Depthwise(planes) = &method {
            return planes.convolve(x, weight, y);
        }
        let weight = Matrix::new(weight, c.outputs, window_len, false);
        if c.is_pointwise() {
            return gemm(weight, Matrix::new(x, window_len, c.windows.output_len(), false), Accum::Add, y);
        }
        with_deinterleaved(&c.windows, x, |x| {
            c.for_each_block(|rows, columns, sums| {
                let positions = rows.len() * width;
                im2col(&c.windows, c.inputs, rows.clone(), x, columns);
                gemm(weight, Matrix::new(columns, window_len, positions, false), Accum::Replace, sums);
                let channels = y.chunks_exact_mut(c.windows.output_len().max(1));
                for (y, sums) in channels.zip(sums.chunks_exact(positions.max(1))) {
                    y[rows.start * width..][..positions].iter_mut().zip(sums).for_each(|(y, &sum)| *y += sum);
                }
            });
        });
    });
}

/// The transposed convolution: the gradient of ⟨[`convolve`], y⟩ with respect to x, plus a bias.
#[inline(never)]
pub(crate) fn transpose<T: Float>(c: &Convolution, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
    let method = c.method(y.len() / (c.groups * c.output_len()).max(1));
    if let Method::Winograd(winograd) = &method {
        return winograd.transpose(y, weight, bias, x);
    }
    let (window_len, [_, width]) = (c.window_len(), c.windows.output);
    c.for_each_unit(x, c.input_len(), |unit, x| {
        let (y, weight) = (&y[unit * c.output_len()..][..c.output_len()], &weight[c.weight_range(unit)]);
        let fill_bias = |x: &mut [T]| c.fill_bias(bias, unit, c.inputs, x);
        if let Method::Depthwise(planes) = &method {
            fill_bias(x);
            return planes.transpose(y, weight, x);
        }
        let weight = Matrix::new(weight, window_len, c.outputs, true);
        if c.is_pointwise() {
            fill_bias(x);
            return gemm(weight, Matrix::new(y, c.outputs, c.windows.output_len(), false), Accum::Add, x);
        }
        interleaved(&c.windows, x, |x| {
            fill_bias(x);
            c.for_each_block(|rows, columns, block| {
                let positions = rows.len() * width;
                c.copy_rows(&rows, y, block);
                gemm(weight, Matrix::new(block, c.outputs, positions, false), Accum::Replace, columns);
                col2im(&c.windows, c.inputs, rows, columns, x);
            });
        });
    });
}

/// The gradient of ⟨[`convolve`], y⟩ with respect to the weight.
#[inline(never)]
pub(crate) fn weight_gradient<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let (input_len, output_len) = (c.groups * c.input_len(), c.groups * c.output_len());
    let images = y.len() / output_len.max(1);
    let (method, len) = (c.method(images), weight.len());
    let least = MIN_SUMMED_POSITIONS.div_ceil(c.windows.output_len().max(1));
    let images_per_sum = images.div_ceil(PARTIAL_SUMS).max(least);
    let add = |k: usize, sum: &mut [T]| {
        let part =
            |len: usize, all: usize| (k * images_per_sum * len).min(all)..((k + 1) * images_per_sum * len).min(all);
        let (x, y) = (&x[part(input_len, x.len())], &y[part(output_len, y.len())]);
        match &method {
            Method::Winograd(winograd) => winograd.weight_gradient(x, y, sum),
            Method::Depthwise(planes) => planes.weight_gradient(x, y, sum),
            Method::Columns => add_products(c, x, y, sum),
        }
    };
    weight.fill(T::ZERO);
    let sums = images.div_ceil(images_per_sum);
    if sums <= 1 {
        return add(0, weight);
    }
    with_scratch(sums * len, |sums| {
        sums.fill(T::ZERO);
        for_each_chunk(sums, len, add);
        for sum in sums.chunks_exact(len.max(1)) {
            weight.iter_mut().zip(sum).for_each(|(weight, &sum)| *weight += sum);
        }
    });
}

/// Adds the [`weight_gradient`] of some images.
fn add_products<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let units = x.chunks_exact(c.input_len().max(1)).zip(y.chunks_exact(c.output_len().max(1)));
    for (unit, (x, y)) in units.enumerate() {
        let weight = &mut weight[c.weight_range(unit)];
        if c.is_pointwise() {
            let y = Matrix::new(y, c.outputs, c.windows.output_len(), false);
            gemm(y, Matrix::new(x, c.inputs, c.windows.output_len(), false).transposed(), Accum::Add, weight);
            continue;
        }
        with_deinterleaved(&c.windows, x, |x| {
            c.for_each_block(|rows, columns, block| {
                let positions = rows.len() * c.windows.output[1];
                c.copy_rows(&rows, y, block);
                im2col(&c.windows, c.inputs, rows, x, columns);
                let columns = Matrix::new(columns, c.window_len(), positions, false);
                gemm(Matrix::new(block, c.outputs, positions, false), columns.transposed(), Accum::Add, weight);
            });
        });
    }
}
