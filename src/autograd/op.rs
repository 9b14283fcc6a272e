//! What an operation is, and how it is applied and recorded.

use super::tape::{Content, NodeId};
use super::{Tape, Var, anomaly};
use crate::kernel::small_box::{AsDyn, SmallBox};
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::fmt::{self, Debug, Formatter};
use std::panic::Location;

/// A differentiable operation of `N` inputs: its value, and the rule for its gradient.
///
/// The rule is written in operations on [`Var`]s, so it can be differentiated itself, to any order.
/// It only says what flows to each input. The engine adds up what comes from several uses, skips
/// inputs that nobody differentiates, and sums a gradient down to the shape of an input that was
/// broadcast.
///
/// The fields of an operation are its settings (an axis, a slope) and by-products of the forward
/// pass on which no derivative depends (positions of maxima, a mask). They must **never** be
/// statistics of a differentiable input, such as a standard deviation: second derivatives would
/// miss how those change.
///
/// ```
/// use wengert::prelude::*;
///
/// /// `y = x³`, `dy/dx = 3x²`.
/// #[derive(Debug)]
/// struct Cube;
///
/// impl Op<f32, 1> for Cube {
///     const NAME: &'static str = "cube";
///     const SAVE: Save = Save::Inputs;
///
///     fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
///         x.map(|x| x * x * x)
///     }
///     fn backward(&self, saved: &Saved<f32, 1>, gy: &Var) -> [Option<Var>; 1] {
///         let x = saved.input(0);
///         [Some(gy * (3.0 * x.square()))]
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(2.0);
/// let y = x.apply(Cube);
/// assert_eq!(y.grad(&x).item(), 12.0);
/// assert_eq!(y.grad(&x).grad(&x).item(), 12.0);
/// ```
///
/// # Writing one
///
/// A Gaussian bump, `y = e^(−(x − c)²/w)`, of a value and its centre, as it is done for the operations of this crate:
///
/// 1. A struct. The width is a setting and so a field; the centre shall be differentiated and so is an input.
/// 2. What the rule reads, and nothing else, is saved. With u = x − c the derivatives are `dy/dx = −2uy/w` and
///    `dy/dc = 2uy/w`: they need the inputs and the output.
/// 3. [`check`](Op::check) refuses shapes that do not fit, so that the message has the line of the user.
/// 4. [`forward`](Op::forward) computes with tensors, [`backward`](Op::backward) with variables. Here inputs broadcast; the gradients that
///    the rule gives have the shape of the output, and the engine sums them.
/// 5. A method, `#[track_caller]`, so that listings and messages show the line that called it.
/// 6. A check against differences, to second order. It would find a wrong sign, a forgotten factor, and a field in which a part of
///    the derivative was hidden.
///
/// It is generic over the precision, because checks need `f64` where programs use `f32`.
///
/// ```
/// use wengert::prelude::*;
///
/// #[derive(Debug)]
/// struct Bump { width: f64 }
///
/// impl<T: Float> Op<T, 2> for Bump {
///     const NAME: &'static str = "bump";
///     const SAVE: Save = Save::InputsAndOutput;
///
///     fn check(&self, [x, centre]: [&[usize]; 2]) -> Result<(), String> {
///         if x.ends_with(centre) { Ok(()) } else { Err(format!("a centre of shape {centre:?} does not fit {x:?}")) }
///     }
///     fn forward(&mut self, [x, centre]: [&Tensor<T>; 2]) -> Tensor<T> {
///         let width = T::from_f64(self.width);
///         (x - centre).map(|u| (-(u * u) / width).exp())
///     }
///     fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
///         let ([x, centre], y) = (saved.inputs(), saved.output());
///         let slope = gy * (x - centre) * y * (2.0 / self.width);
///         [saved.needs(0).then(|| -&slope), saved.needs(1).then(|| slope.clone())]
///     }
/// }
///
/// trait BumpExt<T: Float> {
///     fn bump(&self, centre: impl Operand<T>, width: f64) -> Var<T>;
/// }
///
/// impl<T: Float> BumpExt<T> for Var<T> {
///     #[track_caller]
///     fn bump(&self, centre: impl Operand<T>, width: f64) -> Var<T> {
///         apply(Bump { width }, [self, &self.operand(centre)])
///     }
/// }
///
/// let inputs = [tensor![f64; [0.3, -1.0], [2.0, 0.7]], tensor![f64; 0.5, -0.5]];
/// check::gradients(|x| x[0].bump(&x[1], 1.5), &inputs).unwrap();
///
/// let centre = Param::new([0.0, 1.0]);
/// let y = Tape::new().constant([0.0, 0.0]).bump(&centre, 2.0);
/// assert_eq!(y.value()[[0]], 1.0);
/// assert_eq!(y.sum().backward()[&centre][[0]], 0.0);
/// ```
///
/// An operation for one use can be made of two closures: [`custom`](super::custom).
pub trait Op<T: Float, const N: usize>: Debug + 'static {
    /// The name in listings and messages.
    const NAME: &'static str;
    /// What the rule reads: all that is kept for it.
    const SAVE: Save;

    /// Whether the operation is defined for inputs of these shapes; if not, why, without its name.
    ///
    /// # Errors
    /// One sentence that names the shapes and what does not fit.
    fn check(&self, _shapes: [&[usize]; N]) -> Result<(), String> {
        Ok(())
    }

    /// The value.
    fn forward(&mut self, inputs: [&Tensor<T>; N]) -> Tensor<T>;

    /// The gradient with respect to each input, given the gradient `gy` with respect to the output.
    ///
    /// `None` says that the output does not depend on that input, or that nobody asked
    /// ([`Saved::needs`]).
    fn backward(&self, saved: &Saved<T, N>, gy: &Var<T>) -> [Option<Var<T>>; N];
}

/// What an operation keeps for its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Nothing.
    Nothing,
    /// Every input.
    Inputs,
    /// One of the inputs.
    Input(usize),
    /// Each input, if one of the *other* inputs is differentiated: for products.
    Others,
    /// The output.
    Output,
    /// Every input and the output.
    InputsAndOutput,
}

/// What a rule can read: the saved values, as variables, and which gradients are wanted.
pub struct Saved<'a, T: Float, const N: usize>(&'a Record<'a, T>);

impl<'a, T: Float, const N: usize> Saved<'a, T, N> {
    pub(super) fn of(record: &'a Record<'a, T>) -> Self {
        Saved(record)
    }

    /// An input.
    ///
    /// # Panics
    /// If the operation's `SAVE` does not include it.
    #[track_caller]
    pub fn input(&self, k: usize) -> Var<T> {
        self.0.input(k)
    }

    /// All inputs.
    ///
    /// # Panics
    /// If the operation's `SAVE` does not include them.
    #[track_caller]
    pub fn inputs(&self) -> [Var<T>; N] {
        std::array::from_fn(|k| self.input(k))
    }

    /// The output.
    ///
    /// # Panics
    /// If the operation's `SAVE` does not include it.
    #[track_caller]
    pub fn output(&self) -> Var<T> {
        self.0.output()
    }

    /// Whether the gradient with respect to an input is wanted.
    pub fn needs(&self, k: usize) -> bool {
        self.0.needs(k)
    }

    /// A constant on the tape.
    pub fn constant(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        self.0.tape.constant(value)
    }
}

/// What a rule can read, of an operation of any number of inputs: the node while the rule runs.
pub(crate) struct Record<'a, T: Float> {
    pub(super) tape: &'a Tape<T>,
    pub(super) id: NodeId,
    pub(super) save: Save,
    /// The nodes that the inputs are, where the gradient with respect to them is wanted.
    pub(super) wanted: &'a [Option<NodeId>],
    /// Whether the backward pass is recorded: then the saved values are those of the tape.
    pub(super) recording: bool,
}

impl<T: Float> Record<'_, T> {
    /// See [`Saved::input`].
    #[track_caller]
    pub(crate) fn input(&self, k: usize) -> Var<T> {
        let list = self.tape.list();
        match list.saved(self.id).get(k) {
            Some(Some(value)) if self.save != Save::Output => self.var(value, list.inputs(self.id)[k]),
            _ => panics::not_saved(list[self.id].name, &Save::Input(k), &self.save),
        }
    }

    #[track_caller]
    fn output(&self) -> Var<T> {
        let list = self.tape.list();
        match list.saved(self.id).last() {
            Some(Some(value)) if matches!(self.save, Save::Output | Save::InputsAndOutput) => {
                self.var(value, Some(self.id))
            }
            _ => panics::not_saved(list[self.id].name, &Save::Output, &self.save),
        }
    }

    /// See [`Saved::needs`].
    pub(crate) fn needs(&self, k: usize) -> bool {
        self.wanted[k].is_some()
    }

    fn var(&self, value: &Tensor<T>, node: Option<NodeId>) -> Var<T> {
        Var::new(value.clone(), self.tape.clone(), node.filter(|_| self.recording))
    }
}

/// The gradients that a rule gives, one for each input.
pub(crate) type Flows<T> = Vec<Option<Var<T>>>;

/// An operation whose number of inputs is known when it is applied, such as a concatenation; else it is an [`Op`].
pub(crate) trait VariadicOp<T: Float>: Debug + 'static {
    /// See [`Op::NAME`].
    const NAME: &'static str;
    /// See [`Op::SAVE`].
    const SAVE: Save;

    /// Its name, if that is not the same for all of its type.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// See [`Op::check`].
    fn check(&self, inputs: &[&Tensor<T>]) -> Result<(), String>;

    /// See [`Op::forward`].
    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Tensor<T>;

    /// See [`Op::backward`]; appends the gradients to `flows`.
    fn backward(&self, saved: &Record<T>, gy: &Var<T>, flows: &mut Flows<T>);
}

/// An operation of `N` inputs as one of any number.
struct OfArity<O, const N: usize>(O);

impl<O: Debug, const N: usize> Debug for OfArity<O, N> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Float, O: Op<T, N>, const N: usize> VariadicOp<T> for OfArity<O, N> {
    const NAME: &'static str = O::NAME;
    const SAVE: Save = O::SAVE;

    #[track_caller]
    fn check(&self, inputs: &[&Tensor<T>]) -> Result<(), String> {
        self.0.check(std::array::from_fn(|k| inputs[k].shape()))
    }
    #[track_caller]
    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(std::array::from_fn(|k| inputs[k]))
    }
    fn backward(&self, saved: &Record<T>, gy: &Var<T>, flows: &mut Flows<T>) {
        flows.extend(self.0.backward(&Saved::of(saved), gy));
    }
}

/// An operation as the tape holds it.
pub(super) trait AnyOp<T: Float> {
    fn debug(&self) -> &dyn Debug;
    fn save(&self) -> Save;
    fn backward(&self, record: &Record<T>, gy: &Var<T>, flows: &mut Flows<T>);
}

impl<T: Float, O: VariadicOp<T>> AnyOp<T> for O {
    fn debug(&self) -> &dyn Debug {
        self
    }
    fn save(&self) -> Save {
        O::SAVE
    }
    fn backward(&self, record: &Record<T>, gy: &Var<T>, flows: &mut Flows<T>) {
        VariadicOp::backward(self, record, gy, flows);
    }
}

impl<T: Float, O: VariadicOp<T>> AsDyn<dyn AnyOp<T>> for O {
    fn as_dyn(&self) -> &(dyn AnyOp<T> + 'static) {
        self
    }
}

/// Applies an operation: computes its value and, if an input is differentiable, records it.
///
/// # Panics
/// If the inputs are on different tapes, or the operation is not defined for their shapes.
#[track_caller]
pub fn apply<T: Float, O: Op<T, N>, const N: usize>(op: O, inputs: [&Var<T>; N]) -> Var<T> {
    apply_to_values(OfArity(op), &inputs, &inputs.map(Var::value))
}

/// [`apply`] for an operation of any number of inputs, at least one.
#[track_caller]
pub(crate) fn apply_variadic<T: Float, O: VariadicOp<T>>(op: O, inputs: &[&Var<T>]) -> Var<T> {
    let values: Vec<&Tensor<T>> = inputs.iter().map(|x| x.value()).collect();
    apply_to_values(op, inputs, &values)
}

#[track_caller]
fn apply_to_values<T: Float, O: VariadicOp<T>>(mut op: O, inputs: &[&Var<T>], values: &[&Tensor<T>]) -> Var<T> {
    let location = Location::caller();
    let (tape, name) = (inputs[0].tape(), op.name());
    if let Some(other) = inputs[1..].iter().find(|x| !x.tape().is(tape)) {
        panics::two_tapes(name, &inputs[0].place(), &other.place());
    }
    if let Err(reason) = op.check(values) {
        panics::wrong_shapes(name, &reason, &origins(inputs));
    }
    let value = op.forward(values);
    if tape.detects_anomaly() && !tape.in_a_rule() {
        anomaly::check_value(tape, name, &op, inputs, &value);
    }
    if inputs.iter().all(|x| x.node().is_none()) {
        return Var::new(value, tape.clone(), None);
    }
    let content = Content::Operation(SmallBox::new(op));
    let nodes = inputs.iter().map(|x| x.node());
    let node = tape.push(name, content, value.dims(), location, nodes, |saved| save(O::SAVE, inputs, &value, saved));
    Var::new(value, tape.clone(), Some(node))
}

/// Appends the values that a rule will read: first one place an input, unless none is kept, then the output.
fn save<T: Float>(what: Save, inputs: &[&Var<T>], output: &Tensor<T>, saved: &mut Vec<Option<Tensor<T>>>) {
    let keep = |k: usize| match what {
        Save::Inputs | Save::InputsAndOutput => true,
        Save::Input(only) => k == only,
        Save::Others => inputs.iter().enumerate().any(|(other, x)| other != k && x.node().is_some()),
        Save::Nothing | Save::Output => false,
    };
    if !matches!(what, Save::Nothing | Save::Output) {
        saved.extend(inputs.iter().enumerate().map(|(k, x)| keep(k).then(|| x.value().clone())));
    }
    if matches!(what, Save::Output | Save::InputsAndOutput) {
        saved.push(Some(output.clone()));
    }
}

impl<T: Float> Var<T> {
    /// Panics for an operation that is not defined for this and another operand.
    #[cold]
    #[track_caller]
    pub(crate) fn refuse(&self, op: &str, other: &Var<T>, reason: &str) -> ! {
        panics::wrong_shapes(op, reason, &origins(&[self, other]))
    }
}

/// Where the operands of a failed operation come from.
#[cold]
fn origins<T: Float>(inputs: &[&Var<T>]) -> String {
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
