//! Batch sizes: how many samples a training step should use.
//!
//! `cargo run --release --example 08_batch_sizes` trains the same network online (one step per image), with mini-batches of
//! 16, 32 and 128, and with the full batch, whose gradient is computed in parallel shards. It shows that
//! - small batches make the most progress per epoch, because they take more steps,
//! - large ones take less time per epoch, because a matrix product does more arithmetic with each weight that it loads,
//! - so something in between reaches a given loss soonest.

mod support {
    pub mod command;
    pub mod curves;
    pub mod evaluate;
    pub mod figure;
    pub mod log;
    pub mod mlp;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use std::time::Instant;
use support::command::start;
use support::curves::{Curve, curves};
use support::evaluate::evaluate;
use support::figure::{Outcome, figure, quick};
use support::mlp::Mlp;
use support::style::COLORS;
use wengert::data::{ImageBatch, Images, mnist};
use wengert::parallel;
use wengert::prelude::*;

/// Shards of the full batch. Results depend on their number, but not on the number of threads.
const SHARDS: usize = 16;
/// Training loss to be reached.
const TARGET: f64 = 0.2;

/// A batch size and the best of the learning rates 0.01, 0.03, 0.1 and 0.3 for it: the gradient of a single image is so noisy
/// that its steps must be smaller.
struct Plan {
    name: &'static str,
    /// Batch size; `None` is the full batch.
    batch: Option<usize>,
    rate: f64,
    epochs: usize,
}

const PLANS: [Plan; 5] = [
    Plan { name: "online", batch: Some(1), rate: 0.03, epochs: 5 },
    Plan { name: "16", batch: Some(16), rate: 0.3, epochs: 20 },
    Plan { name: "32", batch: Some(32), rate: 0.3, epochs: 20 },
    Plan { name: "128", batch: Some(128), rate: 0.3, epochs: 20 },
    Plan { name: "full batch", batch: None, rate: 0.3, epochs: 200 },
];

/// The training progress after an epoch.
#[derive(Clone, Copy)]
struct Progress {
    epoch: usize,
    seconds: f64,
    /// Loss over the whole training set.
    loss: f64,
}

/// Trains the network and evaluates the loss after each epoch; the time of the evaluation is not counted.
fn train(plan: &Plan, images: &Images, epochs: usize) -> (Mlp, Vec<Progress>) {
    let mut rng = wengert::rng(0);
    let mut model = Mlp::new(&[784, 100, 10], &mut rng);
    let mut optimizer = Sgd::new(plan.rate);
    let shards: Vec<ImageBatch> = images.batches(images.len().div_ceil(SHARDS)).collect();
    let mut history = vec![Progress { epoch: 0, seconds: 0.0, loss: evaluate(images, |x| model.forward(x)).0 }];
    for epoch in 1..=epochs {
        let start = Instant::now();
        match plan.batch {
            Some(size) => mini_batches(&mut model, &mut optimizer, images, size, &mut rng),
            None => full_batch(&mut model, &mut optimizer, &shards, &mut rng),
        }
        let seconds = history[epoch - 1].seconds + start.elapsed().as_secs_f64();
        history.push(Progress { epoch, seconds, loss: evaluate(images, |x| model.forward(x)).0 });
    }
    (model, history)
}

/// Trains one epoch with one step per batch.
fn mini_batches(model: &mut Mlp, optimizer: &mut Sgd, images: &Images, size: usize, rng: &mut impl Rng) {
    for batch in images.batches(size).shuffled(rng) {
        let tape = Tape::training(rng);
        let loss = model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
        optimizer.step(model, &loss.backward());
    }
}

/// Trains one epoch of a single step, along the mean gradient of all images.
fn full_batch(model: &mut Mlp, optimizer: &mut Sgd, shards: &[ImageBatch], rng: &mut impl Rng) {
    let images: usize = shards.iter().map(|shard| shard.labels.len()).sum();
    let loss = |tape: &Tape, shard: &ImageBatch| {
        let share = shard.labels.len() as f64 / images as f64;
        model.forward(&tape.constant(&shard.images)).softmax_cross_entropy(&shard.labels) * share
    };
    let (_, gradients) = parallel::gradients(rng, shards, loss).expect("there are shards");
    optimizer.step(model, &gradients);
}

fn main() -> Outcome {
    start(include_str!("08_batch_sizes.rs"), []);
    let (images, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let images = images.take(if quick() { 1000 } else { 5000 });
    let runs = PLANS.map(|plan| {
        let (model, history) = train(&plan, &images, if quick() { plan.epochs / 4 } else { plan.epochs });
        (plan, evaluate(&test_set, |x| model.forward(x)).1, history)
    });

    println!("{} images of MNIST, 784-100-10, SGD; the target is a loss of {TARGET}\n", images.len());
    println!("{:<10}  {:>5}  {:>5}  {:>7}  {:^16}  {:^16}", "", "", "steps", "seconds", "loss after", "to the target");
    println!(
        "{:<10}  {:>5}  {:>5}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  test accuracy",
        "batch", "rate", "per", "epoch", "epoch 1", "all", "epochs", "seconds"
    );
    for (plan, accuracy, history) in &runs {
        println!("{}  {accuracy:>6.4} after {}", row(plan, history, images.len()), history.len() - 1);
    }
    println!();
    draw(&runs.map(|(plan, _, history)| (plan, history)))
}

/// The row of a run in the printed table, up to its test accuracy.
fn row(plan: &Plan, history: &[Progress], images: usize) -> String {
    let steps = plan.batch.map_or(1, |size| images.div_ceil(size));
    let last = history[history.len() - 1];
    let per_epoch = last.seconds / last.epoch as f64;
    let reached = history.iter().find(|progress| progress.loss < TARGET);
    let [epochs, seconds] = match reached {
        Some(progress) => [progress.epoch.to_string(), format!("{:.2}", progress.seconds)],
        None => ["-", "-"].map(String::from),
    };
    format!(
        "{:<10}  {:>5}  {steps:>5}  {per_epoch:>7.4}  {:>7.3}  {:>7.3}  {epochs:>7}  {seconds:>7}",
        plan.name, plan.rate, history[1].loss, last.loss
    )
}

/// Draws the loss against epochs and against seconds.
fn draw(runs: &[(Plan, Vec<Progress>)]) -> Outcome {
    let all = |across: fn(&Progress) -> f64| -> Vec<Curve> {
        let curve = |((plan, history), color): (&(Plan, Vec<Progress>), _)| Curve {
            label: format!("{}, rate {}", plan.name, plan.rate),
            points: history.iter().map(|progress| (across(progress), progress.loss)).collect(),
            color,
        };
        runs.iter().zip(COLORS).map(curve).collect()
    };
    let [by_epoch, by_second] = [all(|progress| progress.epoch as f64), all(|progress| progress.seconds)];
    // Cut off where online learning ends; the full batch continues just as slowly.
    let seconds = runs[0].1.last().map_or(1.0, |progress| progress.seconds);
    figure("08_batch_sizes", "Batch sizes: the loss against epochs and against time", (1100, 500), |area| {
        let panels = area.split_evenly((1, 2));
        let losses = 0.0005..20.0;
        curves(&panels[0], "Against epochs", ("epoch", "training loss"), (0.0..20.5, losses.clone()), &by_epoch)?;
        curves(&panels[1], "Against time", ("seconds", "training loss"), (0.0..1.02 * seconds, losses), &by_second)
    })
}
