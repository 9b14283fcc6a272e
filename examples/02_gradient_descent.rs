//! Gradient descent, and the effect of the learning rate.
//!
//! `cargo run --release --example 02_gradient_descent` minimizes x0² + x1² from (-3, 4). The gradient is 2x, so a step
//! maps x to x − rate · 2x = (1 − 2 · rate) x: the distance to the minimum shrinks if that factor lies between -1 and 1,
//! and grows otherwise.

mod support {
    pub mod arrow;
    pub mod command;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod plane;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines};
use support::plane::{Axes, plane, vector};
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::prelude::*;

const START: [f64; 2] = [-3.0, 4.0];

/// Learning rates and their outcomes. The last one diverges too fast to be drawn.
const RATES: [(f64, &str); 5] =
    [(1e-10, "stalls"), (0.1, "converges"), (0.95, "oscillates"), (1.05, "diverges"), (10.0, "diverges")];

/// The points that gradient descent visits, including the start.
fn descend(rate: f64, steps: usize) -> Vec<Tensor<f64>> {
    let mut path = vec![Tensor::from(START)];
    for step in 0..steps {
        let tape = Tape::new_f64();
        let x = tape.var(&path[step]);
        let loss = x.square().sum();
        let gradients = loss.backward();
        path.push(x.value() - rate * &gradients[&x]);
    }
    path
}

fn distance(point: &Tensor<f64>) -> f64 {
    point[[0]].hypot(point[[1]])
}

fn main() -> Outcome {
    start(include_str!("02_gradient_descent.rs"), []);
    let steps = if quick() { 20 } else { 100 };
    println!("x0² + x1² from {START:?}, {steps} steps; the minimum is at [0, 0]\n");
    println!("{:>6}  {:>13}  {:>14}  {:>14}  {:>8}", "rate", "1 − 2 · rate", "x0", "x1", "distance");
    for (rate, outcome) in RATES {
        let path = descend(rate, steps);
        let (factor, end) = (1.0 - 2.0 * rate, &path[steps]);
        let [x0, x1, far] = [end[[0]], end[[1]], distance(end)];
        println!("{rate:>6?}  {factor:>13.10}  {x0:>14.7e}  {x1:>14.7e}  {far:>8.1e}  {outcome}");
        // After n steps the distance has been multiplied by |factor|ⁿ.
        let predicted = distance(&path[0]) * factor.abs().powi(steps as i32);
        assert!((far / predicted - 1.0).abs() < 1e-10, "{far} is not {predicted}");
    }
    println!("\nThe distance is |1 − 2 · rate| to the power {steps}, times 5: checked for each rate.");
    check_sgd(steps);

    figure(
        "02_gradient_descent",
        "Ten steps of gradient descent on x0² + x1², contours at 1, 4, 9 … 64; large dot: start, cross: minimum",
        (900, 960),
        |area| {
            let panels = area.split_evenly((2, 2));
            RATES.iter().zip(&panels).try_for_each(|((rate, outcome), panel)| draw_path(panel, *rate, outcome))
        },
    )?;
    figure("02_learning_rates", "Distance to the minimum at (0, 0)", (800, 440), |area| draw_distances(area, steps))
}

/// Checks that the library's optimizer takes the same steps, bit for bit.
fn check_sgd(steps: usize) {
    let mut point = Param::<f64>::new(START);
    let mut optimizer = Sgd::new(0.1);
    for _ in 0..steps {
        let gradients = (Tape::new_f64().constant(1.0) * &point).square().sum().backward();
        optimizer.step(&mut point, &gradients);
    }
    assert_eq!(point.value(), &descend(0.1, steps)[steps]);
    println!("optim::Sgd with learning rate 0.1 ends at exactly the same point.\n");
}

/// Draws the first ten steps over the contours of the function, up to the first point outside the axes.
fn draw_path(area: &Canvas, rate: f64, outcome: &str) -> Outcome {
    let axes = Axes { ranges: [-9.0..9.0, -9.0..9.0], names: ["x0", "x1"] };
    let mut chart = plane(area, &format!("rate {rate:?}: {outcome}"), &axes)?;
    for level in [1.0f64, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0, 64.0] {
        let angles = (0..=72).map(|k| f64::from(k * 5).to_radians());
        let circle = angles.map(|angle| (level.sqrt() * angle.cos(), level.sqrt() * angle.sin()));
        stroke(&chart, circle, BLACK.mix(0.25))?;
    }
    let path: Vec<_> = descend(rate, 10).iter().map(|point| (point[[0]], point[[1]])).collect();
    let inside = path.iter().take_while(|(x0, x1)| x0.abs() < 9.0 && x1.abs() < 9.0).count();
    // The step that leaves the axes, without a head.
    stroke(&chart, path[inside - 1..].iter().copied().take(2), COLORS[0].stroke_width(2))?;
    for step in path[..inside].windows(2) {
        vector(&chart, [step[0], step[1]], COLORS[0], 2)?;
    }
    chart.draw_series(path[..inside].iter().map(|&point| Circle::new(point, 4, COLORS[0].filled())))?;
    chart.draw_series([Circle::new(path[0], 7, COLORS[1].filled())])?;
    // Number the first points, where they are far enough apart.
    let numbered = if rate < 0.01 { 1 } else { 4 };
    let number =
        |(step, &(x0, x1)): (usize, &(f64, f64))| Text::new(step.to_string(), (x0 + 0.5, x1 + 0.6), (FONT, 17));
    chart.draw_series(path[..inside].iter().enumerate().take(numbered).map(number))?;
    chart.draw_series([Cross::new((0.0, 0.0), 6, BLACK.stroke_width(2))])?;
    Ok(())
}

/// Draws the distance to the minimum after each step, for each learning rate.
fn draw_distances(area: &Canvas, steps: usize) -> Outcome {
    let curve = |&(rate, outcome): &(f64, &str)| {
        let path = descend(rate, steps).into_iter().enumerate();
        let points = path.map(|(step, point)| (step as f64, distance(&point).log10())).collect();
        Line { label: format!("rate {rate:?}: {outcome}"), points }
    };
    let all: Vec<Line> = RATES[..4].iter().map(curve).collect();
    lines(
        area,
        "A straight line: each step multiplies by the same factor",
        ("step", "log₁₀ of the distance"),
        None,
        &all,
    )
}
