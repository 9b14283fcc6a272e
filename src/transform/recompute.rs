//! Recomputation: time for memory.

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

/// A function whose intermediate values are not kept: its rule runs it again.
struct Recompute<T: Float, F> {
    f: F,
    /// Those that the function reads: the inputs after the first.
    parameters: Vec<(ParamId, u32)>,
    /// As it was before the function ran.
    generator: Generator,
    /// The function has run before it was known to be an operation, on a tape of its own.
    value: Option<Tensor<T>>,
}

impl<T: Float, F: Fn(&Var<T>) -> Var<T> + 'static> AnyOp<T> for Recompute<T, F> {
    fn name(&self) -> &'static str {
        "recompute"
    }
    fn save(&self) -> Save {
        Save::Inputs
    }

    fn forward(&mut self, _: &[&Tensor<T>]) -> Tensor<T> {
        self.value.take().expect("an operation is applied once")
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        let inputs: Vec<Var<T>> = (0..=self.parameters.len()).map(|k| saved.input(k)).collect();
        // What is recorded must be on this tape, and is not dropped; everything else goes with a tape of its own.
        let (tape, pass) = match saved.recording {
            true => (saved.tape.clone(), Pass::Recorded),
            false => (sub_tape(saved.tape), Pass::Values(Some(Location::caller()))),
        };
        let variable = |(k, x): (usize, &Var<T>)| match saved.needs(k) {
            true if saved.recording => x.fresh(&tape),
            true => tape.var(x.value()),
            false => tape.constant(x.value()),
        };
        let variables: Vec<Var<T>> = inputs.iter().enumerate().map(variable).collect();
        let y = tape.with_generator(&self.generator, || self.run(&tape, &variables));
        let gy = if saved.recording { gy.clone() } else { tape.constant(gy.value()) };
        let found = y.pulled_back(&gy, &variables.iter().collect::<Vec<_>>(), pass);
        let carried = |part: Var<T>| if saved.recording { part } else { saved.tape.constant(part.value()) };
        gradients.extend(found.into_iter().map(|part| part.map(carried)));
    }
}

impl<T: Float, F: Fn(&Var<T>) -> Var<T>> Recompute<T, F> {
    /// The function of the first variable, with the others in place of its parameters.
    fn run(&self, tape: &Tape<T>, variables: &[Var<T>]) -> Var<T> {
        let (x, weights) = variables.split_first().expect("the function has an argument");
        let pairs = self.parameters.iter().zip(weights).map(|(&(id, version), weight)| (id, version, weight));
        tape.with_bindings(pairs, || (self.f)(x))
    }
}

/// A tape in the same situation as another.
fn sub_tape<T: Float>(outer: &Tape<T>) -> Tape<T> {
    let tape = Tape::with_mode(outer.mode());
    tape.diagnostics().observer.set(outer.observer());
    tape
}

impl<T: Float> Var<T> {
    /// `f` of this, without keeping what is between: the backward pass runs `f` again. Also known as gradient checkpointing
    /// (Griewank and Walther 2000; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
    ///
    /// A chain of n equal operations cut into √n pieces needs memory for 2√n of them in place of n, and the time of one
    /// more forward pass. Values and gradients are the same to the last bit, dropout masks included, and derivatives of any
    /// order are; what is recorded of the backward pass keeps what the second run keeps.
    ///
    /// Since `f` outlives this call it owns what it reads. It cannot read parameters, whose owner is the model: for layers
    /// there is [`nn::recompute`](crate::nn::recompute).
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

    /// The same for a function that reads parameters, these and no others.
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
