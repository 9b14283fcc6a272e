//! Variational autoencoder: a plane of two numbers from which digits are drawn.
//!
//! `cargo run --release --example 21_vae` trains the model of Kingma and Welling (2014, "Auto-Encoding Variational Bayes") on images of
//! black and white pixels. The encoder gives a normal distribution of the two numbers, the decoder the probability of each pixel.
//! The example shows
//! - the evidence lower bound of test images, with its two terms, beside a model of independent pixels,
//! - a tighter bound, by importance sampling,
//! - that the codes of all images together are distributed almost as the numbers that new digits are drawn from,
//! - the plane: encoded test images, and digits decoded at the points of a grid.

mod support {
    pub mod command;
    pub mod figure;
    pub mod image;
    pub mod marks;
    pub mod mlp;
    pub mod style;
}

use plotters::prelude::*;
use std::f64::consts::LN_2;
use std::time::Instant;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::image::image;
use support::marks::{draw_legend, mark};
use support::mlp::Mlp;
use support::style::FONT;
use wengert::data::{ImageBatch, Images, mnist};
use wengert::metrics::Mean;
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;

const PIXELS: usize = 784;
/// Numbers that an image is encoded in.
const CODE: usize = 2;
/// Images per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 64;
const SHARDS: usize = 2;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 0.002;
/// Test images for the tighter bound, and samples for each.
const BOUNDED: usize = 1000;
const SAMPLES: usize = 100;
/// The plane is drawn from −`PLANE` to `PLANE`, with [`POINTS`] test images.
const PLANE: f64 = 3.3;
const POINTS: usize = 2000;
/// Digits are decoded from −`EXTENT` to `EXTENT`, at [`GRID`] × [`GRID`] points.
const EXTENT: f64 = 2.0;
const GRID: usize = 11;

/// 784 → 256 → 128 → mean and logarithm of the variance of 2 numbers; 2 → 128 → 256 → 784.
struct Vae {
    encoder: Mlp,
    decoder: Mlp,
}
module!(Vae { encoder, decoder });

impl Vae {
    fn new(rng: &mut impl Rng) -> Self {
        let encoder = Mlp::new(&[PIXELS, 256, 128, 2 * CODE], rng);
        Vae { encoder, decoder: Mlp::new(&[CODE, 128, 256, PIXELS], rng) }
    }

    /// The approximate posterior distribution of the codes of images.
    fn encode(&self, images: &Var) -> Posterior {
        let parameters = self.encoder.forward(images).chunk(2, 1);
        let [mean, log_variance] = parameters.try_into().expect("two parts");
        Posterior { mean, log_variance }
    }

    /// The log odds of the pixels that codes stand for.
    fn decode(&self, codes: &Var) -> Var {
        self.decoder.forward(codes)
    }

    /// The logarithm of the probability of each image of black and white pixels, given its code: `[n]`.
    fn log_likelihood(&self, codes: &Var, images: &Tensor) -> Var {
        -self.decode(codes).bce_with_logits_loss(images, Reduction::None).sum_over(1)
    }
}

/// Independent normal distributions, `[n, 2]`.
struct Posterior {
    mean: Var,
    log_variance: Var,
}

impl Posterior {
    /// The reparameterization μ + σ ε: the noise is an input, so that the sample has gradients with respect to μ and σ.
    fn sample(&self, noise: &Tensor) -> Var {
        &self.mean + (&self.log_variance * 0.5).exp() * noise
    }

    /// The KL divergence from the standard normal distribution, `½ Σ (μ² + σ² − ln σ² − 1)`: `[n]`.
    fn divergence(&self) -> Var {
        (self.mean.square() + self.log_variance.exp() - &self.log_variance - 1.0).sum_over(1) * 0.5
    }

    /// `ln p(z) − ln q(z|x)` of samples z: `[n]`.
    fn log_ratio(&self, codes: &Var, noise: &Tensor) -> Var {
        (&self.log_variance + noise * noise - codes.square()).sum_over(1) * 0.5
    }
}

/// Images of black and white pixels, and the noise for one sample of the code of each.
struct Shard {
    images: Tensor,
    noise: Tensor,
}

impl Shard {
    /// Draws each pixel with its gray level as the probability (Salakhutdinov and Murray 2008): a new image each time.
    fn new(grays: &Tensor, rng: &mut impl Rng) -> Self {
        let thresholds = Tensor::<f32>::uniform(grays.shape(), 0.0, 1.0, rng);
        let images = grays.zip(&thresholds, |gray, threshold| if threshold < gray { 1.0 } else { 0.0 });
        Shard { images, noise: Tensor::randn([grays.shape()[0], CODE], rng) }
    }

    /// The terms of the evidence lower bound, means over the images: reconstruction and KL divergence.
    fn terms(&self, model: &Vae, tape: &Tape) -> [Var; 2] {
        let posterior = model.encode(&tape.constant(&self.images));
        let reconstruction = model.log_likelihood(&posterior.sample(&self.noise), &self.images);
        [reconstruction.mean(), posterior.divergence().mean()]
    }

    /// The evidence lower bound.
    fn bound(&self, model: &Vae, tape: &Tape) -> f32 {
        let [reconstruction, divergence] = self.terms(model, tape);
        (reconstruction - divergence).item()
    }
}

/// Maximizes the evidence lower bound.
fn train(images: &Images, test: &Shard, epochs: usize, rng: &mut impl Rng) -> Vae {
    let mut model = Vae::new(rng);
    let mut optimizer = Adam::new(LEARNING_RATE);
    let schedule = LinearRamp::new(LEARNING_RATE, epochs).start_factor(1.0).end_factor(0.0);
    println!("{} parameters; evidence lower bound in nats per image", model.parameter_count());
    println!("{:>8}  {:>8}  {:>8}  {:>8}", "epoch", "training", "test", "seconds");
    let start = Instant::now();
    for epoch in 0..epochs {
        optimizer.set_learning_rate(schedule.at(epoch));
        let mut mean = Mean::new();
        let mut batches = images.batches(SHARD).shuffled(rng).drop_last();
        loop {
            let batches = batches.by_ref().take(SHARDS);
            let shards: Vec<Shard> = batches.map(|batch| Shard::new(&batch.images, rng)).collect();
            let loss = |tape: &Tape, shard: &Shard| {
                let [reconstruction, divergence] = shard.terms(&model, tape);
                divergence - reconstruction
            };
            let Some((loss, gradients)) = parallel::gradients(rng, &shards, loss) else { break };
            mean.add(loss / shards.len() as f64);
            optimizer.step(&mut model, &gradients);
        }
        let (training, test) = (-mean.value(), test.bound(&model, &Tape::inference()));
        println!("{:>5}/{epochs}  {training:>8.2}  {test:>8.2}  {:>8.1}", epoch + 1, start.elapsed().as_secs_f64());
    }
    model
}

/// The bound of Burda, Grosse and Salakhutdinov (2016), the mean of `ln (1/k Σ p(x, z) / q(z|x))` over images, with k samples z of q.
fn importance_weighted(model: &Vae, images: &Tensor, rng: &mut impl Rng) -> f32 {
    let tape = Tape::inference();
    let posterior = model.encode(&tape.constant(images));
    let log_weights = [(); SAMPLES].map(|()| {
        let noise = Tensor::randn([images.shape()[0], CODE], rng);
        let codes = posterior.sample(&noise);
        model.log_likelihood(&codes, images) + posterior.log_ratio(&codes, &noise)
    });
    (Var::stack(&log_weights, 0).logsumexp_over(0).mean() - (SAMPLES as f64).ln()).item()
}

/// The mean log-probability of images if pixels are independent, each as often black as among the training images.
fn independent_pixels(training: &Images, images: &Tensor) -> f32 {
    let black = training.batches(1000).map(|batch| batch.images.sum_over(0)).reduce(|a, b| a + b);
    let count = training.len() as f64;
    // Some pixels are never black in the training images, but their probability is not 0.
    let frequency = (black.expect("there are images") + 0.5) / (count + 1.0);
    let tape = Tape::inference();
    let probabilities = tape.constant(frequency.broadcast_to(images.shape()));
    -probabilities.bce_loss(images, Reduction::Sum).item() / images.shape()[0] as f32
}

fn main() -> Outcome {
    start(include_str!("21_vae.rs"), []);
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (train_set, epochs) = if quick() { (train_set.take(3000), 2) } else { (train_set, 12) };
    let mut rng = wengert::rng(0);
    let test_set = if quick() { test_set.take(BOUNDED) } else { test_set };
    let ImageBatch { images: grays, labels } = test_set.all();
    let test = Shard::new(&grays, &mut rng);

    let model = train(&train_set, &test, epochs, &mut rng);
    let tape = Tape::inference();
    let [reconstruction, divergence] = test.terms(&model, &tape).map(|term| term.item());
    let [some, noise] = [&test.images, &test.noise].map(|all| all.slice(0, ..BOUNDED as isize));
    let some = Shard { images: some, noise };
    let bounds = [some.bound(&model, &tape), importance_weighted(&model, &some.images, &mut rng)];
    println!("\nnats per image, {} test images", labels.len());
    println!("independent pixels    {:>8.2}", independent_pixels(&train_set, &test.images));
    println!("evidence lower bound  {:>8.2}", reconstruction - divergence);
    println!("  reconstruction      {reconstruction:>8.2}");
    println!("  KL divergence       {divergence:>8.2}, {:.1} bits in the code", f64::from(divergence) / LN_2);
    println!("the first {BOUNDED} of them: {:.2} with one sample, {:.2} with {SAMPLES}", bounds[0], bounds[1]);

    let posterior = model.encode(&tape.constant(&test.images));
    let codes = posterior.sample(&test.noise).value().clone();
    let mean = codes.mean_over(0);
    let deviation = (&codes - &mean).map(|offset| offset * offset).mean_over(0).sqrt();
    println!("\ncodes of all test images together, and the distribution that new ones are drawn from");
    println!("means                {:>5.2} {:>5.2}    0", mean[[0]], mean[[1]]);
    println!("standard deviations  {:>5.2} {:>5.2}    1\n", deviation[[0]], deviation[[1]]);
    draw(&model, posterior.mean.value(), &labels)
}

/// Draws test images at the means of their codes, and the digits that the points of a grid stand for.
fn draw(model: &Vae, codes: &Tensor, labels: &[usize]) -> Outcome {
    figure("21_vae", "A variational autoencoder: the plane of two numbers", (1300, 740), |area| {
        let (left, right) = area.split_horizontally(640);
        let (legend, plane) = left.split_vertically(34);
        draw_legend(&legend, 60)?;
        draw_plane(&plane, codes, labels)?;
        draw_grid(&right, model)
    })
}

fn draw_plane(area: &Canvas, codes: &Tensor, labels: &[usize]) -> Outcome {
    let range = -PLANE..PLANE;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(range.clone(), range.clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .x_desc("first number")
        .y_desc("second number")
        .draw()?;
    let points = codes.as_slice().as_chunks().0.iter().map(|point: &[f32; 2]| point.map(f64::from));
    let points = points.zip(labels).take(POINTS).filter(|([x, y], _)| range.contains(x) && range.contains(y));
    chart.draw_series(points.map(|([x, y], &label)| mark(label, (x, y), 2)))?;
    let frame = Rectangle::new([(-EXTENT, -EXTENT), (EXTENT, EXTENT)], BLACK.mix(0.5));
    chart.draw_series([frame])?;
    Ok(())
}

fn draw_grid(area: &Canvas, model: &Vae) -> Outcome {
    const SCALE: i32 = 2;
    const SIDE: i32 = 28 * SCALE;
    let along = Tensor::linspace(-EXTENT, EXTENT, GRID);
    let codes: Vec<f32> = along.iter().rev().flat_map(|&y| along.iter().flat_map(move |&x| [x, y])).collect();
    let codes = Tape::inference().constant(Tensor::from_vec(codes, [GRID * GRID, CODE]));
    let digits = model.decode(&codes).sigmoid();
    let caption = format!("digits decoded from −{EXTENT} to {EXTENT}, the frame on the left");
    area.draw(&Text::new(caption, (10, 10), (FONT, 18)))?;
    for (at, pixels) in (0..).zip(digits.value().as_slice().chunks(PIXELS)) {
        let corner = (10 + at % GRID as i32 * SIDE, 40 + at / GRID as i32 * SIDE);
        image(area, corner, SCALE, 28, pixels)?;
    }
    Ok(())
}
