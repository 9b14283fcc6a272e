//! A trace: the operations that a tape records, with all values that they read, constants included.

use crate::autograd::apply::AnyOp;
use crate::autograd::diagnostics::Observer;
use crate::autograd::op::BackwardContext;
use crate::autograd::tape::NodeId;
use crate::autograd::{Description, Tape, Var};
use crate::tensor::{Float, Tensor};
use std::panic::Location;

/// An operation of a trace.
pub(crate) struct Step<T: Float> {
    pub(crate) name: &'static str,
    pub(crate) settings: Description,
    /// The nodes of the inputs, none for constants.
    pub(crate) sources: Vec<Option<NodeId>>,
    pub(crate) inputs: Vec<Tensor<T>>,
    pub(crate) node: NodeId,
    pub(crate) value: Tensor<T>,
    /// The source line.
    pub(crate) at: String,
}

/// Appends every operation that is about to be recorded to the trace of its tape.
pub(crate) struct Tracer {
    /// Fused operations that stay as they are; others become what they are composed of.
    pub(crate) kept: &'static [&'static str],
}

impl<T: Float> Observer<T> for Tracer {
    fn decomposes(&self, name: &str) -> bool {
        !self.kept.contains(&name)
    }

    fn computed(&self, op: &dyn AnyOp<T>, inputs: &[&Var<T>], value: &Tensor<T>, at: &Location) -> Result<(), String> {
        let sources: Vec<_> = inputs.iter().map(|x| x.node()).collect();
        if sources.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut settings = Description::default();
        op.describe(&mut settings);
        let tape = inputs[0].tape();
        let (name, node, at) = (op.name(), NodeId::new(tape.len()), at.to_string());
        let inputs = inputs.iter().map(|x| x.value().clone()).collect();
        let step = Step { name, settings, sources, inputs, node, value: value.clone(), at };
        tape.diagnostics().trace.borrow_mut().push(step);
        Ok(())
    }

    fn arrived(&self, _: &Tape<T>, _: NodeId, _: &Var<T>) -> Result<(), String> {
        Ok(())
    }

    fn returned(&self, _: &BackwardContext<T>, _: usize, _: &Var<T>, _: &Var<T>) -> Result<(), String> {
        Ok(())
    }
}

impl<T: Float> Tape<T> {
    /// Traces the operations on this tape.
    pub(crate) fn traced(self, tracer: &'static Tracer) -> Self {
        self.diagnostics().observer.set(Some(tracer));
        self
    }

    /// The operations since the last call.
    pub(crate) fn take_trace(&self) -> Vec<Step<T>> {
        self.diagnostics().trace.take()
    }
}
