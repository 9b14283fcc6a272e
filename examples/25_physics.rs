//! Networks and differential equations: a law of motion from a trajectory, and a solution and a constant from an equation.
//!
//! `cargo run --release --example 25_physics` shows
//! - a neural ordinary differential equation: a network is the right-hand side of dx/dt = f(x), and the loss is differentiated through
//!   the steps of a Runge–Kutta method (Chen et al. 2018). It learns how a damped pendulum moves from noisy swings, and predicts one
//!   that starts elsewhere,
//! - a physics-informed network (Raissi, Perdikaris and Karniadakis 2019): u(x, t) has to satisfy the heat equation u_t = κ u_xx, whose
//!   derivatives are those of the network for its inputs, and to fit a few noisy measurements. The conductivity κ is learned as well.

mod support {
    pub mod command;
    pub mod figure;
    pub mod lines;
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
use support::lines::{Line, lines, mesh};
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::optim::schedule::Cosine;
use wengert::prelude::*;

/// Linear layers with tanh, which is smooth, between them.
struct Network {
    layers: [Linear; 3],
}
module!(Network { layers });

impl Network {
    fn new([inputs, hidden, outputs]: [usize; 3], rng: &mut impl Rng) -> Self {
        let sizes = [(inputs, hidden), (hidden, hidden), (hidden, outputs)];
        Network { layers: sizes.map(|(from, to)| Linear::new(from, to, Init::Xavier, rng)) }
    }

    fn forward(&self, x: &Var) -> Var {
        let [first, second, last] = &self.layers;
        last.forward(&second.forward(&first.forward(x).tanh()).tanh())
    }
}

fn main() -> Outcome {
    start(include_str!("25_physics.rs"), []);
    let pendulum = learn_motion();
    let heat = learn_heat();
    figure("25_physics", "A law of motion and the solution of an equation, by networks", (1240, 500), |area| {
        let panels = area.split_evenly((1, 2));
        let axes = ("seconds", "angle");
        lines(&panels[0], "a swing that was not in the training set", axes, Some(-2.6..2.6), &pendulum)?;
        heat.draw(&panels[1])
    })
}

/// Seconds between two observations, and the steps of the method between them.
const INTERVAL: f64 = 0.1;
const SWINGS: usize = 16;
const OBSERVATIONS: usize = 80;
/// Observations predicted from the first of them in training.
const WINDOW: usize = 10;
const MOTION_NOISE: f64 = 0.02;

/// The motion of a damped pendulum: angle and angular velocity `[n, 2]` to their derivatives.
fn pendulum(state: &Var) -> Var {
    let [angle, velocity] = [0, 1].map(|column| state.slice(1, column..column + 1));
    Var::concat(&[velocity.clone(), -2.0 * angle.sin() - 0.15 * velocity], 1)
}

/// One step of the classical Runge–Kutta method for dx/dt = f(x).
fn runge_kutta(f: &dyn Fn(&Var) -> Var, x: &Var, step: f64) -> Var {
    let k1 = f(x);
    let k2 = f(&(x + step / 2.0 * &k1));
    let k3 = f(&(x + step / 2.0 * &k2));
    let k4 = f(&(x + step * &k3));
    x + step / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
}

/// The states at the given number of intervals after a state, and that state.
fn trajectory(f: &dyn Fn(&Var) -> Var, start: &Var, intervals: usize) -> Vec<Var> {
    let next = |state: &Var| Some(runge_kutta(f, state, INTERVAL));
    std::iter::successors(Some(start.clone()), next).take(intervals + 1).collect()
}

/// Learns the motion from noisy swings; returns an unseen one with its prediction.
fn learn_motion() -> [Line; 2] {
    let mut rng = wengert::rng(0);
    let steps = if quick() { 50 } else { 2000 };
    let starts = Tensor::uniform([SWINGS, 2], -2.2, 2.2, &mut rng);
    let exact = trajectory(&pendulum, &Tape::inference().constant(starts), OBSERVATIONS);
    let observed: Vec<Tensor> =
        exact.iter().map(|state| state.value() + Tensor::<f32>::randn([SWINGS, 2], &mut rng) * MOTION_NOISE).collect();

    let mut network = Network::new([2, 32, 2], &mut rng);
    let (mut optimizer, schedule) = (Adam::new(0.01), Cosine::new(0.01, steps));
    println!("a neural differential equation from {SWINGS} swings of {OBSERVATIONS} observations\n");
    for step in 0..steps {
        let tape = Tape::training(&mut rng);
        // All windows that begin at one of these observations, as one batch.
        let first = (0..OBSERVATIONS - WINDOW).skip(step % WINDOW).step_by(WINDOW);
        let at =
            |offset: usize| Tensor::concat(&first.clone().map(|k| observed[k + offset].clone()).collect::<Vec<_>>(), 0);
        let predicted = trajectory(&|x| network.forward(x), &tape.constant(at(0)), WINDOW);
        let errors = (1..=WINDOW).map(|offset| predicted[offset].mse_loss(at(offset), Reduction::Mean));
        let loss = errors.reduce(|sum, error| sum + error).expect("a window") / WINDOW as f64;
        optimizer.set_learning_rate(schedule.at(step));
        if step % (steps / 5) == 0 {
            println!("step {step:>5}  root of the mean squared error {:.4}", loss.item().sqrt());
        }
        optimizer.step(&mut network, &loss.backward());
    }
    let unseen = Tape::inference().constant([[2.0, 0.0]]);
    let [exact, predicted] = [&pendulum as &dyn Fn(&Var) -> Var, &|x: &Var| network.forward(x)].map(|f| {
        trajectory(f, &unseen, 2 * OBSERVATIONS)
            .iter()
            .map(|state| f64::from(state.value()[[0, 0]]))
            .collect::<Vec<_>>()
    });
    let squares = exact.iter().zip(&predicted).map(|(a, b)| (a - b).powi(2));
    let error = (squares.sum::<f64>() / exact.len() as f64).sqrt();
    println!(
        "noise of the observations {MOTION_NOISE}; error of the angle over an unseen swing, twice as long, {error:.4}\n"
    );
    [("the pendulum", exact), ("the network", predicted)].map(|(label, angles)| Line {
        label: label.into(),
        points: angles.into_iter().enumerate().map(|(k, angle)| (INTERVAL * k as f64, angle)).collect(),
    })
}

const CONDUCTIVITY: f64 = 0.1;
const MEASUREMENTS: usize = 40;
const HEAT_NOISE: f64 = 0.02;
/// Points of each step at which the equation is to hold.
const COLLOCATION: usize = 256;
/// Weight of the measurements against the equation.
const WEIGHT: f64 = 20.0;

/// The solution of u_t = κ u_xx on 0 ≤ x ≤ 1 that is 0 at both ends and sin πx + ½ sin 2πx at t = 0.
fn exact_heat(x: f64, t: f64) -> f64 {
    let mode = |k: f64| (k * PI * x).sin() * (-CONDUCTIVITY * (k * PI).powi(2) * t).exp();
    mode(1.0) + 0.5 * mode(2.0)
}

/// A network that solves the heat equation, and the conductivity.
struct Heat {
    network: Network,
    log_conductivity: Param,
}
module!(Heat { network, log_conductivity });

impl Heat {
    /// The temperature at places and times, each `[n, 1]`: 0 at the ends, whatever the network says.
    fn temperature(&self, x: &Var, t: &Var) -> Var {
        x * (1.0 - x) * self.network.forward(&Var::concat(&[x.clone(), t.clone()], 1))
    }

    /// By how much the equation is not satisfied, `u_t − κ u_xx`: `[n, 1]`.
    fn residual(&self, tape: &Tape, places: &Tensor, times: &Tensor) -> Var {
        let (x, t) = (tape.var(places), tape.var(times));
        // The gradient of the sum is the derivative of each, as no point depends on another.
        let u = self.temperature(&x, &t).sum();
        let [ux, ut] = [u.grad(&x), u.grad(&t)];
        ut - tape.param(&self.log_conductivity).exp() * ux.sum().grad(&x)
    }

    /// The temperatures along x at a time.
    fn profile(&self, time: f64, count: usize) -> Vec<(f64, f64)> {
        let tape = Tape::inference();
        let x = tape.constant(Tensor::linspace(0.0, 1.0, count).reshape([count, 1]));
        let u = self.temperature(&x, &tape.constant(Tensor::full([count, 1], time)));
        x.value().as_slice().iter().map(|&x| x.into()).zip(u.value().as_slice().iter().map(|&u| u.into())).collect()
    }

    /// Draws the temperature at several times, that of the network as dots.
    fn draw(&self, area: &Canvas) -> Outcome {
        let mut chart = ChartBuilder::on(area)
            .caption("temperature of a rod: lines exact, dots by the network", (FONT, 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..1.0, 0.0..1.3)?;
        mesh(&mut chart, ("x", "u"))?;
        for (time, color) in [0.0, 0.05, 0.2, 0.5, 1.0].into_iter().zip(COLORS) {
            let line = (0..=100).map(|k| f64::from(k) / 100.0).map(|x| (x, exact_heat(x, time)));
            stroke(&chart, line, color.stroke_width(2))?;
            chart
                .draw_series(self.profile(time, 26).into_iter().map(|point| Circle::new(point, 3, color.filled())))?
                .label(format!("t = {time}"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        let mut legend = chart.configure_series_labels();
        legend.position(SeriesLabelPosition::UpperRight).label_font((FONT, 15)).draw()?;
        Ok(())
    }
}

/// Learns the solution and the conductivity from the equation and a few measurements.
fn learn_heat() -> Heat {
    let mut rng = wengert::rng(1);
    let steps = if quick() { 50 } else { 6000 };
    let [places, times] = [(); 2].map(|()| Tensor::<f32>::uniform([MEASUREMENTS, 1], 0.0, 1.0, &mut rng));
    let exact = places.zip(&times, |x: f32, t: f32| exact_heat(x.into(), t.into()) as f32);
    let measured = exact + Tensor::<f32>::randn([MEASUREMENTS, 1], &mut rng) * HEAT_NOISE;

    // At the start the temperature is known everywhere.
    let begin = Tensor::linspace(0.0, 1.0, 65).reshape([65, 1]);
    let known = begin.map(|x: f32| exact_heat(x.into(), 0.0) as f32);
    let places = Tensor::concat(&[places, begin], 0);
    let times = Tensor::concat(&[times, Tensor::zeros([65, 1])], 0);
    let measured = Tensor::concat(&[measured, known], 0);
    // The first guess, 1, is wrong by a factor of ten.
    let mut heat = Heat { network: Network::new([2, 24, 1], &mut rng), log_conductivity: Param::new([0.0]) };
    let (mut optimizer, schedule) = (Adam::new(0.01), Cosine::new(0.01, steps));
    println!("the heat equation, and its conductivity from {MEASUREMENTS} measurements\n");
    for step in 0..steps {
        let tape = Tape::training(&mut rng);
        let [x, t] = [(); 2].map(|()| Tensor::uniform([COLLOCATION, 1], 0.0, 1.0, &mut rng));
        let residual = heat.residual(&tape, &x, &t).square().mean();
        let fit =
            heat.temperature(&tape.constant(&places), &tape.constant(&times)).mse_loss(&measured, Reduction::Mean);
        let loss = &residual + WEIGHT * &fit;
        optimizer.set_learning_rate(schedule.at(step));
        optimizer.step(&mut heat, &loss.backward());
        if (step + 1) % (steps / 5) == 0 {
            let found = heat.log_conductivity.value().as_slice()[0].exp();
            let [residual, fit] = [residual, fit].map(|mean| mean.item().sqrt());
            println!("step {:>5}  residual {residual:.4}  misfit {fit:.4}  conductivity {found:.4}", step + 1);
        }
    }
    let times = (0..=20).map(|k| f64::from(k) / 20.0);
    let errors = times.flat_map(|t| heat.profile(t, 51).into_iter().map(move |(x, u)| (u - exact_heat(x, t)).abs()));
    let worst = errors.fold(0.0, f64::max);
    println!(
        "noise of the measurements {HEAT_NOISE}; largest error of the temperature {worst:.4}; true conductivity {CONDUCTIVITY}\n"
    );
    heat
}
