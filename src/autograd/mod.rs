//! The tape, its variables, and what differentiates them.
//!
//! # How it works
//!
//! A program computes with variables as it would with numbers. Each operation does two things: it computes its value, and it
//! adds a line to a list, the *tape*: what it was, which lines it read, and what it must remember to differentiate itself.
//!
//! ```text
//!    the program                 the tape                           the way back
//!
//!    x = tape.var(2.0)           %0  variable                       gx = 3·4 − 4 = 8        ▲
//!    a = x.powi(3)               %1  powi(%0) { n: 3 }, keeps x     gx ← ga · 3x²           │
//!    b = 4.0 * &x                %2  mul_scalar(%0) { c: 4.0 }      gx ← gb · 4             │
//!    y = a - b                   %3  sub(%1, %2)                    ga ← gy,  gb ← −gy      │
//!                            ▼                                      gy = 1                  │
//! ```
//!
//! An operation can only read what was there before, so from bottom to top every line comes after all that have read it.
//! [`backward`](Var::backward) starts at the result, whose derivative with respect to itself is 1, and goes up line by line.
//! At each it asks the *rule* of the operation: given the gradient of the result with respect to what you computed, what is
//! it with respect to what you read? The answers that arrive at one line are added: the sum over all ways, which is the chain
//! rule. R. E. Wengert described the list in 1964, and S. Linnainmaa the way back in 1970. The cost is that of computing the
//! result, times a small number, however many variables there are.
//!
//! # Who is who
//!
//! | | |
//! |---|---|
//! | [`Tape`] | The list. A cheap handle to it: variables carry one. |
//! | [`Var`] | A value, and its line on a tape; a constant has none. The value is here and not on the tape, and goes with its last user. |
//! | [`Param`] | A value that outlives tapes: a weight. A tape that reads it gives it a line, the same one each time. |
//! | [`Op`] | What an operation is: its value, what it keeps, its rule. Also the way to write one's own. |
//! | [`Gradients`] | What a backward pass returns, by parameter and by variable. Nothing is stored in the variables, so nothing has to be zeroed. |
//! | [`Operand`] | What can stand beside a variable: variables, parameters, tensors, numbers. |
//!
//! # Three situations
//!
//! Whether there is a list at all, and whether dropout drops, the tape knows, and nothing else does: there is no switch in a
//! model or in the program.
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
//! A tape lives as long as its variables. One step, one tape: the next step begins a new one, and what the last one held is freed
//! or reused.
//!
//! # Two ways back
//!
//! | | [`y.backward()`](Var::backward) | [`y.gradients()`](Var::gradients) | [`y.grad(&x)`](Var::grad) |
//! |---|---|---|---|
//! | with respect to | all variables and parameters | the same | one variable |
//! | gives | tensors | tensors | a variable on the tape |
//! | the tape afterwards | released, line by line | as before | longer, by the way back |
//!
//! Rules are written in operations on variables. Where the way back is recorded, as by `grad`, the operations of the rules add
//! lines of their own, and what comes out can be differentiated again, and again:
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
//! [`functional`] has what is made of this: Jacobians, Hessians, forward-mode products, gradients of each sample.
//!
//! # What does not flow
//!
//! Constants have no gradient, and what is computed from constants alone is not recorded. [`detach`](Var::detach) makes a
//! constant of a variable. [`hook`](Var::hook) looks at the gradient on its way, or puts another in its place. Gradients of
//! intermediate results are dropped as soon as they were passed on, unless [`retain_grad`](Var::retain_grad) keeps them.
//!
//! # Seeing and searching
//!
//! `println!("{tape}")` prints the list, [`to_svg`](Tape::to_svg) draws it, [`to_dot`](Tape::to_dot) writes it for Graphviz, and
//! [`name_parameters`](Tape::name_parameters) puts the names of a model in. When a loss is NaN,
//! [`detect_anomaly`](Tape::detect_anomaly) finds where that began; when a layer does not learn,
//! [`gradients.missing(&model)`](Gradients::missing) says why; when a rule of one's own is in doubt, [`check`] compares it with
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
mod gradients;
mod hook;
mod missing;
pub(crate) mod op;
mod operand;
pub(crate) mod param;
pub(crate) mod tape;
mod var;

pub use apply::apply;
pub use custom::custom;
pub use description::Description;
pub(crate) use diagnostics::ParamName;
pub use gradients::{GradientKey, Gradients};
pub use missing::NoGradient;
pub use op::{Op, Save, Saved};
pub use operand::Operand;
pub(crate) use operand::Resolved;
pub use param::Param;
pub use tape::{Mode, Tape, TapeConstructors};
pub use var::Var;
