//! Restoring of checkpoints.

use crate::data::Scaling;
use crate::error::Error;
use crate::generator::Generator;
use crate::io::contents::WeightFile;
use crate::io::safetensors;
use crate::io::validate::{self, Validator};
use crate::nn::Module;
use crate::optim::Optimizer;
use crate::tensor::Float;
use std::fmt::{self, Debug, Formatter};
use std::path::Path;

/// Restores a [`Checkpoint`](super::Checkpoint) with the same sequence of calls; see there for an example.
///
/// Other parts of the file are ignored: a model can be restored without its optimizer.
#[derive(Default)]
#[must_use = "nothing is restored until `load`"]
pub struct Resume<'a> {
    /// The prefix for the names of the parts added next.
    prefix: String,
    parts: Vec<Part<'a>>,
}

/// Validates one part, and returns the assignment to run once all parts are valid.
type Part<'a> = Box<dyn FnOnce(&mut Validator) -> Option<Assign<'a>> + 'a>;
pub(crate) type Assign<'a> = Box<dyn FnOnce() + 'a>;

impl<'a> Resume<'a> {
    /// Restores nothing yet.
    pub fn new() -> Self {
        Resume::default()
    }

    /// Looks for the parts added next under a common name; see [`Checkpoint::scope`](super::Checkpoint::scope).
    pub fn scope(mut self, name: &str) -> Self {
        self.prefix = format!("{name}.");
        self
    }

    /// Restores the parameters and buffers of a model.
    pub fn model<T: Float, M: Module<T> + ?Sized>(self, model: &'a mut M) -> Self {
        let prefix = self.name("model.");
        self.part(move |validator| {
            let values = validator.model(&*model, &prefix);
            Some(Box::new(move || validate::assign(model, values)))
        })
    }

    /// Restores the learning rate, weight decay and direction of an optimizer, and its state for each parameter. The
    /// optimizer must have the same type as the saved one.
    pub fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(self, optimizer: &'a mut O) -> Self {
        let prefix = self.prefix.clone();
        self.part(move |validator| {
            let (settings, state) = validator.optimizer(&*optimizer, &prefix)?;
            Some(Box::new(move || {
                *optimizer.settings_mut() = settings;
                *optimizer.state_mut() = state;
            }))
        })
    }

    /// Restores the state of a random number generator.
    pub fn generator(self, generator: &'a mut Generator) -> Self {
        let name = self.name("generator");
        self.part(move |validator| {
            let state = validator.generator(&name)?;
            Some(Box::new(move || *generator = Generator::from_state(state)))
        })
    }

    /// Restores a counter.
    pub fn counter(self, name: &str, counter: &'a mut usize) -> Self {
        let name = self.name(&format!("counter.{name}"));
        self.part(move |validator| {
            let value = validator.integer(&name, "a non-negative integer", |_| true)?;
            Some(Box::new(move || *counter = value))
        })
    }

    /// Restores a number.
    pub fn number(self, name: &str, number: &'a mut f64) -> Self {
        let name = self.name(&format!("number.{name}"));
        self.part(move |validator| {
            let value = validator.number(&name)?;
            Some(Box::new(move || *number = value))
        })
    }

    /// Restores the scaling of features, whose shape is that in the file.
    pub fn scaling<S: Scaling>(self, name: &str, scaling: &'a mut S) -> Self {
        let name = self.name(&format!("scaling.{name}"));
        self.part(move |validator| {
            let value = validator.scaling(&name)?;
            Some(Box::new(move || *scaling = value))
        })
    }

    /// Restores names.
    pub fn names(self, name: &str, names: &'a mut Vec<String>) -> Self {
        let name = self.name(&format!("names.{name}"));
        self.part(move |validator| {
            let value = validator.names(&name)?;
            Some(Box::new(move || *names = value))
        })
    }

    /// Reads the file and restores all parts.
    ///
    /// # Errors
    /// If the file cannot be read or does not match the parts: [`Error::Mismatch`] lists every difference. Nothing is
    /// changed then.
    pub fn load(self, path: impl AsRef<Path>) -> Result<(), Error> {
        let contents = safetensors::contents(&WeightFile::open(path.as_ref())?)?;
        let mut validator = Validator::new(&contents);
        let assignments: Vec<_> = self.parts.into_iter().map(|part| part(&mut validator)).collect();
        validator.finish(path.as_ref())?;
        assignments.into_iter().flatten().for_each(|assign| assign());
        Ok(())
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn part(mut self, part: impl FnOnce(&mut Validator) -> Option<Assign<'a>> + 'a) -> Self {
        self.parts.push(Box::new(part));
        self
    }
}

impl Debug for Resume<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Resume").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
