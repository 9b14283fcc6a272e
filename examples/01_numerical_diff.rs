//! Numerical differentiation: the derivative from its definition, with a small step `h`.
//!
//! `cargo run --release --example 01_numerical_diff` shows
//! - the slope of 0.01x² + 0.1x, by finite differences and by the tape,
//! - that `h` can be too small as well as too large,
//! - the gradient of x0² + x1², whose negative points downhill everywhere.

mod support {
    pub mod arrow;
    pub mod command;
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
use support::figure::{Canvas, Outcome, figure, quick};
use support::log::Log;
use support::plane::{Axes, plane, vector};
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::check::{numerical_diff, numerical_gradient};
use wengert::prelude::*;

/// Step size: a compromise between rounding error and truncation error.
const H: f64 = 1e-4;

fn parabola(x: f64) -> f64 {
    0.01 * x.powi(2) + 0.1 * x
}

/// Its derivative by the tape.
fn exact_slope(x: f64) -> f64 {
    let tape = Tape::new_f64();
    let x = tape.var(x);
    (0.01 * x.powi(2) + 0.1 * &x).grad(&x).item()
}

/// x0² + x1².
fn bowl(x: &Tensor<f64>) -> f64 {
    x[[0]] * x[[0]] + x[[1]] * x[[1]]
}

/// Its gradient by the tape.
fn exact_gradient(x: &Tensor<f64>) -> Tensor<f64> {
    let tape = Tape::new_f64();
    let x = tape.var(x);
    x.square().sum().backward()[&x].clone()
}

fn main() -> Outcome {
    start(include_str!("01_numerical_diff.rs"), []);
    println!("f(x) = 0.01x² + 0.1x, f'(x) = 0.02x + 0.1, by (f(x + h) − f(x − h)) / 2h with h = {H}\n");
    println!("{:>4}  {:<20}  {:<20}  error", "x", "by a difference", "by the tape");
    for x in [5.0, 10.0] {
        let (numerical, exact) = (numerical_diff(parabola, x, H), exact_slope(x));
        println!("{x:>4}  {numerical:<20}  {exact:<20}  {:.1e}", (numerical - exact).abs());
    }

    println!("\nThe step must be neither too large nor too small: slope of eˣ at 1, which is e");
    println!("{:>7}  {:<20}  {:<9}  {:<20}  error", "h", "f(x+h)−f(x) over h", "error", "f(x+h)−f(x−h) over 2h");
    for h in [1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12, 1e-50] {
        let [forward, central] = slopes(h);
        let [a, b] = [forward, central].map(|slope| (slope - 1f64.exp()).abs());
        println!("{h:>7.0e}  {forward:<20}  {a:<9.1e}  {central:<21}  {b:.1e}");
    }

    let point = tensor![f64; 3.0, 4.0];
    let numerical = numerical_gradient(bowl, &point, H);
    println!("\nf(x0, x1) = x0² + x1² at (3, 4): each partial derivative holds the other variable fixed");
    println!("by differences  {:?}", numerical.to_vec());
    println!("by the tape     {:?}\n", exact_gradient(&point).to_vec());

    figure("01_numerical_diff", "The slope as a finite difference", (1000, 440), |area| {
        let panels = area.split_evenly((1, 2));
        draw_tangents(&panels[0])?;
        draw_errors(&panels[1])
    })?;
    let count = if quick() { 9 } else { 17 };
    figure("01_gradient_field", "The negative gradient of x0² + x1²", (640, 690), |area| draw_field(area, count))
}

/// The slope of eˣ at 1 by a forward and by a central difference.
fn slopes(h: f64) -> [f64; 2] {
    [((1.0 + h).exp() - 1f64.exp()) / h, numerical_diff(f64::exp, 1.0, h)]
}

/// Draws the parabola and its tangents at 5 and at 10.
fn draw_tangents(area: &Canvas) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption("0.01x² + 0.1x, and its slope at two points", (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..20.0, -1.5..6.0)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .x_desc("x")
        .y_desc("f(x)")
        .draw()?;
    let curve = (0..=100).map(|k| f64::from(k) / 5.0).map(|x| (x, parabola(x)));
    stroke(&chart, curve, BLACK.stroke_width(2))?;
    for (at, color) in [5.0, 10.0].into_iter().zip(COLORS) {
        let slope = numerical_diff(parabola, at, H);
        let tangent = [0.0, 20.0].map(|x| (x, parabola(at) + slope * (x - at)));
        stroke(&chart, tangent, color.stroke_width(2))?;
        chart
            .draw_series(LineSeries::new([], color.stroke_width(2)))?
            .label(format!("slope {slope:.4} at {at}"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series([Circle::new((at, parabola(at)), 5, color.filled())])?;
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font((FONT, 16)).draw()?;
    Ok(())
}

/// Draws the error of both differences against the step: truncation error on the right, rounding error on the left.
fn draw_errors(area: &Canvas) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption("Error of the slope of eˣ at 1", (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(Log(1e-15..1.0), Log(1e-13..10.0))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .y_labels(20)
        .x_desc("step h")
        .y_desc("|error|")
        .draw()?;
    let steps = || (0..=120).map(|k| 10f64.powf(f64::from(k) / 8.0 - 15.0));
    let names = ["forward: f(x+h)−f(x) over h", "central: f(x+h)−f(x−h) over 2h"];
    for (kind, name) in names.into_iter().enumerate() {
        let color = COLORS[kind];
        let errors = steps().map(|h| (h, (slopes(h)[kind] - 1f64.exp()).abs()));
        stroke(&chart, errors, color.stroke_width(2))?;
        chart
            .draw_series(LineSeries::new([], color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).label_font((FONT, 16)).draw()?;
    Ok(())
}

/// Draws the negative gradient at `count` × `count` points.
fn draw_field(area: &Canvas, count: usize) -> Outcome {
    let axes = Axes { ranges: [-2.3..2.3, -2.3..2.3], names: ["x0", "x1"] };
    let mut chart = plane(area, "Arrows point in the direction of steepest descent", &axes)?;
    let grid = Tensor::<f64>::linspace(-2.0, 2.0, count).to_vec();
    for (&x0, &x1) in grid.iter().flat_map(|x0| grid.iter().map(move |x1| (x0, x1))) {
        let gradient = numerical_gradient(bowl, &Tensor::from([x0, x1]), H);
        // Scaled by 1/20 so that arrows do not overlap.
        let tip = (x0 - gradient[[0]] / 20.0, x1 - gradient[[1]] / 20.0);
        vector(&chart, [(x0, x1), tip], COLORS[0], 2)?;
    }
    chart.draw_series([Circle::new((0.0, 0.0), 5, COLORS[1].filled())])?;
    Ok(())
}
