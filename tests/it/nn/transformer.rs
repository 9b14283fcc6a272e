//! Transformers whose state dicts come from PyTorch.

use super::attention::{difference, expected};
use crate::support::files::fixture;
use crate::support::panics::panic_of;
use wengert::io::{LoadOptions, load, safetensors};
use wengert::nn::KeyValueCache;
use wengert::prelude::*;

#[test]
fn state_dicts_of_pytorch_give_its_outputs() {
    let (tape, rng) = (Tape::new(), &mut wengert::rng(0));
    let (x, memory) = (tape.constant(expected("x")), tape.constant(expected("memory")));
    let mut encoder = TransformerEncoderLayer::new(8, 2, 16, rng).activation(Var::gelu);
    load(&mut encoder, fixture("encoder_layer.safetensors")).unwrap();
    assert!(difference(encoder.forward(&x, &Attention::new()).value(), &expected("encoder")) < 1e-5);
    let mut decoder = TransformerDecoderLayer::new(8, 2, 16, rng).norm_first();
    load(&mut decoder, fixture("decoder_layer.safetensors")).unwrap();
    let y = decoder.forward(&x, &memory, &Attention::new().causal(), &Attention::new());
    assert!(difference(y.value(), &expected("decoder")) < 1e-5);
}

#[test]
fn dropout_changes_a_layer_on_training_tapes_only() {
    let layer = TransformerEncoderLayer::new(8, 2, 16, &mut wengert::rng(0)).dropout(0.5);
    let run = |tape: Tape| layer.forward(&tape.constant(expected("x")), &Attention::new()).value().clone();
    assert_eq!(run(Tape::new()), run(Tape::inference()));
    assert!(difference(&run(Tape::with_mode(Mode::Training(1))), &run(Tape::new())) > 0.1);
}

/// The model of nanoGPT, with its names.
struct Gpt {
    transformer: Transformer,
    lm_head: Linear,
}
module!(Gpt { transformer, lm_head });

struct Transformer {
    wte: Embedding,
    wpe: Embedding,
    h: Vec<Block>,
    ln_f: LayerNorm,
}
module!(Transformer { wte, wpe, h, ln_f });

struct Block {
    ln_1: LayerNorm,
    attn: SelfAttention,
    ln_2: LayerNorm,
    mlp: Mlp,
}
module!(Block { ln_1, attn, ln_2, mlp });

struct SelfAttention {
    c_attn: Linear,
    c_proj: Linear,
}
module!(SelfAttention { c_attn, c_proj });

struct Mlp {
    c_fc: Linear,
    c_proj: Linear,
}
module!(Mlp { c_fc, c_proj });

impl Gpt {
    fn new(vocabulary: usize, block_size: usize, layers: usize, size: usize) -> Self {
        let (rng, init) = (&mut wengert::rng(0), Init::Normal(0.02));
        let mut linear = |inputs, outputs| Linear::new(inputs, outputs, init, rng);
        let block = |_| Block {
            ln_1: LayerNorm::new([size]),
            attn: SelfAttention { c_attn: linear(size, 3 * size), c_proj: linear(size, size) },
            ln_2: LayerNorm::new([size]),
            mlp: Mlp { c_fc: linear(size, 4 * size), c_proj: linear(4 * size, size) },
        };
        let h = (0..layers).map(block).collect();
        let (wte, wpe) = (Embedding::new(vocabulary, size, init, rng), Embedding::new(block_size, size, init, rng));
        let transformer = Transformer { wte, wpe, h, ln_f: LayerNorm::new([size]) };
        Gpt { transformer, lm_head: Linear::without_bias(size, vocabulary, init, rng) }
    }

    /// The scores of the next tokens; `attend` maps queries, keys and values of a layer to its attention.
    fn forward(&self, tape: &Tape, tokens: &Tensor, first: usize, mut attend: impl FnMut(usize, &Var) -> Var) -> Var {
        let indices: Vec<usize> = tokens.as_slice().iter().map(|&token| token as usize).collect();
        let positions: Vec<usize> = (first..first + tokens.shape()[1]).collect();
        let Transformer { wte, wpe, h, ln_f } = &self.transformer;
        let mut x = wte.forward(tape, Indices::new(indices, tokens.shape())) + wpe.forward(tape, positions);
        for (k, block) in h.iter().enumerate() {
            let qkv = block.attn.c_attn.forward(&block.ln_1.forward(&x));
            x += block.attn.c_proj.forward(&attend(k, &qkv));
            let hidden = block.mlp.c_fc.forward(&block.ln_2.forward(&x)).gelu();
            x += block.mlp.c_proj.forward(&hidden);
        }
        self.lm_head.forward(&ln_f.forward(&x))
    }
}

#[test]
fn a_state_dict_of_nano_gpt_gives_its_scores_and_generates_with_a_cache() {
    let mut model = Gpt::new(11, 6, 2, 8);
    load(&mut model, fixture("nano_gpt.safetensors")).unwrap();
    let tokens = &safetensors::read(fixture("transformers.safetensors")).unwrap()["tokens"];
    let tokens = Tensor::from_vec(tokens.indices().unwrap().iter().map(|&k| k as f32).collect(), [2, 5]);
    let options = Attention::new().heads(2).causal();
    let scores = model.forward(&Tape::new(), &tokens, 0, |_, qkv| qkv.self_attention(&options));
    assert!(difference(scores.value(), &expected("logits")) < 1e-5);

    let mut caches = vec![KeyValueCache::new(2, 6, 8); 2];
    for (start, end) in [(0, 3), (3, 4), (4, 5)] {
        let next = tokens.slice(1, start..end);
        let cached = model.forward(&Tape::inference(), &next, start as usize, |k, qkv| {
            qkv.cached_attention(&options, &mut caches[k])
        });
        assert!(difference(cached.value(), &expected("logits").slice(1, start..end)) < 1e-5);
    }
}

#[test]
fn gpt2_of_transformers_in_half_precision_gives_its_scores() {
    let expected = safetensors::read(fixture("gpt2_logits.safetensors")).unwrap();
    let tokens = Tensor::from_vec(expected["tokens"].tensor::<f32>().to_vec(), [2, 5]);
    let options = || {
        let matrices = |path: &str| path.contains(".c_") && path.ends_with("weight");
        LoadOptions::new().tie("lm_head.weight", "transformer.wte.weight").transpose(matrices)
    };
    let no_masks = |name: &str| (!name.ends_with(".attn.bias")).then(|| name.to_string());
    for (options, file) in [
        // One file, which has the tied weight under both names, and two, which have it under one.
        (options().strip_prefix("model.").rename(no_masks), "gpt2_bf16.pt"),
        (options().add_prefix("transformer."), "gpt2.safetensors.index.json"),
    ] {
        let mut model = Gpt::new(11, 6, 2, 8);
        let report = options.load(&mut model, fixture(file)).unwrap();
        assert_eq!((report.loaded.len(), report.extra.len(), report.missing.len()), (29, 0, 0));
        let attention = Attention::new().heads(2).causal();
        let scores = model.forward(&Tape::new(), &tokens, 0, |_, qkv| qkv.self_attention(&attention));
        let error = difference(scores.value(), &expected["logits"].tensor());
        assert!(error < 1e-5, "{error}");
    }
}

#[test]
fn mistakes_within_a_layer_are_reported_at_the_line_of_the_program() {
    let rng = &mut wengert::rng(0);
    let encoder: TransformerEncoderLayer = TransformerEncoderLayer::new(8, 2, 16, rng);
    let decoder: TransformerDecoderLayer = TransformerDecoderLayer::new(8, 2, 16, rng);
    let (tape, options) = (Tape::new(), Attention::new());
    let [right, wrong] = [8, 7].map(|size| tape.constant(Tensor::ones([1, 3, size])));
    for before in [false, true] {
        let (encoder, decoder) = if before {
            (encoder.clone().norm_first(), decoder.clone().norm_first())
        } else {
            (encoder.clone(), decoder.clone())
        };
        let mistakes: [&dyn Fn() -> Var; 3] =
            [&|| encoder.forward(&wrong, &options), &|| decoder.forward(&wrong, &right, &options, &options), &|| {
                decoder.forward(&right, &wrong, &options, &options)
            }];
        for mistake in mistakes {
            let report = panic_of(|| _ = mistake()).expect("the sizes do not fit");
            assert_eq!(report.file, file!(), "{}", report.message);
        }
    }
}

#[test]
fn operations_within_a_layer_are_listed_at_the_line_of_the_program() {
    let encoder: TransformerEncoderLayer = TransformerEncoderLayer::new(8, 2, 16, &mut wengert::rng(0));
    let tape = Tape::new();
    let _y = encoder.forward(&tape.constant(Tensor::ones([1, 3, 8])), &Attention::new());
    let listing = tape.to_string();
    assert!(!listing.contains("src/nn/transformer.rs") && listing.contains("tests/it/nn/transformer.rs"), "{listing}");
}

#[test]
fn a_layer_without_hidden_vectors_adds_its_bias() {
    let encoder: TransformerEncoderLayer = TransformerEncoderLayer::new(8, 2, 0, &mut wengert::rng(0));
    let y = encoder.forward(&Tape::new().constant(Tensor::ones([1, 3, 8])), &Attention::new());
    assert!(y.value().iter().all(|y| y.is_finite()));
}
