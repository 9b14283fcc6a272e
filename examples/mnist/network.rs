//! The network: a multilayer perceptron.

use crate::options::Options;
use wengert::prelude::*;

/// The name of the example.
pub const NAME: &str = "mnist";
/// What the network is.
pub const KIND: &str = "multilayer perceptron";
/// Defaults of the options that are not those of `options.rs`.
pub const DEFAULTS: [(&str, &str); 1] = [("optimizer", "adamw")];

/// Linear layers, between them ReLU, and batch normalisation and dropout if asked for.
pub struct Mlp {
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    dropout: Dropout,
}
module!(Mlp { layers, norms; dropout });

impl Mlp {
    /// A network as the options describe it.
    pub fn new(options: &Options, rng: &mut impl Rng) -> Self {
        let sizes = [&[784], options.hidden.as_slice(), &[10]].concat();
        let normalised = if options.batch_norm { options.hidden.as_slice() } else { &[] };
        Mlp {
            layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], options.init, rng)).collect(),
            norms: normalised.iter().map(|&size| BatchNorm::new(size)).collect(),
            dropout: Dropout::new(options.dropout),
        }
    }

    /// The scores `[n, 10]` of images `[n, 784]`: the larger, the likelier the class.
    pub fn forward(&self, x: &Var) -> Var {
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

pub use Mlp as Network;
