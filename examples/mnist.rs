//! Trains a multilayer perceptron to recognize handwritten digits: `cargo run --release --example mnist`.
//!
//! `-- --help` lists the options. This file holds the network. The folder `support/mnist` holds the rest, for `mnist_cnn` too:
//! `options.rs` parses the command line, `training.rs` has the training loop, and `report.rs` writes an HTML page with the results.

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

/// Linear layers with ReLU between them, optionally with batch normalization and dropout.
#[derive(Clone)]
struct Mlp {
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    dropout: Dropout,
}
module!(Mlp { layers, norms; dropout });

impl Network for Mlp {
    const EXAMPLE: &'static str = "mnist";
    const KIND: &'static str = "multilayer perceptron";
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("optimizer", "adamw")];

    fn new(options: &Options, rng: &mut impl Rng) -> Self {
        let sizes = [&[784], options.hidden.as_slice(), &[10]].concat();
        let normalized = if options.batch_norm { options.hidden.as_slice() } else { &[] };
        Mlp {
            layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], options.init, rng)).collect(),
            norms: normalized.iter().map(|&size| BatchNorm::new(size)).collect(),
            dropout: Dropout::new(options.dropout),
        }
    }

    fn forward(&self, x: &Var) -> Var {
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        let mut h = x.clone();
        for (index, layer) in hidden.iter().enumerate() {
            h = layer.forward(&h);
            if let Some(norm) = self.norms.get(index) {
                h = norm.forward(&h);
            }
            h = self.dropout.forward(&h.relu());
        }
        output.forward(&h)
    }
}

fn main() -> ExitCode {
    mnist::run::<Mlp>()
}
