//! The network of the example `mnist` together with its preprocessing.

use std::error::Error;
use std::path::Path;
use wengert::data::{ImageBatch, Images};
use wengert::io::{Checkpoint, Resume, safetensors};
use wengert::prelude::*;

/// The number of pixels of an image.
pub const PIXELS: usize = 28 * 28;

/// Linear layers with ReLU, and optionally batch normalization, between them; and the mean and the standard deviation of the pixels
/// that it was trained with, on the scale from 0 to 1.
///
/// A clone shares the values of the parameters until one of the two changes them.
#[derive(Clone)]
pub struct Classifier {
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    mean: f64,
    std: f64,
}
module!(Classifier { layers, norms; mean, std });

impl Classifier {
    /// An untrained network with the given layer sizes.
    pub fn new(sizes: &[usize], rng: &mut impl Rng) -> Self {
        let layers = sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect();
        Classifier { layers, norms: Vec::new(), mean: 0.1307, std: 0.3081 }
    }

    /// Reads a checkpoint of `mnist`. The file says what the network looks like.
    pub fn load(path: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let arrays = safetensors::read(path)?;
        let shape = |part: &str, k: usize| arrays.get(&format!("model.{part}.{k}.weight")).map(|array| array.shape());
        let mut rng = wengert::rng(0);
        let (mut layers, mut width) = (Vec::new(), PIXELS);
        while let Some(&[outputs, inputs]) = shape("layers", layers.len()) {
            layers.push(Linear::new(inputs, outputs, Init::Constant(0.0), &mut rng));
            if inputs != width {
                return Err(format!("{path:?}: layer {}: expected {width} inputs, found {inputs}", layers.len()).into());
            }
            width = outputs;
        }
        if layers.is_empty() || width != 10 {
            let found = format!("{} linear layers with {width} outputs at the end", layers.len());
            return Err(format!("{path:?}: expected a --checkpoint of the example mnist, found {found}").into());
        }
        let hidden = if shape("norms", 0).is_some() { &layers[..layers.len() - 1] } else { &[] };
        let norms = hidden.iter().map(|layer| BatchNorm::new(layer.weight.shape()[0])).collect();
        let mut classifier = Classifier { layers, norms, mean: 0.0, std: 0.0 };
        let (mut mean, mut std) = (0.0, 0.0);
        let resume = Resume::new().model(&mut classifier).scope("pixels");
        resume.number("mean", &mut mean).number("std", &mut std).load(path)?;
        let classifier = Classifier { mean, std, ..classifier };
        if !classifier.is_finite() {
            return Err(format!("{path:?}: a parameter is not finite, or the standard deviation is {std}").into());
        }
        Ok(classifier)
    }

    /// Whether it can predict: one with a NaN must not take the place of a good one.
    pub fn is_finite(&self) -> bool {
        let finite = |(_, param): (String, &Param)| param.value().as_slice().iter().all(|x| x.is_finite());
        self.parameters().into_iter().all(finite) && self.mean.is_finite() && self.std.is_finite() && self.std > 0.0
    }

    /// Writes a file for [`load`](Classifier::load), as `mnist` does.
    pub fn save(&self, path: &Path) -> Result<(), wengert::Error> {
        let checkpoint = Checkpoint::new().model(self).scope("pixels");
        checkpoint.number("mean", self.mean).number("std", self.std).save(path)
    }

    /// Images `[n, 784]` from their pixels.
    pub fn images<'a>(&self, images: impl IntoIterator<Item = &'a [u8]>) -> Tensor {
        let pixels: Vec<u8> = images.into_iter().flatten().copied().collect();
        let labels = vec![0; pixels.len() / PIXELS];
        Images::new(pixels, labels, [PIXELS]).normalize(self.mean, self.std).all().images
    }

    /// The class scores `[n, 10]` of images `[n, 784]`.
    fn forward(&self, x: &Var) -> Var {
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        let layer = |h: Var, (k, layer): (usize, &Linear)| {
            let h = layer.forward(&h);
            self.norms.get(k).map_or(h.clone(), |norm| norm.forward(&h)).relu()
        };
        output.forward(&hidden.iter().enumerate().fold(x.clone(), layer))
    }

    /// The probabilities `[n, 10]` of the classes.
    pub fn probabilities(&self, images: Tensor) -> Tensor {
        self.forward(&Tape::inference().constant(images)).softmax(1).value().clone()
    }

    /// One step of the optimizer on labeled images. Batch normalization keeps the statistics of its training, because a single
    /// image has none.
    pub fn step(&mut self, optimizer: &mut impl Optimizer, batch: &ImageBatch) {
        let tape = Tape::new();
        let loss = self.forward(&tape.constant(&batch.images)).softmax_cross_entropy(&batch.labels);
        optimizer.step(self, &loss.backward());
    }
}
