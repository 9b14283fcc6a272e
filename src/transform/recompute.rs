//! Recomputation (gradient checkpointing): time for memory.

use crate::autograd::apply::{AnyOp, InputGradients, apply_any};
use crate::autograd::backward::Pass;
use crate::autograd::op::BackwardContext;
use crate::autograd::param::ParamId;
use crate::autograd::{Param, Save, Tape, Var};
use crate::generator::Generator;
use crate::panics;
use crate::tensor::{Float, Tensor};
use crate::transform::functional::Value;
use std::panic::Location;

/// A function whose intermediate values are not saved: its rule runs it again.
struct Recompute<T: Float, F> {
    f: F,
    /// The parameters that the function reads: the inputs after the first.
    parameters: Vec<(ParamId, u32)>,
    /// The state before the function ran.
    generator: Generator,
    /// Computed on a separate tape, before the operation is applied.
    value: Option<Tensor<T>>,
}

impl<T: Float, F: Fn(&Var<T>) -> Var<T> + 'static> AnyOp<T> for Recompute<T, F> {
    fn name(&self) -> &'static str {
        "recompute"
    }
    fn save(&self) -> Save {
        Save::Inputs
    }

    fn forward(&mut self, _: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        Ok(self.value.take().expect("an operation is applied once"))
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        let inputs: Vec<Var<T>> = (0..=self.parameters.len()).map(|k| saved.input(k)).collect();
        // A recorded pass must be on this tape, where it stays; otherwise a separate tape is dropped afterwards.
        let (tape, pass) = match saved.recording {
            true => (saved.tape.clone(), Pass::Recorded),
            false => (sub_tape(saved.tape), Pass::Values(Some(Location::caller()))),
        };
        let variable = |(k, x): (usize, &Var<T>)| match saved.needs(k) {
            true if saved.recording => x.fresh(&tape),
            true => tape.var(x.value()),
            // It stays connected: the gradients of others depend on it.
            false if saved.recording => x.clone(),
            false => tape.constant(x.value()),
        };
        let variables: Vec<Var<T>> = inputs.iter().enumerate().map(variable).collect();
        let y = tape.with_generator(&self.generator, || self.run(&tape, &variables));
        let gy = if saved.recording { gy.clone() } else { tape.constant(gy.value()) };
        let found = y.vjp_with(&gy, &variables.iter().collect::<Vec<_>>(), pass);
        let carried = |part: Var<T>| if saved.recording { part } else { saved.tape.constant(part.value()) };
        gradients.extend(found.into_iter().map(|part| part.map(carried)));
    }
}

impl<T: Float, F: Fn(&Var<T>) -> Var<T>> Recompute<T, F> {
    /// Runs the function on the first variable, with the others bound to its parameters.
    fn run(&self, tape: &Tape<T>, variables: &[Var<T>]) -> Var<T> {
        let (x, weights) = variables.split_first().expect("the function has an argument");
        let pairs = self.parameters.iter().zip(weights).map(|(&(id, version), weight)| (id, version, weight));
        tape.with_bindings(pairs, || (self.f)(x))
    }
}

/// A tape with the mode and the observer of another.
fn sub_tape<T: Float>(outer: &Tape<T>) -> Tape<T> {
    let tape = Tape::with_mode(outer.mode());
    tape.diagnostics().observer.set(outer.observer());
    tape
}

impl<T: Float> Var<T> {
    /// `f` of this without saving intermediate values: the backward pass runs `f` again. Also known as gradient checkpointing
    /// (Griewank and Walther 2000; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
    ///
    /// A chain of n equal operations cut into √n segments needs memory for 2√n of them instead of n, and the time of one
    /// more forward pass. Values, gradients and higher derivatives are the same to the last bit, dropout masks included. A
    /// recorded backward pass saves what the second run saves.
    ///
    /// `f` outlives this call, so it owns what it reads. It cannot read parameters, which the model owns: use
    /// [`nn::recompute`](crate::nn::recompute) for layers.
    ///
    /// # Panics
    /// If `f` reads a parameter, or a variable other than its argument.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(0.5);
    /// let y = x.recompute(|x| x.sin().exp().square());
    /// assert_eq!(tape.len(), 2); // the variable, and one operation
    /// assert_eq!(y.grad(&x).item(), x.sin().exp().square().grad(&x).item());
    /// ```
    #[doc(alias = "checkpoint")]
    #[track_caller]
    pub fn recompute(&self, f: impl Fn(&Var<T>) -> Var<T> + 'static) -> Var<T> {
        self.recompute_with(&[], f)
    }

    /// [`recompute`](Var::recompute) for a function that reads exactly these parameters.
    #[track_caller]
    pub(crate) fn recompute_with(&self, parameters: &[&Param<T>], f: impl Fn(&Var<T>) -> Var<T> + 'static) -> Var<T> {
        let outer = self.tape();
        let mut inputs = vec![self.clone()];
        for param in parameters {
            inputs.push(outer.param(param));
        }
        if inputs.iter().all(|x| x.node().is_none()) {
            return f(self);
        }
        let inner = sub_tape(outer);
        let generator = outer.generator().clone();
        *inner.generator() = generator.clone();
        let ids = parameters.iter().map(|param| (param.id(), param.version())).collect();
        let mut op = Recompute { f, parameters: ids, generator, value: None };
        let variables: Vec<Var<T>> = inputs.iter().map(|x| inner.var(x.value())).collect();
        let y = op.run(&inner, &variables);
        if !y.tape().is(&inner) {
            panics::two_tapes("recompute", &"the function's argument", &y.place());
        }
        if !inner.bindings().is_empty() {
            panics::reads_parameters();
        }
        *outer.generator() = inner.generator().clone();
        outer.add_buffer_notes(inner.take_buffer_notes());
        op.value = Some(y.value().clone());
        apply_any(op, &inputs.iter().collect::<Vec<_>>())
    }
}
