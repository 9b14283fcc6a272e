//! Saving and loading of models, checkpoints, and arrays shared with numpy.
//!
//! | item | what it is for |
//! |---|---|
//! | [`save`], [`load`] | the parameters and buffers of a model |
//! | [`SaveOptions`], [`LoadOptions`] | the same in half precision, under other names, in part |
//! | [`Checkpoint`], [`Resume`] | the complete state of a training run |
//! | [`safetensors`], [`npy`], [`npz`], [`pytorch`] | arrays in common file formats |
//! | [`onnx`] | models for other runtimes |
//!
//! Files are replaced atomically: a temporary file is written, synced and renamed, so neither a crash nor a full disk
//! loses the previous content; a temporary file that a crash leaves is removed by the next save of the same file. Models and checkpoints
//! have a checksum, which is verified when they are loaded. Files are not trusted when read: a malformed one results in an [`Error`], and memory use
//! is bounded by the size of the file, whatever its header claims.

mod array;
mod checkpoint;
mod contents;
mod half;
mod json;
mod load;
pub mod npy;
pub mod npz;
pub mod onnx;
mod pickle;
pub(crate) mod protobuf;
pub mod pytorch;
mod resume;
pub mod safetensors;
mod save;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod validate;
mod zip;

use crate::error::Error;
use crate::nn::Module;
use crate::tensor::Float;
use std::collections::BTreeMap;
use std::path::Path;

pub use crate::error::Mismatch;
pub use array::{Array, Integers, Precision};
pub use checkpoint::Checkpoint;
pub(crate) use json::quoted;
pub use load::{LoadOptions, LoadReport};
pub use resume::Resume;
pub use save::SaveOptions;

/// Saves the parameters and buffers of a model to a safetensors file, named by their paths, such as `layers.0.weight`.
///
/// Python reads the file with `safetensors.torch.load_file` or `safetensors.numpy.load_file`.
///
/// # Errors
/// If the file cannot be written. An existing file is then left unchanged.
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
#[doc(alias("save_weights", "torch.save", "save_file"))]
pub fn save<T: Float, M: Module<T> + ?Sized>(model: &M, path: impl AsRef<Path>) -> Result<(), Error> {
    safetensors::save(named_arrays(model, ""), &BTreeMap::new(), path.as_ref())
}

/// Loads the parameters and buffers of a model from a safetensors file or another that [`LoadOptions`] reads. Names and shapes
/// must match exactly, and the file must contain nothing else; `LoadOptions` renames, transposes, and loads parts.
///
/// Lossless conversions are allowed: from half or single precision to that of the model, and from integers that it can
/// represent, such as PyTorch's `num_batches_tracked`. Double to single precision is an error;
/// [`LoadOptions::allow_rounding`] rounds.
///
/// # Errors
/// If the file cannot be read or does not match the model: [`Error::Mismatch`] lists every difference. The model is
/// then left unchanged.
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
#[doc(alias("load_state_dict", "load_weights", "torch.load"))]
pub fn load<T: Float, M: Module<T> + ?Sized>(model: &mut M, path: impl AsRef<Path>) -> Result<(), Error> {
    LoadOptions::new().load(model, path).map(|_| ())
}

/// The parameters and buffers of a model, named by a prefix and their paths.
pub(crate) fn named_arrays<T: Float, M: Module<T> + ?Sized>(model: &M, prefix: &str) -> Vec<(String, Array)> {
    let parameters = model.parameters().into_iter();
    parameters.map(|(path, param)| (format!("{prefix}{path}"), Array::from(param.value()))).collect()
}
