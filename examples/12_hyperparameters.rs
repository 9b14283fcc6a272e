//! Hyperparameters: random search for a learning rate and a weight decay.
//!
//! `cargo run --release --example 12_hyperparameters` shows
//! - sampling on a logarithmic scale, because the order of magnitude is what matters,
//! - comparing trials on validation images, which belong to neither the training set nor the test set,
//! - running trials in parallel with the same results as one at a time, because each has its own seed,
//! - the test accuracy of the best trial, measured once, at the end.

mod support {
    pub mod command;
    pub mod evaluate;
    pub mod figure;
    pub mod lines;
    pub mod log;
    pub mod mlp;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;
use support::command::start;
use support::evaluate::evaluate;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines};
use support::log::Log;
use support::mlp::Mlp;
use support::style::FONT;
use wengert::data::{ImageBatch, mnist};
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Number of training images, and of validation images.
const IMAGES: usize = 1000;
const BATCH: usize = 100;
/// Ranges of the learning rate and of the weight decay, as powers of ten.
const RATE_POWERS: Range<f64> = -4.0..0.5;
const DECAY_POWERS: Range<f64> = -6.0..0.0;
/// Number of best trials that are listed and drawn.
const BEST: usize = 6;

/// The hyperparameters of a trial.
struct Trial {
    learning_rate: f64,
    weight_decay: f64,
    /// Seed of weights and batch order, so that the result does not depend on the thread.
    seed: u64,
}

impl Trial {
    fn sample(rng: &mut impl Rng) -> Self {
        Trial {
            learning_rate: 10f64.powf(rng.random_range(RATE_POWERS)),
            weight_decay: 10f64.powf(rng.random_range(DECAY_POWERS)),
            seed: rng.next_u64(),
        }
    }

    /// Trains a network; returns it with its validation accuracy after each epoch.
    fn run<D: Dataset<Batch = ImageBatch>>(&self, epochs: usize, train_set: &D, validation_set: &D) -> (Mlp, Vec<f64>) {
        let mut rng = wengert::rng(self.seed);
        let mut model = Mlp::new(&[784, 100, 100, 10], &mut rng);
        let mut optimizer = Sgd::new(self.learning_rate).weight_decay(self.weight_decay);
        let mut curve = Vec::new();
        for _ in 0..epochs {
            for batch in train_set.batches(BATCH).shuffled(&mut rng) {
                let tape = Tape::training(&mut rng);
                let scores = model.forward(&tape.constant(batch.images));
                let gradients = scores.softmax_cross_entropy(&batch.labels).backward();
                optimizer.step(&mut model, &gradients);
            }
            curve.push(evaluate(validation_set, |x| model.forward(x)).1);
        }
        (model, curve)
    }
}

/// A trial and its validation accuracy after each epoch.
struct TrialResult {
    trial: Trial,
    curve: Vec<f64>,
}

impl TrialResult {
    fn accuracy(&self) -> f64 {
        self.curve[self.curve.len() - 1]
    }
}

fn main() -> Outcome {
    start(include_str!("12_hyperparameters.rs"), []);
    let (images, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (count, epochs) = if quick() { (12, 4) } else { (80, 25) };
    let mut rng = wengert::rng(0);
    let (some, _) = images.split(2 * IMAGES, &mut rng);
    let (train_set, validation_set) = some.split(IMAGES, &mut rng);

    // All trials are sampled before the first one runs.
    let trials: Vec<Trial> = (0..count).map(|_| Trial::sample(&mut rng)).collect();
    let curves = parallel::map(&trials, |trial| trial.run(epochs, &train_set, &validation_set).1);
    let mut results: Vec<TrialResult> =
        trials.into_iter().zip(curves).map(|(trial, curve)| TrialResult { trial, curve }).collect();
    results.sort_by(|a, b| b.accuracy().total_cmp(&a.accuracy()));

    println!("{count} trials of {epochs} epochs: {IMAGES} training images, {IMAGES} validation images\n");
    println!("{:>4}  {:>13}  {:>12}  validation accuracy", "rank", "learning rate", "weight decay");
    let last = results.len() - 1;
    for rank in (0..BEST).chain([last / 2, last]) {
        let TrialResult { trial, .. } = &results[rank];
        let accuracy = results[rank].accuracy();
        println!("{:>4}  {:>13.1e}  {:>12.1e}  {accuracy:.3}", rank + 1, trial.learning_rate, trial.weight_decay);
    }
    let [rates, decays] = [|trial: &Trial| trial.learning_rate, |trial: &Trial| trial.weight_decay]
        .map(|value| spread(results[..BEST].iter().map(|result| value(&result.trial))));
    println!("\nranges to search next: learning rate {rates}, weight decay {decays}");

    let best = &results[0];
    let (model, curve) = best.trial.run(epochs, &train_set, &validation_set);
    println!("best trial again, on one thread: the same curve, bit for bit: {}", curve == best.curve);
    println!("its accuracy on the {} test images: {:.4}", test_set.len(), evaluate(&test_set, |x| model.forward(x)).1);

    figure("12_hyperparameters", "Random search: 1000 images, two hidden layers", (1200, 560), |area| {
        let (map, curves) = area.split_horizontally(665);
        draw_map(&map, &results)?;
        draw_curves(&curves, &results[..BEST])
    })
}

/// The range of some numbers, as text.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let (low, high) = values.fold((f64::INFINITY, 0f64), |(low, high), value| (low.min(value), high.max(value)));
    format!("{low:.0e} to {high:.0e}")
}

/// From pale yellow for accuracy 0 to dark blue for 1, which differ in lightness too.
fn shade(accuracy: f64) -> RGBColor {
    let mix = |low: f64, high: f64| (low + accuracy * (high - low)).round() as u8;
    RGBColor(mix(255.0, 0.0), mix(245.0, 40.0), mix(180.0, 120.0))
}

/// Draws every trial at its learning rate and weight decay, darker for higher accuracy, the best with their ranks.
fn draw_map(area: &Canvas, results: &[TrialResult]) -> Outcome {
    let (map, scale) = area.split_horizontally(530);
    let [rates, decays] = [RATE_POWERS, DECAY_POWERS].map(|powers| 10f64.powf(powers.start)..10f64.powf(powers.end));
    let mut chart = ChartBuilder::on(&map)
        .caption("all trials, and the ranks of the best", (FONT, 18))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(Log(rates), Log(decays))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .x_desc("learning rate")
        .y_desc("weight decay")
        .draw()?;
    // From the worst to the best, so that the best are on top.
    for (rank, result) in results.iter().enumerate().rev() {
        let name = if rank < BEST { (rank + 1).to_string() } else { String::new() };
        let style = (FONT, 14).into_font().color(&WHITE).pos(Pos::new(HPos::Center, VPos::Center));
        let position = EmptyElement::at((result.trial.learning_rate, result.trial.weight_decay));
        let dot = Circle::new((0, 0), 8, shade(result.accuracy()).filled());
        let edge = Circle::new((0, 0), 8, BLACK.stroke_width(1));
        chart.draw_series([position + dot + edge + Text::new(name, (0, 0), style)])?;
    }
    draw_scale(&scale)
}

/// Draws the color scale of the map.
fn draw_scale(area: &Canvas) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .margin_top(42)
        .margin_bottom(58)
        .margin_right(25)
        .right_y_label_area_size(70)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?
        .set_secondary_coord(0.0..1.0, 0.0..1.0);
    let step = |k: u32| f64::from(k) / 50.0;
    chart
        .draw_series((0..50).map(|k| Rectangle::new([(0.0, step(k)), (1.0, step(k + 1))], shade(step(k)).filled())))?;
    chart
        .configure_secondary_axes()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .y_desc("validation accuracy")
        .draw()?;
    Ok(())
}

/// Draws the learning curves of the best trials.
fn draw_curves(area: &Canvas, best: &[TrialResult]) -> Outcome {
    let line = |(rank, result): (usize, &TrialResult)| Line {
        label: format!(
            "{}: rate {:.1e}, decay {:.1e}",
            rank + 1,
            result.trial.learning_rate,
            result.trial.weight_decay
        ),
        points: result.curve.iter().enumerate().map(|(epoch, &accuracy)| ((epoch + 1) as f64, accuracy)).collect(),
    };
    let all: Vec<Line> = best.iter().enumerate().map(line).collect();
    lines(area, "learning curves of the best", ("epoch", "validation accuracy"), None, &all)
}
