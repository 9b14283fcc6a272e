//! Validation of a file against the program: every mismatch is collected before anything is changed.

use crate::data::Scaling;
use crate::error::{Error, Mismatch};
use crate::io::array::{Array, DType, describe};
use crate::io::contents::{Contents, StoredArray};
use crate::nn::{Module, Path};
use crate::optim::{Optimizer, Settings, Slot, State};
use crate::tensor::{Float, Tensor};
use std::collections::{BTreeMap, HashSet};

/// The description of a missing entry.
pub(super) const NOTHING: &str = "nothing";

/// Looks up values in a file and collects mismatches. A lookup that returns `None` has reported one.
pub(crate) struct Validator<'a> {
    contents: &'a Contents,
    mismatches: Vec<Mismatch>,
    /// An error of reading, after which nothing more is read.
    failure: Option<Error>,
    /// Whether double precision is rounded where the program has single precision.
    pub(super) rounds: bool,
}

/// New values for a model, by the paths of its parameters and buffers.
pub(crate) type Values<T> = BTreeMap<String, Tensor<T>>;

/// Assigns new values to a model.
pub(crate) fn assign<T: Float, M: Module<T> + ?Sized>(model: &mut M, mut values: Values<T>) {
    model.visit_mut(&mut Path::new(), &mut |path, param| {
        if let Some(value) = values.remove(path.as_str()) {
            *param.value_mut() = value;
        }
    });
}

impl<'a> Validator<'a> {
    pub(super) fn new(contents: &'a Contents) -> Self {
        Validator { contents, mismatches: Vec::new(), failure: None, rounds: false }
    }

    /// Returns an error if there were mismatches, or reading failed.
    pub(super) fn finish(self, path: &std::path::Path) -> Result<(), Error> {
        match self.failure {
            Some(error) => Err(error),
            None => Error::check_mismatches(path, self.mismatches),
        }
    }

    /// Reads an array. `None` if that failed, now or before.
    pub(super) fn read(&mut self, name: &str, array: &StoredArray) -> Option<Array> {
        if self.failure.is_some() {
            return None;
        }
        array.read(name).map_err(|error| self.failure = Some(error)).ok()
    }

    /// A text of the metadata.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let text = self.contents.metadata.get(name).cloned();
        if text.is_none() {
            self.report(name, "a text", NOTHING);
        }
        text
    }

    /// The size of the first axis of an array, 0 if there is none.
    pub(crate) fn first_axis(&self, name: &str) -> usize {
        self.contents.arrays.get(name).and_then(|array| array.shape().first().copied()).unwrap_or(0)
    }

    pub(crate) fn report(&mut self, name: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.mismatches.push(Mismatch::new(name, expected, found));
    }

    /// A tensor of a given shape, converted without loss.
    pub(crate) fn tensor<T: Float>(&mut self, name: &str, shape: &[usize]) -> Option<Tensor<T>> {
        let array = self.contents.arrays.get(name);
        if self.fits::<T>(name, shape, array) { self.values(name, array?) } else { None }
    }

    /// Whether an array has a given shape and a type that converts without loss, or integers that might.
    pub(super) fn fits<T: Float>(&mut self, name: &str, shape: &[usize], array: Option<&StoredArray>) -> bool {
        let narrows = |array: &StoredArray| array.dtype() == DType::F64 && T::NAME == "f32" && !self.rounds;
        let fits = array.is_some_and(|array| array.shape() == shape && !narrows(array));
        if !fits {
            self.report(name, expected::<T>(shape), array.map_or(NOTHING.into(), StoredArray::describe));
        }
        fits
    }

    /// The elements of an array that fits. Nothing is read in vain: once there is a mismatch, only integers are.
    pub(super) fn values<T: Float>(&mut self, name: &str, array: &StoredArray) -> Option<Tensor<T>> {
        if !self.mismatches.is_empty() && !array.dtype().is_integer() {
            return None;
        }
        let tensor = self.read(name, array)?.to_rounded();
        if tensor.is_none() {
            let reason = format!("{} with values that {} cannot represent", array.describe(), T::NAME.to_uppercase());
            self.report(name, expected::<T>(array.shape()), reason);
        }
        tensor
    }

    /// Values for all parameters and buffers of a model, which must be the only arrays with the prefix.
    pub(crate) fn model<T: Float, M: Module<T> + ?Sized>(&mut self, model: &M, prefix: &str) -> Values<T> {
        let (mut values, mut known) = (Values::new(), HashSet::new());
        for (path, param) in model.parameters() {
            let name = format!("{prefix}{path}");
            if let Some(value) = self.tensor(&name, param.shape()) {
                values.insert(path, value);
            }
            known.insert(name);
        }
        self.reject_unknown(prefix, &known);
        values
    }

    /// Reports the arrays with a prefix that are not in `known`.
    fn reject_unknown(&mut self, prefix: &str, known: &HashSet<String>) {
        for (name, array) in self.with_prefix(prefix) {
            if !known.contains(name) {
                self.report(name, NOTHING, array.describe());
            }
        }
    }

    /// Whether the name of an array begins with a prefix.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        self.with_prefix(prefix).next().is_some()
    }

    /// The arrays whose names begin with a prefix.
    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a StoredArray)> + use<'a> {
        let (from, prefix) = (self.contents.arrays.range(prefix.to_string()..), prefix.to_string());
        from.map(|(name, array)| (name.as_str(), array)).take_while(move |(name, _)| name.starts_with(&prefix))
    }

    /// A scalar in double precision.
    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        match self.contents.arrays.get(name) {
            Some(array) if array.dtype() == DType::F64 && array.shape().is_empty() => {
                Some(self.read(name, array)?.tensor::<f64>().item())
            }
            other => {
                self.report(name, "F64 []", other.map_or(NOTHING.into(), StoredArray::describe));
                None
            }
        }
    }

    /// The numbers of a scaling of features.
    pub(super) fn scaling<S: Scaling>(&mut self, name: &str) -> Option<S> {
        let array = self.contents.arrays.get(name);
        let fits = |array: &&StoredArray| array.dtype() == DType::F64 && array.shape().first() == Some(&3);
        let Some(stored) = array.filter(fits) else {
            self.report(name, "F64 [3, ...]", array.map_or(NOTHING.into(), StoredArray::describe));
            return None;
        };
        let scaling = S::from_numbers(&self.read(name, stored)?.tensor());
        if scaling.is_none() {
            self.report(name, "finite offsets and positive factors", "others");
        }
        scaling
    }

    /// A list of names.
    pub(super) fn names(&mut self, name: &str) -> Option<Vec<String>> {
        // The number is that of a file, and no reason to allocate.
        let count: usize = self.integer(name, "a number of names", |_| true)?;
        let key = |k: usize| format!("{name}.{k}");
        let names: Vec<String> = (0..count).map_while(|k| self.contents.metadata.get(&key(k)).cloned()).collect();
        if names.len() < count {
            self.report(&key(names.len()), "a name", NOTHING);
            return None;
        }
        Some(names)
    }

    /// A finite, non-negative number.
    fn factor(&mut self, name: &str) -> Option<f64> {
        let factor = self.number(name)?;
        let fits = (0.0..f64::INFINITY).contains(&factor);
        if !fits {
            self.report(name, "a non-negative number", factor.to_string());
        }
        fits.then_some(factor)
    }

    /// The elements of an integer array of a given shape.
    pub(super) fn integers(&mut self, name: &str, shape: &[usize]) -> Option<Vec<i64>> {
        let array = self.contents.arrays.get(name);
        match array.filter(|array| array.dtype().is_integer() && array.shape() == shape) {
            Some(array) => match self.read(name, array)? {
                Array::Integers(integers) => Some(integers.as_slice().to_vec()),
                _ => None,
            },
            None => {
                self.report(name, describe("I64", shape), array.map_or(NOTHING.into(), StoredArray::describe));
                None
            }
        }
    }

    /// A scalar integer that satisfies a predicate, which `range` describes.
    pub(super) fn integer<N: TryFrom<i64>>(
        &mut self,
        name: &str,
        range: &str,
        within: impl Fn(&N) -> bool,
    ) -> Option<N> {
        let number = *self.integers(name, &[])?.first()?;
        let valid = N::try_from(number).ok().filter(within);
        if valid.is_none() {
            self.report(name, range, number.to_string());
        }
        valid
    }

    /// The state of a random number generator.
    pub(crate) fn generator(&mut self, name: &str) -> Option<[u64; 4]> {
        let words: [i64; 4] = self.integers(name, &[4])?.try_into().ok()?;
        if words == [0; 4] {
            self.report(name, "a nonzero state", "four zeros");
            return None;
        }
        Some(words.map(i64::cast_unsigned))
    }

    /// The settings and the state of an optimizer, stored under `<prefix>optimizer`. The state must match the shapes of
    /// the parameters under `<prefix>model`, if there are any.
    pub(super) fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(
        &mut self,
        optimizer: &O,
        prefix: &str,
    ) -> Option<(Settings, State<T>)> {
        let name = format!("{prefix}optimizer");
        let found = self.contents.metadata.get(&name).map_or(NOTHING, String::as_str);
        if found != optimizer.name() {
            self.report(&name, optimizer.name(), found);
            return None;
        }
        let [learning_rate, weight_decay, maximize] =
            ["learning_rate", "weight_decay", "maximize"].map(|setting| format!("{name}.{setting}"));
        let factors = [self.factor(&learning_rate), self.factor(&weight_decay)];
        let direction = self.integer(&maximize, "0 or 1", |n| (0i64..=1).contains(n));
        let (mut state, mut known) = (State::new(), HashSet::from([learning_rate, weight_decay, maximize]));
        let steps = format!("{name}.steps.");
        for (counter, _) in self.with_prefix(&steps) {
            let path = &counter[steps.len()..];
            if let Some(slot) = self.slot(optimizer, prefix, path, &mut known) {
                state.insert(path, slot);
            }
        }
        self.reject_unknown(&format!("{name}."), &known);
        let [learning_rate, weight_decay] = factors;
        let mut settings = optimizer.settings().clone();
        settings.learning_rate = learning_rate?;
        settings.weight_decay = weight_decay?;
        settings.maximize = direction? == 1;
        Some((settings, state))
    }

    /// The state of an optimizer for one parameter; adds the names of its entries to `known`.
    fn slot<T: Float, O: Optimizer<T> + ?Sized>(
        &mut self,
        optimizer: &O,
        prefix: &str,
        path: &str,
        known: &mut HashSet<String>,
    ) -> Option<Slot<T>> {
        let part = |part: &str| format!("{prefix}optimizer.{part}.{path}");
        let name = |k: usize| part(&format!("tensors.{k}"));
        let arrays = &self.contents.arrays;
        let stored = (0..).take_while(|&k| arrays.contains_key(&name(k))).count();
        let count = optimizer.tensors_per_parameter().unwrap_or(stored);
        let parameter = arrays.get(&format!("{prefix}model.{path}"));
        let shape = parameter.or_else(|| arrays.get(&name(0))).map_or(&[][..], StoredArray::shape);
        known.extend([part("steps"), part("product")].into_iter().chain((0..count).map(name)));
        let tensors: Vec<_> = (0..count).map(|k| self.tensor(&name(k), shape)).collect();
        Some(Slot {
            steps: self.integer(&part("steps"), "a step count", |n| (0..i32::MAX).contains(n))?,
            product: self.number(&part("product"))?,
            tensors: tensors.into_iter().collect::<Option<_>>()?,
        })
    }
}

/// What a model expects, such as `F32 [2, 3]`.
fn expected<T: Float>(shape: &[usize]) -> String {
    describe(&T::NAME.to_uppercase(), shape)
}
