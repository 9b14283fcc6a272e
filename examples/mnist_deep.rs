//! Trains a deep convolutional network to recognize handwritten digits: `cargo run --release --example mnist_deep`.
//!
//! `-- --help` lists the options. This file holds the network; the rest is shared with the example `mnist`.

mod support {
    pub mod checkout;
    pub mod log;
    pub mod mnist;
    pub mod number;
    pub mod scale;
    pub mod style;
}

use std::process::ExitCode;
use support::mnist::{self, Network, Options};
use wengert::prelude::*;

/// Six convolutions of 3 × 3 with ReLU, with max pooling after every second one, followed by linear layers with dropout: a small
/// VGG (Simonyan and Zisserman 2014), and the deep network of chapter 8 of 「ゼロから作る Deep Learning」.
#[derive(Clone)]
struct DeepNet {
    convolutions: Vec<Conv2d>,
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
    dropout: Dropout,
}
module!(DeepNet { convolutions, layers, norms; pool, dropout });

impl Network for DeepNet {
    const EXAMPLE: &'static str = "mnist_deep";
    const KIND: &'static str = "deep convolutional network";
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[
        ("hidden", "50"),
        ("dropout", "0.5"),
        ("batch-norm", "true"),
        ("schedule", "cosine"),
        ("epochs", "6"),
        ("batch", "64"),
    ];

    fn new(options: &Options, rng: &mut impl Rng) -> Self {
        let channels = [1, 16, 16, 32, 32, 64, 64];
        // 28 × 28 pixels, 14 × 14 after pooling, 16 × 16 with the wider padding, then 8 × 8 and 4 × 4.
        let padding = [1, 1, 1, 2, 1, 1];
        let sizes = [&[64 * 4 * 4], options.hidden.as_slice(), &[10]].concat();
        let normalized = if options.batch_norm { [&channels[1..], &options.hidden].concat() } else { Vec::new() };
        let convolution = |(pair, &padding): (&[usize], &usize), rng: &mut _| {
            Conv2d::new(pair[0], pair[1], 3, options.init, rng).padding(padding)
        };
        DeepNet {
            convolutions: channels.windows(2).zip(&padding).map(|layer| convolution(layer, rng)).collect(),
            layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], options.init, rng)).collect(),
            norms: normalized.iter().map(|&size| BatchNorm::new(size)).collect(),
            pool: MaxPool2d::new(2),
            dropout: Dropout::new(options.dropout),
        }
    }

    fn forward(&self, x: &Var) -> Var {
        let mut norms = self.norms.iter();
        let mut normalize = |h: Var| norms.next().map_or(h.clone(), |norm| norm.forward(&h));
        let mut h = x.reshape([-1, 1, 28, 28]);
        for (k, convolution) in self.convolutions.iter().enumerate() {
            h = normalize(convolution.forward(&h)).relu();
            if k % 2 == 1 {
                h = self.pool.forward(&h);
            }
        }
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        h = self.dropout.forward(&h.flatten(1, -1));
        for layer in hidden {
            h = self.dropout.forward(&normalize(layer.forward(&h)).relu());
        }
        output.forward(&h)
    }
}

fn main() -> ExitCode {
    mnist::run::<DeepNet>()
}
