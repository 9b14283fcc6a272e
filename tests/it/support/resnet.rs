//! A residual network for images of 32 × 32, He et al. 2015.

use wengert::prelude::*;

/// A convolution without bias, and its normalization.
type Normalized = (Conv2d, BatchNorm);

pub struct ResNet {
    stem: Normalized,
    blocks: Vec<Block>,
    output: Linear,
}
module!(ResNet { stem, blocks, output });

struct Block {
    first: Normalized,
    second: Normalized,
    skip: Option<Normalized>,
}
module!(Block { first, second, skip });

fn normalized(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Normalized {
    let convolution = Conv2d::without_bias(inputs, outputs, kernel, Init::He, &mut wengert::rng(outputs as u64));
    (convolution.stride(stride).padding(kernel / 2), BatchNorm::new(outputs))
}

fn normalize((convolution, norm): &Normalized, x: &Var) -> Var {
    norm.forward(&convolution.forward(x))
}

impl ResNet {
    /// Three stages of `depth` blocks each, the first with `width` channels: ResNet-20 has 3 and 16.
    pub fn new(depth: usize, width: usize, classes: usize) -> Self {
        let block = |k: usize| {
            let stage = k / depth;
            let (outputs, is_first) = (width << stage, k.is_multiple_of(depth) && stage > 0);
            let (inputs, stride) = if is_first { (outputs / 2, 2) } else { (outputs, 1) };
            Block {
                first: normalized(inputs, outputs, 3, stride),
                second: normalized(outputs, outputs, 3, 1),
                skip: is_first.then(|| normalized(inputs, outputs, 1, stride)),
            }
        };
        ResNet {
            stem: normalized(3, width, 3, 1),
            blocks: (0..3 * depth).map(block).collect(),
            output: Linear::new(4 * width, classes, Init::Xavier, &mut wengert::rng(0)),
        }
    }

    pub fn forward(&self, x: &Var) -> Var {
        let stem = normalize(&self.stem, x).relu();
        let features = self.blocks.iter().fold(stem, |x, Block { first, second, skip }| {
            let h = normalize(second, &normalize(first, &x).relu());
            let skipped = skip.as_ref().map_or(x.clone(), |skip| normalize(skip, &x));
            (h + skipped).relu()
        });
        self.output.forward(&features.adaptive_avg_pool2d(1).flatten(1, -1))
    }
}
