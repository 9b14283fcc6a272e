//! Attention methods and their options.

use super::layout::Layout;
use super::{AttentionOp, DropoutOfWeights, Scores};
use crate::autograd::apply::apply_any;
use crate::autograd::{Operand, Var};
use crate::ops::check_rate;
use crate::panics::{self, check_option};
use crate::tensor::{Dims, Float, Tensor, broadcast};
use rand::Rng;

/// Options of [scaled dot-product attention](Var::scaled_dot_product_attention): masks, biases, the scale, dropout, and heads in the
/// last axis.
///
/// Masks and biases broadcast to `[…, H, T, S]`, with a row of S keys for each query; several are combined. They are constants.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::ones([2, 4, 5, 8])); // 2 sequences, 4 heads, 5 positions of size 8
/// let lengths = tensor![[[[1.0, 1.0, 1.0, 0.0, 0.0]]], [[[1.0, 1.0, 1.0, 1.0, 1.0]]]];
/// let y = x.scaled_dot_product_attention(&x, &x, &Attention::new().causal().mask(&lengths));
/// assert_eq!(y.shape(), [2, 4, 5, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct Attention<T: Float = f32> {
    causal: bool,
    scale: Option<f64>,
    dropout: f64,
    biases: Vec<Tensor<T>>,
    heads: Option<usize>,
    kv_heads: Option<usize>,
}

impl<T: Float> Attention<T> {
    /// Every query attends to every key, with the scale 1/√D and without dropout.
    pub fn new() -> Self {
        Attention { causal: false, scale: None, dropout: 0.0, biases: Vec::new(), heads: None, kv_heads: None }
    }

    /// Query i attends to keys 0 to i only. Blocks of keys that no query of a block attends to are skipped.
    #[doc(alias = "is_causal")]
    pub fn causal(self) -> Self {
        Attention { causal: true, ..self }
    }

    /// Hides the keys where the mask is 0, as does PyTorch's function of this name for a mask of booleans.
    ///
    /// A query whose keys are all hidden gives 0, and has gradient 0.
    #[doc(alias = "attn_mask")]
    pub fn mask(mut self, mask: &Tensor<T>) -> Self {
        self.biases.push(mask.map(|x| if x == T::ZERO { T::NEG_INFINITY } else { T::ZERO }));
        self
    }

    /// Hides the keys where a mask `[N, S]` is not 0: the padding of N sequences. PyTorch's `key_padding_mask`.
    ///
    /// # Panics
    /// If the mask does not have two axes.
    #[track_caller]
    pub fn key_padding_mask(self, mask: &Tensor<T>) -> Self {
        let &[n, keys] = mask.shape() else { panics::no_matrix("key_padding_mask", mask.shape()) };
        self.mask(&mask.mask(|x| x == T::ZERO).with_shape(Dims::from_slice(&[n, 1, 1, keys])))
    }

    /// Adds a tensor to the scores, before the softmax; −∞ hides a key.
    pub fn bias(mut self, bias: impl Into<Tensor<T>>) -> Self {
        self.biases.push(bias.into());
        self
    }

    /// Multiplies the scores by another number than 1/√D.
    ///
    /// # Panics
    /// If it is not finite.
    #[track_caller]
    pub fn scale(self, scale: f64) -> Self {
        Attention { scale: Some(check_option("scale", scale, ..)), ..self }
    }

    /// Drops weights at this rate, on a training tape, and scales the others by 1/(1 − rate).
    ///
    /// The mask is computed from a seed when it is needed, and not stored.
    ///
    /// # Panics
    /// If the rate is not in [0, 1).
    #[track_caller]
    pub fn dropout(self, rate: f64) -> Self {
        Attention { dropout: check_rate(rate), ..self }
    }

    /// The operands have H heads one after another in their last axis, `[…, T, H D]`, and so does the result: what a linear layer
    /// returns needs no transpose.
    pub fn heads(self, heads: usize) -> Self {
        Attention { heads: Some(heads), ..self }
    }

    /// Keys and values have fewer heads, each of which serves a group of queries, if the operands have [`heads`](Attention::heads) in
    /// their last axis. Ainslie et al. 2023; with one it is multi-query attention, Shazeer 2019.
    pub fn kv_heads(self, kv_heads: usize) -> Self {
        Attention { kv_heads: Some(kv_heads), ..self }
    }

    /// The number of heads of queries, and of keys and values, in the last axis.
    pub(super) fn merged_heads(&self) -> Option<[usize; 2]> {
        self.heads.map(|heads| [heads, self.kv_heads.unwrap_or(heads)])
    }

    /// The layout of separate operands.
    fn layout(&self, shapes: [&[usize]; 3]) -> Result<Layout, String> {
        match self.merged_heads() {
            Some([heads, kv_heads]) => Layout::merged(shapes, heads, kv_heads),
            None => Layout::separate(shapes),
        }
    }

    /// The operation for operands of a layout on the tape of a variable; the error is a bias that does not fit.
    pub(super) fn operation(&self, layout: Layout, x: &Var<T>) -> Result<AttentionOp<T>, String> {
        let full = layout.scores_shape();
        let mut biases = Vec::new();
        for bias in &self.biases {
            if broadcast(bias.shape(), &full).as_deref() != Some(&full) {
                return Err(panics::attention_mask(bias.shape(), &full));
            }
            let row: Dims = match bias.shape().split_last() {
                Some((_, others)) => others.iter().copied().chain([layout.sizes.keys]).collect(),
                None => Dims::from_slice(&[layout.sizes.keys]),
            };
            biases.push(bias.expand_to(&row));
        }
        let training = self.dropout > 0.0 && x.tape().is_training();
        let dropout = training.then(|| DropoutOfWeights { rate: self.dropout, seed: x.tape().generator().next_u64() });
        let scale = self.scale.unwrap_or_else(|| 1.0 / (layout.places[0].size as f64).sqrt());
        let causal = self.causal.then_some(0);
        Ok(AttentionOp::new(layout, Scores { scale, causal, biases: biases.into(), dropout }))
    }
}

impl<T: Float> Default for Attention<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> Var<T> {
    /// Scaled dot-product attention, Vaswani et al. 2017: `softmax(Q Kᵀ/√D) V` for queries Q `[…, H, T, D]` (this), keys
    /// K `[…, Hk, S, D]` and values V `[…, Hk, S, Dv]`; the result is `[…, H, T, Dv]`.
    ///
    /// Memory is linear in the number of positions: no matrix of T × S weights is kept, or held as a whole at any time (FlashAttention-2,
    /// Dao 2023). A recorded backward pass, [`grad`](Var::grad) or [`vjp`](Var::vjp), is the exception.
    ///
    /// If Hk is less than H, which it must divide, each head of keys and values serves H / Hk heads of queries. A query that may attend to
    /// no key gives 0, and has gradient 0.
    ///
    /// # Panics
    /// If the shapes do not fit, or a mask does not broadcast to `[…, H, T, S]`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let (q, k) = (tape.var([[[1.0], [0.0]]]), tape.constant([[[100.0], [0.0], [-100.0]]]));
    /// let v = tape.constant([[[1.0], [2.0], [6.0]]]);
    /// let y = q.scaled_dot_product_attention(&k, &v, &Attention::new());
    /// assert_eq!(y.value(), &tensor![[[1.0], [3.0]]]);
    /// let y = q.scaled_dot_product_attention(&k, &v, &Attention::new().causal());
    /// assert_eq!(y.value(), &tensor![[[1.0], [1.5]]]);
    /// ```
    #[doc(alias("sdpa", "flash_attention"))]
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: impl Operand<T>,
        value: impl Operand<T>,
        options: &Attention<T>,
    ) -> Var<T> {
        self.attend(&self.resolve_operand(&key), &self.resolve_operand(&value), options)
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn attend(&self, key: &Var<T>, value: &Var<T>, options: &Attention<T>) -> Var<T> {
        let layout = options.layout([self.shape(), key.shape(), value.shape()]);
        match layout.and_then(|layout| options.operation(layout, self)) {
            Ok(op) => apply_any(op, &[self, key, value]),
            Err(reason) => self.shape_error("scaled_dot_product_attention", key, &reason),
        }
    }

    /// [Attention](Var::scaled_dot_product_attention) among the positions of one sequence, whose queries, keys and values lie one after
    /// another in the last axis, `[…, T, (H + 2 Hk) D]`; the result is `[…, T, H D]`.
    ///
    /// That is what a linear layer returns whose weight stacks the three projections, as in PyTorch's `MultiheadAttention` and in GPT-2:
    /// it is neither split nor transposed. [`Attention::heads`] sets H, [`Attention::kv_heads`] sets Hk.
    ///
    /// # Panics
    /// If the number of heads is not set, the shape does not fit, or a mask does not broadcast to `[…, H, T, T]`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let (tape, rng) = (Tape::new(), &mut wengert::rng(0));
    /// let projection = Linear::new(8, 3 * 8, Init::Xavier, rng);
    /// let x = tape.var(Tensor::randn([2, 5, 8], rng));
    /// let y = projection.forward(&x).self_attention(&Attention::new().heads(4).causal());
    /// assert_eq!(y.shape(), [2, 5, 8]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn self_attention(&self, options: &Attention<T>) -> Var<T> {
        let Some([heads, kv_heads]) = options.merged_heads() else { panics::no_heads(self.shape()) };
        let layout = Layout::packed(self.shape(), heads, kv_heads);
        match layout.and_then(|layout| options.operation(layout, self)) {
            Ok(op) => apply_any(op, &[self]),
            Err(reason) => panics::wrong_shapes("self_attention", &reason, ""),
        }
    }

    /// The weights `softmax(Q Kᵀ/√D)` of [attention](Var::scaled_dot_product_attention), `[…, H, T, S]`, without dropout: for
    /// inspection, since this holds all T × S of them.
    ///
    /// # Panics
    /// If the shapes do not fit, or a mask does not broadcast to `[…, H, T, S]`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var(Tensor::ones([1, 3, 2]));
    /// let weights = x.attention_weights(&x, &Attention::new().causal());
    /// assert_eq!(weights.value().select(0, 0).select(0, 1), tensor![0.5, 0.5, 0.0]);
    /// ```
    #[track_caller]
    pub fn attention_weights(&self, key: impl Operand<T>, options: &Attention<T>) -> Var<T> {
        self.weights_for(&self.resolve_operand(&key), options)
    }

    #[track_caller]
    #[inline(never)]
    fn weights_for(&self, key: &Var<T>, options: &Attention<T>) -> Var<T> {
        let layout = options.layout([self.shape(), key.shape(), key.shape()]);
        let op = layout.and_then(|layout| Attention { dropout: 0.0, ..options.clone() }.operation(layout, self));
        let AttentionOp { layout, scores, .. } = match op {
            Ok(op) => op,
            Err(reason) => self.shape_error("attention_weights", key, &reason),
        };
        let [q, k, _] = layout.split(&[self.clone(), key.clone(), key.clone()]);
        scores.weights(&layout, &q, &k).with_shape(layout.scores_shape())
    }
}
