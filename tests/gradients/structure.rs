//! Operations on shapes, reductions, and products of matrices.

use crate::row::{BOTH_SIDES, POSITIVE, Row, row};
use wengert::prelude::*;

/// Operations that move elements and change none.
pub fn shapes() -> Vec<Row> {
    vec![
        row("reshape", &[&[&[2, 3]], &[&[6]], &[&[0, 6]]], |x| x[0].reshape([-1, 6])),
        row("flatten", &[&[&[2, 3, 2]], &[&[2, 0, 2]]], |x| x[0].flatten(1, -1)),
        row("flatten", &[&[&[]], &[&[3]]], |x| x[0].flatten(0, -1)),
        row("squeeze", &[&[&[1, 3, 1]], &[&[1]]], |x| x[0].squeeze()),
        row("squeeze_axis", &[&[&[2, 1]]], |x| x[0].squeeze_axis(-1)),
        row("squeeze_axis", &[&[&[1, 2, 1]]], |x| x[0].squeeze_axis([0, 2])),
        row("unsqueeze", &[&[&[2, 3]], &[&[]]], |x| x[0].unsqueeze(0)),
        row("transpose", &[&[&[2, 3]], &[&[2, 3, 4]], &[&[0, 3]]], |x| x[0].transpose(0, -1)),
        row("permute", &[&[&[2, 3, 4]], &[&[1, 2, 0]]], |x| x[0].permute([2, 0, 1])),
        row("broadcast_to", &[&[&[2, 1]], &[&[3]], &[&[]], &[&[4, 2, 3]]], |x| x[0].broadcast_to([4, 2, 3])),
        row("broadcast_to", &[&[&[1, 3]]], |x| x[0].broadcast_to([0, 3])),
        row("slice", &[&[&[4, 3]], &[&[5]], &[&[0, 2]]], |x| x[0].slice(0, -3..-1)),
        row("slice_step", &[&[&[2, 5]], &[&[6]]], |x| x[0].slice_step(-1, 1.., 2)),
        row("slice_step", &[&[&[2, 5]], &[&[6]]], |x| x[0].slice_step(-1, .., -2)),
        row("hook", &[&[&[2, 3]]], |x| x[0].square().hook(|gradient| gradient * 1.0)),
        row("glu", &[&[&[4]], &[&[2, 6]], &[&[3, 0]]], |x| x[0].glu(-1)),
    ]
}

/// Reductions over all, one and several axes, and what works along an axis.
pub fn reductions() -> Vec<Row> {
    let shapes: &[&[&[usize]]] = &[&[&[2, 3, 2]], &[&[2, 2, 3]]];
    let anything: &[&[&[usize]]] = &[&[&[2, 3]], &[&[4]], &[&[]]];
    let rows = [
        row("sum", anything, |x| x[0].sum()),
        row("sum", &[&[&[0, 2]]], |x| x[0].sum()),
        row("sum_over", shapes, |x| x[0].sum_over(1)),
        row("sum_over", shapes, |x| x[0].sum_over([0, -1])),
        row("sum_over", shapes, |x| x[0].sum_over(keepdim([1, 2]))),
        row("sum_over", &[&[&[2, 0]]], |x| x[0].sum_over(-1)),
        row("mean", anything, |x| x[0].mean()),
        row("mean_over", shapes, |x| x[0].mean_over(keepdim([0, 2]))),
        row("var", &[&[&[2, 3]], &[&[4]]], |x| x[0].var()),
        row("var_over", shapes, |x| x[0].var_over([0, 2], 0.0)),
        row("std", &[&[&[2, 3]], &[&[4]]], |x| x[0].std()),
        row("std_over", shapes, |x| x[0].std_over(keepdim(1), 1.0)),
        row("prod", anything, |x| x[0].prod()),
        row("prod", &[&[&[0]]], |x| x[0].prod()),
        row("prod_over", shapes, |x| x[0].prod_over([0, 2])),
        row("softmax", anything, |x| x[0].softmax(-1)),
        row("softmax", shapes, |x| x[0].softmax(1)),
        row("softmax", &[&[&[0, 3]], &[&[3, 0]]], |x| x[0].softmax(-1)),
        row("log_softmax", anything, |x| x[0].log_softmax(-1)),
        row("log_softmax", shapes, |x| x[0].log_softmax(0)),
        row("logsumexp", anything, |x| x[0].logsumexp()),
        row("logsumexp_over", shapes, |x| x[0].logsumexp_over(keepdim([0, 2]))),
    ];
    rows.into_iter().chain(extrema()).chain(norms()).collect()
}

/// Maxima and minima; the elements of the inputs are apart.
fn extrema() -> Vec<Row> {
    let shapes: &[&[&[usize]]] = &[&[&[2, 3, 2]], &[&[2, 2, 3]]];
    let anything: &[&[&[usize]]] = &[&[&[2, 3]], &[&[4]], &[&[]]];
    vec![
        row("max", anything, |x| x[0].max()),
        row("min", anything, |x| x[0].min()),
        row("max_over", shapes, |x| x[0].max_over(1)),
        row("max_over", &[&[&[0, 2]]], |x| x[0].max_over(1)),
        row("min_over", shapes, |x| x[0].min_over(keepdim([0, 2]))),
        row("amax_over", shapes, |x| x[0].amax_over([0, 1])),
        row("amin_over", shapes, |x| x[0].amin_over(keepdim(1))),
    ]
}

/// Norms, which have kinks at 0.
fn norms() -> Vec<Row> {
    let shapes: &[&[&[usize]]] = &[&[&[2, 3, 2]], &[&[2, 2, 3]]];
    let norm = |p: f64| row("norm_over", shapes, move |x| x[0].norm_over(p, [0, 2])).on(&[BOTH_SIDES]);
    let whole = row("norm", &[&[&[3]], &[&[2, 2]], &[&[]]], |x| x[0].norm()).on(&[BOTH_SIDES]);
    let orders = [2.0, 1.0, 0.0, 3.0, 0.5, -1.0, f64::INFINITY, f64::NEG_INFINITY];
    std::iter::once(whole).chain(orders.map(norm)).collect()
}

/// Matrix products of every combination of ranks.
pub fn products() -> Vec<Row> {
    let matmul: [&[&[usize]]; 10] = [
        &[&[2, 3], &[3, 4]],
        &[&[3], &[3]],
        &[&[3], &[3, 2]],
        &[&[2, 3], &[3]],
        &[&[2, 2, 3], &[3, 2]],
        &[&[2, 3], &[2, 3, 2]],
        &[&[2, 1, 2, 3], &[2, 3, 2]],
        &[&[2, 2, 3], &[3]],
        &[&[2, 0], &[0, 3]],
        &[&[0, 2], &[2, 3]],
    ];
    let linear: [&[&[usize]]; 4] =
        [&[&[4, 3], &[2, 3], &[2]], &[&[3], &[2, 3], &[2]], &[&[2, 2, 3], &[2, 3], &[2]], &[&[0, 3], &[2, 3], &[2]]];
    vec![
        row("matmul", &matmul, |x| x[0].matmul(&x[1])),
        row("linear_bias", &linear, |x| x[0].linear_bias(&x[1], &x[2])),
        row("linear", &linear.map(|case| &case[..2]), |x| x[0].linear(&x[1])).on(&[POSITIVE]),
    ]
}
