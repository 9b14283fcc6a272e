//! The training loop, its metrics, and what is printed.

use crate::support::checkout;
use crate::support::mnist::options::Options;
use crate::support::mnist::report::{Examination, Report};
use crate::support::mnist::{Network, interrupt};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use wengert::Generator;
use wengert::data::{Images, mnist};
use wengert::io::onnx::Export;
use wengert::io::{Checkpoint, Resume, npz};
use wengert::metrics::accuracy;
use wengert::optim::EarlyStopping;
use wengert::prelude::*;
use wengert::training::tensorboard::EventWriter;
use wengert::training::{Diverged, Fit};

/// Exit status of a run that diverged.
pub const DIVERGED: u8 = 3;

/// Mean and standard deviation of the training pixels. Standardized inputs train faster.
pub const PIXELS: (f64, f64) = (0.1307, 0.3081);

/// Loss and accuracy on a set of images.
#[derive(Clone, Copy)]
struct Score {
    loss: f64,
    accuracy: f64,
}

impl Score {
    /// The means of an epoch so far.
    fn so_far<N: Network>(fit: &Fit<N>) -> Self {
        let epoch = fit.history().epochs().last();
        let metric = |name: &str| epoch.and_then(|epoch| epoch.metric(name)).unwrap_or(f64::NAN);
        Score { loss: metric("loss"), accuracy: metric("accuracy") }
    }
}

impl From<&Examination> for Score {
    fn from(tested: &Examination) -> Self {
        Score { loss: tested.loss, accuracy: tested.matrix.accuracy() }
    }
}

impl Display for Score {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.loss {
            // The loss of a run that diverges.
            loss @ 1e6.. => write!(f, "loss {loss:.3e}")?,
            loss => write!(f, "loss {loss:.4}")?,
        }
        write!(f, "  accuracy {:.4}", self.accuracy)
    }
}

/// The state of a training run.
pub struct Run<N> {
    pub model: N,
    pub optimizer: Box<dyn Optimizer>,
    pub rng: Generator,
    pub fit: Fit<N>,
}

impl<N: Network> Run<N> {
    fn new(options: &Options, images: usize) -> Self {
        let mut rng = wengert::rng(options.seed);
        let model = N::new(options, &mut rng);
        let schedule = options.schedule(images);
        let mut fit = Fit::new(options.epochs)
            .stopping(EarlyStopping::new(usize::MAX).maximize())
            .schedule(move |step: usize| schedule.at(step));
        if let Some(bound) = options.clip_norm {
            fit = fit.clip_norm(bound);
        }
        Run { model, optimizer: options.optimizer(), rng, fit }
    }

    /// Trains an epoch, or the rest of one: one optimizer step for each batch, in random order. Returns whether it is complete; an
    /// interrupt ends it after the current step.
    fn train(&mut self, images: &Images, size: usize, bar: &ProgressBar) -> Result<bool, Diverged> {
        let Run { model, optimizer, rng, fit } = self;
        let mut batches = fit.batches(rng, |rng| images.batches(size).shuffled(rng));
        for batch in batches.by_ref() {
            let tape = Tape::training(rng);
            let scores = model.forward(&tape.constant(batch.images));
            let loss = scores.softmax_cross_entropy(&batch.labels);
            let count = batch.labels.len() as f64;
            fit.metric("accuracy", accuracy(scores.value(), &batch.labels), count);
            fit.step_weighted(loss, count, model, &mut **optimizer)?;
            bar.inc(batch.labels.len() as u64);
            bar.set_message(format!("{}  {:.0} samples/s", Score::so_far(fit), bar.per_sec()));
            if interrupt::requested() {
                break;
            }
        }
        fit.check(model)?;
        Ok(batches.len() == 0)
    }

    /// Writes a checkpoint: all that the run needs to continue as if it had never stopped.
    fn save(&self, path: &Path, keep: Option<usize>, complete: bool) -> Result<(), wengert::Error> {
        let mut checkpoint =
            Checkpoint::new().fit(&self.fit, &self.model).optimizer(&*self.optimizer).generator(&self.rng);
        // For programs that use the model, such as `29_serve`; a run has them in its source.
        checkpoint = checkpoint.scope("pixels").number("mean", PIXELS.0).number("std", PIXELS.1);
        match keep.filter(|_| complete) {
            Some(keep) => checkpoint.save_epoch(path, &self.fit, keep),
            None => checkpoint.save(path),
        }
    }

    /// Continues from a checkpoint.
    fn resume(&mut self, path: &Path, epochs: usize) -> Result<(), Box<dyn Error>> {
        let Run { model, optimizer, rng, fit } = self;
        Resume::new().fit(fit, model).optimizer(&mut **optimizer).generator(rng).load(path)?;
        match fit.completed() {
            epoch if epoch > epochs => {
                Err(format!("{path:?}: written after epoch {epoch}, and --epochs is {epochs}").into())
            }
            _ => Ok(()),
        }
    }

    /// The run that the options describe, from its beginning or from a file, and where it begins, for people.
    fn start(options: &Options, images: usize) -> Result<(Self, String), Box<dyn Error>> {
        let mut run = Run::<N>::new(options, images);
        let mut origin = "untrained".to_string();
        if let Some(path) = &options.load {
            wengert::io::load(&mut run.model, path)?;
            origin = "loaded".into();
        }
        if let Some(path) = &options.resume {
            run.resume(path, options.epochs)?;
            origin = format!("after epoch {}", run.fit.completed());
            if run.fit.completed() < run.fit.epoch() {
                origin += &format!(" and {} steps", run.fit.steps_of_epoch());
            }
        }
        let file = options.load.as_ref().or(options.resume.as_ref());
        if let (Some(path), Err(Diverged { what, value, .. })) = (file, run.fit.check(&run.model)) {
            let _ = writeln!(stderr(), "warning: {path:?}: the {what} is {value}");
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

    let (mut run, origin) = Run::<N>::start(&options, train_set.len())?;
    let report = Report { options: &options, train: &train_set, test: &test_set };
    let mut events = options.tensorboard.as_ref().map(EventWriter::create).transpose()?;
    if let Some(events) = &mut events {
        events.graph(report.loss(&run).tape())?;
    }
    let mut out = stdout();
    writeln!(out, "{}", run.model.summary())?;

    let mut tested = Examination::of(&run.model, &test_set);
    writeln!(out, "{origin}  test {}", Score::from(&tested))?;
    while !interrupt::requested() && run.fit.next_epoch() {
        // The bar is drawn on a terminal only; the line that replaces it is always printed.
        let epoch = format!("epoch {}/{}", run.fit.epoch(), options.epochs);
        let bar = ProgressBar::new(train_set.len() as u64).with_prefix(epoch.clone());
        bar.set_style(ProgressStyle::with_template("{prefix} {bar:30} {eta} left  {msg}")?);
        bar.inc((run.fit.steps_of_epoch() * options.batch) as u64);
        let trained = run.train(&train_set, options.batch, &bar);
        let samples = bar.position() as f64;
        bar.finish_and_clear();
        if trained.is_err() {
            report.write(&run, &tested, false)?;
        }
        let complete = trained?;
        tested = Examination::of(&run.model, &test_set);
        if complete {
            run.fit.metric("test_loss", tested.loss, 1.0);
            _ = run.fit.validate(&run.model, tested.matrix.accuracy());
        }
        if let (true, Some(events), Some(epoch)) = (complete, &mut events, run.fit.history().epochs().last()) {
            events.epoch(epoch)?;
            events.parameters(epoch.steps, &run.model)?;
            events.gradients(epoch.steps, &run.model, &report.loss(&run).backward())?;
        }
        if let Some(path) = &options.checkpoint {
            run.save(path, options.keep, complete)?;
        }
        let place = match complete {
            true => epoch,
            false => format!("interrupted at step {} of {epoch}", run.fit.steps_of_epoch()),
        };
        let speed = samples / run.fit.history().epochs().last().map_or(0.0, |epoch| epoch.seconds);
        let [train, test] = [Score::so_far(&run.fit), Score::from(&tested)];
        writeln!(out, "{place}  {train}  test {test}  {speed:.0} samples/s")?;
        report.write(&run, &tested, true)?;
    }
    if run.fit.completed() == options.epochs && (options.save.is_some() || options.onnx.is_some()) {
        run.fit.check(&run.model)?;
        if let Some(path) = &options.save {
            wengert::io::save(&run.model, path)?;
        }
        if let Some(path) = &options.onnx {
            export(&run.model, &test_set, path)?;
        }
    }
    report.write(&run, &tested, false)?;
    writeln!(out, "report: {}", checkout::relative(&options.report))?;
    writeln!(out, "test accuracy: {:.4}", tested.matrix.accuracy())?;
    Ok(if interrupt::requested() { ExitCode::from(interrupt::STATUS) } else { ExitCode::SUCCESS })
}

/// Exports a network to ONNX. Beside it are images and the scores that it gives them, to compare those of other programs with.
fn export<N: Network>(model: &N, images: &Images, path: &Path) -> Result<(), wengert::Error> {
    let images = images.batches(32).next().map_or(Tensor::zeros([1, 784]), |batch| batch.images);
    let scores = model.forward(&Tape::inference().constant(&images));
    npz::write([("images", &images), ("scores", scores.value())], path.with_extension("npz"))?;
    let export = Export::new(model).input("images", images).any_batch();
    export.save(|inputs| vec![("scores", model.forward(&inputs.values("images")))], path)
}
