//! The tape, its variables, and reverse-mode differentiation.
//!
//! # How it works
//!
//! A program computes with variables as with numbers. Each operation does two things: it computes its value, and it appends a
//! node to a list, the *tape*: which operation it was, which nodes it read, and what its derivative will need.
//!
//! ```text
//!    program                     tape                               backward pass
//!
//!    x = tape.var(2.0)           %0  variable                       gx = 3·4 − 4 = 8        ▲
//!    a = x.powi(3)               %1  powi(%0) { n: 3 }, saves x     gx ← ga · 3x²           │
//!    b = 4.0 * &x                %2  mul_scalar(%0) { c: 4.0 }      gx ← gb · 4             │
//!    y = a - b                   %3  sub(%1, %2)                    ga ← gy,  gb ← −gy      │
//!                            ▼                                      gy = 1                  │
//! ```
//!
//! An operation reads only earlier nodes, so in reverse order every node comes after all nodes that read it. [`backward`](Var::backward)
//! starts at the result, whose derivative with respect to itself is 1, and visits the nodes in reverse. At each it calls the *rule* of the
//! operation, which returns the gradient with respect to each input, given the gradient with respect to the output. Gradients that reach
//! the same node are summed: the sum over all paths, which is the chain rule. R. E. Wengert described the list in 1964 and S. Linnainmaa
//! the reverse pass in 1970. The cost is a small multiple of the cost of the result, regardless of the number of variables.
//!
//! # The types
//!
//! | item | what it is |
//! |---|---|
//! | [`Tape`] | A cheap handle to the list. Every variable carries one. |
//! | [`Var`] | A value and its node on a tape; a constant has no node. The value is owned by the `Var`, not by the tape, and is freed with its last user. |
//! | [`Param`] | A value that outlives tapes, such as a weight. All reads on one tape are the same leaf. |
//! | [`Op`] | An operation: its value, what it saves, its rule. Also the way to write a custom one. |
//! | [`Gradients`] | The result of a backward pass, by parameter and by variable. Nothing is stored in the variables, so nothing has to be zeroed. |
//! | [`Operand`] | The other operand of an operation: a variable, parameter, tensor or number. |
//!
//! # Modes
//!
//! The tape alone decides whether operations are recorded and whether dropout is active. There is no switch in a model and no
//! global state.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let mut rng = wengert::rng(0);
//! let layer = Linear::new(2, 1, Init::Xavier, &mut rng);
//! let forward = |tape: &Tape| layer.forward(&tape.constant([[1.0, 2.0]])).dropout(0.5).sum();
//!
//! let tape = Tape::training(&mut rng); // a training step: records; dropout and batch statistics
//! let gradients = forward(&tape).backward();
//! assert!(gradients.get(&layer.weight).is_some());
//!
//! let tape = Tape::new(); // calculus, and gradients of a finished model: records
//! assert_eq!(forward(&tape).gradients()[&layer.weight], tensor![[1.0, 2.0]]);
//!
//! let tape = Tape::inference(); // prediction: records nothing
//! forward(&tape);
//! assert!(tape.is_empty());
//! ```
//!
//! A tape lives as long as its variables. Use one tape for each training step: its memory is reused by the next.
//!
//! # Backward passes
//!
//! | | [`y.backward()`](Var::backward) | [`y.gradients()`](Var::gradients) | [`y.grad(&x)`](Var::grad) |
//! |---|---|---|---|
//! | with respect to | all variables and parameters | the same | one variable |
//! | returns | tensors | tensors | a variable on the tape |
//! | the tape afterwards | released | unchanged | extended by the backward pass |
//!
//! Rules are written in operations on variables. If the backward pass is recorded, as `grad` does, the operations of the rules
//! append nodes themselves, and the result can be differentiated again, to any order:
//!
//! ```
//! # use wengert::prelude::*;
//! let tape = Tape::new_f64();
//! let x = tape.var(2.0);
//! let y = x.powi(3) - 4.0 * &x;
//! let derivatives = [y.grad(&x), y.grad(&x).grad(&x), y.grad(&x).grad(&x).grad(&x)];
//! assert_eq!(derivatives.map(|d| d.item()), [8.0, 12.0, 6.0]); // 3x² − 4, 6x, 6
//! ```
//!
//! [`functional`](crate::functional) builds on this: Jacobians, Hessians, forward-mode products, gradients of each
//! sample.
//!
//! # Where gradients stop
//!
//! Constants have no gradient, and operations on constants alone are not recorded. [`detach`](Var::detach) turns a variable
//! into a constant. [`hook`](Var::hook) observes or replaces a gradient. Gradients of intermediate results are dropped once
//! they have been propagated, unless [`retain_grad`](Var::retain_grad) keeps them.
//!
//! # Debugging
//!
//! `println!("{tape}")` prints the list, [`to_svg`](Tape::to_svg) draws it, [`to_dot`](Tape::to_dot) writes it for Graphviz, and
//! [`name_parameters`](Tape::name_parameters) adds the parameter names of a model. If a loss is NaN,
//! [`detect_anomaly`](Tape::detect_anomaly) finds its first appearance; if a layer does not learn,
//! [`gradients.missing(&model)`](Gradients::missing) says why; to verify a custom rule, [`check`](crate::check) compares it with
//! differences.
//!
//! ```
//! use wengert::prelude::*;
//!
//! struct Net { body: Linear, head: Linear }
//! module!(Net { body, head });
//!
//! let mut rng = wengert::rng(0);
//! let net = Net { body: Linear::new(2, 3, Init::He, &mut rng), head: Linear::new(3, 1, Init::He, &mut rng) };
//! let tape = Tape::training(&mut rng).detect_anomaly();
//! tape.name_parameters(&net);
//! let h = net.body.forward(&tape.constant([[1.0, 2.0]])).detach(); // a mistake
//! let loss = net.head.forward(&h).square().sum();
//! let list = tape.to_string();
//! assert!(list.contains("head.weight"));
//! let missing = loss.backward().missing(&net).to_string();
//! assert!(missing.starts_with("body.weight  cut off by the detach at "));
//! ```

pub(crate) mod apply;
pub(crate) mod backward;
mod bindings;
mod custom;
mod description;
pub(crate) mod diagnostics;
mod dropped;
pub(crate) mod gradient;
pub(crate) mod gradients;
mod hook;
mod missing_gradient;
pub(crate) mod op;
mod operand;
pub(crate) mod param;
pub(crate) mod tape;
pub(crate) mod trace;
mod var;

pub use apply::apply;
pub use custom::custom;
pub use description::Description;
pub(crate) use description::Setting;
pub(crate) use diagnostics::ParamName;
pub use gradients::{GradientKey, Gradients};
pub use missing_gradient::MissingGradient;
pub use op::{Op, Save, Saved};
pub use operand::Operand;
pub(crate) use operand::Resolved;
pub use param::Param;
pub use tape::{Mode, Tape, TapeConstructors};
pub use var::Var;

use crate::tensor::{Float, Tensor};
use std::hint::black_box;

/// Instantiates the engine for an element type; see [`crate::instances`].
pub(crate) fn instantiate<T: Float>() {
    black_box(Tape::<T>::with_mode as fn(Mode) -> Tape<T>);
    black_box(Tape::<T>::param as fn(&Tape<T>, &Param<T>) -> Var<T>);
    black_box(Tape::<T>::bind as fn(&Tape<T>, &Param<T>, &Var<T>));
    black_box(Tape::<T>::update_buffer as fn(&Tape<T>, &Param<T>, f64, Tensor<T>));
    black_box(Var::<T>::backward as fn(Var<T>) -> Gradients<T>);
    black_box(Var::<T>::grad as fn(&Var<T>, &Var<T>) -> Var<T>);
    black_box(Gradients::<T>::why_missing as fn(&Gradients<T>, &Param<T>) -> Option<MissingGradient>);
    black_box(Gradients::<T>::updated_buffer as fn(&Gradients<T>, &Param<T>) -> Option<Tensor<T>>);
    black_box(Gradients::<T>::dot as fn(&Gradients<T>, &Gradients<T>) -> f64);
    black_box(<Gradients<T> as std::ops::AddAssign>::add_assign as fn(&mut Gradients<T>, Gradients<T>));
}
