//! Trains a multilayer perceptron to read handwritten digits: `cargo run --release --example mnist`.
//!
//! `-- --help` lists the options.

use clap::{Arg, Command, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use wengert::data::{Batches, Images, mnist};
use wengert::prelude::*;

/// Linear layers with ReLU between them.
struct Mlp {
    layers: Vec<Linear>,
}
module!(Mlp { layers });

impl Mlp {
    /// A network with layers of the given sizes, from the input to the output.
    fn new(sizes: &[usize], rng: &mut impl Rng) -> Self {
        Mlp { layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect() }
    }

    /// The scores `[n, 10]` of images `[n, 784]`: the larger, the likelier the class.
    fn forward(&self, x: &Var) -> Var {
        let (first, rest) = self.layers.split_first().expect("at least an output layer");
        rest.iter().fold(first.forward(x), |h, layer| layer.forward(&h.relu()))
    }
}

/// Sums over the samples seen so far.
#[derive(Default)]
struct Score {
    samples: usize,
    correct: usize,
    loss: f64,
}

impl Score {
    /// Counts a batch: its scores, its labels and its mean loss.
    fn add(&mut self, scores: &Var, labels: &[usize], loss: &Var) {
        self.samples += labels.len();
        self.correct += scores.value().argmax(1).iter().zip(labels).filter(|(answer, label)| answer == label).count();
        self.loss += f64::from(loss.item()) * labels.len() as f64;
    }

    fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }
}

impl Display for Score {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "loss {:.4}  accuracy {:.4}", self.loss / self.samples as f64, self.accuracy())
    }
}

/// One epoch: goes through the batches, a step of the optimizer for each.
fn train(
    model: &mut Mlp,
    optimizer: &mut impl Optimizer,
    batches: Batches<Images>,
    bar: &ProgressBar,
    rng: &mut impl Rng,
) -> Score {
    let mut score = Score::default();
    for batch in batches {
        let tape = Tape::training(rng);
        let scores = model.forward(&tape.constant(batch.images));
        let loss = scores.softmax_cross_entropy(&batch.labels);
        score.add(&scores, &batch.labels, &loss);
        let gradients = loss.backward();
        optimizer.step(model, &gradients);
        bar.inc(batch.labels.len() as u64);
        bar.set_message(format!("{score}  {:.0} samples/s", bar.per_sec()));
    }
    score
}

/// Scores a model without training it. Batches keep the memory small; their size does not change the answers.
fn evaluate(model: &Mlp, images: &Images) -> Score {
    let mut score = Score::default();
    for batch in images.batches(1000) {
        let tape = Tape::inference();
        let scores = model.forward(&tape.constant(batch.images));
        score.add(&scores, &batch.labels, &scores.softmax_cross_entropy(&batch.labels));
    }
    score
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    let (train_set, test_set) = mnist::load(&options.data)?;
    // The mean and the standard deviation of the training images: inputs of mean 0 and deviation 1 train faster.
    let [train_set, test_set] = [train_set.limit(options.limit), test_set].map(|set| set.normalised(0.1307, 0.3081));

    let mut rng = wengert::rng(options.seed);
    let sizes = [&[784], options.hidden.as_slice(), &[10]].concat();
    let mut model = Mlp::new(&sizes, &mut rng);
    let mut optimizer = Adam::new(options.learning_rate);
    let mut out = io::stdout();
    writeln!(out, "{}", model.summary())?;

    let mut test = evaluate(&model, &test_set);
    writeln!(out, "untrained  test {test}")?;
    for epoch in 1..=options.epochs {
        // Falls along a line: large steps to get near a minimum, small ones to settle in it.
        let left = (options.epochs + 1 - epoch) as f64 / options.epochs as f64;
        optimizer.set_learning_rate(options.learning_rate * left);
        // The bar shows on a terminal only. The line that takes its place is printed in any case.
        let bar = ProgressBar::new(train_set.len() as u64);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}")?);
        let batches = train_set.batches(options.batch).shuffled(&mut rng);
        let score = train(&mut model, &mut optimizer, batches, &bar, &mut rng);
        let speed = score.samples as f64 / bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        test = evaluate(&model, &test_set);
        writeln!(out, "epoch {epoch}/{}  {score}  test {test}  {speed:.0} samples/s", options.epochs)?;
    }
    writeln!(out, "test accuracy: {:.4}", test.accuracy())?;
    Ok(())
}

struct Options {
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    hidden: Vec<usize>,
    seed: u64,
    data: PathBuf,
    limit: usize,
}

impl Options {
    fn parse() -> Result<Self, clap::Error> {
        const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");
        let option = |name, value, default, help| {
            Arg::new(name).long(name).value_name(value).default_value(default).allow_negative_numbers(true).help(help)
        };
        let command = Command::new("mnist").about("Trains a multilayer perceptron to read handwritten digits").args([
            option("epochs", "N", "5", "How often to go through the training set").value_parser(value_parser!(usize)),
            option("batch", "N", "128", "Images in a step").value_parser(up_to(60_000)),
            option("learning-rate", "RATE", "0.001", "Adam's first learning rate; it falls to 0")
                .value_parser(positive),
            option("hidden", "N,…", "256,128", "Sizes of the hidden layers")
                .value_delimiter(',')
                .value_parser(up_to(10_000)),
            option("seed", "SEED", "0", "Of weights and order: the same seed trains the same network")
                .value_parser(value_parser!(u64)),
            option("data", "DIR", DATA, "Where the files of MNIST are").value_parser(value_parser!(PathBuf)),
            option("limit", "N", "60000", "Trains on the first N images only").value_parser(up_to(60_000)),
        ]);
        let mut given = command.try_get_matches()?;
        Ok(Options {
            epochs: given.remove_one("epochs").expect("has a default"),
            batch: given.remove_one("batch").expect("has a default"),
            learning_rate: given.remove_one("learning-rate").expect("has a default"),
            hidden: given.remove_many("hidden").expect("has a default").collect(),
            seed: given.remove_one("seed").expect("has a default"),
            data: given.remove_one("data").expect("has a default"),
            limit: given.remove_one("limit").expect("has a default"),
        })
    }
}

/// Reads a number of images or units. The bound keeps a slip of the finger from asking for terabytes.
fn up_to(most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| {
        let count = text.parse().ok().filter(|count| (1..=most).contains(count));
        count.ok_or_else(|| format!("not a number from 1 to {most}"))
    }
}

/// Reads a learning rate.
fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite()).ok_or("not a positive number".into())
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    if let Some(error) = error.downcast_ref::<clap::Error>().filter(|error| !error.use_stderr()) {
        // Not an error: the text of --help. If nobody reads it, that is fine.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    // The first line of what clap says is the message, and usage follows.
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default();
    let _ = writeln!(io::stderr(), "error: {}", message.trim_start_matches("error: "));
    ExitCode::from(2)
}
