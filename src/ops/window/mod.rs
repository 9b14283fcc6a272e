//! What sliding windows have in common: sizes for each axis, and where the windows lie.

pub(crate) mod conv;
pub(crate) mod pool;

use crate::kernel::window::Windows;
use crate::panics;

/// A size, a step or the like for each of `D` axes: one number for all of them, or an array, `[height, width]`.
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

/// Values for each axis of which none may be 0.
#[track_caller]
pub(crate) fn positive<const D: usize>(what: &str, values: impl PerAxis<D>) -> [usize; D] {
    let values = values.per_axis();
    if values.contains(&0) {
        panics::option(what, 0.0, "1 or more");
    }
    values
}

/// A window that slides over the last `D` axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sliding<const D: usize> {
    pub(crate) kernel: [usize; D],
    pub(crate) stride: [usize; D],
    pub(crate) padding: [usize; D],
    pub(crate) dilation: [usize; D],
}

impl<const D: usize> Sliding<D> {
    /// Windows one beside the other.
    pub(crate) fn beside(kernel: [usize; D]) -> Self {
        Sliding { kernel, stride: kernel, padding: [0; D], dilation: [1; D] }
    }

    /// What the window spans along an axis.
    fn span(&self, k: usize) -> usize {
        self.dilation[k] * (self.kernel[k] - 1) + 1
    }

    /// The windows on images `[…, H, W]`; with `ceil` also one that begins on the image or before it and ends beyond.
    ///
    /// # Panics
    /// If there are too few axes, or the window is larger than the image with its padding.
    #[track_caller]
    pub(crate) fn over(&self, op: &str, shape: &[usize], ceil: bool) -> Windows {
        let Some(first) = shape.len().checked_sub(D) else { panics::no_images(op, shape, D) };
        let mut output = [0; D];
        for (k, output) in output.iter_mut().enumerate() {
            let (size, padding, step) = (shape[first + k], self.padding[k], self.stride[k]);
            let Some(way) = (size + 2 * padding).checked_sub(self.span(k)) else {
                panics::window_too_large(op, self.span(k), first + k, shape, size + 2 * padding)
            };
            let last =
                if ceil { way.div_ceil(step).min((size + padding).saturating_sub(1) / step) } else { way / step };
            *output = last + 1;
        }
        self.windows(&shape[first..], output)
    }

    /// The windows from images of which each becomes `shape`, with as many as it has: those of a transposed convolution.
    ///
    /// # Panics
    /// If there are too few axes, or the padding takes everything away.
    #[track_caller]
    pub(crate) fn onto(&self, op: &str, shape: &[usize], output_padding: [usize; D]) -> Windows {
        let Some(first) = shape.len().checked_sub(D) else { panics::no_images(op, shape, D) };
        let mut input = [0; D];
        for (k, input) in input.iter_mut().enumerate() {
            let whole = (shape[first + k].max(1) - 1) * self.stride[k] + self.span(k) + output_padding[k];
            *input = match whole.checked_sub(2 * self.padding[k]) {
                Some(size) if size > 0 && shape[first + k] > 0 => size,
                _ => panics::nothing_left(op, self.padding[k], first + k, shape, whole),
            };
        }
        let output: [usize; D] = std::array::from_fn(|k| shape[first + k]);
        self.windows(&input, output)
    }

    fn windows(&self, input: &[usize], output: [usize; D]) -> Windows {
        Windows {
            input: two(input, 1),
            output: two(&output, 1),
            kernel: two(&self.kernel, 1),
            stride: two(&self.stride, 1),
            padding: two(&self.padding, 0),
            dilation: two(&self.dilation, 1),
        }
    }
}

/// One or two values as two, the first of which may be missing.
fn two(values: &[usize], missing: usize) -> [usize; 2] {
    match *values {
        [width] => [missing, width],
        [height, width] => [height, width],
        _ => unreachable!("windows slide along one axis or two"),
    }
}
