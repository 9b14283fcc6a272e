//! Trains a convolutional network to recognize handwritten digits: `cargo run --release --example mnist_cnn`.
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

/// Two convolutions, each with ReLU and max pooling, followed by linear layers: LeNet-5 (LeCun et al. 1998) with ReLU and max
/// pooling instead of its sigmoids and average pooling.
#[derive(Clone)]
struct LeNet {
    convolutions: Vec<Conv2d>,
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
    dropout: Dropout,
}
module!(LeNet { convolutions, layers, norms; pool, dropout });

impl Network for LeNet {
    const EXAMPLE: &'static str = "mnist_cnn";
    const KIND: &'static str = "convolutional network";
    const DEFAULTS: &'static [(&'static str, &'static str)] =
        &[("hidden", "128"), ("dropout", "0.3"), ("epochs", "8"), ("batch", "64")];

    fn new(options: &Options, rng: &mut impl Rng) -> Self {
        // 28 × 28 pixels become 24 × 24 after the first convolution, 12 × 12 after pooling, then 8 × 8 and 4 × 4.
        let channels = [1, 16, 32];
        let sizes = [&[32 * 4 * 4], options.hidden.as_slice(), &[10]].concat();
        let normalized = if options.batch_norm { [&channels[1..], &options.hidden].concat() } else { Vec::new() };
        LeNet {
            convolutions: channels.windows(2).map(|pair| Conv2d::new(pair[0], pair[1], 5, options.init, rng)).collect(),
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
        for convolution in &self.convolutions {
            h = self.pool.forward(&normalize(convolution.forward(&h)).relu());
        }
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        h = h.flatten(1, -1);
        for layer in hidden {
            h = self.dropout.forward(&normalize(layer.forward(&h)).relu());
        }
        output.forward(&h)
    }
}

fn main() -> ExitCode {
    mnist::run::<LeNet>()
}
