//! A network that finds the noise in a noisy image.

use crate::support::noise::NoiseSchedule;
use wengert::nn::sinusoidal_positions;
use wengert::prelude::*;

/// Size of the vectors of time steps and classes.
const CONDITION: usize = 64;
/// Width of the layers that see the whole image, and the number of images that they make of it.
const WIDTH: usize = 256;
const SKETCHES: usize = 4;
/// Channels of the convolutions.
const CHANNELS: usize = 16;

/// Adds to its input, `h + W₂ silu(W₁ norm(h) + V c)`, depending on a condition c.
struct Block {
    norm: LayerNorm,
    inner: Linear,
    condition: Linear,
    outer: Linear,
}
module!(Block { norm, inner, condition, outer });

impl Block {
    fn new(rng: &mut impl Rng) -> Self {
        Block {
            norm: LayerNorm::new([WIDTH]),
            inner: Linear::new(WIDTH, WIDTH, Init::He, rng),
            condition: Linear::without_bias(CONDITION, WIDTH, Init::Xavier, rng),
            outer: Linear::new(WIDTH, WIDTH, Init::Constant(0.0), rng),
        }
    }

    fn forward(&self, h: &Var, condition: &Var) -> Var {
        let inner = self.inner.forward(&self.norm.forward(h)) + self.condition.forward(condition);
        h + self.outer.forward(&inner.silu())
    }
}

/// Estimates the noise in images, given their time steps and classes: linear layers look at the whole image and sketch it, convolutions
/// work out the details.
pub struct Denoiser {
    side: usize,
    /// The sines and cosines of each time step: `[steps + 1, CONDITION]`.
    times: Tensor,
    time: (Linear, Linear),
    /// A vector for each class, and one for no class in particular.
    classes: Embedding,
    input: Linear,
    blocks: [Block; 2],
    norm: LayerNorm,
    sketch: Linear,
    convolutions: [Conv2d; 2],
    condition: Linear,
    output: Conv2d,
    pub schedule: NoiseSchedule,
}
module!(Denoiser { time, classes, input, blocks, norm, sketch, convolutions, condition, output; side, times, schedule });

impl Denoiser {
    /// Creates a network for square images.
    pub fn new(side: usize, classes: usize, schedule: NoiseSchedule, rng: &mut impl Rng) -> Self {
        let pixels = side * side;
        let convolution = |inputs, outputs, init, rng: &mut _| Conv2d::new(inputs, outputs, 3, init, rng).padding(1);
        Denoiser {
            side,
            times: sinusoidal_positions(schedule.steps() + 1, CONDITION),
            time: [(); 2].map(|()| Linear::new(CONDITION, CONDITION, Init::He, rng)).into(),
            classes: Embedding::new(classes + 1, CONDITION, Init::Normal(1.0), rng),
            input: Linear::new(pixels, WIDTH, Init::Xavier, rng),
            blocks: [(); 2].map(|()| Block::new(rng)),
            norm: LayerNorm::new([WIDTH]),
            sketch: Linear::new(WIDTH, SKETCHES * pixels, Init::Xavier, rng),
            convolutions: [SKETCHES + 1, CHANNELS].map(|inputs| convolution(inputs, CHANNELS, Init::He, rng)),
            condition: Linear::new(CONDITION, CHANNELS, Init::Xavier, rng),
            output: convolution(CHANNELS, 1, Init::Constant(0.0), rng),
            schedule,
        }
    }

    /// The class of images of no class in particular.
    pub fn unknown(&self) -> usize {
        self.classes.weight.shape()[0] - 1
    }

    /// The noise in images `[n, pixels]` with the given time steps and classes, in the same shape.
    pub fn forward(&self, x: &Var, steps: &[usize], classes: &[usize]) -> Var {
        let time = self.time.0.forward(&x.constant(self.times.rows(steps))).silu();
        let condition = (self.time.1.forward(&time) + self.classes.forward(x.tape(), classes)).silu();
        let h = self.blocks.iter().fold(self.input.forward(x), |h, block| block.forward(&h, &condition));
        let sketches = self.sketch.forward(&self.norm.forward(&h).silu());
        let images = Var::concat(&[x, &sketches], 1).reshape([steps.len(), SKETCHES + 1, self.side, self.side]);
        let channels = self.condition.forward(&condition).unsqueeze(-1).unsqueeze(-1);
        let h = (self.convolutions[0].forward(&images) + channels).silu();
        let h = (&h + self.convolutions[1].forward(&h)).silu();
        // What is known of the noise without a look at the image as a whole, and what the network adds.
        let output = self.output.forward(&h).flatten(1, -1);
        x * self.schedule.noise.rows(steps) + output * self.schedule.signal.rows(steps)
    }
}
