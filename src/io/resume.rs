//! Checkpoints: reading.

use super::fit::{self, Fit};
use super::safetensors::Contents;
use crate::error::Error;
use crate::generator::Generator;
use crate::nn::Module;
use crate::optim::Optimizer;
use crate::tensor::Float;
use std::fmt::{self, Debug, Formatter};
use std::path::Path;

/// Brings back what a [`Checkpoint`](super::Checkpoint) has, where the example is: the same calls, with the places for the
/// values.
///
/// Parts of the file that are not asked for are left alone: a model can be taken from the checkpoint of a run without its
/// optimizer.
#[derive(Default)]
pub struct Resume<'a> {
    /// What the names of the next parts begin with.
    prefix: String,
    parts: Vec<Part<'a>>,
}

/// Takes the values of one part, and says how to put them in their places once everything fits.
type Part<'a> = Box<dyn FnOnce(&mut Fit) -> Option<Put<'a>> + 'a>;
type Put<'a> = Box<dyn FnOnce() + 'a>;

impl<'a> Resume<'a> {
    /// With nothing to bring back.
    pub fn new() -> Self {
        Resume::default()
    }

    /// Looks for what follows under a name of its own, as [`Checkpoint::under`](super::Checkpoint::under).
    pub fn under(mut self, name: &str) -> Self {
        self.prefix = format!("{name}.");
        self
    }

    /// Puts values in the place of a model's parameters and buffers.
    pub fn model<T: Float, M: Module<T> + ?Sized>(self, model: &'a mut M) -> Self {
        let prefix = self.name("model.");
        self.part(move |fit| {
            let values = fit.model(&*model, &prefix);
            Some(Box::new(move || fit::put(model, values)))
        })
    }

    /// Sets learning rate, weight decay and direction of an optimizer, and replaces all that it remembers. It must be of the kind that was saved.
    pub fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(self, optimizer: &'a mut O) -> Self {
        let prefix = self.prefix.clone();
        self.part(move |fit| {
            let (settings, state) = fit.optimizer(&*optimizer, &prefix)?;
            Some(Box::new(move || {
                *optimizer.settings_mut() = settings;
                *optimizer.state_mut() = state;
            }))
        })
    }

    /// Sets the state of a generator.
    pub fn generator(self, generator: &'a mut Generator) -> Self {
        let name = self.name("generator");
        self.part(move |fit| {
            let state = fit.generator(&name)?;
            Some(Box::new(move || *generator = Generator::from_state(state)))
        })
    }

    /// Sets a counter.
    pub fn counter(self, name: &str, counter: &'a mut usize) -> Self {
        let name = self.name(&format!("counter.{name}"));
        self.part(move |fit| {
            let value = fit.integer(&name, "a number of 0 or more", |_| true)?;
            Some(Box::new(move || *counter = value))
        })
    }

    /// Sets a number.
    pub fn number(self, name: &str, number: &'a mut f64) -> Self {
        let name = self.name(&format!("number.{name}"));
        self.part(move |fit| {
            let value = fit.number(&name)?;
            Some(Box::new(move || *number = value))
        })
    }

    /// Reads the file and puts everything in its place.
    ///
    /// # Errors
    /// If the file cannot be read, or something does not fit: [`Error::Misfit`] lists all of it. Then nothing has changed.
    pub fn load(self, path: impl AsRef<Path>) -> Result<(), Error> {
        let contents = Contents::read(path.as_ref())?;
        let mut fit = Fit::new(&contents);
        let puts: Vec<_> = self.parts.into_iter().map(|part| part(&mut fit)).collect();
        fit.finish(path.as_ref())?;
        puts.into_iter().flatten().for_each(|put| put());
        Ok(())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn part(mut self, part: impl FnOnce(&mut Fit) -> Option<Put<'a>> + 'a) -> Self {
        self.parts.push(Box::new(part));
        self
    }
}

impl Debug for Resume<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Resume").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
