//! Slices, padding, lookups and what else only moves elements.

use super::Example;
use super::graph::{Graph, Operation, common, signed};
use super::messages::Attribute::{Integer, Text};
use crate::autograd::Setting;
use crate::autograd::trace::Step;
use crate::io::array::contiguous;
use crate::tensor::Tensor;

/// A range of an axis as ONNX has it: where it starts and ends, and its step. Backward ranges count from the end.
type Range = [i64; 3];

const WHOLE: Range = [0, i64::MAX, 1];

/// The ranges that a view takes of each axis of a container. Axes may be dropped.
fn ranges(step: &Step<f32>, container: &[usize], part: &[usize]) -> Option<Vec<Range>> {
    let Setting::Signed(strides) = step.settings.value("strides")? else { return None };
    let Setting::Integers(offset) = step.settings.value("offset")? else { return None };
    let (mut offset, mut ranges) = (offset[0] as i64, Vec::new());
    let mut k = 0;
    for (axis, (&size, &stride)) in container.iter().zip(&contiguous(container)).enumerate() {
        let (size, stride) = (size as i64, stride.max(1) as i64);
        let start = offset / stride;
        offset %= stride;
        // The next axis of the view, if it steps along this one.
        let next = part.get(k).zip(strides.get(k)).map(|(&count, &step)| (count as i64, step as i64));
        let along = next.filter(|&(count, step)| {
            let last = start + (count - 1) * (step / stride);
            step != 0 && step % stride == 0 && (count == 0 || (0..size).contains(&last))
        });
        let (count, step) = match along {
            Some((count, step)) if part.len() - k == container.len() - axis || count != 1 => {
                k += 1;
                (count, step / stride)
            }
            _ => (1, 1),
        };
        // A range to the end or from it says so: the size may be that of the batch.
        ranges.push(match start + count * step {
            end if step > 0 => [start, if end >= size { i64::MAX } else { end }, step],
            end => [start - size, if end < 0 { i64::MIN } else { end - size }, step],
        });
    }
    (k == part.len()).then_some(ranges)
}

/// The ranges that the view of an operation takes of a container, which must not depend on the batch.
fn ranges_of(op: &Operation, parts: fn(&Step<f32>) -> [&Tensor; 2]) -> Result<Vec<Range>, String> {
    let of = |step| {
        let [container, part] = parts(step).map(Tensor::shape);
        ranges(step, container, part)
    };
    let ranges = of(op.step).ok_or("a view that is not a range of each axis")?;
    match op.other {
        Some(other) if of(other).as_ref() != Some(&ranges) => Err("a range that depends on the batch".into()),
        _ => Ok(ranges),
    }
}

pub(super) fn slice(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let x = &op.inputs[0];
    if let Some(Setting::Integers(offset)) = op.step.settings.value("offset")
        && let Some(part) = graph.part(x, offset[0])
    {
        return graph.reshape(op, &part);
    }
    let ranges = ranges_of(op, |step| [&step.inputs[0], &step.value])?;
    let axes: Vec<i64> = (0..ranges.len()).filter(|&axis| ranges[axis] != WHOLE).map(|axis| axis as i64).collect();
    let list = |k: usize| axes.iter().map(|&axis| ranges[axis as usize][k]).collect();
    let lists = [list(0), list(1), axes.clone(), list(2)].map(|list: Vec<i64>| graph.integers(&list, &[list.len()]));
    let [starts, ends, axes, steps] = &lists;
    let sliced = graph.node("Slice", &[x, starts, ends, axes, steps], &[]);
    if op.step.inputs[0].rank() == op.step.value.rank() { Ok(sliced) } else { graph.reshape(op, &sliced) }
}

pub(super) fn pad(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let ranges = ranges_of(op, |step| [&step.value, &step.inputs[0]])?;
    if ranges.iter().any(|&[_, _, step]| step != 1) {
        return Err("padding between elements".into());
    }
    let after = |(&[_, end, _], &size): (&Range, &usize)| if end == i64::MAX { 0 } else { size as i64 - end };
    let before = ranges.iter().map(|&[start, ..]| start);
    let pads: Vec<i64> = before.chain(ranges.iter().zip(op.step.value.shape()).map(after)).collect();
    let (pads, value) = (graph.integers(&pads, &[pads.len()]), graph.number(op.number("value")?));
    Ok(graph.node("Pad", &[&op.inputs[0], &pads, &value], &[]))
}

pub(super) fn stack(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let axis = op.integer("axis")?;
    let new = graph.integers(&[axis], &[1]);
    let parts: Vec<String> = op.inputs.iter().map(|x| graph.node("Unsqueeze", &[x, &new], &[])).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Ok(graph.node("Concat", &parts, &[("axis", Integer(axis))]))
}

pub(super) fn broadcast(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    // The longer batch, which differs from an axis of size 1.
    let longer = op.other.unwrap_or(op.step);
    let (x, y) = (longer.inputs[0].shape(), longer.value.shape());
    let own = |axis: usize| (axis + x.len()).checked_sub(y.len()).map_or(1, |axis| x[axis]);
    let mut sizes = op.shape()?;
    for (axis, size) in sizes.iter_mut().enumerate() {
        // A size of 1 leaves that of the input.
        if size.is_none() && own(axis) == y[axis] {
            *size = Some(1);
        }
    }
    expand(graph, op, &op.inputs[0], &sizes)
}

/// A value repeated to the given sizes, of which one may be that of the batch.
fn expand(graph: &mut Graph, op: &Operation, x: &str, sizes: &[Option<usize>]) -> Result<String, String> {
    let longer = op.other.unwrap_or(op.step).value.shape();
    if (0..sizes.len()).any(|axis| sizes[axis].is_none() && longer[axis] != graph.samples() + 1) {
        return Err("a size that is not that of the batch but depends on it".into());
    }
    let sizes = graph.sizes(sizes);
    Ok(graph.node("Expand", &[x, &sizes], &[]))
}

/// The rows of an axis at indices, or of several leading axes, which become one.
pub(super) fn lookup(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let indices = indices(graph, op, "indices")?;
    if op.step.settings.value("leading").is_none() {
        return Ok(graph.node("Gather", &[&op.inputs[0], &indices], &[("axis", Integer(axis(op)?))]));
    }
    let [x, larger] = [op.step, op.other.unwrap_or(op.step)].map(|step| step.inputs[0].shape());
    let (leading, rest) = x.split_at(op.integer("leading")? as usize);
    let count = (leading == &larger[..leading.len()]).then(|| leading.iter().product());
    let shape = [&[count], common(rest, &larger[leading.len()..])?.as_slice()].concat();
    let rows = graph.reshape_to(&shape, &op.inputs[0]);
    Ok(graph.node("Gather", &[&rows, &indices], &[("axis", Integer(0))]))
}

/// The elements at indices along an axis, which the result may lack.
pub(super) fn take(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (axis, mut indices) = (axis(op)?, indices(graph, op, "indices")?);
    let of_axis = graph.integers(&[axis], &[1]);
    let lacks_axis = op.step.value.rank() < op.step.inputs[0].rank();
    if lacks_axis {
        indices = graph.node("Unsqueeze", &[&indices, &of_axis], &[]);
    }
    let taken = graph.node("GatherElements", &[&op.inputs[0], &indices], &[("axis", Integer(axis))]);
    Ok(if lacks_axis { graph.node("Squeeze", &[&taken, &of_axis], &[]) } else { taken })
}

/// Zeros to which elements or rows are added at indices along an axis.
pub(super) fn scatter(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (axis, mut indices) = (axis(op)?, indices(graph, op, "indices")?);
    let (x, y) = (&op.step.inputs[0], &op.step.value);
    if x.rank() != y.rank() {
        return Err("an addition of elements with other axes".into());
    }
    if op.step.name == "index_add" {
        // Each element of a row has its index.
        let own: Vec<_> = (0..x.rank()).map(|k| if k == axis as usize { None } else { Some(1) }).collect();
        let column = graph.reshape_to(&own, &indices);
        let shape = graph.node("Shape", &[&op.inputs[0]], &[]);
        indices = graph.node("Expand", &[&column, &shape], &[]);
    }
    let zero = graph.number(0.0);
    let zeros = expand(graph, op, &zero, &op.shape()?)?;
    let attributes = [("axis", Integer(axis)), ("reduction", Text("add"))];
    Ok(graph.node("ScatterElements", &[&zeros, &indices, &op.inputs[0]], &attributes))
}

/// The elements of an axis of n at the positions `(k − shift) mod n`.
pub(super) fn roll(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, axis, shift) = (&op.inputs[0], op.integer("axis")?, op.signed("shift")?[0] as i64);
    let [zero, one, shift] = [0, 1, shift].map(|number| graph.integers(&[number], &[]));
    let size = graph.node("Shape", &[x], &[("start", Integer(axis)), ("end", Integer(axis + 1))]);
    let size = graph.node("Squeeze", &[&size], &[]);
    let places = graph.node("Range", &[&zero, &size, &one], &[]);
    let shifted = graph.node("Sub", &[&places, &shift], &[]);
    let places = graph.node("Mod", &[&shifted, &size], &[]);
    Ok(graph.node("Gather", &[x, &places], &[("axis", Integer(axis))]))
}

/// The axis of a lookup.
fn axis(op: &Operation) -> Result<i64, String> {
    op.step.settings.value("axis").ok_or("a lookup along several axes at once")?;
    op.integer("axis")
}

/// The input that has the indices of a setting, perhaps in another shape.
pub(super) fn input(graph: &Graph, op: &Operation, name: &str) -> Option<usize> {
    let is_input = |step: &Step<f32>, input: &Example| match (step.settings.value(name), input) {
        (Some(Setting::Indices(indices)), Example::Indices(example)) => indices.as_slice() == example.as_slice(),
        _ => false,
    };
    let mut inputs = graph.run.inputs.iter().zip(&graph.varied.inputs);
    inputs.position(|((_, input), (_, varied))| is_input(op.step, input) && is_input(op.varied, varied))
}

/// The indices of a setting: an input, or a constant.
pub(super) fn indices(graph: &mut Graph, op: &Operation, name: &str) -> Result<String, String> {
    let of = |step: &Step<f32>| match step.settings.value(name) {
        Some(Setting::Indices(indices)) => Ok(indices.clone()),
        other => Err(format!("indices in another form: {other:?}")),
    };
    let indices = of(op.step)?;
    let Some(k) = input(graph, op, name) else {
        op.setting(name)?;
        return Ok(graph.integers(&signed(indices.as_slice()), indices.shape()));
    };
    let (name, example) = &graph.run.inputs[k];
    if example.shape() == indices.shape() {
        return Ok(name.clone());
    }
    let shape = common(indices.shape(), of(op.other.unwrap_or(op.step))?.shape())?;
    Ok(graph.reshape_to(&shape, name))
}
