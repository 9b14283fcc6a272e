//! Multi-head attention, and the cache of keys and values for generation.

use super::{Init, Linear};
use crate::autograd::{Operand, Param, Var};
use crate::ops::{Attention, KeyValueCache, Rotary, check_rate};
use crate::panics;
use crate::tensor::{Float, Tensor};
use rand::Rng;

/// Multi-head attention, Vaswani et al. 2017: projections to queries, keys and values, attention in each head, and a projection of the
/// joined heads.
///
/// Names and layout of the parameters are those of PyTorch's `MultiheadAttention`, with `batch_first`; they are initialized in the
/// same way, uniformly with the variance of [`Init::Xavier`] and with biases of 0. Masks are [options](Attention) of each call: there 0
/// hides a key, while PyTorch's module hides where its mask is true.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = MultiHeadAttention::new(8, 2, &mut wengert::rng(0));
/// let tape = Tape::new();
/// let x = tape.constant(Tensor::ones([3, 5, 8])); // 3 sequences, 5 positions of size 8
/// assert_eq!(layer.forward(&x, &Attention::new().causal()).shape(), [3, 5, 8]);
///
/// let memory = tape.constant(Tensor::ones([3, 7, 8]));
/// let y = layer.cross(&x, &memory, &memory, &Attention::new());
/// assert_eq!(y.shape(), [3, 5, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct MultiHeadAttention<T: Float = f32> {
    /// The projections to queries, keys and values, one above the other: `[E + 2 Hk D, E]`.
    pub in_proj_weight: Param<T>,
    /// `[E + 2 Hk D]`; `None` for a layer without biases.
    pub in_proj_bias: Option<Param<T>>,
    /// The projection of the joined heads.
    pub out_proj: Linear<T>,
    heads: usize,
    kv_heads: usize,
    dropout: f64,
    rotary: Option<Rotary<T>>,
}
crate::module!(MultiHeadAttention<T> { in_proj_weight, in_proj_bias, out_proj; heads, kv_heads, dropout, rotary });

impl<T: Float> MultiHeadAttention<T> {
    /// Creates a layer for vectors of size `embed_dim` with the given number of heads, which must divide it.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn new(embed_dim: usize, heads: usize, rng: &mut impl Rng) -> Self {
        Self::create(embed_dim, heads, true, rng)
    }

    /// Creates a layer without biases.
    ///
    /// # Panics
    /// If the number of heads does not divide `embed_dim`.
    #[track_caller]
    pub fn without_bias(embed_dim: usize, heads: usize, rng: &mut impl Rng) -> Self {
        Self::create(embed_dim, heads, false, rng)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn create(embed_dim: usize, heads: usize, bias: bool, rng: &mut dyn Rng) -> Self {
        if heads == 0 || embed_dim == 0 || !embed_dim.is_multiple_of(heads) {
            panics::head_count(embed_dim, heads);
        }
        let bound = Init::Uniform(1.0 / (embed_dim as f64).sqrt());
        MultiHeadAttention {
            in_proj_weight: Param::new(Init::XavierUniform.sample(&[embed_dim.saturating_mul(3), embed_dim], rng)),
            in_proj_bias: bias.then(|| Param::new(Tensor::zeros([3 * embed_dim]))),
            out_proj: Linear::create(embed_dim, embed_dim, bias, bound, rng),
            heads,
            kv_heads: heads,
            dropout: 0.0,
            rotary: None,
        }
    }

    /// Reduces the number of heads of keys and values, each of which then serves a group of heads of queries. Ainslie et al. 2023.
    ///
    /// # Panics
    /// If it does not divide the number of heads.
    #[must_use]
    #[track_caller]
    pub fn kv_heads(mut self, kv_heads: usize) -> Self {
        if kv_heads == 0 || !self.kv_heads.is_multiple_of(kv_heads) {
            panics::kv_head_count(self.heads, kv_heads);
        }
        let rows = kv_heads * self.head_size();
        let [queries, keys, values] = self.rows();
        let shrink = |param: &mut Param<T>| {
            let part = |start: usize, count: usize| param.value().slice(0, start as isize..(start + count) as isize);
            let parts = [part(0, queries.len()), part(keys.start, rows), part(values.start, rows)];
            *param.value_mut() = Tensor::concat(&parts, 0);
        };
        shrink(&mut self.in_proj_weight);
        self.in_proj_bias.iter_mut().for_each(shrink);
        MultiHeadAttention { kv_heads, ..self }
    }

    /// Drops weights at this rate on training tapes; 0 by default.
    ///
    /// # Panics
    /// If the rate is not in [0, 1).
    #[must_use]
    #[track_caller]
    pub fn dropout(self, rate: f64) -> Self {
        MultiHeadAttention { dropout: check_rate(rate), ..self }
    }

    /// Rotates queries and keys by their positions, in [`forward`](Self::forward) and [`forward_cached`](Self::forward_cached).
    #[must_use]
    pub fn rotary(self, rotary: Rotary<T>) -> Self {
        MultiHeadAttention { rotary: Some(rotary), ..self }
    }

    /// Self-attention of `[N, T, E]`, or of `[T, E]`.
    ///
    /// # Panics
    /// If the shape does not fit the layer, or a mask does not fit the shape.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>, options: &Attention<T>) -> Var<T> {
        let mut qkv = project(x, &self.in_proj_weight, self.in_proj_bias.as_ref());
        if let Some(rotary) = &self.rotary {
            qkv = qkv.rotate_vectors(rotary, 0, self.heads + self.kv_heads);
        }
        self.out_proj.forward(&qkv.self_attention(&self.options(options)))
    }

    /// Attention of queries `[N, T, E]` to keys and values `[N, S, E]`; the result is `[N, T, E]`.
    ///
    /// Positions of queries and keys are not rotated, since they belong to different sequences.
    ///
    /// # Panics
    /// If the shapes do not fit the layer or each other, or a mask does not fit them.
    #[track_caller]
    #[inline(never)]
    pub fn cross(&self, query: &Var<T>, key: &Var<T>, value: &Var<T>, options: &Attention<T>) -> Var<T> {
        let [q, k, v] = [query, key, value];
        let (q, k, v) = (self.projected(q, 0), self.projected(k, 1), self.projected(v, 2));
        self.out_proj.forward(&q.attend(&k, &v, &self.options(options)))
    }

    /// The weights with which queries attend to keys, averaged over the heads, `[N, T, S]`: what PyTorch's module returns as well.
    ///
    /// Dropout and rotary positions do not apply.
    ///
    /// # Panics
    /// As [`cross`](Self::cross).
    #[track_caller]
    #[inline(never)]
    pub fn weights(&self, query: &Var<T>, key: &Var<T>, options: &Attention<T>) -> Var<T> {
        let (q, k) = (self.projected(query, 0), self.projected(key, 1));
        q.attention_weights(&k, &self.options(options)).mean_over(-3)
    }

    /// Causal self-attention of the next positions `[N, T, E]` of sequences whose keys and values are in the cache, to which those of the
    /// next positions are added.
    ///
    /// The result is the same as that of [`forward`](Self::forward) on the whole sequences, at the next positions. Gradients do not flow
    /// into the cache, so this is for tapes that record nothing.
    ///
    /// # Panics
    /// If `x` is recorded, the shape does not fit the cache, or the cache is full.
    #[track_caller]
    #[inline(never)]
    pub fn forward_cached(&self, x: &Var<T>, cache: &mut KeyValueCache<T>) -> Var<T> {
        let mut qkv = project(x, &self.in_proj_weight, self.in_proj_bias.as_ref());
        if let Some(rotary) = &self.rotary {
            qkv = qkv.rotate_vectors(rotary, cache.len(), self.heads + self.kv_heads);
        }
        self.out_proj.forward(&qkv.cached_attention(&Attention::new().heads(self.heads).kv_heads(self.kv_heads), cache))
    }

    fn head_size(&self) -> usize {
        self.out_proj.weight.shape()[1] / self.heads
    }

    /// The rows of the stacked projection to queries, keys and values.
    fn rows(&self) -> [std::ops::Range<usize>; 3] {
        let (q, kv) = (self.heads * self.head_size(), self.kv_heads * self.head_size());
        [0..q, q..q + kv, q + kv..q + 2 * kv]
    }

    /// The projection to queries, keys or values.
    #[track_caller]
    fn projected(&self, x: &Var<T>, which: usize) -> Var<T> {
        let rows = self.rows()[which].clone();
        let part = |param: &Param<T>| x.tape().param(param).narrow(0, rows.clone());
        project(x, part(&self.in_proj_weight), self.in_proj_bias.as_ref().map(part))
    }

    /// The options of a call with those of the layer.
    fn options(&self, options: &Attention<T>) -> Attention<T> {
        options.clone().heads(self.heads).kv_heads(self.kv_heads).dropout(self.dropout)
    }
}

#[track_caller]
fn project<T: Float>(x: &Var<T>, weight: impl Operand<T>, bias: Option<impl Operand<T>>) -> Var<T> {
    match bias {
        Some(bias) => x.linear_bias(weight, bias),
        None => x.linear(weight),
    }
}
