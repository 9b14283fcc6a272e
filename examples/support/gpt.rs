//! The model of nanoGPT, which is that of GPT-2, without biases and dropout.

use wengert::nn::KeyValueCache;
use wengert::prelude::*;

/// The sizes of a model.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub vocabulary: usize,
    /// The longest text that the model can read.
    pub positions: usize,
    pub layers: usize,
    pub heads: usize,
    pub width: usize,
}

/// A language model; the last layer has the weights of the first, the embedding.
pub struct Gpt {
    transformer: Transformer,
    heads: usize,
}
module!(Gpt { transformer; heads });

struct Transformer {
    wte: Embedding,
    wpe: Embedding,
    h: Vec<Block>,
    ln_f: LayerNorm,
}
module!(Transformer { wte, wpe, h, ln_f });

struct Block {
    ln_1: LayerNorm,
    attn: CausalAttention,
    ln_2: LayerNorm,
    mlp: Mlp,
}
module!(Block { ln_1, attn, ln_2, mlp });

struct CausalAttention {
    c_attn: Linear,
    c_proj: Linear,
}
module!(CausalAttention { c_attn, c_proj });

struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
}
module!(Mlp { c_fc, c_proj });

impl Block {
    fn new(sizes: Sizes, rng: &mut impl Rng) -> Self {
        let n = sizes.width;
        // Each layer adds twice to the same vectors: smaller weights keep the variance of the sum.
        let (init, added) = (Init::Normal(0.02), Init::Normal(0.02 / (2.0 * sizes.layers as f64).sqrt()));
        let c_attn = Linear::without_bias(n, 3 * n, init, rng);
        let attn = CausalAttention { c_attn, c_proj: Linear::without_bias(n, n, added, rng) };
        let c_fc = Linear::without_bias(n, 4 * n, init, rng);
        let mlp = Mlp { c_fc, c_proj: Linear::without_bias(4 * n, n, added, rng) };
        Block { ln_1: LayerNorm::without_bias([n]), attn, ln_2: LayerNorm::without_bias([n]), mlp }
    }

    fn forward(&self, x: &Var, attend: impl FnOnce(&Var) -> Var) -> Var {
        let qkv = self.attn.c_attn.forward(&self.ln_1.forward(x));
        let x = x + self.attn.c_proj.forward(&attend(&qkv));
        let hidden = self.mlp.c_fc.forward(&self.ln_2.forward(&x)).gelu();
        &x + self.mlp.c_proj.forward(&hidden)
    }
}

impl Gpt {
    pub fn new(sizes: Sizes, rng: &mut impl Rng) -> Self {
        let init = Init::Normal(0.02);
        let transformer = Transformer {
            wte: Embedding::new(sizes.vocabulary, sizes.width, init, rng),
            wpe: Embedding::new(sizes.positions, sizes.width, init, rng),
            h: (0..sizes.layers).map(|_| Block::new(sizes, rng)).collect(),
            ln_f: LayerNorm::without_bias([sizes.width]),
        };
        Gpt { transformer, heads: sizes.heads }
    }

    /// The longest text that the model can read.
    pub fn positions(&self) -> usize {
        self.transformer.wpe.weight.shape()[0]
    }

    /// Scores of the token after each of those in `[N, T]`: `[N, T, vocabulary]`.
    pub fn forward(&self, tape: &Tape, tokens: &Indices) -> Var {
        let options = self.options();
        self.scores(tape, tokens, 0, |_, qkv| qkv.self_attention(&options))
    }

    /// The same for tokens that follow those in the caches.
    pub fn forward_cached(&self, tape: &Tape, tokens: &Indices, caches: &mut [KeyValueCache]) -> Var {
        let (options, first) = (self.options(), caches[0].len());
        self.scores(tape, tokens, first, |layer, qkv| qkv.cached_attention(&options, &mut caches[layer]))
    }

    /// Empty caches for the given number of texts, one for each layer.
    pub fn caches(&self, texts: usize) -> Vec<KeyValueCache> {
        let [positions, width] = *self.transformer.wpe.weight.shape() else { unreachable!("it is a matrix") };
        self.transformer.h.iter().map(|_| KeyValueCache::new(texts, positions, width)).collect()
    }

    fn options(&self) -> Attention {
        Attention::new().heads(self.heads).causal()
    }

    fn scores(&self, tape: &Tape, tokens: &Indices, first: usize, mut attend: impl FnMut(usize, &Var) -> Var) -> Var {
        let Transformer { wte, wpe, h, ln_f } = &self.transformer;
        let positions: Vec<usize> = (first..first + tokens.shape()[1]).collect();
        let mut x = wte.forward(tape, tokens) + wpe.forward(tape, positions);
        for (layer, block) in h.iter().enumerate() {
            x = block.forward(&x, |qkv| attend(layer, qkv));
        }
        ln_f.forward(&x).linear(&wte.weight)
    }
}
