//! Second derivatives at work: Newton's method, and its truncated form for networks.
//!
//! `cargo run --release --example 15_second_order` shows
//! - Rosenbrock's valley 100 (y − x²)² + (1 − x)²: gradient descent creeps along its floor for thousands of steps, Newton's method, which
//!   divides the gradient by the Hessian, is through after six,
//! - a network on MNIST whose Hessian would have more than a hundred million entries. Its products with vectors cost about
//!   as much as gradients, and products are all that conjugate gradients need to solve for Newton's step
//!   (Martens 2010, "Deep learning via Hessian-free optimization"; Nocedal and Wright 2006, algorithm 7.1).

#[path = "common/arrow.rs"]
mod arrow;
mod common;
#[path = "common/curves.rs"]
mod curves;
#[path = "common/plane.rs"]
mod plane;

use common::{COLOURS, Outcome, figure, quick};
use curves::{Curve, curves};
use plane::{Axes, plane, vector};
use plotters::prelude::*;
use wengert::data::mnist;
use wengert::prelude::*;

fn main() -> Outcome {
    show_valley()?;
    show_network()
}

const START: [f64; 2] = [-1.2, 1.0];

fn rosenbrock(p: &Var<f64>) -> Var<f64> {
    let (x, y) = (p.slice(0, ..1), p.slice(0, 1..));
    (100.0 * (y - x.square()).square() + (1.0 - x).square()).sum()
}

/// `H⁻¹g` of a 2 × 2 matrix, by Cramer's rule.
fn solved(h: &Tensor<f64>, g: &Tensor<f64>) -> Tensor<f64> {
    let determinant = h[[0, 0]] * h[[1, 1]] - h[[0, 1]] * h[[1, 0]];
    let x = (g[[0]] * h[[1, 1]] - h[[0, 1]] * g[[1]]) / determinant;
    let y = (h[[0, 0]] * g[[1]] - g[[0]] * h[[1, 0]]) / determinant;
    Tensor::from_slice(&[x, y], [2])
}

/// The points that a method visits, and the function's values there.
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

/// Prints and draws the two ways through the valley.
fn show_valley() -> Outcome {
    const RATE: f64 = 0.001;
    let newton = descend(6, |point, gradient| solved(&functional::hessian(rosenbrock, point), &gradient));
    let creeping = descend(20_000, |_, gradient| gradient * RATE);
    println!("Rosenbrock's valley from {START:?}, whose minimum is 0 at [1, 1]\n");
    println!("{:>8}  {:>22}  {:>22}", "step", "Newton's method", format!("gradient descent, {RATE}"));
    for step in [0, 1, 2, 3, 4, 5, 6, 100, 1000, 10_000, 20_000] {
        let of = |path: &[([f64; 2], f64)]| path.get(step).map_or(String::new(), |(_, value)| format!("{value:.3e}"));
        println!("{step:>8}  {:>22}  {:>22}", of(&newton), of(&creeping));
    }
    assert!(newton[6].1 < 1e-15 && creeping[6].1 > 1.0);
    println!();
    figure("15_rosenbrock", "Newton's method and gradient descent in Rosenbrock's valley", (1100, 560), |area| {
        let (left, right) = area.split_horizontally(500);
        let axes = Axes { ranges: [-2.0..2.0, -3.5..2.5], names: ["x", "y"] };
        let mut chart = plane(&left, "The way of each over the contours", &axes)?;
        for (level, sign) in [1.0, 10.0, 100.0, 400.0].into_iter().flat_map(|level: f64| [(level, 1.0), (level, -1.0)])
        {
            let height = |x: f64| x * x + sign * ((level - (1.0 - x).powi(2)) / 100.0).sqrt();
            let contour = (-200..=200).map(|k| f64::from(k) / 100.0).map(|x| (x, height(x)));
            let inside = contour.filter(|(_, y)| (-3.5..2.5).contains(y));
            chart.draw_series(LineSeries::new(inside, BLACK.mix(0.25)))?;
        }
        // Once it creeps, every hundredth step is enough for the eye.
        let (fast, slow) = creeping.split_at(100);
        let points = fast.iter().chain(slow.iter().step_by(100)).map(|&([x, y], _)| (x, y));
        chart.draw_series(LineSeries::new(points, COLOURS[1].stroke_width(3)))?;
        for step in newton.windows(2) {
            vector(&chart, [0, 1].map(|end| (step[end].0[0], step[end].0[1])), COLOURS[0], 2)?;
        }
        chart.draw_series([Cross::new((1.0, 1.0), 7, BLACK.stroke_width(2))])?;
        let curve = |label: &str, path: &[([f64; 2], f64)], colour| Curve {
            label: label.into(),
            points: (0..=50).map(f64::from).zip(path.iter().map(|(_, value)| *value)).collect(),
            colour,
        };
        let all = [
            curve("Newton's method", &newton, COLOURS[0]),
            curve(&format!("gradient descent, rate {RATE}"), &creeping, COLOURS[1]),
        ];
        curves(&right, "The value after each step", ("step", "value"), (0.0..50.5, 1e-5..1e5), &all)
    })
}

/// Passes of one conjugate-gradient solution, at most.
const INNER: usize = 30;
const DECAY: f64 = 1e-3;
const HIDDEN: usize = 16;

/// A network with one hidden layer, and what it is trained on.
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

    /// The mean loss of all images, and a penalty on large weights.
    fn loss(&self, tape: &Tape) -> Var {
        let h = self.model.0.forward(&tape.constant(&self.images)).tanh();
        let loss = self.model.1.forward(&h).softmax_cross_entropy(&self.labels);
        let squares = self.parameters().into_iter().map(|(_, param)| tape.param(param).square().sum());
        squares.fold(loss, |loss, square| loss + 0.5 * DECAY * square)
    }

    /// The loss where the weights are moved against a direction.
    fn loss_along(&self, direction: &Gradients, rate: f64) -> f64 {
        let tape = Tape::inference();
        let parameters = self.parameters();
        let moved = |(_, param): &(String, &Param)| tape.param(param) - rate * tape.constant(&direction[*param]);
        let weights: Vec<Var> = parameters.iter().map(moved).collect();
        let pairs = parameters.iter().map(|(_, param)| *param).zip(&weights);
        f64::from(tape.with_bound(pairs, || self.loss(&tape)).item())
    }
}

/// Newton's step `H⁻¹g`, as far as conjugate gradients come before they are near enough or meet negative curvature; and how
/// many products with H that took.
fn newton_step(near: &functional::Quadratic<f32, Vec<(String, &Param)>>) -> (Gradients, usize) {
    let g = &near.gradient;
    let enough = g.norm() * g.norm().sqrt().min(0.5);
    let (mut step, mut residual, mut p) = (g.clone() * 0.0, g.clone(), g.clone());
    for products in 1..=INNER {
        let hp = near.product(&p);
        let curvature = p.dot(&hp);
        if curvature <= 0.0 {
            return (if products == 1 { g.clone() } else { step }, products);
        }
        let squared = residual.dot(&residual);
        let along = squared / curvature;
        step += p.clone() * along;
        residual += hp * -along;
        if residual.norm() < enough {
            return (step, products);
        }
        p *= residual.dot(&residual) / squared;
        p += residual.clone();
    }
    (step, INNER)
}

/// The loss after some numbers of passes over the data, forward or backward.
type Course = Vec<(f64, f64)>;

/// Newton's method with truncated conjugate gradients and a line search. A gradient takes two passes, a product with the Hessian two,
/// a loss in the line search one.
fn newton_cg(mut problem: Problem, budget: usize) -> Course {
    let (mut course, mut passes) = (Course::new(), 0);
    println!("{:>6}  {:>7}  {:>9}  {:>10}  {:>9}  {:>6}", "step", "passes", "loss", "|gradient|", "products", "rate");
    for number in 0.. {
        let parameters = problem.parameters();
        let near = functional::quadratic(|tape| problem.loss(tape), &parameters);
        let (value, norm) = (f64::from(near.value.item()), near.gradient.norm());
        passes += 2;
        course.push((passes as f64, value));
        if passes >= budget {
            println!("{number:>6}  {passes:>7}  {value:>9.5}  {norm:>10.1e}");
            return course;
        }
        let (step, products) = newton_step(&near);
        let slope = near.gradient.dot(&step);
        let rates = (0..12).map(|halvings| 0.5f64.powi(halvings));
        let mut tried = 0;
        let rate =
            rates.inspect(|_| tried += 1).find(|&rate| problem.loss_along(&step, rate) <= value - 1e-4 * rate * slope);
        println!("{number:>6}  {passes:>7}  {value:>9.5}  {norm:>10.1e}  {products:>9}  {:>6}", rate.unwrap_or(0.0));
        drop(near);
        passes += 2 * products + tried;
        let Some(rate) = rate else { return course };
        Sgd::new(rate).step(&mut problem.model, &step);
    }
    course
}

/// Gradient descent with as many passes.
fn descent(mut problem: Problem, mut optimizer: Sgd, budget: usize) -> Course {
    let step = |passes: usize| {
        let loss = problem.loss(&Tape::new());
        let value = f64::from(loss.item());
        optimizer.step(&mut problem.model, &loss.backward());
        (passes as f64, value)
    };
    (2..=budget).step_by(2).map(step).collect()
}

/// The best of some rates, by the loss at the end.
fn best_descent(problem: &Problem, momentum: f64, budget: usize) -> (f64, Course) {
    let runs = [0.03, 0.1, 0.3, 1.0, 3.0]
        .map(|rate| (rate, descent(problem.clone(), Sgd::new(rate).momentum(momentum), budget)));
    let end = |(_, course): &(f64, Course)| course.last().map_or(f64::INFINITY, |(_, loss)| *loss);
    let finite = runs.into_iter().filter(|run| end(run).is_finite());
    finite.min_by(|a, b| end(a).total_cmp(&end(b))).expect("the smallest rate does not diverge")
}

/// Prints and draws how the three methods train the network.
fn show_network() -> Outcome {
    let (images, budget) = if quick() { (200, 200) } else { (1000, 1200) };
    let (train, _) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
    let batch = train.limit(images).batch(&(0..images).collect::<Vec<_>>());
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
    let courses = [
        ("Newton, conjugate gradients".to_string(), newton),
        (format!("gradient descent, rate {plain_rate}"), plain),
        (format!("momentum 0.9, rate {heavy_rate}"), heavy),
    ];
    for (name, course) in &courses {
        println!("{name:<30}  {:.5}", course.last().map_or(f64::NAN, |(_, loss)| *loss));
    }
    println!();
    let all: Vec<Curve> =
        courses.into_iter().zip(COLOURS).map(|((label, points), colour)| Curve { label, points, colour }).collect();
    figure("15_newton_cg", "Second order against first on a network", (900, 500), |area| {
        let low = all.iter().flat_map(|curve| curve.points.iter().map(|(_, loss)| *loss)).fold(f64::INFINITY, f64::min);
        let axes = ("passes over the data, forward or backward", "loss with its penalty");
        let caption = format!("{images} images of MNIST, all in every step; a network of 784-{HIDDEN}-10");
        curves(area, &caption, axes, (0.0..budget as f64 + 5.0, 0.8 * low..4.0), &all)
    })
}
