//! What functions are differentiated at.

use crate::autograd::{Mode, Op, Save, Saved, Tape, Var};
use crate::tensor::{Float, Tensor};

/// What functions are differentiated at, and with respect to: a value, several values, or parameters of a model.
///
/// | the point | what the function is given | its gradient |
/// |---|---|---|
/// | `Tensor` | `&Var` | `Tensor` |
/// | `[Tensor; N]` | `&[Var; N]`, so `\|[x, y]\| …` | `[Tensor; N]` |
/// | `[Tensor]`, `Vec<Tensor>` | `&Vec<Var>` | `Vec<Tensor>` |
/// | `Param`, `[&Param; N]`, `Vec<&Param>`, [`model.parameters()`](crate::nn::Module::parameters) | `&Tape`, on which they are the variables | `Gradients` |
///
/// With `Var` in place of `Tensor` what comes out are variables on the same tape, to be differentiated further.
pub trait Point<T: Float> {
    /// What the function is given.
    type Input;
    /// What its value is returned as, [`Tensor`] or [`Var`].
    type Value: Value<T>;
    /// What has one value for each of its inputs: its gradient, or a direction.
    type Gradient;
    /// What has one value for each pair of its inputs.
    type Hessian;

    /// The tape, the input, and the variables in it.
    #[doc(hidden)]
    #[track_caller]
    fn enter(&self) -> Entered<T, Self::Input>;
    /// The values of a direction, in the order of the variables.
    #[doc(hidden)]
    fn parts(&self, direction: &Self::Gradient) -> Vec<Self::Value>;
    /// The opposite of `parts`.
    #[doc(hidden)]
    fn gather(&self, parts: Vec<Self::Value>) -> Self::Gradient;
    /// The same for pairs, in rows.
    #[doc(hidden)]
    fn gather_pairs(&self, rows: Vec<Vec<Self::Value>>) -> Self::Hessian;
}

/// A point on its tape.
#[doc(hidden)]
pub struct Entered<T: Float, I> {
    pub tape: Tape<T>,
    pub input: I,
    pub variables: Vec<Var<T>>,
}

/// A value outside of any function that is differentiated, [`Tensor`], or inside of one, [`Var`].
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
    /// A variable of this value, other than all that there are.
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

/// `y = x` as a variable of its own: what else is computed from `x` does not count as computed from `y`.
struct Identity;

impl<T: Float> Op<T, 1> for Identity {
    const NAME: &'static str = "input";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.clone()
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.clone())]
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
        if self.node().is_some() { self.apply(Identity) } else { tape.var(self.value()) }
    }
}

/// The one value that there must be.
fn only<V>(mut parts: Vec<V>) -> V {
    parts.pop().expect("one for each variable")
}

/// An array of as many as there must be.
fn array<V, const N: usize>(parts: Vec<V>) -> [V; N] {
    let mut parts = parts.into_iter();
    std::array::from_fn(|_| parts.next().expect("one for each variable"))
}

/// Implements [`Point`] for a kind of value, alone and several together.
macro_rules! points {
    ($($value:ident)*) => { $(
        impl<T: Float> Point<T> for $value<T> {
            type Input = Var<T>;
            type Value = $value<T>;
            type Gradient = $value<T>;
            type Hessian = $value<T>;

            fn enter(&self) -> Entered<T, Var<T>> {
                let tape = Value::tape(Some(self));
                let input = self.fresh(&tape);
                Entered { tape, variables: vec![input.clone()], input }
            }
            fn parts(&self, direction: &Self) -> Vec<Self> {
                vec![direction.clone()]
            }
            fn gather(&self, parts: Vec<Self>) -> Self {
                only(parts)
            }
            fn gather_pairs(&self, rows: Vec<Vec<Self>>) -> Self {
                only(only(rows))
            }
        }

        impl<T: Float, const N: usize> Point<T> for [$value<T>; N] {
            type Input = [Var<T>; N];
            type Value = $value<T>;
            type Gradient = [$value<T>; N];
            type Hessian = [[$value<T>; N]; N];

            fn enter(&self) -> Entered<T, [Var<T>; N]> {
                let Entered { tape, variables, .. } = self.as_slice().enter();
                Entered { tape, input: array(variables.clone()), variables }
            }
            fn parts(&self, direction: &Self) -> Vec<$value<T>> {
                direction.to_vec()
            }
            fn gather(&self, parts: Vec<$value<T>>) -> Self {
                array(parts)
            }
            fn gather_pairs(&self, rows: Vec<Vec<$value<T>>>) -> [Self; N] {
                array(rows.into_iter().map(array).collect())
            }
        }

        impl<T: Float> Point<T> for [$value<T>] {
            type Input = Vec<Var<T>>;
            type Value = $value<T>;
            type Gradient = Vec<$value<T>>;
            type Hessian = Vec<Vec<$value<T>>>;

            fn enter(&self) -> Entered<T, Vec<Var<T>>> {
                let tape = Value::tape(self.first());
                let mut variables = Vec::new();
                // Not in a closure, which would not know the caller's line.
                for x in self {
                    variables.push(x.fresh(&tape));
                }
                Entered { tape, input: variables.clone(), variables }
            }
            fn parts(&self, direction: &Vec<$value<T>>) -> Vec<$value<T>> {
                direction.clone()
            }
            fn gather(&self, parts: Vec<$value<T>>) -> Vec<$value<T>> {
                parts
            }
            fn gather_pairs(&self, rows: Vec<Vec<$value<T>>>) -> Vec<Vec<$value<T>>> {
                rows
            }
        }

        impl<T: Float> Point<T> for Vec<$value<T>> {
            type Input = Vec<Var<T>>;
            type Value = $value<T>;
            type Gradient = Self;
            type Hessian = Vec<Self>;

            fn enter(&self) -> Entered<T, Vec<Var<T>>> {
                self.as_slice().enter()
            }
            fn parts(&self, direction: &Self) -> Self {
                direction.clone()
            }
            fn gather(&self, parts: Self) -> Self {
                parts
            }
            fn gather_pairs(&self, rows: Vec<Self>) -> Vec<Self> {
                rows
            }
        }
    )* };
}
points!(Tensor Var);
