//! The network: convolutions, as LeNet-5 has them.

use crate::options::Options;
use wengert::prelude::*;

/// The name of the example.
pub const NAME: &str = "mnist_cnn";
/// What the network is.
pub const KIND: &str = "convolutional network";
/// Defaults of the options that are not those of `options.rs`.
pub const DEFAULTS: [(&str, &str); 4] = [("hidden", "128"), ("dropout", "0.3"), ("epochs", "8"), ("batch", "64")];

/// Two convolutions, each with ReLU and max pooling, then linear layers: LeCun et al. 1998, with what has replaced its
/// sigmoids and means.
pub struct LeNet {
    convolutions: Vec<Conv2d>,
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
    dropout: Dropout,
}
module!(LeNet { convolutions, layers, norms; pool, dropout });

impl LeNet {
    /// A network as the options describe it.
    pub fn new(options: &Options, rng: &mut impl Rng) -> Self {
        // Of 28 × 28 pixels the first convolution leaves 24 × 24, pooling 12 × 12, and the second pair 8 × 8 and 4 × 4.
        let channels = [1, 16, 32];
        let sizes = [&[32 * 4 * 4], options.hidden.as_slice(), &[10]].concat();
        let normalised = if options.batch_norm { [&channels[1..], &options.hidden].concat() } else { Vec::new() };
        LeNet {
            convolutions: channels.windows(2).map(|pair| Conv2d::new(pair[0], pair[1], 5, options.init, rng)).collect(),
            layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], options.init, rng)).collect(),
            norms: normalised.iter().map(|&size| BatchNorm::new(size)).collect(),
            pool: MaxPool2d::new(2),
            dropout: Dropout::new(options.dropout),
        }
    }

    /// The scores `[n, 10]` of images `[n, 784]`: the larger, the likelier the class.
    pub fn forward(&self, x: &Var) -> Var {
        let mut norms = self.norms.iter();
        let mut normalised = |h: Var| norms.next().map_or(h.clone(), |norm| norm.forward(&h));
        let mut h = x.reshape([-1, 1, 28, 28]);
        for convolution in &self.convolutions {
            h = self.pool.forward(&normalised(convolution.forward(&h)).relu());
        }
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        h = h.flatten(1, -1);
        for layer in hidden {
            h = self.dropout.forward(&normalised(layer.forward(&h)).relu());
        }
        output.forward(&h)
    }
}

pub use LeNet as Network;
