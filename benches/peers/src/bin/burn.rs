//! The workloads in burn, with its `flex` backend.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use peers::{Arguments, epochs, on_a_large_stack, report};
use std::cell::RefCell;

/// Any of the networks: convolutions if there are some, then layers, with batch normalisation and dropout if there is some.
#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    dropout: Dropout,
    activated: bool,
}

impl Network {
    fn new(sizes: &[usize], device: &Device) -> Self {
        let layers = sizes.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect();
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let dropout = DropoutConfig::new(0.5).init();
        Network { convolutions: vec![], pool, layers, norms: vec![], dropout, activated: false }
    }

    fn normalized(mut self, device: &Device) -> Self {
        self.norms = (1..self.layers.len()).map(|_| BatchNormConfig::new(512).init(device)).collect();
        self
    }

    fn convolutional(mut self, device: &Device) -> Self {
        self.convolutions = [[1, 32], [32, 64]].map(|channels| Conv2dConfig::new(channels, [3, 3]).init(device)).into();
        self
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut h = x;
        if !self.convolutions.is_empty() {
            let [batch, _] = h.dims();
            let block = |h, convolution: &Conv2d| self.pool.forward(relu(convolution.forward(h)));
            h = self.convolutions.iter().fold(h.reshape([batch, 1, 28, 28]), block).reshape([batch, 1600]);
        }
        for (k, layer) in self.layers.iter().enumerate() {
            h = layer.forward(h);
            if let Some(norm) = self.norms.get(k) {
                h = self.dropout.forward(relu(norm.forward(h)));
            } else if self.activated || k + 1 < self.layers.len() {
                h = relu(h);
            }
        }
        h
    }
}

fn chain(arguments: &Arguments, device: &Device) {
    let number = |value: f32| Tensor::<1>::from_data([value], device).require_grad();
    let (x, a, b, last) = (number(1.0), number(0.9999), number(1e-4), RefCell::new(0.0));
    let step = |_| {
        let y = (0..5000).fold(x.clone(), |y, _| y * a.clone() + b.clone());
        *last.borrow_mut() = f64::from(a.grad(&y.backward()).expect("a gradient").into_scalar::<f32>());
    };
    arguments.measure(step, || *last.borrow());
}

fn train(arguments: &Arguments, base: &Device, device: &Device) {
    let new = |sizes: &[usize]| Network::new(sizes, device);
    let (network, mut optimizer, rate) = match arguments.workload.as_str() {
        "w1" => (new(&[784, 50, 10]), SgdConfig::new().init(), 0.1),
        "w2" | "epochs" => (new(&[784, 256, 128, 10]), AdamConfig::new().init(), 1e-3),
        "w3" => (new(&[784, 512, 512, 10]).normalized(device), AdamWConfig::new().with_weight_decay(1e-4).init(), 1e-3),
        "w4" => {
            let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
            (new(&[784, 2048, 2048, 10]), SgdConfig::new().with_momentum(Some(momentum)).init(), 0.01)
        }
        "w5" => (new(&[1600, 128, 10]).convolutional(device), AdamConfig::new().init(), 1e-3),
        _ => (Network { activated: true, ..new(&[32; 65]) }, SgdConfig::new().init(), 0.01),
    };
    let criterion = CrossEntropyLossConfig::new().init(device);
    let (data, size) = (arguments.train(), arguments.batch());
    let (samples, width) = (data.labels.len(), data.images.len() / data.labels.len());
    let images = Tensor::<2>::from_data(TensorData::new(data.images, [samples, width]), device);
    let numbers = |list: Vec<i64>| {
        let length = list.len();
        Tensor::<1, Int>::from_data(TensorData::new(list, [length]), device)
    };
    let labels = numbers(data.labels.into_iter().map(i64::from).collect());
    let (mut slot, last) = (Some(network), RefCell::new(None));
    let mut step = |images, labels| {
        let network = slot.take().expect("it is put back");
        let loss = criterion.forward(network.forward(images), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        slot = Some(optimizer.step(rate, network, gradients));
        *last.borrow_mut() = Some(loss.detach());
    };
    if arguments.workload != "epochs" {
        let batch = |k: usize| {
            let start = k % (samples / size) * size;
            step(images.clone().slice([start..start + size, 0..width]), labels.clone().slice([start..start + size]));
        };
        let loss = || {
            device.sync().expect("it ends");
            f64::from(last.borrow().clone().expect("a loss").into_scalar::<f32>())
        };
        return arguments.measure(batch, loss);
    }
    for order in epochs(samples) {
        for rows in order.chunks_exact(size) {
            let rows = numbers(rows.iter().copied().map(i64::from).collect());
            step(images.clone().select(0, rows.clone()), labels.clone().select(0, rows));
        }
    }
    let (network, test) = (slot.expect("it is put back").valid(), arguments.test());
    let images = Tensor::<2>::from_data(TensorData::new(test.images, [test.labels.len(), 784]), base);
    let guesses = network.forward(images).argmax(1).into_data();
    let right = guesses.iter::<i64>().zip(&test.labels).filter(|(guess, label)| *guess == i64::from(**label)).count();
    report(right as f64 / test.labels.len() as f64);
}

fn main() {
    on_a_large_stack(|| {
        let (arguments, base) = (Arguments::read(), Device::flex());
        let device = base.clone().autodiff();
        if arguments.workload == "w6" { chain(&arguments, &device) } else { train(&arguments, &base, &device) }
    });
}
