//! Autoencoder: images of 784 pixels encoded as two numbers and reconstructed from them.
//!
//! `cargo run --release --example 14_autoencoder` shows
//! - the plane of the two numbers, in which the digits form clusters although training uses no labels,
//! - images reconstructed from their two numbers,
//! - the same for principal component analysis (PCA), the best linear encoding.

mod support {
    pub mod command;
    pub mod digit;
    pub mod figure;
    pub mod image;
    pub mod marks;
    pub mod mlp;
    pub mod pca;
    pub mod style;
}

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use support::command::start;
use support::digit::digit;
use support::figure::{Canvas, Outcome, figure, quick};
use support::marks::{draw_legend, mark};
use support::mlp::Mlp;
use support::pca::Pca;
use support::style::FONT;
use wengert::data::{ImageBatch, Images, mnist, one_hot};
use wengert::metrics::{Mean, accuracy};
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;

const PIXELS: usize = 784;
/// Images per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 64;
const SHARDS: usize = 2;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 0.002;
/// Weight of the squared codes in the loss, without which some digits drift far out.
const CODE_PENALTY: f64 = 1e-3;
/// Number of test images drawn in each plane.
const POINTS: usize = 1000;

/// 784 → 128 → 128 → 2 → 128 → 128 → 784.
struct Autoencoder {
    encoder: Mlp,
    decoder: Mlp,
}
module!(Autoencoder { encoder, decoder });

impl Autoencoder {
    fn new(rng: &mut impl Rng) -> Self {
        let encoder = Mlp::new(&[PIXELS, 128, 128, 2], rng);
        Autoencoder { encoder, decoder: Mlp::new(&[2, 128, 128, PIXELS], rng) }
    }

    /// The codes `[n, 2]` of images.
    fn encode(&self, images: &Var) -> Var {
        self.encoder.forward(images)
    }

    /// The images that codes stand for, with pixels between 0 and 1.
    fn decode(&self, codes: &Var) -> Var {
        self.decoder.forward(codes).sigmoid()
    }
}

/// Trains an autoencoder, with the image itself as the target.
fn train(images: &Images, epochs: usize) -> Autoencoder {
    let mut rng = wengert::rng(0);
    let mut model = Autoencoder::new(&mut rng);
    let mut optimizer = Adam::new(LEARNING_RATE);
    let schedule = LinearRamp::new(LEARNING_RATE, epochs).start_factor(1.0).end_factor(0.0);
    for epoch in 0..epochs {
        optimizer.set_learning_rate(schedule.at(epoch));
        let mut shards = images.batches(SHARD).shuffled(&mut rng);
        let mut mean = Mean::new();
        loop {
            let batch: Vec<ImageBatch> = shards.by_ref().take(SHARDS).collect();
            let loss = |tape: &Tape, shard: &ImageBatch| {
                let x = tape.constant(&shard.images);
                let codes = model.encode(&x);
                let error = model.decode(&codes).mse_loss(&x, Reduction::Mean);
                error + codes.square().mean() * CODE_PENALTY
            };
            let Some((loss, gradients)) = parallel::gradients(&mut rng, &batch, loss) else { break };
            mean.add(loss / batch.len() as f64);
            optimizer.step(&mut model, &gradients);
        }
        println!("epoch {:>2}/{epochs}  loss {:.4}", epoch + 1, mean.value());
    }
    model
}

/// The test images as one of the two methods encodes and reconstructs them.
struct View {
    name: &'static str,
    /// `[n, 2]`.
    codes: Tensor,
    /// `[n, 784]`, reconstructed from the codes.
    images: Tensor,
}

impl View {
    /// The mean squared error of the pixels.
    fn error(&self, originals: &Tensor) -> f64 {
        squared_error(&self.images, originals)
    }

    /// The center of each digit in the plane: `[10, 2]`.
    fn centers(&self, labels: &[usize]) -> Tensor {
        let is_digit = one_hot(labels, 10).transpose(0, 1);
        is_digit.matmul(&self.codes) / is_digit.sum_over(keepdim(1))
    }

    /// The accuracy of classifying by the nearest center.
    fn nearest_center(&self, labels: &[usize]) -> f64 {
        let n = labels.len();
        let offsets = self.codes.reshape([n, 1, 2]) - self.centers(labels).reshape([1, 10, 2]);
        accuracy(&-offsets.map(|x| x * x).sum_over(2), labels)
    }
}

fn squared_error(a: &Tensor, b: &Tensor) -> f64 {
    f64::from((a - b).map(|error| error * error).mean().item())
}

fn main() -> Outcome {
    start(include_str!("14_autoencoder.rs"), []);
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (train_set, epochs) = if quick() { (train_set.take(3000), 2) } else { (train_set, 8) };
    let test = test_set.all();

    let model = train(&train_set, epochs);
    let tape = Tape::inference();
    let codes = model.encode(&tape.constant(&test.images));
    let autoencoder =
        View { name: "autoencoder", images: model.decode(&codes).value().clone(), codes: codes.value().clone() };
    let analysis = Pca::new(|| train_set.batches(1000).map(|batch| batch.images));
    let codes = analysis.encode(&test.images);
    let pca = View { name: "PCA", images: codes.matmul(&analysis.directions.transpose(0, 1)) + &analysis.mean, codes };

    let mean = analysis.mean.broadcast_to(test.images.shape());
    println!("\n{} test images            mean squared error        accuracy by nearest center", test.labels.len());
    println!("mean image                   {:.4}", squared_error(&mean, &test.images));
    for view in [&pca, &autoencoder] {
        let (error, nearest) = (view.error(&test.images), view.nearest_center(&test.labels));
        println!("two numbers by {:<12}  {error:.4}                    {nearest:.3}", view.name);
    }
    figure("14_autoencoder", "MNIST in two dimensions", (1240, 1080), |area| draw(area, &test, [&autoencoder, &pca]))
}

/// Draws the planes, and below them the first image of each digit, original and reconstructed.
fn draw(area: &Canvas, test: &ImageBatch, views: [&View; 2]) -> Outcome {
    let (top, rows) = area.split_vertically(590);
    let (legend, planes) = top.split_vertically(30);
    draw_legend(&legend, 330)?;
    for (plane, view) in planes.split_evenly((1, 2)).iter().zip(views) {
        draw_plane(plane, view, &test.labels)?;
    }
    let [originals, first, second] = &rows.split_evenly((3, 1))[..] else { unreachable!("three rows") };
    draw_row(originals, ["digit", "original"], &test.images, test)?;
    draw_row(first, ["squared error", views[0].name], &views[0].images, test)?;
    draw_row(second, ["squared error", views[1].name], &views[1].images, test)
}

/// Draws test images at their codes, and the label of each digit at its center.
fn draw_plane(area: &Canvas, view: &View, labels: &[usize]) -> Outcome {
    let point = |row: usize| (view.codes[[row, 0]], view.codes[[row, 1]]);
    let (low, high) = (view.codes.min_over(0), view.codes.max_over(0));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}: two numbers per image", view.name), (FONT, 18))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(low[[0]]..high[[0]], low[[1]]..high[[1]])?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .x_desc("first number")
        .y_desc("second number")
        .draw()?;
    chart.draw_series((0..labels.len().min(POINTS)).map(|row| mark(labels[row], point(row), 2)))?;
    let size = &high - &low;
    let style = (FONT, 24).into_font().into_text_style(area).pos(Pos::new(HPos::Center, VPos::Center));
    for (digit, position) in spread_out((view.centers(labels) - &low) / &size).into_iter().enumerate() {
        let position = EmptyElement::at((low[[0]] + position[0] * size[[0]], low[[1]] + position[1] * size[[1]]));
        let background = Circle::new((0, 0), 13, WHITE.mix(0.8).filled());
        chart.draw_series([position + background + Text::new(digit.to_string(), (0, 0), style.clone())])?;
    }
    Ok(())
}

/// Positions in the unit square, pushed apart until their labels do not overlap.
fn spread_out(positions: Tensor) -> Vec<[f32; 2]> {
    const MIN_DISTANCE: f32 = 0.055;
    let mut positions = positions.as_slice().as_chunks().0.to_vec();
    for _ in 0..100 {
        for (a, b) in (0..positions.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let offset: [f32; 2] = [0, 1].map(|k| positions[a][k] - positions[b][k]);
            let distance = offset[0].hypot(offset[1]).max(1e-6);
            let push = (MIN_DISTANCE - distance).max(0.0) / (2.0 * distance);
            positions[a] = [0, 1].map(|k| positions[a][k] + push * offset[k]);
            positions[b] = [0, 1].map(|k| positions[b][k] - push * offset[k]);
        }
    }
    positions
}

/// Draws the first test image of each digit as a view reconstructs it, with its squared error.
fn draw_row(area: &Canvas, [above, name]: [&str; 2], images: &Tensor, test: &ImageBatch) -> Outcome {
    let (left, right) = area.split_horizontally(110);
    left.draw(&Text::new(name, (10, 74), (FONT, 18)))?;
    left.draw(&Text::new(above, (10, 6), (FONT, 14)))?;
    for (number, cell) in right.split_evenly((1, 10)).iter().enumerate() {
        let row = test.labels.iter().position(|&label| label == number).expect("every digit is among the test images");
        let [image, original] = [images, &test.images].map(|images| images.rows(&[row]));
        let error = squared_error(&image, &original);
        let caption = if error > 0.0 { format!("{error:.3}") } else { number.to_string() };
        digit(cell, image.as_slice(), &caption)?;
    }
    Ok(())
}
