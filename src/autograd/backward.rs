//! Reverse mode: walks the tape backwards from a result.
//!
//! ```text
//! gradient[root] = seed
//! for node from root back to the first:
//!     gy = take gradient[node], or go on to the next if none arrived
//!     if node is a target: report gy
//!     for each input through which a target can be reached:
//!         gx = what the rule of node returns for it, summed to its shape
//!         gradient[input] += gx
//! ```
//!
//! The gradient of a sum repeats its values along the summed axes. Where nothing is recorded it keeps a size of 1 there, and broadcasts
//! to the shape of the node, until a rule needs more: see [`Op::BROADCASTS`](crate::autograd::Op::BROADCASTS).
//!
//! Ids only grow, so descending ids are a reverse topological order: a rule runs once, when everything that flows to its
//! output has arrived. The same rules serve both kinds of pass. If it is recorded they see the tape's own variables,
//! otherwise constants of the same value, and operations on constants leave no trace on the tape.

use crate::autograd::apply::{AnyOp, InputGradients};
use crate::autograd::op::BackwardContext;
use crate::autograd::tape::{Content, Node, NodeId};
use crate::autograd::{Tape, Var};
use crate::kernel::base::small_box::{AsDyn, SmallBox};
use crate::panics;
use crate::tensor::{Float, SparseRows, View, same, sums_to};
use std::cell::RefCell;
use std::panic::Location;

/// What a pass is to find the gradients of.
pub(crate) enum Targets<'a, T: Float> {
    /// Every variable and parameter, and the results that [`Var::retain_grad`] marked. Gradients of leaves that are lists of rows
    /// are put aside.
    Leaves(&'a RowGradients<T>),
    /// The given nodes, in ascending order; no other path is followed.
    Nodes(&'a [NodeId]),
}

/// Gradients that are lists of rows, with the leaf of each.
pub(crate) type RowGradients<T> = RefCell<Vec<(NodeId, SparseRows<T>)>>;

/// What a pass leaves behind.
#[derive(Clone, Copy)]
pub(crate) enum Pass {
    /// Gradients only; what the nodes saved is released by the `backward` at that line, if there is one.
    Values(Option<&'static Location<'static>>),
    /// The backward pass itself, on the tape.
    Recorded,
}

/// Carries `seed`, the gradient with respect to the node `root`, back to the targets.
#[track_caller]
#[inline(never)]
pub(crate) fn walk<T: Float>(
    tape: &Tape<T>,
    root: NodeId,
    seed: Var<T>,
    targets: Targets<T>,
    pass: Pass,
) -> Vec<(NodeId, Var<T>)> {
    let start = tape.len();
    let mut walk = Walk::new(tape, root, &targets, pass);
    let mut found = Vec::new();
    let mut retained = tape.diagnostics().retained();
    walk.pending.add(root, &mut Some(seed));
    for index in (0..=root.index()).rev() {
        let Some(gy) = walk.pending.take(index) else { continue };
        let id = NodeId::new(index);
        if let Some(observer) = tape.observer()
            && let Err(report) = observer.arrived(tape, id, &gy)
        {
            panics::anomaly(&report);
        }
        let leaf = matches!(tape.list()[id].content, Content::Variable | Content::Parameter(_));
        match &targets {
            Targets::Leaves(_) if leaf => {
                found.push((id, walk.whole(id, gy)));
                continue;
            }
            Targets::Leaves(_) if is_last(&mut retained, id) => found.push((id, walk.whole(id, gy.clone()))),
            Targets::Nodes(nodes) if nodes.binary_search(&id).is_ok() => found.push((id, walk.whole(id, gy.clone()))),
            _ => {}
        }
        if walk.collect_wanted(id) {
            walk.propagate(id, gy);
        }
    }
    if tape.len() > start {
        tape.diagnostics().passes.borrow_mut().push(start..tape.len());
    }
    found
}

/// The state of a pass between two nodes.
struct Walk<'a, T: Float> {
    tape: &'a Tape<T>,
    pass: Pass,
    /// For each node, whether a target can be reached through it; `None` if every leaf is a target.
    reaches_target: Option<Vec<bool>>,
    /// Where rules put gradients that are lists of rows; only if every leaf is a target and nothing is recorded.
    rows: Option<&'a RowGradients<T>>,
    pending: Pending<T>,
    /// The nodes of those inputs of the current node whose gradients are wanted.
    wanted: Vec<Option<NodeId>>,
    /// What the rule of the current node returned.
    gradients: InputGradients<T>,
    /// Whether some pending gradients may have to be broadcast to the shapes of their nodes.
    repeated: bool,
}

impl<'a, T: Float> Walk<'a, T> {
    fn new(tape: &'a Tape<T>, root: NodeId, targets: &Targets<'a, T>, pass: Pass) -> Self {
        let pending = Pending { slots: vec![0; root.index() + 1], gradients: Vec::new(), free: Vec::new() };
        let reaches_target = reaches_target(tape, root, targets);
        let rows = match targets {
            Targets::Leaves(rows) => Some(*rows),
            Targets::Nodes(_) => None,
        };
        Walk { tape, pass, reaches_target, rows, pending, wanted: Vec::new(), gradients: Vec::new(), repeated: false }
    }

    /// The method that began the pass, for messages.
    fn method(&self) -> &'static str {
        match (self.rows, self.pass) {
            (None, _) => "grad",
            (Some(_), Pass::Values(Some(_))) => "backward",
            (Some(_), _) => "gradients",
        }
    }

    /// Collects the inputs of a node that need a gradient; returns whether there are any.
    fn collect_wanted(&mut self, id: NodeId) -> bool {
        let mask = self.reaches_target.as_deref();
        self.wanted.clear();
        let mut any = false;
        for input in self.tape.list().inputs(id) {
            let wanted = input.filter(|input| mask.is_none_or(|mask| mask[input.index()]));
            any |= wanted.is_some();
            self.wanted.push(wanted);
        }
        any
    }

    /// A gradient that arrived at a node, in the shape of that.
    fn whole(&self, id: NodeId, mut gy: Var<T>) -> Var<T> {
        if self.repeated {
            broadcast(&mut gy, &self.tape.list()[id].shape);
        }
        gy
    }

    /// Runs the rule of a node and adds the gradients that it returns to those of its wanted inputs.
    #[track_caller]
    fn propagate(&mut self, id: NodeId, gy: Var<T>) {
        let tape = self.tape;
        let running = InFlight::take(tape, id, self.method());
        let gy = &if running.op().broadcasts() { gy } else { self.whole(id, gy) };
        let repeats = self.repeated && !same(gy.shape(), &tape.list()[id].shape);
        if let (Some(view), None, &[Some(input)]) = (running.op().part(), tape.observer(), self.wanted.as_slice())
            && self.pending.add_part(input, view, gy, &tape.list()[input].shape)
        {
            return running.finish(self.pass);
        }
        let recording = matches!(self.pass, Pass::Recorded);
        let (save, wanted, rows) = (running.op().save(), self.wanted.as_slice(), self.rows);
        let context = BackwardContext { tape, id, save, wanted, recording, rows };
        let mut gradients = std::mem::take(&mut self.gradients);
        running.op().backward(&context, gy, &mut gradients);
        for (k, slot) in gradients.iter_mut().enumerate() {
            let (Some(gx), Some(input)) = (&mut *slot, wanted[k]) else { continue };
            if let Some(observer) = tape.observer()
                && let Err(report) = observer.returned(&context, k, gy, gx)
            {
                panics::anomaly(&report);
            }
            if repeats {
                self.count_copies(id, input, gx);
            }
            if !same(gx.shape(), &tape.list()[input].shape) {
                self.repeated |= self.fit(id, k, running.op().broadcasts(), input, gx);
            }
            self.pending.add(input, slot);
        }
        gradients.clear();
        self.gradients = gradients;
        running.finish(self.pass);
    }

    /// Broadcasts a gradient that repeats values to the shape of the node if the input was broadcast, all of whose copies have one.
    fn count_copies(&self, id: NodeId, input: NodeId, gx: &mut Var<T>) {
        let (shape, of_input) = (self.tape.list()[id].shape.clone(), &self.tape.list()[input].shape);
        if !same(of_input, &shape) && sums_to(&shape, gx.shape()) {
            broadcast(gx, &shape);
        }
    }

    /// Sums a gradient that the rule of a node returned to the shape of an input, or broadcasts it to that. Returns whether that can wait.
    #[track_caller]
    #[inline(never)]
    fn fit(&self, id: NodeId, k: usize, broadcasts: bool, input: NodeId, gx: &mut Var<T>) -> bool {
        let tape = self.tape;
        let shape = tape.list()[input].shape.clone();
        if sums_to(gx.shape(), &shape) {
            *gx = gx.sum_to(shape);
        } else if !(broadcasts && sums_to(&shape, gx.shape())) {
            let (name, location) = (tape.list()[id].name, tape.list()[id].location);
            panics::gradient_shape(name, location, k, gx.shape(), &shape);
        } else if matches!(self.pass, Pass::Recorded) || tape.observer().is_some() || !self.pending.is_empty(input) {
            *gx = gx.expand_to(&shape);
        } else {
            return true;
        }
        false
    }
}

/// An operation that is off the list while its rule runs, because the rule may record onto that. It is put back when this is
/// dropped, also by a panic.
struct InFlight<'a, T: Float> {
    tape: &'a Tape<T>,
    id: NodeId,
    op: Option<SmallBox<dyn AnyOp<T>>>,
    /// The origin of what is recorded meanwhile elsewhere.
    outer: Option<&'static Location<'static>>,
}

impl<'a, T: Float> InFlight<'a, T> {
    /// Takes the operation of a node off the list. What its rule records is attributed to the line of the node.
    #[track_caller]
    fn take(tape: &'a Tape<T>, id: NodeId, method: &str) -> Self {
        let mut list = tape.list_mut();
        let node = &mut list[id];
        let op = match std::mem::replace(&mut node.content, Content::InFlight) {
            Content::Operation(op) => op,
            other => {
                node.content = other;
                match &node.content {
                    Content::Released(by) => panics::released(method, &place(node), by),
                    Content::InFlight => panics::running(method, &place(node)),
                    _ => unreachable!("a leaf has no inputs that are wanted"),
                }
            }
        };
        let outer = tape.set_origin(Some(node.location));
        InFlight { tape, id, op: Some(op), outer }
    }

    fn op(&self) -> &dyn AnyOp<T> {
        self.op.as_ref().expect("the operation is here until this is dropped").as_dyn()
    }

    /// Puts the operation back, or drops it and what it saved if the pass releases that.
    fn finish(mut self, pass: Pass) {
        if let Pass::Values(Some(by)) = pass {
            self.op = None;
            self.tape.list_mut().release(self.id, by);
        }
    }
}

impl<T: Float> Drop for InFlight<'_, T> {
    fn drop(&mut self) {
        self.tape.set_origin(self.outer);
        if let Some(op) = self.op.take() {
            self.tape.list_mut()[self.id].content = Content::Operation(op);
        }
    }
}

/// The gradients that arrived and have not been passed on yet, by node.
struct Pending<T: Float> {
    /// Index into `gradients` plus one for each node, 0 for none: small, since it is cleared for the whole tape.
    slots: Vec<u32>,
    gradients: Vec<Option<Var<T>>>,
    free: Vec<u32>,
}

impl<T: Float> Pending<T> {
    fn take(&mut self, index: usize) -> Option<Var<T>> {
        let slot = std::mem::take(&mut self.slots[index]).checked_sub(1)?;
        self.free.push(slot);
        self.gradients[slot as usize].take()
    }

    /// Adds a gradient to what has arrived at a node, in place where that is not recorded.
    #[track_caller]
    fn add(&mut self, id: NodeId, gradient: &mut Option<Var<T>>) {
        let slot = &mut self.slots[id.index()];
        if *slot == 0 {
            let free = self.free.pop().unwrap_or_else(|| {
                self.gradients.push(None);
                self.gradients.len() as u32 - 1
            });
            *slot = free + 1;
        }
        match (&mut self.gradients[*slot as usize - 1], gradient) {
            (Some(sum), Some(gradient)) => {
                broadcast(sum, gradient.shape());
                sum.accumulate(gradient);
            }
            (empty, gradient) => *empty = gradient.take(),
        }
    }

    /// Whether no gradient has arrived at a node.
    fn is_empty(&self, id: NodeId) -> bool {
        self.slots[id.index()] == 0
    }

    /// Adds a gradient to a part of what has arrived at a node of the given shape; returns false if nothing has, or if either is
    /// recorded.
    fn add_part(&mut self, id: NodeId, part: &View, gradient: &Var<T>, shape: &[usize]) -> bool {
        let Some(slot) = self.slots[id.index()].checked_sub(1) else { return false };
        self.gradients[slot as usize].as_mut().is_some_and(|sum| {
            broadcast(sum, shape);
            sum.accumulate_part(part, gradient)
        })
    }
}

/// Broadcasts a gradient to a shape, unless it has that.
fn broadcast<T: Float>(gradient: &mut Var<T>, shape: &[usize]) {
    if !same(gradient.shape(), shape) {
        *gradient = gradient.expand_to(shape);
    }
}

/// Whether a node is in an ascending list, from which it drops the nodes behind it.
fn is_last(list: &mut Vec<NodeId>, id: NodeId) -> bool {
    while list.last().is_some_and(|&last| last > id) {
        list.pop();
    }
    list.last() == Some(&id)
}

/// For each node up to the root, whether a target can be reached through it; `None` if every leaf is a target.
fn reaches_target<T: Float>(tape: &Tape<T>, root: NodeId, targets: &Targets<T>) -> Option<Vec<bool>> {
    let Targets::Nodes(targets) = targets else { return None };
    let list = tape.list();
    let mut mask = vec![false; root.index() + 1];
    for target in targets.iter().filter(|target| target.index() <= root.index()) {
        mask[target.index()] = true;
    }
    for (id, _) in list.nodes().take(root.index() + 1) {
        mask[id.index()] |= list.inputs(id).iter().flatten().any(|input| mask[input.index()]);
    }
    Some(mask)
}

fn place<T: Float>(node: &Node<T>) -> String {
    format!("{} at {}", node.name, node.location)
}
