//! Sums, logarithms of sums and recurrences along an axis.

use super::graph::{Graph, Operation, signed};
use super::messages::Attribute::{Integer, Integers};

pub(super) fn sums(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let axis = graph.integers(&[op.integer("axis")?], &[]);
    Ok(graph.node("CumSum", &[&op.inputs[0], &axis], &[("reverse", Integer(op.integer("reverse")?))]))
}

/// The logarithms of the sums of exponentials: of all elements in a new axis, of which those that follow are −∞.
pub(super) fn logarithms_of_sums(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let axis = op.integer("axis")?;
    let n = steps(op, axis)?;
    let new = graph.integers(&[axis], &[1]);
    let rows = graph.node("Unsqueeze", &[&op.inputs[0], &new], &[]);
    let later = |k: usize| if k % n > k / n { f32::NEG_INFINITY } else { 0.0 };
    let mut shape = vec![n, n];
    shape.resize(op.step.value.rank() - axis as usize + 1, 1);
    let later = graph.constant(&(0..n * n).map(later).collect::<Vec<_>>(), &shape);
    let terms = graph.node("Add", &[&rows, &later], &[]);
    Ok(graph.node("ReduceLogSumExp", &[&terms], &[("axes", Integers(&[axis + 1])), ("keepdims", Integer(0))]))
}

/// `yₖ = aₖ₋₁ yₖ₋₁ + bₖ` step by step, from either end.
pub(super) fn recurrence(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let axis = op.integer("axis")?;
    let n = steps(op, axis)?;
    let (mut factors, mut terms) = (split(graph, &op.inputs[0], axis, n - 1), split(graph, &op.inputs[1], axis, n));
    let reverse = op.integer("reverse")? == 1;
    if reverse {
        factors.reverse();
        terms.reverse();
    }
    let mut y = vec![terms[0].clone()];
    for (k, (factor, term)) in factors.iter().zip(&terms[1..]).enumerate() {
        let product = graph.node("Mul", &[factor, &y[k]], &[]);
        y.push(graph.node("Add", &[&product, term], &[]));
    }
    if reverse {
        y.reverse();
    }
    Ok(graph.node("Concat", &y.iter().map(String::as_str).collect::<Vec<_>>(), &[("axis", Integer(axis))]))
}

/// The size of an axis, which must not depend on the batch.
fn steps(op: &Operation, axis: i64) -> Result<usize, String> {
    op.shape()?[axis as usize].ok_or_else(|| "a number of steps that depends on the batch".into())
}

/// The parts of size 1 of an axis.
fn split(graph: &mut Graph, x: &str, axis: i64, n: usize) -> Vec<String> {
    let sizes = graph.integers(&signed(&vec![1; n]), &[n]);
    graph.node_of_outputs("Split", &[x, &sizes], n, &[("axis", Integer(axis))])
}
