//! Points at which functions are differentiated.

use crate::autograd::{Mode, Tape, Var};
use crate::tensor::{Float, Tensor};

/// A point at which a function is differentiated: a value, several values, or the parameters of a model.
///
/// | primal | argument of the function | gradient |
/// |---|---|---|
/// | `Tensor` | `&Var` | `Tensor` |
/// | `[Tensor; N]` | `&[Var; N]`, so `\|[x, y]\| …` | `[Tensor; N]` |
/// | `[Tensor]`, `Vec<Tensor>` | `&Vec<Var>` | `Vec<Tensor>` |
/// | `Param`, `[&Param; N]`, `Vec<&Param>`, [`model.parameters()`](crate::nn::Module::parameters) | `&Tape`, on which they are the variables | `Gradients` |
///
/// With `Var` in place of `Tensor` the results are variables on the same tape, which can be differentiated again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point at which a function is differentiated",
    label = "expected a tensor, several as an array `[x, y]`, or the parameters of a model"
)]
pub trait Primal<T: Float> {
    /// The argument of the function.
    type Input;
    /// The type in which its value is returned, [`Tensor`] or [`Var`].
    type Value: Value<T>;
    /// One value for each input: a gradient or a direction.
    type Gradient;
    /// One value for each pair of inputs.
    type Hessian;

    /// The tape, the input, and the variables in it.
    #[doc(hidden)]
    #[track_caller]
    fn lift(&self) -> Lifted<T, Self::Input>;
    /// The values of a direction, in the order of the variables.
    #[doc(hidden)]
    fn flatten(&self, direction: &Self::Gradient) -> Vec<Self::Value>;
    /// The inverse of `flatten`.
    #[doc(hidden)]
    fn unflatten(&self, parts: Vec<Self::Value>) -> Self::Gradient;
    /// The same for pairs, in rows.
    #[doc(hidden)]
    fn unflatten_pairs(&self, rows: Vec<Vec<Self::Value>>) -> Self::Hessian;
}

/// A primal as variables on a tape.
#[doc(hidden)]
pub struct Lifted<T: Float, I> {
    pub tape: Tape<T>,
    pub input: I,
    pub variables: Vec<Var<T>>,
}

/// A value outside a differentiated function, [`Tensor`], or inside one, [`Var`].
pub trait Value<T: Float>: Clone {
    /// Whether it can be differentiated further.
    #[doc(hidden)]
    const RECORDED: bool;
    #[doc(hidden)]
    fn of(var: &Var<T>) -> Self;
    #[doc(hidden)]
    fn on(&self, tape: &Tape<T>) -> Var<T>;
    /// The tape of values like this one.
    #[doc(hidden)]
    fn tape(like: Option<&Self>) -> Tape<T>;
    /// A new variable with this value.
    #[doc(hidden)]
    #[track_caller]
    fn fresh(&self, tape: &Tape<T>) -> Var<T>;
}

impl<T: Float> Value<T> for Tensor<T> {
    const RECORDED: bool = false;

    fn of(var: &Var<T>) -> Self {
        var.value().clone()
    }
    fn on(&self, tape: &Tape<T>) -> Var<T> {
        tape.constant(self)
    }
    fn tape(_: Option<&Self>) -> Tape<T> {
        Tape::with_mode(Mode::Differentiable)
    }
    fn fresh(&self, tape: &Tape<T>) -> Var<T> {
        tape.var(self)
    }
}

impl<T: Float> Value<T> for Var<T> {
    const RECORDED: bool = true;

    fn of(var: &Var<T>) -> Self {
        var.clone()
    }
    fn on(&self, _: &Tape<T>) -> Var<T> {
        self.clone()
    }
    fn tape(like: Option<&Self>) -> Tape<T> {
        like.map_or_else(|| Tape::with_mode(Mode::Differentiable), |x| x.tape().clone())
    }
    fn fresh(&self, tape: &Tape<T>) -> Var<T> {
        if self.node().is_some() { self.branch() } else { tape.var(self.value()) }
    }
}

/// The single value.
fn only<V>(mut parts: Vec<V>) -> V {
    parts.pop().expect("one for each variable")
}

/// The values as an array.
fn array<V, const N: usize>(parts: Vec<V>) -> [V; N] {
    let mut parts = parts.into_iter();
    std::array::from_fn(|_| parts.next().expect("one for each variable"))
}

/// Implements [`Primal`] for a type of value, and for arrays, slices and vectors of it.
macro_rules! primals {
    ($($value:ident)*) => { $(
        impl<T: Float> Primal<T> for $value<T> {
            type Input = Var<T>;
            type Value = $value<T>;
            type Gradient = $value<T>;
            type Hessian = $value<T>;

            fn lift(&self) -> Lifted<T, Var<T>> {
                let tape = Value::tape(Some(self));
                let input = self.fresh(&tape);
                Lifted { tape, variables: vec![input.clone()], input }
            }
            fn flatten(&self, direction: &Self) -> Vec<Self> {
                vec![direction.clone()]
            }
            fn unflatten(&self, parts: Vec<Self>) -> Self {
                only(parts)
            }
            fn unflatten_pairs(&self, rows: Vec<Vec<Self>>) -> Self {
                only(only(rows))
            }
        }

        impl<T: Float, const N: usize> Primal<T> for [$value<T>; N] {
            type Input = [Var<T>; N];
            type Value = $value<T>;
            type Gradient = [$value<T>; N];
            type Hessian = [[$value<T>; N]; N];

            fn lift(&self) -> Lifted<T, [Var<T>; N]> {
                let Lifted { tape, variables, .. } = self.as_slice().lift();
                Lifted { tape, input: array(variables.clone()), variables }
            }
            fn flatten(&self, direction: &Self) -> Vec<$value<T>> {
                direction.to_vec()
            }
            fn unflatten(&self, parts: Vec<$value<T>>) -> Self {
                array(parts)
            }
            fn unflatten_pairs(&self, rows: Vec<Vec<$value<T>>>) -> [Self; N] {
                array(rows.into_iter().map(array).collect())
            }
        }

        impl<T: Float> Primal<T> for [$value<T>] {
            type Input = Vec<Var<T>>;
            type Value = $value<T>;
            type Gradient = Vec<$value<T>>;
            type Hessian = Vec<Vec<$value<T>>>;

            fn lift(&self) -> Lifted<T, Vec<Var<T>>> {
                let tape = Value::tape(self.first());
                let mut variables = Vec::new();
                // A closure would not be `#[track_caller]`.
                for x in self {
                    variables.push(x.fresh(&tape));
                }
                Lifted { tape, input: variables.clone(), variables }
            }
            fn flatten(&self, direction: &Vec<$value<T>>) -> Vec<$value<T>> {
                direction.clone()
            }
            fn unflatten(&self, parts: Vec<$value<T>>) -> Vec<$value<T>> {
                parts
            }
            fn unflatten_pairs(&self, rows: Vec<Vec<$value<T>>>) -> Vec<Vec<$value<T>>> {
                rows
            }
        }

        impl<T: Float> Primal<T> for Vec<$value<T>> {
            type Input = Vec<Var<T>>;
            type Value = $value<T>;
            type Gradient = Self;
            type Hessian = Vec<Self>;

            fn lift(&self) -> Lifted<T, Vec<Var<T>>> {
                self.as_slice().lift()
            }
            fn flatten(&self, direction: &Self) -> Self {
                direction.clone()
            }
            fn unflatten(&self, parts: Self) -> Self {
                parts
            }
            fn unflatten_pairs(&self, rows: Vec<Self>) -> Vec<Self> {
                rows
            }
        }
    )* };
}
primals!(Tensor Var);
