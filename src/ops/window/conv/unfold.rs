//! Images unfolded into columns of windows and the adjoint, columns folded into images; each is the backward rule of the other.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::kernel::window::Windows;
use crate::kernel::window::columns::{col2im, im2col, interleaved, with_deinterleaved};
use crate::ops::registry::Registered;
use crate::ops::window::conv::Conv;
use crate::ops::window::{PerAxis, positive};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor, checked_shape};

/// The windows of images `[N, C, H, W]` as columns `[N, C · kernel_len, output_len]`.
pub(crate) struct Unfold(Columns);

/// Columns summed into images at the positions of their windows.
pub(crate) struct Fold(Columns);

#[derive(Clone, Copy)]
struct Columns {
    channels: usize,
    windows: Windows,
}

impl<T: Float> Op<T, 1> for Unfold {
    const NAME: &'static str = "unfold";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let Windows { kernel, stride, padding, dilation, output, .. } = self.0.windows;
        let lists =
            [("kernel", kernel), ("strides", stride), ("pads", padding), ("dilations", dilation), ("output", output)];
        for (name, values) in lists {
            description.data(name, Setting::Integers(values.to_vec()));
        }
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Columns { channels, windows } = self.0;
        let (rows, positions) = (channels * windows.kernel_len(), windows.output_len());
        let image = channels * windows.input_len();
        Tensor::build(Dims::from_slice(&[x.shape()[0], rows, positions]), |y| {
            for (sample, y) in y.chunks_exact_mut((rows * positions).max(1)).enumerate() {
                with_deinterleaved(&windows, &x.as_slice()[sample * image..][..image], |x| {
                    im2col(&windows, channels, 0..windows.output[0], x, y);
                });
            }
        })
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(Fold(self.0).of([gy]))]
    }
}

impl<T: Float> Op<T, 1> for Fold {
    const NAME: &'static str = "fold";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [y]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Columns { channels, windows } = self.0;
        let ([height, width], [count, rows, positions]) = (windows.input, [0, 1, 2].map(|axis| y.shape()[axis]));
        Tensor::build(Dims::from_slice(&[count, channels, height, width]), |x| {
            for (sample, x) in x.chunks_exact_mut((channels * windows.input_len()).max(1)).enumerate() {
                interleaved(&windows, x, |x| {
                    x.fill(T::ZERO);
                    let y = &y.as_slice()[sample * rows * positions..][..rows * positions];
                    col2im(&windows, channels, 0..windows.output[0], y, x);
                });
            }
        })
    }
    fn backward(&self, _: &Saved<T, 1>, gx: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(Unfold(self.0).of([gx]))]
    }
}

impl<T: Float> Var<T> {
    /// The windows of images `[N, C, H, W]` as columns `[N, C · kernel height · kernel width, windows]` (im2col).
    ///
    /// The matrix product of a weight with these columns is a convolution, which [`conv2d`](Var::conv2d) computes without
    /// storing the columns. Groups are ignored.
    ///
    /// # Panics
    /// If x is not `[N, C, H, W]`, or the kernel is larger than the padded image.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]);
    /// let y = x.unfold2d([2, 2], Conv::new());
    /// assert_eq!(y.value(), &tensor![[[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]]);
    /// ```
    #[doc(alias = "im2col")]
    #[track_caller]
    pub fn unfold2d(&self, kernel: impl PerAxis<2>, options: Conv<2>) -> Var<T> {
        let [_, channels, _, _] = *self.shape() else { panics::no_image_batch("unfold2d", self.shape()) };
        let windows = options.window(&positive("kernel", kernel)).output_of("unfold2d", self.shape(), false);
        let ([rows, columns], [height, width]) = (windows.kernel, windows.output);
        checked_shape("unfold2d", Dims::from_slice(&[self.shape()[0], channels, rows, columns, height, width]));
        Unfold(Columns { channels, windows }).of([self])
    }
}
