//! Filters of a convolutional network, and convolution as a matrix product.
//!
//! `cargo run --release --example 28_filters` trains one convolution of eight 5 × 5 filters and a linear layer on MNIST, and shows
//! - the filters before and after: from noise they turn into detectors of edges and strokes,
//! - where each responds to a digit,
//! - that a convolution is one matrix product of the filters and the windows of the image as columns (im2col), which take
//!   eighteen times the memory of the image.

mod support {
    pub mod command;
    pub mod evaluate;
    pub mod figure;
    pub mod style;
}

use plotters::prelude::*;
use std::time::Instant;
use support::command::start;
use support::evaluate::evaluate;
use support::figure::{Canvas, Outcome, figure, quick};
use support::style::{COLORS, FONT};
use wengert::data::{Images, mnist};
use wengert::prelude::*;

const FILTERS: usize = 8;
const SIZE: usize = 5;
const BATCH: usize = 100;

struct Network {
    filters: Conv2d,
    output: Linear,
}
module!(Network { filters, output });

impl Network {
    fn new(rng: &mut impl Rng) -> Self {
        let filters = Conv2d::new(1, FILTERS, [SIZE, SIZE], Init::He, rng);
        Network { filters, output: Linear::new(FILTERS * 12 * 12, 10, Init::He, rng) }
    }

    /// What each filter finds: `[n, filters, 24, 24]`.
    fn responses(&self, images: &Var) -> Var {
        self.filters.forward(&images.reshape([-1, 1, 28, 28])).relu()
    }

    /// The class scores `[n, 10]` of images `[n, 784]`.
    fn forward(&self, images: &Var) -> Var {
        self.output.forward(&self.responses(images).max_pool2d([2, 2]).flatten(1, -1))
    }

    fn accuracy(&self, images: &Images) -> f64 {
        evaluate(images, |x| self.forward(x)).1
    }
}

fn main() -> Outcome {
    start(include_str!("28_filters.rs"), []);
    let (train, test) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let (train, test) = if quick() { (train.take(2000), test.take(1000)) } else { (train, test) };
    let mut rng = wengert::rng(0);
    let mut network = Network::new(&mut rng);
    let before = network.filters.weight.value().clone();
    println!("{} images of MNIST, {} parameters", train.len(), network.parameter_count());
    println!("test accuracy before training {:.4}", network.accuracy(&test));
    let mut optimizer = Adam::new(0.002);
    for epoch in 1..=if quick() { 1 } else { 3 } {
        for batch in train.batches(BATCH).shuffled(&mut rng) {
            let tape = Tape::training(&mut rng);
            let loss = network.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
            optimizer.step(&mut network, &loss.backward());
        }
        println!("test accuracy after epoch {epoch}   {:.4}", network.accuracy(&test));
    }
    compare(&network, &test);

    let image = test.batch(&[0]).images;
    let responses = network.responses(&Tape::inference().constant(&image)).value().clone();
    let after = network.filters.weight.value().clone();
    figure(
        "28_filters",
        "Eight filters of a convolutional network: blue is positive, orange negative",
        (1000, 480),
        |area| {
            let rows = area.split_evenly((3, 1));
            draw_row(&rows[0], "before training", &before, SIZE, 20)?;
            draw_row(&rows[1], "after training", &after, SIZE, 20)?;
            draw_row(&rows[2], "responses to a 7", &responses, 24, 4)
        },
    )
}

/// Compares the convolution of a batch with the product of the filters and the windows as columns.
fn compare(network: &Network, test: &Images) {
    let tape = Tape::inference();
    let batch = test.batch(&(0..BATCH).collect::<Vec<_>>());
    let images = tape.constant(batch.images.reshape([BATCH, 1, 28, 28]));
    let weight = tape.param(&network.filters.weight);
    let start = Instant::now();
    let direct = images.conv2d(&weight, Conv::new());
    let direct_time = start.elapsed();
    let start = Instant::now();
    let columns = images.unfold2d([SIZE, SIZE], Conv::new());
    let product = weight.reshape([FILTERS, SIZE * SIZE]).matmul(&columns).reshape([BATCH, FILTERS, 24, 24]);
    let product_time = start.elapsed();
    let difference = (direct.value() - product.value()).map(f32::abs).max().item();
    println!("\na batch {:?} by conv2d, and by columns {:?}", images.shape(), columns.shape());
    println!(
        "largest difference {difference:.1e}, {:.1} times the memory",
        columns.value().len() as f64 / images.value().len() as f64
    );
    println!("{:.2} ms and {:.2} ms\n", 1e3 * direct_time.as_secs_f64(), 1e3 * product_time.as_secs_f64());
    assert!(difference < 1e-4);
}

/// Draws a row of small matrices, each scaled to its largest number.
fn draw_row(area: &Canvas, name: &str, matrices: &Tensor, width: usize, scale: i32) -> Outcome {
    area.draw(&Text::new(name.to_string(), (12, 60), (FONT, 17)))?;
    for (number, matrix) in (0..).zip(matrices.as_slice().chunks(width * width)) {
        let largest = matrix.iter().fold(1e-6f32, |largest, value| largest.max(value.abs()));
        let (left, top) = (160 + 104 * number, 20);
        for (place, value) in (0..).zip(matrix) {
            let (x, y) = (left + place % width as i32 * scale, top + place / width as i32 * scale);
            // Rounded, to keep the file small.
            let shade = (50.0 * f64::from(value / largest)).round() / 50.0;
            let color = if shade > 0.0 { COLORS[0] } else { COLORS[1] };
            if shade != 0.0 {
                area.draw(&Rectangle::new([(x, y), (x + scale, y + scale)], color.mix(shade.abs()).filled()))?;
            }
        }
        let side = width as i32 * scale;
        area.draw(&Rectangle::new([(left, top), (left + side, top + side)], BLACK.mix(0.3)))?;
    }
    Ok(())
}
