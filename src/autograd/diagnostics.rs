//! What a tape records beside its list, for finding out what went wrong: empty unless something was asked for.

use crate::autograd::apply::AnyOp;
use crate::autograd::op::BackwardContext;
use crate::autograd::param::ParamId;
use crate::autograd::tape::NodeId;
use crate::autograd::{Param, Tape, Var};
use crate::tensor::{Float, Tensor};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::panic::Location;

/// Sees everything that is computed on a tape. An error is a report with which the tape panics.
pub(crate) trait Observer<T: Float>: Sync {
    /// An operation computed its value.
    fn computed(&self, op: &dyn AnyOp<T>, inputs: &[&Var<T>], value: &Tensor<T>, at: &Location) -> Result<(), String>;

    /// The sum of the gradients that its uses sent reached a node.
    fn arrived(&self, tape: &Tape<T>, id: NodeId, gy: &Var<T>) -> Result<(), String>;

    /// A rule returned the gradient of one of its inputs.
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
    /// The intermediate results whose gradients are kept.
    pub(crate) retained: RefCell<Vec<NodeId>>,
    /// The results that were detached, and where.
    pub(crate) detached: RefCell<Vec<(NodeId, &'static Location<'static>)>>,
    pub(crate) names: RefCell<HashMap<ParamId, ParamName>>,
    /// The parts of the list that backward passes recorded.
    pub(crate) passes: RefCell<Vec<Range<usize>>>,
}

/// Where in a model a parameter is.
pub(crate) struct ParamName {
    /// Such as `layers.0.weight`.
    pub(crate) path: String,
    /// The modules around it by path and type, the outermost first, without the model itself.
    pub(crate) modules: Vec<(String, &'static str)>,
}

impl<T: Float> Diagnostics<T> {
    /// The intermediate results whose gradients are kept, in the order of the list.
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
        }
    }
}

impl<T: Float> Tape<T> {
    /// Records where in a model a parameter is.
    pub(crate) fn name(&self, param: &Param<T>, name: ParamName) {
        self.diagnostics().names.borrow_mut().insert(param.id(), name);
    }

    /// The observer, if one was set.
    #[inline]
    pub(crate) fn observer(&self) -> Option<&'static dyn Observer<T>> {
        self.diagnostics().observer.get()
    }
}
