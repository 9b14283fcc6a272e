//! The trait of an operation: its value, the values it saves, and its rule.

use crate::autograd::backward::RowGradients;
use crate::autograd::tape::{Content, NodeId};
use crate::autograd::{Description, Tape, Var};
use crate::panics;
use crate::tensor::{Float, SparseRows, Tensor};

/// A differentiable operation of `N` inputs: its value, and the rule for its gradient.
///
/// The rule is written in operations on [`Var`]s, so it can itself be differentiated, to any order.
/// It returns the gradient of each input for one use. The engine sums the gradients of several uses,
/// skips inputs that are not differentiated, and sums a gradient down to the shape of an input that
/// was broadcast.
///
/// The fields of an operation are its settings (an axis, a slope) and by-products of the forward
/// pass on which no derivative depends (positions of maxima, a mask). They must **never** be
/// statistics of a differentiable input, such as a standard deviation: second derivatives would
/// treat those as constants.
///
/// ```
/// use wengert::prelude::*;
///
/// /// `y = x³`, `dy/dx = 3x²`.
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
/// A Gaussian bump, `y = e^(−(x − c)²/w)`, of a value and its center, written like the operations of this crate:
///
/// 1. A struct. The width is a setting and therefore a field; the center is differentiated and therefore an input.
/// 2. `SAVE` lists the values that the rule reads, and no others. With u = x − c the derivatives are `dy/dx = −2uy/w` and
///    `dy/dc = 2uy/w`: they need the inputs and the output.
/// 3. [`check`](Op::check) rejects shapes that do not fit, so that the message has the user's line.
/// 4. [`forward`](Op::forward) computes with tensors, [`backward`](Op::backward) with variables. The inputs of this operation
///    broadcast; the gradients that the rule returns have the shape of the output, and the engine sums them.
/// 5. A `#[track_caller]` method, so that listings and messages show the line that called it.
/// 6. A check against finite differences, to second order. It detects a wrong sign, a forgotten factor, and a field that hides
///    a part of the derivative.
///
/// It is generic over the precision, because checks need `f64` while programs use `f32`.
///
/// ```
/// use wengert::autograd::{Description, apply};
/// use wengert::prelude::*;
///
/// struct Bump { width: f64 }
///
/// impl<T: Float> Op<T, 2> for Bump {
///     const NAME: &'static str = "bump";
///     const SAVE: Save = Save::InputsAndOutput;
///
///     fn describe(&self, description: &mut Description) {
///         description.number("width", self.width);
///     }
///     fn check(&self, [x, center]: [&[usize]; 2]) -> Result<(), String> {
///         if x.ends_with(center) { Ok(()) } else { Err(format!("a center of shape {center:?} does not fit {x:?}")) }
///     }
///     fn forward(&mut self, [x, center]: [&Tensor<T>; 2]) -> Tensor<T> {
///         let width = T::from_f64(self.width);
///         (x - center).map(|u| (-(u * u) / width).exp())
///     }
///     fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
///         let ([x, center], y) = (saved.inputs(), saved.output());
///         let slope = gy * (x - center) * y * (2.0 / self.width);
///         [saved.needs(0).then(|| -&slope), saved.needs(1).then(|| slope.clone())]
///     }
/// }
///
/// trait BumpExt<T: Float> {
///     fn bump(&self, center: impl Operand<T>, width: f64) -> Var<T>;
/// }
///
/// impl<T: Float> BumpExt<T> for Var<T> {
///     #[track_caller]
///     fn bump(&self, center: impl Operand<T>, width: f64) -> Var<T> {
///         apply(Bump { width }, [self, &self.operand(center)])
///     }
/// }
///
/// let inputs = [tensor![f64; [0.3, -1.0], [2.0, 0.7]], tensor![f64; 0.5, -0.5]];
/// check::gradients(|x| x[0].bump(&x[1], 1.5), &inputs).unwrap();
///
/// let center = Param::new([0.0, 1.0]);
/// let y = Tape::new().constant([0.0, 0.0]).bump(&center, 2.0);
/// assert_eq!(y.value()[[0]], 1.0);
/// assert_eq!(y.sum().backward()[&center][[0]], 0.0);
/// ```
///
/// An operation for one use can be made of two closures: [`custom`](super::custom).
pub trait Op<T: Float, const N: usize>: 'static {
    /// The name in listings and messages.
    const NAME: &'static str;
    /// The values that the rule reads; only these are kept.
    const SAVE: Save;
    /// Whether the rule takes a gradient that broadcasts to the shape of the output, and may return one that broadcasts to that of an
    /// input: repeated values are written out only where that is needed.
    #[doc(hidden)]
    const BROADCASTS: bool = false;

    /// Adds the settings to the description shown in listings; by default there are none.
    fn describe(&self, _description: &mut Description) {}

    /// Checks that the operation is defined for inputs of these shapes.
    ///
    /// # Errors
    /// One sentence that names the shapes and what does not fit, without the name of the operation.
    fn check(&self, _shapes: [&[usize]; N]) -> Result<(), String> {
        Ok(())
    }

    /// Computes the value.
    #[doc(alias("Function", "autograd.Function"))]
    fn forward(&mut self, inputs: [&Tensor<T>; N]) -> Tensor<T>;

    /// [`forward`](Op::forward), or why the values have no result although their shapes fit: a singular matrix.
    ///
    /// # Errors
    /// One sentence, without the name of the operation.
    fn try_forward(&mut self, inputs: [&Tensor<T>; N]) -> Result<Tensor<T>, String> {
        Ok(self.forward(inputs))
    }

    /// The gradient with respect to each input, given the gradient `gy` with respect to the output.
    ///
    /// `None`: the output does not depend on that input, or its gradient was not requested ([`Saved::needs`]).
    fn backward(&self, saved: &Saved<T, N>, gy: &Var<T>) -> [Option<Var<T>>; N];
}

/// The values that an operation saves for its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Nothing.
    Nothing,
    /// Every input.
    Inputs,
    /// One of the inputs.
    Input(usize),
    /// Each input for which one of the *other* inputs is differentiated: for products.
    Others,
    /// The output.
    Output,
    /// Every input and the output.
    InputsAndOutput,
}

/// The argument of a rule: the saved values, as variables, and which gradients are requested.
pub struct Saved<'a, T: Float, const N: usize>(&'a BackwardContext<'a, T>);

impl<'a, T: Float, const N: usize> Saved<'a, T, N> {
    pub(crate) fn of(context: &'a BackwardContext<'a, T>) -> Self {
        Saved(context)
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

    /// Whether the gradient with respect to an input is requested.
    pub fn needs(&self, k: usize) -> bool {
        self.0.needs(k)
    }

    /// Puts aside the gradient of an input as a list of rows, if the input is a leaf and the pass accepts such a list; otherwise
    /// the rule has to return it.
    pub(crate) fn put_rows(&self, k: usize, rows: impl FnOnce() -> SparseRows<T>) -> bool {
        let (Some(list), Some(input)) = (self.0.rows, self.0.wanted[k]) else { return false };
        let is_leaf = matches!(self.0.tape.list()[input].content, Content::Variable | Content::Parameter(_));
        if is_leaf {
            list.borrow_mut().push((input, rows()));
        }
        is_leaf
    }

    /// A constant on the tape.
    pub fn constant(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        self.0.tape.constant(value)
    }
}

/// The node whose rule is running, for operations of any number of inputs.
pub(crate) struct BackwardContext<'a, T: Float> {
    pub(crate) tape: &'a Tape<T>,
    pub(crate) id: NodeId,
    pub(crate) save: Save,
    /// The nodes of the inputs whose gradient is requested.
    pub(crate) wanted: &'a [Option<NodeId>],
    /// Whether the backward pass is recorded: if so, the saved values keep their nodes on the tape.
    pub(crate) recording: bool,
    /// Where gradients go that are lists of rows, if they are accepted.
    pub(crate) rows: Option<&'a RowGradients<T>>,
}

impl<T: Float> BackwardContext<'_, T> {
    /// See [`Saved::input`].
    #[track_caller]
    pub(crate) fn input(&self, k: usize) -> Var<T> {
        let list = self.tape.list();
        match list.saved(self.id).get(k) {
            Some(Some(value)) if self.save != Save::Output => self.var(value, list.inputs(self.id)[k]),
            _ => panics::not_saved(list[self.id].name, &Save::Input(k), &self.save),
        }
    }

    /// See [`Saved::output`].
    #[track_caller]
    pub(crate) fn output(&self) -> Var<T> {
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
