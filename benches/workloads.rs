//! Speed of training steps on small networks, and of matrix products: `cargo bench --bench workloads [-- NAME SECONDS THREADS]`.
//!
//! NAME is one of the rows, or a part of one; SECONDS the length of a window, of which each figure is the median of five;
//! THREADS their numbers, such as `1,2`. A training step is the whole of it: the batch, sliced in order from one array,
//! forward pass, reading the loss, backward pass, update. Biases everywhere, cross-entropy, images of random numbers.
//!
//! w1 is 784-50-10 with Sgd and batches of 100; w2 784-256-128-10 with Adam and 128; w3 784-512-512-10 with batch normalisation,
//! dropout, AdamW and 128; w4 784-2048-2048-10 with momentum and 256; w5 two convolutions of 32 and 64 channels, each with ReLU and
//! max pooling, and layers of 128 and 10 with Adam and 64; w6 a chain of 10 000 operations on single numbers;
//! w7b1 and w7b32 64 layers of 32 × 32 with batches of 1 and 32.

use std::hint::black_box;
use std::time::{Duration, Instant};
use wengert::prelude::*;

/// A network for classification.
trait Network: Module {
    fn forward(&self, x: &Var) -> Var;
}

/// Layers of the given sizes with ReLU between them, and after the last if `activated`.
struct Mlp {
    layers: Vec<Linear>,
    activated: bool,
}
module!(Mlp { layers; activated });

impl Mlp {
    fn new(sizes: &[usize], activated: bool) -> Self {
        let mut rng = wengert::rng(0);
        let layers = sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, &mut rng)).collect();
        Mlp { layers, activated }
    }
}

impl Network for Mlp {
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

/// Two hidden layers of 512, each with batch normalisation, ReLU and dropout.
struct Normalized {
    hidden: [(Linear, BatchNorm); 2],
    output: Linear,
}
module!(Normalized { hidden, output });

impl Normalized {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let hidden = [784, 512].map(|inputs| (Linear::new(inputs, 512, Init::He, &mut rng), BatchNorm::new(512)));
        Normalized { hidden, output: Linear::new(512, 10, Init::He, &mut rng) }
    }
}

impl Network for Normalized {
    fn forward(&self, x: &Var) -> Var {
        let layer =
            |h: Var, (linear, norm): &(Linear, BatchNorm)| norm.forward(&linear.forward(&h)).relu().dropout(0.5);
        self.output.forward(&self.hidden.iter().fold(x.clone(), layer))
    }
}

/// Two convolutions with ReLU and max pooling, and two linear layers.
struct Convolutional {
    convolutions: [Conv2d; 2],
    layers: [Linear; 2],
}
module!(Convolutional { convolutions, layers });

impl Convolutional {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let convolutions = [(1, 32), (32, 64)].map(|(from, to)| Conv2d::new(from, to, 3, Init::He, &mut rng));
        let layers = [(1600, 128), (128, 10)].map(|(from, to)| Linear::new(from, to, Init::He, &mut rng));
        Convolutional { convolutions, layers }
    }
}

impl Network for Convolutional {
    fn forward(&self, x: &Var) -> Var {
        let block = |h: Var, convolution: &Conv2d| convolution.forward(&h).relu().max_pool2d(2);
        let h = self.convolutions.iter().fold(x.reshape([-1, 1, 28, 28]), block);
        let [hidden, output] = &self.layers;
        output.forward(&hidden.forward(&h.flatten(1, -1)).relu())
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

/// Steps a second of training a network on batches of the given size.
fn training(
    window: Duration,
    batch: usize,
    inputs: usize,
    mut model: impl Network,
    mut optimizer: impl Optimizer,
) -> f64 {
    const BATCHES: usize = 64;
    let mut rng = wengert::rng(0);
    let images: Vec<f32> = Tensor::uniform([BATCHES * batch, inputs], 0.0, 1.0, &mut rng).to_vec();
    let labels: Vec<usize> = (0..BATCHES * batch).map(|row| row * 7 % 10).collect();
    let mut at = 0;
    rate(window, || {
        let (images, labels) = (&images[at * batch * inputs..], &labels[at * batch..]);
        at = (at + 1) % BATCHES;
        let tape = Tape::training(&mut rng);
        let x = tape.constant(Tensor::from_slice(&images[..batch * inputs], [batch, inputs]));
        let loss = model.forward(&x).softmax_cross_entropy(&labels[..batch]);
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

/// A matrix product `[m, k] · [k, n]` as GFLOPS; the second factor transposed if the name says so.
fn product(window: Duration, [m, k, n]: [usize; 3], transposed: bool) -> f64 {
    let mut rng = wengert::rng(0);
    let tape = Tape::inference();
    let a = tape.constant(Tensor::randn([m, k], &mut rng));
    let b = tape.constant(Tensor::randn(if transposed { [n, k] } else { [k, n] }, &mut rng));
    let none: Option<&Tensor> = None;
    let multiply = || if transposed { a.linear(&b, none) } else { a.matmul(&b) };
    rate(window, || drop(black_box(multiply()))) * 2e-9 * (m * k * n) as f64
}

/// A row of the table: name, unit and how to measure.
type Row = (String, &'static str, Box<dyn Fn(Duration) -> f64>);

fn rows() -> Vec<Row> {
    fn row(name: &str, unit: &'static str, run: impl Fn(Duration) -> f64 + 'static) -> Row {
        (name.into(), unit, Box::new(run))
    }
    let deep = [32; 65];
    let mut rows = vec![
        row("w1", "steps/s", |window| training(window, 100, 784, Mlp::new(&[784, 50, 10], false), Sgd::new(0.1))),
        row("w2", "steps/s", |window| {
            training(window, 128, 784, Mlp::new(&[784, 256, 128, 10], false), Adam::new(1e-3))
        }),
        row("w3", "steps/s", |window| {
            training(window, 128, 784, Normalized::new(), AdamW::new(1e-3).weight_decay(1e-4))
        }),
        row("w4", "steps/s", |window| {
            training(window, 256, 784, Mlp::new(&[784, 2048, 2048, 10], false), Sgd::new(0.01).momentum(0.9))
        }),
        row("w5", "steps/s", |window| training(window, 64, 784, Convolutional::new(), Adam::new(1e-3))),
        row("w6", "ns/op", chain),
        row("w7b1", "steps/s", move |window| training(window, 1, 32, Mlp::new(&deep, true), Sgd::new(0.01))),
        row("w7b32", "steps/s", move |window| training(window, 32, 32, Mlp::new(&deep, true), Sgd::new(0.01))),
    ];
    let products = [
        ([64, 64, 64], false),
        ([256, 256, 256], false),
        ([1024, 1024, 1024], false),
        ([128, 784, 256], false),
        ([128, 784, 256], true),
        ([128, 256, 784], false),
        ([256, 128, 784], false),
        ([100, 784, 50], true),
        ([128, 256, 128], true),
        ([128, 128, 10], true),
        ([256, 2048, 2048], true),
        ([32, 32, 32], true),
        ([1, 32, 32], true),
    ];
    rows.extend(products.map(|(shape @ [m, k, n], transposed)| {
        let name = format!("gemm {m}x{k}x{n}{}", if transposed { " t" } else { "" });
        row(&name, "GFLOPS", move |window| product(window / 4, shape, transposed))
    }));
    rows
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = arguments.first().map_or("", |name| if name == "all" { "" } else { name });
    let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(0.3);
    let all = wengert::num_threads();
    let threads: Vec<usize> = match arguments.get(2) {
        Some(list) => list.split(',').map(|number| number.parse().expect("THREADS is a list of numbers")).collect(),
        None if all > 1 => vec![1, all],
        None => vec![1],
    };
    for (name, unit, run) in rows().into_iter().filter(|(name, ..)| name.contains(wanted)) {
        print!("{name:22}");
        for &number in &threads {
            wengert::set_num_threads(number);
            print!(" {:10.1} ({number})", run(Duration::from_secs_f64(seconds)));
        }
        println!(" {unit}");
    }
}
