//! Rotary positions.

use super::graph::{Graph, Operation, signed};
use super::messages::Attribute::Integer;

/// `y = x c + x′ s`, where x′ is x with the elements of each pair exchanged, and c and s are cosines and sines, or 1 and 0 for the
/// elements that are not rotated.
pub(super) fn rotate(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let [.., positions, width] = *op.step.inputs[0].shape() else { return Err("the rotation of a scalar".into()) };
    let [first, vectors] = [op.integer("first")?, op.integer("vectors")?].map(|n| n as usize);
    let [interleaved, inverse] = [op.integer("interleaved")?, op.integer("inverse")?].map(|flag| flag == 1);
    let (cosines, sines) = (op.tensor("cosines")?, op.tensor("sines")?);
    let half = cosines.shape()[1];
    // For each column the column of the other element of its pair, and the sign of the sine.
    let of_column = |column: usize| {
        let (start, k) = (column - column % (2 * half), column % (2 * half));
        let (pair, is_second, partner) =
            if interleaved { (k / 2, k % 2 == 1, k ^ 1) } else { (k % half, k >= half, (k + half) % (2 * half)) };
        (pair, if is_second == inverse { -1.0 } else { 1.0 }, start + partner)
    };
    let rotated = vectors * 2 * half;
    let (mut c, mut s) = (Vec::new(), Vec::new());
    for row in (first..first + positions).map(|position| position * half) {
        for (pair, sign, _) in (0..rotated).map(of_column) {
            c.push(cosines.as_slice()[row + pair] as f32);
            s.push((sign * sines.as_slice()[row + pair]) as f32);
        }
        c.resize(c.len() + width - rotated, 1.0);
        s.resize(c.len(), 0.0);
    }
    let [c, s] = [c, s].map(|table| graph.constant(&table, &[positions, width]));
    let partners: Vec<usize> = (0..rotated).map(|column| of_column(column).2).chain(rotated..width).collect();
    let partners = graph.integers(&signed(&partners), &[width]);
    let exchanged = graph.node("Gather", &[&op.inputs[0], &partners], &[("axis", Integer(-1))]);
    let parts = [(&op.inputs[0], c), (&exchanged, s)].map(|(x, table)| graph.node("Mul", &[x, &table], &[]));
    Ok(graph.node("Add", &[&parts[0], &parts[1]], &[]))
}
