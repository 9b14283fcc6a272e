//! Programs with one mistake each and the message of the crate, which alone must tell a beginner what to change.
//!
//! The snapshot shows the reported line and the message of each program.

use crate::support::panics::panic_of;
use wengert::data::{Images, Samples};
use wengert::ops::Conv;
use wengert::prelude::*;

/// The mistake and the program.
type Program = (&'static str, fn());

/// A network for digits.
struct Mlp {
    hidden: Linear,
    output: Linear,
}
wengert::module!(Mlp { hidden, output });

impl Mlp {
    fn new(inputs: usize, size: usize) -> Self {
        let mut rng = wengert::rng(0);
        let hidden = Linear::new(inputs, size, Init::He, &mut rng);
        Mlp { hidden, output: Linear::new(16, 10, Init::Xavier, &mut rng) }
    }

    fn forward(&self, x: &Var) -> Var {
        let h = self.hidden.forward(x).relu();
        self.output.forward(&h)
    }
}

/// A batch of four images and their labels.
fn batch() -> (Tensor, Vec<usize>) {
    (Tensor::ones([4, 784]), vec![3, 1, 4, 1])
}

const SHAPES: &[Program] = &[
    ("the matrices are multiplied in the wrong order", || {
        let (x, weight) = (Tape::new().var(Tensor::ones([4, 784])), Param::new(Tensor::ones([10, 784])));
        let _scores = x.matmul(&weight);
    }),
    ("the second layer does not fit the first", || {
        let model = Mlp::new(784, 32);
        let (images, labels) = batch();
        let tape = Tape::training(&mut wengert::rng(0));
        let _loss = model.forward(&tape.constant(images)).softmax_cross_entropy(&labels);
    }),
    ("the images are not flattened", || {
        let tape = Tape::inference();
        let images = tape.constant(Tensor::ones([4, 28, 28]));
        let _scores = Mlp::new(784, 16).forward(&images);
    }),
    ("there are not as many labels as images", || {
        let (images, labels) = batch();
        let tape = Tape::new();
        let scores = Mlp::new(784, 16).forward(&tape.constant(images));
        let _loss = scores.softmax_cross_entropy(&labels[..3]);
    }),
    ("the labels count from 1", || {
        let tape = Tape::new();
        let _loss = tape.var(Tensor::zeros([2, 3])).softmax_cross_entropy(&[1, 3]);
    }),
    ("one class has no weight", || {
        let scores = Tape::new().var(Tensor::zeros([2, 3]));
        let _loss = CrossEntropy::new().class_weights(&[1.0, 2.0]).loss(&scores, &[0, 2]);
    }),
    ("a bias for the wrong axis", || {
        let x = Tape::new().var(Tensor::ones([4, 10]));
        let _y = x.exp() + Tensor::ones([4]);
    }),
    ("a reshape that does not fit", || {
        let images = Tape::new().constant(Tensor::ones([4, 784]));
        let _images = images.reshape([-1, 28, 27]);
    }),
    ("the axis of the softmax is not there", || {
        let scores = Tape::new().var(Tensor::ones([4, 10]));
        let _probabilities = scores.softmax(2);
    }),
    ("an axis is named twice", || {
        let x = Tape::new().var(Tensor::ones([4, 10]));
        let _mean = x.mean_over([0, 1, -1]);
    }),
    ("a vector is transposed", || {
        let x = Tape::new().var([1.0, 2.0, 3.0]);
        let _column = x.transpose(0, 1);
    }),
    ("a permutation that forgets an axis", || {
        let images = Tape::new().constant(Tensor::ones([4, 28, 28, 3]));
        let _channels_first = images.permute([0, 3, 1]);
    }),
    ("an axis of two elements is squeezed", || {
        let x = Tape::new().var(Tensor::ones([4, 2]));
        let _column = x.squeeze_axis(1);
    }),
    ("a mask of the wrong shape", || {
        let scores = Tape::new().var(Tensor::ones([2, 5, 5]));
        let mask: Tensor = Tensor::ones([4, 4]).triu(1);
        let _masked = scores.masked_fill(&mask, f64::NEG_INFINITY);
    }),
    ("values of different sizes are stacked", || {
        let tape = Tape::new();
        let (a, b) = (tape.var([1.0, 2.0]), tape.var([1.0, 2.0, 3.0]));
        let _both = Var::stack(&[a, b], 0);
    }),
    ("a concatenation along the wrong axis", || {
        let tape = Tape::new();
        let (a, b) = (tape.var(Tensor::ones([2, 3])), tape.var(Tensor::ones([2, 5])));
        let _both = Var::concat(&[a, b], 0);
    }),
    ("pieces that are not the whole", || {
        let gates = Tape::new().var(Tensor::ones([4, 12]));
        let _gates = gates.split_with_sizes(&[4, 4, 3], 1);
    }),
    ("a word that is not in the vocabulary", || {
        let words = Embedding::new(1000, 8, Init::Normal(1.0), &mut wengert::rng(0));
        let _vectors = words.forward(&Tape::new(), [[5, 17], [999, 1000]]);
    }),
    ("one index too far", || {
        let x = Tape::new().var([1.0, 2.0, 3.0]);
        let _last = x.select(0, 3);
    }),
    ("indices with too few axes", || {
        let scores = Tape::new().var(Tensor::ones([2, 3]));
        let _chosen = scores.gather(1, [2, 0]);
    }),
    ("a letter that has two sizes in an einsum", || {
        let tape = Tape::new();
        let (a, b) = (tape.var(Tensor::ones([2, 3])), tape.var(Tensor::ones([2, 4])));
        let _c = einsum("ij,jk->ik", &[&a, &b]);
    }),
    ("an einsum with one term for two operands", || {
        let tape = Tape::new();
        let (a, b) = (tape.var(Tensor::ones([2, 3])), tape.var(Tensor::ones([3, 4])));
        let _c = einsum("ij->ij", &[&a, &b]);
    }),
    ("a tensor of too few numbers", || {
        let _matrix = Tensor::from_vec(vec![1.0f32, 2.0, 3.0], [2, 2]);
    }),
];

const LAYERS: &[Program] = &[
    ("colour images for a layer that takes grey ones", || {
        let layer = Conv2d::new(1, 8, 3, Init::He, &mut wengert::rng(0));
        let _y = layer.forward(&Tape::new().constant(Tensor::ones([4, 3, 28, 28])));
    }),
    ("images without an axis for the batch", || {
        let layer = Conv2d::new(1, 8, 3, Init::He, &mut wengert::rng(0));
        let _y = layer.forward(&Tape::new().constant(Tensor::ones([28, 28])));
    }),
    ("a kernel that is larger than the image", || {
        let x = Tape::new().constant(Tensor::ones([1, 1, 4, 4]));
        let _y = x.conv2d(Tensor::ones([1, 1, 5, 5]), Conv::new());
    }),
    ("pooling until nothing is left", || {
        let x = Tape::new().constant(Tensor::ones([1, 1, 3, 3]));
        let _y = x.max_pool2d(2).max_pool2d(2);
    }),
    ("batch normalisation of another number of channels", || {
        let _y = BatchNorm::new(16).forward(&Tape::new().constant(Tensor::ones([4, 8])));
    }),
    ("batch normalisation of a single sample", || {
        let tape = Tape::training(&mut wengert::rng(0));
        let _y = BatchNorm::new(8).forward(&tape.constant(Tensor::ones([1, 8])));
    }),
    ("a rate in percent", || {
        let tape = Tape::training(&mut wengert::rng(0));
        let _y = Dropout::new(50.0).forward(&tape.constant(Tensor::ones([4, 8])));
    }),
    ("initial weights of a vector", || {
        let _bias: Tensor = Init::He.tensor([10], &mut wengert::rng(0));
    }),
];

const DERIVATIVES: &[Program] = &[
    ("a loss for each sample", || {
        let tape = Tape::new();
        let x = tape.var([1.0, 2.0, 3.0]);
        let losses = (x - 2.0).square();
        _ = losses.backward();
    }),
    ("the derivative of a vector", || {
        let x = Tape::new().var([1.0, 2.0, 3.0]);
        let _dy = x.sin().grad(&x);
    }),
    ("backward twice", || {
        let x = Tape::new().var(3.0);
        let loss = x.square();
        let _first = loss.clone().backward();
        let _second = loss.backward();
    }),
    ("a derivative after the backward that let the tape go", || {
        let x = Tape::new().var(3.0);
        let y = x.square();
        let _all = (&y * 2.0).backward();
        let _dy = y.grad(&x);
    }),
    ("a loss of constants", || {
        let tape = Tape::new();
        let x = tape.constant([1.0, 2.0]);
        let _gradients = x.square().sum().backward();
    }),
    ("training on a tape for prediction", || {
        let (images, labels) = batch();
        let tape = Tape::inference();
        let loss = Mlp::new(784, 16).forward(&tape.constant(images)).softmax_cross_entropy(&labels);
        let _gradients = loss.backward();
    }),
    ("the derivative by a constant", || {
        let tape = Tape::new();
        let (x, w) = (tape.constant([1.0, 2.0]), tape.var([3.0, 4.0]));
        let _dx = (&x * &w).sum().grad(&x);
    }),
    ("a derivative through detach", || {
        let x = Tape::new().var(3.0);
        let y = x.square().detach() * tape_of(&x).var(2.0);
        let _dy = y.grad(&x);
    }),
    ("two tapes", || {
        let input = Tape::new().constant([1.0, 2.0]);
        let weight = Tape::new().var([3.0, 4.0]);
        let _y = &weight * &input;
    }),
    ("the gradient of a parameter that was not used", || {
        let (weight, forgotten) = (Param::new([1.0, 2.0]), Param::new([0.0, 0.0]));
        let gradients = (Tape::new().constant([3.0, 4.0]) * &weight).sum().backward();
        let _gradient = &gradients[&forgotten];
    }),
    ("the gradient of an intermediate result", || {
        let x = Tape::new().var([1.0, 2.0]);
        let h = x.exp();
        let gradients = h.sum().backward();
        let _gradient = &gradients[&h];
    }),
    ("one tape for all steps", || {
        let mut weight = Param::new([1.0, 2.0]);
        let (tape, mut optimizer) = (Tape::new(), Sgd::new(0.1));
        for _ in 0..2 {
            let loss = tape.param(&weight).square().sum();
            optimizer.step(&mut weight, &loss.backward());
        }
    }),
    ("a cotangent of another shape", || {
        let x = Tape::new().var([1.0, 2.0, 3.0]);
        let y = x.sum();
        let _flow = y.vjp(&x, &[&x]);
    }),
    ("a weight is bound after it was used", || {
        let (tape, weight) = (Tape::new(), Param::new([1.0, 2.0]));
        let penalty = tape.param(&weight).square().sum();
        tape.bind(&weight, &(tape.var([1.0, 2.0]) * penalty));
    }),
    ("the item of a batch", || {
        let losses = Tape::new().var([1.0, 2.0]).square();
        println!("loss: {}", losses.item());
    }),
];

const TRAINING: &[Program] = &[
    ("a negative learning rate", || {
        let _optimizer = Sgd::<f32>::new(-0.1);
    }),
    ("one optimizer for two models", || {
        let mut optimizer = Adam::new(1e-3);
        for size in [2, 3] {
            let mut weight = Param::new(Tensor::ones([size]));
            let gradients = Tape::new().param(&weight).square().sum().backward();
            optimizer.step(&mut weight, &gradients);
        }
    }),
    ("inputs and targets of different number", || {
        let _samples = Samples::new(Tensor::<f32>::ones([100, 3]), vec![0; 99]);
    }),
    ("batches of nothing", || {
        let images = Images::new(vec![0; 8], vec![0, 1], [2, 2]);
        let _batches = images.batches(0);
    }),
];

fn tape_of(x: &Var) -> Tape {
    x.tape().clone()
}

const SOURCE: &str = include_str!("wrong_programs.rs");

fn source_line(line: usize) -> &'static str {
    SOURCE.lines().nth(line - 1).unwrap_or_default().trim()
}

/// The message with line numbers of this file replaced by the text of the line, since numbers change.
fn with_lines_quoted(message: &str) -> String {
    let mut parts = message.split("tests/it/wrong_programs.rs:");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| {
        let (line, rest) = part.split_once(':').unwrap_or((part, ""));
        let line = source_line(line.parse().expect("a line number follows the name of a file"));
        format!("{text}`{line}`{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
    })
}

/// The reported line and message of a program.
fn report(&(mistake, program): &Program) -> String {
    let report = panic_of(program).unwrap_or_else(|| panic!("{mistake}: accepted"));
    assert_eq!(report.file, file!(), "{mistake}: {}", report.message);
    format!("{mistake}\n    {}\n    {}\n\n", source_line(report.line), with_lines_quoted(&report.message))
}

#[test]
fn every_mistake_is_explained() {
    let text: String = [SHAPES, LAYERS, DERIVATIVES, TRAINING].into_iter().flatten().map(report).collect();
    assert!(text.lines().filter(|line| line.is_empty()).count() >= 30);
    insta::assert_snapshot!(text);
}
