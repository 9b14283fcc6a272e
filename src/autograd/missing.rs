//! Why a parameter that a tape read got no gradient.

use crate::autograd::param::ParamId;
use crate::autograd::tape::{Content, Node, NodeId};
use crate::autograd::{Tape, Var};
use crate::tensor::Float;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::panic::Location;

/// Why a parameter has no gradient; see [`Gradients::reason`](super::Gradients::reason).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoGradient {
    /// No operation on the tape read it.
    NeverRead,
    /// It is a [buffer](super::Param::buffer), which is not trained.
    Buffer,
    /// [`Tape::bind`] put a variable in its place: the gradient is that variable's.
    Bound,
    /// [`Tape::freeze`] made it a constant of the tape.
    Frozen,
    /// What was computed from it went on as a constant from that [`detach`](super::Var::detach).
    Detached(&'static Location<'static>),
    /// What was computed from it, up to this operation, is not part of the result.
    Unused {
        /// The name of the operation.
        operation: &'static str,
        /// Where it was recorded.
        at: &'static Location<'static>,
    },
    /// It is part of the result, but a rule on the way passes nothing on.
    NotPassedOn,
}

impl Display for NoGradient {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            NoGradient::NeverRead => f.write_str("never read on the tape"),
            NoGradient::Buffer => f.write_str("a buffer, which is not trained"),
            NoGradient::Bound => f.write_str("a variable was bound in its place, and has the gradient"),
            NoGradient::Frozen => f.write_str("frozen on this tape, so that no gradient is computed"),
            NoGradient::Detached(at) => write!(f, "cut off by the detach at {at}"),
            NoGradient::Unused { operation: "parameter", at } => write!(f, "read at {at}, but used by no operation"),
            NoGradient::Unused { operation, at } => {
                write!(f, "used up to {operation} at {at}, which is not part of the result")
            }
            NoGradient::NotPassedOn => f.write_str("part of the result, but a rule on the way passes no gradient on"),
        }
    }
}

impl NoGradient {
    /// Of several reasons the one with the largest counts.
    fn weight(&self) -> u8 {
        match self {
            NoGradient::NotPassedOn => 2,
            NoGradient::Detached(_) => 1,
            _ => 0,
        }
    }
}

impl<T: Float> Tape<T> {
    /// For each parameter that was read and has no gradient: why, given the node that was differentiated and the nodes that
    /// have a gradient, the last first.
    pub(crate) fn without_gradient(&self, root: NodeId, found: &[(NodeId, Var<T>)]) -> Vec<(ParamId, NoGradient)> {
        let list = self.list();
        let found_parameters = found.iter().filter(|(id, _)| matches!(list[*id].content, Content::Parameter(_)));
        // A parameter has one leaf: if as many were found as were read, none is missing.
        if found_parameters.count() == self.parameters().borrow().len() {
            return Vec::new();
        }
        let is_found = |node: NodeId| found.binary_search_by(|(other, _)| node.cmp(other)).is_ok();
        let mut missing = self.bindings();
        missing.retain(|(_, leaf)| !leaf.is_ok_and(is_found));
        // A look at the whole list, which is not needed for parameters that have no leaf.
        let fates = if missing.iter().any(|(_, leaf)| leaf.is_ok()) { self.fates(root) } else { Vec::new() };
        let reason = |leaf: Result<NodeId, NoGradient>| leaf.map_or_else(|reason| reason, |node| fates[node.index()]);
        missing.into_iter().map(|(id, leaf)| (id, reason(leaf))).collect()
    }

    /// Where the way from each node ends, if no gradient came back along it.
    fn fates(&self, root: NodeId) -> Vec<NoGradient> {
        let list = self.list();
        let detached: HashMap<_, _> = self.diagnostics().detached.borrow().iter().copied().collect();
        let end = |(id, node): (NodeId, &Node<T>)| match detached.get(&id) {
            _ if id == root => NoGradient::NotPassedOn,
            Some(at) => NoGradient::Detached(at),
            None => NoGradient::Unused { operation: node.name, at: node.location },
        };
        let mut fates: Vec<NoGradient> = list.nodes().map(end).collect();
        let mut used = vec![false; fates.len()];
        for (id, _) in list.nodes().rev() {
            let fate = fates[id.index()];
            for input in list.inputs(id).iter().flatten().map(|input| input.index()) {
                let first = !std::mem::replace(&mut used[input], true);
                if fate.weight() > fates[input].weight() || first && fates[input].weight() == 0 {
                    fates[input] = fate;
                }
            }
        }
        fates
    }
}
