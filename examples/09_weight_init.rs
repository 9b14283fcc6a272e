//! Weight initialization: the scale at which a signal passes through a deep network.
//!
//! `cargo run --release --example 09_weight_init` passes 1000 random inputs through five layers of 100 units with sigmoid, tanh
//! or ReLU, whose weights have the standard deviation 1, 0.01, Xavier's or He's. It shows the activations of each layer and
//! the mean slope of the last activation function, by which the backward pass multiplies the gradient:
//! - with a standard deviation of 1, sigmoid and tanh saturate, where their slope nearly vanishes, and ReLU explodes,
//! - with 0.01 all units give nearly the same output, so that a single one would do,
//! - Xavier preserves the spread for sigmoid and tanh but loses half of the variance in each ReLU layer; He corrects that.

mod support {
    pub mod command;
    pub mod figure;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::style::{COLORS, FONT};
use wengert::prelude::*;

const LAYERS: usize = 5;
const UNITS: usize = 100;
/// Histogram bins; an odd number, so that one lies in the middle.
const BINS: usize = 31;
/// Percentages above this are cut off and labeled.
const MAX_SHARE: f64 = 25.0;

const INITS: [(&str, Init); 4] =
    [("std 1", Init::Normal(1.0)), ("std 0.01", Init::Normal(0.01)), ("Xavier", Init::Xavier), ("He", Init::He)];

/// An activation function and the range of its output that is drawn.
struct Activation {
    name: &'static str,
    apply: fn(&Var) -> Var,
    /// The derivative, given the output.
    slope: fn(f32) -> f32,
    range: Range<f64>,
    /// A remark on the histograms, for the title.
    note: &'static str,
}

const ACTIVATIONS: [Activation; 3] = [
    Activation { name: "sigmoid", apply: Var::sigmoid, slope: |y| y * (1.0 - y), range: 0.0..1.0, note: "" },
    Activation { name: "tanh", apply: Var::tanh, slope: |y| 1.0 - y * y, range: -1.0..1.0, note: "" },
    Activation {
        name: "ReLU",
        apply: Var::relu,
        slope: |y| if y > 0.0 { 1.0 } else { 0.0 },
        range: 0.0..3.0,
        note: " (the last bar includes all larger values)",
    },
];

/// The activations of each layer.
fn activations(activation: &Activation, init: Init, inputs: usize) -> Vec<Tensor> {
    let mut rng = wengert::rng(0);
    let tape = Tape::inference();
    let mut x = tape.constant(Tensor::randn([inputs, UNITS], &mut rng));
    let mut outputs = Vec::new();
    for _ in 0..LAYERS {
        let layer = Linear::new(UNITS, UNITS, init, &mut rng);
        x = (activation.apply)(&layer.forward(&x));
        outputs.push(x.value().clone());
    }
    outputs
}

fn mean(values: &Tensor) -> f64 {
    f64::from(values.mean().item())
}

fn std(values: &Tensor) -> f64 {
    let mean = values.mean().item();
    f64::from(values.map(|value| (value - mean) * (value - mean)).mean().item()).sqrt()
}

fn main() -> Outcome {
    start(include_str!("09_weight_init.rs"), []);
    let inputs = if quick() { 100 } else { 1000 };
    println!(
        "{inputs} normal inputs through {LAYERS} layers of {UNITS}: mean ± standard deviation of the activations\n"
    );
    for activation in &ACTIVATIONS {
        let all = INITS.map(|(_, init)| activations(activation, init, inputs));
        let layers = (1..=LAYERS).map(|layer| format!("{:>17}", format!("layer {layer}"))).collect::<String>();
        println!("{:<8}{layers}  mean slope", activation.name);
        for ((name, _), outputs) in INITS.iter().zip(&all) {
            let cell = |values: &Tensor| format!("{:>17}", format!("{} ± {}", short(mean(values)), short(std(values))));
            let row = outputs.iter().map(cell).collect::<String>();
            println!("{name:<8}{row}  {:.4}", mean(&outputs[LAYERS - 1].map(activation.slope)));
        }
        println!();
        let title = format!("{} activations of five layers, by initialization{}", activation.name, activation.note);
        let name = format!("09_weight_init_{}", activation.name.to_lowercase());
        figure(&name, &title, (1200, 860), |area| draw(area, activation, &all))?;
        println!();
    }
    Ok(())
}

/// A number with two decimals, or in scientific notation where those would show nothing.
fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        ..1e-7 => "0".into(),
        0.01..1000.0 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

/// Draws a row of histograms for each initialization, one per layer.
fn draw(area: &Canvas, activation: &Activation, all: &[Vec<Tensor>]) -> Outcome {
    let rows = area.split_evenly((all.len(), 1));
    for (number, (((name, _), outputs), row)) in (1..).zip(INITS.iter().zip(all).zip(rows)) {
        for (layer, (values, panel)) in outputs.iter().zip(row.split_evenly((1, LAYERS))).enumerate() {
            let caption = format!("{name}, layer {}", layer + 1);
            // The axes are named once, at the left and at the bottom.
            let names =
                [if number == all.len() { "activation" } else { "" }, if layer == 0 { "share in %" } else { "" }];
            histogram(&panel, &caption, names, activation, values)?;
        }
    }
    Ok(())
}

/// The percentage of values in each bin; values above the range count in the last one.
fn shares(values: &Tensor, range: &Range<f64>) -> Vec<f64> {
    let mut counts = vec![0; BINS];
    for &value in values.as_slice() {
        let position = (f64::from(value) - range.start) / (range.end - range.start) * BINS as f64;
        counts[(position.max(0.0) as usize).min(BINS - 1)] += 1;
    }
    counts.into_iter().map(|count| 100.0 * f64::from(count) / values.len() as f64).collect()
}

/// Draws the histogram of one layer.
fn histogram(area: &Canvas, caption: &str, names: [&str; 2], activation: &Activation, values: &Tensor) -> Outcome {
    let range = &activation.range;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, (FONT, 17))
        .margin(6)
        .margin_right(12)
        .x_label_area_size(42)
        .y_label_area_size(46)
        .build_cartesian_2d(range.clone(), 0.0..MAX_SHARE)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&f64::to_string)
        .y_label_formatter(&f64::to_string)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 16))
        .x_desc(names[0])
        .y_desc(names[1])
        .draw()?;
    let width = (range.end - range.start) / BINS as f64;
    for (bin, share) in shares(values, range).into_iter().enumerate() {
        let (left, right) = (range.start + bin as f64 * width, range.start + (bin + 1) as f64 * width);
        let color = if share > MAX_SHARE { COLORS[1] } else { COLORS[0] };
        chart.draw_series([Rectangle::new([(left, 0.0), (right, share.min(MAX_SHARE))], color.filled())])?;
        if share > MAX_SHARE {
            // Label beside the bar, where there is room.
            let (side, x) =
                if bin == BINS - 1 { (HPos::Right, left - width / 2.0) } else { (HPos::Left, right + width / 2.0) };
            let style = (FONT, 14).into_text_style(area).color(&color).pos(Pos::new(side, VPos::Top));
            chart.draw_series([Text::new(format!("{share:.0} %"), (x, 0.96 * MAX_SHARE), style)])?;
        }
    }
    Ok(())
}
