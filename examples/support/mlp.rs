//! A multilayer perceptron.

use wengert::prelude::*;

/// Linear layers with ReLU between them.
pub struct Mlp {
    layers: Vec<Linear>,
}
module!(Mlp { layers });

impl Mlp {
    /// Builds a network with the given layer sizes, from input to output, and He initialization.
    pub fn new(sizes: &[usize], rng: &mut impl Rng) -> Self {
        Mlp { layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect() }
    }

    /// The outputs `[n, last size]` for inputs `[n, first size]`.
    pub fn forward(&self, x: &Var) -> Var {
        let (first, rest) = self.layers.split_first().expect("at least an output layer");
        rest.iter().fold(first.forward(x), |h, layer| layer.forward(&h.relu()))
    }
}
