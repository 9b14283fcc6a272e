//! Diffusion: digits drawn from noise, by a network that removes a little of it at a time.
//!
//! `cargo run --release --example 22_diffusion` trains the model of Ho, Jain and Abbeel (2020, "Denoising Diffusion Probabilistic
//! Models") on MNIST at 14 × 14 pixels. Noise is added to images in many small steps, and the network learns to find it. Starting from
//! noise alone and removing it step by step draws new digits, of the class that is asked for. The example shows
//! - the error of the noise found in test images, by the amount of noise,
//! - that a classifier recognizes the digits, and more of them with guidance (Ho and Salimans 2022, "Classifier-Free Diffusion
//!   Guidance"), which makes them less varied,
//! - digits on their way from noise, and digits with and without guidance.

mod support {
    pub mod command;
    pub mod denoiser;
    pub mod evaluate;
    pub mod figure;
    pub mod image;
    pub mod lines;
    pub mod mlp;
    pub mod noise;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use std::time::Instant;
use support::command::start;
use support::denoiser::Denoiser;
use support::evaluate::evaluate;
use support::figure::{Canvas, Outcome, figure, quick};
use support::image::image;
use support::lines::{Line, lines};
use support::mlp::Mlp;
use support::noise::NoiseSchedule;
use support::style::FONT;
use wengert::Generator;
use wengert::data::{ImageBatch, Images, mnist};
use wengert::metrics::{Mean, accuracy};
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;

const SIDE: usize = 14;
const PIXELS: usize = SIDE * SIDE;
const CLASSES: usize = 10;
/// Steps from an image to noise.
const STEPS: usize = 100;
/// Images per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 64;
const SHARDS: usize = 2;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 2e-3;
/// The fraction of training images whose class is withheld.
const UNKNOWN: f64 = 0.1;
/// Weights of guidance: the estimate of the noise is moved by that much from the one without a class.
const GUIDANCE: [f64; 3] = [0.0, 1.0, 3.0];
/// The weight of those in the figure, the last.
const DRAWN: usize = 2;
/// Number of digits of each class in the figure, and of stages of one on its way from noise.
const COLUMNS: usize = 8;

/// Images with noise, the noise, and what the network is told.
struct Shard {
    noisy: Tensor,
    noise: Tensor,
    steps: Vec<usize>,
    classes: Vec<usize>,
}

impl Shard {
    fn new(batch: ImageBatch, steps: Vec<usize>, schedule: &NoiseSchedule, rng: &mut impl Rng) -> Self {
        let noise = Tensor::randn(batch.images.shape(), rng);
        Shard { noisy: schedule.noisy(&batch.images, &noise, &steps), noise, steps, classes: batch.labels }
    }

    /// The mean squared error of the noise.
    fn loss(&self, model: &Denoiser, tape: &Tape) -> Var {
        let found = model.forward(&tape.constant(&self.noisy), &self.steps, &self.classes);
        found.mse_loss(&self.noise, Reduction::Mean)
    }
}

/// Images at half the width and height, with pixels from −1 to 1.
fn halved(images: &Images) -> Images {
    let mut pixels = Vec::with_capacity(images.len() * PIXELS);
    for batch in images.batches(1000) {
        let small = batch.images.reshape([-1, SIDE as isize, 2, SIDE as isize, 2]).mean_over([2, 4]);
        pixels.extend(small.iter().map(|gray| (255.0 * gray).round() as u8));
    }
    Images::new(pixels, images.labels().to_vec(), [SIDE, SIDE]).normalize(0.5, 0.5)
}

/// Trains the network to find the noise.
fn train(images: &Images, epochs: usize, rng: &mut impl Rng) -> Denoiser {
    let mut model = Denoiser::new(SIDE, CLASSES, NoiseSchedule::new(STEPS), rng);
    let mut optimizer = Adam::new(LEARNING_RATE);
    let ramp = LinearRamp::new(LEARNING_RATE, epochs).start_factor(1.0).end_factor(0.0);
    println!("{} parameters; mean squared error of the noise", model.parameter_count());
    let start = Instant::now();
    for epoch in 0..epochs {
        optimizer.set_learning_rate(ramp.at(epoch));
        let mut mean = Mean::new();
        let mut batches = images.batches(SHARD).shuffled(rng);
        loop {
            let mut shards = Vec::new();
            for mut batch in batches.by_ref().take(SHARDS) {
                let steps = batch.labels.iter().map(|_| rng.random_range(1..=STEPS)).collect();
                let withheld = batch.labels.iter_mut().filter(|_| rng.random_bool(UNKNOWN));
                withheld.for_each(|label| *label = model.unknown());
                shards.push(Shard::new(batch, steps, &model.schedule, rng));
            }
            let loss = |tape: &Tape, shard: &Shard| shard.loss(&model, tape);
            let Some((loss, gradients)) = parallel::gradients(rng, &shards, loss) else { break };
            mean.add(loss / shards.len() as f64);
            optimizer.step(&mut model, &gradients);
        }
        println!("epoch {:>2}/{epochs}  {:.4}  {:>5.1} s", epoch + 1, mean.value(), start.elapsed().as_secs_f64());
    }
    model
}

/// Draws an image of each class asked for, starting from noise; `watch` sees them at each step.
fn draw_images(
    model: &Denoiser,
    classes: &[usize],
    guidance: f64,
    rng: &mut impl Rng,
    mut watch: impl FnMut(usize, &Tensor),
) -> Tensor {
    let mut x = Tensor::randn([classes.len(), PIXELS], rng);
    for step in (1..=STEPS).rev() {
        watch(step, &x);
        let find = |classes: &[usize]| {
            let tape = Tape::inference();
            model.forward(&tape.constant(&x), &vec![step; classes.len()], classes).value().clone()
        };
        let mut noise = find(classes);
        if guidance > 0.0 {
            noise = &noise * (1.0 + guidance) - find(&vec![model.unknown(); classes.len()]) * guidance;
        }
        x = model.schedule.back(&x, &noise, step, rng);
    }
    watch(0, &x);
    x
}

fn train_classifier(images: &Images, epochs: usize, rng: &mut impl Rng) -> Mlp {
    let mut model = Mlp::new(&[PIXELS, 128, CLASSES], rng);
    let mut optimizer = Adam::new(3e-3);
    for _ in 0..epochs {
        for batch in images.batches(128).shuffled(rng) {
            let tape = Tape::training(rng);
            let loss = model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
            optimizer.step(&mut model, &loss.backward());
        }
    }
    model
}

/// The standard deviation of the pixels within each class, root mean square.
fn variety(images: &Tensor, classes: &[usize]) -> f64 {
    let mut variance = Mean::new();
    for class in 0..CLASSES {
        let of_class: Vec<usize> = (0..classes.len()).filter(|&row| classes[row] == class).collect();
        let images = images.rows(&of_class);
        let offsets = &images - images.mean_over(keepdim(0));
        variance.add((&offsets * &offsets).mean().item());
    }
    variance.value().sqrt()
}

fn main() -> Outcome {
    start(include_str!("22_diffusion.rs"), []);
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (count, epochs, per_class) = if quick() { (1000, 1, COLUMNS) } else { (60000, 3, 20) };
    let (train_set, test_set) = (halved(&train_set.take(count)), halved(&test_set));
    let mut rng = wengert::rng(0);
    let model = train(&train_set, epochs, &mut rng);
    let errors = report_errors(&model, &test_set.clone().take(count / 30), &mut rng);

    let classifier = train_classifier(&train_set, 4, &mut rng);
    let test = test_set.all();
    println!("\n{:<14}  {:>10}  {:>19}  {:>7}", "", "recognized", "deviation in class", "seconds");
    let recognized = evaluate(&test_set, |x| classifier.forward(x)).1;
    println!("{:<14}  {recognized:>10.3}  {:>19.3}", "test images", variety(&test.images, &test.labels));
    // The first of each class come first.
    let classes: Vec<usize> = (0..per_class * CLASSES).map(|row| row % CLASSES).collect();
    let mut stages = Vec::new();
    let drawn = GUIDANCE.map(|guidance| {
        let begin = Instant::now();
        let mut rng = wengert::rng(1);
        stages.clear();
        let watch = |step: usize, x: &Tensor| {
            if step.is_multiple_of(STEPS / (COLUMNS - 1)) {
                stages.push(x.slice(0, ..CLASSES as isize));
            }
        };
        let images = draw_images(&model, &classes, guidance, &mut rng, watch);
        let scores = classifier.forward(&Tape::inference().constant(&images));
        let recognized = accuracy(scores.value(), &classes);
        let (variety, seconds) = (variety(&images, &classes), begin.elapsed().as_secs_f64());
        println!("guidance {guidance:<5}  {recognized:>10.3}  {variety:>19.3}  {seconds:>7.1}");
        images
    });
    let [plain, guided] = [0, DRAWN].map(|k| &drawn[k]);
    println!();
    draw(errors, &stages, plain, guided)
}

/// Prints the error of the noise found in test images; returns it by step.
fn report_errors(model: &Denoiser, test: &Images, rng: &mut Generator) -> Line {
    let mut error = |draw: &dyn Fn(&mut Generator) -> usize| {
        let mut mean = Mean::new();
        for batch in test.batches(1000) {
            let steps = batch.labels.iter().map(|_| draw(rng)).collect();
            mean.add(Shard::new(batch, steps, &model.schedule, rng).loss(model, &Tape::inference()).item());
        }
        mean.value()
    };
    println!("\ntest images: {:.4} on average", error(&|rng| rng.random_range(1..=STEPS)));
    println!("{:>6}  {:>14}  {:>8}", "step", "variance left", "error");
    let steps = [1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
    let errors = steps.map(|step| (step, error(&|_| step)));
    for (step, error) in errors {
        println!("{step:>6}  {:>14.4}  {error:>8.4}", model.schedule.left[step]);
    }
    Line { label: "test images".into(), points: errors.map(|(step, error)| (step as f64, error)).to_vec() }
}

fn draw(errors: Line, stages: &[Tensor], plain: &Tensor, guided: &Tensor) -> Outcome {
    figure("22_diffusion", "Digits drawn from noise", (1520, 520), |area| {
        let panels = area.split_evenly((1, 4));
        let axes = ("step", "mean squared error");
        lines(&panels[0], "error of the noise found", axes, Some(0.0..1.0), &[errors])?;
        panel(&panels[1], "on the way from noise", |row, column| stages[column].rows(&[row]))?;
        let digit = |images: &Tensor, class: usize, column: usize| images.rows(&[column * CLASSES + class]);
        panel(&panels[2], "without guidance", |row, column| digit(plain, row, column))?;
        panel(&panels[3], &format!("with guidance {}", GUIDANCE[DRAWN]), |row, column| digit(guided, row, column))
    })
}

/// Draws a row of images for each class.
fn panel(area: &Canvas, caption: &str, pixels: impl Fn(usize, usize) -> Tensor) -> Outcome {
    const SCALE: i32 = 3;
    const CELL: i32 = SIDE as i32 * SCALE + 2;
    area.draw(&Text::new(caption, (14, 10), (FONT, 18)))?;
    for (row, column) in (0..CLASSES).flat_map(|row| (0..COLUMNS).map(move |column| (row, column))) {
        let corner = (14 + column as i32 * CELL, 40 + row as i32 * CELL);
        image(area, corner, SCALE, SIDE, (pixels(row, column) * 0.5 + 0.5).as_slice())?;
    }
    Ok(())
}
