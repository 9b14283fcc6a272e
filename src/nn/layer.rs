//! The [`Layer`] trait: modules that map one variable to another.

use super::containers::tuples;
use super::{BatchNorm, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Linear, Module};
use super::{GroupNorm, InstanceNorm, LayerNorm, Path, RmsNorm};
use crate::autograd::{Param, Var};
use crate::tensor::Float;

/// A module that maps one variable to another.
///
/// It is implemented by the layers of this module, and by tuples, vectors, arrays and options of layers, which apply their
/// elements in order. Parameters are numbered as in PyTorch's `nn.Sequential`, where layers without parameters count too:
///
/// ```
/// use wengert::nn::{Flatten, Relu};
/// use wengert::prelude::*;
///
/// # let mut rng = wengert::rng(0);
/// let model = (
///     Flatten,
///     Linear::new(784, 256, Init::He, &mut rng),
///     Relu,
///     Linear::new(256, 10, Init::Xavier, &mut rng),
/// );
/// let tape = Tape::new();
/// let scores = model.forward(&tape.constant(Tensor::ones([8, 28, 28])));
/// assert_eq!(scores.shape(), [8, 10]);
/// let paths: Vec<String> = model.parameters().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["1.weight", "1.bias", "3.weight", "3.bias"]);
/// ```
///
/// [`Sequential`](super::Sequential) holds a number of layers chosen at run time, and [`Lambda`] turns a closure into a layer.
/// Custom models become layers by implementing `forward`:
///
/// ```
/// use wengert::prelude::*;
///
/// /// Adds the input to the output of the inner layer.
/// #[derive(Clone, Module)]
/// struct Residual<L> { inner: L }
///
/// impl<L: Layer> Layer for Residual<L> {
///     fn forward(&self, x: &Var) -> Var {
///         x + self.inner.forward(x)
///     }
/// }
///
/// # let mut rng = wengert::rng(0);
/// let layers: Vec<Box<dyn Layer>> =
///     vec![Box::new(Residual { inner: Linear::new(4, 4, Init::He, &mut rng) }), Box::new(LayerNorm::new([4]))];
/// assert_eq!(layers.forward(&Tape::new().constant([[1.0; 4]])).shape(), [1, 4]);
/// assert_eq!(layers.parameters()[0].0, "0.inner.weight");
/// ```
///
/// Layers are `Send` and `Sync`, so that a model can be shared between threads. [`Embedding`](super::Embedding) is not a
/// `Layer`: its input consists of indices, which are integers without a gradient, so it takes the tape as a separate
/// argument.
///
/// Calls through `dyn Layer` lose the caller's location: listings and panics then show the source line of the layer itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Layer<{T}>`",
    label = "has no `forward` of one variable",
    note = "implement `Layer`, whose only method is `fn forward(&self, x: &Var<T>) -> Var<T>`",
    note = "a closure is a layer in `Lambda`: `Lambda(|x: &Var| x.relu())`"
)]
pub trait Layer<T: Float = f32>: Module<T> + Send + Sync {
    /// Applies the layer.
    ///
    /// # Panics
    /// If the shape of `x` does not match the layer.
    #[doc(alias = "__call__")]
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T>;
}

macro_rules! layers {
    ($($layer:ident),*) => { $(
        impl<T: Float> Layer<T> for $layer<T> {
            #[track_caller]
            fn forward(&self, x: &Var<T>) -> Var<T> {
                $layer::forward(self, x)
            }
        }
    )* };
}
layers!(Linear, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d);
layers!(BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm);

impl<T: Float, L: Layer<T>> Layer<T> for Option<L> {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        match self {
            Some(layer) => layer.forward(x),
            None => x.clone(),
        }
    }
}

impl<T: Float, L: Layer<T> + ?Sized> Layer<T> for Box<L> {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        (**self).forward(x)
    }
}

impl<T: Float, L: Layer<T>> Layer<T> for [L] {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        let mut y = x.clone();
        for layer in self {
            y = layer.forward(&y);
        }
        y
    }
}

impl<T: Float, L: Layer<T>> Layer<T> for Vec<L> {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        self.as_slice().forward(x)
    }
}

impl<T: Float, L: Layer<T>, const N: usize> Layer<T> for [L; N] {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        self.as_slice().forward(x)
    }
}

macro_rules! tuple {
    ($($layer:ident $Layer:ident),+) => {
        impl<T: Float, $($Layer: Layer<T>),+> Layer<T> for ($($Layer,)+) {
            #[track_caller]
            fn forward(&self, x: &Var<T>) -> Var<T> {
                let ($($layer,)+) = self;
                let y = x.clone();
                $(let y = $layer.forward(&y);)+
                y
            }
        }
    };
}
tuples!(tuple: a A, b B, c C, d D, e E, g G, h H, i I, j J, k K, l L, m M);

/// Implements [`Module`] for a layer without parameters.
macro_rules! stateless {
    ([$($generics:tt)*] $layer:ty, $kind:expr) => {
        impl<T: Float, $($generics)*> Module<T> for $layer {
            fn kind(&self) -> &'static str {
                $kind
            }
            fn visit<'a>(&'a self, _: &mut Path, _: &mut dyn FnMut(&Path, &'a Param<T>)) {}
            fn visit_mut<'a>(&'a mut self, _: &mut Path, _: &mut dyn FnMut(&Path, &'a mut Param<T>)) {}
        }
    };
}
pub(super) use stateless;

/// A layer made from a closure, such as `Lambda(|x: &Var| x.reshape([-1, 784]))`.
///
/// ```
/// use wengert::nn::Lambda;
/// use wengert::prelude::*;
///
/// let model = (Lambda(Var::square), Lambda(|x: &Var| x * 2.0));
/// assert_eq!(model.forward(&Tape::new().constant([3.0])).value(), &tensor![18.0]);
/// ```
#[derive(Clone, Copy)]
pub struct Lambda<F>(pub F);

stateless!([F] Lambda<F>, "Lambda");

impl<T: Float, F: Fn(&Var<T>) -> Var<T> + Send + Sync> Layer<T> for Lambda<F> {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        (self.0)(x)
    }
}

impl<F> std::fmt::Debug for Lambda<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Lambda")
    }
}
