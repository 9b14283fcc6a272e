//! Operators of the golden cases that are a few methods of the crate, one after the other.

use wengert::Var;

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

/// Those of the axes that have size 1.
pub fn of_size_1(x: &Var<f64>, axes: &[isize]) -> Vec<isize> {
    let position = |axis: isize| (if axis < 0 { axis + x.shape().len() as isize } else { axis }) as usize;
    axes.iter().copied().filter(|&axis| x.shape()[position(axis)] == 1).collect()
}
