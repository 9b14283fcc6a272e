//! The perceptron: what one neuron can learn, what it cannot, and what replaced its step.
//!
//! `cargo run --release --example 00_perceptron` shows
//! - Rosenblatt's rule (1958), which finds weights for AND, OR and NAND in a few corrections, and for XOR never, as no straight line
//!   separates its points,
//! - XOR from three perceptrons: AND of NAND and OR,
//! - XOR learned by gradient descent, from how many of a hundred initial weights, by the number of hidden units,
//! - activation functions and their slopes: a step has none to descend along.

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
use std::error::Error;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines};
use support::plane::{Axes, Plane, plane, vector};
use support::style::COLORS;
use wengert::parallel;
use wengert::prelude::*;

const INPUTS: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
/// The gates and their outputs for these inputs.
const GATES: [(&str, [f64; 4]); 4] = [
    ("AND", [0.0, 0.0, 0.0, 1.0]),
    ("OR", [0.0, 1.0, 1.0, 1.0]),
    ("NAND", [1.0, 1.0, 1.0, 0.0]),
    ("XOR", [0.0, 1.0, 1.0, 0.0]),
];
/// Rounds over all inputs after which the perceptron gives up.
const ROUNDS: usize = 1000;

/// A neuron that is on, 1, or off, 0.
#[derive(Clone, Copy)]
struct Perceptron {
    weights: [f64; 2],
    bias: f64,
}

impl Perceptron {
    fn output(self, [x0, x1]: [f64; 2]) -> f64 {
        let sum = self.weights[0] * x0 + self.weights[1] * x1 + self.bias;
        if sum > 0.0 { 1.0 } else { 0.0 }
    }

    /// An arrow of length ½ along the weights, from the middle of the line where the sum is 0.
    fn direction(self) -> [(f64, f64); 2] {
        let [w0, w1] = self.weights;
        let (length, sum) = (w0.hypot(w1), 0.5 * (w0 + w1) + self.bias);
        let at = |along: f64| (0.5 + along * w0 / length, 0.5 + along * w1 / length);
        [at(-sum / length), at(0.5 - sum / length)]
    }

    /// Learns by Rosenblatt's rule: where the output is wrong, the inputs are added to the weights, or subtracted. Returns the number
    /// of corrections too, unless the output is still wrong in the end.
    fn learn(targets: [f64; 4]) -> (Self, Option<usize>) {
        let (mut neuron, mut corrections) = (Perceptron { weights: [0.0; 2], bias: 0.0 }, 0);
        for _ in 0..ROUNDS {
            let before = corrections;
            for (input, target) in INPUTS.into_iter().zip(targets) {
                let error = target - neuron.output(input);
                neuron.weights = [0, 1].map(|k| neuron.weights[k] + error * input[k]);
                neuron.bias += error;
                corrections += usize::from(error != 0.0);
            }
            if corrections == before {
                return (neuron, Some(corrections));
            }
        }
        (neuron, None)
    }
}

/// A network with one hidden layer of tanh.
struct Network {
    hidden: Linear,
    output: Linear,
}
module!(Network { hidden, output });

impl Network {
    /// The logarithm of the odds of 1: `[n, 1]`.
    fn forward(&self, x: &Var) -> Var {
        self.output.forward(&self.hidden.forward(x).tanh())
    }

    /// Trains on XOR with the given number of hidden units.
    fn learn(units: usize, seed: u64, steps: usize) -> Self {
        let mut rng = wengert::rng(seed);
        let (hidden, output) =
            (Linear::new(2, units, Init::Xavier, &mut rng), Linear::new(units, 1, Init::Xavier, &mut rng));
        let mut network = Network { hidden, output };
        let mut optimizer = Sgd::new(0.5);
        let targets = Tensor::<f64>::from(GATES[3].1).cast::<f32>().reshape([4, 1]);
        for _ in 0..steps {
            let x = Tape::new().constant(Tensor::<f64>::from(INPUTS).cast::<f32>());
            let loss = network.forward(&x).bce_with_logits_loss(&targets, Reduction::Mean);
            optimizer.step(&mut network, &loss.backward());
        }
        network
    }

    /// Whether it is on at a point.
    fn on(&self, point: [f64; 2]) -> bool {
        let x = Tape::inference().constant(Tensor::<f64>::from([point]).cast::<f32>());
        self.forward(&x).item() > 0.0
    }
}

fn main() -> Outcome {
    start(include_str!("00_perceptron.rs"), []);
    println!("{:<5}  {:>11}  {:>7}  {:>7}  {:>4}", "", "corrections", "w0", "w1", "bias");
    for (name, targets) in GATES {
        let (neuron, corrections) = Perceptron::learn(targets);
        let count = corrections.map_or(format!("none in {ROUNDS}"), |count| count.to_string());
        println!("{name:<5}  {count:>11}  {:>7}  {:>7}  {:>4}", neuron.weights[0], neuron.weights[1], neuron.bias);
        assert_eq!(corrections.is_some(), name != "XOR");
    }

    let [and, or, nand] = [0, 1, 2].map(|gate| Perceptron::learn(GATES[gate].1).0);
    let composed = INPUTS.map(|input| and.output([nand.output(input), or.output(input)]));
    println!("\nAND of NAND and OR: {composed:?}, which is XOR\n");
    assert_eq!(composed, GATES[3].1);

    let (seeds, steps) = if quick() { (10, 500) } else { (100, 3000) };
    println!(
        "XOR by gradient descent, {steps} steps: initial weights, of {seeds}, from which all four outputs become right"
    );
    for units in [1, 2, 3, 4, 8] {
        let seeds: Vec<u64> = (0..seeds).collect();
        let right = |network: Network| {
            INPUTS.iter().zip(GATES[3].1).all(|(input, target)| network.on(*input) == (target > 0.0))
        };
        let learned = parallel::map(&seeds, |&seed| right(Network::learn(units, seed, steps)));
        println!(
            "{units} hidden unit{}  {}",
            if units == 1 { " " } else { "s" },
            learned.iter().filter(|&&right| right).count()
        );
    }
    println!();

    let network = Network::learn(4, 0, steps);
    figure(
        "00_perceptron",
        "One neuron draws a straight line, across its weights; XOR needs a hidden layer",
        (1000, 310),
        |area| {
            let panels = area.split_evenly((1, 4));
            for (panel, (name, targets)) in panels.iter().zip(&GATES[..3]) {
                let neuron = Perceptron::learn(*targets).0;
                let chart = draw_gate(panel, name, *targets, |point| neuron.output(point) > 0.0)?;
                vector(&chart, neuron.direction(), BLACK, 2)?;
            }
            draw_gate(&panels[3], "XOR, 4 hidden units", GATES[3].1, |point| network.on(point))?;
            Ok(())
        },
    )?;
    figure("00_activations", "Activation functions and their slopes", (1100, 460), |area| {
        let panels = area.split_evenly((1, 2));
        let [values, slopes] = activations();
        lines(&panels[0], "value", ("x", "h(x)"), Some(-1.2..3.0), &values)?;
        lines(&panels[1], "slope", ("x", "h'(x)"), Some(-0.2..1.3), &slopes)
    })
}

/// Draws the inputs of a gate, filled where the output is 1, over the area where a classifier is on.
fn draw_gate<'a>(
    area: &Canvas<'a>,
    name: &str,
    targets: [f64; 4],
    on: impl Fn([f64; 2]) -> bool,
) -> Result<Plane<'a>, Box<dyn Error>> {
    const CELLS: usize = 160;
    let axes = Axes { ranges: [-0.5..1.5, -0.5..1.5], names: ["x0", "x1"] };
    let mut chart = plane(area, name, &axes)?;
    let at = |cell: f64| -0.5 + 2.0 * cell / CELLS as f64;
    for x in (0..CELLS).map(|x| x as f64) {
        // Each run of cells in a column is one rectangle.
        let cells: Vec<bool> = (0..CELLS).map(|y| on([at(x + 0.5), at(y as f64 + 0.5)])).collect();
        let mut y = 0.0;
        for run in cells.chunk_by(|a, b| a == b) {
            let (below, above) = (at(y), at(y + run.len() as f64));
            y += run.len() as f64;
            if run[0] {
                let corners = [(at(x), below), (at(x + 1.0), above)];
                chart.draw_series([Rectangle::new(corners, COLORS[5].mix(0.35).filled())])?;
            }
        }
    }
    for ([x0, x1], target) in INPUTS.into_iter().zip(targets) {
        let style = if target > 0.0 { COLORS[0].filled() } else { COLORS[1].stroke_width(2) };
        chart.draw_series([Circle::new((x0, x1), 7, style)])?;
    }
    Ok(chart)
}

/// Activation functions, and their derivatives by the tape.
fn activations() -> [Vec<Line>; 2] {
    type Function = fn(&Var<f64>) -> Var<f64>;
    let functions: [(&str, Function); 5] = [
        ("step", |x| (x.sign() + 1.0) / 2.0),
        ("sigmoid", Var::sigmoid),
        ("tanh", Var::tanh),
        ("ReLU", Var::relu),
        ("GELU", Var::gelu),
    ];
    let x = Tape::new_f64().var(Tensor::linspace(-4.0, 4.0, 802));
    let line = |label: &str, y: &Tensor<f64>| Line {
        label: label.into(),
        points: x.value().as_slice().iter().copied().zip(y.as_slice().iter().copied()).collect(),
    };
    let values = functions.map(|(name, function)| line(name, function(&x).value()));
    let slopes = functions.map(|(name, function)| line(name, function(&x).sum().grad(&x).value()));
    [values.into(), slopes.into()]
}
