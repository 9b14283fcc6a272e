//! Saving of weights for other programs.

use crate::error::Error;
use crate::io::array::Precision;
use crate::io::{named_arrays, safetensors};
use crate::nn::Module;
use crate::tensor::Float;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::path::Path;

/// Saves a model as safetensors in another precision, under other names, or with metadata.
///
/// ```
/// use wengert::io::{self, LoadOptions, Precision, SaveOptions};
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("model.safetensors");
/// let model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
/// SaveOptions::new()
///     .precision(Precision::BF16)
///     .rename(|path| format!("model.{path}"))
///     .metadata("format", "pt") // which the library `transformers` asks for
///     .save(&model, &path)?;
///
/// let mut other = model.clone();
/// LoadOptions::new().strip_prefix("model.").load(&mut other, &path)?;
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Default)]
#[must_use = "nothing is saved until `save`"]
pub struct SaveOptions<'a> {
    precision: Option<Precision>,
    rename: Option<Rename<'a>>,
    metadata: BTreeMap<String, String>,
}

type Rename<'a> = Box<dyn Fn(&str) -> String + 'a>;

impl<'a> SaveOptions<'a> {
    /// The precision and the paths of the model, without metadata.
    pub fn new() -> Self {
        SaveOptions::default()
    }

    /// Stores numbers in another precision, rounded to the nearest, ties to even. Scalars, such as counters, stay as they are.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = Some(precision);
        self
    }

    /// Names arrays by a function of their paths.
    pub fn rename(mut self, rename: impl Fn(&str) -> String + 'a) -> Self {
        self.rename = Some(Box::new(rename));
        self
    }

    /// Adds a text to the header of the file.
    pub fn metadata(mut self, key: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), text.into());
        self
    }

    /// Saves the parameters and buffers of a model, atomically replacing an existing file.
    ///
    /// # Errors
    /// If the file cannot be written, or two arrays have the same name. An existing file is then left unchanged.
    pub fn save<T: Float, M: Module<T> + ?Sized>(&self, model: &M, path: impl AsRef<Path>) -> Result<(), Error> {
        let mut arrays = named_arrays(model, "");
        for (name, array) in &mut arrays {
            if let Some(rename) = &self.rename {
                *name = rename(name);
            }
            if let Some(precision) = self.precision.filter(|_| !array.shape().is_empty()) {
                *array = array.with_precision(precision);
            }
        }
        safetensors::save(arrays, &self.metadata, path.as_ref())
    }
}

impl Debug for SaveOptions<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("SaveOptions")
            .field("precision", &self.precision)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
