//! Files of tensors: models, checkpoints, and arrays that come from numpy or go there.
//!
//! | | |
//! |---|---|
//! | [`save`], [`load`] | the parameters and buffers of a model, as safetensors |
//! | [`Checkpoint`], [`Resume`] | all that a run needs to go on as if it had never stopped |
//! | [`safetensors`], [`npy`], [`npz`] | named arrays in the formats of others |
//!
//! Files are replaced as a whole: a new one is written aside, stored, and renamed, so that neither a crash nor a full disk
//! loses what was there before. Files that are read are not trusted: whatever is in them, the worst that comes of it is an
//! [`Error`], and memory grows with what they hold, not with what they claim.

mod array;
mod checkpoint;
mod file;
mod fit;
mod json;
pub mod npy;
pub mod npz;
mod resume;
pub mod safetensors;

use crate::error::Error;
use crate::nn::Module;
use crate::tensor::Float;
use fit::Fit;
use safetensors::Contents;
use std::collections::BTreeMap;
use std::path::Path;

pub use crate::error::Misfit;
pub use array::{Array, Integers};
pub use checkpoint::Checkpoint;
pub use resume::Resume;

/// Writes the parameters and buffers of a model to a safetensors file, under their paths, such as `layers.0.weight`.
///
/// Other programs read it too: in Python it is what `safetensors.torch.load_file` and `safetensors.numpy.load_file` take.
///
/// # Errors
/// If the file cannot be written: then it is as it was before.
///
/// ```
/// use wengert::io;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("model.safetensors");
/// let model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
/// io::save(&model, &path)?;
///
/// let mut other: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(1));
/// io::load(&mut other, &path)?;
/// assert_eq!(other.weight.value(), model.weight.value());
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn save<T: Float, M: Module<T> + ?Sized>(model: &M, path: impl AsRef<Path>) -> Result<(), Error> {
    safetensors::save(arrays_of(model, ""), &BTreeMap::new(), path.as_ref())
}

/// Puts the tensors of a safetensors file in the place of a model's parameters and buffers, each of which must be there in
/// its shape, and nothing else.
///
/// The file may be of single precision and the model of double, and whole numbers may stand for a parameter or buffer that
/// holds them, such as PyTorch's `num_batches_tracked`: no number changes. `F64` for a model of single precision is
/// refused; [`Array::tensor`] rounds where that is wanted.
///
/// # Errors
/// If the file cannot be read, or something does not fit: [`Error::Misfit`] lists all of it. Then the model is as it was before.
///
/// ```
/// use wengert::io;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("model.safetensors");
/// let model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
/// io::save(&model, &path)?;
/// let mut wider: Linear = Linear::new(4, 2, Init::He, &mut wengert::rng(0));
/// let error = io::load(&mut wider, &path).unwrap_err().to_string();
/// assert!(error.contains("weight: expected F32 [2, 4], found F32 [2, 3]"));
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn load<T: Float, M: Module<T> + ?Sized>(model: &mut M, path: impl AsRef<Path>) -> Result<(), Error> {
    let contents = Contents::read(path.as_ref())?;
    let mut fit = Fit::new(&contents);
    let values = fit.model(&*model, "");
    fit.finish(path.as_ref())?;
    fit::put(model, values);
    Ok(())
}

/// The parameters and buffers of a model under their paths, with a prefix.
fn arrays_of<T: Float, M: Module<T> + ?Sized>(model: &M, prefix: &str) -> Vec<(String, Array)> {
    let parameters = model.parameters().into_iter();
    parameters.map(|(path, param)| (format!("{prefix}{path}"), Array::from(param.value()))).collect()
}
