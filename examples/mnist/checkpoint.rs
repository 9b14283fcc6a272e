//! Checkpoints: all that a run needs to go on as if it had never stopped.

use crate::training::{Epoch, Run};
use std::error::Error;
use std::path::Path;
use wengert::io::{Checkpoint, Resume};

impl Epoch {
    /// Its numbers, by the names that they have in a checkpoint.
    fn numbers(&mut self) -> [(&'static str, &mut f64); 5] {
        [
            ("train_loss", &mut self.train_loss),
            ("train_accuracy", &mut self.train_accuracy),
            ("test_loss", &mut self.test_loss),
            ("test_accuracy", &mut self.test_accuracy),
            ("seconds", &mut self.seconds),
        ]
    }
}

/// Writes a checkpoint: model, optimizer, generator, and how the epochs went.
pub fn save(run: &Run, path: &Path) -> Result<(), wengert::Error> {
    let mut checkpoint = Checkpoint::new()
        .model(&run.model)
        .optimizer(&*run.optimizer)
        .generator(&run.rng)
        .counter("epochs", run.history.len());
    for (index, mut epoch) in run.history.iter().copied().enumerate() {
        for (name, number) in epoch.numbers() {
            checkpoint = checkpoint.number(&format!("{index}.{name}"), *number);
        }
    }
    checkpoint.save(path)
}

/// Brings a run to where a checkpoint was written.
pub fn resume(run: &mut Run, path: &Path, most_epochs: usize) -> Result<(), Box<dyn Error>> {
    let mut epochs = 0;
    Resume::new()
        .model(&mut run.model)
        .optimizer(&mut *run.optimizer)
        .generator(&mut run.rng)
        .counter("epochs", &mut epochs)
        .load(path)?;
    if epochs > most_epochs {
        return Err(format!("{path:?}: written after epoch {epochs}, and --epochs is {most_epochs}").into());
    }
    run.history = vec![Epoch::default(); epochs];
    let mut numbers = Resume::new();
    for (index, epoch) in run.history.iter_mut().enumerate() {
        for (name, number) in epoch.numbers() {
            numbers = numbers.number(&format!("{index}.{name}"), number);
        }
    }
    Ok(numbers.load(path)?)
}
