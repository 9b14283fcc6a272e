//! Whether what a file holds fits what a program has a place for: all that does not is listed before anything changes.

use super::array::{Array, describe};
use super::safetensors::Contents;
use crate::error::{Error, Misfit};
use crate::nn::{Module, Path};
use crate::optim::{Optimizer, Settings, Slot, State};
use crate::tensor::{Float, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// What stands for something that is not there.
const NOTHING: &str = "nothing";

/// Takes values from a file, and notes all that is not as expected. A value that is not given has been noted.
pub(super) struct Fit<'a> {
    contents: &'a Contents,
    misfits: Vec<Misfit>,
}

/// The new values of a model, by the paths of its parameters and buffers.
pub(super) type Values<T> = BTreeMap<String, Tensor<T>>;

/// Puts values in their places in a model.
pub(super) fn put<T: Float, M: Module<T> + ?Sized>(model: &mut M, mut values: Values<T>) {
    model.visit_mut(&mut Path::new(), &mut |path, param| {
        if let Some(value) = values.remove(path.as_str()) {
            *param.value_mut() = value;
        }
    });
}

impl<'a> Fit<'a> {
    pub(super) fn new(contents: &'a Contents) -> Self {
        Fit { contents, misfits: Vec::new() }
    }

    /// An error if something did not fit.
    pub(super) fn finish(self, path: &std::path::Path) -> Result<(), Error> {
        match self.misfits.is_empty() {
            true => Ok(()),
            false => Err(Error::Misfit { path: path.into(), misfits: self.misfits }),
        }
    }

    fn note(&mut self, name: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.misfits.push(Misfit::new(name, expected, found));
    }

    /// The tensor of a name and shape, whose numbers must be exact in the precision `T`.
    fn tensor<T: Float>(&mut self, name: &str, shape: &[usize]) -> Option<Tensor<T>> {
        let expected = describe(&T::NAME.to_uppercase(), shape);
        let Some(array) = self.contents.arrays.get(name) else {
            self.note(name, expected, NOTHING);
            return None;
        };
        let tensor = array.exactly().filter(|_| array.shape() == shape);
        if tensor.is_none() {
            let inexact = matches!(array, Array::Integers(_)) && array.shape() == shape;
            let reason = if inexact { " with numbers that are not exact in it" } else { "" };
            self.note(name, expected, array.describe() + reason);
        }
        tensor
    }

    /// The values for a model whose parameters and buffers stand under a prefix, with nothing beside them.
    pub(super) fn model<T: Float, M: Module<T> + ?Sized>(&mut self, model: &M, prefix: &str) -> Values<T> {
        let (mut values, mut known) = (Values::new(), BTreeSet::new());
        for (path, param) in model.parameters() {
            let name = format!("{prefix}{path}");
            if let Some(value) = self.tensor(&name, param.shape()) {
                values.insert(path, value);
            }
            known.insert(name);
        }
        self.nothing_but(prefix, &known);
        values
    }

    /// Notes the arrays under a prefix that are not known.
    fn nothing_but(&mut self, prefix: &str, known: &BTreeSet<String>) {
        for (name, array) in self.under(prefix) {
            if !known.contains(name) {
                self.note(name, NOTHING, array.describe());
            }
        }
    }

    /// The arrays whose names begin with a prefix.
    fn under(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a Array)> + use<'a> {
        let (from, prefix) = (self.contents.arrays.range(prefix.to_string()..), prefix.to_string());
        from.map(|(name, array)| (name.as_str(), array)).take_while(move |(name, _)| name.starts_with(&prefix))
    }

    /// A single number in double precision.
    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        match self.contents.arrays.get(name) {
            Some(Array::F64(tensor)) if tensor.rank() == 0 => Some(tensor.item()),
            other => {
                self.note(name, "F64 []", other.map_or(NOTHING.into(), Array::describe));
                None
            }
        }
    }

    /// A factor, which is neither negative nor infinite.
    fn factor(&mut self, name: &str) -> Option<f64> {
        let factor = self.number(name)?;
        let fits = (0.0..f64::INFINITY).contains(&factor);
        if !fits {
            self.note(name, "a number of 0 or more", factor.to_string());
        }
        fits.then_some(factor)
    }

    /// So many whole numbers.
    pub(super) fn integers(&mut self, name: &str, shape: &[usize]) -> Option<&'a [i64]> {
        match self.contents.arrays.get(name) {
            Some(Array::Integers(integers)) if integers.shape() == shape => Some(integers.as_slice()),
            other => {
                self.note(name, describe("I64", shape), other.map_or(NOTHING.into(), Array::describe));
                None
            }
        }
    }

    /// A single whole number in a range, which is given in words too.
    pub(super) fn integer<N: TryFrom<i64>>(
        &mut self,
        name: &str,
        range: &str,
        within: impl Fn(&N) -> bool,
    ) -> Option<N> {
        let number = *self.integers(name, &[])?.first()?;
        let fitting = N::try_from(number).ok().filter(within);
        if fitting.is_none() {
            self.note(name, range, number.to_string());
        }
        fitting
    }

    /// The state of a generator.
    pub(super) fn generator(&mut self, name: &str) -> Option<[u64; 4]> {
        let words: [i64; 4] = self.integers(name, &[4])?.try_into().ok()?;
        if words == [0; 4] {
            self.note(name, "a state", "four zeros");
            return None;
        }
        Some(words.map(i64::cast_unsigned))
    }

    /// Learning rate, weight decay, direction and state for an optimizer, which stand under `<prefix>optimizer`; what it remembers of the
    /// parameters fits those under `<prefix>model`, if there is such a model.
    pub(super) fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(
        &mut self,
        optimizer: &O,
        prefix: &str,
    ) -> Option<(Settings, State<T>)> {
        let name = format!("{prefix}optimizer");
        let found = self.contents.texts.get(&name).map_or(NOTHING, String::as_str);
        if found != optimizer.name() {
            self.note(&name, optimizer.name(), found);
            return None;
        }
        let [learning_rate, weight_decay, maximize] =
            ["learning_rate", "weight_decay", "maximize"].map(|setting| format!("{name}.{setting}"));
        let factors = [self.factor(&learning_rate), self.factor(&weight_decay)];
        let direction = self.integer(&maximize, "0 or 1", |n| (0i64..=1).contains(n));
        let (mut state, mut known) = (State::new(), BTreeSet::from([learning_rate, weight_decay, maximize]));
        let steps = format!("{name}.steps.");
        for (counter, _) in self.under(&steps) {
            let path = &counter[steps.len()..];
            if let Some(slot) = self.slot(optimizer, prefix, path, &mut known) {
                state.insert(path, slot);
            }
        }
        self.nothing_but(&format!("{name}."), &known);
        let [learning_rate, weight_decay] = factors;
        let mut settings = optimizer.settings().clone();
        settings.learning_rate = learning_rate?;
        settings.weight_decay = weight_decay?;
        settings.maximize = direction? == 1;
        Some((settings, state))
    }

    /// What an optimizer remembers of the parameter at a path; adds the names of all parts to the known ones.
    fn slot<T: Float, O: Optimizer<T> + ?Sized>(
        &mut self,
        optimizer: &O,
        prefix: &str,
        path: &str,
        known: &mut BTreeSet<String>,
    ) -> Option<Slot<T>> {
        let part = |part: &str| format!("{prefix}optimizer.{part}.{path}");
        let name = |k: usize| part(&format!("tensors.{k}"));
        let arrays = &self.contents.arrays;
        let there = (0..).take_while(|&k| arrays.contains_key(&name(k))).count();
        let count = optimizer.tensors_per_parameter().unwrap_or(there);
        let of_parameter = arrays.get(&format!("{prefix}model.{path}"));
        let shape = of_parameter.or_else(|| arrays.get(&name(0))).map_or(&[][..], Array::shape);
        known.extend([part("steps"), part("product")].into_iter().chain((0..count).map(name)));
        let tensors: Vec<_> = (0..count).map(|k| self.tensor(&name(k), shape)).collect();
        Some(Slot {
            steps: self.integer(&part("steps"), "a number of steps", |n| (0..i32::MAX).contains(n))?,
            product: self.number(&part("product"))?,
            tensors: tensors.into_iter().collect::<Option<_>>()?,
        })
    }
}
