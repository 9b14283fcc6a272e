//! Optimizers: different update rules for the same gradients.
//!
//! `cargo run --release --example 07_optimizers` shows
//! - eight optimizers on x²/20 + y², a valley twenty times as steep across as along: SGD zigzags between the walls,
//! - a constant slope: only AdaGrad's steps shrink to 0, because it divides by the sum of all past squared gradients,
//! - how fast each trains a network of five layers on MNIST.

mod support {
    pub mod arrow;
    pub mod command;
    pub mod curves;
    pub mod evaluate;
    pub mod figure;
    pub mod log;
    pub mod mlp;
    pub mod number;
    pub mod path;
    pub mod plane;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use support::command::start;
use support::curves::{Curve, curves};
use support::evaluate::evaluate;
use support::figure::{Canvas, Outcome, figure, quick};
use support::mlp::Mlp;
use support::plane::{Axes, plane, vector};
use support::stroke::stroke;
use support::style::COLORS;
use wengert::data::{Images, mnist};
use wengert::optim::{AdaGrad, Lion, NAdam, RmsProp};
use wengert::parallel;
use wengert::prelude::*;

const START: (f64, f64) = (-7.0, 2.0);
const STEPS: usize = 30;
const BATCH: usize = 128;
/// Training steps averaged for one point of a learning curve.
const POINT: usize = 40;

/// An optimizer and its learning rates: for the valley that of the book, where it has one; for MNIST the best of …, 0.001,
/// 0.003, 0.01, … by the loss after three epochs.
struct Rule {
    name: &'static str,
    valley_rate: f64,
    mnist_rate: f64,
    build: fn(f64) -> Box<dyn Optimizer>,
}

const RULES: [Rule; 8] = [
    Rule { name: "SGD", valley_rate: 0.95, mnist_rate: 0.3, build: |rate| Box::new(Sgd::new(rate)) },
    Rule { name: "Momentum", valley_rate: 0.1, mnist_rate: 0.03, build: |rate| Box::new(Sgd::new(rate).momentum(0.9)) },
    Rule {
        name: "Nesterov",
        valley_rate: 0.1,
        mnist_rate: 0.03,
        build: |rate| Box::new(Sgd::new(rate).momentum(0.9).nesterov()),
    },
    Rule { name: "AdaGrad", valley_rate: 1.5, mnist_rate: 0.01, build: |rate| Box::new(AdaGrad::new(rate)) },
    Rule { name: "RMSProp", valley_rate: 0.1, mnist_rate: 0.001, build: |rate| Box::new(RmsProp::new(rate)) },
    Rule { name: "Adam", valley_rate: 0.3, mnist_rate: 0.001, build: |rate| Box::new(Adam::new(rate)) },
    Rule { name: "NAdam", valley_rate: 0.3, mnist_rate: 0.003, build: |rate| Box::new(NAdam::new(rate)) },
    Rule { name: "Lion", valley_rate: 0.3, mnist_rate: 0.0003, build: |rate| Box::new(Lion::new(rate)) },
];

/// x²/20 + y².
fn valley(tape: &Tape, point: &Param) -> Var {
    (tape.constant([0.05, 1.0]) * point * point).sum()
}

/// x, whose gradient is constant.
fn slope(tape: &Tape, point: &Param) -> Var {
    (tape.constant([1.0, 0.0]) * point).sum()
}

/// The points that an optimizer visits, including the start.
fn descend(rule: &Rule, loss: fn(&Tape, &Param) -> Var, start: (f64, f64), steps: usize) -> Vec<(f64, f64)> {
    let mut point = Param::new([start.0, start.1]);
    let mut optimizer = (rule.build)(rule.valley_rate);
    let mut path = vec![start];
    for _ in 0..steps {
        let gradients = loss(&Tape::new(), &point).backward();
        optimizer.step(&mut point, &gradients);
        let [x, y] = [0, 1].map(|axis| f64::from(point.value()[[axis]]));
        path.push((x, y));
    }
    path
}

fn step_lengths(path: &[(f64, f64)]) -> Vec<f64> {
    path.windows(2).map(|step| (step[1].0 - step[0].0).hypot(step[1].1 - step[0].1)).collect()
}

/// The result of a training run.
struct Run {
    /// Training loss, averaged over [`POINT`] steps.
    losses: Vec<f64>,
    /// Test accuracy.
    accuracy: f64,
}

/// Trains a five-layer network with the same initial weights and the same batches for every optimizer.
fn train(rule: &Rule, train_set: &Images, test_set: &Images, epochs: usize) -> Run {
    let mut rng = wengert::rng(0);
    let mut model = Mlp::new(&[784, 100, 100, 100, 100, 10], &mut rng);
    let mut optimizer = (rule.build)(rule.mnist_rate);
    let mut losses = Vec::new();
    for _ in 0..epochs {
        for batch in train_set.batches(BATCH).shuffled(&mut rng) {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
            losses.push(f64::from(loss.item()));
            optimizer.step(&mut model, &loss.backward());
        }
    }
    let losses = losses.chunks_exact(POINT).map(|chunk| chunk.iter().sum::<f64>() / POINT as f64).collect();
    Run { losses, accuracy: evaluate(test_set, |x| model.forward(x)).1 }
}

fn main() -> Outcome {
    start(include_str!("07_optimizers.rs"), []);
    show_valley()?;
    show_slope()?;
    show_mnist()
}

/// Prints and draws the paths of the eight optimizers through the valley.
fn show_valley() -> Outcome {
    println!(
        "x²/20 + y² from {START:?}, {STEPS} steps. Turns: sign changes of y. Detour: path length over distance.\n"
    );
    println!("{:<8}  {:>4}  {:>5}  {:>6}  {:^31}  to the", "", "", "", "", "step length");
    let numbers = ["1", "2", "10", "30"].map(|number| format!("{number:>7}")).concat();
    println!("{:<8}  {:>4}  {:>5}  {:>6}  {numbers:>31}  minimum", "", "rate", "turns", "detour");
    for rule in &RULES {
        let path = descend(rule, valley, START, STEPS);
        let lengths = step_lengths(&path);
        let turns = path.windows(2).filter(|step| step[0].1 * step[1].1 < 0.0).count();
        let end = path[STEPS];
        let detour = lengths.iter().sum::<f64>() / (end.0 - START.0).hypot(end.1 - START.1);
        let chosen = [1, 2, 10, 30].map(|step| format!("{:>7.3}", lengths[step - 1])).concat();
        let (name, rate, left) = (rule.name, rule.valley_rate, end.0.hypot(end.1));
        println!("{name:<8}  {rate:>4}  {turns:>5}  {detour:>6.2}  {chosen:>31}  {left:>7.3}");
    }
    println!();
    figure(
        "07_paths",
        "Eight optimizers in the valley x²/20 + y²: 30 steps from the dot at (−7, 2); the cross is the minimum",
        (1000, 880),
        |area| RULES.iter().zip(area.split_evenly((4, 2))).try_for_each(|(rule, panel)| draw_path(&panel, rule)),
    )
}

/// Draws the steps of an optimizer over the contours of the valley.
fn draw_path(area: &Canvas, rule: &Rule) -> Outcome {
    let axes = Axes { ranges: [-10.0..10.0, -3.2..3.2], names: ["x", "y"] };
    let mut chart = plane(area, &format!("{}, rate {}", rule.name, rule.valley_rate), &axes)?;
    // The upper and the lower half of each ellipse, clipped to the axes.
    for (height, sign) in [0.5, 1.0, 1.5, 2.0, 2.5, 3.0].into_iter().flat_map(|height| [(height, 1.0), (height, -1.0)])
    {
        let right = 10f64.min(height * 20f64.sqrt());
        let xs = (-18..=18).map(|k| right * f64::from(k * 5).to_radians().sin());
        let half = xs.map(|x| (x, sign * (height * height - x * x / 20.0).max(0.0).sqrt()));
        stroke(&chart, half, BLACK.mix(0.2))?;
    }
    let path = descend(rule, valley, START, STEPS);
    for step in path.windows(2) {
        vector(&chart, [step[0], step[1]], COLORS[0], 2)?;
    }
    chart.draw_series([Circle::new(START, 5, COLORS[1].filled())])?;
    chart.draw_series([Cross::new((0.0, 0.0), 6, BLACK.stroke_width(2))])?;
    Ok(())
}

/// Prints and draws the step lengths where the gradient is constant.
fn show_slope() -> Outcome {
    const STEPS: usize = 1000;
    println!("f = x, whose gradient is 1 everywhere: the step length depends on the optimizer alone.\n");
    println!("{:<8}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}", "step", "1", "10", "100", "300", "1000");
    let lengths = RULES.iter().map(|rule| step_lengths(&descend(rule, slope, (0.0, 0.0), STEPS)));
    let lengths: Vec<Vec<f64>> = lengths.collect();
    for (rule, lengths) in RULES.iter().zip(&lengths) {
        let chosen = [1, 10, 100, 300, 1000].map(|step| format!("{:>7.3}", lengths[step - 1])).join("  ");
        println!("{:<8}  {chosen}", rule.name);
        // After t steps the sum of squared gradients is t, and AdaGrad divides by its root.
        let predicted = |step: usize| rule.valley_rate / ((step + 1) as f64).sqrt();
        let fits = lengths.iter().enumerate().all(|(step, length)| (length / predicted(step) - 1.0).abs() < 0.01);
        assert_eq!(fits, rule.name == "AdaGrad");
    }
    println!(
        "\nAdaGrad's step t is rate/√t: checked for each of {STEPS}. It is the only one whose steps shrink to 0.\n"
    );
    let curve = |k: usize| Curve {
        label: format!("{}, rate {}", RULES[k].name, RULES[k].valley_rate),
        points: lengths[k].iter().enumerate().map(|(step, &length)| ((step + 1) as f64, length)).collect(),
        color: COLORS[k],
    };
    // Without those whose curves coincide with one of these.
    let all = [0, 1, 3, 4, 5].map(curve);
    figure("07_step_lengths", "Step lengths on a constant slope", (900, 480), |area| {
        let ranges = (0.0..STEPS as f64 + 10.0, 0.03..12.0);
        curves(area, "AdaGrad's step t is rate/√t", ("step t", "step length"), ranges, &all)
    })
}

/// Prints and draws how each optimizer trains the network.
fn show_mnist() -> Outcome {
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (epochs, train_set) = if quick() { (1, train_set.take(32_000)) } else { (3, train_set) };
    println!("MNIST, {} images, {epochs} epochs in batches of {BATCH}, 784-100-100-100-100-10\n", train_set.len());
    let runs = parallel::map(&RULES, |rule| train(rule, &train_set, &test_set, epochs));
    println!("{:<8}  {:>6}  {:^18}  test", "", "", "training loss");
    println!("{:<8}  {:>6}  {:>9}  {:>7}  accuracy", "", "rate", "step 200", "end");
    for (rule, run) in RULES.iter().zip(&runs) {
        let (early, late) = (run.losses[200 / POINT - 1], run.losses[run.losses.len() - 1]);
        println!("{:<8}  {:>6}  {early:>9.3}  {late:>7.3}  {:>8.4}", rule.name, rule.mnist_rate, run.accuracy);
    }
    println!();
    let curve = |k: usize| Curve {
        label: format!("{}, rate {}", RULES[k].name, RULES[k].mnist_rate),
        points: (1..).map(|point| (point * POINT) as f64).zip(runs[k].losses.iter().copied()).collect(),
        color: COLORS[k],
    };
    let ranges = (0.0..(POINT * runs[0].losses.len()) as f64 + 10.0, 0.05..3.0);
    let loss = format!("training loss, mean of {POINT} steps");
    let ends = || runs.iter().map(|run| run.losses[run.losses.len() - 1]);
    let (low, high) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    let title =
        format!("Eight optimizers at their best rates, the same network and batches: all end at {low:.3} to {high:.3}");
    figure("07_learning_curves", &title, (1100, 500), |area| {
        let halves =
            [("SGD, momentum and sign updates", [0, 1, 2, 7]), ("Scaled by past gradient magnitudes", [3, 4, 5, 6])];
        for (panel, (caption, rules)) in area.split_evenly((1, 2)).iter().zip(halves) {
            curves(panel, caption, ("step", &loss), ranges.clone(), &rules.map(curve))?;
        }
        Ok(())
    })
}
