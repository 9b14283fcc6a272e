//! Learning to learn: MAML on sinusoids.
//!
//! A task is a sinusoid of random amplitude and phase, known at ten points. MAML (Finn, Abbeel and Levine 2017,
//! "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks") looks for initial weights from which one step of gradient
//! descent on ten points fits any of them. The step is part of the training objective, so its gradient is differentiated too.
//!
//! `cargo run --release --example 16_maml` compares on unseen sinusoids
//! - MAML,
//! - its first-order variant, which treats the gradient inside the step as a constant,
//! - a network trained on all tasks at once, without the inner step: it can only learn their mean.

mod support {
    pub mod command;
    pub mod curves;
    pub mod figure;
    pub mod log;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use std::f64::consts::PI;
use support::command::start;
use support::curves::{Curve, curves};
use support::figure::{Canvas, Outcome, figure, quick};
use support::number::number;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Points per task to adapt to, and as many others to evaluate on.
const SHOTS: usize = 10;
/// Tasks per training step.
const TASKS: usize = 25;
/// Learning rate of the inner step.
const RATE: f64 = 0.01;
const META_RATE: f64 = 0.002;
/// Steps of gradient descent on an unseen task.
const STEPS: usize = 10;
/// Learning rates for those steps; the best is selected for each network on validation tasks.
const RATES: [f64; 7] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05];

#[derive(Clone)]
struct Network {
    layers: [Linear; 3],
}
module!(Network { layers });

impl Network {
    fn new(rng: &mut impl Rng) -> Self {
        Network { layers: [(1, 40), (40, 40), (40, 1)].map(|(from, to)| Linear::new(from, to, Init::He, rng)) }
    }

    fn forward(&self, x: &Var) -> Var {
        let [first, second, last] = &self.layers;
        last.forward(&second.forward(&first.forward(x).relu()).relu())
    }

    /// The mean squared error on points.
    fn loss(&self, tape: &Tape, points: &Points) -> Var {
        self.forward(&tape.constant(&points.x)).mse_loss(&points.y, Reduction::Mean)
    }

    fn values(&self, x: &Tensor) -> Vec<f64> {
        let y = self.forward(&Tape::inference().constant(x));
        y.value().as_slice().iter().map(|&y| f64::from(y)).collect()
    }
}

struct Points {
    x: Tensor,
    y: Tensor,
}

/// `y = amplitude · sin(x + phase)`, with sampled points.
struct Sinusoid {
    amplitude: f64,
    phase: f64,
    support: Points,
    query: Points,
}

impl Sinusoid {
    fn random(rng: &mut impl Rng) -> Self {
        let (amplitude, phase) = (rng.random_range(0.1..5.0), rng.random_range(0.0..PI));
        let mut points = || {
            let x = Tensor::uniform([SHOTS, 1], -5.0, 5.0, rng);
            let y = x.map(|x: f32| (amplitude * (f64::from(x) + phase).sin()) as f32);
            Points { x, y }
        };
        Sinusoid { amplitude, phase, support: points(), query: points() }
    }
}

/// A training method.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    Maml,
    FirstOrder,
    Pretrained,
}

const METHODS: [(Method, &str); 3] =
    [(Method::Maml, "MAML"), (Method::FirstOrder, "first-order MAML"), (Method::Pretrained, "trained on all tasks")];

impl Method {
    /// The training loss of one task.
    fn loss(self, tape: &Tape, network: &Network, task: &Sinusoid) -> Var {
        if self == Method::Pretrained {
            return network.loss(tape, &task.support) + network.loss(tape, &task.query);
        }
        let parameters: Vec<&Param> = network.parameters().into_iter().map(|(_, param)| param).collect();
        let weights: Vec<Var> = parameters.iter().map(|param| tape.param(param)).collect();
        let loss = |weights: &Vec<Var>, points: &Points| {
            tape.with_bound(parameters.iter().copied().zip(weights), || network.loss(tape, points))
        };
        let gradients = functional::grad(|weights| loss(weights, &task.support), &weights);
        let step = |(weight, gradient): (&Var, Var)| match self {
            Method::FirstOrder => weight - RATE * gradient.detach(),
            _ => weight - RATE * gradient,
        };
        let adapted = weights.iter().zip(gradients).map(step).collect();
        loss(&adapted, &task.query)
    }

    /// Trains a network from initial weights that are the same for every method.
    fn train(self, steps: usize) -> Network {
        let mut rng = wengert::rng(0);
        let mut network = Network::new(&mut rng);
        let mut optimizer = Adam::new(META_RATE);
        for _ in 0..steps {
            let tasks: Vec<Sinusoid> = (0..TASKS).map(|_| Sinusoid::random(&mut rng)).collect();
            let found = parallel::gradients(&mut rng, &tasks, |tape, task| self.loss(tape, &network, task));
            let (_, mut gradients) = found.expect("there are tasks");
            gradients *= 1.0 / TASKS as f64;
            optimizer.step(&mut network, &gradients);
        }
        network
    }
}

/// The network after 0 to [`STEPS`] steps of gradient descent on a task.
fn adapt(network: &Network, task: &Sinusoid, rate: f64) -> Vec<Network> {
    let mut stages = vec![network.clone()];
    for _ in 0..STEPS {
        let mut next = stages[stages.len() - 1].clone();
        let gradients = next.loss(&Tape::new(), &task.support).backward();
        Sgd::new(rate).step(&mut next, &gradients);
        stages.push(next);
    }
    stages
}

/// The mean loss on the query points, after each number of steps.
fn losses(network: &Network, tasks: &[Sinusoid], rate: f64) -> Vec<f64> {
    let each = parallel::map(tasks, |task| {
        let stages = adapt(network, task, rate);
        stages.iter().map(|stage| f64::from(stage.loss(&Tape::inference(), &task.query).item())).collect::<Vec<_>>()
    });
    (0..=STEPS).map(|step| each.iter().map(|losses| losses[step]).sum::<f64>() / tasks.len() as f64).collect()
}

/// The result of a method.
struct Trained {
    name: &'static str,
    network: Network,
    /// Learning rate on new tasks.
    rate: f64,
    losses: Vec<f64>,
}

fn main() -> Outcome {
    start(include_str!("16_maml.rs"), []);
    let (steps, tasks) = if quick() { (300, 50) } else { (8000, 500) };
    println!("sinusoids from {SHOTS} points each; {steps} training steps of {TASKS} tasks, a network of 1-40-40-1\n");
    let mut rng = wengert::rng(1);
    let mut draw = || (0..tasks).map(|_| Sinusoid::random(&mut rng)).collect::<Vec<_>>();
    let (validation, unseen) = (draw(), draw());
    let trained = METHODS.map(|(method, name)| {
        let network = method.train(steps);
        // Learning rates that diverge end in NaN and are left out.
        let after = |rate: f64| Some(losses(&network, &validation, rate)[5]).filter(|loss| loss.is_finite());
        let rated = RATES.iter().filter_map(|&rate| Some((after(rate)?, rate)));
        let rate = rated.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(RATES[0], |(_, rate)| rate);
        let losses = losses(&network, &unseen, rate);
        Trained { name, network, rate, losses }
    });

    println!("mean squared error on {tasks} unseen sinusoids after k steps of gradient descent");
    println!(
        "{:<21}  {:>5}  {}",
        "",
        "rate",
        [0, 1, 2, 3, 5, 10].map(|k| format!("{:>7}", format!("k = {k}"))).concat()
    );
    for Trained { name, rate, losses, .. } in &trained {
        let chosen = [0, 1, 2, 3, 5, 10].map(|k| format!("{:>7.3}", losses[k])).concat();
        println!("{name:<21}  {rate:>5}  {chosen}");
    }
    let [maml, first_order, pretrained] = [0, 1, 2].map(|k| trained[k].losses[1]);
    println!(
        "\nafter one step MAML's error is {:.2} times that of first-order MAML, and {:.2} times that of the network trained on all tasks\n",
        maml / first_order,
        maml / pretrained
    );
    draw_adaptation(&trained, &unseen)?;
    draw_losses(&trained)
}

/// Draws how each network adapts to a sinusoid of large amplitude.
fn draw_adaptation(trained: &[Trained; 3], unseen: &[Sinusoid]) -> Outcome {
    let task = unseen.iter().find(|task| task.amplitude > 3.5).unwrap_or(&unseen[0]);
    figure("16_adaptation", "An unseen sinusoid from ten points", (1200, 470), |area| {
        let (legend, below) = area.split_vertically(30);
        draw_legend(&legend)?;
        trained.iter().zip(below.split_evenly((1, 3))).try_for_each(|(method, panel)| draw_task(&panel, method, task))
    })
}

/// The curves of the panels: label, step, color, width.
const STAGES: [(&str, usize, RGBColor, u32); 3] = [
    ("before adaptation", 0, COLORS[4], 2),
    ("after 1 step", 1, COLORS[5], 3),
    ("after 10 steps", STEPS, COLORS[0], 3),
];

fn draw_legend(area: &Canvas) -> Outcome {
    let mut x = 170;
    let mut entry = |label: &str, color: RGBColor, width: u32| -> Outcome {
        area.draw(&PathElement::new([(x, 15), (x + 24, 15)], color.stroke_width(width)))?;
        area.draw(&Text::new(label, (x + 32, 9), (FONT, 16)))?;
        x += 190;
        Ok(())
    };
    entry("the sinusoid", BLACK, 1)?;
    STAGES.iter().try_for_each(|(label, _, color, width)| entry(label, *color, *width))?;
    area.draw(&Circle::new((x + 12, 15), 5, COLORS[1].filled()))?;
    Ok(area.draw(&Text::new("the ten points", (x + 28, 9), (FONT, 16)))?)
}

fn draw_task(area: &Canvas, method: &Trained, task: &Sinusoid) -> Outcome {
    let stages = adapt(&method.network, task, method.rate);
    let mut chart = ChartBuilder::on(area)
        .caption(method.name, (FONT, 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(46)
        .build_cartesian_2d(-5.0..5.0, -6.0..6.0)?;
    chart
        .configure_mesh()
        .x_desc("x")
        .y_desc("y")
        .x_labels(5)
        .y_labels(7)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .bold_line_style(BLACK.mix(0.1))
        .light_line_style(WHITE)
        .draw()?;
    let x = Tensor::<f32>::linspace(-5.0, 5.0, 201).reshape([201, 1]);
    let at: Vec<f64> = x.as_slice().iter().map(|&x| f64::from(x)).collect();
    let truth = at.iter().map(|&x| (x, task.amplitude * (x + task.phase).sin()));
    stroke(&chart, truth, BLACK.stroke_width(1))?;
    for (_, step, color, width) in STAGES {
        let curve = at.iter().copied().zip(stages[step].values(&x));
        stroke(&chart, curve, color.stroke_width(width))?;
    }
    let [xs, ys] = [&task.support.x, &task.support.y].map(|points| points.as_slice().iter().map(|&p| f64::from(p)));
    chart.draw_series(xs.zip(ys).map(|point| Circle::new(point, 5, COLORS[1].filled())))?;
    Ok(())
}

/// Draws the mean loss after each number of steps.
fn draw_losses(trained: &[Trained; 3]) -> Outcome {
    let curve = |(k, method): (usize, &Trained)| Curve {
        label: format!("{}, rate {}", method.name, method.rate),
        points: (0..).map(f64::from).zip(method.losses.iter().copied()).collect(),
        color: COLORS[k],
    };
    let all: Vec<Curve> = trained.iter().enumerate().map(curve).collect();
    let errors = || trained.iter().flat_map(|method| method.losses.iter().copied()).filter(|loss| loss.is_finite());
    let (low, high) = (errors().fold(f64::INFINITY, f64::min), errors().fold(0.0, f64::max));
    figure("16_losses", "Error on unseen sinusoids", (800, 460), |area| {
        let axes = ("steps of gradient descent on the task", "mean squared error");
        curves(
            area,
            "Mean over all tasks, on held-out points",
            axes,
            (0.0..STEPS as f64 + 0.1, low / 1.5..high * 2.0),
            &all,
        )
    })
}
