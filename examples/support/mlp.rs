//! A multilayer perceptron for MNIST.

use wengert::data::ImageBatch;
use wengert::metrics::{Mean, accuracy};
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

    /// The class scores (logits) `[n, 10]` of images `[n, 784]`.
    pub fn forward(&self, x: &Var) -> Var {
        let (first, rest) = self.layers.split_first().expect("at least an output layer");
        rest.iter().fold(first.forward(x), |h, layer| layer.forward(&h.relu()))
    }

    /// The mean loss and the accuracy on a set of images.
    pub fn evaluate(&self, images: &impl Dataset<Batch = ImageBatch>) -> (f64, f64) {
        let (mut loss, mut correct) = (Mean::new(), Mean::new());
        for batch in images.batches(1000) {
            let tape = Tape::inference();
            let scores = self.forward(&tape.constant(batch.images));
            let size = batch.labels.len() as f64;
            loss.add_weighted(scores.softmax_cross_entropy(&batch.labels).item(), size);
            correct.add_weighted(accuracy(scores.value(), &batch.labels), size);
        }
        (loss.value(), correct.value())
    }
}
