//! Reverse mode: walks the tape backwards from a result.
//!
//! Ids only grow, so descending ids are a reverse topological order. A rule runs once, when
//! everything that flows to its output has arrived. The same rules serve both modes: if the pass is
//! recorded they see the tape's own variables, otherwise constants of the same value, and what is
//! done to constants leaves no trace on the tape.

use super::op::Record;
use super::tape::{Content, Node, NodeId};
use super::{Tape, Var, anomaly};
use crate::panics;
use crate::tensor::{Dims, Float, sums_to};
use smallvec::SmallVec;
use std::panic::Location;

/// What a walk looks for.
pub(super) enum Targets<'a> {
    /// Every variable and parameter, and what is to be kept besides.
    Leaves,
    /// The given nodes; the walk goes nowhere else.
    Nodes(&'a [NodeId]),
}

/// What a walk leaves behind.
#[derive(Clone, Copy)]
pub(super) enum Pass {
    /// Gradients only; what the nodes saved is released by the `backward` at that line, if there is one.
    Values(Option<&'static Location<'static>>),
    /// The backward pass itself, on the tape.
    Recorded,
}

/// The gradients that have not been passed on yet, by node.
struct Pending<T: Float> {
    /// Place in `gradients` plus one for each node, 0 for none: small, since it is cleared for the whole tape.
    places: Vec<u32>,
    gradients: Vec<Option<Var<T>>>,
    free: Vec<u32>,
}

impl<T: Float> Pending<T> {
    fn take(&mut self, id: usize) -> Option<Var<T>> {
        let place = std::mem::take(&mut self.places[id]).checked_sub(1)?;
        self.free.push(place);
        self.gradients[place as usize].take()
    }

    /// Adds a gradient to what has arrived at a node, in place where that is not recorded.
    #[track_caller]
    fn add(&mut self, id: NodeId, gradient: Var<T>) {
        let place = &mut self.places[id.index()];
        if *place > 0 {
            let slot = &mut self.gradients[*place as usize - 1];
            *slot = match slot.take() {
                Some(sum) => Some(sum.accumulated(gradient)),
                None => Some(gradient),
            };
            return;
        }
        let free = self.free.pop().unwrap_or_else(|| {
            self.gradients.push(None);
            self.gradients.len() as u32 - 1
        });
        *place = free + 1;
        self.gradients[free as usize] = Some(gradient);
    }
}

/// Carries `seed`, the gradient with respect to the node `root`, back to the targets.
#[track_caller]
pub(super) fn walk<T: Float>(
    tape: &Tape<T>,
    root: NodeId,
    seed: Var<T>,
    targets: Targets,
    pass: Pass,
) -> Vec<(NodeId, Var<T>)> {
    let on_the_way = on_the_way(tape, root, &targets);
    let mut pending = Pending { places: vec![0; root.index() + 1], gradients: Vec::new(), free: Vec::new() };
    let mut found = Vec::new();
    let mut retained = tape.notes().retained();
    pending.add(root, seed);
    for index in (0..=root.index()).rev() {
        let Some(gy) = pending.take(index) else { continue };
        let id = NodeId::new(index);
        if tape.detects_anomaly() {
            anomaly::check_arrival(tape, id, &gy);
        }
        let leaf = matches!(tape.nodes()[index].content, Content::Variable | Content::Parameter(_));
        match &targets {
            Targets::Leaves if leaf => {
                found.push((id, gy));
                continue;
            }
            Targets::Leaves if is_last(&mut retained, id) => found.push((id, gy.clone())),
            Targets::Nodes(nodes) if nodes.contains(&id) => found.push((id, gy.clone())),
            _ => {}
        }
        let needed =
            |input: &Option<NodeId>| input.is_some_and(|id| on_the_way.as_ref().is_none_or(|on| on[id.index()]));
        let needs: SmallVec<[bool; 8]> = tape.nodes()[index].inputs.iter().map(needed).collect();
        if !needs.contains(&true) {
            continue;
        }
        // What the pass records is attributed to the line of the operation that it differentiates.
        let outer = tape.set_origin(Some(tape.nodes()[index].location));
        for (input, gradient) in run_rule(tape, id, needs, &gy, pass) {
            pending.add(input, gradient);
        }
        tape.set_origin(outer);
    }
    found
}

/// Whether a node is in an ascending list, from which it drops the nodes behind it.
fn is_last(list: &mut Vec<NodeId>, id: NodeId) -> bool {
    while list.last().is_some_and(|&last| last > id) {
        list.pop();
    }
    list.last() == Some(&id)
}

/// For each node up to the root, whether a target is behind it; `None` if every leaf is a target.
fn on_the_way<T: Float>(tape: &Tape<T>, root: NodeId, targets: &Targets) -> Option<Vec<bool>> {
    let Targets::Nodes(targets) = targets else { return None };
    let nodes = tape.nodes();
    let mut on = vec![false; root.index() + 1];
    for target in targets.iter().filter(|target| target.index() <= root.index()) {
        on[target.index()] = true;
    }
    for (index, node) in nodes[..=root.index()].iter().enumerate() {
        on[index] |= node.inputs.iter().flatten().any(|input| on[input.index()]);
    }
    Some(on)
}

/// Runs the rule of one node; returns what flows to each input that is needed, in the input's shape.
#[track_caller]
fn run_rule<T: Float>(
    tape: &Tape<T>,
    id: NodeId,
    needs: SmallVec<[bool; 8]>,
    gy: &Var<T>,
    pass: Pass,
) -> SmallVec<[(NodeId, Var<T>); 3]> {
    // The node is taken out of the list, because the rule may record onto it.
    let (op, saved, inputs, name, location) = {
        let mut node = tape.node_mut(id);
        let content = match &node.content {
            Content::Released(by) => panics::released(&place(&node), by),
            Content::Running => panics::running(&place(&node)),
            _ => std::mem::replace(&mut node.content, Content::Running),
        };
        let Content::Operation(op) = content else { unreachable!("a leaf has no inputs that are needed") };
        (op, std::mem::take(&mut node.saved), node.inputs.clone(), node.name, node.location)
    };
    let recording = matches!(pass, Pass::Recorded);
    let record = Record { tape, name, id, save: op.save(), inputs, saved, needs, recording };
    let gradients = op.backward(&record, gy);
    let mut flows = SmallVec::new();
    for (k, (input, gradient)) in record.inputs.iter().zip(gradients).enumerate() {
        let (Some(input), Some(gradient), true) = (*input, gradient, record.needs[k]) else { continue };
        if tape.detects_anomaly() {
            anomaly::check_flow(&record, k, gy, &gradient);
        }
        let shape: Dims = tape.nodes()[input.index()].shape.clone();
        if !sums_to(gradient.shape(), &shape) {
            panics::gradient_shape(name, location, k, gradient.shape(), &shape);
        }
        flows.push((input, gradient.sum_to(&shape)));
    }
    let mut node = tape.node_mut(id);
    match pass {
        Pass::Values(Some(by)) => node.content = Content::Released(by),
        _ => (node.content, node.saved) = (Content::Operation(op), record.saved),
    }
    flows
}

fn place<T: Float>(node: &Node<T>) -> String {
    format!("{} at {}", node.name, node.location)
}
