//! Autoencoder: images of 784 pixels squeezed through two numbers and drawn again from these.
//!
//! `cargo run --release --example 14_autoencoder` shows
//! - the plane of the two numbers, in which the digits lie apart though nobody told the network what they are,
//! - images as they are drawn from their two numbers,
//! - the same by principal component analysis (PCA), the best that can be done without a nonlinearity.

mod common;
#[path = "common/digit.rs"]
mod digit;

use common::{COLOURS, Canvas, FONT, Outcome, figure, quick};
use digit::digit;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use wengert::data::{ImageBatch, Images, mnist, one_hot};
use wengert::metrics::{Mean, accuracy};
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;

const PIXELS: usize = 784;
/// A batch is two shards of this many images, whose gradients are computed side by side.
const SHARD: usize = 64;
const SHARDS: usize = 2;
/// Where the learning rate begins; it falls to 0.
const LEARNING_RATE: f64 = 0.002;
/// The weight of the squared codes in the loss, without which some digits wander far off.
const SMALL: f64 = 1e-3;
/// How many test images are drawn in the planes.
const POINTS: usize = 1000;

/// 784 → 128 → 128 → 2 → 128 → 128 → 784.
struct Autoencoder {
    encoder: Vec<Linear>,
    decoder: Vec<Linear>,
}
module!(Autoencoder { encoder, decoder });

impl Autoencoder {
    fn new(rng: &mut impl Rng) -> Self {
        let mut layers = |sizes: [usize; 4]| -> Vec<Linear> {
            sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect()
        };
        Autoencoder { encoder: layers([PIXELS, 128, 128, 2]), decoder: layers([2, 128, 128, PIXELS]) }
    }

    /// The two numbers `[n, 2]` of images.
    fn encode(&self, images: &Var) -> Var {
        through(&self.encoder, images)
    }

    /// Images from their two numbers: each pixel between 0 and 1.
    fn decode(&self, codes: &Var) -> Var {
        through(&self.decoder, codes).sigmoid()
    }
}

/// Layers with ReLU between them.
fn through(layers: &[Linear], x: &Var) -> Var {
    let (first, rest) = layers.split_first().expect("at least one layer");
    rest.iter().fold(first.forward(x), |h, layer| layer.forward(&h.relu()))
}

/// Trains an autoencoder: the image itself is the target.
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
                error + codes.square().mean() * SMALL
            };
            let Some((loss, gradients)) = parallel::gradients(&mut rng, &batch, loss) else { break };
            mean.add(loss / batch.len() as f64);
            optimizer.step(&mut model, &gradients);
        }
        println!("epoch {:>2}/{epochs}  loss {:.4}", epoch + 1, mean.value());
    }
    model
}

/// Principal component analysis: the two directions in which images differ most.
struct Pca {
    mean: Tensor,
    /// Orthogonal columns of length 1: `[784, 2]`.
    directions: Tensor,
}

impl Pca {
    /// Orthogonal iteration: multiplying by the covariance turns any two directions towards those of the largest variance.
    fn new(images: &Images) -> Self {
        let mut mean = Tensor::zeros([PIXELS]);
        for batch in images.batches(1000) {
            mean += &(batch.images.sum_over(0) / images.len() as f64);
        }
        let mut covariance = Tensor::zeros([PIXELS, PIXELS]);
        for batch in images.batches(1000) {
            let centred = batch.images - &mean;
            covariance += &(centred.transpose(0, 1).matmul(&centred) / images.len() as f64);
        }
        let mut directions = Tensor::randn([PIXELS, 2], &mut wengert::rng(0));
        for _ in 0..100 {
            directions = orthonormal(&covariance.matmul(&directions));
        }
        Pca { mean, directions }
    }

    fn encode(&self, images: &Tensor) -> Tensor {
        (images - &self.mean).matmul(&self.directions)
    }

    fn decode(&self, codes: &Tensor) -> Tensor {
        codes.matmul(&self.directions.transpose(0, 1)) + &self.mean
    }
}

/// Two columns, turned and scaled to be orthogonal and of length 1: Gram and Schmidt.
fn orthonormal(columns: &Tensor) -> Tensor {
    let rows = columns.transpose(0, 1);
    let unit = |row: Tensor| {
        let length = row.map(|x| x * x).sum().item().sqrt();
        row / f64::from(length)
    };
    let [first, second] = [0, 1].map(|row| rows.rows(&[row]));
    let first = unit(first);
    let along = (&first * &second).sum();
    let second = unit(second - &first * along);
    Tensor::from_vec([first.to_vec(), second.to_vec()].concat(), [2, PIXELS]).transpose(0, 1)
}

/// What one of the two ways makes of the test images.
struct View {
    name: &'static str,
    /// `[n, 2]`.
    codes: Tensor,
    /// `[n, 784]`, drawn from the codes.
    images: Tensor,
}

impl View {
    /// The mean of the squared errors of the pixels of some images.
    fn error(&self, originals: &Tensor) -> f64 {
        squared_error(&self.images, originals)
    }

    /// The centre of each digit in the plane: `[10, 2]`.
    fn centres(&self, labels: &[usize]) -> Tensor {
        let is_digit = one_hot(labels, 10).transpose(0, 1);
        is_digit.matmul(&self.codes) / is_digit.sum_over(keepdim(1))
    }

    /// How often the nearest centre is that of the right digit.
    fn nearest_centre(&self, labels: &[usize]) -> f64 {
        let n = labels.len();
        let away = self.codes.reshape([n, 1, 2]) - self.centres(labels).reshape([1, 10, 2]);
        accuracy(&-away.map(|x| x * x).sum_over(2), labels)
    }
}

fn squared_error(a: &Tensor, b: &Tensor) -> f64 {
    f64::from((a - b).map(|error| error * error).mean().item())
}

fn main() -> Outcome {
    let (train_set, test_set) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
    let (train_set, epochs) = if quick() { (train_set.take(3000), 2) } else { (train_set, 8) };
    let test = test_set.all();

    let model = train(&train_set, epochs);
    let tape = Tape::inference();
    let codes = model.encode(&tape.constant(&test.images));
    let autoencoder =
        View { name: "autoencoder", images: model.decode(&codes).value().clone(), codes: codes.value().clone() };
    let analysis = Pca::new(&train_set);
    let codes = analysis.encode(&test.images);
    let pca = View { name: "PCA", images: analysis.decode(&codes), codes };

    let mean = analysis.mean.broadcast_to(test.images.shape());
    println!(
        "\n{} test images            squared error of a pixel  nearest centre is the right digit's",
        test.labels.len()
    );
    println!("always the mean image        {:.4}", squared_error(&mean, &test.images));
    for view in [&pca, &autoencoder] {
        let (error, nearest) = (view.error(&test.images), view.nearest_centre(&test.labels));
        println!("two numbers by {:<12}  {error:.4}                    {nearest:.3}", view.name);
    }
    figure("14_autoencoder", "MNIST in two numbers", (1240, 1080), |area| draw(area, &test, [&autoencoder, &pca]))
}

/// The planes above, and below the first image of each digit: as it is, and from its two numbers.
fn draw(area: &Canvas, test: &ImageBatch, views: [&View; 2]) -> Outcome {
    let (top, rows) = area.split_vertically(590);
    let (legend, planes) = top.split_vertically(30);
    draw_legend(&legend)?;
    for (plane, view) in planes.split_evenly((1, 2)).iter().zip(views) {
        draw_plane(plane, view, &test.labels)?;
    }
    let [originals, first, second] = &rows.split_evenly((3, 1))[..] else { unreachable!("three rows") };
    draw_row(originals, ["digit", "original"], &test.images, test)?;
    draw_row(first, ["squared error", views[0].name], &views[0].images, test)?;
    draw_row(second, ["squared error", views[1].name], &views[1].images, test)
}

/// A digit's mark: five colours that stay apart for the colour-blind, as a dot up to 4 and as a triangle from 5 on.
fn mark<'a, Point: Clone + 'static>(digit: usize, at: Point, size: i32) -> DynElement<'static, SVGBackend<'a>, Point> {
    let style = COLOURS[digit % 5].filled();
    if digit < 5 {
        Circle::new(at, size, style).into_dyn()
    } else {
        TriangleMarker::new(at, size + 1, style).into_dyn()
    }
}

fn draw_legend(area: &Canvas) -> Outcome {
    for number in 0..10 {
        let x = 330 + 60 * number as i32;
        area.draw(&mark(number, (x, 17), 5))?;
        area.draw(&Text::new(number.to_string(), (x + 10, 8), (FONT, 18)))?;
    }
    Ok(())
}

/// Test images where their two numbers are, and each digit at the centre of its images.
fn draw_plane(area: &Canvas, view: &View, labels: &[usize]) -> Outcome {
    let point = |row: usize| (view.codes[[row, 0]], view.codes[[row, 1]]);
    let (low, high) = (view.codes.min_over(0), view.codes.max_over(0));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}: two numbers for each image", view.name), (FONT, 18))
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
    for (digit, place) in apart((view.centres(labels) - &low) / &size).into_iter().enumerate() {
        let place = EmptyElement::at((low[[0]] + place[0] * size[[0]], low[[1]] + place[1] * size[[1]]));
        let plate = Circle::new((0, 0), 13, WHITE.mix(0.8).filled());
        chart.draw_series([place + plate + Text::new(digit.to_string(), (0, 0), style.clone())])?;
    }
    Ok(())
}

/// Places in the unit square, moved away from one another until no name there hides another.
fn apart(places: Tensor) -> Vec<[f32; 2]> {
    const NEAREST: f32 = 0.055;
    let mut places = places.as_slice().as_chunks().0.to_vec();
    for _ in 0..100 {
        for (a, b) in (0..places.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let away: [f32; 2] = [0, 1].map(|k| places[a][k] - places[b][k]);
            let distance = away[0].hypot(away[1]).max(1e-6);
            let push = (NEAREST - distance).max(0.0) / (2.0 * distance);
            places[a] = [0, 1].map(|k| places[a][k] + push * away[k]);
            places[b] = [0, 1].map(|k| places[b][k] - push * away[k]);
        }
    }
    places
}

/// The first test image of each digit as a view has it, with its squared error.
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
