//! What a tape notes beside its list, for whoever looks for something on it; nothing unless asked.

use super::param::ParamId;
use super::tape::NodeId;
use super::{Param, Tape};
use crate::tensor::Float;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::panic::Location;

/// The notes of one tape.
#[derive(Default)]
pub(super) struct Notes {
    /// Whether every value and gradient is searched for NaN and infinities.
    pub(super) detects_anomaly: Cell<bool>,
    /// The intermediate results whose gradients are kept.
    pub(super) retained: RefCell<Vec<NodeId>>,
    /// The results that went on as constants, and where.
    pub(super) detached: RefCell<Vec<(NodeId, &'static Location<'static>)>>,
    pub(super) names: RefCell<HashMap<ParamId, ParamName>>,
    /// The stretches of the list that backward passes have recorded.
    pub(super) passes: RefCell<Vec<Range<usize>>>,
}

/// Where in a model a parameter is.
pub(crate) struct ParamName {
    /// Such as `layers.0.weight`.
    pub(crate) path: String,
    /// The modules around it by path and type, the outermost first, without the model itself.
    pub(crate) modules: Vec<(String, &'static str)>,
}

impl Notes {
    /// The intermediate results whose gradients are kept, in the order of the list.
    pub(super) fn retained(&self) -> Vec<NodeId> {
        let mut retained = self.retained.borrow().clone();
        retained.sort_unstable();
        retained
    }
}

impl<T: Float> Tape<T> {
    /// Notes where in a model a parameter is.
    pub(crate) fn name(&self, param: &Param<T>, name: ParamName) {
        self.notes().names.borrow_mut().insert(param.id(), name);
    }
}
