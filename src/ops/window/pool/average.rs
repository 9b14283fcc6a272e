//! Average pooling and its gradient, which is linear: each is the other's rule.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::kernel::base::memory::reserved;
use crate::kernel::window::pool::{self, AxisWindows};
use crate::ops::registry::Registered;
use crate::ops::window::{PerAxis, WindowSpec, positive};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor, checked_shape};
use std::fmt::Debug;
use std::ops::Range;
use std::rc::Rc;

/// Average pooling along the last `D` axes: the layer, and the argument of [`Var::avg_pool2d`].
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::ones([1, 1, 2, 2]));
/// let pool = AvgPool2d::new(2).padding(1);
/// assert_eq!(pool.forward(&x).value(), &Tensor::full([1, 1, 2, 2], 0.25));
/// assert_eq!(pool.count_include_pad(false).forward(&x).value(), &Tensor::ones([1, 1, 2, 2]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool<const D: usize> {
    window: WindowSpec<D>,
    ceil: bool,
    count_include_pad: bool,
}

impl<const D: usize> AvgPool<D> {
    /// Non-overlapping windows of the given size.
    ///
    /// # Panics
    /// If a size is 0.
    #[track_caller]
    pub fn new(kernel: impl PerAxis<D>) -> Self {
        AvgPool {
            window: WindowSpec::non_overlapping(positive("kernel", kernel)),
            ceil: false,
            count_include_pad: true,
        }
    }

    /// Whether the mean includes the padding, as it does by default. Elements beyond the padding, which
    /// [`ceil_mode`](AvgPool::ceil_mode) adds, are never included.
    pub fn count_include_pad(self, count_include_pad: bool) -> Self {
        AvgPool { count_include_pad, ..self }
    }

    #[track_caller]
    fn apply<T: Float>(&self, op: &str, x: &Var<T>) -> Var<T> {
        let windows = self.window.output_of(op, x.shape(), self.ceil);
        let first = x.shape().len() - D;
        let mut spans = Vec::with_capacity(D);
        for axis in 0..D {
            let (size, padding) = (x.shape()[first + axis], self.window.padding[axis]);
            let k = 2 - D + axis;
            let mut along = reserved(windows.output[k]);
            for window in 0..windows.output[k] {
                let (offsets, start) = windows.valid_offsets(k, window);
                if offsets.is_empty() {
                    panics::window_on_padding(op, window, first + axis, x.shape());
                }
                let (begin, end) = (window * windows.stride[k], size + 2 * padding);
                let whole = (begin + windows.kernel[k]).min(end) - begin;
                let count = if self.count_include_pad { whole } else { offsets.len() };
                along.push((start..start + offsets.len(), count as f64));
            }
            spans.push(AxisWindows { size, windows: along });
        }
        AvgPoolOp(AvgPoolPlan::new(spans, x.shape())).of([x])
    }
}

window_options!(AvgPool);

/// Average pooling to a given output size: window i of o covers the elements `⌊i n / o⌋ … ⌈(i + 1) n / o⌉ − 1` of an axis of n.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::ones([4, 16, 7, 5]));
/// assert_eq!(AdaptiveAvgPool2d::new(1).forward(&x).shape(), [4, 16, 1, 1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveAvgPool<const D: usize> {
    size: [usize; D],
}

impl<const D: usize> AdaptiveAvgPool<D> {
    /// Pooling to the given output size.
    pub fn new(size: impl PerAxis<D>) -> Self {
        AdaptiveAvgPool { size: size.per_axis() }
    }

    #[track_caller]
    fn apply<T: Float>(&self, op: &str, x: &Var<T>) -> Var<T> {
        let Some(first) = x.shape().len().checked_sub(D) else { panics::no_images(op, x.shape(), D) };
        checked_shape(op, x.shape()[..first].iter().chain(&self.size).copied().collect());
        let mut spans = Vec::with_capacity(D);
        for (k, &count) in self.size.iter().enumerate() {
            let size = x.shape()[first + k];
            if size == 0 {
                panics::nothing_to_choose(op, first + k, x.shape());
            }
            let window = |i: usize| {
                let (i, size, count) = (i as u128, size as u128, count as u128);
                let range = (i * size / count) as usize..((i + 1) * size).div_ceil(count) as usize;
                (range.clone(), range.len() as f64)
            };
            let mut windows = reserved(count);
            windows.extend((0..count).map(window));
            spans.push(AxisWindows { size, windows });
        }
        AvgPoolOp(AvgPoolPlan::new(spans, x.shape())).of([x])
    }
}

impl<const D: usize, S: PerAxis<D>> From<S> for AdaptiveAvgPool<D> {
    fn from(size: S) -> Self {
        AdaptiveAvgPool::new(size)
    }
}

/// The windows along each axis, and the shapes.
#[derive(Clone)]
struct AvgPoolPlan {
    spans: Rc<[AxisWindows; 2]>,
    input: Dims,
    output: Dims,
}

impl AvgPoolPlan {
    fn new(mut spans: Vec<AxisWindows>, input: &[usize]) -> Self {
        let (front, _) = input.split_at(input.len() - spans.len());
        let output = front.iter().copied().chain(spans.iter().map(|spans| spans.windows.len())).collect();
        let columns = spans.pop().expect("one axis or two");
        let rows = spans.pop().unwrap_or(AxisWindows { size: 1, windows: vec![(0..1, 1.0)] });
        AvgPoolPlan { spans: Rc::new([rows, columns]), input: Dims::from_slice(input), output }
    }

    fn axes(&self) -> [&AxisWindows; 2] {
        self.spans.each_ref()
    }
}

/// The matrix with whose rows an axis is multiplied for the mean of each window.
fn means(axis: &AxisWindows) -> Tensor<f64> {
    let is_in = |k: usize, window: &Range<usize>| f64::from(u8::from(window.contains(&k)));
    let row =
        |(window, count): &(Range<usize>, f64)| (0..axis.size).map(|k| is_in(k, window) / count).collect::<Vec<_>>();
    Tensor::from_vec(axis.windows.iter().flat_map(row).collect(), [axis.windows.len(), axis.size])
}

/// The mean of each window.
pub(crate) struct AvgPoolOp(AvgPoolPlan);

impl<T: Float> Op<T, 1> for AvgPoolOp {
    const NAME: &'static str = "avg_pool";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        if let [Some((rows, down)), Some((columns, right))] = self.0.axes().map(AxisWindows::regular) {
            description.data("kernel", Setting::Integers(vec![rows, columns]));
            description.data("strides", Setting::Integers(vec![down, right]));
        } else {
            let [rows, columns] = self.0.axes().map(means);
            description.data("rows", Setting::Tensor(rows));
            description.data("columns", Setting::Tensor(columns.transpose(0, 1)));
        }
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        Tensor::build(self.0.output.clone(), |y| pool::average(self.0.axes(), x.as_slice(), y))
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(AvgPoolGradient(self.0.clone()).of([gy]))]
    }
}

/// The gradient of average pooling: distributes each element equally over its window.
pub(crate) struct AvgPoolGradient(AvgPoolPlan);

impl<T: Float> Op<T, 1> for AvgPoolGradient {
    const NAME: &'static str = "avg_pool_gradient";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [y]: [&Tensor<T>; 1]) -> Tensor<T> {
        Tensor::build(self.0.input.clone(), |x| pool::average_gradient(self.0.axes(), y.as_slice(), x))
    }
    fn backward(&self, _: &Saved<T, 1>, gx: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(AvgPoolOp(self.0.clone()).of([gx]))]
    }
}

impl<T: Float> Var<T> {
    /// Average pooling: the mean of each window along the last axis.
    ///
    /// # Panics
    /// If the window is larger than the padded axis, or lies entirely in the padding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 3.0, 2.0, 0.0]]);
    /// assert_eq!(x.avg_pool1d(2).value(), &tensor![[2.0, 1.0]]);
    /// ```
    #[track_caller]
    pub fn avg_pool1d(&self, pool: impl Into<AvgPool<1>>) -> Var<T> {
        pool.into().apply("avg_pool1d", self)
    }

    /// Average pooling: the mean of each window along the last two axes; [`AvgPool2d`](crate::nn::AvgPool2d) has options.
    ///
    /// # Panics
    /// If the window is larger than the padded image, or lies entirely in the padding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[1.0, 2.0, 5.0, 1.0], [3.0, 0.0, 1.0, 1.0]]]);
    /// assert_eq!(x.avg_pool2d(2).value(), &tensor![[[1.5, 2.0]]]);
    /// ```
    #[track_caller]
    pub fn avg_pool2d(&self, pool: impl Into<AvgPool<2>>) -> Var<T> {
        pool.into().apply("avg_pool2d", self)
    }

    /// Adaptive average pooling: the means of `size` windows of nearly equal size along the last axis; they may overlap by one element.
    ///
    /// # Panics
    /// If there is no such axis, or it is empty.
    #[track_caller]
    pub fn adaptive_avg_pool1d(&self, size: impl Into<AdaptiveAvgPool<1>>) -> Var<T> {
        size.into().apply("adaptive_avg_pool1d", self)
    }

    /// Adaptive average pooling: the means of `size` windows of nearly equal size along the last two axes; they may overlap by one
    /// element.
    ///
    /// `adaptive_avg_pool2d(1)` is global average pooling, the mean of each channel.
    ///
    /// # Panics
    /// If there are no such axes, or one is empty.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]);
    /// assert_eq!(x.adaptive_avg_pool2d([1, 2]).value(), &tensor![[[3.0, 4.0]]]);
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, size: impl Into<AdaptiveAvgPool<2>>) -> Var<T> {
        size.into().apply("adaptive_avg_pool2d", self)
    }
}
