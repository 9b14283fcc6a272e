//! Neural networks: modules, layers and weight initialization.

#![warn(missing_debug_implementations)]

mod activation;
mod attention;
mod batch_norm;
mod containers;
mod conv;
mod cost;
mod diagnosis;
mod dropout;
mod embedding;
mod embedding_bag;
mod freeze;
mod group_norm;
mod init;
mod layer;
mod layer_norm;
mod linear;
mod module;
mod norms;
mod path;
mod pool;
mod recompute;
mod recurrent;
mod sequential;
mod summary;
mod transformer;

pub use crate::autograd::Param;
pub use crate::ops::{KeyValueCache, Rotary, alibi, sinusoidal_positions};
pub use activation::{
    Elu, Flatten, Gelu, Hardsigmoid, Hardswish, Identity, LeakyRelu, LogSigmoid, LogSoftmax, Mish, Relu, Relu6, Selu,
    Sigmoid, Silu, Softmax, Softplus, Tanh,
};
pub use attention::MultiHeadAttention;
pub use batch_norm::BatchNorm;
pub use conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d};
pub use diagnosis::Missing;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use embedding_bag::EmbeddingBag;
pub use group_norm::{GroupNorm, InstanceNorm};
pub use init::{Fan, Init, Nonlinearity};
pub use layer::{Lambda, Layer};
pub use layer_norm::{LayerNorm, RmsNorm};
pub use linear::Linear;
pub use module::Module;
#[doc(hidden)]
pub use module::absent;
pub use norms::{Norms, ParameterNorms};
pub use path::{Path, PathStep};
pub use pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
pub use recompute::recompute;
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, LstmState, Recurrent, Rnn, RnnCell};
pub use sequential::Sequential;
pub use summary::Summary;
pub use transformer::{TransformerDecoderLayer, TransformerEncoderLayer};
/// Implements [`Module`](trait@Module) for a struct or an enum whose fields are modules.
///
/// The path of a parameter consists of the names of the fields that lead to it, or of their positions in a tuple struct; raw
/// identifiers lose their prefix, so `r#gen` becomes `gen`. An enum behaves like its current variant; a variant with a single
/// unnamed field behaves like that field and adds no step to the path.
///
/// `#[module(skip)]` marks a field that is not a module.
///
/// The element type is the type parameter bounded by `Float`. For a type without one it is `f32`, or the type given by
/// `#[module(f64)]`; if all field types are generic, the implementation covers every element type.
///
/// ```
/// use wengert::prelude::*;
///
/// #[derive(Module)]
/// struct Block<T: Float, const N: usize> {
///     layers: [Linear<T>; N],
///     activation: Activation<T>,
///     #[module(skip)]
///     rate: f64,
/// }
///
/// #[derive(Module)]
/// enum Activation<T: Float> {
///     Relu,
///     PRelu { slope: Param<T> },
///     Norm(LayerNorm<T>),
/// }
///
/// let layers = [Linear::new(2, 2, Init::He, &mut wengert::rng(0))];
/// let block: Block<f32, 1> = Block { layers, activation: Activation::PRelu { slope: Param::new(0.1) }, rate: 0.5 };
/// let paths: Vec<String> = block.parameters().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["layers.0.weight", "layers.0.bias", "activation.slope"]);
/// ```
#[cfg(feature = "derive")]
pub use wengert_derive::Module;

use crate::autograd::{Tape, Var};
use crate::ops::Attention;
use crate::tensor::{Float, Indices, Tensor};
use rand::Rng;
use std::hint::black_box;

/// Instantiates the layers for an element type.
pub(crate) fn instantiate<T: Float>() {
    /// A trait object instantiates all methods of the layer.
    fn layer<T: Float, L: Layer<T>>(layer: &L) -> &dyn Layer<T> {
        layer
    }
    macro_rules! layers {
        ($($layer:ident),*) => {
            $(black_box(layer::<T, $layer<T>> as fn(&$layer<T>) -> &dyn Layer<T>);)*
            $(black_box($layer::<T>::forward as fn(&$layer<T>, &Var<T>) -> Var<T>);)*
        };
    }
    layers!(Linear, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d);
    layers!(BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm);
    layers!(Rnn, Lstm, Gru);
    black_box(layer::<T, Sequential<T>> as fn(&Sequential<T>) -> &dyn Layer<T>);
    black_box(Init::sample::<T> as fn(Init, &[usize], &mut dyn Rng) -> Tensor<T>);
    black_box(Linear::<T>::create as fn(usize, usize, bool, Init, &mut dyn Rng) -> Linear<T>);
    black_box(conv::weight::<T> as fn([usize; 2], &[usize], usize, bool, Init, &mut dyn Rng) -> Param<T>);
    black_box(conv::zeros::<T> as fn(usize) -> Param<T>);
    black_box(BatchNorm::<T>::new as fn(usize) -> BatchNorm<T>);
    black_box(GroupNorm::<T>::new as fn(usize, usize) -> GroupNorm<T>);
    black_box(RnnCell::<T>::forward as fn(&RnnCell<T>, &Var<T>, Option<&Var<T>>) -> Var<T>);
    black_box(GruCell::<T>::forward as fn(&GruCell<T>, &Var<T>, Option<&Var<T>>) -> Var<T>);
    black_box(LstmCell::<T>::forward as fn(&LstmCell<T>, &Var<T>, Option<&LstmState<T>>) -> LstmState<T>);
    recurrent::instantiate::<T>();
    black_box((
        MultiHeadAttention::<T>::create as fn(usize, usize, bool, &mut dyn Rng) -> MultiHeadAttention<T>,
        MultiHeadAttention::<T>::forward as fn(&MultiHeadAttention<T>, &Var<T>, &Attention<T>) -> Var<T>,
        MultiHeadAttention::<T>::weights as fn(&MultiHeadAttention<T>, &Var<T>, &Var<T>, &Attention<T>) -> Var<T>,
        MultiHeadAttention::<T>::forward_cached as fn(&MultiHeadAttention<T>, &Var<T>, &mut KeyValueCache<T>) -> Var<T>,
        TransformerEncoderLayer::<T>::create as fn([usize; 3], &mut dyn Rng) -> TransformerEncoderLayer<T>,
        TransformerEncoderLayer::<T>::forward as fn(&TransformerEncoderLayer<T>, &Var<T>, &Attention<T>) -> Var<T>,
        TransformerDecoderLayer::<T>::create as fn([usize; 3], &mut dyn Rng) -> TransformerDecoderLayer<T>,
    ));
    black_box(
        TransformerDecoderLayer::<T>::forward
            as fn(&TransformerDecoderLayer<T>, &Var<T>, &Var<T>, &Attention<T>, &Attention<T>) -> Var<T>,
    );
    black_box(Embedding::<T>::look_up as fn(&Embedding<T>, &Tape<T>, Indices) -> Var<T>);
}
