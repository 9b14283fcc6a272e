//! Convolution, and its derivatives by the image and by the weight.
//!
//! The windows of one image at a time are laid out as the columns of a matrix, which stays in the second-level cache, and
//! the rest is a product of matrices. Images are shared out among threads. The sum over images in the derivative by the
//! weight is made of [`SHARES`] sums whatever the number of threads, so that this changes no bit.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_piece;
use crate::kernel::matmul::gemm::{Matrix, Onto, gemm};
use crate::kernel::window::{Windows, col2im, im2col};

/// Sums over images that the derivative by the weight is added up from.
const SHARES: usize = 8;
/// Multiplications that are worth a thread of their own.
const WORTH_A_THREAD: usize = 1 << 18;

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

    /// Elements of a group's weight.
    fn weight(&self) -> usize {
        self.outputs * self.depth()
    }

    /// A group's part of the weight.
    fn weight_of<'a, T>(&self, weight: &'a [T], part: usize) -> &'a [T] {
        &weight[part % self.groups * self.weight()..][..self.weight()]
    }

    /// Begins a group's part of a result or an image with the bias of each channel, or with zeros.
    fn begin<T: Float>(&self, bias: Option<&[T]>, part: usize, channels: usize, y: &mut [T]) {
        let Some(bias) = bias else { return y.fill(T::ZERO) };
        let (first, size) = (part % self.groups * channels, y.len() / channels.max(1));
        y.chunks_exact_mut(size.max(1)).zip(&bias[first..]).for_each(|(y, &bias)| y.fill(bias));
    }

    /// Calls `f` with the number and the elements of each part of `y`, as large as `size`, some parts on each thread.
    fn for_each_part<T: Float>(&self, y: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        let together = WORTH_A_THREAD.div_ceil((self.weight() * self.windows.places()).max(1));
        for_each_piece(y, together * size.max(1), |piece, y| {
            y.chunks_exact_mut(size.max(1)).enumerate().for_each(|(k, y)| f(piece * together + k, y));
        });
    }
}

/// `y = W x + b` for the windows of x `[N, C, H, W]`, W `[out, C / groups, taps]`.
pub(crate) fn convolve<T: Float>(c: &Convolution, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (depth, places) = (c.depth(), c.windows.places());
    c.for_each_part(y, c.result(), |part, y| {
        with_scratch(depth * places, |columns| {
            im2col(&c.windows, c.inputs, &x[part * c.image()..][..c.image()], columns);
            c.begin(bias, part, c.outputs, y);
            let weight = Matrix::new(c.weight_of(weight, part), c.outputs, depth, false);
            gemm(weight, Matrix::new(columns, depth, places, false), Onto::Own, y);
        });
    });
}

/// The derivative of [`convolve`] by x, along y, plus a bias: the transposed convolution.
pub(crate) fn transpose<T: Float>(c: &Convolution, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
    let (depth, places) = (c.depth(), c.windows.places());
    c.for_each_part(x, c.image(), |part, x| {
        with_scratch(depth * places, |columns| {
            let y = Matrix::new(&y[part * c.result()..][..c.result()], c.outputs, places, false);
            gemm(Matrix::new(c.weight_of(weight, part), depth, c.outputs, true), y, Onto::Zeros, columns);
            c.begin(bias, part, c.inputs, x);
            col2im(&c.windows, c.inputs, columns, x);
        });
    });
}

/// The derivative of [`convolve`] by the weight, along y.
pub(crate) fn weight_gradient<T: Float>(c: &Convolution, x: &[T], y: &[T], weight: &mut [T]) {
    let (depth, places, whole) = (c.depth(), c.windows.places(), weight.len());
    let parts = y.len() / c.result().max(1);
    let images = (parts / c.groups.max(1)).div_ceil(SHARES).max(1);
    with_scratch(SHARES * whole, |sums| {
        sums.fill(T::ZERO);
        for_each_piece(sums, whole, |share, sum| {
            with_scratch(depth * places, |columns| {
                let first = share * images * c.groups;
                for part in first..parts.min(first + images * c.groups) {
                    im2col(&c.windows, c.inputs, &x[part * c.image()..][..c.image()], columns);
                    let y = Matrix::new(&y[part * c.result()..][..c.result()], c.outputs, places, false);
                    let sum = &mut sum[part % c.groups * c.weight()..][..c.weight()];
                    gemm(y, Matrix::new(columns, places, depth, true), Onto::Own, sum);
                }
            });
        });
        weight.fill(T::ZERO);
        for sum in sums.chunks_exact(whole.max(1)) {
            weight.iter_mut().zip(sum).for_each(|(weight, &sum)| *weight += sum);
        }
    });
}
