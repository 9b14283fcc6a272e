//! Backpropagation on a tiny graph: the bill for two apples and three oranges, with tax.
//!
//! `cargo run --release --example 03_backprop_nodes` builds it from two kinds of nodes, each with a forward
//! computation and a backward rule; the tape does the rest. It prints the tape and all gradients, and draws the graph with
//! values and gradients.

mod support {
    pub mod arrow;
    pub mod command;
    pub mod figure;
    pub mod path;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::time::Instant;
use support::arrow::arrow;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::style::{COLORS, FONT};
use wengert::prelude::*;

/// Adds; the backward rule passes the gradient on to both inputs unchanged.
#[derive(Debug)]
struct AddNode;

impl Op<f64, 2> for AddNode {
    const NAME: &'static str = "add node";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x, y]: [&Tensor<f64>; 2]) -> Tensor<f64> {
        x + y
    }
    fn backward(&self, _: &Saved<f64, 2>, gradient: &Var<f64>) -> [Option<Var<f64>>; 2] {
        [Some(gradient.clone()), Some(gradient.clone())]
    }
}

/// Multiplies; the backward rule multiplies the gradient by the *other* input, so the inputs are saved.
#[derive(Debug)]
struct MulNode;

impl Op<f64, 2> for MulNode {
    const NAME: &'static str = "mul node";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x, y]: [&Tensor<f64>; 2]) -> Tensor<f64> {
        x * y
    }
    fn backward(&self, saved: &Saved<f64, 2>, gradient: &Var<f64>) -> [Option<Var<f64>>; 2] {
        [Some(gradient * saved.input(1)), Some(gradient * saved.input(0))]
    }
}

/// The inputs: name, value, and the start of the edge in the figure.
const INPUTS: [(&str, f64, (i32, i32)); 5] = [
    ("apples", 2.0, (210, 50)),
    ("price of an apple, yen", 100.0, (210, 160)),
    ("price of an orange, yen", 150.0, (210, 270)),
    ("oranges", 3.0, (210, 380)),
    ("tax", 1.1, (210, 490)),
];

/// An edge of the graph: its value, its gradient and its end points.
struct Edge {
    value: f64,
    gradient: f64,
    ends: [(i32, i32); 2],
}

fn main() -> Outcome {
    start(include_str!("03_backprop_nodes.rs"), []);
    let tape = Tape::new_f64();
    let inputs = INPUTS.map(|(_, value, _)| tape.var(value));
    let [apples, apple, orange, oranges, tax] = &inputs;

    // Forward pass, from left to right.
    let for_apples = wengert::apply(MulNode, [apples, apple]);
    let for_oranges = wengert::apply(MulNode, [orange, oranges]);
    let sum = wengert::apply(AddNode, [&for_apples, &for_oranges]);
    let bill = wengert::apply(MulNode, [&sum, tax]);
    println!("The tape: each line is a node and names its inputs.\n\n{tape}");

    // Backward pass, from right to left, starting with ∂bill/∂bill = 1.
    let all = [apples, apple, orange, oranges, tax, &for_apples, &for_oranges, &sum, &bill];
    let gradients: Vec<f64> = all.iter().map(|x| bill.grad(x).item()).collect();
    let names = INPUTS.iter().map(|(name, _, _)| *name).chain(["all apples", "all oranges", "before tax", "bill"]);
    println!("{:<24}  {:>7}  {:>12}", "", "value", "∂bill/∂value");
    for ((name, x), gradient) in names.zip(all).zip(&gradients) {
        println!("{name:<24}  {:>7.1}  {gradient:>12.1}", x.item());
    }
    compare_with_operators(&gradients);

    let ends = edges();
    let edge = |k: usize| Edge { value: all[k].item(), gradient: gradients[k], ends: ends[k] };
    let edges: Vec<Edge> = (0..all.len()).map(edge).collect();
    let title = "Above each edge its value in the forward pass, below it the gradient of the bill in the backward pass";
    figure("03_backprop_nodes", title, (940, 570), |area| draw(area, &edges))
}

/// Checks that the library's operators give the same gradients, all inputs in one backward pass.
fn compare_with_operators(expected: &[f64]) {
    let passes = if quick() { 1000 } else { 100_000 };
    let start = Instant::now();
    for _ in 0..passes {
        let tape = Tape::new_f64();
        let inputs = INPUTS.map(|(_, value, _)| tape.var(value));
        let [apples, apple, orange, oranges, tax] = &inputs;
        let bill = (apples * apple + orange * oranges) * tax;
        let gradients = bill.backward();
        for (x, expected) in inputs.iter().zip(expected) {
            assert_eq!(gradients[x].item(), *expected);
        }
    }
    let microseconds = 1e6 * start.elapsed().as_secs_f64() / f64::from(passes);
    println!("\n(apples * apple + orange * oranges) * tax gives the same gradients, bit for bit.");
    println!("Its nine nodes, forward and backward on a new tape, take {microseconds:.1} µs.\n");
}

const FOR_APPLES: (i32, i32) = (430, 105);
const FOR_ORANGES: (i32, i32) = (430, 325);
const SUM: (i32, i32) = (590, 215);
const BILL: (i32, i32) = (760, 340);
const END: (i32, i32) = (900, 340);

/// End points of the edges: those of the inputs, then those of the node outputs.
fn edges() -> [[(i32, i32); 2]; 9] {
    let targets = [FOR_APPLES, FOR_APPLES, FOR_ORANGES, FOR_ORANGES, BILL];
    let leaf = |k: usize| [INPUTS[k].2, targets[k]];
    let inner = [[FOR_APPLES, SUM], [FOR_ORANGES, SUM], [SUM, BILL], [BILL, END]];
    [leaf(0), leaf(1), leaf(2), leaf(3), leaf(4), inner[0], inner[1], inner[2], inner[3]]
}

/// Draws text centered at a point.
fn centered(area: &Canvas, text: &str, at: (i32, i32), size: u32, color: RGBColor) -> Outcome {
    let style = (FONT, size).into_font().color(&color).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw(&Text::new(text.to_string(), at, style))?;
    Ok(())
}

fn draw(area: &Canvas, edges: &[Edge]) -> Outcome {
    const RADIUS: f64 = 24.0;
    for Edge { value, gradient, ends: [from, to] } in edges {
        // From the rim of one circle to the rim of the next.
        let (x, y) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let along = |pixels: f64| {
            let share = pixels / x.hypot(y);
            (f64::from(from.0) + share * x, f64::from(from.1) + share * y)
        };
        let input = from.0 < FOR_APPLES.0;
        let start = if input { 0.0 } else { RADIUS };
        let length = x.hypot(y) - if *to == END { 0.0 } else { RADIUS + 2.0 };
        arrow(area, [along(start), along(length)], BLACK, 2)?;
        // Edges that meet are labeled near their start, where there is room.
        let (x0, y0) = along(if input { 0.3 * length } else { (start + length) / 2.0 });
        let clear = 14.0 + 18.0 * (y / x).abs();
        centered(area, &format!("{value:.1}"), (x0 as i32, (y0 - clear) as i32), 20, COLORS[0])?;
        centered(area, &format!("{gradient:.1}"), (x0 as i32, (y0 + clear) as i32), 20, COLORS[1])?;
    }
    for (name, _, (x, y)) in INPUTS {
        area.draw(&Rectangle::new([(x - 200, y - 18), (x, y + 18)], WHITE.filled()))?;
        area.draw(&Rectangle::new([(x - 200, y - 18), (x, y + 18)], BLACK.stroke_width(1)))?;
        centered(area, name, (x - 100, y), 18, BLACK)?;
    }
    for (at, sign) in [(FOR_APPLES, "×"), (FOR_ORANGES, "×"), (SUM, "+"), (BILL, "×")] {
        area.draw(&Circle::new(at, RADIUS as i32, WHITE.filled()))?;
        area.draw(&Circle::new(at, RADIUS as i32, BLACK.stroke_width(2)))?;
        centered(area, sign, at, 32, BLACK)?;
    }
    centered(area, "bill, yen", (END.0 - 50, END.1 - 45), 18, BLACK)
}
