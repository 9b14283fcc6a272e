//! Second derivatives: Newton's method, and its truncated form for networks.
//!
//! `cargo run --release --example 15_second_order` shows
//! - Rosenbrock's valley 100 (y − x²)² + (1 − x)²: gradient descent creeps along its floor for thousands of steps, Newton's
//!   method converges in six,
//! - a network on MNIST whose Hessian would have more than a hundred million entries. Hessian-vector products cost about as
//!   much as gradients, and they are all that conjugate gradients need to solve for Newton's step
//!   (Martens 2010, "Deep learning via Hessian-free optimization"; Nocedal and Wright 2006, algorithm 7.1).

mod support {
    pub mod arrow;
    pub mod command;
    pub mod curves;
    pub mod figure;
    pub mod log;
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
use support::figure::{Outcome, figure, quick};
use support::plane::{Axes, plane, vector};
use support::stroke::stroke;
use support::style::COLORS;
use wengert::data::mnist;
use wengert::prelude::*;

fn main() -> Outcome {
    start(include_str!("15_second_order.rs"), []);
    show_valley()?;
    show_network()
}

const START: [f64; 2] = [-1.2, 1.0];

fn rosenbrock(p: &Var<f64>) -> Var<f64> {
    let (x, y) = (p.slice(0, ..1), p.slice(0, 1..));
    (100.0 * (y - x.square()).square() + (1.0 - x).square()).sum()
}

/// `H⁻¹g` for a 2 × 2 matrix, by Cramer's rule.
fn solve(h: &Tensor<f64>, g: &Tensor<f64>) -> Tensor<f64> {
    let determinant = h[[0, 0]] * h[[1, 1]] - h[[0, 1]] * h[[1, 0]];
    let x = (g[[0]] * h[[1, 1]] - h[[0, 1]] * g[[1]]) / determinant;
    let y = (h[[0, 0]] * g[[1]] - g[[0]] * h[[1, 0]]) / determinant;
    Tensor::from_slice(&[x, y], [2])
}

/// The points that a method visits and the function values there.
fn descend(steps: usize, direction: impl Fn(&Tensor<f64>, Tensor<f64>) -> Tensor<f64>) -> Vec<([f64; 2], f64)> {
    let mut point = Tensor::from_slice(&START, [2]);
    let mut path = Vec::new();
    for _ in 0..=steps {
        let (value, gradient) = functional::value_and_grad(rosenbrock, &point);
        path.push(([point[[0]], point[[1]]], value.item()));
        point -= &direction(&point, gradient);
    }
    path
}

/// Prints and draws the paths of both methods through the valley.
fn show_valley() -> Outcome {
    const RATE: f64 = 0.001;
    let newton = descend(6, |point, gradient| solve(&functional::hessian(rosenbrock, point), &gradient));
    let descent_path = descend(20_000, |_, gradient| gradient * RATE);
    println!("Rosenbrock's valley from {START:?}, whose minimum is 0 at [1, 1]\n");
    println!("{:>8}  {:>22}  {:>22}", "step", "Newton's method", format!("gradient descent, {RATE}"));
    for step in [0, 1, 2, 3, 4, 5, 6, 100, 1000, 10_000, 20_000] {
        let of = |path: &[([f64; 2], f64)]| path.get(step).map_or(String::new(), |(_, value)| format!("{value:.3e}"));
        println!("{step:>8}  {:>22}  {:>22}", of(&newton), of(&descent_path));
    }
    assert!(newton[6].1 < 1e-15 && descent_path[6].1 > 1.0);
    println!();
    figure("15_rosenbrock", "Newton's method and gradient descent in Rosenbrock's valley", (1100, 560), |area| {
        let (left, right) = area.split_horizontally(500);
        let axes = Axes { ranges: [-2.0..2.0, -3.5..2.5], names: ["x", "y"] };
        let mut chart = plane(&left, "Both paths over the contours", &axes)?;
        for (level, sign) in [1.0, 10.0, 100.0, 400.0].into_iter().flat_map(|level: f64| [(level, 1.0), (level, -1.0)])
        {
            let height = |x: f64| x * x + sign * ((level - (1.0 - x).powi(2)) / 100.0).sqrt();
            let contour = (-200..=200).map(|k| f64::from(k) / 100.0).map(|x| (x, height(x)));
            stroke(&chart, contour, BLACK.mix(0.25))?;
        }
        // After the first hundred steps, drawing every hundredth is enough.
        let (fast, slow) = descent_path.split_at(100);
        let points = fast.iter().chain(slow.iter().step_by(100)).map(|&([x, y], _)| (x, y));
        stroke(&chart, points, COLORS[1].stroke_width(3))?;
        for step in newton.windows(2) {
            vector(&chart, [0, 1].map(|end| (step[end].0[0], step[end].0[1])), COLORS[0], 2)?;
        }
        chart.draw_series([Cross::new((1.0, 1.0), 7, BLACK.stroke_width(2))])?;
        let curve = |label: &str, path: &[([f64; 2], f64)], color| Curve {
            label: label.into(),
            points: (0..=50).map(f64::from).zip(path.iter().map(|(_, value)| *value)).collect(),
            color,
        };
        let all = [
            curve("Newton's method", &newton, COLORS[0]),
            curve(&format!("gradient descent, rate {RATE}"), &descent_path, COLORS[1]),
        ];
        curves(&right, "The value after each step", ("step", "value"), (0.0..50.5, 1e-20..1e5), &all)
    })
}

/// Maximum number of conjugate-gradient iterations per Newton step.
const CG_ITERATIONS: usize = 30;
const DECAY: f64 = 1e-3;
const HIDDEN: usize = 16;

/// A network with one hidden layer and its training data.
#[derive(Clone)]
struct Problem {
    model: (Linear, Linear),
    images: Tensor,
    labels: Vec<usize>,
}

impl Problem {
    fn parameters(&self) -> Vec<(String, &Param)> {
        self.model.parameters()
    }

    /// The mean loss over all images plus an L2 penalty.
    fn loss(&self, tape: &Tape) -> Var {
        let h = self.model.0.forward(&tape.constant(&self.images)).tanh();
        let loss = self.model.1.forward(&h).softmax_cross_entropy(&self.labels);
        let squares = self.parameters().into_iter().map(|(_, param)| tape.param(param).square().sum());
        squares.fold(loss, |loss, square| loss + 0.5 * DECAY * square)
    }

    /// The loss after a step against a direction.
    fn loss_along(&self, direction: &Gradients, rate: f64) -> f64 {
        let tape = Tape::inference();
        let parameters = self.parameters();
        let moved = |(_, param): &(String, &Param)| tape.param(param) - rate * tape.constant(&direction[*param]);
        let weights: Vec<Var> = parameters.iter().map(moved).collect();
        let pairs = parameters.iter().map(|(_, param)| *param).zip(&weights);
        f64::from(tape.with_bound(pairs, || self.loss(&tape)).item())
    }
}

/// Newton's step `H⁻¹g` by conjugate gradients, stopped when the residual is small or the curvature negative; and the number of
/// Hessian-vector products that it took.
fn newton_step(local: &functional::QuadraticModel<f32, Vec<(String, &Param)>>) -> (Gradients, usize) {
    let g = &local.gradient;
    let tolerance = g.norm() * g.norm().sqrt().min(0.5);
    let (mut step, mut residual, mut p) = (g.clone() * 0.0, g.clone(), g.clone());
    for products in 1..=CG_ITERATIONS {
        let hp = local.product(&p);
        let curvature = p.dot(&hp);
        if curvature <= 0.0 {
            return (if products == 1 { g.clone() } else { step }, products);
        }
        let squared = residual.dot(&residual);
        let alpha = squared / curvature;
        step += p.clone() * alpha;
        residual += hp * -alpha;
        if residual.norm() < tolerance {
            return (step, products);
        }
        p *= residual.dot(&residual) / squared;
        p += residual.clone();
    }
    (step, CG_ITERATIONS)
}

/// Numbers of passes over the data, forward or backward, and the loss after them.
type History = Vec<(f64, f64)>;

/// Newton's method with truncated conjugate gradients and a line search. A gradient takes two passes, a Hessian-vector product
/// two, a loss in the line search one.
fn newton_cg(mut problem: Problem, budget: usize) -> History {
    let (mut history, mut passes) = (History::new(), 0);
    println!("{:>6}  {:>7}  {:>9}  {:>10}  {:>9}  {:>6}", "step", "passes", "loss", "|gradient|", "products", "rate");
    for number in 0.. {
        let parameters = problem.parameters();
        let local = functional::quadratic_model(|tape| problem.loss(tape), &parameters);
        let (value, norm) = (f64::from(local.value.item()), local.gradient.norm());
        passes += 2;
        history.push((passes as f64, value));
        if passes >= budget {
            println!("{number:>6}  {passes:>7}  {value:>9.5}  {norm:>10.1e}");
            return history;
        }
        let (step, products) = newton_step(&local);
        let slope = local.gradient.dot(&step);
        let rates = (0..12).map(|halvings| 0.5f64.powi(halvings));
        let mut tried = 0;
        let rate =
            rates.inspect(|_| tried += 1).find(|&rate| problem.loss_along(&step, rate) <= value - 1e-4 * rate * slope);
        println!("{number:>6}  {passes:>7}  {value:>9.5}  {norm:>10.1e}  {products:>9}  {:>6}", rate.unwrap_or(0.0));
        drop(local);
        passes += 2 * products + tried;
        let Some(rate) = rate else { return history };
        Sgd::new(rate).step(&mut problem.model, &step);
    }
    history
}

/// Gradient descent with the same number of passes.
fn descent(mut problem: Problem, mut optimizer: Sgd, budget: usize) -> History {
    let step = |passes: usize| {
        let loss = problem.loss(&Tape::new());
        let value = f64::from(loss.item());
        optimizer.step(&mut problem.model, &loss.backward());
        (passes as f64, value)
    };
    (2..=budget).step_by(2).map(step).collect()
}

/// The best of some learning rates, by the final loss.
fn best_descent(problem: &Problem, momentum: f64, budget: usize) -> (f64, History) {
    let runs = [0.03, 0.1, 0.3, 1.0, 3.0]
        .map(|rate| (rate, descent(problem.clone(), Sgd::new(rate).momentum(momentum), budget)));
    let end = |(_, history): &(f64, History)| history.last().map_or(f64::INFINITY, |(_, loss)| *loss);
    let finite = runs.into_iter().filter(|run| end(run).is_finite());
    finite.min_by(|a, b| end(a).total_cmp(&end(b))).expect("the smallest rate does not diverge")
}

/// Prints and draws how the three methods train the network.
fn show_network() -> Outcome {
    let (images, budget) = if quick() { (200, 200) } else { (1000, 1200) };
    let (train, _) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let batch = train.take(images).batch(&(0..images).collect::<Vec<_>>());
    let mut rng = wengert::rng(0);
    let model = (Linear::new(784, HIDDEN, Init::Xavier, &mut rng), Linear::new(HIDDEN, 10, Init::Xavier, &mut rng));
    let problem = Problem { model, images: batch.images, labels: batch.labels };
    let count = problem.model.parameter_count();
    println!(
        "Newton with conjugate gradients: {images} images of MNIST, {count} weights; the Hessian would have {} entries\n",
        count * count
    );
    let newton = newton_cg(problem.clone(), budget);
    let (plain_rate, plain) = best_descent(&problem, 0.0, budget);
    let (heavy_rate, heavy) = best_descent(&problem, 0.9, budget);
    println!("\nloss after {budget} passes over the data, forward or backward");
    let historys = [
        ("Newton, conjugate gradients".to_string(), newton),
        (format!("gradient descent, rate {plain_rate}"), plain),
        (format!("momentum 0.9, rate {heavy_rate}"), heavy),
    ];
    for (name, history) in &historys {
        println!("{name:<30}  {:.5}", history.last().map_or(f64::NAN, |(_, loss)| *loss));
    }
    println!();
    let all: Vec<Curve> =
        historys.into_iter().zip(COLORS).map(|((label, points), color)| Curve { label, points, color }).collect();
    figure("15_newton_cg", "Second-order against first-order training of a network", (900, 500), |area| {
        let low = all.iter().flat_map(|curve| curve.points.iter().map(|(_, loss)| *loss)).fold(f64::INFINITY, f64::min);
        let axes = ("passes over the data, forward or backward", "loss with penalty");
        let caption = format!("{images} images of MNIST, full batch; a network of 784-{HIDDEN}-10");
        curves(area, &caption, axes, (0.0..budget as f64 + 5.0, 0.8 * low..4.0), &all)
    })
}
