//! Operators of the golden cases that are a few methods of the crate, one after the other.

use wengert::{Tensor, Var};

/// The axis that a possibly negative number means.
fn position(x: &Var<f64>, axis: isize) -> usize {
    (if axis < 0 { axis + x.shape().len() as isize } else { axis }) as usize
}

/// The size of an axis.
pub fn size(x: &Var<f64>, axis: isize) -> usize {
    x.shape()[position(x, axis)]
}

/// Python's `x[start:stop:step]` along one axis.
pub fn slice(x: &Var<f64>, axis: usize, start: Option<isize>, stop: Option<isize>, step: isize) -> Var<f64> {
    if step > 0 {
        return x.slice_step(axis, start.unwrap_or(0)..stop.unwrap_or(isize::MAX), step);
    }
    // Python goes down from `start` and stops before `stop`; the crate goes down through a range that is written upwards.
    let n = x.shape()[axis] as isize;
    let position = |k: isize| (if k < 0 { k + n } else { k }).clamp(-1, n - 1);
    x.slice_step(axis, stop.map_or(-1, position) + 1..start.map_or(n - 1, position) + 1, step)
}

/// Without those of the axes that have size 1.
pub fn squeeze(x: &Var<f64>, axes: &[isize]) -> Var<f64> {
    let named = |axis: usize| axes.iter().any(|&named| position(x, named) == axis);
    let left = x.shape().iter().enumerate().filter(|&(axis, &n)| n != 1 || !named(axis));
    x.reshape(left.map(|(_, &n)| n).collect::<Vec<_>>())
}

/// Tiled as often along each axis; repeats beyond the rank make new axes in front.
pub fn repeat(x: &Var<f64>, repeats: &[usize]) -> Var<f64> {
    let new = repeats.len() - x.shape().len();
    let sizes: Vec<usize> = std::iter::repeat_n(1, new).chain(x.shape().iter().copied()).collect();
    let apart: Vec<usize> = sizes.iter().flat_map(|&n| [1, n]).collect();
    let tiled: Vec<usize> = repeats.iter().zip(&sizes).flat_map(|(&times, &n)| [times, n]).collect();
    let merged: Vec<usize> = repeats.iter().zip(&sizes).map(|(times, n)| times * n).collect();
    x.reshape(apart).broadcast_to(tiled).reshape(merged)
}

/// Each slice of an axis several times in its place.
pub fn repeat_interleave(x: &Var<f64>, times: usize, axis: isize) -> Var<f64> {
    let axis = position(x, axis);
    let mut shape = x.shape().to_vec();
    shape.insert(axis + 1, times);
    x.unsqueeze(axis + 1).broadcast_to(shape).flatten(axis, axis + 1)
}

/// A mask of the matrices in the last two axes: 1 where column − row is as `chosen` says.
pub fn band(x: &Var<f64>, chosen: impl Fn(isize) -> bool) -> Tensor<f64> {
    let (rows, columns) = (size(x, -2), size(x, -1));
    let offset = |k: usize| (k % columns) as isize - (k / columns) as isize;
    let mask = (0..rows * columns).map(|k| f64::from(chosen(offset(k))));
    Tensor::from_vec(mask.collect(), [rows, columns])
}

/// The elements where column − row = `offset`, as the last axis.
pub fn diagonal(x: &Var<f64>, offset: isize, rows: isize, columns: isize) -> Var<f64> {
    let [rows, columns] = [rows, columns].map(|axis| position(x, axis));
    let others = (0..x.shape().len()).filter(|&axis| axis != rows && axis != columns);
    let matrices = x.permute(others.chain([rows, columns]).collect::<Vec<_>>());
    let last = size(&matrices, -2) as isize + offset;
    // A column has at most one element of the diagonal; those without any are cut off.
    let by_column = matrices.masked_fill(&band(&matrices, |place| place != offset), 0.0).sum_over(-2);
    by_column.slice(-1, offset.max(0)..last.max(0))
}
