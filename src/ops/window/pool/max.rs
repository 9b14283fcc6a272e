//! Max pooling, its gradient, which adds at the positions of the maxima, and the adjoint of that, which gathers from them.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::kernel::window::Windows;
use crate::kernel::window::pool::{self, Argmax};
use crate::ops::registry::Registered;
use crate::ops::window::{PerAxis, WindowSpec, positive};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use std::fmt::Debug;

/// Max pooling along the last `D` axes: the layer, and the argument of [`Var::max_pool2d`].
///
/// At a tie the first maximum gets the whole gradient. NaN counts as the largest value. Padding is never the maximum.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::arange(0.0, 25.0, 1.0).reshape([1, 1, 5, 5]));
/// let y = MaxPool2d::new(3).stride(2).forward(&x);
/// assert_eq!(y.value(), &tensor![[[[12.0, 14.0], [22.0, 24.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool<const D: usize> {
    window: WindowSpec<D>,
    ceil: bool,
}

impl<const D: usize> MaxPool<D> {
    /// Non-overlapping windows of the given size.
    ///
    /// # Panics
    /// If a size is 0.
    #[track_caller]
    pub fn new(kernel: impl PerAxis<D>) -> Self {
        MaxPool { window: WindowSpec::non_overlapping(positive("kernel", kernel)), ceil: false }
    }

    /// The step from one element of a window to the next.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn dilation(mut self, dilation: impl PerAxis<D>) -> Self {
        self.window.dilation = positive("dilation", dilation);
        self
    }

    #[track_caller]
    fn apply<T: Float>(&self, op: &str, x: &Var<T>) -> Var<T> {
        let windows = self.window.output_of(op, x.shape(), self.ceil);
        for (k, axis) in (x.shape().len() - D..x.shape().len()).enumerate() {
            let k = 2 - D + k;
            if let Some(window) = (0..windows.output[k]).find(|&window| windows.valid_offsets(k, window).0.is_empty()) {
                panics::window_on_padding(op, window, axis, x.shape());
            }
        }
        let (front, _) = x.shape().split_at(x.shape().len() - D);
        let results = front.iter().chain(&windows.output[2 - D..]).copied().collect();
        MaxPoolOp(Maxima { windows, images: x.value().dims(), results, argmax: None }).of([x])
    }
}

window_options!(MaxPool);

/// The positions of the maxima, on which no derivative depends.
#[derive(Clone)]
struct Maxima {
    windows: Windows,
    images: Dims,
    results: Dims,
    /// `None` before the forward pass.
    argmax: Option<Argmax>,
}

impl Maxima {
    fn argmax(&self) -> &Argmax {
        self.argmax.as_ref().expect("the forward pass comes first")
    }
}

/// The maximum of each window.
pub(crate) struct MaxPoolOp(Maxima);

impl<T: Float> Op<T, 1> for MaxPoolOp {
    const NAME: &'static str = "max_pool";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let windows = &self.0.windows;
        let parts = [
            ("kernel", windows.kernel),
            ("strides", windows.stride),
            ("pads", windows.padding),
            ("dilations", windows.dilation),
        ];
        for (name, values) in parts {
            description.data(name, Setting::Integers(values.to_vec()));
        }
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, results, argmax, .. } = &mut self.0;
        Tensor::build(results.clone(), |y| *argmax = Some(pool::max(windows, x.as_slice(), y)))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(MaxPoolGradient(self.0.clone()).of([gy]))]
    }
}

/// The gradient of max pooling: zeros with each element added at the position of the maximum.
pub(crate) struct MaxPoolGradient(Maxima);

impl<T: Float> Op<T, 1> for MaxPoolGradient {
    const NAME: &'static str = "max_pool_gradient";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [y]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, images, .. } = &self.0;
        Tensor::build(images.clone(), |x| pool::max_gradient(windows, y.as_slice(), self.0.argmax(), x))
    }
    fn backward(&self, _: &Saved<T, 1>, gx: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(MaxPoolGather(self.0.clone()).of([gx]))]
    }
}

/// The adjoint of [`MaxPoolGradient`]: gathers the elements at the positions of the maxima.
pub(crate) struct MaxPoolGather(Maxima);

impl<T: Float> Op<T, 1> for MaxPoolGather {
    const NAME: &'static str = "max_pool_gather";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, results, .. } = &self.0;
        Tensor::build(results.clone(), |y| pool::max_gather(windows, x.as_slice(), self.0.argmax(), y))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(MaxPoolGradient(self.0.clone()).of([gy]))]
    }
}

impl<T: Float> Var<T> {
    /// Max pooling: the maximum of each window along the last axis.
    ///
    /// # Panics
    /// If the window is larger than the padded axis, or lies entirely in the padding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 3.0, 2.0, 0.0]]);
    /// assert_eq!(x.max_pool1d(2).value(), &tensor![[3.0, 2.0]]);
    /// assert_eq!(x.max_pool1d(MaxPool1d::new(2).stride(1)).value(), &tensor![[3.0, 3.0, 2.0]]);
    /// ```
    #[track_caller]
    pub fn max_pool1d(&self, pool: impl Into<MaxPool<1>>) -> Var<T> {
        pool.into().apply("max_pool1d", self)
    }

    /// Max pooling: the maximum of each window along the last two axes; [`MaxPool2d`](crate::nn::MaxPool2d) has options.
    ///
    /// `max_pool2d(2)` halves height and width.
    ///
    /// # Panics
    /// If the window is larger than the padded image, or lies entirely in the padding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[1.0, 2.0, 5.0, 1.0], [3.0, 0.0, 1.0, 1.0]]]);
    /// let y = x.max_pool2d(2);
    /// assert_eq!(y.value(), &tensor![[[3.0, 5.0]]]);
    /// assert_eq!(y.sum().grad(&x).value(), &tensor![[[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]]);
    /// ```
    #[track_caller]
    pub fn max_pool2d(&self, pool: impl Into<MaxPool<2>>) -> Var<T> {
        pool.into().apply("max_pool2d", self)
    }
}
