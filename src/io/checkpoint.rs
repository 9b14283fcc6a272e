//! Checkpoints: writing.

use super::array::{Array, Integers};
use super::{arrays_of, safetensors};
use crate::error::Error;
use crate::generator::Generator;
use crate::nn::Module;
use crate::optim::Optimizer;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;
use std::path::Path;

/// All that a run needs to go on as if it had never stopped: the model, the optimizer, the generator, and counters.
///
/// It is a picture of the moment in which each part was added; [`Resume`](super::Resume) brings it back. The file is of
/// the safetensors format: the model is under `model.`, what the optimizer remembers under `optimizer.`, and so on.
///
/// Of the optimizer it has the state and the settings that change while training: learning rate, weight decay and
/// direction. Groups, and options of a rule such as a momentum, belong to the program, which makes the optimizer anew with
/// them. A schedule needs no more than the number of the step. What listens to a metric, such as
/// [`ReduceOnPlateau`](crate::optim::schedule::ReduceOnPlateau) and [`EarlyStopping`](crate::optim::EarlyStopping), has a `state`
/// of numbers and counters, to be added one by one.
///
/// ```
/// use wengert::io::{Checkpoint, Resume};
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("run.safetensors");
/// let mut rng = wengert::rng(0);
/// let mut model = Linear::new(3, 2, Init::He, &mut rng);
/// let mut optimizer = Adam::new(1e-3);
/// let mut epoch = 0;
/// if path.exists() {
///     Resume::new()
///         .model(&mut model)
///         .optimizer(&mut optimizer)
///         .generator(&mut rng)
///         .counter("epoch", &mut epoch)
///         .load(&path)?;
/// }
/// while epoch < 3 {
///     // … train for an epoch …
/// #   let loss = model.forward(&Tape::training(&mut rng).constant([1.0, 2.0, 3.0])).sum();
/// #   optimizer.step(&mut model, &loss.backward());
///     epoch += 1;
///     Checkpoint::new()
///         .model(&model)
///         .optimizer(&optimizer)
///         .generator(&rng)
///         .counter("epoch", epoch)
///         .save(&path)?;
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// What the names of the next parts begin with.
    prefix: String,
    arrays: Vec<(String, Array)>,
    texts: BTreeMap<String, String>,
}

impl Checkpoint {
    /// With nothing in it.
    pub fn new() -> Self {
        Checkpoint::default()
    }

    /// Puts what is added from here on under a name of its own, for runs that have several of a kind, such as two models
    /// with an optimizer each.
    ///
    /// ```
    /// use wengert::io::{Checkpoint, Resume};
    /// use wengert::prelude::*;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("run.safetensors");
    /// let (mut actor, mut critic): (Param, Param) = (Param::new(1.0), Param::new([2.0, 3.0]));
    /// Checkpoint::new().under("actor").model(&actor).under("critic").model(&critic).save(&path)?;
    /// Resume::new().under("actor").model(&mut actor).under("critic").model(&mut critic).load(&path)?;
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn under(mut self, name: &str) -> Self {
        self.prefix = format!("{name}.");
        self
    }

    /// The parameters and buffers of a model.
    pub fn model<T: Float, M: Module<T> + ?Sized>(mut self, model: &M) -> Self {
        let prefix = self.name("model.");
        self.arrays.extend(arrays_of(model, &prefix));
        self
    }

    /// The learning rate, weight decay and direction of an optimizer, and what it remembers of each parameter.
    pub fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(mut self, optimizer: &O) -> Self {
        let name = self.name("optimizer");
        self.texts.insert(name, optimizer.name().into());
        let settings = optimizer.settings();
        self.add("optimizer.learning_rate", number(settings.learning_rate));
        self.add("optimizer.weight_decay", number(settings.weight_decay));
        self.add("optimizer.maximize", integer(settings.maximize.into()));
        for (path, slot) in optimizer.state().iter() {
            self.add(&format!("optimizer.steps.{path}"), integer(slot.steps.into()));
            self.add(&format!("optimizer.product.{path}"), number(slot.product));
            for (k, tensor) in slot.tensors.iter().enumerate() {
                self.add(&format!("optimizer.tensors.{k}.{path}"), tensor.into());
            }
        }
        self
    }

    /// The state of a generator.
    pub fn generator(mut self, generator: &Generator) -> Self {
        let words = generator.state().map(u64::cast_signed);
        self.add("generator", Integers::new(words.to_vec(), [4]).into());
        self
    }

    /// A counter, such as the number of the epoch.
    pub fn counter(mut self, name: &str, value: usize) -> Self {
        self.add(&format!("counter.{name}"), integer((value as u64).cast_signed()));
        self
    }

    /// A number, such as the best accuracy so far.
    pub fn number(mut self, name: &str, value: f64) -> Self {
        self.add(&format!("number.{name}"), number(value));
        self
    }

    /// Writes all of it to a file, which is replaced as a whole.
    ///
    /// # Errors
    /// If the file cannot be written: then it is as it was before. If two parts have one name.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        safetensors::save(self.arrays.clone(), &self.texts, path.as_ref())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn add(&mut self, name: &str, array: Array) {
        self.arrays.push((self.name(name), array));
    }
}

/// A single number.
fn number(x: f64) -> Array {
    Array::F64(Tensor::scalar(x))
}

/// A single whole number.
fn integer(n: i64) -> Array {
    Integers::new(vec![n], ()).into()
}
