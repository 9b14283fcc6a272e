//! Why a parameter that was read on a tape has no gradient.

use crate::autograd::Tape;
use crate::autograd::gradient::Gradient;
use crate::autograd::param::ParamId;
use crate::autograd::tape::{Content, Node, NodeId};
use crate::tensor::Float;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::panic::Location;

/// Why a parameter has no gradient; see [`Gradients::why_missing`](super::Gradients::why_missing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingGradient {
    /// No operation on the tape read it.
    NeverRead,
    /// It is a [buffer](super::Param::buffer), which is not trained.
    Buffer,
    /// [`Tape::bind`] put a variable in its place: the gradient is that variable's.
    Bound,
    /// [`Tape::freeze`] made it a constant on the tape.
    Frozen,
    /// The path from it to the result was cut by that [`detach`](super::Var::detach).
    Detached(&'static Location<'static>),
    /// It was used, up to this operation, but the result does not depend on that.
    Unused {
        /// The name of the operation.
        operation: &'static str,
        /// Where it was recorded.
        at: &'static Location<'static>,
    },
    /// The result depends on it, but a rule on the path returns no gradient.
    NotPropagated,
}

impl Display for MissingGradient {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            MissingGradient::NeverRead => f.write_str("never read on the tape"),
            MissingGradient::Buffer => f.write_str("a buffer, which is not trained"),
            MissingGradient::Bound => f.write_str("a variable was bound in its place, and has the gradient"),
            MissingGradient::Frozen => f.write_str("frozen on this tape, so that no gradient is computed"),
            MissingGradient::Detached(at) => write!(f, "cut off by the detach at {at}"),
            MissingGradient::Unused { operation: "parameter", at } => {
                write!(f, "read at {at}, but used by no operation")
            }
            MissingGradient::Unused { operation, at } => {
                write!(f, "used up to {operation} at {at}, which is not part of the result")
            }
            MissingGradient::NotPropagated => {
                f.write_str("used by the result, but a rule on the path returns no gradient")
            }
        }
    }
}

impl MissingGradient {
    /// Of several reasons the one with the highest priority is reported.
    fn priority(&self) -> u8 {
        match self {
            MissingGradient::NotPropagated => 2,
            MissingGradient::Detached(_) => 1,
            _ => 0,
        }
    }
}

impl<T: Float> Tape<T> {
    /// The parameters that were read and have no gradient, with the reason, given the root of the pass and the nodes that have a
    /// gradient in descending order.
    pub(crate) fn missing_gradients(
        &self,
        root: NodeId,
        found: &[(NodeId, Gradient<T>)],
    ) -> Vec<(ParamId, MissingGradient)> {
        let list = self.list();
        let found_parameters = found.iter().filter(|(id, _)| matches!(list[*id].content, Content::Parameter(_)));
        // A parameter has one leaf: if as many were found as were read, none is missing.
        if found_parameters.count() == self.parameters().borrow().len() {
            return Vec::new();
        }
        let is_found = |node: NodeId| found.binary_search_by(|(other, _)| node.cmp(other)).is_ok();
        let mut missing = self.bindings();
        missing.retain(|(_, leaf)| !leaf.is_ok_and(is_found));
        // Searches the whole list, which parameters without a leaf do not need.
        let reasons = if missing.iter().any(|(_, leaf)| leaf.is_ok()) { self.reasons(root) } else { Vec::new() };
        let reason =
            |leaf: Result<NodeId, MissingGradient>| leaf.map_or_else(|reason| reason, |node| reasons[node.index()]);
        missing.into_iter().map(|(id, leaf)| (id, reason(leaf))).collect()
    }

    /// For each node, why no gradient reached it.
    fn reasons(&self, root: NodeId) -> Vec<MissingGradient> {
        let list = self.list();
        let detached: HashMap<_, _> = self.diagnostics().detached.borrow().iter().copied().collect();
        let end = |(id, node): (NodeId, &Node<T>)| match detached.get(&id) {
            _ if id == root => MissingGradient::NotPropagated,
            Some(at) => MissingGradient::Detached(at),
            None => MissingGradient::Unused { operation: node.name, at: node.location },
        };
        let mut reasons: Vec<MissingGradient> = list.nodes().map(end).collect();
        let mut used = vec![false; reasons.len()];
        for (id, _) in list.nodes().rev() {
            let reason = reasons[id.index()];
            for input in list.inputs(id).iter().flatten().map(|input| input.index()) {
                let first = !std::mem::replace(&mut used[input], true);
                if reason.priority() > reasons[input].priority() || first && reasons[input].priority() == 0 {
                    reasons[input] = reason;
                }
            }
        }
        reasons
    }
}
