//! The layers of transformers.

use super::{Init, LayerNorm, Linear, MultiHeadAttention};
use crate::autograd::Var;
use crate::ops::{Attention, check_rate};
use crate::tensor::Float;
use rand::Rng;

/// The two linear layers of a transformer layer, with an activation and dropout between them.
#[derive(Clone, Copy, Debug)]
struct Settings<T: Float> {
    activation: fn(&Var<T>) -> Var<T>,
    dropout: f64,
    norm_first: bool,
}

impl<T: Float> Settings<T> {
    fn new() -> Self {
        Settings { activation: Var::relu, dropout: 0.0, norm_first: false }
    }

    #[track_caller]
    fn feed_forward(&self, linear1: &Linear<T>, linear2: &Linear<T>, x: &Var<T>) -> Var<T> {
        let h = (self.activation)(&linear1.forward(x)).dropout(self.dropout);
        linear2.forward(&h)
    }

    /// What a part of the layer reads: `norm(x)` or x. A function of the part as an argument would hide the caller's line.
    #[track_caller]
    fn input(&self, norm: &LayerNorm<T>, x: &Var<T>) -> Var<T> {
        if self.norm_first { norm.forward(x) } else { x.clone() }
    }

    /// The sum of x and what a part computed, after dropout: `x + y` or `norm(x + y)`.
    #[track_caller]
    fn residual(&self, norm: &LayerNorm<T>, x: &Var<T>, y: &Var<T>) -> Var<T> {
        let sum = x + y.dropout(self.dropout);
        if self.norm_first { sum } else { norm.forward(&sum) }
    }
}

/// A linear layer initialized as PyTorch does it.
#[track_caller]
fn linear<T: Float>(inputs: usize, outputs: usize, rng: &mut dyn Rng) -> Linear<T> {
    Linear::create(inputs, outputs, true, Init::Uniform(1.0 / (inputs.max(1) as f64).sqrt()), rng)
}

macro_rules! settings {
    ($layer:ident: $($attention:ident),+) => {
        impl<T: Float> $layer<T> {
            /// Normalizes the input of each part of the layer instead of its output.
            #[must_use]
            pub fn norm_first(mut self) -> Self {
                self.settings.norm_first = true;
                self
            }

            /// Sets the activation between the two linear layers, such as `Var::gelu`; [`Var::relu`] by default.
            #[must_use]
            pub fn activation(mut self, activation: fn(&Var<T>) -> Var<T>) -> Self {
                self.settings.activation = activation;
                self
            }

            /// Applies dropout at this rate, on training tapes, to the weights of the attention, after the activation, and to what each
            /// part adds; 0 by default, where PyTorch has 0.1.
            ///
            /// # Panics
            /// If the rate is not in [0, 1).
            #[must_use]
            #[track_caller]
            pub fn dropout(mut self, rate: f64) -> Self {
                self.settings.dropout = check_rate(rate);
                $(self.$attention = self.$attention.dropout(rate);)+
                self
            }
        }
    };
}

/// A layer of a transformer's encoder, Vaswani et al. 2017: self-attention, then two linear layers at each position, both with a
/// residual connection and layer normalization.
///
/// Names and layout of the parameters are those of PyTorch's `TransformerEncoderLayer`, with `batch_first`. With a causal mask it is a
/// layer of a language model.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = TransformerEncoderLayer::new(8, 2, 32, &mut wengert::rng(0)).norm_first().activation(Var::gelu);
/// let y = layer.forward(&Tape::new().constant(Tensor::ones([3, 5, 8])), &Attention::new());
/// assert_eq!(y.shape(), [3, 5, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct TransformerEncoderLayer<T: Float = f32> {
    /// The attention among the positions.
    pub self_attn: MultiHeadAttention<T>,
    /// The first linear layer, to the size of the hidden vectors.
    pub linear1: Linear<T>,
    /// The second linear layer, back to the size of the model.
    pub linear2: Linear<T>,
    /// The normalization of the attention.
    pub norm1: LayerNorm<T>,
    /// The normalization of the linear layers.
    pub norm2: LayerNorm<T>,
    settings: Settings<T>,
}
crate::module!(TransformerEncoderLayer<T> { self_attn, linear1, linear2, norm1, norm2; settings });
settings!(TransformerEncoderLayer: self_attn);

impl<T: Float> TransformerEncoderLayer<T> {
    /// Creates a layer for vectors of size `d_model`, with `heads` heads and hidden vectors of size `dim_feedforward`.
    ///
    /// # Panics
    /// If the number of heads does not divide `d_model`.
    #[track_caller]
    pub fn new(d_model: usize, heads: usize, dim_feedforward: usize, rng: &mut impl Rng) -> Self {
        Self::create([d_model, heads, dim_feedforward], rng)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn create([d_model, heads, dim_feedforward]: [usize; 3], rng: &mut dyn Rng) -> Self {
        TransformerEncoderLayer {
            self_attn: MultiHeadAttention::create(d_model, heads, true, rng),
            linear1: linear(d_model, dim_feedforward, rng),
            linear2: linear(dim_feedforward, d_model, rng),
            norm1: LayerNorm::new([d_model]),
            norm2: LayerNorm::new([d_model]),
            settings: Settings::new(),
        }
    }

    /// Maps `[N, T, E]` to the same shape.
    ///
    /// # Panics
    /// If the shape does not fit the layer, or a mask does not fit the shape.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>, options: &Attention<T>) -> Var<T> {
        let settings = &self.settings;
        let y = self.self_attn.forward(&settings.input(&self.norm1, x), options);
        let x = settings.residual(&self.norm1, x, &y);
        let y = settings.feed_forward(&self.linear1, &self.linear2, &settings.input(&self.norm2, &x));
        settings.residual(&self.norm2, &x, &y)
    }
}

/// A layer of a transformer's decoder, Vaswani et al. 2017: self-attention, attention to the result of the encoder, then two linear
/// layers at each position, all with a residual connection and layer normalization.
///
/// Names and layout of the parameters are those of PyTorch's `TransformerDecoderLayer`, with `batch_first`.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = TransformerDecoderLayer::new(8, 2, 32, &mut wengert::rng(0));
/// let tape = Tape::new();
/// let (x, memory) = (tape.constant(Tensor::ones([3, 5, 8])), tape.constant(Tensor::ones([3, 7, 8])));
/// let y = layer.forward(&x, &memory, &Attention::new().causal(), &Attention::new());
/// assert_eq!(y.shape(), [3, 5, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct TransformerDecoderLayer<T: Float = f32> {
    /// The attention among the positions.
    pub self_attn: MultiHeadAttention<T>,
    /// The attention to the memory, the result of the encoder.
    pub multihead_attn: MultiHeadAttention<T>,
    /// The first linear layer, to the size of the hidden vectors.
    pub linear1: Linear<T>,
    /// The second linear layer, back to the size of the model.
    pub linear2: Linear<T>,
    /// The normalization of the self-attention.
    pub norm1: LayerNorm<T>,
    /// The normalization of the attention to the memory.
    pub norm2: LayerNorm<T>,
    /// The normalization of the linear layers.
    pub norm3: LayerNorm<T>,
    settings: Settings<T>,
}
crate::module!(TransformerDecoderLayer<T> {
    self_attn, multihead_attn, linear1, linear2, norm1, norm2, norm3; settings
});
settings!(TransformerDecoderLayer: self_attn, multihead_attn);

impl<T: Float> TransformerDecoderLayer<T> {
    /// Creates a layer for vectors of size `d_model`, with `heads` heads and hidden vectors of size `dim_feedforward`.
    ///
    /// # Panics
    /// If the number of heads does not divide `d_model`.
    #[track_caller]
    pub fn new(d_model: usize, heads: usize, dim_feedforward: usize, rng: &mut impl Rng) -> Self {
        Self::create([d_model, heads, dim_feedforward], rng)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn create([d_model, heads, dim_feedforward]: [usize; 3], rng: &mut dyn Rng) -> Self {
        TransformerDecoderLayer {
            self_attn: MultiHeadAttention::create(d_model, heads, true, rng),
            multihead_attn: MultiHeadAttention::create(d_model, heads, true, rng),
            linear1: linear(d_model, dim_feedforward, rng),
            linear2: linear(dim_feedforward, d_model, rng),
            norm1: LayerNorm::new([d_model]),
            norm2: LayerNorm::new([d_model]),
            norm3: LayerNorm::new([d_model]),
            settings: Settings::new(),
        }
    }

    /// Maps `[N, T, E]`, given the memory `[N, S, E]`, to `[N, T, E]`; the options are those of the two attentions.
    ///
    /// # Panics
    /// If a shape does not fit the layer, or a mask does not fit the shapes.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>, memory: &Var<T>, own: &Attention<T>, cross: &Attention<T>) -> Var<T> {
        let settings = &self.settings;
        let y = self.self_attn.forward(&settings.input(&self.norm1, x), own);
        let x = settings.residual(&self.norm1, x, &y);
        let y = self.multihead_attn.cross(&settings.input(&self.norm2, &x), memory, memory, cross);
        let x = settings.residual(&self.norm2, &x, &y);
        let y = settings.feed_forward(&self.linear1, &self.linear2, &settings.input(&self.norm3, &x));
        settings.residual(&self.norm3, &x, &y)
    }
}
