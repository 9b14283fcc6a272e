//! What a checkpoint holds of a training loop.

use crate::error::Error;
use crate::file;
use crate::generator::Generator;
use crate::io::validate::{Validator, Values, assign};
use crate::io::{Checkpoint, Resume, named_arrays};
use crate::nn::Module;
use crate::optim::StoppingState;
use crate::tensor::{Float, Tensor};
use crate::training::{Fit, History};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The names of the parts.
const METRICS: &str = "fit.metrics";
const EPOCHS: &str = "fit.epochs";
const ORDER: &str = "fit.order";
const STOPPING: &str = "fit.stopping";
const BEST: &str = "fit.best.";

impl Checkpoint {
    /// Adds a training loop and its model: the history, the position in the epoch, the patience, and the best model. [`Resume::fit`]
    /// continues it to the same bits.
    ///
    /// ```
    /// use wengert::data::Samples;
    /// use wengert::io::{Checkpoint, Resume};
    /// use wengert::prelude::*;
    /// use wengert::training::Fit;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let path = directory.path().join("run.safetensors");
    /// let mut rng = wengert::rng(0);
    /// let data = Samples::new(Tensor::<f32>::randn([32, 3], &mut rng), Tensor::<f32>::ones([32, 1]));
    /// let (mut model, mut optimizer) = (Linear::new(3, 1, Init::He, &mut rng), Adam::new(0.1));
    /// let mut fit = Fit::new(3);
    /// if path.exists() {
    ///     Resume::new().fit(&mut fit, &mut model).optimizer(&mut optimizer).generator(&mut rng).load(&path)?;
    /// }
    /// while fit.next_epoch() {
    ///     for batch in fit.batches(&mut rng, |rng| data.batches(8).shuffled(rng)) {
    ///         let loss = model.forward(&Tape::training(&mut rng).constant(batch.inputs)).mse_loss(&batch.targets, Reduction::Mean);
    ///         fit.step(loss, &mut model, &mut optimizer)?;
    ///     }
    ///     Checkpoint::new().fit(&fit, &model).optimizer(&optimizer).generator(&rng).save_epoch(&path, &fit, 2)?;
    /// }
    /// assert!(path.with_file_name("run.epoch-3.safetensors").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fit<T: Float, M: Module<T> + Clone>(mut self, fit: &Fit<M>, model: &M) -> Self {
        self = self.model(model);
        let (names, epochs, metrics) = fit.history.to_numbers();
        let name = self.name(METRICS);
        self.metadata.insert(name, names.join("\n"));
        let count = fit.epoch();
        self.add(METRICS, Tensor::from_vec(metrics, [count, names.len(), 4]).into());
        self.add(EPOCHS, Tensor::from_vec(epochs, [count, 3]).into());
        let state = *fit.stopping.state();
        let stopping = [state.best, state.best_epoch as f64, state.epochs as f64, state.bad_epochs as f64];
        self.add(STOPPING, Tensor::from_slice(&stopping, [4]).into());
        if let Some(best) = &fit.best {
            let prefix = self.name(BEST);
            self.arrays.extend(named_arrays(best, &prefix));
        }
        match &fit.order {
            Some(order) if fit.open => self.generator_named(ORDER, order),
            _ => self,
        }
    }

    /// Writes the checkpoint at the end of an epoch, and copies it to `run.epoch-3.safetensors`, of which the last `keep` are kept, and
    /// after the best validation so far to `run.best.safetensors`.
    ///
    /// # Errors
    /// As [`save`](Checkpoint::save), and if a copy that is no longer kept cannot be removed.
    pub fn save_epoch<M: Clone>(&self, path: impl AsRef<Path>, fit: &Fit<M>, keep: usize) -> Result<(), Error> {
        let path = path.as_ref();
        self.save(path)?;
        let of_epoch = |epoch: usize| beside(path, &format!("epoch-{epoch}"));
        file::copy(path, &of_epoch(fit.epoch()))?;
        if fit.is_best() {
            file::copy(path, &beside(path, "best"))?;
        }
        if let Some(old) = fit.epoch().checked_sub(keep.max(1)).filter(|&old| old > 0).map(of_epoch) {
            match fs::remove_file(&old) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io(&old)(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A path with a word before its extension.
fn beside(path: &Path, word: &str) -> PathBuf {
    let extension = path.extension().map_or(String::new(), |extension| format!(".{}", extension.display()));
    path.with_extension(format!("{word}{extension}"))
}

impl<'a> Resume<'a> {
    /// Restores a training loop and its model; see [`Checkpoint::fit`] for an example. The number of epochs, the schedule, the bound for
    /// clipping and the patience are not restored: they are those with which the program creates the loop.
    pub fn fit<T: Float, M: Module<T> + Clone>(self, fit: &'a mut Fit<M>, model: &'a mut M) -> Self {
        let (prefix, best) = (self.name("model."), self.name(BEST));
        let names = [METRICS, EPOCHS, STOPPING, ORDER].map(|name| self.name(name));
        self.part(move |validator| {
            let values = validator.model(&*model, &prefix);
            let best = validator.has_prefix(&best).then(|| validator.model(&*model, &best));
            let restored = Restored::read(validator, &names)?;
            Some(Box::new(move || {
                assign(model, values);
                restored.assign(fit, &*model, best);
            }))
        })
    }
}

/// The state of a loop in a file.
struct Restored {
    history: History,
    stopping: [f64; 4],
    order: Option<Generator>,
}

impl Restored {
    fn read(validator: &mut Validator, [metrics, epochs, stopping, order]: &[String; 4]) -> Option<Self> {
        let text = validator.text(metrics)?;
        let names: Vec<&str> = text.split('\n').collect();
        let count = validator.first_axis(epochs);
        let own = validator.tensor::<f64>(epochs, &[count, 3]);
        let states = validator.tensor::<f64>(metrics, &[count, names.len(), 4]);
        let stopping = validator.tensor::<f64>(stopping, &[4]);
        let order = match validator.has_prefix(order) {
            true => Some(Generator::from_state(validator.generator(order)?)),
            false => None,
        };
        let history = History::from_numbers(&names, own?.as_slice(), states?.as_slice());
        if history.is_none() {
            validator.report(epochs, "numbers of steps that grow", "others");
        }
        Some(Restored { history: history?, stopping: stopping?.as_slice().try_into().ok()?, order })
    }

    fn assign<T: Float, M: Module<T> + Clone>(self, fit: &mut Fit<M>, model: &M, best: Option<Values<T>>) {
        fit.best = best.map(|values| {
            let mut best = model.clone();
            assign(&mut best, values);
            best
        });
        let [best, counts @ ..] = self.stopping;
        let [best_epoch, epochs, bad_epochs] = counts.map(|count| count as usize);
        *fit.stopping.state_mut() = StoppingState { best, best_epoch, epochs, bad_epochs };
        // An order without an epoch is that of a damaged file.
        fit.open = self.order.is_some() && !self.history.epochs().is_empty();
        fit.resumed = fit.open;
        (fit.history, fit.order) = (self.history, self.order);
    }
}
