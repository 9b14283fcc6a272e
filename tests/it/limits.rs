//! Sizes whose products exceed the range of integers: refused by name, with the numbers as given, and nothing stays behind.

use crate::support::files::directory;
use crate::support::panics::{Panic, messages, panic_of};
use wengert::io::{self, safetensors};
use wengert::metrics::{BinaryScores, ConfusionMatrix};
use wengert::nn::{KeyValueCache, Rotary, alibi, sinusoidal_positions};
use wengert::optim::Group;
use wengert::prelude::*;
use wengert::{Error, einsum};

const HUGE: usize = 1 << 62;

fn none(shape: impl wengert::tensor::IntoShape) -> Tensor {
    Tensor::zeros(shape)
}

fn image() -> Var {
    Tape::new().var(Tensor::ones([1, 1, 4, 4]))
}

fn sequence() -> Var {
    Tape::new().var(Tensor::ones([1, 1, 4]))
}

pub const PANICS: &[Panic] = &[
    ("too_large", || _ = Tensor::<f32>::zeros([4, HUGE]).matmul(&Tensor::zeros([HUGE, 4]))),
    ("too_large", || _ = Tensor::<f32>::from_vec(vec![1.0; 4], [HUGE + 1, 4])),
    ("too_large", || _ = Tensor::<f64>::zeros([1usize << 33, 1 << 31])),
    ("too_large", || _ = Tensor::<f32>::zeros([usize::MAX, 2])),
    ("too_large", || _ = Tensor::<f32>::zeros((0, usize::MAX, 2))),
    ("too_large", || _ = Tensor::<f32>::ones([usize::MAX])),
    ("too_large", || _ = Tensor::<f32>::full([1usize << 61], 1.0)),
    ("too_large", || _ = Tensor::<f32>::randn([HUGE, 8], &mut wengert::rng(0))),
    ("too_large", || _ = Tensor::<f32>::uniform([HUGE, 8], 0.0, 1.0, &mut wengert::rng(0))),
    ("too_large", || _ = Tensor::<f32>::eye(1 << 32)),
    ("too_large", || _ = Tensor::<f32>::arange(0.0, 1.0, 1e-300)),
    ("too_large", || _ = Tensor::<f32>::linspace(0.0, 1.0, usize::MAX)),
    ("too_many_axes", || _ = Tensor::<f32>::zeros(vec![1usize; 65])),
    ("out_of_memory", || _ = Tensor::<f32>::zeros([1usize << 50])),
    ("out_of_memory", || _ = Tensor::<f32>::arange(0.0, 1.0, 1e-15)),
    ("not_a_shape", || _ = Tensor::<f32>::zeros([isize::MIN, 2])),
    ("axis_out_of_range", || _ = Tensor::<f32>::zeros([2]).sum_over(usize::MAX)),
    ("axis_out_of_range", || _ = Tensor::<f32>::zeros([2]).sum_over(isize::MIN)),
    ("selection_out_of_range", || _ = Tensor::<f32>::zeros([2]).select(0, isize::MIN)),
    ("selection_out_of_range", || _ = Tensor::<f32>::zeros([2]).index_select(0, &[usize::MAX])),
    ("too_large", || _ = none([0]).reshape([0, HUGE, 8])),
    ("too_large", || _ = none([1]).broadcast_to([1usize << 32, 1 << 32])),
    ("too_large", || _ = Tape::new().var(none([0])).diag_embed(isize::MIN)),
    ("too_many_axes", || _ = Tape::new().var(none(vec![1usize; 64])).diag_embed(0)),
    ("too_many_axes", || _ = none(vec![1usize; 64]).unsqueeze(0)),
    ("too_large", || _ = none([1usize << 32, 0]).matmul(&none([0, 1usize << 32]))),
    ("too_large", || _ = none([1, 0]).repeat([usize::MAX, 2])),
    ("too_large", || _ = none([2]).repeat_interleave(usize::MAX, 0)),
    ("too_large", || _ = none([4]).pad(&[(usize::MAX, 1)], PadMode::Constant(0.0))),
    ("too_large", || _ = none([4]).pad(&[(1 << 40, usize::MAX)], PadMode::Reflect)),
    ("too_large", || _ = none([4]).pad(&[(usize::MAX, 1)], PadMode::Replicate)),
    ("too_large", || {
        _ = Tensor::concat(&[none([1usize << 59, 0]), none([1usize << 59, 0]), none([1usize << 59, 0])], 0)
    }),
    ("too_large", || {
        _ = Tensor::stack(&[none([1usize << 59, 0]), none([1usize << 59, 0]), none([1usize << 59, 0])], 0)
    }),
    ("chunk_count", || _ = none([0]).chunk(1 << 40, 0)),
    ("piece_sizes", || _ = none([2]).split_with_sizes(&[usize::MAX, 3], 0)),
    ("too_large", || _ = none([1usize << 32, 1, 0]) + none([1usize << 32, 0])),
    ("too_large", || {
        let tape = Tape::new();
        _ = tape.var(none([1usize << 32, 1, 0])) * tape.var(none([1usize << 32, 0]));
    }),
    ("too_large", || _ = einsum("ij,kl->ikjl", &[&none([1usize << 32, 0]), &none([1usize << 32, 0])])),
    ("too_large", || {
        let x = Tape::new().var(none([1usize << 32, 0]));
        _ = x.linear(none([1usize << 32, 0]));
    }),
    ("too_large", || {
        let x = Tape::new().var(none([1usize << 32, 0]));
        _ = x.linear_bias(none([1usize << 32, 0]), Tensor::zeros([1]));
    }),
    ("window_too_large", || _ = sequence().conv1d(Tensor::ones([1, 1, 3]), Conv::new().dilation(usize::MAX))),
    ("too_large", || _ = sequence().conv1d(Tensor::ones([1, 1, 3]), Conv::new().padding(1 << 63))),
    ("too_large", || _ = sequence().conv_transpose1d(Tensor::ones([1, 1, 3]), Conv::new().stride(usize::MAX))),
    ("too_large", || _ = sequence().conv_transpose1d(Tensor::ones([1, 1, 3]), Conv::new().dilation(usize::MAX))),
    ("nothing_left", || _ = sequence().conv_transpose1d(Tensor::ones([1, 1, 3]), Conv::new().padding(usize::MAX))),
    ("too_large", || _ = image().conv2d(Tensor::ones([1, 1, 3, 3]), Conv::new().padding([1 << 40, 1 << 40]))),
    ("too_large", || _ = image().unfold2d([1 << 40, 1 << 40], Conv::new().padding(1 << 40))),
    ("window_too_large", || _ = image().max_pool2d(usize::MAX)),
    ("window_too_large", || _ = image().avg_pool2d(usize::MAX)),
    ("too_large", || _ = image().max_pool2d(MaxPool2d::new(2).padding(usize::MAX))),
    ("too_large", || _ = image().adaptive_avg_pool2d([1 << 40, 1 << 40])),
    ("out_of_memory", || _ = image().adaptive_avg_pool2d([1 << 45, 1])),
    ("out_of_memory", || _ = none([4]).pad(&[(1 << 45, 0)], PadMode::Replicate)),
    ("wrong_shapes conv_channels", || {
        _ = sequence().conv1d(Tensor::ones([1, 3, 1]), Conv::new().groups(usize::MAX - 1))
    }),
    ("too_large", || _ = alibi::<f32>(HUGE, 8)),
    ("out_of_memory", || _ = sinusoidal_positions::<f32>(1 << 45, 1)),
    ("out_of_memory", || _ = Rotary::<f32>::new(2, 1 << 45, 1e4)),
    ("out_of_memory", || _ = KeyValueCache::<f32>::new(1, 1 << 45, 1)),
    ("out_of_memory", || _ = ConfusionMatrix::new(1 << 40)),
    ("out_of_memory", || _ = BinaryScores::new().calibration(1 << 45)),
];

/// Layers whose weights are too large.
const LAYERS: &[Panic] = &[
    ("out_of_memory", || _ = Linear::<f32>::new(0, 1 << 45, Init::He, &mut wengert::rng(0))),
    ("too_large", || _ = Linear::<f32>::new(HUGE, HUGE, Init::He, &mut wengert::rng(0))),
    ("too_large", || _ = Conv2d::<f32>::new(1, 1, [2, usize::MAX], Init::He, &mut wengert::rng(0))),
    ("too_large", || _ = Embedding::<f32>::new(HUGE, 2, Init::Normal(1.0), &mut wengert::rng(0))),
    ("out_of_memory", || _ = BatchNorm::<f32>::new(1 << 45)),
    ("too_large", || _ = LayerNorm::<f32>::new([HUGE, 2])),
    ("too_large", || _ = Lstm::<f32>::new(1, HUGE, &mut wengert::rng(0))),
    ("out_of_memory", || _ = Gru::<f32>::with_options(1, 1, Recurrent::new().layers(1 << 60), &mut wengert::rng(0))),
    ("too_large", || _ = MultiHeadAttention::<f32>::new(HUGE, 1, &mut wengert::rng(0))),
    ("too_large", || _ = TransformerEncoderLayer::<f32>::new(4, 1, HUGE, &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn layers_of_any_size_are_refused_at_the_line_of_the_program() {
    messages(LAYERS);
}

#[test]
fn nothing_stays_behind_a_refusal() {
    for (_, mistake) in PANICS {
        assert!(panic_of(mistake).is_some());
        assert_eq!(tensor![1.0, 2.0, 3.0] + 1.0, tensor![2.0, 3.0, 4.0]);
        assert_eq!(Tensor::<f64>::zeros([3]).len(), 3);
    }
}

#[test]
fn messages_are_of_bounded_length() {
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    let long = "ij,".repeat(10_000);
    let mut model = Linear::new(2, 2, Init::He, &mut wengert::rng(0));
    let gradients = model.forward(&Tape::new().constant(&x)).sum().backward();
    let group = Group::with_prefix(&"layer".repeat(10_000));
    let mistakes: [&mut dyn FnMut(); 4] = [
        &mut || _ = einsum(&long, &[&x]),
        &mut || _ = einsum(&("i,".repeat(5000) + "i"), &vec![&x; 5001]),
        &mut || _ = x.permute(vec![0isize; 100_000]),
        &mut || Sgd::new(0.1).group(group.clone()).step(&mut model, &gradients),
    ];
    for mistake in mistakes {
        let message = panic_of(mistake).expect("a mistake").message;
        assert!((500..8100).contains(&message.len()), "{message}");
    }

    let directory = directory();
    let path = directory.path().join("file");
    let names = (0..1000).map(|k| (format!("{}{k}", "名".repeat(1000)), tensor![1.0]));
    safetensors::write(names, &path).unwrap();
    let error = io::load(&mut model, &path).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("and 952 more") && text.len() < 100_000, "{} bytes: {text}", text.len());
    assert_eq!(format!("{error:?}"), text);
    let Error::Mismatch { mismatches, .. } = error else { panic!("another error") };
    assert_eq!(mismatches.len(), 1002);
}

#[test]
fn numbers_at_the_ends_of_their_range_count_like_others() {
    let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    assert_eq!(x.tril(isize::MAX), x);
    assert_eq!(x.tril(isize::MIN), &x * 0.0);
    assert_eq!(x.triu(isize::MIN), x);
    assert_eq!(x.triu(isize::MAX), &x * 0.0);
    assert_eq!(x.diagonal(isize::MIN, 0, 1).shape(), [0]);
    assert_eq!(x.diagonal(isize::MAX, 0, 1).shape(), [0]);
    assert_eq!(x.slice(1, isize::MIN..isize::MAX), x);
    assert_eq!(x.slice_step(1, .., isize::MAX), tensor![[1.0], [4.0]]);
    assert_eq!(x.slice_step(1, .., isize::MIN), tensor![[3.0], [6.0]]);
    // −2⁶³ ≡ 1 (mod 3).
    assert_eq!(x.roll(isize::MIN, 1), x.roll(1, 1));
    let gradient = |shift| functional::grad(|x: &Var| (x.roll(shift, 1) * tensor![1.0, 2.0, 3.0]).sum(), &x);
    assert_eq!(gradient(isize::MIN), gradient(1));
    assert_eq!(x.split(usize::MAX, 1).len(), 1);
    assert_eq!(x.chunk(usize::MAX, 1).len(), 3);
    let y = image().conv2d(Tensor::ones([1, 1, 3, 3]), Conv::new().stride(usize::MAX));
    assert_eq!(y.value(), &Tensor::full([1, 1, 1, 1], 9.0));
    let y = image().conv2d(Tensor::ones([1, 1, 1, 1]), Conv::new().dilation(usize::MAX));
    assert_eq!(y.value(), &Tensor::ones([1, 1, 4, 4]));
    let y = image().max_pool2d(MaxPool2d::new(2).stride(usize::MAX).padding(1));
    assert_eq!(y.value(), &Tensor::ones([1, 1, 1, 1]));
    assert_eq!(tensor![[2.0]].matmul(&none([1, 0])).shape(), [1, 0]);
}
