//! Application of an operation: computes its value, then records it on the tape.

use crate::autograd::diagnostics::Observer;
use crate::autograd::op::BackwardContext;
use crate::autograd::tape::Content;
use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::kernel::base::small_box::{AsDyn, SmallBox};
use crate::panics;
use crate::tensor::{Float, Tensor, View};
use std::panic::Location;

/// The gradients that a rule returns, one for each input.
pub(crate) type InputGradients<T> = Vec<Option<Var<T>>>;

/// An operation of any number of inputs, as stored on the tape. One with a fixed number is an [`Op`].
pub(crate) trait AnyOp<T: Float> {
    /// See [`Op::NAME`].
    fn name(&self) -> &'static str;
    /// See [`Op::SAVE`].
    fn save(&self) -> Save;
    /// See [`Op::describe`].
    fn describe(&self, _description: &mut Description) {}
    /// Checks the shapes and computes the value; see [`Op::check`] and [`Op::try_forward`].
    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String>;
    /// The value as a composition of other operations, if this one is a fusion of them. It is recorded in place of this
    /// operation where it is asked for: by a trace for a program that does not have the fusion.
    fn composed(&self, _inputs: &[&Var<T>]) -> Option<Var<T>> {
        None
    }
    /// See [`Op::backward`]; appends the gradients.
    fn backward(&self, context: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>);
    /// See [`Op::BROADCASTS`].
    fn broadcasts(&self) -> bool {
        false
    }
    /// What the value is of its only input, if it is a part of that: its gradient can be added to that part alone.
    fn part(&self) -> Option<&View> {
        None
    }
}

/// An operation in the box in which a node stores it.
struct Boxed<O>(O);

impl<T: Float, O: AnyOp<T> + 'static> AsDyn<dyn AnyOp<T>> for Boxed<O> {
    fn as_dyn(&self) -> &(dyn AnyOp<T> + 'static) {
        &self.0
    }
    fn as_dyn_mut(&mut self) -> &mut (dyn AnyOp<T> + 'static) {
        &mut self.0
    }
}

/// An operation of `N` inputs as one of any number.
struct OfArity<O, const N: usize>(O);

impl<T: Float, O: Op<T, N>, const N: usize> AnyOp<T> for OfArity<O, N> {
    fn name(&self) -> &'static str {
        O::NAME
    }
    fn save(&self) -> Save {
        O::SAVE
    }
    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }
    #[inline(never)]
    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        let inputs: &[&Tensor<T>; N] = inputs.try_into().expect("the number of inputs is that of the operation");
        self.0.check(inputs.map(Tensor::shape))?;
        self.0.try_forward(*inputs)
    }
    fn backward(&self, context: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        append(gradients, self.0.backward(&Saved::of(context), gy));
    }
    fn broadcasts(&self) -> bool {
        O::BROADCASTS
    }
}

/// Appends the gradients. Compiled for each number of inputs, not for each operation.
#[inline(never)]
fn append<T: Float, const N: usize>(gradients: &mut InputGradients<T>, added: [Option<Var<T>>; N]) {
    gradients.extend(added);
}

/// Applies an operation: computes its value and, if an input is differentiable, records it.
///
/// # Panics
/// If the inputs are on different tapes, or the operation is not defined for their shapes or values.
#[track_caller]
#[inline(never)]
pub fn apply<T: Float, O: Op<T, N>, const N: usize>(op: O, inputs: [&Var<T>; N]) -> Var<T> {
    apply_boxed(SmallBox::new(Boxed(OfArity(op))), &inputs, &inputs.map(Var::value))
}

/// [`apply`] for an operation of any number of inputs, at least one.
#[track_caller]
#[inline(never)]
pub(crate) fn apply_any<T: Float, O: AnyOp<T> + 'static>(op: O, inputs: &[&Var<T>]) -> Var<T> {
    let values: Vec<&Tensor<T>> = inputs.iter().map(|x| x.value()).collect();
    apply_boxed(SmallBox::new(Boxed(op)), inputs, &values)
}

/// All of [`apply`] that need not be compiled for each operation.
#[track_caller]
#[inline(never)]
fn apply_boxed<T: Float>(mut op: SmallBox<dyn AnyOp<T>>, inputs: &[&Var<T>], values: &[&Tensor<T>]) -> Var<T> {
    check_tapes(&op, inputs);
    let tape = inputs[0].tape();
    let observer = tape.observer();
    if observer.is_some_and(|observer| observer.decomposes(op.as_dyn().name()))
        && let Some(value) = op.as_dyn().composed(inputs)
    {
        return value;
    }
    let value = match op.as_dyn_mut().forward(values) {
        Ok(value) => value,
        Err(reason) => fail(op.as_dyn(), inputs, &reason),
    };
    if let Some(observer) = observer.filter(|_| !tape.in_a_rule()) {
        observe(observer, op.as_dyn(), inputs, &value);
    }
    if !inputs.iter().any(|x| x.node().is_some()) {
        return Var::new(value, tape.clone(), None);
    }
    record(op, inputs, value)
}

/// Applies an operation to plain tensors, without recording it.
///
/// # Panics
/// If the operation is not defined for their shapes or values.
#[track_caller]
#[inline(never)]
pub(crate) fn apply_to_tensors<T: Float, O: Op<T, N>, const N: usize>(op: O, inputs: [&Tensor<T>; N]) -> Tensor<T> {
    match OfArity(op).forward(&inputs) {
        Ok(value) => value,
        Err(reason) => panics::wrong_shapes(O::NAME, &reason, ""),
    }
}

/// Panics if the inputs are on different tapes.
#[inline]
#[track_caller]
fn check_tapes<T: Float>(op: &SmallBox<dyn AnyOp<T>>, inputs: &[&Var<T>]) {
    let tape = inputs[0].tape();
    if let Some(other) = inputs[1..].iter().find(|x| !x.tape().is(tape)) {
        panics::two_tapes(op.as_dyn().name(), &inputs[0].place(), &other.place());
    }
}

/// Panics because an operation is not defined for its inputs.
#[cold]
#[inline(never)]
#[track_caller]
fn fail<T: Float>(op: &dyn AnyOp<T>, inputs: &[&Var<T>], reason: &str) -> ! {
    panics::wrong_shapes(op.name(), reason, &describe_operands(inputs))
}

/// Passes a value to the observer of the tape.
#[cold]
#[track_caller]
fn observe<T: Float>(observer: &dyn Observer<T>, op: &dyn AnyOp<T>, inputs: &[&Var<T>], value: &Tensor<T>) {
    if let Err(report) = observer.computed(op, inputs, value, Location::caller()) {
        panics::anomaly(&report);
    }
}

/// Adds an operation to the tape, with the values that its rule will read.
#[track_caller]
fn record<T: Float>(op: SmallBox<dyn AnyOp<T>>, inputs: &[&Var<T>], value: Tensor<T>) -> Var<T> {
    let any = op.as_dyn();
    let (name, what) = (any.name(), any.save());
    let tape = inputs[0].tape();
    let nodes = inputs.iter().map(|x| x.node());
    let keep = |saved: &mut Vec<_>| save(what, inputs, &value, saved);
    let node = tape.push(name, Content::Operation(op), value.dims(), Location::caller(), nodes, keep);
    Var::new(value, tape.clone(), Some(node))
}

/// Appends the values that a rule will read: one slot for each input, unless no input is saved, then the output.
fn save<T: Float>(what: Save, inputs: &[&Var<T>], output: &Tensor<T>, saved: &mut Vec<Option<Tensor<T>>>) {
    let keep = |k: usize| match what {
        Save::Inputs | Save::InputsAndOutput => true,
        Save::Input(only) => k == only,
        Save::Others => inputs.iter().enumerate().any(|(other, x)| other != k && x.node().is_some()),
        Save::Nothing | Save::Output => false,
    };
    if !matches!(what, Save::Nothing | Save::Output) {
        for (k, x) in inputs.iter().enumerate() {
            saved.push(keep(k).then(|| x.value().clone()));
        }
    }
    if matches!(what, Save::Output | Save::InputsAndOutput) {
        saved.push(Some(output.clone()));
    }
}

impl<T: Float> Var<T> {
    /// The shapes of an operation on this and another operand; panics if there is a reason why it has none.
    #[track_caller]
    pub(crate) fn defined<R>(&self, op: &str, other: &Var<T>, shapes: Result<R, String>) -> R {
        match shapes {
            Ok(shapes) => shapes,
            Err(reason) => self.shape_error(op, other, &reason),
        }
    }

    /// Panics because an operation is not defined for the shapes of this and another operand.
    #[cold]
    #[track_caller]
    pub(crate) fn shape_error(&self, op: &str, other: &Var<T>, reason: &str) -> ! {
        panics::wrong_shapes(op, reason, &describe_operands(&[self, other]))
    }
}

/// The origin of the operands of a failed operation.
#[cold]
fn describe_operands<T: Float>(inputs: &[&Var<T>]) -> String {
    let side = |k: usize| match (inputs.len(), k) {
        (1, _) => "operand".into(),
        (2, 0) => "left operand".into(),
        (2, _) => "right operand".into(),
        _ => format!("operand {k}"),
    };
    let recorded = inputs.iter().enumerate().filter(|(_, x)| x.node().is_some());
    let places: Vec<String> = recorded.map(|(k, x)| format!("{}: {}", side(k), x.place())).collect();
    if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) }
}
