//! Diagnostics that a tape records in addition to its list, for debugging; empty unless requested.

use crate::autograd::apply::AnyOp;
use crate::autograd::op::BackwardContext;
use crate::autograd::param::ParamId;
use crate::autograd::tape::NodeId;
use crate::autograd::trace::Step;
use crate::autograd::{Param, Tape, Var};
use crate::tensor::{Float, Tensor};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::panic::Location;

/// Observes all computations on a tape. An error is the message with which the tape panics.
pub(crate) trait Observer<T: Float>: Sync {
    /// Whether a fused operation of this name is replaced by the operations that it fuses.
    fn decomposes(&self, _name: &str) -> bool {
        false
    }

    /// Called after an operation has computed its value.
    fn computed(&self, op: &dyn AnyOp<T>, inputs: &[&Var<T>], value: &Tensor<T>, at: &Location) -> Result<(), String>;

    /// Called when the gradient of a node, summed over its uses, is complete.
    fn arrived(&self, tape: &Tape<T>, id: NodeId, gy: &Var<T>) -> Result<(), String>;

    /// Called after a rule has returned the gradient of one of its inputs.
    fn returned(
        &self,
        context: &BackwardContext<T>,
        input: usize,
        gy: &Var<T>,
        gradient: &Var<T>,
    ) -> Result<(), String>;
}

/// The diagnostics of one tape.
pub(crate) struct Diagnostics<T: Float> {
    pub(crate) observer: Cell<Option<&'static dyn Observer<T>>>,
    /// The intermediate results whose gradients are retained.
    pub(crate) retained: RefCell<Vec<NodeId>>,
    /// The detached results, and where they were detached.
    pub(crate) detached: RefCell<Vec<(NodeId, &'static Location<'static>)>>,
    pub(crate) names: RefCell<HashMap<ParamId, ParamName>>,
    /// The parts of the list that backward passes recorded.
    pub(crate) passes: RefCell<Vec<Range<usize>>>,
    /// All operations, if they are traced.
    pub(crate) trace: RefCell<Vec<Step<T>>>,
}

/// The location of a parameter in a model.
pub(crate) struct ParamName {
    /// The path, such as `layers.0.weight`.
    pub(crate) path: String,
    /// The path and type of each enclosing module, the outermost first, without the model itself.
    pub(crate) modules: Vec<(String, &'static str)>,
}

impl<T: Float> Diagnostics<T> {
    /// The intermediate results whose gradients are retained, in the order of the list.
    pub(crate) fn retained(&self) -> Vec<NodeId> {
        let mut retained = self.retained.borrow().clone();
        retained.sort_unstable();
        retained
    }
}

impl<T: Float> Default for Diagnostics<T> {
    fn default() -> Self {
        Diagnostics {
            observer: Cell::new(None),
            retained: RefCell::default(),
            detached: RefCell::default(),
            names: RefCell::default(),
            passes: RefCell::default(),
            trace: RefCell::default(),
        }
    }
}

impl<T: Float> Tape<T> {
    /// Records the location of a parameter in a model.
    pub(crate) fn name(&self, param: &Param<T>, name: ParamName) {
        self.diagnostics().names.borrow_mut().insert(param.id(), name);
    }

    /// The observer, if one was set.
    #[inline]
    pub(crate) fn observer(&self) -> Option<&'static dyn Observer<T>> {
        self.diagnostics().observer.get()
    }
}
