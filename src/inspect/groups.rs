//! Grouping operations by module.
//!
//! A tape knows nothing about modules; the groups are inferred. An operation that reads `layers.0.weight` belongs to `layers.0`, as do
//! adjacent operations recorded by the same call, which have the same source location. Operations between two operations of a module
//! belong to it too. An application of a module ends where a parameter is read for the second time. So each group is a contiguous
//! range of the tape.

use crate::inspect::{Kind, Vertex};
use std::collections::{HashMap, HashSet};

/// One application of a module: a contiguous range of the tape.
pub(crate) struct Group {
    pub(crate) path: String,
    /// The type of the module.
    pub(crate) kind: &'static str,
    pub(crate) parent: Option<usize>,
    /// The number of groups that contain it.
    pub(crate) depth: usize,
}

/// Modules by path and type, the outermost first.
type Chain = Vec<(String, &'static str)>;

/// Adjacent operations recorded by one call, at least one of which reads parameters. `first` and `last` index the operations.
struct Call {
    first: usize,
    last: usize,
    parameters: Vec<usize>,
    chain: Chain,
}

/// A group that may still be extended.
struct Open {
    group: usize,
    module: (String, &'static str),
    parameters: HashSet<usize>,
}

/// Assigns each operation its group; returns the groups.
pub(crate) fn group(vertices: &mut [Vertex], modules: &HashMap<usize, Chain>) -> Vec<Group> {
    let operations: Vec<usize> = (0..vertices.len()).filter(|&index| !vertices[index].is_leaf()).collect();
    let mut calls = calls(vertices, &operations, modules).into_iter().peekable();
    let (mut groups, mut open): (Vec<Group>, Vec<Open>) = (Vec::new(), Vec::new());
    for (position, &operation) in operations.iter().enumerate() {
        // Groups that the current or next call continues stay open.
        let continued = calls.peek().map_or(0, |call| continued(&open, call));
        let inside = calls.peek().is_some_and(|call| call.first < position);
        if !inside {
            open.truncate(continued);
        }
        if let Some(call) = calls.peek().filter(|call| call.first == position) {
            for module in &call.chain[open.len()..] {
                let parent = open.last().map(|open| open.group);
                groups.push(Group { path: module.0.clone(), kind: module.1, parent, depth: open.len() });
                open.push(Open { group: groups.len() - 1, module: module.clone(), parameters: HashSet::new() });
            }
            open.iter_mut().for_each(|open| open.parameters.extend(&call.parameters));
        }
        vertices[operation].group = open.last().map(|open| open.group);
        calls.next_if(|call| call.last == position);
    }
    groups
}

/// The number of open groups that a call continues: those of its modules that have not read its parameters yet.
fn continued(open: &[Open], call: &Call) -> usize {
    let continues = |(open, module): &(&Open, &(String, &'static str))| {
        open.module == **module && !call.parameters.iter().any(|parameter| open.parameters.contains(parameter))
    };
    open.iter().zip(&call.chain).take_while(continues).count()
}

/// The calls that read parameters of modules, as ranges of the list of operations.
fn calls(vertices: &[Vertex], operations: &[usize], modules: &HashMap<usize, Chain>) -> Vec<Call> {
    let same_call = |a: usize, b: usize| {
        let (a, b) = (&vertices[operations[a]], &vertices[operations[b]]);
        a.location == b.location && a.backward == b.backward
    };
    let mut calls: Vec<Call> = Vec::new();
    for (position, &operation) in operations.iter().enumerate() {
        let parameters = parameters(&vertices[operation], vertices, modules);
        if parameters.is_empty() {
            continue;
        }
        let free = calls.last().map_or(0, |call| call.last + 1);
        let first = (free..position).rev().take_while(|&before| same_call(before, position)).last().unwrap_or(position);
        let chain = parameters.iter().map(|parameter| &modules[parameter][..]).reduce(common_prefix);
        calls.push(Call { first, last: position, chain: chain.unwrap_or_default().to_vec(), parameters });
    }
    for index in 0..calls.len() {
        let end = calls.get(index + 1).map_or(operations.len(), |next| next.first);
        let last = calls[index].last;
        calls[index].last = (last + 1..end).take_while(|&after| same_call(after, last)).last().unwrap_or(last);
    }
    calls
}

/// The named parameters that an operation reads.
fn parameters(vertex: &Vertex, vertices: &[Vertex], modules: &HashMap<usize, Chain>) -> Vec<usize> {
    let is_named = |index: &usize| vertices[*index].kind == Kind::Parameter && modules.contains_key(index);
    vertex.sources().into_iter().filter(is_named).collect()
}

/// The longest common prefix of two lists.
fn common_prefix<'a, E: PartialEq>(a: &'a [E], b: &'a [E]) -> &'a [E] {
    &a[..a.iter().zip(b).take_while(|(a, b)| a == b).count()]
}
