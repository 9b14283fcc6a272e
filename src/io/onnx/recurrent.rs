//! Recurrent layers.

use super::graph::{Graph, Operation, signed};
use super::messages::Attribute::{Integer, Text, Texts};

/// A layer in one direction. Its inputs are x `[steps · batch, in]`, the initial state, and the weights of the input and of the
/// state, perhaps with their biases; its value the outputs of all steps and the last state.
pub(super) fn layer(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    // The order in which ONNX has the gates.
    let (operator, states, gates): (_, _, &[usize]) = match op.step.name {
        "lstm" => ("LSTM", 2, &[0, 3, 1, 2]),
        "gru" => ("GRU", 1, &[1, 0, 2]),
        _ => ("RNN", 1, &[0]),
    };
    if op.step.settings.value("count").is_none() {
        return Err("a layer over sequences of different lengths".into());
    }
    let (initial, weights) = op.inputs[1..].split_at(states);
    let [inputs, hidden] = [1 + states, 2 + states].map(|k| op.step.inputs[k].shape()[1]);
    let steps = graph.integers(&[op.integer("count")?, -1, inputs as i64], &[3]);
    let x = graph.node("Reshape", &[&op.inputs[0], &steps], &[]);
    let rows: Vec<usize> = gates.iter().flat_map(|&gate| gate * hidden..(gate + 1) * hidden).collect();
    let rows = graph.integers(&signed(&rows), &[1, gates.len() * hidden]);
    let mut weights: Vec<String> = weights.iter().map(|weight| graph.node("Gather", &[weight, &rows], &[])).collect();
    let bias = match weights.split_off(2).as_slice() {
        [input, hidden] => graph.node("Concat", &[input, hidden], &[("axis", Integer(1))]),
        _ => String::new(),
    };
    let first = graph.integers(&[0], &[1]);
    let initial: Vec<String> = initial.iter().map(|state| graph.node("Unsqueeze", &[state, &first], &[])).collect();
    let inputs = [&x, &weights[0], &weights[1], &bias, ""].into_iter().chain(initial.iter().map(String::as_str));
    let mut attributes = vec![("hidden_size", Integer(hidden as i64))];
    if op.step.settings.value("reverse").is_some() {
        attributes.push(("direction", Text("reverse")));
    }
    match operator {
        "GRU" => attributes.push(("linear_before_reset", Integer(1))),
        "RNN" if op.step.settings.value("relu").is_some() => attributes.push(("activations", Texts(&["Relu"]))),
        _ => {}
    }
    let [outputs, state] = [op.step.inputs[0].shape()[0], op.step.inputs[1].shape()[0]].map(|rows| rows * hidden);
    let lengths = [[outputs].as_slice(), &vec![state; states]].concat();
    Ok(graph.node_of_parts(operator, &inputs.collect::<Vec<_>>(), &lengths, &attributes))
}
