//! Bookkeeping for training loops: means of losses and metrics, the learning rate, the best model, early stopping, the history, and
//! checkpoints of all of this.
//!
//! The loop itself remains an ordinary loop; [`Fit`] performs the steps.

mod checkpoint;
mod diverged;
mod history;
pub mod tensorboard;

pub use diverged::Diverged;
pub use history::{Epoch, History};

use crate::autograd::{Gradients, Var};
use crate::generator::Generator;
use crate::nn::Module;
use crate::optim::{EarlyStopping, Optimizer, Schedule, Status};
use crate::panics::check_option;
use crate::tensor::Float;
use history::{LOSS, VALIDATION};
use std::fmt::{self, Debug, Display, Formatter};
use std::iter::Skip;
use std::time::Instant;

/// The state of a training loop, for a model of type `M`.
///
/// ```
/// use wengert::data::Samples;
/// use wengert::prelude::*;
/// use wengert::training::Fit;
///
/// let mut rng = wengert::rng(0);
/// let x = Tensor::uniform([64, 1], -1.0, 1.0, &mut rng);
/// let data = Samples::new(x.clone(), &x * 3.0 - 1.0);
/// let mut model = Linear::new(1, 1, Init::Constant(0.0), &mut rng);
/// let mut optimizer = Sgd::new(0.3);
///
/// let mut fit = Fit::new(20).patience(3).clip_norm(1.0);
/// while fit.next_epoch() {
///     for batch in fit.batches(&mut rng, |rng| data.batches(16).shuffled(rng)) {
///         let tape = Tape::training(&mut rng);
///         let loss = model.forward(&tape.constant(batch.inputs)).mse_loss(&batch.targets, Reduction::Mean);
///         fit.step(loss, &mut model, &mut optimizer)?;
///     }
///     let y = model.forward(&Tape::inference().constant(&x));
///     fit.validate(&model, y.mse_loss(&x * 3.0 - 1.0, Reduction::Mean).item());
/// }
/// let best = fit.best_model().unwrap();
/// assert!((best.weight.value().item() - 3.0).abs() < 0.05);
/// assert!(fit.history().to_csv().starts_with("epoch,step,learning_rate,loss,validation\n1,4,0.3,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A loop prints its epoch in one line. As the loop is the program's, so is its log, with the levels and targets that it chooses:
/// `log::info!("{fit}")`, or with fields `tracing::info!(loss = epoch.loss(), "{fit}")`.
///
/// [`Checkpoint::fit`](crate::io::Checkpoint::fit) saves a loop, at the end of an epoch or within it, and
/// [`Resume::fit`](crate::io::Resume::fit) continues it to the same bits.
#[doc(alias("fit", "Trainer", "ModelCheckpoint", "EarlyStopping"))]
pub struct Fit<M> {
    epochs: usize,
    clip_norm: Option<f64>,
    schedule: Option<Box<dyn Schedule>>,
    stopping: EarlyStopping,
    best: Option<M>,
    history: History,
    /// The generator from which the order of the current epoch's batches is drawn.
    order: Option<Generator>,
    /// Whether the current epoch has not ended.
    open: bool,
    /// Whether it continues from a checkpoint.
    resumed: bool,
    /// When the last step ended, or the epoch began.
    since: Instant,
}

impl<M: Clone> Fit<M> {
    /// A loop of at most `epochs` epochs.
    pub fn new(epochs: usize) -> Self {
        Fit {
            epochs,
            clip_norm: None,
            schedule: None,
            stopping: EarlyStopping::new(usize::MAX),
            best: None,
            history: History::default(),
            order: None,
            open: false,
            resumed: false,
            since: Instant::now(),
        }
    }

    /// Ends training after `epochs` consecutive epochs without an improvement; by default all epochs run.
    pub fn patience(self, epochs: usize) -> Self {
        self.stopping(EarlyStopping::new(epochs))
    }

    /// [`patience`](Fit::patience) with all options: a minimum improvement, or larger values that are better, such as an accuracy.
    pub fn stopping(mut self, stopping: EarlyStopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// Scales gradients down to this [norm](crate::Gradients::clip_norm).
    ///
    /// # Panics
    /// If the bound is negative or NaN.
    #[track_caller]
    pub fn clip_norm(mut self, bound: f64) -> Self {
        self.clip_norm = Some(check_option("clip_norm", bound, 0.0..));
        self
    }

    /// Sets the learning rate of each step, counted from 0 over all epochs; by default it is the optimizer's.
    pub fn schedule(mut self, schedule: impl Schedule + 'static) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// Begins the next epoch, or continues the one in which a checkpoint was saved; false after the last epoch, or when the patience has
    /// run out.
    pub fn next_epoch(&mut self) -> bool {
        self.since = Instant::now();
        if std::mem::take(&mut self.resumed) {
            return true;
        }
        self.open = !self.stopping.is_over() && self.epoch() < self.epochs;
        if self.open {
            self.order = None;
            self.history.begin();
        }
        self.open
    }

    /// The batches of the epoch, made by a function that draws their order from the generator it receives; after a resume, the remaining
    /// batches of the epoch in the same order. Call it once per epoch.
    ///
    /// # Panics
    /// Before the first epoch.
    #[track_caller]
    pub fn batches<B: IntoIterator>(
        &mut self,
        rng: &mut Generator,
        shuffled: impl FnOnce(&mut Generator) -> B,
    ) -> Skip<B::IntoIter> {
        self.history.current();
        let batches = match &self.order {
            Some(order) => shuffled(&mut order.clone()),
            None => {
                self.order = Some(rng.clone());
                shuffled(rng)
            }
        };
        batches.into_iter().skip(self.steps_of_epoch())
    }

    /// Performs a step: computes the gradients of a loss, clips them, and updates the model. Returns the norm of the gradients before
    /// clipping.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite. The model is as it was before the step.
    ///
    /// # Panics
    /// As [`Var::backward`] and [`Optimizer::step`], and before the first epoch.
    #[track_caller]
    pub fn step<T: Float>(
        &mut self,
        loss: Var<T>,
        model: &mut M,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
    ) -> Result<f64, Diverged>
    where
        M: Module<T>,
    {
        self.step_weighted(loss, 1.0, model, optimizer)
    }

    /// A [`step`](Fit::step) whose loss has a weight in the mean over the epoch, such as the number of samples if that of the last batch
    /// is smaller.
    ///
    /// # Errors
    /// As [`step`](Fit::step).
    ///
    /// # Panics
    /// As [`step`](Fit::step), and if the weight is negative or not finite.
    #[track_caller]
    pub fn step_weighted<T: Float>(
        &mut self,
        loss: Var<T>,
        weight: f64,
        model: &mut M,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
    ) -> Result<f64, Diverged>
    where
        M: Module<T>,
    {
        let (gradients, norm) = self.backward(loss, weight)?;
        self.update(&gradients, model, optimizer);
        Ok(norm)
    }

    /// The first half of a step: the gradients of a loss, clipped, and their norm before that. The weight is that of the loss in the mean
    /// over the epoch.
    ///
    /// In between, the program can inspect the gradients, or add those of several batches.
    ///
    /// # Errors
    /// As [`step`](Fit::step).
    ///
    /// # Panics
    /// As [`Var::backward`], and before the first epoch.
    #[track_caller]
    pub fn backward<T: Float>(&mut self, loss: Var<T>, weight: f64) -> Result<(Gradients<T>, f64), Diverged> {
        let value = loss.item().to_f64();
        if !value.is_finite() {
            return Err(self.diverged("loss", value));
        }
        let mut gradients = loss.backward();
        let norm = match self.clip_norm {
            Some(bound) => gradients.clip_norm(bound),
            None => gradients.norm(),
        };
        if !norm.is_finite() {
            return Err(self.diverged("norm of the gradients", norm));
        }
        self.metric(LOSS, value, weight);
        Ok((gradients, norm))
    }

    /// The second half of a step: the update of the model.
    ///
    /// # Panics
    /// As [`Optimizer::step`], and before the first epoch.
    #[track_caller]
    pub fn update<T: Float>(
        &mut self,
        gradients: &Gradients<T>,
        model: &mut M,
        optimizer: &mut (impl Optimizer<T> + ?Sized),
    ) where
        M: Module<T>,
    {
        let steps = self.steps();
        let epoch = self.history.current();
        if let Some(schedule) = &self.schedule {
            optimizer.set_learning_rate(schedule.at(steps));
        }
        optimizer.step(model, gradients);
        let now = Instant::now();
        epoch.steps += 1;
        epoch.learning_rate = optimizer.learning_rate();
        epoch.seconds += (now - self.since).as_secs_f64();
        self.since = now;
    }

    /// Adds a value to the mean of a metric over the epoch, with a weight, such as the size of the batch.
    ///
    /// # Panics
    /// If the weight is negative or not finite, and before the first epoch.
    #[track_caller]
    pub fn metric(&mut self, name: &str, value: impl Into<f64>, weight: f64) {
        self.history.current().mean(name).add_weighted(value, weight);
    }

    /// Ends an epoch with a value on validation data, smaller ones being better unless [`stopping`](Fit::stopping) says otherwise; keeps
    /// the model if it is the best one.
    ///
    /// # Panics
    /// Before the first epoch.
    #[track_caller]
    pub fn validate(&mut self, model: &M, value: impl Into<f64>) -> Status {
        let value = value.into();
        self.metric(VALIDATION, value, 1.0);
        self.open = false;
        let status = self.stopping.update(value);
        if status == Status::Improved {
            self.best = Some(model.clone());
        }
        status
    }

    /// Checks that all parameters are finite; the last step may have left one that is not.
    ///
    /// # Errors
    /// If a parameter has a value that is infinite or NaN.
    pub fn check<T: Float>(&self, model: &M) -> Result<(), Diverged>
    where
        M: Module<T>,
    {
        for (path, param) in model.parameters() {
            if let Some(value) = param.value().iter().map(|x| x.to_f64()).find(|x| !x.is_finite()) {
                return Err(self.diverged(&format!("parameter {path}"), value));
            }
        }
        Ok(())
    }

    /// The number of the current epoch, counted from 1; 0 before the first.
    pub fn epoch(&self) -> usize {
        self.history.epochs().len()
    }

    /// The number of completed epochs.
    pub fn completed(&self) -> usize {
        self.epoch() - usize::from(self.open)
    }

    /// The number of steps over all epochs.
    pub fn steps(&self) -> usize {
        self.history.epochs().last().map_or(0, |epoch| epoch.steps)
    }

    /// The number of steps in the current epoch.
    pub fn steps_of_epoch(&self) -> usize {
        let before = self.history.epochs().iter().nth_back(1);
        self.steps() - before.map_or(0, |epoch| epoch.steps)
    }

    /// The model with the best validation; `None` if none was a number.
    pub fn best_model(&self) -> Option<&M> {
        self.best.as_ref()
    }

    /// Whether the last validation was the best one.
    pub fn is_best(&self) -> bool {
        self.best.is_some() && self.stopping.state().bad_epochs == 0
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    fn diverged(&self, what: &str, value: f64) -> Diverged {
        Diverged { what: what.into(), value, epoch: self.epoch(), step: self.steps() }
    }
}

/// The current epoch in one line, for a log.
impl<M: Clone> Display for Fit<M> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "epoch {}/{}", self.epoch(), self.epochs)?;
        self.history.epochs().last().map_or(Ok(()), |epoch| write!(f, "  {epoch}"))
    }
}

impl<M> Debug for Fit<M> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Fit").field("epochs", &self.epochs).field("history", &self.history).finish_non_exhaustive()
    }
}
