//! Batch sizes: how many examples a step should look at.
//!
//! `cargo run --release --example 08_batch_sizes` trains the same network online (a step for each image), by mini-batches of
//! 16, 32 and 128, and by the full batch, whose gradient is computed in shards on all processors. It shows that
//! - small batches learn most from an epoch, because they take more steps,
//! - larger ones get through an epoch in less time, because a matrix product does more with each weight that it reads,
//! - so a loss is reached soonest by something in between.

mod common;
#[path = "common/curves.rs"]
mod curves;
#[path = "common/mlp.rs"]
mod mlp;

use common::{COLOURS, Outcome, figure, quick};
use curves::{Curve, curves};
use mlp::Mlp;
use std::time::Instant;
use wengert::data::{ImageBatch, Images, mnist};
use wengert::parallel;
use wengert::prelude::*;

/// Parts of the full batch. Results depend on them, and not on the number of threads.
const SHARDS: usize = 16;
/// The loss that all of them shall reach.
const GOAL: f64 = 0.2;

/// A way to cut an epoch into steps, and the best of the rates 0.01, 0.03, 0.1 and 0.3 for it: the gradient of a single image
/// is so noisy that steps along it must be smaller.
struct Plan {
    name: &'static str,
    /// Images in a step; all of them if there is no number.
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

/// Where training is after an epoch.
#[derive(Clone, Copy)]
struct Look {
    epoch: usize,
    seconds: f64,
    /// Over the whole training set.
    loss: f64,
}

/// Trains the network as planned, and looks at the loss after each epoch; looking does not count as time.
fn train(plan: &Plan, images: &Images, epochs: usize) -> (Mlp, Vec<Look>) {
    let mut rng = wengert::rng(0);
    let mut model = Mlp::new(&[784, 100, 10], &mut rng);
    let mut optimizer = Sgd::new(plan.rate);
    let shards: Vec<ImageBatch> = images.batches(images.len().div_ceil(SHARDS)).collect();
    let mut looks = vec![Look { epoch: 0, seconds: 0.0, loss: model.evaluate(images).0 }];
    for epoch in 1..=epochs {
        let start = Instant::now();
        match plan.batch {
            Some(size) => mini_batches(&mut model, &mut optimizer, images, size, &mut rng),
            None => full_batch(&mut model, &mut optimizer, &shards, &mut rng),
        }
        let seconds = looks[epoch - 1].seconds + start.elapsed().as_secs_f64();
        looks.push(Look { epoch, seconds, loss: model.evaluate(images).0 });
    }
    (model, looks)
}

/// An epoch of one step for each batch. Batches of one are nothing special.
fn mini_batches(model: &mut Mlp, optimizer: &mut Sgd, images: &Images, size: usize, rng: &mut impl Rng) {
    for batch in images.batches(size).shuffled(rng) {
        let tape = Tape::training(rng);
        let loss = model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
        optimizer.step(model, &loss.backward());
    }
}

/// An epoch of a single step along the mean gradient of all images.
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
    let (images, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
    let images = images.take(if quick() { 1000 } else { 5000 });
    let runs = PLANS.map(|plan| {
        let (model, looks) = train(&plan, &images, if quick() { plan.epochs / 4 } else { plan.epochs });
        (plan, model.evaluate(&test_set).1, looks)
    });

    println!("{} images of MNIST, 784-100-10, SGD; the goal is a loss of {GOAL}\n", images.len());
    println!("{:<10}  {:>5}  {:>5}  {:>7}  {:^16}  {:^16}", "", "", "steps", "seconds", "loss after", "to the goal");
    println!(
        "{:<10}  {:>5}  {:>5}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  test accuracy",
        "batch", "rate", "an", "epoch", "epoch 1", "all", "epochs", "seconds"
    );
    for (plan, accuracy, looks) in &runs {
        println!("{}  {accuracy:>6.4} after {}", row(plan, looks, images.len()), looks.len() - 1);
    }
    println!();
    draw(&runs.map(|(plan, _, looks)| (plan, looks)))
}

/// What is printed of a run, up to its accuracy.
fn row(plan: &Plan, looks: &[Look], images: usize) -> String {
    let steps = plan.batch.map_or(1, |size| images.div_ceil(size));
    let last = looks[looks.len() - 1];
    let per_epoch = last.seconds / last.epoch as f64;
    let goal = looks.iter().find(|look| look.loss < GOAL);
    let [epochs, seconds] = match goal {
        Some(look) => [look.epoch.to_string(), format!("{:.2}", look.seconds)],
        None => ["-", "-"].map(String::from),
    };
    format!(
        "{:<10}  {:>5}  {steps:>5}  {per_epoch:>7.4}  {:>7.3}  {:>7.3}  {epochs:>7}  {seconds:>7}",
        plan.name, plan.rate, looks[1].loss, last.loss
    )
}

/// The loss against epochs, and the same against seconds.
fn draw(runs: &[(Plan, Vec<Look>)]) -> Outcome {
    let all = |across: fn(&Look) -> f64| -> Vec<Curve> {
        let curve = |((plan, looks), colour): (&(Plan, Vec<Look>), _)| Curve {
            label: format!("{}, rate {}", plan.name, plan.rate),
            points: looks.iter().map(|look| (across(look), look.loss)).collect(),
            colour,
        };
        runs.iter().zip(COLOURS).map(curve).collect()
    };
    let [by_epoch, by_second] = [all(|look| look.epoch as f64), all(|look| look.seconds)];
    // As long as online takes; the full batch goes on, as slowly as at the end.
    let seconds = runs[0].1.last().map_or(1.0, |look| look.seconds);
    figure("08_batch_sizes", "Batch sizes: the loss against epochs and against time", (1100, 500), |area| {
        let panels = area.split_evenly((1, 2));
        let losses = 0.0005..20.0;
        curves(&panels[0], "Against epochs", ("epoch", "training loss"), (0.0..20.5, losses.clone()), &by_epoch)?;
        curves(&panels[1], "Against time", ("seconds", "training loss"), (0.0..1.02 * seconds, losses), &by_second)
    })
}
