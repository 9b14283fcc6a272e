//! Gaussian processes: a curve through noisy points, with an error band, and no network.
//!
//! `cargo run --release --example 27_gaussian_process` assumes that the values of an unknown function are jointly normal, the more
//! correlated the closer their places are: cov(f(x), f(x')) = s² exp(−(x − x')² / 2ℓ²). Three numbers are learned from the points:
//! the scale s, the length ℓ and the standard deviation of the noise. The gradient of the likelihood goes through a Cholesky
//! factorization. It shows
//! - that this gradient agrees with finite differences,
//! - the curve and its band before and after learning,
//! - that 95 % of new points are in a band of 95 %.

mod support {
    pub mod command;
    pub mod figure;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use std::f64::consts::PI;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::number::number;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::check::numerical_gradient;
use wengert::ops::Triangle;
use wengert::prelude::*;
use wengert::rand::RngExt;

const NOISE: f64 = 0.2;
const LEARNING_RATE: f64 = 0.05;
/// The interval, and the part of it without points to learn from.
const RANGE: std::ops::Range<f64> = 0.0..10.0;
const GAP: std::ops::Range<f64> = 5.0..7.0;
/// Half the width of a band of 95 %, in standard deviations.
const BAND: f64 = 1.96;

/// The function to be found.
fn truth(x: f64) -> f64 {
    x.sin() + 0.5 * (2.3 * x).sin()
}

/// Places `[n]` and noisy values `[n]`.
struct Points {
    x: Tensor<f64>,
    y: Tensor<f64>,
}

impl Points {
    fn random(count: usize, range: impl Fn(f64) -> bool, rng: &mut impl Rng) -> Self {
        let places = std::iter::repeat_with(|| rng.random_range(RANGE)).filter(|&x| range(x)).take(count);
        let x: Vec<f64> = places.collect();
        let noise = Tensor::<f64>::randn([count], rng) * NOISE;
        let x = Tensor::from_vec(x, [count]);
        Points { y: x.map(truth) + noise, x }
    }
}

/// The logarithms of s, ℓ and the standard deviation of the noise: `[3]`.
fn positive(logarithms: &Var<f64>) -> [Var<f64>; 3] {
    [0, 1, 2].map(|k| logarithms.slice(0, k..k + 1).exp())
}

/// Covariances of the function between places: `[n, m]`.
fn covariance(s: &Var<f64>, length: &Var<f64>, a: &Tensor<f64>, b: &Tensor<f64>) -> Var<f64> {
    let squares = (a.reshape([a.len(), 1]) - b.reshape([1, b.len()])).map(|distance| distance * distance);
    s.square() * (-(s.constant(squares) / (2.0 * length.square()))).exp()
}

/// The Cholesky factor L of the covariance of the points `[n, n]`, and `L⁻¹ y`.
fn factor(logarithms: &Var<f64>, points: &Points) -> (Var<f64>, Var<f64>) {
    let [s, length, noise] = positive(logarithms);
    let k = covariance(&s, &length, &points.x, &points.x) + noise.square() * Tensor::<f64>::eye(points.x.len());
    let l = k.cholesky();
    let solved = l.solve_triangular(&points.y, Triangle::Lower);
    (l, solved)
}

/// The negative logarithm of the likelihood of the points: `½ yᵀK⁻¹y + ½ ln det K + ½ n ln 2π`.
fn loss(logarithms: &Var<f64>, points: &Points) -> Var<f64> {
    let (l, solved) = factor(logarithms, points);
    0.5 * solved.square().sum() + l.diagonal(0, 0, 1).ln().sum() + 0.5 * (2.0 * PI).ln() * points.x.len() as f64
}

/// Means and standard deviations of the function at places, given the points.
fn predict(logarithms: &Tensor<f64>, points: &Points, places: &Tensor<f64>) -> [Vec<f64>; 2] {
    let logarithms = Tape::<f64>::with_mode(Mode::Inference).constant(logarithms);
    let [s, length, _] = positive(&logarithms);
    let (l, solved) = factor(&logarithms, points);
    let across = l.solve_triangular(covariance(&s, &length, &points.x, places), Triangle::Lower);
    let mean = (&across * solved.reshape([points.x.len(), 1])).sum_over(0);
    let variance = s.square() - across.square().sum_over(0);
    [mean.value().to_vec(), variance.value().as_slice().iter().map(|variance| variance.max(0.0).sqrt()).collect()]
}

/// The root mean squared error of the means, and the fraction of new points inside the band.
fn evaluate(logarithms: &Tensor<f64>, points: &Points, new: &Points) -> (f64, f64) {
    let [means, deviations] = predict(logarithms, points, &new.x);
    let noise = logarithms[[2]].exp();
    let inside = |k: usize| (new.y[[k]] - means[k]).abs() < BAND * deviations[k].hypot(noise);
    let errors = new.x.as_slice().iter().zip(&means).map(|(x, mean)| (truth(*x) - mean).powi(2));
    let count = means.len() as f64;
    ((errors.sum::<f64>() / count).sqrt(), (0..means.len()).filter(|&k| inside(k)).count() as f64 / count)
}

fn main() -> Outcome {
    start(include_str!("27_gaussian_process.rs"), []);
    let (count, steps, new) = if quick() { (20, 60, 200) } else { (60, 300, 5000) };
    let mut rng = wengert::rng(0);
    let points = Points::random(count, |x| !GAP.contains(&x), &mut rng);
    let new = Points::random(new, |_| true, &mut rng);

    // Scale 1, length 0.3, noise 0.5.
    let before = tensor![f64; 1.0, 0.3, 0.5].map(f64::ln);
    let exact = functional::grad(|logarithms| loss(logarithms, &points), &before);
    let at = |logarithms: &Tensor<f64>| loss(&Tape::new_f64().constant(logarithms), &points).item();
    let numerical = numerical_gradient(at, &before, 1e-5);
    println!("the gradient for the logarithms of scale, length and noise at 1, 0.3 and 0.5, from {count} points");
    println!("by the tape     {:?}\nby differences  {:?}", exact.to_vec(), numerical.to_vec());
    let difference = (&exact - &numerical).map(f64::abs).max().item();
    println!("largest difference {difference:.1e}\n");
    assert!(difference < 1e-5);

    let mut logarithms = Param::<f64>::new(&before);
    let mut optimizer = Adam::new(LEARNING_RATE);
    for _ in 0..steps {
        let loss = loss(&Tape::new_f64().param(&logarithms), &points);
        optimizer.step(&mut logarithms, &loss.backward());
    }
    let after = logarithms.value().clone();
    println!(
        "{:<15}  {:>6}  {:>6}  {:>6}  {:>14}  {:>10}  in the band",
        "", "scale", "length", "noise", "log-likelihood", "RMSE"
    );
    for (name, logarithms) in [("before", &before), ("after learning", &after)] {
        let [scale, length, noise] = [0, 1, 2].map(|k| logarithms[[k]].exp());
        let (error, inside) = evaluate(logarithms, &points, &new);
        println!(
            "{name:<15}  {scale:>6.3}  {length:>6.3}  {noise:>6.3}  {:>14.3}  {error:>10.3}  {:>9.1} %",
            -at(logarithms),
            100.0 * inside
        );
    }
    println!(
        "the noise of the points is {NOISE}; RMSE of the mean to the function, band of 95 % for {} new points\n",
        new.x.len()
    );
    figure("27_gaussian_process", "A function from noisy points, with a band of 95 %", (1200, 470), |area| {
        let panels = area.split_evenly((1, 2));
        draw(&panels[0], "before learning", &before, &points)?;
        draw(&panels[1], "after learning", &after, &points)
    })
}

/// Draws the mean and the band of the function, the points and the function.
fn draw(area: &Canvas, name: &str, logarithms: &Tensor<f64>, points: &Points) -> Outcome {
    let [scale, length, noise] = [0, 1, 2].map(|k| logarithms[[k]].exp());
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{name}: scale {scale:.2}, length {length:.2}, noise {noise:.2}"), (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(46)
        .build_cartesian_2d(RANGE, -3.0..3.0)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc("x")
        .y_desc("y")
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 16))
        .draw()?;
    let places = Tensor::<f64>::linspace(RANGE.start, RANGE.end, 301);
    let [means, deviations] = predict(logarithms, points, &places);
    let edge = |side: f64| -> Vec<(f64, f64)> {
        let heights = means.iter().zip(&deviations).map(|(mean, deviation)| mean + side * BAND * deviation);
        places.as_slice().iter().copied().zip(heights).collect()
    };
    let (below, above) = (edge(-1.0), edge(1.0));
    let outline: Vec<(f64, f64)> = below.iter().chain(above.iter().rev()).copied().collect();
    chart.draw_series([Polygon::new(outline, COLORS[5].mix(0.25))])?;
    stroke(&chart, below, COLORS[5])?;
    stroke(&chart, above, COLORS[5])?;
    let xs = places.as_slice().iter().copied();
    let lines = [
        ("mean", COLORS[0].stroke_width(3), edge(0.0)),
        ("the function", BLACK.stroke_width(1), xs.map(|x| (x, truth(x))).collect()),
    ];
    for (label, style, line) in lines {
        stroke(&chart, line, style)?;
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style);
        chart.draw_series(LineSeries::new([], style))?.label(label).legend(legend);
    }
    let pairs = points.x.as_slice().iter().copied().zip(points.y.as_slice().iter().copied());
    chart.draw_series(pairs.map(|point| Circle::new(point, 3, COLORS[1].filled())))?;
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).label_font((FONT, 15)).draw()?;
    Ok(())
}
