//! The largest element of each window, and the adjoint pair by which its gradient travels: reading elements at the
//! positions of the maxima, and adding to them.

use crate::autograd::{Op, Save, Saved, Var};
use crate::kernel::window::Windows;
use crate::kernel::window::pool::{self, Argmax};
use crate::ops::registry::Registered;
use crate::ops::window::{PerAxis, Sliding, positive};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use std::fmt::Debug;

/// Max pooling along the last `D` axes with its options: a layer, and the argument of [`Var::max_pool2d`].
///
/// The first largest element of a window gets its whole gradient. A NaN is larger than anything. Padding is never the largest.
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
    window: Sliding<D>,
    ceil: bool,
}

impl<const D: usize> MaxPool<D> {
    /// Windows of the given size, one beside the other.
    ///
    /// # Panics
    /// If a size is 0.
    #[track_caller]
    pub fn new(kernel: impl PerAxis<D>) -> Self {
        MaxPool { window: Sliding::beside(positive("kernel", kernel)), ceil: false }
    }

    /// The step from one window to the next, instead of the size of the windows.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn stride(mut self, stride: impl PerAxis<D>) -> Self {
        self.window.stride = positive("stride", stride);
        self
    }

    /// How far windows may begin before and end beyond the image.
    pub fn padding(mut self, padding: impl PerAxis<D>) -> Self {
        self.window.padding = padding.per_axis();
        self
    }

    /// The step from one element under a window to the next.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn dilation(mut self, dilation: impl PerAxis<D>) -> Self {
        self.window.dilation = positive("dilation", dilation);
        self
    }

    /// Whether there is also a window for what is left at the end and does not fill one.
    pub fn ceil_mode(self, ceil: bool) -> Self {
        MaxPool { ceil, ..self }
    }

    #[track_caller]
    fn apply<T: Float>(&self, op: &str, x: &Var<T>) -> Var<T> {
        let windows = self.window.over(op, x.shape(), self.ceil);
        for (k, axis) in (x.shape().len() - D..x.shape().len()).enumerate() {
            let k = 2 - D + k;
            if let Some(window) = (0..windows.output[k]).find(|&window| windows.valid_offsets(k, window).0.is_empty()) {
                panics::window_on_padding(op, window, axis, x.shape());
            }
        }
        let (front, _) = x.shape().split_at(x.shape().len() - D);
        let results = front.iter().chain(&windows.output[2 - D..]).copied().collect();
        Max(Maxima { windows, images: x.value().dims(), results, argmax: None }).of([x])
    }
}

impl<const D: usize, K: PerAxis<D>> From<K> for MaxPool<D> {
    #[track_caller]
    fn from(kernel: K) -> Self {
        MaxPool::new(kernel)
    }
}

/// Where the largest elements are: no derivative depends on it.
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

/// The largest element of each window.
pub(crate) struct Max(Maxima);

impl<T: Float> Op<T, 1> for Max {
    const NAME: &'static str = "max_pool";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, results, argmax, .. } = &mut self.0;
        Tensor::build(results.clone(), |y| *argmax = Some(pool::max(windows, x.as_slice(), y)))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(PutAtMaxima(self.0.clone()).of([gy]))]
    }
}

/// Elements added to zeros where the largest ones were.
pub(crate) struct PutAtMaxima(Maxima);

impl<T: Float> Op<T, 1> for PutAtMaxima {
    const NAME: &'static str = "put_at_maxima";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [y]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, images, .. } = &self.0;
        Tensor::build(images.clone(), |x| pool::max_gradient(windows, y.as_slice(), self.0.argmax(), x))
    }
    fn backward(&self, _: &Saved<T, 1>, gx: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(PickAtMaxima(self.0.clone()).of([gx]))]
    }
}

/// The elements where the largest ones were.
pub(crate) struct PickAtMaxima(Maxima);

impl<T: Float> Op<T, 1> for PickAtMaxima {
    const NAME: &'static str = "pick_at_maxima";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let Maxima { windows, results, .. } = &self.0;
        Tensor::build(results.clone(), |y| pool::max_gather(windows, x.as_slice(), self.0.argmax(), y))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(PutAtMaxima(self.0.clone()).of([gy]))]
    }
}

impl<T: Float> Var<T> {
    /// The largest element of each window along the last axis.
    ///
    /// # Panics
    /// If the window is larger than the padded axis, or lies in the padding alone.
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

    /// The largest element of each window along the last two axes: `max_pool2d(2)` halves height and width, and
    /// [`MaxPool2d`](crate::nn::MaxPool2d) has options.
    ///
    /// # Panics
    /// If the window is larger than the padded image, or lies in the padding alone.
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
