//! Steps per second of small networks on one processor: `cargo bench --bench workloads [-- NAME SECONDS]`.
//!
//! Each workload is a full training step (batch, forward, backward, update) on random images: w1 784-50-10
//! with Sgd and batches of 100; w2 784-256-128-10 with Adam and 128; w4 784-2048-2048-10 with momentum and 256;
//! w6 a chain of 10 000 operations on single numbers, in nanoseconds an operation; w7b1 and w7b32 64 layers of
//! 32 × 32 with batches of 1 and 32. Each figure is the median of five windows.

use std::hint::black_box;
use std::time::{Duration, Instant};
use wengert::prelude::*;

/// Layers of the given sizes with ReLU between them, and after the last if `activated`.
struct Mlp {
    layers: Vec<Linear>,
    activated: bool,
}
module!(Mlp { layers; activated });

impl Mlp {
    fn new(sizes: &[usize], activated: bool, rng: &mut impl Rng) -> Self {
        let layers = sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect();
        Mlp { layers, activated }
    }

    fn forward(&self, x: &Var) -> Var {
        let mut h = x.clone();
        for (k, layer) in self.layers.iter().enumerate() {
            h = layer.forward(&h);
            if self.activated || k + 1 < self.layers.len() {
                h = h.relu();
            }
        }
        h
    }
}

/// Times a step: calls a second, median of five windows after a warm-up.
fn rate(window: Duration, mut step: impl FnMut()) -> f64 {
    let mut timed = || {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < window || count < 2 {
            step();
            count += 1;
        }
        count as f64 / start.elapsed().as_secs_f64()
    };
    timed();
    let mut rates: Vec<f64> = (0..5).map(|_| timed()).collect();
    rates.sort_by(f64::total_cmp);
    rates[2]
}

/// Steps a second of training a network.
fn training(window: Duration, batch: usize, sizes: &[usize], activated: bool, mut optimizer: impl Optimizer) -> f64 {
    let mut rng = wengert::rng(0);
    let mut model = Mlp::new(sizes, activated, &mut rng);
    let data: Tensor = Tensor::uniform([8 * batch, sizes[0]], 0.0, 1.0, &mut rng);
    let classes = sizes[sizes.len() - 1];
    let mut at = 0;
    rate(window, || {
        let rows: Vec<usize> = (at * batch..(at + 1) * batch).collect();
        let labels: Vec<usize> = rows.iter().map(|row| row * 7 % classes).collect();
        at = (at + 1) % 8;
        let tape = Tape::training(&mut rng);
        let loss = model.forward(&tape.constant(data.rows(&rows))).softmax_cross_entropy(&labels);
        black_box(loss.item());
        optimizer.step(&mut model, &loss.backward());
    })
}

/// Nanoseconds for an operation on single numbers, forward and backward.
fn chain(window: Duration) -> f64 {
    let [x, a, b] = [1.0, 0.9999, 1e-4].map(|value| Tensor::<f32>::full([1], value));
    let rate = rate(window, || {
        let tape = Tape::new();
        let (a, b) = (tape.var(&a), tape.var(&b));
        let mut y = tape.var(&x);
        for _ in 0..5000 {
            y = y * &a;
            y = y + &b;
        }
        black_box(&y.backward()[&a]);
    });
    1e9 / rate / 1e4
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(0.4);
    let window = Duration::from_secs_f64(seconds);
    let deep = [32; 65];
    let workloads: [(&str, &str, &dyn Fn() -> f64); 6] = [
        ("w1", "steps/s", &|| training(window, 100, &[784, 50, 10], false, Sgd::new(0.1))),
        ("w2", "steps/s", &|| training(window, 128, &[784, 256, 128, 10], false, Adam::new(1e-3))),
        ("w4", "steps/s", &|| training(window, 256, &[784, 2048, 2048, 10], false, Sgd::new(0.01).momentum(0.9))),
        ("w6", "ns/operation", &|| chain(window)),
        ("w7b1", "steps/s", &|| training(window, 1, &deep, true, Sgd::new(0.01))),
        ("w7b32", "steps/s", &|| training(window, 32, &deep, true, Sgd::new(0.01))),
    ];
    for (name, unit, run) in workloads {
        if arguments.first().is_none_or(|only| only == name || only == "all") {
            println!("{name:6} {:10.1} {unit}", run());
        }
    }
}
