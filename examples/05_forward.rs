//! Inference: a trained network classifies the test images of MNIST, one at a time and in batches.
//!
//! `cargo run --release --example 05_forward` loads the parameters of a network with 784 inputs, two hidden layers of 50 and 100
//! sigmoid units and 10 outputs, and shows
//! - the test accuracy,
//! - how much faster batches are, with the same predictions,
//! - misclassified images, the most confident mistakes first.
//!
//! The parameters are in `data/mnist_784_50_100_10.safetensors`, written by `-- --train`: 12 epochs of Adam on the training
//! images with seed 0, which reproduces the file byte for byte on the same kind of machine. `-- --parameters FILE` selects
//! another file.

mod support {
    pub mod checkout;
    pub mod command;
    pub mod digit;
    pub mod figure;
    pub mod image;
    pub mod log;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use support::checkout::{self, relative};
use support::command::start;
use support::digit::digit;
use support::figure::{Canvas, Outcome, figure, quick};
use support::log::Log;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::data::{Images, mnist};
use wengert::metrics::accuracy;
use wengert::optim::schedule::Cosine;
use wengert::prelude::*;

const PARAMETERS: &str = "data/mnist_784_50_100_10.safetensors";
/// Minimum test accuracy of trained parameters.
const MIN_ACCURACY: f64 = 0.96;
const BATCHES: [usize; 4] = [1, 10, 100, 1000];
/// Rows and columns of misclassified images.
const GRID: (usize, usize) = (4, 8);

struct Network {
    hidden1: Linear,
    hidden2: Linear,
    output: Linear,
}
module!(Network { hidden1, hidden2, output });

impl Network {
    fn new(rng: &mut impl Rng) -> Self {
        Network {
            hidden1: Linear::new(784, 50, Init::Xavier, rng),
            hidden2: Linear::new(50, 100, Init::Xavier, rng),
            output: Linear::new(100, 10, Init::Xavier, rng),
        }
    }

    /// The class scores (logits) `[n, 10]` of images `[n, 784]`.
    fn forward(&self, images: &Var) -> Var {
        let h = self.hidden1.forward(images).sigmoid();
        let h = self.hidden2.forward(&h).sigmoid();
        self.output.forward(&h)
    }

    /// The class probabilities `[n, 10]` of all images, in batches of `size`.
    fn predict(&self, images: &Images, size: usize) -> Tensor {
        let mut probabilities = Vec::with_capacity(images.len() * 10);
        for batch in images.batches(size) {
            let tape = Tape::inference();
            let scores = self.forward(&tape.constant(batch.images));
            probabilities.extend_from_slice(scores.softmax(1).value().as_slice());
        }
        Tensor::from_vec(probabilities, [images.len(), 10])
    }
}

/// Trains a network and saves its parameters.
fn train(images: &Images, path: &Path) -> Outcome {
    const EPOCHS: usize = 12;
    const BATCH: usize = 100;
    let mut rng = wengert::rng(0);
    let mut network = Network::new(&mut rng);
    let mut optimizer = Adam::new(0.005);
    let schedule = Cosine::new(0.005, EPOCHS * images.len().div_ceil(BATCH));
    let mut step = 0;
    for epoch in 1..=EPOCHS {
        let start = Instant::now();
        for batch in images.batches(BATCH).shuffled(&mut rng) {
            let tape = Tape::training(&mut rng);
            let loss = network.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
            optimizer.set_learning_rate(schedule.at(step));
            optimizer.step(&mut network, &loss.backward());
            step += 1;
        }
        let accuracy = accuracy(&network.predict(images, 1000), images.labels());
        println!("epoch {epoch:>2}: train accuracy {accuracy:.4} in {:.1} s", start.elapsed().as_secs_f64());
    }
    wengert::io::save(&network, path)?;
    println!("saved: {}\n", relative(path));
    Ok(())
}

/// Prints and draws the throughput, and checks that the predictions do not depend on the batch size.
fn show_throughput(network: &Network, images: &Images, single: &Tensor) -> Outcome {
    let passes = if quick() { 1 } else { 5 };
    println!("probabilities in batches, and their largest difference from those of batches of 1");
    println!("{:>5}  {:>9}  {:>10}  {:>10}", "batch", "images/s", "ms/batch", "difference");
    let mut points = Vec::new();
    for size in BATCHES {
        let mut fastest = f64::INFINITY;
        for _ in 0..passes {
            let start = Instant::now();
            let probabilities = network.predict(images, size);
            fastest = fastest.min(start.elapsed().as_secs_f64());
            assert_eq!(probabilities.argmax(1), single.argmax(1), "different predictions in batches of {size}");
        }
        let difference = (network.predict(images, size) - single).map(f32::abs).max().item();
        let rate = images.len() as f64 / fastest;
        println!("{size:>5}  {rate:>9.0}  {:>10.3}  {difference:>10.1e}", 1000.0 * size as f64 / rate);
        points.push((size as f64, rate / 1000.0));
    }
    println!("The predictions for all {} images do not depend on the batch size.", images.len());
    figure("05_throughput", "Inference on MNIST in batches: 784-50-100-10, sigmoid", (760, 480), |area| {
        draw_throughput(area, &points)
    })
}

/// Draws the throughput against the batch size, both on logarithmic axes.
fn draw_throughput(area: &Canvas, points: &[(f64, f64)]) -> Outcome {
    let rates = || points.iter().map(|&(_, rate)| rate);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(Log(0.5..1500.0), Log(0.7 * low..1.5 * high))?;
    chart
        .configure_mesh()
        .x_desc("batch size")
        .y_desc("thousand images per second")
        .x_labels(7)
        .y_labels(20)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 16))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    stroke(&chart, points.iter().copied(), COLORS[0].stroke_width(2))?;
    for &point in points {
        let style = (FONT, 16).into_text_style(area).pos(Pos::new(HPos::Right, VPos::Bottom));
        let label = Text::new(format!("{:.1}", point.1), (-6, -4), style);
        chart.draw_series([EmptyElement::at(point) + Circle::new((0, 0), 4, COLORS[0].filled()) + label])?;
    }
    Ok(())
}

/// Prints the number of misclassified images and draws the most confident mistakes.
fn show_mistakes(images: &Images, probabilities: &Tensor) -> Outcome {
    let predictions = probabilities.argmax(1);
    let confidence = |image: usize| probabilities[[image, predictions[image]]];
    let mut wrong: Vec<usize> =
        (0..images.len()).filter(|&image| predictions[image] != images.labels()[image]).collect();
    wrong.sort_by(|&one, &other| confidence(other).total_cmp(&confidence(one)));
    println!("\n{} of {} images are misclassified", wrong.len(), images.len());
    let title = "Misclassified digits: label → prediction and its probability, the most confident first";
    figure("05_mistakes", title, (1100, 640), |area| {
        for (&image, cell) in wrong.iter().zip(area.split_evenly(GRID)) {
            let pixels = images.batch(&[image]).images;
            let (label, prediction) = (images.labels()[image], predictions[image]);
            digit(&cell, pixels.as_slice(), &format!("{label} → {prediction}, {:.2} %", 100.0 * confidence(image)))?;
        }
        Ok(())
    })
}

fn run(options: &ArgMatches) -> Outcome {
    let path = &options.get_one("parameters").cloned().unwrap_or_else(|| checkout::root().join(PARAMETERS));
    let (train_images, test_images) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    if options.get_flag("train") {
        train(&train_images, path)?;
    }
    let mut network = Network::new(&mut wengert::rng(0));
    wengert::io::load(&mut network, path).map_err(|error| format!("{error}\n  `-- --train` recreates the file"))?;
    println!("{} parameters from {}", network.parameter_count(), relative(path));
    let probabilities = network.predict(&test_images, 1);
    let accuracy = accuracy(&probabilities, test_images.labels());
    println!("test accuracy: {accuracy:.4}\n");
    if accuracy < MIN_ACCURACY {
        let path = relative(path);
        return Err(format!(
            "{path}: test accuracy {accuracy}, expected at least {MIN_ACCURACY}: not a trained network"
        )
        .into());
    }
    show_throughput(&network, &test_images, &probabilities)?;
    show_mistakes(&test_images, &probabilities)
}

fn main() -> ExitCode {
    let options = [
        Arg::new("parameters")
            .long("parameters")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("File with the parameters"),
        Arg::new("train").long("train").action(ArgAction::SetTrue).help("Trains the network and writes the file first"),
    ];
    if let Err(error) = run(&start(include_str!("05_forward.rs"), options)) {
        // A load error has one line per mismatch; join them.
        eprintln!("error: {}", error.to_string().replace(":\n  ", ": ").replace("\n  ", "; "));
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}
