//! The networks of the workloads, but for nanoGPT, which is that of the example.

use crate::gpt::Gpt;
use wengert::prelude::*;

/// Linear layers of the given sizes with ReLU between them, and after the last one if `activated`.
pub struct Mlp {
    layers: Vec<Linear>,
    activated: bool,
}
module!(Mlp { layers; activated });

impl Mlp {
    pub fn new(sizes: &[usize], activated: bool) -> Self {
        let mut rng = wengert::rng(0);
        let layers = sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, &mut rng)).collect();
        Mlp { layers, activated }
    }
}

impl Layer for Mlp {
    fn forward(&self, x: &Var) -> Var {
        let mut h = x.clone();
        for (k, layer) in self.layers.iter().enumerate() {
            h = layer.forward(&h);
            if self.activated || k + 1 < self.layers.len() {
                h = h.relu();
            }
        }
        h
    }
}

/// Two hidden layers of 512 units, each with batch normalization, ReLU and dropout.
pub struct Normalized {
    hidden: [(Linear, BatchNorm); 2],
    output: Linear,
}
module!(Normalized { hidden, output });

impl Normalized {
    pub fn new() -> Self {
        let mut rng = wengert::rng(0);
        let hidden = [784, 512].map(|inputs| (Linear::new(inputs, 512, Init::He, &mut rng), BatchNorm::new(512)));
        Normalized { hidden, output: Linear::new(512, 10, Init::He, &mut rng) }
    }
}

impl Layer for Normalized {
    fn forward(&self, x: &Var) -> Var {
        let layer =
            |h: Var, (linear, norm): &(Linear, BatchNorm)| norm.forward(&linear.forward(&h)).relu().dropout(0.5);
        self.output.forward(&self.hidden.iter().fold(x.clone(), layer))
    }
}

/// Two convolutions with ReLU and max pooling, followed by two linear layers.
pub struct Convolutional {
    convolutions: [Conv2d; 2],
    layers: [Linear; 2],
}
module!(Convolutional { convolutions, layers });

impl Convolutional {
    pub fn new() -> Self {
        let mut rng = wengert::rng(0);
        let convolutions = [(1, 32), (32, 64)].map(|(from, to)| Conv2d::new(from, to, 3, Init::He, &mut rng));
        let layers = [(1600, 128), (128, 10)].map(|(from, to)| Linear::new(from, to, Init::He, &mut rng));
        Convolutional { convolutions, layers }
    }
}

impl Layer for Convolutional {
    fn forward(&self, x: &Var) -> Var {
        let block = |h: Var, convolution: &Conv2d| convolution.forward(&h).relu().max_pool2d(2);
        let h = self.convolutions.iter().fold(x.reshape([-1, 1, 28, 28]), block);
        let [hidden, output] = &self.layers;
        output.forward(&hidden.forward(&h.flatten(1, -1)).relu())
    }
}

/// Scores of the next of 65 characters, from those before it.
pub struct Characters {
    pub embedding: Embedding,
    pub lstm: Lstm,
    pub output: Linear,
}
module!(Characters { embedding, lstm, output });

/// A model that predicts the next token.
pub trait LanguageModel: Module {
    /// The scores of the token after each of those in `[N, T]`: `[N, T, vocabulary]`.
    fn scores(&self, tape: &Tape, tokens: &Indices) -> Var;
}

impl LanguageModel for Gpt {
    fn scores(&self, tape: &Tape, tokens: &Indices) -> Var {
        self.forward(tape, tokens)
    }
}

/// A model of 4192 parameters, that of Karpathy's microgpt.
pub struct MicroGpt {
    embeddings: [Embedding; 2],
    projections: [Linear; 4],
    hidden: [Linear; 2],
    output: Linear,
}
module!(MicroGpt { embeddings, projections, hidden, output });

impl MicroGpt {
    pub fn new() -> Self {
        let (mut rng, init) = (wengert::rng(0), Init::Normal(0.08));
        let embeddings = [27, 16].map(|count| Embedding::new(count, 16, init, &mut rng));
        let mut linear = |from, to| Linear::without_bias(from, to, init, &mut rng);
        let projections = [(); 4].map(|()| linear(16, 16));
        MicroGpt { embeddings, projections, hidden: [linear(16, 64), linear(64, 16)], output: linear(16, 27) }
    }
}

impl LanguageModel for MicroGpt {
    fn scores(&self, tape: &Tape, tokens: &Indices) -> Var {
        let norm = |x: &Var| x.rms_norm([16], 1.0, 1e-5);
        let [tokens, positions] = [self.embeddings[0].forward(tape, tokens), tape.param(&self.embeddings[1].weight)];
        let x = norm(&(tokens + positions));
        let h = norm(&x);
        let [q, k, v, output] = self.projections.each_ref();
        let (q, k, v) = (q.forward(&h), k.forward(&h), v.forward(&h));
        let y = q.scaled_dot_product_attention(&k, &v, &Attention::new().heads(4).causal());
        let x = x + output.forward(&y);
        let [up, down] = &self.hidden;
        let x = &x + down.forward(&up.forward(&norm(&x)).relu());
        self.output.forward(&x)
    }
}

/// Two 3 × 3 convolutions with batch normalization, and what is added to their result.
struct Residual {
    convolutions: [(Conv2d, BatchNorm); 2],
    /// Halves the sizes of images; `None` for the input itself.
    shortcut: Option<(Conv2d, BatchNorm)>,
}
module!(Residual { convolutions, shortcut });

/// A convolution and three stages of three residual blocks (He et al., Deep residual learning for image recognition, 2016).
pub struct ResNet {
    stem: (Conv2d, BatchNorm),
    blocks: Vec<Residual>,
    output: Linear,
}
module!(ResNet { stem, blocks, output });

impl ResNet {
    pub fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut normalized = |inputs, outputs, kernel, stride| {
            let convolution = Conv2d::without_bias(inputs, outputs, kernel, Init::He, &mut rng);
            (convolution.stride(stride).padding(kernel / 2), BatchNorm::new(outputs))
        };
        let stem = normalized(3, 16, 3, 1);
        let mut blocks = Vec::new();
        for (inputs, outputs, stride) in [(16, 16, 1), (16, 32, 2), (32, 64, 2)] {
            for (inputs, stride) in [(inputs, stride), (outputs, 1), (outputs, 1)] {
                let convolutions = [normalized(inputs, outputs, 3, stride), normalized(outputs, outputs, 3, 1)];
                let shortcut = (stride > 1).then(|| normalized(inputs, outputs, 1, stride));
                blocks.push(Residual { convolutions, shortcut });
            }
        }
        ResNet { stem, blocks, output: Linear::new(64, 10, Init::He, &mut rng) }
    }
}

impl Layer for ResNet {
    fn forward(&self, x: &Var) -> Var {
        let normalized = |h: &Var, (convolution, norm): &(Conv2d, BatchNorm)| norm.forward(&convolution.forward(h));
        let mut h = normalized(&x.reshape([-1, 3, 32, 32]), &self.stem).relu();
        for Residual { convolutions: [first, second], shortcut } in &self.blocks {
            let y = normalized(&normalized(&h, first).relu(), second);
            let skip = shortcut.as_ref().map_or_else(|| h.clone(), |shortcut| normalized(&h, shortcut));
            h = (y + skip).relu();
        }
        self.output.forward(&h.mean_over([2, 3]))
    }
}
