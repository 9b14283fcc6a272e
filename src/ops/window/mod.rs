//! Sliding windows, for convolution and pooling.

pub(crate) mod conv;
pub(crate) mod pool;

use crate::kernel::window::Windows;
use crate::panics;
use crate::tensor::checked_shape;

/// A size for each of `D` axes: one number for all axes, or one for each, such as `[height, width]` or `(height, width)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a size for each of {D} axes",
    label = "expected a number for all axes, or an array with one for each, of type `usize`"
)]
pub trait PerAxis<const D: usize> {
    /// The value for each axis.
    fn per_axis(self) -> [usize; D];
}

impl<const D: usize> PerAxis<D> for usize {
    fn per_axis(self) -> [usize; D] {
        [self; D]
    }
}

impl<const D: usize> PerAxis<D> for [usize; D] {
    fn per_axis(self) -> [usize; D] {
        self
    }
}

impl PerAxis<2> for (usize, usize) {
    fn per_axis(self) -> [usize; 2] {
        self.into()
    }
}

/// The values for each axis; panics if one is 0.
#[track_caller]
pub(crate) fn positive<const D: usize>(what: &str, values: impl PerAxis<D>) -> [usize; D] {
    let values = values.per_axis();
    if values.contains(&0) {
        panics::option(what, 0.0, "1 or more");
    }
    values
}

/// Kernel size, stride, padding and dilation of a window that slides along the last `D` axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowSpec<const D: usize> {
    pub(crate) kernel: [usize; D],
    pub(crate) stride: [usize; D],
    pub(crate) padding: [usize; D],
    pub(crate) dilation: [usize; D],
}

impl<const D: usize> WindowSpec<D> {
    /// Non-overlapping windows: the stride is the kernel size.
    pub(crate) fn non_overlapping(kernel: [usize; D]) -> Self {
        WindowSpec { kernel, stride: kernel, padding: [0; D], dilation: [1; D] }
    }

    /// The extent of the dilated kernel along an axis, or the largest number if that is exceeded.
    fn span(&self, k: usize) -> usize {
        self.dilation[k].saturating_mul(self.kernel[k] - 1).saturating_add(1)
    }

    /// The windows on an input `[…, H, W]`.
    ///
    /// With `ceil` the number of windows is rounded up, but no window starts in the padding at the end.
    ///
    /// # Panics
    /// If there are too few axes, or the window is larger than the padded input.
    #[track_caller]
    pub(crate) fn output_of(&self, op: &str, shape: &[usize], ceil: bool) -> Windows {
        let Some(first) = shape.len().checked_sub(D) else { panics::no_images(op, shape, D) };
        let mut output = [0; D];
        for (k, output) in output.iter_mut().enumerate() {
            let (size, padding, step) = (shape[first + k], self.padding[k], self.stride[k]);
            let padded = size.saturating_add(padding.saturating_mul(2));
            check_extent(op, &shape[..first], padded);
            let Some(room) = padded.checked_sub(self.span(k)) else {
                panics::window_too_large(op, self.span(k), first + k, shape, padded)
            };
            let last =
                if ceil { room.div_ceil(step).min((size + padding).saturating_sub(1) / step) } else { room / step };
            *output = last + 1;
        }
        checked_shape(op, shape[..first].iter().chain(&output).copied().collect());
        self.windows(&shape[first..], output)
    }

    /// The windows of a transposed convolution, whose input `shape` is the output of the convolution.
    ///
    /// # Panics
    /// If there are too few axes, or the padding removes every element.
    #[track_caller]
    pub(crate) fn input_of(&self, op: &str, shape: &[usize], output_padding: [usize; D]) -> Windows {
        let Some(first) = shape.len().checked_sub(D) else { panics::no_images(op, shape, D) };
        let mut input = [0; D];
        for (k, input) in input.iter_mut().enumerate() {
            let last = (shape[first + k].max(1) - 1).saturating_mul(self.stride[k]);
            let whole = last.saturating_add(self.span(k)).saturating_add(output_padding[k]);
            check_extent(op, &shape[..first], whole);
            *input = match whole.checked_sub(self.padding[k].saturating_mul(2)) {
                Some(size) if size > 0 && shape[first + k] > 0 => size,
                _ => panics::nothing_left(op, self.padding[k], first + k, shape, whole),
            };
        }
        checked_shape(op, shape[..first].iter().chain(&input).copied().collect());
        let output: [usize; D] = std::array::from_fn(|k| shape[first + k]);
        self.windows(&input, output)
    }

    fn windows(&self, input: &[usize], output: [usize; D]) -> Windows {
        Windows {
            input: pad_to_2d(input, 1),
            output: pad_to_2d(&output, 1),
            kernel: pad_to_2d(&self.kernel, 1),
            stride: pad_to_2d(&irrelevant_as_1(self.stride, output), 1),
            padding: pad_to_2d(&self.padding, 0),
            dilation: pad_to_2d(&irrelevant_as_1(self.dilation, self.kernel), 1),
        }
    }
}

/// Panics if there can be no images of that extent.
#[track_caller]
fn check_extent(op: &str, front: &[usize], extent: usize) {
    checked_shape(op, front.iter().copied().chain([extent]).collect());
}

/// The steps between `count` points along each axis; that of a single point is replaced, since it may be any number.
fn irrelevant_as_1<const D: usize>(steps: [usize; D], count: [usize; D]) -> [usize; D] {
    std::array::from_fn(|k| if count[k] > 1 { steps[k] } else { 1 })
}

/// One or two values as two; `fill` is the first of the two for windows along one axis.
fn pad_to_2d(values: &[usize], fill: usize) -> [usize; 2] {
    match *values {
        [width] => [fill, width],
        [height, width] => [height, width],
        _ => unreachable!("windows slide along one axis or two"),
    }
}
