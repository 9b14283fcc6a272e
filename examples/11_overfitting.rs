//! Overfitting: a network with far more weights than training samples memorizes them.
//!
//! `cargo run --release --example 11_overfitting` trains a network of six hidden layers on 300 images and shows
//! - that it soon classifies all of them correctly, and still misclassifies a quarter of the test images,
//! - that weight decay, as strong as in the book, narrows the gap from above: the training accuracy falls, and the test accuracy with
//!   it,
//! - that dropout of a fifth of the units, as in the book, and of half of the pixels and a tenth of the units, narrows it from below:
//!   each step trains another subnetwork, on other images, and the test accuracy rises.
//!
//! One run proves little, because the initial weights matter as much as the remedy: each is run with several seeds.

mod support {
    pub mod command;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines};
use wengert::data::{Images, mnist};
use wengert::metrics::accuracy;
use wengert::optim::Group;
use wengert::parallel;
use wengert::prelude::*;

const TRAINING_IMAGES: usize = 300;
const HIDDEN_LAYERS: usize = 6;
const BATCH: usize = 100;
const LEARNING_RATE: f64 = 0.02;
/// Epochs between two evaluations.
const INTERVAL: usize = 10;

/// Six hidden layers of 100 with ReLU, with dropout of pixels and of units.
struct DeepNet {
    hidden: Vec<Linear>,
    output: Linear,
    dropout: [Dropout; 2],
}
module!(DeepNet { hidden, output; dropout });

impl DeepNet {
    fn new(dropout: [f64; 2], rng: &mut impl Rng) -> Self {
        let inputs = |layer| if layer == 0 { 784 } else { 100 };
        let hidden = (0..HIDDEN_LAYERS).map(|layer| Linear::new(inputs(layer), 100, Init::He, rng)).collect();
        DeepNet { hidden, output: Linear::new(100, 10, Init::He, rng), dropout: dropout.map(Dropout::new) }
    }

    fn forward(&self, x: &Var) -> Var {
        let [pixels, units] = &self.dropout;
        let h = self.hidden.iter().fold(pixels.forward(x), |h, layer| units.forward(&layer.forward(&h).relu()));
        self.output.forward(&h)
    }
}

/// A remedy against overfitting.
struct Remedy {
    name: &'static str,
    weight_decay: f64,
    /// Fractions of the pixels and of the hidden units that are dropped.
    dropout: [f64; 2],
}

const REMEDIES: [Remedy; 4] = [
    Remedy { name: "none", weight_decay: 0.0, dropout: [0.0, 0.0] },
    Remedy { name: "weight decay 0.1", weight_decay: 0.1, dropout: [0.0, 0.0] },
    Remedy { name: "dropout of units", weight_decay: 0.0, dropout: [0.0, 0.2] },
    Remedy { name: "dropout of pixels", weight_decay: 0.0, dropout: [0.5, 0.1] },
];

/// Training and test accuracy, every [`INTERVAL`] epochs.
type Accuracies = Vec<[f64; 2]>;

fn measure(model: &DeepNet, images: &Images) -> f64 {
    // On an inference tape nothing is dropped.
    let tape = Tape::inference();
    let batch = images.all();
    accuracy(model.forward(&tape.constant(batch.images)).value(), &batch.labels)
}

/// Trains a network and evaluates it at intervals.
fn train(remedy: &Remedy, seed: u64, train_set: &Images, test_set: &Images, epochs: usize) -> Accuracies {
    let mut rng = wengert::rng(seed);
    let mut model = DeepNet::new(remedy.dropout, &mut rng);
    // No decay on biases: they do not affect how strongly the network responds to its input.
    let no_decay = Group::with_suffix("bias").weight_decay(0.0);
    let mut optimizer = Sgd::new(LEARNING_RATE).weight_decay(remedy.weight_decay).group(no_decay);
    let mut accuracies = Vec::new();
    for epoch in 0..=epochs {
        if epoch % INTERVAL == 0 {
            accuracies.push([measure(&model, train_set), measure(&model, test_set)]);
        }
        for batch in train_set.batches(BATCH).shuffled(&mut rng) {
            let tape = Tape::training(&mut rng);
            let scores = model.forward(&tape.constant(batch.images));
            let gradients = scores.softmax_cross_entropy(&batch.labels).backward();
            optimizer.step(&mut model, &gradients);
        }
    }
    accuracies
}

fn main() -> Outcome {
    start(include_str!("11_overfitting.rs"), []);
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let train_set = train_set.take(TRAINING_IMAGES);
    let (epochs, seeds, test_set) = if quick() { (20, 1, test_set.take(1000)) } else { (300, 4, test_set) };
    let parameters = DeepNet::new([0.0, 0.0], &mut wengert::rng(0)).parameter_count();
    println!("{parameters} parameters, {TRAINING_IMAGES} training images, {} test images", test_set.len());
    println!("after {epochs} epochs, mean and standard deviation of {seeds} runs:\n");

    let jobs: Vec<(&Remedy, u64)> =
        REMEDIES.iter().flat_map(|remedy| (0..seeds).map(move |seed| (remedy, seed))).collect();
    let runs = parallel::map(&jobs, |&(remedy, seed)| train(remedy, seed, &train_set, &test_set, epochs));
    let runs: Vec<&[Accuracies]> = runs.chunks(seeds as usize).collect();
    println!("{:<17}  {:>8}  {:>15}  {:>15}", "remedy", "training", "test", "gap");
    for (remedy, runs) in REMEDIES.iter().zip(&runs) {
        let last = |value: fn([f64; 2]) -> f64| mean_and_deviation(runs, epochs / INTERVAL, value);
        let [train, test, gap] = [last(|[train, _]| train), last(|[_, test]| test), last(|[train, test]| train - test)];
        println!("{:<17}  {:>8.4}  {:.4} ± {:.4}  {:.4} ± {:.4}", remedy.name, train.0, test.0, test.1, gap.0, gap.1);
    }
    figure("11_overfitting", "Remedies against overfitting: 300 images, six hidden layers", (1000, 780), |area| {
        for ((panel, remedy), runs) in area.split_evenly((2, 2)).iter().zip(&REMEDIES).zip(&runs) {
            draw(panel, remedy, runs)?;
        }
        Ok(())
    })
}

/// Mean and standard deviation over the runs of a value of one evaluation.
fn mean_and_deviation(runs: &[Accuracies], evaluation: usize, value: impl Fn([f64; 2]) -> f64) -> (f64, f64) {
    let values = runs.iter().map(|accuracies| value(accuracies[evaluation])).collect();
    let values: Tensor<f64> = Tensor::from_vec(values, [runs.len()]);
    let mean = values.mean().item();
    (mean, (&values - mean).map(|error| error * error).mean().item().sqrt())
}

/// Draws training and test accuracy by epoch.
fn draw(area: &Canvas, remedy: &Remedy, runs: &[Accuracies]) -> Outcome {
    let line = |(kind, name): (usize, &str)| {
        let mean = |k: usize| mean_and_deviation(runs, k, |accuracies| accuracies[kind]).0;
        let points: Vec<_> = (0..runs[0].len()).map(|k| ((k * INTERVAL) as f64, mean(k))).collect();
        let (_, end) = points[points.len() - 1];
        Line { label: format!("{name}: {end:.3} at the end"), points }
    };
    let all: Vec<Line> = ["training", "test"].into_iter().enumerate().map(line).collect();
    lines(area, remedy.name, ("epoch", "accuracy"), Some(0.4..1.02), &all)
}
