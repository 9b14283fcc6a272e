//! Convolution, and its derivatives by the image and by the weight.

use super::Float;
use super::gemm::{Matrix, gemm};
use super::memory::with_scratch;
use super::window::{Windows, col2im, im2col};

/// A convolution in groups, each of which takes channels of its own to channels of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) windows: Windows,
    pub(crate) groups: usize,
    /// Channels of the image in a group.
    pub(crate) inputs: usize,
    /// Channels of the result in a group.
    pub(crate) outputs: usize,
}

impl Convolution {
    /// Elements of a group's weight for one channel of the result.
    fn depth(&self) -> usize {
        self.inputs * self.windows.taps()
    }

    /// Elements of a group's part of an image.
    fn image(&self) -> usize {
        self.inputs * self.windows.pixels()
    }

    /// Elements of a group's part of a result.
    fn result(&self) -> usize {
        self.outputs * self.windows.places()
    }

    /// A group's part of the weight.
    fn weight<'a, T>(&self, weight: &'a [T], part: usize) -> &'a [T] {
        let (group, size) = (part % self.groups, self.outputs * self.depth());
        &weight[group * size..(group + 1) * size]
    }

    /// Begins a group's part of a result or an image with the bias of each channel, or with zeros.
    fn begin<T: Float>(&self, bias: Option<&[T]>, part: usize, channels: usize, y: &mut [T]) {
        let Some(bias) = bias else { return y.fill(T::ZERO) };
        let (first, size) = (part % self.groups * channels, y.len() / channels.max(1));
        y.chunks_exact_mut(size.max(1)).zip(&bias[first..]).for_each(|(y, &bias)| y.fill(bias));
    }
}

/// `y = W x + b` for the windows of x `[N, C, H, W]`, W `[out, C / groups, taps]`.
pub(crate) fn convolve<T: Float>(c: &Convolution, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (depth, places) = (c.depth(), c.windows.places());
    with_scratch(depth * places, |columns| {
        for (part, y) in y.chunks_exact_mut(c.result().max(1)).enumerate() {
            im2col(&c.windows, c.inputs, &x[part * c.image()..][..c.image()], columns);
            c.begin(bias, part, c.outputs, y);
            let weight = Matrix::new(c.weight(weight, part), c.outputs, depth, false);
            gemm(weight, Matrix::new(columns, depth, places, false), T::ONE, y);
        }
    });
}

/// The derivative of [`convolve`] by x, along y, plus a bias: the transposed convolution.
pub(crate) fn transpose<T: Float>(c: &Convolution, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
    let (depth, places) = (c.depth(), c.windows.places());
    with_scratch(depth * places, |columns| {
        for (part, x) in x.chunks_exact_mut(c.image().max(1)).enumerate() {
            let y = Matrix::new(&y[part * c.result()..][..c.result()], c.outputs, places, false);
            gemm(Matrix::new(c.weight(weight, part), depth, c.outputs, true), y, T::ZERO, columns);
            c.begin(bias, part, c.inputs, x);
            col2im(&c.windows, c.inputs, columns, x);
        }
    });
}

/// The derivative of [`convolve`] by the weight, along y.
pub(crate) fn weight_gradient<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let (depth, places) = (c.depth(), c.windows.places());
    let size = c.outputs * depth;
    weight.fill(T::ZERO);
    with_scratch(depth * places, |columns| {
        for (part, y) in y.chunks_exact(c.result().max(1)).enumerate() {
            im2col(&c.windows, c.inputs, &x[part * c.image()..][..c.image()], columns);
            let columns = Matrix::new(columns, places, depth, true);
            let group = part % c.groups;
            gemm(Matrix::new(y, c.outputs, places, false), columns, T::ONE, &mut weight[group * size..][..size]);
        }
    });
}
