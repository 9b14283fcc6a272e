//! Checkpoints: all that a run needs to continue as if it had never stopped.

use crate::support::mnist::Network;
use crate::support::mnist::training::{Epoch, Run, Score};
use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use wengert::io::{Checkpoint, Resume};
use wengert::metrics::Mean;

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

/// Writes a checkpoint: model, optimizer, random generator, the metrics of all epochs, and how far the current one has got.
///
/// With `keep`, that of a completed epoch also stays under a name of its own until as many others have followed, and the best one as
/// long as none is better.
pub fn save<N: Network>(run: &Run<N>, path: &Path, keep: Option<usize>) -> Result<(), Box<dyn Error>> {
    let checkpoint = checkpoint(run);
    checkpoint.save(path)?;
    let (Some(keep), 0, Some((last, earlier))) = (keep, run.progress.steps, run.history.split_last()) else {
        return Ok(());
    };
    let of_epoch = |epoch: usize| beside(path, &format!("epoch-{epoch}"));
    let epoch = run.history.len();
    checkpoint.save(of_epoch(epoch))?;
    if earlier.iter().all(|other| other.test_accuracy < last.test_accuracy) {
        checkpoint.save(beside(path, "best"))?;
    }
    if let Some(old) = epoch.checked_sub(keep).filter(|&old| old > 0).map(of_epoch) {
        match fs::remove_file(&old) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(format!("{old:?}: {error}").into()),
            _ => {}
        }
    }
    Ok(())
}

/// A path with a word before its extension: `run.best.safetensors`.
fn beside(path: &Path, word: &str) -> PathBuf {
    let extension = path.extension().map_or(String::new(), |extension| format!(".{}", extension.display()));
    path.with_extension(format!("{word}{extension}"))
}

fn checkpoint<N: Network>(run: &Run<N>) -> Checkpoint {
    let progress = &run.progress;
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
    checkpoint = checkpoint
        .scope("progress")
        .generator(&progress.order)
        .counter("steps", progress.steps)
        .number("seconds", progress.seconds);
    for (name, mean) in [("loss", progress.score.loss), ("accuracy", progress.score.accuracy)] {
        for (k, value) in mean.state().into_iter().enumerate() {
            checkpoint = checkpoint.number(&format!("{name}.{k}"), value);
        }
    }
    checkpoint
}

/// Restores a run from a checkpoint.
pub fn resume<N: Network>(run: &mut Run<N>, path: &Path, max_epochs: usize) -> Result<(), Box<dyn Error>> {
    let (mut epochs, progress) = (0, &mut run.progress);
    let mut means = [[0.0; 4]; 2];
    let mut state = Resume::new()
        .model(&mut run.model)
        .optimizer(&mut *run.optimizer)
        .generator(&mut run.rng)
        .counter("epochs", &mut epochs)
        .scope("progress")
        .generator(&mut progress.order)
        .counter("steps", &mut progress.steps)
        .number("seconds", &mut progress.seconds);
    for (name, mean) in ["loss", "accuracy"].into_iter().zip(&mut means) {
        for (k, value) in mean.iter_mut().enumerate() {
            state = state.number(&format!("{name}.{k}"), value);
        }
    }
    state.load(path)?;
    let [loss, accuracy] = means.map(Mean::from_state);
    progress.score = Score { loss, accuracy };
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
