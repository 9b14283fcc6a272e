//! Convolution, pooling and unfolding.

use super::graph::{Graph, Operation, signed};
use super::messages::Attribute::{Integer, Integers};

pub(super) fn convolution(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let [strides, pads, dilations, group] = op.settings(["strides", "pads", "dilations", "group"])?;
    let shapes = [&op.step.inputs[0], &op.step.inputs[1], &op.step.value];
    let [input, kernel, output] = shapes.map(|value| signed(&value.shape()[2..]));
    // What the output of a transposed convolution has beyond the last window.
    let windows_end = |k: usize| (input[k] - 1) * strides[k] + dilations[k] * (kernel[k] - 1) + 1 - 2 * pads[k];
    let rest: Vec<i64> = output.iter().enumerate().map(|(k, size)| size - windows_end(k)).collect();
    let pads = [&pads[..], &pads[..]].concat();
    let mut attributes = vec![
        ("strides", Integers(&strides)),
        ("pads", Integers(&pads)),
        ("dilations", Integers(&dilations)),
        ("group", Integer(group[0])),
    ];
    let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
    if op.step.name == "conv" {
        return Ok(graph.node("Conv", &inputs, &attributes));
    }
    attributes.push(("output_padding", Integers(&rest)));
    Ok(graph.node("ConvTranspose", &inputs, &attributes))
}

/// Pooling over the last two axes. Of images with one axis the other has size 1.
pub(super) fn pooling(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, y) = (op.step.inputs[0].shape(), op.step.value.shape());
    let average = op.step.name == "avg_pool";
    if average && op.step.settings.value("kernel").is_none() {
        // The mean of each window is a product with a matrix along each axis.
        let (rows, columns) = (op.tensor("rows")?, graph.values(op.tensor("columns")?));
        let product = graph.node("MatMul", &[&op.inputs[0], &columns], &[]);
        if rows.as_slice() == [1.0] {
            return Ok(product);
        }
        let rows = graph.values(rows);
        return Ok(graph.node("MatMul", &[&rows, &product], &[]));
    }
    let [kernel, strides] = op.settings(["kernel", "strides"])?;
    let [pads, dilations] = if average { [vec![0; 2], vec![1; 2]] } else { op.settings(["pads", "dilations"])? };
    // The axes that windows slide along come last: as many as there are behind samples and channels.
    let Some(axes) = x.len().checked_sub(2).filter(|axes| (1..=2).contains(axes)) else {
        return Err(format!("pooling of {x:?}: samples, channels and one or two axes are expected"));
    };
    let tail = |values: &[i64]| values[2 - axes..].to_vec();
    let [kernel, strides, pads, dilations] = [&kernel, &strides, &pads, &dilations].map(|values| tail(values));
    // What the last window reads beyond the end.
    let end = |k: usize| {
        let [input, output] = [x, y].map(|shape| shape[2 + k] as i64);
        ((output - 1) * strides[k] + dilations[k] * (kernel[k] - 1) + 1 - input - pads[k]).max(0)
    };
    let pads: Vec<i64> = pads.iter().copied().chain((0..axes).map(end)).collect();
    let mut attributes =
        vec![("kernel_shape", Integers(&kernel)), ("strides", Integers(&strides)), ("pads", Integers(&pads))];
    if !average {
        attributes.push(("dilations", Integers(&dilations)));
    }
    Ok(graph.node(if average { "AveragePool" } else { "MaxPool" }, &[&op.inputs[0]], &attributes))
}

/// The windows of images as columns: each axis becomes two, offsets in the kernel and windows, of which the offsets go to the front.
pub(super) fn columns(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let [kernel, strides, pads, dilations, counts] =
        op.settings(["kernel", "strides", "pads", "dilations", "output"])?;
    let pads = graph.integers(&[0, 0, pads[0], pads[1], 0, 0, pads[0], pads[1]], &[8]);
    let mut x = graph.node("Pad", &[&op.inputs[0], &pads], &[]);
    for (k, axis) in [(0, 2), (1, 4)] {
        let window = |offset| (0..counts[k]).map(move |window| (offset, window));
        let place = |(offset, window)| offset * dilations[k] + window * strides[k];
        let places: Vec<i64> = (0..kernel[k]).flat_map(window).map(place).collect();
        let places = graph.integers(&places, &[kernel[k] as usize, counts[k] as usize]);
        x = graph.node("Gather", &[&x, &places], &[("axis", Integer(axis))]);
    }
    let offsets_first = graph.node("Transpose", &[&x], &[("perm", Integers(&[0, 1, 2, 4, 3, 5]))]);
    graph.reshape(op, &offsets_first)
}
