//! Writing of checkpoints.

use crate::data::Scaling;
use crate::error::Error;
use crate::generator::Generator;
use crate::io::array::{Array, Integers};
use crate::io::{named_arrays, safetensors};
use crate::nn::Module;
use crate::optim::Optimizer;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;
use std::path::Path;

/// The complete state of a training run: the model, the optimizer, the random number generator, and counters.
///
/// Each part is a snapshot, taken when it was added; [`Resume`](super::Resume) restores it. The file is in the
/// safetensors format, with names that begin with `model.`, `optimizer.` and so on.
///
/// An optimizer is saved with its state and the settings that change during training: learning rate, weight decay and
/// direction. Parameter groups and options such as momentum are not saved; the program sets them when it creates the
/// optimizer. A schedule needs only the step number. [`ReduceOnPlateau`](crate::optim::schedule::ReduceOnPlateau) and
/// [`EarlyStopping`](crate::optim::EarlyStopping) expose a `state` whose fields can be saved as numbers and counters.
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
#[must_use = "a checkpoint is written by `save`"]
pub struct Checkpoint {
    /// The prefix for the names of the parts added next.
    prefix: String,
    pub(crate) arrays: Vec<(String, Array)>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Checkpoint {
    /// An empty checkpoint.
    #[doc(alias = "ModelCheckpoint")]
    pub fn new() -> Self {
        Checkpoint::default()
    }

    /// Puts the parts added next under a common name, for runs with several models or optimizers. A later scope
    /// replaces it.
    ///
    /// ```
    /// use wengert::io::{Checkpoint, Resume};
    /// use wengert::prelude::*;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("run.safetensors");
    /// let (mut actor, mut critic): (Param, Param) = (Param::new(1.0), Param::new([2.0, 3.0]));
    /// Checkpoint::new().scope("actor").model(&actor).scope("critic").model(&critic).save(&path)?;
    /// Resume::new().scope("actor").model(&mut actor).scope("critic").model(&mut critic).load(&path)?;
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn scope(mut self, name: &str) -> Self {
        self.prefix = format!("{name}.");
        self
    }

    /// Adds the parameters and buffers of a model.
    pub fn model<T: Float, M: Module<T> + ?Sized>(mut self, model: &M) -> Self {
        let prefix = self.name("model.");
        self.arrays.extend(named_arrays(model, &prefix));
        self
    }

    /// Adds the learning rate, weight decay and direction of an optimizer, and its state for each parameter.
    pub fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(mut self, optimizer: &O) -> Self {
        let name = self.name("optimizer");
        self.metadata.insert(name, optimizer.name().into());
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

    /// Adds the state of a random number generator.
    pub fn generator(self, generator: &Generator) -> Self {
        self.generator_named("generator", generator)
    }

    pub(crate) fn generator_named(mut self, name: &str, generator: &Generator) -> Self {
        let words = generator.state().map(u64::cast_signed);
        self.add(name, Integers::new(words.to_vec(), [4]).into());
        self
    }

    /// Adds a counter, such as the epoch.
    ///
    /// # Panics
    /// If the value is 2⁶³ or more: files hold signed integers, and it could not be read again.
    #[track_caller]
    pub fn counter(mut self, name: &str, value: usize) -> Self {
        let Ok(signed) = i64::try_from(value) else {
            panics::option("counter", value as f64, "a signed integer, which files hold")
        };
        self.add(&format!("counter.{name}"), integer(signed));
        self
    }

    /// Adds a number, such as the best accuracy so far.
    pub fn number(mut self, name: &str, value: f64) -> Self {
        self.add(&format!("number.{name}"), number(value));
        self
    }

    /// Adds a [`Standardizer`](crate::data::Standardizer) or [`MinMax`](crate::data::MinMax): a model is useless without the scaling of its
    /// inputs.
    ///
    /// ```
    /// use wengert::data::Standardizer;
    /// use wengert::io::{Checkpoint, Resume};
    /// use wengert::prelude::*;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("model.safetensors");
    /// # let mut model: Linear = Linear::new(2, 2, Init::He, &mut wengert::rng(0));
    /// let inputs = Standardizer::fit(&tensor![[1.0, 200.0], [3.0, 400.0]]);
    /// let species = ["setosa".to_string(), "virginica".to_string()];
    /// Checkpoint::new().model(&model).scaling("inputs", &inputs).names("species", &species).save(&path)?;
    ///
    /// let (mut restored, mut names) = (Standardizer::default(), Vec::new());
    /// Resume::new().model(&mut model).scaling("inputs", &mut restored).names("species", &mut names).load(&path)?;
    /// assert_eq!(restored.apply(&tensor![[3.0, 400.0]]), tensor![[1.0, 1.0]]);
    /// assert_eq!(names[1], "virginica");
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn scaling(mut self, name: &str, scaling: &impl Scaling) -> Self {
        self.add(&format!("scaling.{name}"), Array::F64(scaling.numbers()));
        self
    }

    /// Adds names, such as those of the classes that [`Table::classes`](crate::data::csv::Table::classes) has found.
    pub fn names<S: AsRef<str>>(mut self, name: &str, names: &[S]) -> Self {
        let name = format!("names.{name}");
        for (k, text) in names.iter().enumerate() {
            self.metadata.insert(self.name(&format!("{name}.{k}")), text.as_ref().into());
        }
        self.add(&name, integer(names.len() as i64));
        self
    }

    /// Writes the checkpoint to a file, atomically replacing an existing one.
    ///
    /// # Errors
    /// If the file cannot be written, or two parts have the same name. An existing file is then left unchanged.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        safetensors::save(self.arrays.clone(), &self.metadata, path.as_ref())
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn add(&mut self, name: &str, array: Array) {
        self.arrays.push((self.name(name), array));
    }
}

/// A scalar in double precision.
fn number(x: f64) -> Array {
    Array::F64(Tensor::scalar(x))
}

/// A scalar integer.
fn integer(n: i64) -> Array {
    Integers::new(vec![n], ()).into()
}
