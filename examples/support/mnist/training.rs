//! The training loop, its metrics, and what is printed.

use crate::support::mnist::options::{self, Options};
use crate::support::mnist::{Network, checkpoint, interrupt, report};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Instant;
use wengert::Generator;
use wengert::data::{Images, mnist};
use wengert::metrics::{Mean, accuracy};
use wengert::prelude::*;

/// Mean and standard deviation of the training pixels. Standardized inputs train faster.
pub const PIXELS: (f64, f64) = (0.1307, 0.3081);

/// Running means over the samples seen so far.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub loss: Mean,
    pub accuracy: Mean,
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

/// How far an epoch has got.
pub struct Progress {
    /// The generator from which the order of the images was drawn.
    pub order: Generator,
    pub steps: usize,
    pub score: Score,
    pub seconds: f64,
}

impl Progress {
    /// An epoch that has not begun.
    fn new(rng: &Generator) -> Self {
        Progress { order: rng.clone(), steps: 0, score: Score::default(), seconds: 0.0 }
    }
}

/// The state of a training run.
pub struct Run<N> {
    pub model: N,
    pub optimizer: Box<dyn Optimizer>,
    pub rng: Generator,
    pub history: Vec<Epoch>,
    /// The epoch after those of the history.
    pub progress: Progress,
}

/// The end of a run whose loss or parameters are not finite. It cannot recover: every later step has NaN in it.
#[derive(Debug)]
pub struct Diverged(String);

impl Diverged {
    /// Exit status of such a run.
    pub const STATUS: u8 = 3;
}

impl Display for Diverged {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let advice = "try a lower --learning-rate, less --weight-decay or a schedule with warm-up";
        let search = "Tape::detect_anomaly() names the operation that produced the first NaN";
        write!(f, "{}: {advice}; {search}", self.0)
    }
}

impl Error for Diverged {}

impl<N: Network> Run<N> {
    fn new(options: &Options) -> Self {
        let mut rng = wengert::rng(options.seed);
        let model = N::new(options, &mut rng);
        Run { model, optimizer: options.optimizer(), history: Vec::new(), progress: Progress::new(&rng), rng }
    }

    /// Trains an epoch, or the rest of one: one optimizer step for each batch, in random order. Returns whether it is complete; an
    /// interrupt ends it after the current step.
    fn train(
        &mut self,
        images: &Images,
        batch: usize,
        schedule: &dyn Schedule,
        bar: &ProgressBar,
    ) -> Result<bool, Diverged> {
        let mut order = self.progress.order.clone();
        let batches = images.batches(batch).shuffled(&mut order);
        if self.progress.steps == 0 {
            self.rng = order;
        }
        let (count, start, before) = (batches.len(), Instant::now(), self.progress.seconds);
        for (step, batch) in batches.enumerate().skip(self.progress.steps) {
            let tape = Tape::training(&mut self.rng);
            let scores = self.model.forward(&tape.constant(batch.images));
            let loss = scores.softmax_cross_entropy(&batch.labels);
            self.progress.steps = step + 1;
            if !loss.item().is_finite() {
                return Err(self.diverged(&format!("the loss is {}", loss.item())));
            }
            self.progress.score.add(&scores, &batch.labels, &loss);
            let gradients = loss.backward();
            self.optimizer.set_learning_rate(schedule.at(self.history.len() * count + step));
            self.optimizer.step(&mut self.model, &gradients);
            self.progress.seconds = before + start.elapsed().as_secs_f64();
            bar.inc(batch.labels.len() as u64);
            bar.set_message(format!("{}  {:.0} samples/s", self.progress.score, bar.per_sec()));
            if interrupt::requested() && step + 1 < count {
                break;
            }
        }
        self.check()?;
        Ok(self.progress.steps == count)
    }

    /// Appends the epoch that was trained to the history.
    fn complete_epoch(&mut self, test: &Score) {
        let Progress { score: train, seconds, .. } = std::mem::replace(&mut self.progress, Progress::new(&self.rng));
        self.history.push(Epoch {
            train_loss: train.loss.value(),
            train_accuracy: train.accuracy.value(),
            test_loss: test.loss.value(),
            test_accuracy: test.accuracy.value(),
            seconds,
        });
    }

    /// Checks that the model is worth keeping: one with a NaN must not take the place of a good one.
    fn check(&self) -> Result<(), Diverged> {
        self.not_finite().map_or(Ok(()), |path| Err(self.diverged(&format!("{path} is not finite"))))
    }

    /// The path of a parameter with a value that is infinite or NaN.
    fn not_finite(&self) -> Option<String> {
        let is_bad = |param: &Param| param.value().as_slice().iter().any(|value| !value.is_finite());
        self.model.parameters().into_iter().find(|(_, param)| is_bad(param)).map(|(path, _)| path)
    }

    fn diverged(&self, what: &str) -> Diverged {
        Diverged(format!("epoch {}, step {}: {what}", self.history.len() + 1, self.progress.steps))
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

    /// The run that the options describe, from its beginning or from a file, and where it begins, for people.
    fn start(options: &Options) -> Result<(Self, String), Box<dyn Error>> {
        let mut run = Run::<N>::new(options);
        let mut origin = "untrained".to_string();
        if let Some(path) = &options.load {
            wengert::io::load(&mut run.model, path)?;
            origin = "loaded".into();
        }
        if let Some(path) = &options.resume {
            checkpoint::resume(&mut run, path, options.epochs)?;
            origin = format!("after epoch {}", run.history.len());
            if run.progress.steps > 0 {
                origin += &format!(" and {} steps", run.progress.steps);
            }
        }
        if let (Some(path), Some(name)) = (options.load.as_ref().or(options.resume.as_ref()), run.not_finite()) {
            let _ = writeln!(stderr(), "warning: {path:?}: {name} has values that are not finite");
        }
        Ok((run, origin))
    }
}

/// Trains a network as the command line says, and writes the results. Returns the exit status.
pub fn train<N: Network>() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse::<N>()?;
    let (train_set, test_set) = mnist::load(&options.data)?;
    let [train_set, test_set] = [train_set.take(options.limit), test_set].map(|set| set.normalize(PIXELS.0, PIXELS.1));
    options.check(train_set.len())?;
    interrupt::listen()?;

    let (mut run, origin) = Run::<N>::start(&options)?;
    let schedule = options.schedule(train_set.len());
    let mut out = stdout();
    writeln!(out, "{}", run.model.summary())?;

    let mut test = run.evaluate(&test_set);
    writeln!(out, "{origin}  test {test}")?;
    while run.history.len() < options.epochs && !interrupt::requested() {
        // The bar is drawn on a terminal only; the line that replaces it is always printed.
        let epoch = run.history.len() + 1;
        let bar = ProgressBar::new(train_set.len() as u64).with_prefix(format!("epoch {epoch}/{}", options.epochs));
        bar.set_style(ProgressStyle::with_template("{prefix} {bar:30} {eta} left  {msg}")?);
        bar.inc((run.progress.steps * options.batch) as u64);
        let complete = run.train(&train_set, options.batch, &*schedule, &bar)?;
        bar.finish_and_clear();
        let (steps, train) = (run.progress.steps, run.progress.score);
        let place =
            if complete { format!("epoch {epoch}") } else { format!("interrupted at step {steps} of epoch {epoch}") };
        let speed = train.loss.weight() / run.progress.seconds;
        test = run.evaluate(&test_set);
        if complete {
            run.complete_epoch(&test);
        }
        if let Some(path) = &options.checkpoint {
            checkpoint::save(&run, path, options.keep)?;
        }
        writeln!(out, "{place}/{}  {train}  test {test}  {speed:.0} samples/s", options.epochs)?;
    }
    if let Some(path) = options.save.as_ref().filter(|_| run.history.len() == options.epochs) {
        run.check()?;
        wengert::io::save(&run.model, path)?;
    }
    report::write(&options, &run, &*schedule, &train_set, &test_set)?;
    writeln!(out, "report: {}", options::short(&options.report))?;
    writeln!(out, "test accuracy: {:.4}", test.accuracy)?;
    Ok(if interrupt::requested() { ExitCode::from(interrupt::STATUS) } else { ExitCode::SUCCESS })
}
