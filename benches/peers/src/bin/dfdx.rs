//! The workloads in dfdx. Its convolutions need a nightly compiler, so there is no w5.
#![recursion_limit = "512"]

use dfdx::optim::{Adam, AdamConfig, Momentum, Sgd, SgdConfig, WeightDecay};
use dfdx::prelude::*;
use peers::{Arguments, epochs, on_a_large_stack, report};
use std::cell::RefCell;

type Small = (Linear<784, 50>, ReLU, Linear<50, 10>);
type Middle = (Linear<784, 256>, ReLU, Linear<256, 128>, ReLU, Linear<128, 10>);
type Hidden<const INPUTS: usize> = (Linear<INPUTS, 512>, BatchNorm1D<512>, ReLU, DropoutOneIn<2>);
type Normalized = (Hidden<784>, Hidden<512>, Linear<512, 10>);
type Wide = (Linear<784, 2048>, ReLU, Linear<2048, 2048>, ReLU, Linear<2048, 10>);
type Deep = Repeated<(Linear<32, 32>, ReLU), 64>;

fn adam(weight_decay: Option<WeightDecay>) -> AdamConfig {
    AdamConfig { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay }
}

fn sgd(lr: f64, momentum: Option<Momentum>) -> SgdConfig {
    SgdConfig { lr, momentum, weight_decay: None }
}

/// Trains a network whose sizes are types, and returns it.
macro_rules! train {
    ($arguments:expr, $device:expr, $network:ty, $optimizer:ident($config:expr), $batch:literal x $width:literal -> $classes:literal) => {{
        let (arguments, device): (&Arguments, &Cpu) = ($arguments, $device);
        let mut network = device.build_module::<$network, f32>();
        let mut optimizer = $optimizer::new(&network, $config);
        let data = arguments.train();
        let samples = data.labels.len();
        let mut targets = vec![0f32; samples * $classes];
        for (row, &label) in data.labels.iter().enumerate() {
            targets[row * $classes + usize::from(label)] = 1.0;
        }
        let (mut spare, last) = (Some(network.alloc_grads()), RefCell::new(0.0));
        let mut step = |images: Vec<f32>, targets: Vec<f32>| {
            let images = device.tensor_from_vec(images, (Const::<$batch>, Const::<$width>));
            let targets = device.tensor_from_vec(targets, (Const::<$batch>, Const::<$classes>));
            let scores = network.forward_mut(images.traced(spare.take().expect("it is put back")));
            let loss = cross_entropy_with_logits_loss(scores, targets);
            *last.borrow_mut() = f64::from(loss.array());
            let mut gradients = loss.backward();
            optimizer.update(&mut network, &gradients).expect("every parameter has a gradient");
            network.zero_grads(&mut gradients);
            spare = Some(gradients);
        };
        if arguments.workload == "epochs" {
            for order in epochs(samples) {
                for rows in order.chunks_exact($batch) {
                    let gather =
                        |all, width| rows.iter().map(|&k| row(all, k as usize, width)).collect::<Vec<_>>().concat();
                    step(gather(&data.images, $width), gather(&targets, $classes));
                }
            }
        } else {
            let batch = |k: usize| {
                let k = k % (samples / $batch);
                step(row(&data.images, k, $batch * $width).to_vec(), row(&targets, k, $batch * $classes).to_vec());
            };
            arguments.measure(batch, || *last.borrow());
        }
        network
    }};
}

fn row(all: &[f32], row: usize, width: usize) -> &[f32] {
    &all[row * width..(row + 1) * width]
}

fn chain(arguments: &Arguments, device: &Cpu) {
    let number = |value: f32| device.tensor([value]);
    let (x, a, b, last) = (number(1.0), number(0.9999), number(1e-4), RefCell::new(0.0));
    let step = |_| {
        let mut y = x.leaky_trace();
        for _ in 0..5000 {
            y = y * a.clone() + b.clone();
        }
        *last.borrow_mut() = f64::from(y.sum().backward().get(&a).array()[0]);
    };
    arguments.measure(step, || *last.borrow());
}

fn run() {
    // As dfdx's own example of MNIST does.
    dfdx::flush_denormals_to_zero();
    let (arguments, device) = (&Arguments::read(), &Cpu::seed_from_u64(1));
    match arguments.workload.as_str() {
        "w1" => drop(train!(arguments, device, Small, Sgd(sgd(0.1, None)), 100 x 784 -> 10)),
        "w2" => drop(train!(arguments, device, Middle, Adam(adam(None)), 128 x 784 -> 10)),
        "w3" => {
            let decay = Some(WeightDecay::Decoupled(1e-4));
            drop(train!(arguments, device, Normalized, Adam(adam(decay)), 128 x 784 -> 10));
        }
        "w4" => {
            let momentum = Some(Momentum::Classic(0.9));
            drop(train!(arguments, device, Wide, Sgd(sgd(0.01, momentum)), 256 x 784 -> 10));
        }
        "w6" => chain(arguments, device),
        "w7b1" => drop(train!(arguments, device, Deep, Sgd(sgd(0.01, None)), 1 x 32 -> 32)),
        "w7b32" => drop(train!(arguments, device, Deep, Sgd(sgd(0.01, None)), 32 x 32 -> 32)),
        _ => {
            let network = train!(arguments, device, Middle, Adam(adam(None)), 128 x 784 -> 10);
            let test = arguments.test();
            let images = device.tensor_from_vec(test.images, (test.labels.len(), Const::<784>));
            let scores = network.forward(images).as_vec();
            let largest = |row: &[f32]| (0..10).max_by(|&i, &j| row[i].total_cmp(&row[j]));
            let right =
                scores.chunks(10).zip(&test.labels).filter(|(row, label)| largest(row) == Some(usize::from(**label)));
            report(right.count() as f64 / test.labels.len() as f64);
        }
    }
}

fn main() {
    on_a_large_stack(run);
}
