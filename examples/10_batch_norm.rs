//! Batch normalization: less sensitivity to the initial weights, and larger learning rates.
//!
//! `cargo run --release --example 10_batch_norm` trains a network of six layers on 1000 images, with and without
//! batch normalization after each hidden layer,
//! - at sixteen standard deviations of the initial weights, from 1 to 0.0001,
//! - at learning rates from 0.01 to 30,
//!
//! and counts how many of the runs learn.

mod support {
    pub mod command;
    pub mod figure;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use plotters::prelude::*;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::number::number;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::data::{Images, mnist};
use wengert::metrics::accuracy;
use wengert::parallel;
use wengert::prelude::*;

const HIDDEN: [usize; 5] = [100; 5];
const IMAGES: usize = 1000;
const BATCH: usize = 100;
/// Added to the variance. The default of 1e-5 would far exceed the variance itself where weights are tiny.
const EPSILON: f64 = 1e-7;

/// A linear layer, optionally normalized, with ReLU.
struct Block {
    linear: Linear,
    norm: Option<BatchNorm>,
}
module!(Block { linear, norm });

/// A network with five hidden layers.
struct DeepNet {
    hidden: Vec<Block>,
    output: Linear,
}
module!(DeepNet { hidden, output });

impl DeepNet {
    fn new(setting: &Setting, rng: &mut impl Rng) -> Self {
        let mut inputs = 784;
        let mut block = |units: usize| {
            let linear = Linear::new(inputs, units, setting.init, rng);
            inputs = units;
            Block { linear, norm: setting.batch_norm.then(|| BatchNorm::new(units).epsilon(EPSILON)) }
        };
        let hidden = HIDDEN.map(&mut block).into();
        DeepNet { hidden, output: Linear::new(inputs, 10, setting.init, rng) }
    }

    fn forward(&self, x: &Var) -> Var {
        let h = self.hidden.iter().fold(x.clone(), |h, block| {
            let h = block.linear.forward(&h);
            block.norm.as_ref().map_or_else(|| h.relu(), |norm| norm.forward(&h).relu())
        });
        self.output.forward(&h)
    }
}

/// How a network is initialized and trained.
struct Setting {
    init: Init,
    rate: f64,
    batch_norm: bool,
}

/// The training accuracy after each epoch.
fn train(setting: &Setting, images: &Images, epochs: usize) -> Vec<f64> {
    let mut rng = wengert::rng(0);
    let mut model = DeepNet::new(setting, &mut rng);
    let mut optimizer = Sgd::new(setting.rate);
    let measure = |model: &DeepNet| {
        // On an inference tape batch normalization uses the running averages.
        let batch = images.all();
        accuracy(model.forward(&Tape::inference().constant(batch.images)).value(), &batch.labels)
    };
    let mut accuracies = vec![measure(&model)];
    for _ in 0..epochs {
        for batch in images.batches(BATCH).shuffled(&mut rng) {
            let tape = Tape::training(&mut rng);
            let scores = model.forward(&tape.constant(batch.images));
            let gradients = scores.softmax_cross_entropy(&batch.labels).backward();
            optimizer.step(&mut model, &gradients);
        }
        accuracies.push(measure(&model));
    }
    accuracies
}

/// The accuracies of a setting after each epoch, without and with batch normalization.
struct Pair {
    name: String,
    plain: Vec<f64>,
    normalized: Vec<f64>,
}

/// Trains each setting without and with batch normalization, prints the final accuracies and draws the curves.
fn compare(name: &str, title: &str, settings: Vec<(String, Init, f64)>, images: &Images, epochs: usize) -> Outcome {
    let both = |(_, init, rate): &(_, Init, f64)| {
        [false, true].map(|batch_norm| Setting { init: *init, rate: *rate, batch_norm })
    };
    let all: Vec<Setting> = settings.iter().flat_map(both).collect();
    let mut runs = parallel::map(&all, |setting| train(setting, images, epochs)).into_iter();
    println!("{title}\naccuracy on the {IMAGES} training images after {epochs} epochs\n");
    println!("{:<12}  {:>7}  {:>15}", "", "without", "with batch norm");
    let mut pairs = Vec::new();
    for (name, ..) in settings {
        let [plain, normalized] = [(); 2].map(|()| runs.next().expect("two runs for each setting"));
        println!("{name:<12}  {:>7.3}  {:>15.3}", plain[epochs], normalized[epochs]);
        pairs.push(Pair { name, plain, normalized });
    }
    let learned = |curve: fn(&Pair) -> &[f64]| pairs.iter().filter(|pair| curve(pair)[epochs] > 0.5).count();
    let counts = [learned(|pair| &pair.plain), learned(|pair| &pair.normalized)];
    println!("{:<12}  {:>7}  {:>15}  of {}\n", "more than ½", counts[0], counts[1], pairs.len());
    let rows = pairs.len().div_ceil(4);
    figure(name, title, (1100, 60 + 220 * rows as u32), |area| {
        let (above, below) = area.split_vertically(34);
        legend(&above)?;
        below.split_evenly((rows, 4)).iter().zip(&pairs).try_for_each(|(panel, pair)| draw(panel, pair))
    })
}

fn main() -> Outcome {
    start(include_str!("10_batch_norm.rs"), []);
    let (images, _) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist"))?;
    let images = images.take(IMAGES);
    let (epochs, scales) = if quick() { (4, 4) } else { (20, 16) };

    let exponents = (0..scales).map(|k| -4.0 * f64::from(k) / f64::from(scales - 1));
    let scales = exponents.map(|exponent| 10f64.powf(exponent));
    let settings = scales.map(|std| (format!("std {std:.4}"), Init::Normal(std), 0.01)).collect();
    compare("10_weight_scales", "Initial weights of different scale, learning rate 0.01", settings, &images, epochs)?;
    println!();

    let rates = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
    let settings = rates.map(|rate| (format!("rate {rate}"), Init::He, rate)).into();
    compare("10_large_rates", "Increasing learning rates, He initialization", settings, &images, epochs)
}

/// Labels and colors of the curves without and with batch normalization.
const LINES: [(&str, RGBColor); 2] = [("without batch norm", COLORS[1]), ("with batch norm", COLORS[0])];

/// Draws the legend of all panels.
fn legend(area: &Canvas) -> Outcome {
    let (width, _) = area.dim_in_pixel();
    for (k, (name, color)) in LINES.into_iter().enumerate() {
        let left = width as i32 / 2 - 190 + 200 * k as i32;
        area.draw(&PathElement::new([(left, 16), (left + 28, 16)], color.stroke_width(3)))?;
        area.draw(&Text::new(name, (left + 36, 8), (FONT, 15)))?;
    }
    Ok(())
}

/// Draws the accuracy by epoch.
fn draw(area: &Canvas, pair: &Pair) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption(&pair.name, (FONT, 15))
        .margin(6)
        .margin_right(12)
        .x_label_area_size(38)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..pair.plain.len() as f64 - 1.0, 0.0..1.02)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&number)
        .y_label_formatter(&|value| format!("{value:.1}"))
        .label_style((FONT, 13))
        .axis_desc_style((FONT, 13))
        .x_desc("epoch")
        .y_desc("accuracy")
        .draw()?;
    for (accuracies, (_, color)) in [&pair.plain, &pair.normalized].into_iter().zip(LINES) {
        let points = accuracies.iter().enumerate().map(|(epoch, &accuracy)| (epoch as f64, accuracy));
        stroke(&chart, points, color.stroke_width(2))?;
    }
    Ok(())
}
