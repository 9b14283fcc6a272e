//! Loading of weights whose names, layout or completeness differ from those of the model.

use crate::autograd::Param;
use crate::error::{Error, Mismatch, shortened};
use crate::io::array::Array;
use crate::io::contents::{Contents, StoredArray, WeightFile, by_name};
use crate::io::validate::{self, NOTHING, Validator, Values};
use crate::io::{npz, pytorch, safetensors, zip};
use crate::nn::Module;
use crate::tensor::Float;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Display, Formatter};
use std::path::Path;

/// How many names a report shows of each list.
const SHOWN: usize = 10;
/// How many characters of a name a report shows.
const NAME_LENGTH: usize = 80;

/// Loads the weights of a file into a model whose names, layout or completeness differ.
///
/// The file may be [safetensors](super::safetensors), the index of a model in several of them (`model.safetensors.index.json`), a file of
/// [PyTorch](super::pytorch), or [npz](super::npz); the content determines the format. Half precision is widened. Arrays are read from
/// their places in the file one after another, so that loading needs the memory of the new values and no more.
///
/// Names in the file become paths of the model by the steps added here, in order. By default there are none, and each
/// name of the file must be a path of the model and the other way around.
///
/// This is a layer of GPT-2 in the names and the layout of its publishers, loaded into a linear layer:
///
/// ```
/// use wengert::io::{self, Array, LoadOptions};
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("model.safetensors");
/// let weight = Array::BF16(tensor![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]); // [in, out]
/// let arrays = [("h.0.mlp.c_fc.weight", weight), ("h.0.mlp.c_fc.bias", tensor![7.0, 8.0].into())];
/// io::safetensors::write(arrays, &path)?;
///
/// let mut model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
/// let report = LoadOptions::new()
///     .strip_prefix("h.0.")
///     .replace("mlp.c_fc.", "")
///     .transpose(|path| path == "weight")
///     .load(&mut model, &path)?;
/// assert_eq!(model.weight.value(), &tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(report.to_string(), "2 of 2 parameters and buffers loaded");
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Default)]
#[must_use = "nothing is loaded until `load`"]
pub struct LoadOptions<'a> {
    steps: Vec<Rename<'a>>,
    transposed: Option<Predicate<'a>>,
    tied: Vec<(String, String)>,
    allow_extra: bool,
    allow_missing: bool,
    allow_rounding: bool,
}

/// The next form of a name; `None` leaves the array out.
type Rename<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;
type Predicate<'a> = Box<dyn Fn(&str) -> bool + 'a>;

impl<'a> LoadOptions<'a> {
    /// Names and shapes must match exactly.
    pub fn new() -> Self {
        LoadOptions::default()
    }

    /// Keeps only the arrays whose names begin with a prefix, and removes that prefix.
    pub fn strip_prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.rename(move |name| name.strip_prefix(&prefix).map(str::to_string))
    }

    /// Puts a prefix in front of every name.
    pub fn add_prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.rename(move |name| format!("{prefix}{name}"))
    }

    /// Replaces every occurrence of a text in the names, like [`str::replace`].
    pub fn replace(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        let (from, to) = (from.into(), to.into());
        self.rename(move |name| name.replace(&from, &to))
    }

    /// Renames by a function. An array for which it returns `None` is skipped: a mask that PyTorch keeps as a buffer, for example.
    ///
    /// ```
    /// use wengert::io::LoadOptions;
    ///
    /// let no_masks = LoadOptions::new().rename(|name| (!name.ends_with(".attn.bias")).then(|| name.to_string()));
    /// # let _ = no_masks;
    /// ```
    pub fn rename<N: Into<Option<String>>>(mut self, rename: impl Fn(&str) -> N + 'a) -> Self {
        self.steps.push(Box::new(move |name| rename(name).into()));
        self
    }

    /// Reverses the axes of the arrays for those paths of the model for which the predicate holds: for weights stored as
    /// `[in, out]`.
    pub fn transpose(mut self, predicate: impl Fn(&str) -> bool + 'a) -> Self {
        self.transposed = Some(Box::new(predicate));
        self
    }

    /// Declares two names, after renaming, to be one weight, such as the embedding of a language model and its output layer.
    ///
    /// Where the file has only one of them, it serves for both in the model; where the model has only one, either of the file
    /// serves, and both must be equal.
    ///
    /// ```
    /// use wengert::io::{self, LoadOptions};
    /// use wengert::prelude::*;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("model.safetensors");
    /// io::safetensors::write([("head.weight", tensor![[1.0, 2.0]])], &path)?;
    ///
    /// struct Model { embedding: Embedding }
    /// module!(Model { embedding });
    ///
    /// let mut model = Model { embedding: Embedding::new(1, 2, Init::Constant(0.0), &mut wengert::rng(0)) };
    /// LoadOptions::new().tie("head.weight", "embedding.weight").load(&mut model, &path)?;
    /// assert_eq!(model.embedding.weight.value(), &tensor![[1.0, 2.0]]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn tie(mut self, a: impl Into<String>, b: impl Into<String>) -> Self {
        self.tied.push((a.into(), b.into()));
        self
    }

    /// Ignores arrays for which the model has no place; the report lists them.
    pub fn allow_extra(mut self) -> Self {
        self.allow_extra = true;
        self
    }

    /// Leaves parameters and buffers that are not in the file unchanged; the report lists them.
    pub fn allow_missing(mut self) -> Self {
        self.allow_missing = true;
        self
    }

    /// Allows extra and missing names if false, as in PyTorch's `load_state_dict`. Shapes must match in any case.
    pub fn strict(mut self, strict: bool) -> Self {
        (self.allow_extra, self.allow_missing) = (!strict, !strict);
        self
    }

    /// Rounds double precision to single if the model is in single precision. Numbers beyond its range stay an error.
    pub fn allow_rounding(mut self) -> Self {
        self.allow_rounding = true;
        self
    }

    /// Loads a model.
    ///
    /// # Errors
    /// If the file cannot be read or does not match the model: [`Error::Mismatch`] lists every difference. The model is then left
    /// unchanged.
    pub fn load<T: Float, M: Module<T> + ?Sized>(
        &self,
        model: &mut M,
        path: impl AsRef<Path>,
    ) -> Result<LoadReport, Error> {
        let (values, report) = self.prepare(&model.parameters(), &contents(path.as_ref())?, path.as_ref())?;
        validate::assign(model, values);
        Ok(report)
    }

    /// Loads a model from arrays that are in memory, by their names.
    ///
    /// # Errors
    /// As [`load`](Self::load), if the arrays do not match the model.
    ///
    /// ```
    /// use wengert::io::LoadOptions;
    /// use wengert::prelude::*;
    ///
    /// let mut model: Linear = Linear::new(2, 1, Init::He, &mut wengert::rng(0));
    /// let arrays = [("w", tensor![[1.0, 2.0]]), ("b", tensor![3.0])];
    /// LoadOptions::new().replace("w", "weight").replace("b", "bias").load_arrays(&mut model, arrays)?;
    /// assert_eq!(model.weight.value(), &tensor![[1.0, 2.0]]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[doc(alias = "load_state_dict")]
    pub fn load_arrays<T: Float, M: Module<T> + ?Sized, N: Into<String>, A: Into<Array>>(
        &self,
        model: &mut M,
        arrays: impl IntoIterator<Item = (N, A)>,
    ) -> Result<LoadReport, Error> {
        let arrays = by_name(arrays.into_iter().map(|(name, array)| (name.into(), array.into())));
        let (values, report) = self.prepare(&model.parameters(), &arrays.into(), Path::new("arrays"))?;
        validate::assign(model, values);
        Ok(report)
    }

    /// The new values of a model, and what they come from.
    #[inline(never)]
    fn prepare<T: Float>(
        &self,
        parameters: &[(String, &Param<T>)],
        contents: &Contents,
        path: &Path,
    ) -> Result<(Values<T>, LoadReport), Error> {
        let renamed = self.renamed(contents, path)?;
        let mut validator = Validator::new(contents);
        validator.rounds = self.allow_rounding;
        let (mut plan, mut values, mut report) = (Vec::new(), Values::new(), LoadReport::default());
        for (path, param) in parameters {
            let found = self.names(path).find_map(|name| renamed.get(name));
            if found.is_none() && self.allow_missing {
                report.missing.push(path.clone());
                continue;
            }
            let array = found.map(|(_, array)| match &self.transposed {
                Some(transposed) if transposed(path) => array.transposed(),
                _ => (*array).clone(),
            });
            report.loaded.extend(found.map(|(name, _)| (path.clone(), name.to_string())));
            if !validator.fits::<T>(path, param.shape(), array.as_ref()) {
                continue;
            }
            // Whether integers fit is known once they are read; nothing else is read before all fits.
            match array {
                Some(array) if array.dtype().is_integer() => {
                    values.extend(validator.values(path, &array).map(|value| (path.clone(), value)))
                }
                array => plan.extend(array.map(|array| (path, array))),
            }
        }
        self.account_for_extra(&renamed, parameters, &mut validator, &mut report);
        for (path, array) in plan {
            values.extend(validator.values(path, &array).map(|value| (path.clone(), value)));
        }
        validator.finish(path)?;
        Ok((values, report))
    }

    /// The arrays by their names after renaming, with those before it.
    fn renamed<'c>(&self, contents: &'c Contents, path: &Path) -> Result<Renamed<'c>, Error> {
        let (mut renamed, mut mismatches) = (Renamed::new(), Vec::new());
        for (name, array) in &contents.arrays {
            let target = self.steps.iter().try_fold(name.clone(), |name, step| step(&name));
            let Some(target) = target else { continue };
            if let Some((other, _)) = renamed.insert(target.clone(), (name, array)) {
                mismatches.push(Mismatch::new(&target, "one array", format!("both {other} and {name}")));
            }
        }
        Error::check_mismatches(path, mismatches)?;
        Ok(renamed)
    }

    /// A name and those that are tied to it.
    fn names<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n str> {
        let others = self.tied.iter().filter_map(move |(a, b)| match name {
            _ if name == a => Some(b.as_str()),
            _ if name == b => Some(a.as_str()),
            _ => None,
        });
        std::iter::once(name).chain(others)
    }

    /// Reports the arrays for which the model has no place. Of tied arrays it has one for all, which must be equal.
    fn account_for_extra<T: Float>(
        &self,
        renamed: &Renamed,
        parameters: &[(String, &Param<T>)],
        validator: &mut Validator,
        report: &mut LoadReport,
    ) {
        let known: BTreeSet<&str> = parameters.iter().map(|(path, _)| path.as_str()).collect();
        for (target, (name, array)) in renamed.iter().filter(|(target, _)| !known.contains(target.as_str())) {
            let owner = self.names(target).skip(1).find(|other| known.contains(other));
            match owner.map(|owner| (owner, renamed.get(owner))) {
                Some((_, None)) => {}
                Some((owner, Some((_, other)))) => {
                    if !array.is(other) && validator.read(name, array) != validator.read(owner, other) {
                        validator.report(target, format!("the elements of {owner}, to which it is tied"), "others");
                    }
                }
                None if self.allow_extra => report.extra.push(name.to_string()),
                None => validator.report(name, NOTHING, array.describe()),
            }
        }
    }
}

/// Arrays by the names that they are given, each with the name in the file.
type Renamed<'a> = BTreeMap<String, (&'a str, &'a StoredArray)>;

impl Debug for LoadOptions<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("steps", &self.steps.len())
            .field("tied", &self.tied)
            .field("allow_extra", &self.allow_extra)
            .field("allow_missing", &self.allow_missing)
            .field("allow_rounding", &self.allow_rounding)
            .finish_non_exhaustive()
    }
}

/// What [`LoadOptions::load`] used of a file. It prints as a few lines, whatever the number and the length of the names.
///
/// ```
/// use wengert::io::{self, LoadOptions};
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("model.safetensors");
/// io::safetensors::write([("weight", tensor![[1.0]]), ("scale", tensor![2.0])], &path)?;
/// let mut model: Linear = Linear::new(1, 1, Init::He, &mut wengert::rng(0));
/// let report = LoadOptions::new().strict(false).load(&mut model, &path)?;
/// assert_eq!(
///     report.to_string(),
///     "1 of 2 parameters and buffers loaded\nmissing in the file (1): bias\nleft over (1): scale"
/// );
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The paths of the parameters and buffers that were loaded, each with the name in the file.
    pub loaded: Vec<(String, String)>,
    /// The paths for which the file has nothing.
    pub missing: Vec<String>,
    /// The names in the file for which the model has no place. Arrays that a prefix or a function excludes are not listed.
    pub extra: Vec<String>,
}

impl Display for LoadReport {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let (loaded, all) = (self.loaded.len(), self.loaded.len() + self.missing.len());
        write!(f, "{loaded} of {all} parameters and buffers loaded")?;
        list(f, "missing in the file", &self.missing)?;
        list(f, "left over", &self.extra)
    }
}

/// The contents of a file of weights, whose first bytes tell the format, or of an index of several.
fn contents(path: &Path) -> Result<Contents, Error> {
    if safetensors::is_index(path) {
        return safetensors::sharded(path);
    }
    let file = WeightFile::open(path)?;
    match &file.bytes(0, file.length.min(4))?[..] {
        b"PK\x03\x04" => {
            let archive = zip::Archive::open(&file)?;
            if pytorch::is_archive(&archive) {
                pytorch::contents(&file, archive)
            } else {
                Ok(npz::arrays(&file, archive)?.into())
            }
        }
        // Protocol 2, and a number of ten bytes; as the length of a header it would be too large.
        [0x80, 2, 0x8a, 10] => Err(pytorch::without_archive(path)),
        _ => safetensors::contents(&file),
    }
}

/// The beginning of a list of names.
fn list(f: &mut Formatter, what: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    write!(f, "\n{what} ({}): ", names.len())?;
    for (k, name) in names.iter().take(SHOWN).enumerate() {
        write!(f, "{}{}", if k > 0 { ", " } else { "" }, shortened(name, NAME_LENGTH))?;
    }
    if names.len() > SHOWN { write!(f, " and {} more", names.len() - SHOWN) } else { Ok(()) }
}
