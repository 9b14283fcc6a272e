//! Multi-head attention and the cache of keys and values.

use crate::support::files::fixture;
use crate::support::panics::{Panic, messages};
use wengert::io::{load, safetensors};
use wengert::nn::{KeyValueCache, Rotary};
use wengert::prelude::*;

fn rng() -> wengert::Generator {
    wengert::rng(0)
}

pub const PANICS: &[Panic] = &[
    ("head_count", || _ = MultiHeadAttention::<f32>::new(8, 3, &mut rng())),
    ("kv_head_count", || _ = MultiHeadAttention::<f32>::new(8, 4, &mut rng()).kv_heads(3)),
    ("cache_recorded", || cached(Tape::new().var(Tensor::ones([1, 1, 6])), 2)),
    ("cache_shape", || cached(Tape::inference().constant(Tensor::ones([2, 1, 6])), 2)),
    ("cache_full", || cached(Tape::inference().constant(Tensor::ones([1, 3, 6])), 2)),
];

fn cached(x: Var, positions: usize) {
    _ = x.cached_attention(&Attention::new().heads(1), &mut KeyValueCache::new(1, positions, 2));
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The largest difference.
pub fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    (a - b).map(f32::abs).max().item()
}

/// What PyTorch computed for the state dicts among the fixtures.
pub fn expected(name: &str) -> Tensor {
    safetensors::read(fixture("transformers.safetensors")).unwrap()[name].tensor()
}

#[test]
fn a_state_dict_of_pytorch_gives_its_output_and_weights() {
    let mut layer: MultiHeadAttention = MultiHeadAttention::new(8, 2, &mut rng());
    load(&mut layer, fixture("multihead_attention.safetensors")).unwrap();
    let tape = Tape::new();
    let x = tape.constant(expected("x"));
    let padding = tensor![[0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0]];
    let options = Attention::new().causal().key_padding_mask(&padding);
    assert!(difference(layer.forward(&x, &options).value(), &expected("attention")) < 1e-5);
    assert!(difference(layer.cross(&x, &x, &x, &options).value(), &expected("attention")) < 1e-5);
    assert!(difference(layer.weights(&x, &x, &options).value(), &expected("weights")) < 1e-5);
}

#[test]
fn heads_of_keys_and_values_serve_groups_of_heads() {
    let whole = MultiHeadAttention::new(12, 6, &mut rng());
    let mut grouped = whole.clone().kv_heads(2);
    assert_eq!(grouped.in_proj_weight.shape(), [12 + 2 * 4, 12]);
    assert_eq!(grouped.in_proj_bias.as_ref().unwrap().shape(), [20]);
    // The same with each head of keys and values written three times.
    let mut repeated = whole;
    let blocks = grouped.in_proj_weight.value().reshape([-1, 2, 12]);
    let rows = [0, 1, 2, 3, 4, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9];
    *repeated.in_proj_weight.value_mut() = blocks.rows(&rows).reshape([36, 12]);
    *grouped.out_proj.weight.value_mut() = repeated.out_proj.weight.value().clone();
    let x = Tape::new().constant(Tensor::randn([2, 5, 12], &mut rng()));
    let options = Attention::new().causal();
    assert!(difference(grouped.forward(&x, &options).value(), repeated.forward(&x, &options).value()) < 1e-6);
    assert!(
        difference(grouped.cross(&x, &x, &x, &options).value(), repeated.cross(&x, &x, &x, &options).value()) < 1e-6
    );
}

#[test]
fn a_cache_gives_the_attention_of_the_whole_sequence() {
    let layer = MultiHeadAttention::new(12, 6, &mut rng()).kv_heads(3).rotary(Rotary::new(2, 9, 10_000.0));
    let x: Tensor = Tensor::randn([2, 9, 12], &mut rng());
    let tape = Tape::inference();
    let whole = layer.forward(&tape.constant(&x), &Attention::new().causal());
    let mut cache = KeyValueCache::new(2, 9, 6);
    for _ in 0..2 {
        for (start, end) in [(0, 4), (4, 5), (5, 9)] {
            let y = layer.forward_cached(&tape.constant(x.slice(1, start..end)), &mut cache);
            assert!(difference(y.value(), &whole.value().slice(1, start..end)) < 1e-6);
            assert_eq!(cache.len(), end as usize);
        }
        cache.truncate(0);
    }
}

#[test]
fn rotary_scores_depend_on_distances_only() {
    for rotary in [Rotary::new(4, 20, 100.0), Rotary::new(4, 20, 100.0).interleaved()] {
        let tape = Tape::new_f64();
        let [q, k] = [1, 2].map(|seed| tape.constant(Tensor::randn([1, 4], &mut wengert::rng(seed))));
        let score = |at, to| (q.rotary(&rotary, at) * k.rotary(&rotary, to)).sum().item();
        let expected: f64 = score(3, 1);
        assert!((0..10).all(|shift| (score(shift + 2, shift) - expected).abs() < 1e-12));
        assert!((score(3, 0) - expected).abs() > 1e-3);
        assert!((score(0, 0) - (&q * &k).sum().item()).abs() < 1e-12);
    }
}

#[test]
fn the_bias_of_alibi_is_that_of_the_paper() {
    let slopes = |heads| wengert::nn::alibi::<f64>(heads, 2).as_slice().iter().copied().filter(|&x| x > 0.0).collect();
    let slopes: [Vec<f64>; 2] = [8, 6].map(slopes);
    assert_eq!(slopes[0], [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625]);
    assert_eq!(slopes[1], [0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]);
    // Distances with the slope as factor give the same weights.
    let tape = Tape::new_f64();
    let x = tape.constant(Tensor::randn([1, 4, 2], &mut rng()));
    let distance =
        Tensor::from_vec((0..16usize).map(|at| -0.00390625 * (at / 4).abs_diff(at % 4) as f64).collect(), [4, 4]);
    let weights = |bias: Tensor<f64>| x.attention_weights(&x, &Attention::new().causal().bias(bias)).value().clone();
    let error = (weights(wengert::nn::alibi(1, 4)) - weights(distance)).map(f64::abs).max().item();
    assert!(error < 1e-15, "{error}");
}
