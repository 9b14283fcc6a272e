//! Convolution, and its derivatives with respect to the image and to the weight.
//!
//! 3 × 3 kernels with stride 1 use [Winograd's algorithm](crate::kernel::window::winograd), depthwise convolution has
//! [kernels of its own](crate::kernel::window::depthwise), other convolutions with stride 1 are
//! [products](crate::kernel::window::dense) of overlapping parts of the image, and the rest goes by way of
//! [columns](crate::kernel::window::columns). Images are processed in parallel. The derivative with respect to the weight adds up
//! to [`PARTIAL_SUMS`] sums over images, whatever the number of threads, so that this number does not change a bit.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_chunk;
use crate::kernel::matmul::gemm::{MIN_FMAS_PER_THREAD, gemm};
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::window::Windows;
use crate::kernel::window::dense::Dense;
use crate::kernel::window::planes::Planes;
use crate::kernel::window::winograd::Winograd;
use std::ops::Range;

/// Partial sums over images of the derivative with respect to the weight, at most.
const PARTIAL_SUMS: usize = 8;
/// Positions that are summed in each of them at least: for fewer, adding them up would take longer than the sums.
const MIN_SUMMED_POSITIONS: usize = 256;
/// The same for weights that the cache does not hold, of [`MANY_WEIGHTS`] elements or more.
const MIN_SUMMED_POSITIONS_OF_MANY: usize = 2048;
const MANY_WEIGHTS: usize = 1 << 18;
/// Rows of a product from which on it pays to copy a factor instead of reading it in place.
const MIN_ROWS: usize = 8;

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
    pub(super) fn window_len(&self) -> usize {
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
    pub(super) fn weight_len(&self) -> usize {
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

    /// The best way to compute this convolution of some images, or an adjoint of it, for which the products of [`Dense`] may pay
    /// or not.
    fn method(&self, images: usize, dense: bool) -> Method {
        let Windows { input, output, kernel, padding, dilation, .. } = self.windows;
        let plain = padding == [0, 0] && dilation == [1, 1];
        if self.groups == 1 && output == [1, 1] && kernel == input && plain && self.weight_len() > 0 {
            return Method::Linear;
        }
        if kernel == [1, 1] && input == output && plain {
            return Method::Pointwise;
        }
        if self.groups == 1
            && let Some(winograd) = Winograd::new(&self.windows, [self.inputs, self.outputs], images)
        {
            return Method::Winograd(winograd);
        }
        if self.groups > 1
            && [self.inputs, self.outputs] == [1, 1]
            && let Some(planes) = Planes::new(&self.windows)
        {
            return Method::Depthwise(planes);
        }
        (dense && self.inputs > 0).then(|| Dense::new(self)).flatten().map_or(Method::Columns, Method::Dense)
    }

    /// Whether there are so many windows that the layout of the weight may change.
    fn has_many_windows(&self, images: usize) -> bool {
        images * self.windows.output_len() >= MIN_SUMMED_POSITIONS
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
    /// An image is a single window: one matrix product for all images.
    Linear,
    /// The windows of an image are its elements: one product for an image.
    Pointwise,
    Winograd(Winograd),
    Depthwise(Planes),
    Dense(Dense),
    Columns,
}

/// `y = W x + b` for the windows of x `[N, C, H, W]` and W `[out, C / groups, kernel_len]`.
#[inline(never)]
pub(crate) fn convolve<T: Float>(c: &Convolution, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let images = y.len() / (c.groups * c.output_len()).max(1);
    let method = c.method(images, c.outputs >= MIN_ROWS);
    if let Method::Linear = method {
        let (x, weight) =
            (Matrix::new(x, images, c.input_len(), false), Matrix::new(weight, c.input_len(), c.outputs, true));
        return gemm(x, weight, bias.map_or(Accum::Replace, Accum::Bias), y);
    }
    if let Method::Winograd(winograd) = method {
        return winograd.convolve(x, weight, bias, y);
    }
    c.for_each_unit(y, c.output_len(), |unit, y| {
        let (x, weight) = (&x[unit * c.input_len()..][..c.input_len()], &weight[c.weight_range(unit)]);
        c.fill_bias(bias, unit, c.outputs, y);
        match &method {
            Method::Pointwise => {
                let x = Matrix::new(x, c.inputs, c.windows.output_len(), false);
                gemm(Matrix::new(weight, c.outputs, c.inputs, false), x, Accum::Add, y);
            }
            Method::Depthwise(planes) => planes.convolve(x, weight, y),
            Method::Dense(dense) => dense.convolve(x, weight, y),
            _ => c.add_columns(x, weight, y),
        }
    });
}

/// The transposed convolution: the gradient of ⟨[`convolve`], y⟩ with respect to x, plus a bias.
#[inline(never)]
pub(crate) fn transpose<T: Float>(c: &Convolution, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
    let images = x.len() / (c.groups * c.input_len()).max(1);
    let method = c.method(images, c.has_many_windows(images) && c.inputs >= MIN_ROWS && c.outputs <= 2 * c.inputs);
    match method {
        Method::Linear => {
            x.chunks_exact_mut(c.input_len()).for_each(|x| c.fill_bias(bias, 0, c.inputs, x));
            let weight = Matrix::new(weight, c.outputs, c.input_len(), false);
            gemm(Matrix::new(y, images, c.outputs, false), weight, Accum::Add, x);
        }
        Method::Winograd(winograd) => winograd.transpose(y, weight, bias, x),
        Method::Dense(dense) => with_scratch(weight.len(), |adjoint| {
            let groups = weight.chunks_exact(c.weight_len()).zip(adjoint.chunks_exact_mut(c.weight_len()));
            groups.for_each(|(weight, adjoint)| dense.adjoint_weight(weight, adjoint));
            c.for_each_unit(x, c.input_len(), |unit, x| {
                c.fill_bias(bias, unit, c.inputs, x);
                dense.transpose(&y[unit * c.output_len()..][..c.output_len()], &adjoint[c.weight_range(unit)], x);
            });
        }),
        method => c.for_each_unit(x, c.input_len(), |unit, x| {
            let (y, weight) = (&y[unit * c.output_len()..][..c.output_len()], &weight[c.weight_range(unit)]);
            let start = |x: &mut [T]| c.fill_bias(bias, unit, c.inputs, x);
            match &method {
                Method::Pointwise => {
                    start(x);
                    let y = Matrix::new(y, c.outputs, c.windows.output_len(), false);
                    gemm(Matrix::new(weight, c.inputs, c.outputs, true), y, Accum::Add, x);
                }
                Method::Depthwise(planes) => {
                    start(x);
                    planes.transpose(y, weight, x);
                }
                _ => c.transpose_columns(y, weight, start, x),
            }
        }),
    }
}

/// The gradient of ⟨[`convolve`], y⟩ with respect to the weight.
#[inline(never)]
pub(crate) fn weight_gradient<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let (input_len, output_len) = (c.groups * c.input_len(), c.groups * c.output_len());
    let images = y.len() / output_len.max(1);
    let dense = c.has_many_windows(images) && c.outputs >= MIN_ROWS && 2 * c.outputs <= c.window_len();
    let (method, len) = (c.method(images, dense), weight.len());
    if let Method::Linear = method {
        let (y, x) = (Matrix::new(y, c.outputs, images, true), Matrix::new(x, images, c.input_len(), false));
        return gemm(y, x, Accum::Replace, weight);
    }
    let positions = if len < MANY_WEIGHTS { MIN_SUMMED_POSITIONS } else { MIN_SUMMED_POSITIONS_OF_MANY };
    let least = positions.div_ceil(c.windows.output_len().max(1));
    let images_per_sum = images.div_ceil(PARTIAL_SUMS).max(least);
    let add = |k: usize, sum: &mut [T]| {
        let images = k * images_per_sum..images.min((k + 1) * images_per_sum);
        let x = &x[images.start * input_len..images.end * input_len];
        let y = &y[images.start * output_len..images.end * output_len];
        match &method {
            Method::Winograd(winograd) => winograd.weight_gradient(x, y, sum),
            Method::Depthwise(planes) => planes.weight_gradient(x, y, sum),
            Method::Dense(dense) => dense.weight_gradient(x, y, sum),
            method => add_products(c, method, x, y, sum),
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

/// Adds the [`weight_gradient`] of some images, one after the other.
fn add_products<T: Float>(c: &Convolution, method: &Method, x: &[T], y: &[T], weight: &mut [T]) {
    let units = x.chunks_exact(c.input_len().max(1)).zip(y.chunks_exact(c.output_len().max(1)));
    for (unit, (x, y)) in units.enumerate() {
        let weight = &mut weight[c.weight_range(unit)];
        if let Method::Pointwise = method {
            let x = Matrix::new(x, c.windows.output_len(), c.inputs, true);
            gemm(Matrix::new(y, c.outputs, c.windows.output_len(), false), x, Accum::Add, weight);
        } else {
            c.add_column_products(x, y, weight);
        }
    }
}
