//! Reverse mode: walks the tape backwards from a result.
//!
//! Ids only grow, so descending ids are a reverse topological order. A rule runs once, when
//! everything that flows to its output has arrived. The same rules serve both modes: if the pass is
//! recorded they see the tape's own variables, otherwise constants of the same value, and what is
//! done to constants leaves no trace on the tape.

use super::op::{AnyOp, Flows, Record};
use super::tape::{Content, Node, NodeId};
use super::{Tape, Var, anomaly};
use crate::kernel::small_box::{AsDyn, SmallBox};
use crate::panics;
use crate::tensor::{Float, same, sums_to};
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
    fn add(&mut self, id: NodeId, gradient: &mut Option<Var<T>>) {
        let place = &mut self.places[id.index()];
        if *place == 0 {
            let free = self.free.pop().unwrap_or_else(|| {
                self.gradients.push(None);
                self.gradients.len() as u32 - 1
            });
            *place = free + 1;
        }
        match (&mut self.gradients[*place as usize - 1], gradient) {
            (Some(sum), Some(gradient)) => sum.accumulate(gradient),
            (empty, gradient) => *empty = gradient.take(),
        }
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
    let start = tape.len();
    let pending = Pending { places: vec![0; root.index() + 1], gradients: Vec::new(), free: Vec::new() };
    let (on_the_way, wanted) = (on_the_way(tape, root, &targets), Vec::new());
    let mut walk = Walk { tape, pass, on_the_way, pending, wanted, given: Vec::new() };
    let mut found = Vec::new();
    let mut retained = tape.notes().retained();
    walk.pending.add(root, &mut Some(seed));
    for index in (0..=root.index()).rev() {
        let Some(gy) = walk.pending.take(index) else { continue };
        let id = NodeId::new(index);
        if tape.detects_anomaly() {
            anomaly::check_arrival(tape, id, &gy);
        }
        let leaf = matches!(tape.list()[id].content, Content::Variable | Content::Parameter(_));
        match &targets {
            Targets::Leaves if leaf => {
                found.push((id, gy));
                continue;
            }
            Targets::Leaves if is_last(&mut retained, id) => found.push((id, gy.clone())),
            Targets::Nodes(nodes) if nodes.contains(&id) => found.push((id, gy.clone())),
            _ => {}
        }
        if walk.goes_on_from(id) {
            walk.pass_on(id, &gy);
        }
    }
    if tape.len() > start {
        tape.notes().passes.borrow_mut().push(start..tape.len());
    }
    found
}

/// A walk under way.
struct Walk<'a, T: Float> {
    tape: &'a Tape<T>,
    pass: Pass,
    /// For each node up to the root, whether a target is behind it; `None` if every leaf is a target.
    on_the_way: Option<Vec<bool>>,
    pending: Pending<T>,
    /// The nodes that the inputs of one node are, where a gradient is wanted.
    wanted: Vec<Option<NodeId>>,
    /// What the rule of one node has given; empty in between.
    given: Flows<T>,
}

impl<T: Float> Walk<'_, T> {
    /// Notes which inputs of a node a gradient is wanted of; whether there is any.
    fn goes_on_from(&mut self, id: NodeId) -> bool {
        let on = self.on_the_way.as_deref();
        let wanted = |input: &Option<NodeId>| input.filter(|input| on.is_none_or(|on| on[input.index()]));
        self.wanted.clear();
        self.wanted.extend(self.tape.list().inputs(id).iter().map(wanted));
        self.wanted.iter().any(Option::is_some)
    }

    /// Runs the rule of a node, and adds what flows to its wanted inputs, in their shapes, to what has arrived there.
    #[track_caller]
    fn pass_on(&mut self, id: NodeId, gy: &Var<T>) {
        let tape = self.tape;
        let (op, location) = take_out(tape, id);
        // What the pass records is attributed to the line of the operation that it differentiates.
        let outer = tape.set_origin(Some(location));
        let recording = matches!(self.pass, Pass::Recorded);
        let save = op.as_dyn().save();
        let record = Record { tape, id, save, wanted: &self.wanted, recording };
        op.as_dyn().backward(&record, gy, &mut self.given);
        let detects_anomaly = tape.detects_anomaly();
        for (k, given) in self.given.iter_mut().enumerate() {
            let (Some(gradient), Some(input)) = (&mut *given, self.wanted[k]) else { continue };
            if detects_anomaly {
                anomaly::check_flow(&record, k, gy, gradient);
            }
            if !same(gradient.shape(), &tape.list()[input].shape) {
                let shape = tape.list()[input].shape.clone();
                if !sums_to(gradient.shape(), &shape) {
                    panics::gradient_shape(tape.list()[id].name, location, k, gradient.shape(), &shape);
                }
                *gradient = gradient.sum_to(shape);
            }
            self.pending.add(input, given);
        }
        self.given.clear();
        tape.set_origin(outer);
        match self.pass {
            Pass::Values(Some(by)) => tape.list_mut().release(id, by),
            _ => tape.list_mut()[id].content = Content::Operation(op),
        }
    }
}

/// Takes a node's operation out of the list, because its rule may record onto that.
#[track_caller]
fn take_out<T: Float>(tape: &Tape<T>, id: NodeId) -> (SmallBox<dyn AnyOp<T>>, &'static Location<'static>) {
    let node = &mut tape.list_mut()[id];
    match std::mem::replace(&mut node.content, Content::Running) {
        Content::Operation(op) => (op, node.location),
        Content::Released(by) => panics::released(&place(node), by),
        Content::Running => panics::running(&place(node)),
        Content::Variable | Content::Parameter(_) => unreachable!("a leaf has no inputs that are wanted"),
    }
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
    let list = tape.list();
    let mut on = vec![false; root.index() + 1];
    for target in targets.iter().filter(|target| target.index() <= root.index()) {
        on[target.index()] = true;
    }
    for (id, _) in list.nodes().take(root.index() + 1) {
        on[id.index()] |= list.inputs(id).iter().flatten().any(|input| on[input.index()]);
    }
    Some(on)
}

fn place<T: Float>(node: &Node<T>) -> String {
    format!("{} at {}", node.name, node.location)
}
