//! Checkpoints: all that a run needs to continue as if it had never stopped.

use crate::support::mnist::Network;
use crate::support::mnist::training::{Epoch, Run};
use std::error::Error;
use std::path::Path;
use wengert::io::{Checkpoint, Resume};

impl Epoch {
    /// The metrics under their names in a checkpoint.
    fn metrics(&mut self) -> [(&'static str, &mut f64); 5] {
        [
            ("train_loss", &mut self.train_loss),
            ("train_accuracy", &mut self.train_accuracy),
            ("test_loss", &mut self.test_loss),
            ("test_accuracy", &mut self.test_accuracy),
            ("seconds", &mut self.seconds),
        ]
    }
}

/// Writes a checkpoint: model, optimizer, random generator and the metrics of all epochs.
pub fn save<N: Network>(run: &Run<N>, path: &Path) -> Result<(), wengert::Error> {
    let mut checkpoint = Checkpoint::new()
        .model(&run.model)
        .optimizer(&*run.optimizer)
        .generator(&run.rng)
        .counter("epochs", run.history.len());
    for (index, mut epoch) in run.history.iter().copied().enumerate() {
        for (name, value) in epoch.metrics() {
            checkpoint = checkpoint.number(&format!("{index}.{name}"), *value);
        }
    }
    checkpoint.save(path)
}

/// Restores a run from a checkpoint.
pub fn resume<N: Network>(run: &mut Run<N>, path: &Path, max_epochs: usize) -> Result<(), Box<dyn Error>> {
    let mut epochs = 0;
    Resume::new()
        .model(&mut run.model)
        .optimizer(&mut *run.optimizer)
        .generator(&mut run.rng)
        .counter("epochs", &mut epochs)
        .load(path)?;
    if epochs > max_epochs {
        return Err(format!("{path:?}: written after epoch {epochs}, and --epochs is {max_epochs}").into());
    }
    run.history = vec![Epoch::default(); epochs];
    let mut metrics = Resume::new();
    for (index, epoch) in run.history.iter_mut().enumerate() {
        for (name, value) in epoch.metrics() {
            metrics = metrics.number(&format!("{index}.{name}"), value);
        }
    }
    Ok(metrics.load(path)?)
}
