//! Parameters as variables on a tape.

use crate::autograd::param::ParamId;
use crate::autograd::tape::{Content, NodeId};
use crate::autograd::{MissingGradient, Param, Tape, Var};
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// The parameters that a tape has read or bound.
pub(crate) type Bindings<T> = HashMap<ParamId, Binding<T>, BuildHasherDefault<IdHasher>>;

/// Hasher for sequential ids, which need no DoS resistance.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }
    fn write_u64(&mut self, number: u64) {
        // 2⁶⁴ divided by the golden ratio: consecutive ids differ in all bits.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// The state of a parameter on a tape.
pub(crate) struct Binding<T: Float> {
    version: u32,
    node: Option<NodeId>,
    /// The value bound in its place, boxed because it is rare. With neither a value nor a node, the parameter is frozen.
    bound: Option<Box<Tensor<T>>>,
}

impl<T: Float> Binding<T> {
    fn bound(version: u32, value: &Var<T>) -> Self {
        Binding { version, node: value.node(), bound: Some(Box::new(value.value().clone())) }
    }

    /// The leaf of the parameter; the error is why there is none.
    fn leaf(&self) -> Result<NodeId, MissingGradient> {
        match &self.bound {
            Some(_) => Err(MissingGradient::Bound),
            None => self.node.ok_or(MissingGradient::Frozen),
        }
    }
}

impl<T: Float> Tape<T> {
    /// Binds `value` in place of a parameter on this tape, so that a model becomes a function of its weights.
    ///
    /// # Panics
    /// If the shapes differ, or the parameter was read on this tape before.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Linear::new(2, 1, Init::Constant(3.0), &mut wengert::rng(0));
    /// let tape = Tape::new();
    /// let weight = tape.var(layer.weight.value());
    /// tape.bind(&layer.weight, &(&weight * 2.0));
    /// let y = layer.forward(&tape.constant([1.0, 1.0]));
    /// assert_eq!(y.value(), &tensor![12.0]);
    /// assert_eq!(y.sum().grad(&weight).value(), &tensor![[2.0, 2.0]]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn bind(&self, param: &Param<T>, value: &Var<T>) {
        self.check_binding(param, value);
        if self.parameters().borrow_mut().insert(param.id(), Binding::bound(param.version(), value)).is_some() {
            panics::bound_too_late("bind", param.shape());
        }
    }

    /// Makes a parameter a constant of this tape.
    #[track_caller]
    pub(crate) fn freeze_parameter(&self, param: &Param<T>) {
        let frozen = Binding { version: param.version(), node: None, bound: None };
        let before = self.parameters().borrow_mut().insert(param.id(), frozen);
        if before.is_some_and(|before| before.leaf() != Err(MissingGradient::Frozen)) {
            panics::bound_too_late("freeze", param.shape());
        }
    }

    /// Runs `f` with variables bound in place of parameters, then restores the previous bindings.
    ///
    /// One tape can thus evaluate the same model with several sets of weights, for example to differentiate through training
    /// steps (MAML, hyperparameters).
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let weight = Param::new(3.0);
    /// let tape = Tape::new();
    /// let loss = |x: f64| (tape.param(&weight) * x - 1.0).square();
    /// let before = tape.param(&weight);
    /// let after = &before - 0.1 * loss(1.0).grad(&before); // a step of gradient descent
    /// let loss_after = tape.with_bound([(&weight, &after)], || loss(2.0));
    /// let slope = loss_after.backward()[&weight].item(); // through the step
    /// assert!((slope - 2.0 * (2.0 * 2.6 - 1.0) * 2.0 * 0.8).abs() < 1e-5);
    /// ```
    #[doc(alias = "functional_call")]
    #[track_caller]
    pub fn with_bound<'a, R>(
        &self,
        pairs: impl IntoIterator<Item = (&'a Param<T>, &'a Var<T>)>,
        f: impl FnOnce() -> R,
    ) -> R {
        let mut bindings = Vec::new();
        for (param, value) in pairs {
            self.check_binding(param, value);
            bindings.push((param.id(), param.version(), value));
        }
        self.with_bindings(bindings.into_iter(), f)
    }

    /// [`with_bound`](Tape::with_bound) for parameters given by id and version.
    pub(crate) fn with_bindings<'a, R>(
        &self,
        bindings: impl Iterator<Item = (ParamId, u32, &'a Var<T>)>,
        f: impl FnOnce() -> R,
    ) -> R {
        let bind = |(param, version, value): (ParamId, u32, &Var<T>)| {
            (param, self.parameters().borrow_mut().insert(param, Binding::bound(version, value)))
        };
        let _restore = Restore { tape: self, outer: bindings.map(bind).collect() };
        f()
    }

    #[track_caller]
    fn check_binding(&self, param: &Param<T>, value: &Var<T>) {
        if param.value().shape() != value.shape() {
            panics::bound_shape(param.value().shape(), value.shape());
        }
        if !self.is(value.tape()) {
            panics::two_tapes("bind", &"the tape that binds", &value.place());
        }
    }

    /// The leaf of a parameter on this tape, the same one at each call; for a [buffer](Param::buffer), a constant.
    ///
    /// As an operand of a variable, a parameter needs no such call: `x.matmul(&weight) + &bias`.
    ///
    /// # Panics
    /// If the parameter has changed since this tape first read it.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let weight = Param::new([3.0, 4.0]);
    /// let tape = Tape::new();
    /// let penalty = tape.param(&weight).square().sum();
    /// assert_eq!(penalty.backward()[&weight], tensor![6.0, 8.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn param(&self, param: &Param<T>) -> Var<T> {
        if !param.is_trainable() {
            return self.constant(param.value());
        }
        match self.parameters().borrow_mut().entry(param.id()) {
            Entry::Occupied(binding) => {
                let binding = binding.get();
                if binding.version != param.version() {
                    panics::parameter_changed(param.value().shape());
                }
                let value = binding.bound.as_deref().unwrap_or(param.value());
                Var::new(value.clone(), self.clone(), binding.node)
            }
            Entry::Vacant(place) => {
                let node = self.leaf("parameter", Content::Parameter(param.id()), param.value().dims());
                place.insert(Binding { version: param.version(), node, bound: None });
                Var::new(param.value().clone(), self.clone(), node)
            }
        }
    }

    /// The parameters that were read, each with its leaf or the reason why it has none.
    pub(crate) fn bindings(&self) -> Vec<(ParamId, Result<NodeId, MissingGradient>)> {
        self.parameters().borrow().iter().map(|(&id, binding)| (id, binding.leaf())).collect()
    }
}

/// Restores the previous bindings of a tape when dropped, also after a panic.
struct Restore<'a, T: Float> {
    tape: &'a Tape<T>,
    outer: Vec<(ParamId, Option<Binding<T>>)>,
}

impl<T: Float> Drop for Restore<'_, T> {
    fn drop(&mut self) {
        let mut bindings = self.tape.parameters().borrow_mut();
        for (param, binding) in self.outer.drain(..).rev() {
            match binding {
                Some(binding) => bindings.insert(param, binding),
                None => bindings.remove(&param),
            };
        }
    }
}
