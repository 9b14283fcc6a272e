//! The tape, its variables, and what differentiates them.
//!
//! [`Tape`] records, [`Var`] is a value that knows its tape, [`Op`] is a differentiable operation and
//! the way to write one's own, [`Gradients`] is what a backward pass returns.

mod anomaly;
mod backward;
pub mod check;
pub mod functional;
mod gradients;
mod graph;
mod missing;
mod notes;
mod op;
mod operand;
pub mod parallel;
mod param;
mod reading;
mod recompute;
mod tape;
mod var;

pub use gradients::{GradientKey, Gradients};
pub use missing::NoGradient;
pub(crate) use notes::ParamName;
pub(crate) use op::{Flows, Record, VariadicOp, apply_variadic};
pub use op::{Op, Save, Saved, apply};
pub use operand::Operand;
pub(crate) use operand::Resolved;
pub use param::Param;
pub use tape::{Mode, Tape};
pub use var::Var;
