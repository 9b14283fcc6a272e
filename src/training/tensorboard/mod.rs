//! Event files, which TensorBoard shows: curves, histograms, images, texts and the graph of a run.

mod image;
mod messages;
mod record;

use crate::autograd::{Gradients, Tape};
use crate::error::Error;
use crate::inspect::Graph;
use crate::io::protobuf::Message;
use crate::nn::Module;
use crate::tensor::{Float, Tensor};
use crate::training::Epoch;
use image::Image;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime};

/// A new event file in a directory, which `tensorboard --logdir DIRECTORY` shows while it grows.
///
/// Values have a name, whose part before a slash is the group in which they are shown, and the step at which they were measured. An
/// event is in the file when the call returns. A run that is resumed writes another file into the same directory.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::training::tensorboard::EventWriter;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let directory = directory.path();
/// let model: Linear = Linear::new(4, 2, Init::He, &mut wengert::rng(0));
/// let tape = Tape::new();
/// tape.name_parameters(&model);
/// let loss = model.forward(&tape.constant(Tensor::ones([3, 4]))).square().mean();
///
/// let mut events = EventWriter::create(directory.join("first run"))?;
/// events.graph(&tape)?;
/// events.scalar("loss", 0, loss.item())?;
/// events.gradients(0, &model, &loss.backward())?;
/// events.image("digit", 0, &Tensor::<f32>::zeros([28, 28]))?;
/// # Ok::<(), wengert::Error>(())
/// ```
#[doc(alias("SummaryWriter", "tfevents", "add_scalar", "add_histogram", "tf.summary"))]
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Creates the directory, if there is none, and a file in it.
    ///
    /// # Errors
    /// If that fails.
    pub fn create(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory).map_err(Error::io(directory))?;
        let (now, id) = (now(), process::id());
        let mut count = 0;
        loop {
            // Files are read in the order of their names.
            let path = directory.join(format!("events.out.tfevents.{:010}.{id}.{count}", now.as_secs()));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut writer = EventWriter { path, file };
                    writer.event(0, |event| event.text(3, "brain.Event:2"))?;
                    return Ok(writer);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => count += 1,
                Err(error) => return Err(Error::io(&path)(error)),
            }
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a number; the file has it in single precision.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn scalar(&mut self, name: &str, step: usize, value: impl Into<f64>) -> Result<(), Error> {
        self.summary(step, &messages::scalar(name, value.into()))
    }

    /// Writes the learning rate and the metrics of an epoch, at its last step.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn epoch(&mut self, epoch: &Epoch) -> Result<(), Error> {
        self.scalar("learning_rate", epoch.steps, epoch.learning_rate)?;
        epoch.metrics().try_for_each(|(name, value)| self.scalar(name, epoch.steps, value))
    }

    /// Writes how values are distributed: their numbers in 30 equal intervals, without those that are infinite or NaN.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn histogram<T: Float>(&mut self, name: &str, step: usize, values: &Tensor<T>) -> Result<(), Error> {
        let values: Vec<f64> = values.iter().map(|x| x.to_f64()).collect();
        self.summary(step, &messages::histogram(name, &values))
    }

    /// Writes a histogram of each parameter of a model, under its path.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn parameters<T: Float, M: Module<T> + ?Sized>(&mut self, step: usize, model: &M) -> Result<(), Error> {
        let parameters = model.parameters().into_iter();
        parameters
            .filter(|(_, param)| param.is_trainable())
            .try_for_each(|(path, param)| self.histogram(&format!("parameters/{path}"), step, param.value()))
    }

    /// Writes a histogram of the gradient of each parameter of a model that has one, under its path.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn gradients<T: Float, M: Module<T> + ?Sized>(
        &mut self,
        step: usize,
        model: &M,
        gradients: &Gradients<T>,
    ) -> Result<(), Error> {
        let parameters = model.parameters().into_iter();
        parameters
            .filter_map(|(path, param)| Some((path, gradients.get(param)?)))
            .try_for_each(|(path, gradient)| self.histogram(&format!("gradients/{path}"), step, gradient))
    }

    /// Writes an image, `[H, W]` or `[1, H, W]` in gray or `[3, H, W]` in red, green and blue, with values from 0 to 1; others are
    /// clamped.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// # Panics
    /// If the tensor has another shape, or a size is 0.
    #[track_caller]
    pub fn image<T: Float>(&mut self, name: &str, step: usize, image: &Tensor<T>) -> Result<(), Error> {
        let image = Image::of("EventWriter::image", image);
        self.summary(step, &messages::image(name, &image))
    }

    /// Writes a text, which is shown as Markdown.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn text(&mut self, name: &str, step: usize, text: &str) -> Result<(), Error> {
        self.summary(step, &messages::text(name, text))
    }

    /// Writes the graph of a tape. After [`name_parameters`](Tape::name_parameters) its operations are grouped by module.
    ///
    /// # Errors
    /// If the file cannot be written.
    #[doc(alias = "add_graph")]
    pub fn graph<T: Float>(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        let graph = messages::graph(&Graph::of(tape));
        self.event(0, |event| event.message(4, &graph))
    }

    fn summary(&mut self, step: usize, summary: &Message) -> Result<(), Error> {
        self.event(step, |event| event.message(5, summary))
    }

    /// Appends an event to the file, in one piece.
    fn event(&mut self, step: usize, fields: impl FnOnce(Message) -> Message) -> Result<(), Error> {
        let event = messages::event(now().as_secs_f64(), step, fields);
        self.file.write_all(&record::record(event.as_bytes())).map_err(Error::io(&self.path))
    }
}

/// The time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
