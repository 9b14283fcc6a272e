//! The training loop, its metrics, and what is printed.

use crate::support::mnist::options::{self, Options};
use crate::support::mnist::{Network, checkpoint, report};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{Write, stdout};
use wengert::Generator;
use wengert::data::{Images, mnist};
use wengert::metrics::{Mean, accuracy};
use wengert::prelude::*;

/// Mean and standard deviation of the training pixels. Standardized inputs train faster.
pub const PIXELS: (f64, f64) = (0.1307, 0.3081);

/// Running means over the samples seen so far.
#[derive(Default)]
struct Score {
    loss: Mean,
    accuracy: Mean,
}

impl Score {
    /// Adds a batch: its class scores, labels and mean loss.
    fn add(&mut self, scores: &Var, labels: &[usize], loss: &Var) {
        let count = labels.len() as f64;
        self.loss.add_weighted(loss.item(), count);
        self.accuracy.add_weighted(accuracy(scores.value(), labels), count);
    }
}

impl Display for Score {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.loss.value() {
            // The loss of a run that diverges.
            loss @ 1e6.. => write!(f, "loss {loss:.3e}")?,
            loss => write!(f, "loss {loss:.4}")?,
        }
        write!(f, "  accuracy {:.4}", self.accuracy)
    }
}

/// Metrics of one epoch.
#[derive(Clone, Copy, Default)]
pub struct Epoch {
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub test_loss: f64,
    pub test_accuracy: f64,
    pub seconds: f64,
}

/// The state of a training run.
pub struct Run<N> {
    pub model: N,
    pub optimizer: Box<dyn Optimizer>,
    pub rng: Generator,
    pub history: Vec<Epoch>,
}

impl<N: Network> Run<N> {
    fn new(options: &Options) -> Self {
        let mut rng = wengert::rng(options.seed);
        Run { model: N::new(options, &mut rng), optimizer: options.optimizer(), rng, history: Vec::new() }
    }

    /// Trains one epoch: one optimizer step for each batch, in random order.
    fn train(&mut self, images: &Images, batch: usize, schedule: &dyn Schedule, bar: &ProgressBar) -> Score {
        let mut score = Score::default();
        let batches = images.batches(batch).shuffled(&mut self.rng);
        let first_step = self.history.len() * batches.len();
        for (step, batch) in batches.enumerate() {
            let tape = Tape::training(&mut self.rng);
            let scores = self.model.forward(&tape.constant(batch.images));
            let loss = scores.softmax_cross_entropy(&batch.labels);
            score.add(&scores, &batch.labels, &loss);
            let gradients = loss.backward();
            self.optimizer.set_learning_rate(schedule.at(first_step + step));
            self.optimizer.step(&mut self.model, &gradients);
            bar.inc(batch.labels.len() as u64);
            bar.set_message(format!("{score}  {:.0} samples/s", bar.per_sec()));
        }
        score
    }

    /// Evaluates the model without training it. The batch size limits memory use and does not affect the result.
    fn evaluate(&self, images: &Images) -> Score {
        let mut score = Score::default();
        for batch in images.batches(1000) {
            let tape = Tape::inference();
            let scores = self.model.forward(&tape.constant(batch.images));
            score.add(&scores, &batch.labels, &scores.softmax_cross_entropy(&batch.labels));
        }
        score
    }
}

/// Trains a network as the command line says, and writes the results.
pub fn train<N: Network>() -> Result<(), Box<dyn Error>> {
    let options = Options::parse::<N>()?;
    let (train_set, test_set) = mnist::load(&options.data)?;
    let [train_set, test_set] = [train_set.take(options.limit), test_set].map(|set| set.normalize(PIXELS.0, PIXELS.1));
    options.check(train_set.len())?;

    let mut run = Run::<N>::new(&options);
    let mut origin = "untrained".to_string();
    if let Some(path) = &options.load {
        wengert::io::load(&mut run.model, path)?;
        origin = "loaded".into();
    }
    if let Some(path) = &options.resume {
        checkpoint::resume(&mut run, path, options.epochs)?;
        origin = format!("after epoch {}", run.history.len());
    }
    let schedule = options.schedule(train_set.len());
    let mut out = stdout();
    writeln!(out, "{}", run.model.summary())?;

    let mut test = run.evaluate(&test_set);
    writeln!(out, "{origin}  test {test}")?;
    for epoch in run.history.len() + 1..=options.epochs {
        // The bar is drawn on a terminal only; the line that replaces it is always printed.
        let bar = ProgressBar::new(train_set.len() as u64).with_prefix(format!("epoch {epoch}/{}", options.epochs));
        bar.set_style(ProgressStyle::with_template("{prefix} {bar:30} {eta} left  {msg}")?);
        let train = run.train(&train_set, options.batch, &*schedule, &bar);
        let seconds = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        test = run.evaluate(&test_set);
        run.history.push(Epoch {
            train_loss: train.loss.value(),
            train_accuracy: train.accuracy.value(),
            test_loss: test.loss.value(),
            test_accuracy: test.accuracy.value(),
            seconds,
        });
        if let Some(path) = &options.checkpoint {
            checkpoint::save(&run, path)?;
        }
        let speed = train_set.len() as f64 / seconds;
        writeln!(out, "epoch {epoch}/{}  {train}  test {test}  {speed:.0} samples/s", options.epochs)?;
    }
    if let Some(path) = &options.save {
        wengert::io::save(&run.model, path)?;
    }
    report::write(&options, &run, &*schedule, &train_set, &test_set)?;
    writeln!(out, "report: {}", options::short(&options.report))?;
    writeln!(out, "test accuracy: {:.4}", test.accuracy)?;
    Ok(())
}
