//! Convolution and its gradients: with respect to the image (transposed convolution) and with respect to the weight.
//!
//! ⟨convolve(x, w), y⟩ is linear in x, in w and in y. The three operations are its derivatives with respect to y, x and w.
//! Each is linear in its two inputs, so its backward rule consists of the other two: the family is closed under
//! differentiation.

mod options;
pub(crate) mod unfold;

pub use options::Conv;

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::kernel::window::conv::{self, Convolution};
use crate::ops::registry::Registered;
use crate::tensor::{Dims, Float, Tensor};

/// The sizes of a convolution along one or two axes.
#[derive(Clone, Copy)]
struct Geometry {
    axes: usize,
    parts: Convolution,
}

impl Geometry {
    /// Adds the settings that differ from their defaults.
    fn describe(&self, description: &mut Description) {
        let windows = &self.parts.windows;
        let settings =
            [("stride", windows.stride, 1), ("padding", windows.padding, 0), ("dilation", windows.dilation, 1)];
        for (name, values, default) in settings {
            let values = &values[2 - self.axes..];
            if values.iter().any(|&value| value != default) {
                description.field(name, &values);
            }
        }
        if self.parts.groups != 1 {
            description.field("groups", &self.parts.groups);
        }
        let tail = |values: [usize; 2]| Setting::Integers(values[2 - self.axes..].to_vec());
        description
            .data("strides", tail(windows.stride))
            .data("pads", tail(windows.padding))
            .data("dilations", tail(windows.dilation))
            .data("group", Setting::Integers(vec![self.parts.groups]));
    }
}

impl Geometry {
    fn images(&self, count: usize) -> Dims {
        self.shape(&[count, self.parts.groups * self.parts.inputs], self.parts.windows.input)
    }

    fn results(&self, count: usize) -> Dims {
        self.shape(&[count, self.parts.groups * self.parts.outputs], self.parts.windows.output)
    }

    fn weights(&self) -> Dims {
        self.shape(&[self.parts.groups * self.parts.outputs, self.parts.inputs], self.parts.windows.kernel)
    }

    fn shape(&self, front: &[usize], sizes: [usize; 2]) -> Dims {
        front.iter().chain(&sizes[2 - self.axes..]).copied().collect()
    }

    #[track_caller]
    fn convolve<T: Float>(self, x: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Var<T> {
        match bias {
            Some(bias) => Convolve(self).of([x, weight, bias]),
            None => Convolve(self).of([x, weight]),
        }
    }

    #[track_caller]
    fn transpose<T: Float>(self, y: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Var<T> {
        match bias {
            Some(bias) => Transpose(self).of([y, weight, bias]),
            None => Transpose(self).of([y, weight]),
        }
    }

    #[track_caller]
    fn weight_gradient<T: Float>(self, x: &Var<T>, y: &Var<T>) -> Var<T> {
        WeightGradient(self).of([x, y])
    }
}

/// The gradient of a bias: the sum over samples and positions.
fn bias_gradient<T: Float>(gy: &Var<T>) -> Var<T> {
    let positions = 2..gy.shape().len();
    gy.sum_over(positions.collect::<Dims>().as_slice()).sum_over(0)
}

/// `y = convolve(x, w)`: `gx = transpose(gy, w)`, `gw = weight_gradient(x, gy)`.
pub(crate) struct Convolve(Geometry);

impl Convolve {
    fn value<T: Float>(&self, x: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        Tensor::build(self.0.results(x.shape()[0]), |y| {
            conv::convolve(&self.0.parts, x.as_slice(), weight.as_slice(), bias.map(Tensor::as_slice), y);
        })
    }
    fn gradients<T: Float, const N: usize>(&self, saved: &Saved<T, N>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        [
            saved.needs(0).then(|| self.0.transpose(gy, &saved.input(1), None)),
            saved.needs(1).then(|| self.0.weight_gradient(&saved.input(0), gy)),
        ]
    }
}

impl<T: Float> Op<T, 2> for Convolve {
    const NAME: &'static str = "conv";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, weight]: [&Tensor<T>; 2]) -> Tensor<T> {
        self.value(x, weight, None)
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        self.gradients(saved, gy)
    }
}

/// With a bias for each channel: `gb = Σ gy` over samples and positions.
impl<T: Float> Op<T, 3> for Convolve {
    const NAME: &'static str = "conv";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, weight, bias]: [&Tensor<T>; 3]) -> Tensor<T> {
        self.value(x, weight, Some(bias))
    }
    fn backward(&self, saved: &Saved<T, 3>, gy: &Var<T>) -> [Option<Var<T>>; 3] {
        let [gx, gw] = self.gradients(saved, gy);
        [gx, gw, saved.needs(2).then(|| bias_gradient(gy))]
    }
}

/// `x = transpose(y, w)`: `gy = convolve(gx, w)`, `gw = weight_gradient(gx, y)`.
pub(crate) struct Transpose(Geometry);

impl Transpose {
    fn value<T: Float>(&self, y: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        Tensor::build(self.0.images(y.shape()[0]), |x| {
            conv::transpose(&self.0.parts, y.as_slice(), weight.as_slice(), bias.map(Tensor::as_slice), x);
        })
    }
    fn gradients<T: Float, const N: usize>(&self, saved: &Saved<T, N>, gx: &Var<T>) -> [Option<Var<T>>; 2] {
        [
            saved.needs(0).then(|| self.0.convolve(gx, &saved.input(1), None)),
            saved.needs(1).then(|| self.0.weight_gradient(gx, &saved.input(0))),
        ]
    }
}

impl<T: Float> Op<T, 2> for Transpose {
    const NAME: &'static str = "conv_transpose";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [y, weight]: [&Tensor<T>; 2]) -> Tensor<T> {
        self.value(y, weight, None)
    }
    fn backward(&self, saved: &Saved<T, 2>, gx: &Var<T>) -> [Option<Var<T>>; 2] {
        self.gradients(saved, gx)
    }
}

/// With a bias for each channel: `gb = Σ gx` over samples and positions.
impl<T: Float> Op<T, 3> for Transpose {
    const NAME: &'static str = "conv_transpose";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [y, weight, bias]: [&Tensor<T>; 3]) -> Tensor<T> {
        self.value(y, weight, Some(bias))
    }
    fn backward(&self, saved: &Saved<T, 3>, gx: &Var<T>) -> [Option<Var<T>>; 3] {
        let [gy, gw] = self.gradients(saved, gx);
        [gy, gw, saved.needs(2).then(|| bias_gradient(gx))]
    }
}

/// `w = weight_gradient(x, y)`: `gx = transpose(y, gw)`, `gy = convolve(x, gw)`.
pub(crate) struct WeightGradient(Geometry);

impl<T: Float> Op<T, 2> for WeightGradient {
    const NAME: &'static str = "conv_weight_gradient";
    const SAVE: Save = Save::Others;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, y]: [&Tensor<T>; 2]) -> Tensor<T> {
        Tensor::build(self.0.weights(), |weight| {
            conv::weight_gradient(&self.0.parts, x.as_slice(), y.as_slice(), weight);
        })
    }
    fn backward(&self, saved: &Saved<T, 2>, gw: &Var<T>) -> [Option<Var<T>>; 2] {
        [
            saved.needs(0).then(|| self.0.transpose(&saved.input(1), gw, None)),
            saved.needs(1).then(|| self.0.convolve(&saved.input(0), gw, None)),
        ]
    }
}
