//! The current model, and the threads that use it: one predicts, one learns.

use crate::support::serve::classifier::Classifier;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::oneshot;
use wengert::data::ImageBatch;
use wengert::prelude::*;

/// Images that are predicted together at most.
const BATCH: usize = 64;

/// A model, and how many came before it.
pub struct Version {
    pub number: usize,
    pub model: Classifier,
}

/// When a file was changed, and its length; `None` if there is none.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The model that answers, of which other threads may still use an earlier one.
pub struct Models {
    path: PathBuf,
    /// The state of the file when it was last read.
    seen: Mutex<Stamp>,
    current: Mutex<Arc<Version>>,
    predictions: AtomicUsize,
    batches: AtomicUsize,
}

impl Models {
    pub fn load(path: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let seen = Mutex::new(stamp(path));
        let current = Mutex::new(Arc::new(Version { number: 1, model: Classifier::load(path)? }));
        Ok(Models { path: path.into(), seen, current, predictions: 0.into(), batches: 0.into() })
    }

    /// Whether there is another file than the one that was read last.
    pub fn file_has_changed(&self) -> bool {
        let now = stamp(&self.path);
        now.is_some() && now != *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current model. The lock is held while a pointer is copied, and never while a model computes.
    pub fn current(&self) -> Arc<Version> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the current model, provided that it is still the one with that number. Returns whether it was.
    fn replace(&self, number: usize, model: Classifier) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let same = current.number == number;
        if same {
            *current = Arc::new(Version { number: number + 1, model });
        }
        same
    }

    /// Reads the file again. If that fails, the current model stays.
    pub fn reload(&self) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamp(&self.path);
        let model = Classifier::load(&self.path)?;
        loop {
            let number = self.current().number;
            if self.replace(number, model.clone()) {
                return Ok(number + 1);
            }
        }
    }

    /// The number of predictions so far, and of the batches in which they were computed.
    pub fn counts(&self) -> [usize; 2] {
        [&self.predictions, &self.batches].map(|count| count.load(Ordering::Relaxed))
    }

    /// Predicts until nobody can ask any more. What waits is predicted together.
    pub fn predict(&self, jobs: Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(BATCH - 1));
            let version = self.current();
            let images = version.model.images(batch.iter().map(|job| job.pixels.as_slice()));
            let probabilities = version.model.probabilities(images);
            self.predictions.fetch_add(batch.len(), Ordering::Relaxed);
            self.batches.fetch_add(1, Ordering::Relaxed);
            for (job, row) in batch.into_iter().zip(probabilities.as_slice().chunks(10)) {
                // It fails if the client is gone.
                let _ = job.reply.send(Prediction { probabilities: row.to_vec(), model: version.number });
            }
        }
    }

    /// Trains on labeled images until nobody can send any more. Each step makes a new model: the old one may be predicting.
    pub fn learn(&self, examples: Receiver<Example>) {
        let rate = 0.0005;
        let (mut optimizer, mut mine) = (Adam::new(rate), 0);
        while let Ok(first) = examples.recv() {
            let mut batch = vec![first];
            batch.extend(examples.try_iter().take(BATCH - 1));
            let labels: Vec<usize> = batch.iter().map(|example| example.label).collect();
            loop {
                let Version { number, model } = &*self.current();
                // The state of an optimizer belongs to one model, and this one was loaded.
                if *number != mine {
                    optimizer = Adam::new(rate);
                }
                let images = model.images(batch.iter().map(|example| example.pixels.as_slice()));
                let mut model = model.clone();
                model.step(&mut optimizer, &ImageBatch { images, labels: labels.clone() });
                if !model.is_finite() {
                    eprintln!("warning: not learned, because parameters would not be finite");
                    break;
                }
                mine = number + 1;
                if self.replace(*number, model) {
                    break;
                }
            }
        }
    }
}

/// An image to predict.
pub struct Job {
    pub pixels: Vec<u8>,
    pub reply: oneshot::Sender<Prediction>,
}

/// The probabilities of the classes, and the number of the model that computed them.
pub struct Prediction {
    pub probabilities: Vec<f32>,
    pub model: usize,
}

/// An image to learn from.
pub struct Example {
    pub pixels: Vec<u8>,
    pub label: usize,
}
