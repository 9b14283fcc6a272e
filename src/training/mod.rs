//! What a training loop has to keep track of: mean losses, the learning rate, the best model, when to stop, and the history.
//!
//! The loop itself stays a loop; [`Fit`] takes the steps.

mod history;

pub use history::{Epoch, History};

use crate::autograd::Var;
use crate::metrics::Mean;
use crate::nn::Module;
use crate::optim::{EarlyStopping, Optimizer, Schedule, Status};
use crate::panics::check_option;
use crate::tensor::Float;
use std::error;
use std::fmt::{self, Debug, Display, Formatter};

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
///     for batch in data.batches(16).shuffled(&mut rng) {
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
#[doc(alias("fit", "Trainer", "ModelCheckpoint", "EarlyStopping"))]
pub struct Fit<M> {
    epochs: usize,
    clip_norm: Option<f64>,
    schedule: Option<Box<dyn Schedule>>,
    stopping: EarlyStopping,
    best: Option<M>,
    loss: Mean,
    history: History,
    steps: usize,
    stopped: bool,
}

impl<M: Clone> Fit<M> {
    /// A loop of at most so many epochs.
    pub fn new(epochs: usize) -> Self {
        Fit {
            epochs,
            clip_norm: None,
            schedule: None,
            stopping: EarlyStopping::new(usize::MAX),
            best: None,
            loss: Mean::new(),
            history: History::default(),
            steps: 0,
            stopped: false,
        }
    }

    /// Ends training after so many epochs in a row without an improvement; without this it runs all epochs.
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

    /// Sets the learning rate of each step, counted from 0 over all epochs; without this it is the optimizer's.
    pub fn schedule(mut self, schedule: impl Schedule + 'static) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// Begins the next epoch; false if there is none or the patience has run out.
    pub fn next_epoch(&mut self) -> bool {
        let next = !self.stopped && self.history.epochs().len() < self.epochs;
        if next {
            self.loss = Mean::new();
            self.history.begin();
        }
        next
    }

    /// One step: the gradients of a loss, clipped, and the update of the model. Returns their norm before clipping.
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
        let value = loss.item().to_f64();
        let at = |what, value| Diverged { what, value, epoch: self.history.epochs().len(), step: self.steps };
        if !value.is_finite() {
            return Err(at("loss", value));
        }
        let mut gradients = loss.backward();
        let norm = match self.clip_norm {
            Some(bound) => gradients.clip_norm(bound),
            None => gradients.norm(),
        };
        if !norm.is_finite() {
            return Err(at("norm of the gradients", norm));
        }
        if let Some(schedule) = &self.schedule {
            optimizer.set_learning_rate(schedule.at(self.steps));
        }
        optimizer.step(model, &gradients);
        self.steps += 1;
        self.loss.add(value);
        let epoch = self.history.current();
        (epoch.steps, epoch.loss, epoch.learning_rate) = (self.steps, self.loss.value(), optimizer.learning_rate());
        Ok(norm)
    }

    /// Ends an epoch with a value on validation data, smaller ones being better unless [`stopping`](Fit::stopping) says otherwise; keeps
    /// the model if it is the best one.
    ///
    /// # Panics
    /// Before the first epoch.
    #[track_caller]
    pub fn validate(&mut self, model: &M, value: impl Into<f64>) -> Status {
        let value = value.into();
        self.history.current().validation = Some(value);
        let status = self.stopping.update(value);
        match status {
            Status::Improved => self.best = Some(model.clone()),
            Status::Continue => {}
            Status::Stop => self.stopped = true,
        }
        status
    }

    /// The model with the best validation; `None` if none was a number.
    pub fn best_model(&self) -> Option<&M> {
        self.best.as_ref()
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.history
    }
}

impl<M> Debug for Fit<M> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Fit").field("epochs", &self.epochs).field("history", &self.history).finish_non_exhaustive()
    }
}

/// A loss, or the norm of gradients, that is not a finite number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diverged {
    what: &'static str,
    /// The value: infinite or NaN.
    pub value: f64,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step, counted from 0 over all epochs.
    pub step: usize,
}

impl Display for Diverged {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Diverged { what, value, epoch, step } = self;
        write!(
            f,
            "the {what} is {value} in epoch {epoch} at step {step}: try a smaller learning rate or clip_norm; \
             Tape::detect_anomaly names the operation where it began"
        )
    }
}

impl error::Error for Diverged {}
