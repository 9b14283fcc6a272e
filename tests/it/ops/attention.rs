//! Attention: the kernels against a composition of basic operations, and against differences.

use crate::support::compare::assert_close;
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use wengert::nn::Rotary;
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Hides keys, among them all those of one query.
fn mask() -> Tensor<f64> {
    tensor![f64; [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
}

pub fn rows() -> Vec<Row> {
    let grouped: Shapes = &[&[&[1, 2, 2, 2], &[1, 1, 3, 2], &[1, 1, 3, 1]]];
    vec![
        row("scaled_dot_product_attention", &[&[&[1, 2, 2], &[1, 3, 2], &[1, 3, 2]]], |x| {
            x[0].scaled_dot_product_attention(&x[1], &x[2], &Attention::new())
        }),
        row("scaled_dot_product_attention", grouped, |x| {
            let options = Attention::new().causal().scale(1.5).bias(tensor![f64; 0.5, -0.5, 1.0]);
            x[0].scaled_dot_product_attention(&x[1], &x[2], &options)
        }),
        row("scaled_dot_product_attention", &[&[&[2, 4], &[3, 2], &[3, 2]]], |x| {
            let options = Attention::new().heads(2).kv_heads(1).mask(&mask());
            x[0].scaled_dot_product_attention(&x[1], &x[2], &options)
        }),
        row("self_attention", &[&[&[1, 2, 8]], &[&[0, 2, 8]], &[&[0, 8]]], |x| {
            x[0].self_attention(&Attention::new().heads(2).kv_heads(1).causal())
        }),
        row("rotary", &[&[&[2, 3, 4]], &[&[2, 0]], &[&[0, 3, 4]]], |x| x[0].rotary(&Rotary::new(2, 4, 100.0), 1)),
        row("rotary", &[&[&[3, 4]]], |x| x[0].rotary(&Rotary::new(4, 3, 100.0).interleaved(), 0)),
        row("attention_weights", &[&[&[1, 2, 2], &[1, 3, 2]]], |x| {
            x[0].attention_weights(&x[1], &Attention::new().mask(&mask()))
        }),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes attention_rank", || attend([&[3], &[3], &[3]], &Attention::new())),
    ("wrong_shapes attention_rank", || attend([&[3], &[3], &[3]], &Attention::new().heads(1))),
    ("wrong_shapes attention_shapes", || attend([&[1, 2, 4], &[1, 3, 5], &[1, 3, 4]], &Attention::new())),
    ("wrong_shapes attention_shapes", || attend([&[2, 2, 4], &[2, 3, 4], &[1, 3, 4]], &Attention::new().heads(2))),
    ("wrong_shapes attention_width", || attend([&[2, 4], &[3, 4], &[3, 4]], &Attention::new().heads(3))),
    ("wrong_shapes attention_groups", || attend([&[3, 2, 4], &[2, 3, 4], &[2, 3, 4]], &Attention::new())),
    ("wrong_shapes attention_empty", || attend([&[1, 2, 0], &[1, 3, 0], &[1, 3, 4]], &Attention::new())),
    ("wrong_shapes attention_mask", || {
        attend([&[1, 2, 4], &[1, 3, 4], &[1, 3, 4]], &Attention::new().mask(&Tensor::ones([3, 2])))
    }),
    ("wrong_shapes attention_packed", || _ = Tape::new().var([[1.0; 7]; 2]).self_attention(&Attention::new().heads(2))),
    ("wrong_shapes attention_rank", || _ = Tape::new().var([1.0; 6]).self_attention(&Attention::new().heads(2))),
    ("no_heads", || _ = Tape::new().var([[1.0; 6]; 2]).self_attention(&Attention::new())),
    ("no_matrix", || _ = Attention::<f32>::new().key_padding_mask(&tensor![1.0, 0.0])),
    ("rotary_size", || _ = Rotary::<f32>::new(3, 2, 1e4)),
    ("rotary_shape", || _ = Tape::new().var([[1.0; 6]; 2]).rotary(&Rotary::new(4, 5, 1e4), 0)),
    ("rotary_shape", || _ = Tape::new().var([[1.0; 4]; 2]).rotary(&Rotary::new(4, 5, 1e4), 4)),
    ("option", || _ = Attention::<f32>::new().scale(f64::NAN)),
    ("probability", || _ = Attention::<f32>::new().dropout(1.0)),
];

fn attend(shapes: [&[usize]; 3], options: &Attention) {
    let tape = Tape::new();
    let [q, k, v] = shapes.map(|shape| tape.constant(Tensor::ones(shape)));
    _ = q.scaled_dot_product_attention(&k, &v, options);
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A random problem.
struct Problem {
    inputs: [Tensor<f64>; 3],
    causal: bool,
    /// What is added to the scores.
    bias: Tensor<f64>,
    scale: f64,
}

impl Problem {
    /// Sizes `[batch, heads, kv_heads, queries, keys, size, value size]`; about a third of the keys are hidden.
    fn new(sizes: [usize; 7], causal: bool, rng: &mut impl Rng) -> Self {
        let [batch, heads, kv_heads, queries, keys, size, value_size] = sizes;
        let inputs = [[heads, queries, size], [kv_heads, keys, size], [kv_heads, keys, value_size]]
            .map(|[heads, positions, size]| Tensor::randn([batch, heads, positions, size], rng));
        let [rows, columns] = if rng.random_range(0..2) == 0 { [1, keys] } else { [queries, keys] };
        let bias = Tensor::<f64>::randn([batch, 1, rows, columns], rng);
        let bias = bias.map(|x| if x > 0.4 { f64::NEG_INFINITY } else { x });
        Problem { inputs, causal, bias, scale: rng.random_range(0.1..1.0) }
    }

    fn options(&self) -> Attention<f64> {
        let options = Attention::new().scale(self.scale).bias(&self.bias);
        if self.causal { options.causal() } else { options }
    }

    /// The definition, by basic operations.
    fn composed(&self, [q, k, v]: [&Var<f64>; 3]) -> Var<f64> {
        let repeated = |x: &Var<f64>| x.repeat_interleave(q.shape()[1] / x.shape()[1], 1);
        let mut scores = q.matmul(repeated(k).transpose(2, 3)) * self.scale + &self.bias;
        if self.causal {
            let hidden = Tensor::ones([q.shape()[2], k.shape()[2]]).triu(1);
            scores = scores.masked_fill(&hidden, f64::NEG_INFINITY);
        }
        let empty = scores.value().max_over(keepdim(-1)).mask(|x| x == f64::NEG_INFINITY);
        let empty = empty.broadcast_to(scores.shape());
        let weights = scores.masked_fill(&empty, 0.0).softmax(-1).masked_fill(&empty, 0.0);
        weights.matmul(repeated(v))
    }

    /// The value and the gradients of the inputs, from a plain backward pass.
    fn run(&self, f: impl Fn([&Var<f64>; 3]) -> Var<f64>) -> Vec<Tensor<f64>> {
        let tape = Tape::new_f64();
        let [q, k, v] = self.inputs.each_ref().map(|x| tape.var(x));
        let y = f([&q, &k, &v]);
        let weights = Tensor::randn(y.shape(), &mut wengert::rng(3));
        let value = y.value().clone();
        let gradients = (y * weights).sum().backward();
        vec![value, gradients[&q].clone(), gradients[&k].clone(), gradients[&v].clone()]
    }
}

/// `[B, H, T, D]` as `[B, T, H D]`.
fn merged(x: &Var<f64>) -> Var<f64> {
    let &[batch, heads, positions, size] = x.shape() else { panic!("four axes") };
    x.transpose(1, 2).reshape([batch, positions, heads * size])
}

/// The inverse of [`merged`].
fn separate(x: &Var<f64>, heads: usize) -> Var<f64> {
    let &[batch, positions, width] = x.shape() else { panic!("three axes") };
    x.reshape([batch, positions, heads, width / heads]).transpose(1, 2)
}

#[test]
fn every_layout_is_its_composition_for_random_sizes_and_masks() {
    let mut rng = wengert::rng(4);
    let mut sizes: Vec<[usize; 7]> = vec![
        // Several blocks of queries and of keys, parts of keys, and remainders of all of them.
        [1, 2, 1, 70, 600, 5, 7],
        [1, 1, 1, 600, 530, 16, 16],
        [2, 4, 2, 129, 129, 8, 8],
        [1, 3, 3, 1, 40, 4, 2],
    ];
    for _ in 0..20 {
        let kv_heads = rng.random_range(1..3);
        let heads = kv_heads * rng.random_range(1..4);
        let mut size = || rng.random_range(1..20);
        sizes.push([2, heads, kv_heads, size(), size(), size(), size()]);
    }
    for (k, sizes) in sizes.into_iter().enumerate() {
        let problem = Problem::new(sizes, k % 2 == 1, &mut rng);
        let [_, heads, kv_heads, queries, keys, size, value_size] = sizes;
        let expected = problem.run(|x| problem.composed(x));
        let same = |name: &str, f: &dyn Fn([&Var<f64>; 3]) -> Var<f64>| {
            for (k, (a, b)) in problem.run(f).iter().zip(&expected).enumerate() {
                let error = (a - b).map(f64::abs).max().item();
                assert!(error < 1e-12, "{name} {sizes:?}, result {k}: off by {error}");
            }
        };
        let options = problem.options();
        same("separate", &|[q, k, v]| q.scaled_dot_product_attention(k, v, &options));
        let options = options.heads(heads).kv_heads(kv_heads);
        same("merged", &|[q, k, v]| {
            separate(&merged(q).scaled_dot_product_attention(merged(k), merged(v), &options), heads)
        });
        if queries == keys && size == value_size {
            same("packed", &|x| separate(&Var::concat(&x.map(merged), -1).self_attention(&options), heads));
        }
    }
}

#[test]
fn dropout_is_that_of_the_weights_in_both_passes() {
    let mut rng = wengert::rng(5);
    let problem = Problem::new([2, 2, 1, 70, 300, 4, 4], true, &mut rng);
    let run = |recorded: bool| {
        let tape = Tape::<f64>::with_mode(Mode::Training(9));
        let [q, k, v] = problem.inputs.each_ref().map(|x| tape.var(x));
        let y = q.scaled_dot_product_attention(&k, &v, &problem.options().dropout(0.4));
        let u = Tensor::randn(y.shape(), &mut wengert::rng(3));
        let value = y.value().clone();
        let mut results = vec![value];
        if recorded {
            results.extend(y.vjp(&tape.constant(u), &[&q, &k, &v]).iter().flatten().map(|x| x.value().clone()));
        } else {
            let gradients = (y * u).sum().backward();
            results.extend([&q, &k, &v].map(|x| gradients[x].clone()));
        }
        results
    };
    let (plain, recorded) = (run(false), run(true));
    plain.iter().zip(&recorded).for_each(|(a, b)| assert_close(a, b));
    let tape = Tape::<f64>::with_mode(Mode::Training(9));
    let [q, k, v] = problem.inputs.each_ref().map(|x| tape.constant(x));
    let weights = q.attention_weights(&k, &problem.options());
    let dropped = weights.dropout(0.4).matmul(v.repeat_interleave(2, 1));
    assert_close(dropped.value(), &plain[0]);
}

#[test]
fn a_query_that_attends_to_nothing_is_zero_at_every_order() {
    let tape = Tape::new();
    let x = tape.var(Tensor::randn([1, 2, 2], &mut wengert::rng(6)));
    let y = x.scaled_dot_product_attention(&x, &x, &Attention::new().mask(&tensor![[0.0, 0.0], [1.0, 1.0]]));
    assert_eq!(y.value().select(1, 0), tensor![[0.0, 0.0]]);
    let gradient = y.select(1, 0).square().sum().grad(&x);
    assert_eq!(gradient.value(), &Tensor::zeros([1, 2, 2]));
    assert!(y.square().sum().grad(&x).square().sum().grad(&x).value().iter().all(|x| x.is_finite()));
    assert!(y.square().sum().backward()[&x].iter().all(|x| x.is_finite()));
}

#[test]
fn scores_of_ten_thousand_neither_overflow_nor_lose_the_largest() {
    let tape = Tape::new();
    let q = tape.var([[[1e4], [-1e4]]]);
    let y = q.scaled_dot_product_attention(
        tensor![[[1.0], [-1.0], [0.5]]],
        tensor![[[1.0], [2.0], [3.0]]],
        &Attention::new(),
    );
    assert_eq!(y.value(), &tensor![[[1.0], [2.0]]]);
}
