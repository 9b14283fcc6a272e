//! Gradient check: backpropagation is fast and easy to get wrong, finite differences are slow and hard to get wrong.
//!
//! `cargo run --release --example 06_gradient_check` takes a two-layer network and three images of MNIST, in double
//! precision, and computes the gradient of every weight both ways: with two forward passes per weight, and with one backward
//! pass for all. Then it shows how a wrong backward rule is caught.

mod support {
    pub mod command;
    pub mod figure;
    pub mod log;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::time::Instant;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::log::Log;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::data::mnist;
use wengert::prelude::*;

/// Two linear layers with ReLU between them.
struct TwoLayerNet<T: Float> {
    hidden: Linear<T>,
    output: Linear<T>,
}
module!(TwoLayerNet<T> { hidden, output });

impl TwoLayerNet<f64> {
    fn new(units: usize, rng: &mut impl Rng) -> Self {
        let init = Init::Normal(0.01);
        TwoLayerNet { hidden: Linear::new(784, units, init, rng), output: Linear::new(units, 10, init, rng) }
    }

    fn loss(&self, images: &Var<f64>, labels: &[usize]) -> Var<f64> {
        self.output.forward(&self.hidden.forward(images).relu()).softmax_cross_entropy(labels)
    }
}

/// The gradient of a parameter computed both ways, and the seconds that finite differences took.
struct Comparison {
    name: String,
    numerical: Tensor<f64>,
    backprop: Tensor<f64>,
    seconds: f64,
}

fn main() -> Outcome {
    start(include_str!("06_gradient_check.rs"), []);
    let (train, _) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let batch = train.batch(&[0, 1, 2]);
    let (images, labels) = (batch.images.cast::<f64>(), batch.labels);
    let units = if quick() { 5 } else { 50 };
    let model = TwoLayerNet::new(units, &mut wengert::rng(0));
    println!("784 pixels, {units} units, 10 classes: {} parameters\n", model.parameter_count());

    let backprop = || model.loss(&Tape::new_f64().constant(&images), &labels).backward();
    let gradients = backprop();
    let start = Instant::now();
    for _ in 0..100 {
        _ = backprop();
    }
    let backprop_seconds = start.elapsed().as_secs_f64() / 100.0;

    println!("{:<15} {:<10} {:>12} {:>12} {:>9}", "parameter", "shape", "difference", "relative", "seconds");
    let mut comparisons = Vec::new();
    for (name, parameter) in model.parameters() {
        let start = Instant::now();
        let numerical = numerical_gradient(&model, parameter, &images, &labels);
        let seconds = start.elapsed().as_secs_f64();
        let comparison = Comparison { name, numerical, backprop: gradients[parameter].clone(), seconds };
        comparison.print()?;
        comparisons.push(comparison);
    }
    let numerical_seconds: f64 = comparisons.iter().map(|comparison| comparison.seconds).sum();
    println!("\nfinite differences: {numerical_seconds:.3} s, two forward passes per parameter");
    println!("backpropagation:    {backprop_seconds:.6} s, one forward and one backward pass");
    println!("ratio:              {:.0}\n", numerical_seconds / backprop_seconds);
    catch_a_wrong_rule();

    let seconds = [("finite differences", numerical_seconds), ("backpropagation", backprop_seconds)];
    figure("06_gradient_check", "The gradient of a two-layer network, computed both ways", (1000, 480), |area| {
        let (left, right) = area.split_horizontally(600);
        draw_differences(&left, &comparisons)?;
        draw_seconds(&right, &seconds)
    })
}

/// The derivative of the loss with respect to each element of a parameter, by central differences.
fn numerical_gradient(
    model: &TwoLayerNet<f64>,
    parameter: &Param<f64>,
    images: &Tensor<f64>,
    labels: &[usize],
) -> Tensor<f64> {
    let loss = |value: &Tensor<f64>| {
        let tape = Tape::with_mode(Mode::Inference);
        // On this tape the parameter has the given value.
        tape.bind(parameter, &tape.constant(value));
        model.loss(&tape.constant(images), labels).item()
    };
    check::numerical_gradient(loss, parameter.value(), 1e-4)
}

impl Comparison {
    /// Prints the mean difference of the two gradients, absolute and relative to the mean magnitude of the gradient.
    fn print(&self) -> Outcome {
        let difference = (&self.numerical - &self.backprop).map(f64::abs).mean().item();
        let relative = difference / self.backprop.map(f64::abs).mean().item();
        let shape = format!("{:?}", self.backprop.shape());
        println!("{:<15} {shape:<10} {difference:>12.2e} {relative:>12.2e} {:>9.3}", self.name, self.seconds);
        if relative < 1e-5 { Ok(()) } else { Err(format!("the gradients of {} disagree", self.name).into()) }
    }
}

/// The cube, with a mistake in its backward rule.
#[derive(Debug)]
struct Cube;

impl Op<f64, 1> for Cube {
    const NAME: &'static str = "cube";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x]: [&Tensor<f64>; 1]) -> Tensor<f64> {
        x.map(|x| x.powi(3))
    }
    fn backward(&self, saved: &Saved<f64, 1>, gradient: &Var<f64>) -> [Option<Var<f64>>; 1] {
        [Some(gradient * 2.0 * saved.input(0).square())] // 3x², not 2x²
    }
}

fn catch_a_wrong_rule() {
    println!("check::gradients does the same in one random direction, for custom operations.");
    println!("Applied to x³, first as in the library and then with the wrong rule 2x²:");
    let inputs = [tensor![f64; 0.5, -1.0, 2.0]];
    for outcome in [check::gradients(|x| x[0].powi(3), &inputs), check::gradients(|x| x[0].apply(Cube), &inputs)] {
        match outcome {
            Ok(()) => println!("  right"),
            Err(mismatch) => println!("  wrong: {mismatch}"),
        }
    }
    println!();
}

/// Draws the difference of the two gradients against the gradient, for some elements of each parameter.
fn draw_differences(area: &Canvas, comparisons: &[Comparison]) -> Outcome {
    const SHOWN: usize = 150;
    let pairs = comparisons.iter().flat_map(|one| one.backprop.as_slice().iter().zip(one.numerical.as_slice()));
    let largest = pairs.map(|(backprop, numerical)| (backprop - numerical).abs()).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(format!("Each point is a weight or a bias: the largest difference is {largest:.1e}"), (FONT, 17))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(66)
        .build_cartesian_2d(Log(1e-8..1.0), Log(1e-16..1.0))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .y_labels(20)
        .x_desc("|gradient| by backpropagation")
        .y_desc("|difference|")
        .draw()?;
    stroke(&chart, [(1e-8, 1e-8), (1.0, 1.0)], BLACK)?;
    chart.draw_series([Text::new("line: as large as the gradient", (1e-3, 1e-4), (FONT, 16))])?;
    for (comparison, color) in comparisons.iter().zip(COLORS) {
        let pairs = comparison.backprop.as_slice().iter().zip(comparison.numerical.as_slice());
        let points = pairs.map(|(backprop, numerical)| (backprop.abs(), (backprop - numerical).abs()));
        // The gradient of weights at black pixels is 0 both ways.
        let visible: Vec<_> = points.filter(|&(x, y)| x > 1e-8 && y > 1e-16).collect();
        let some = visible.iter().step_by(visible.len().div_ceil(SHOWN).max(1));
        chart
            .draw_series(some.map(|&point| Circle::new(point, 4, color.mix(0.6).filled())))?
            .label(&comparison.name)
            .legend(move |(x, y)| Circle::new((x + 9, y), 5, color.filled()));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font((FONT, 16)).draw()?;
    Ok(())
}

/// Draws the time that each method takes.
fn draw_seconds(area: &Canvas, seconds: &[(&str, f64); 2]) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption("Time for the whole gradient", (FONT, 17))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..2.0, Log(1e-2..1e5))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(0)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .y_labels(20)
        .y_desc("milliseconds")
        .draw()?;
    for (k, ((name, seconds), color)) in seconds.iter().zip([COLORS[5], COLORS[4]]).enumerate() {
        // A point, because a bar would have no foot: the axis has no zero.
        let (middle, time) = (k as f64 + 0.5, 1e3 * seconds);
        chart.draw_series([Circle::new((middle, time), 8, color.filled())])?;
        let style = (FONT, 16).into_font().color(&BLACK).pos(Pos::new(HPos::Center, VPos::Bottom));
        let label = |text: String, height: f64| Text::new(text, (middle, height), style.clone());
        // Three digits.
        let digits = (2.0 - time.log10().floor()).max(0.0) as usize;
        chart.draw_series([label(name.to_string(), 4.0 * time), label(format!("{time:.digits$} ms"), 1.7 * time)])?;
    }
    Ok(())
}
