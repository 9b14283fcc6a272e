//! The table of operations: the nodes of ONNX for each name in a trace.

use super::messages::Attribute::{Float, Integer, Integers};
use super::{Example, Graph, Operation};
use crate::autograd::Setting;
use crate::io::array::contiguous;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Operations that are one node without settings.
const ALIKE: [(&str, &str); 34] = [
    ("abs", "Abs"),
    ("acos", "Acos"),
    ("acosh", "Acosh"),
    ("add", "Add"),
    ("asin", "Asin"),
    ("asinh", "Asinh"),
    ("atan", "Atan"),
    ("atanh", "Atanh"),
    ("ceil", "Ceil"),
    ("cos", "Cos"),
    ("cosh", "Cosh"),
    ("div", "Div"),
    ("erf", "Erf"),
    ("exp", "Exp"),
    ("floor", "Floor"),
    ("hardswish", "HardSwish"),
    ("ln", "Log"),
    ("maximum", "Max"),
    ("minimum", "Min"),
    ("mul", "Mul"),
    ("neg", "Neg"),
    ("pow", "Pow"),
    ("reciprocal", "Reciprocal"),
    ("relu", "Relu"),
    ("round", "Round"),
    ("sigmoid", "Sigmoid"),
    ("sign", "Sign"),
    ("sin", "Sin"),
    ("sinh", "Sinh"),
    ("softsign", "Softsign"),
    ("sqrt", "Sqrt"),
    ("sub", "Sub"),
    ("tan", "Tan"),
    ("tanh", "Tanh"),
];

/// Operations of one number and their nodes; whether the number comes first.
const WITH_NUMBER: [(&str, &str, bool); 5] = [
    ("add_scalar", "Add", false),
    ("mul_scalar", "Mul", false),
    ("div_scalar", "Div", false),
    ("rsub_scalar", "Sub", true),
    ("rdiv_scalar", "Div", true),
];

/// Adds the nodes of an operation; returns the name of the result. `Err` is why there are none.
pub(super) fn write(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
    let name = op.step.name;
    if let Some((_, operator)) = ALIKE.iter().find(|(other, _)| *other == name) {
        return Ok(graph.node(operator, &inputs, &[]));
    }
    if let Some((_, operator, first)) = WITH_NUMBER.iter().find(|(other, ..)| *other == name) {
        let number = graph.number(op.number("c")?);
        let operands = if *first { [&number, inputs[0]] } else { [inputs[0], &number] };
        return Ok(graph.node(operator, &operands, &[]));
    }
    match name {
        "square" | "rsqrt" | "silu" | "gelu" | "gelu_tanh" | "mish" | "powi" | "powf" | "leaky_relu" | "clamp" => {
            elementwise(graph, op, inputs[0])
        }
        "hardsigmoid" => Ok(graph.node("HardSigmoid", &inputs, &[("alpha", Float(1.0 / 6.0)), ("beta", Float(0.5))])),
        "linear" => Ok(graph.node("Gemm", &inputs, &[("transB", Integer(1))])),
        "matmul" => matmul(graph, op),
        "conv" => convolution(graph, op),
        "max_pool" | "avg_pool" => pooling(graph, op),
        "batch_norm" => batch_norm(graph, op),
        "row_norm" => row_norm(graph, op),
        "softmax" | "log_softmax" => {
            let axis = op.integers("axis")?[0] as i64;
            let operator = if name == "softmax" { "Softmax" } else { "LogSoftmax" };
            Ok(graph.node(operator, &inputs, &[("axis", Integer(axis))]))
        }
        "sum" | "extremum" | "first_extremum" => reduction(graph, op),
        "reshape" => reshape(graph, op, inputs[0]),
        "permute" => {
            let axes = signed(op.integers("axes")?);
            Ok(graph.node("Transpose", &inputs, &[("perm", Integers(&axes))]))
        }
        "broadcast_to" => {
            // A size of 1 leaves that of the input.
            let shape: Vec<i64> = op.shape()?.iter().map(|size| size.map_or(1, |size| size as i64)).collect();
            let shape = graph.integers(&shape, &[shape.len()]);
            Ok(graph.node("Expand", &[inputs[0], &shape], &[]))
        }
        "slice" => slice(graph, op),
        "concat" => Ok(graph.node("Concat", &inputs, &[("axis", Integer(op.integers("axis")?[0] as i64))])),
        "embedding" => embedding(graph, op),
        "masked_fill" => masked_fill(graph, op),
        _ => Err("one without a mapping".into()),
    }
}

fn signed(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

fn elementwise(graph: &mut Graph, op: &Operation, x: &str) -> Result<String, String> {
    Ok(match op.step.name {
        "square" => graph.node("Mul", &[x, x], &[]),
        "rsqrt" => {
            let root = graph.node("Sqrt", &[x], &[]);
            graph.node("Reciprocal", &[&root], &[])
        }
        "silu" => {
            let gate = graph.node("Sigmoid", &[x], &[]);
            graph.node("Mul", &[x, &gate], &[])
        }
        "mish" => {
            let softplus = graph.node("Softplus", &[x], &[]);
            let gate = graph.node("Tanh", &[&softplus], &[]);
            graph.node("Mul", &[x, &gate], &[])
        }
        "gelu" => {
            let scaled = with_number(graph, "Mul", x, FRAC_1_SQRT_2);
            let erf = graph.node("Erf", &[&scaled], &[]);
            half_of_one_plus(graph, x, &erf)
        }
        "gelu_tanh" => {
            let square = graph.node("Mul", &[x, x], &[]);
            let factor = with_number(graph, "Mul", &square, 0.044715);
            let factor = with_number(graph, "Add", &factor, 1.0);
            let scaled = with_number(graph, "Mul", x, (2.0 / PI).sqrt());
            let inner = graph.node("Mul", &[&scaled, &factor], &[]);
            let tanh = graph.node("Tanh", &[&inner], &[]);
            half_of_one_plus(graph, x, &tanh)
        }
        "powi" => with_number(graph, "Pow", x, op.number("n")?),
        "powf" => with_number(graph, "Pow", x, op.number("exponent")?),
        "leaky_relu" => graph.node("LeakyRelu", &[x], &[("alpha", Float(op.number("slope")?))]),
        _ => {
            let (low, high) = (graph.number(op.number("low")?), graph.number(op.number("high")?));
            graph.node("Clip", &[x, &low, &high], &[])
        }
    })
}

fn with_number(graph: &mut Graph, operator: &str, x: &str, number: f64) -> String {
    let number = graph.number(number);
    graph.node(operator, &[x, &number], &[])
}

/// `x (1 + y) / 2`.
fn half_of_one_plus(graph: &mut Graph, x: &str, y: &str) -> String {
    let sum = with_number(graph, "Add", y, 1.0);
    let half = with_number(graph, "Mul", x, 0.5);
    graph.node("Mul", &[&half, &sum], &[])
}

fn matmul(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let mut operands = op.inputs.clone();
    for (k, flag) in ["transpose_a", "transpose_b"].into_iter().enumerate() {
        if op.integers(flag)? == [1] {
            let mut axes: Vec<i64> = (0..op.step.inputs[k].rank() as i64).collect();
            let last = axes.len() - 1;
            axes.swap(last - 1, last);
            operands[k] = graph.node("Transpose", &[&operands[k]], &[("perm", Integers(&axes))]);
        }
    }
    Ok(graph.node("MatMul", &[&operands[0], &operands[1]], &[]))
}

fn reshape(graph: &mut Graph, op: &Operation, x: &str) -> Result<String, String> {
    let shape: Vec<i64> = op.shape()?.iter().map(|size| size.map_or(-1, |size| size as i64)).collect();
    let shape = graph.integers(&shape, &[shape.len()]);
    Ok(graph.node("Reshape", &[x, &shape], &[]))
}

fn convolution(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let [strides, pads, dilations, group] = settings(op, ["strides", "pads", "dilations", "group"])?;
    let pads = [&pads[..], &pads[..]].concat();
    let attributes = [
        ("strides", Integers(&strides)),
        ("pads", Integers(&pads)),
        ("dilations", Integers(&dilations)),
        ("group", Integer(group[0])),
    ];
    let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
    Ok(graph.node("Conv", &inputs, &attributes))
}

fn settings<const N: usize>(op: &Operation, names: [&str; N]) -> Result<[Vec<i64>; N], String> {
    let mut lists = [const { Vec::new() }; N];
    for (list, name) in lists.iter_mut().zip(names) {
        *list = signed(op.integers(name)?);
    }
    Ok(lists)
}

/// Pooling over the last two axes. Of images with one axis the other has size 1.
fn pooling(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, y) = (op.step.inputs[0].shape(), op.step.value.shape());
    if op.step.settings.value("kernel").is_none() {
        return Err("pooling with windows of different sizes".into());
    }
    let average = op.step.name == "avg_pool";
    let [kernel, strides] = settings(op, ["kernel", "strides"])?;
    let [pads, dilations] = if average { [vec![0; 2], vec![1; 2]] } else { settings(op, ["pads", "dilations"])? };
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

fn batch_norm(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    if op.integers("of_batch")? != [0] {
        return Err("a normalization by the statistics of the batch".into());
    }
    // Rows of means, of what rounding lost of them, and of 1/√(variance + ε).
    let statistics = &op.step.inputs[3];
    let channels = statistics.shape()[1];
    let rows: Vec<&[f32]> = statistics.as_slice().chunks_exact(channels.max(1)).collect();
    let variances: Vec<f32> =
        rows[2].iter().map(|&scale| (1.0 / (f64::from(scale) * f64::from(scale))) as f32).collect();
    let (mean, variance) = (graph.constant(rows[0], &[channels]), graph.constant(&variances, &[channels]));
    let inputs = [&op.inputs[0], &op.inputs[1], &op.inputs[2], &mean, &variance].map(String::as_str);
    Ok(graph.node("BatchNormalization", &inputs, &[("epsilon", Float(0.0))]))
}

fn row_norm(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let [size, centered, run] = settings(op, ["size", "centered", "run"])?.map(|values| values[0]);
    let (x, weight) = (op.step.inputs[0].shape(), op.step.inputs[1].shape());
    // A row is the last axis, and each of its elements a channel.
    if x.last().map(|&n| n as i64) != Some(size) || run != 1 || weight.len() > 1 {
        return Err("a normalization over other axes than the last".into());
    }
    let epsilon = op.number("epsilon")?;
    if centered == 1 {
        let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
        return Ok(graph.node("LayerNormalization", &inputs, &[("axis", Integer(-1)), ("epsilon", Float(epsilon))]));
    }
    let square = graph.node("Mul", &[&op.inputs[0], &op.inputs[0]], &[]);
    let mean = graph.node("ReduceMean", &[&square], &[("axes", Integers(&[-1])), ("keepdims", Integer(1))]);
    let sum = with_number(graph, "Add", &mean, epsilon);
    let root = graph.node("Sqrt", &[&sum], &[]);
    let normal = graph.node("Div", &[&op.inputs[0], &root], &[]);
    let scaled = graph.node("Mul", &[&normal, &op.inputs[1]], &[]);
    Ok(graph.node("Add", &[&scaled, &op.inputs[2]], &[]))
}

fn reduction(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, y) = (&op.step.inputs[0], &op.step.value);
    let axes = if op.step.name == "first_extremum" { vec![-1] } else { signed(op.integers("axes")?) };
    let keepdims = ("keepdims", Integer((x.rank() == y.rank()).into()));
    if op.step.name == "sum" {
        let axes = graph.integers(&axes, &[axes.len()]);
        return Ok(graph.node("ReduceSum", &[&op.inputs[0], &axes], &[keepdims]));
    }
    let operator = if op.integers("largest")? == [1] { "ReduceMax" } else { "ReduceMin" };
    Ok(graph.node(operator, &[&op.inputs[0]], &[("axes", Integers(&axes)), keepdims]))
}

/// A range of each axis, each with a step. Axes of size 1 may be dropped. Or consecutive elements in a shape with more axes.
fn slice(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, y) = (op.step.inputs[0].shape(), op.step.value.shape());
    let (strides, mut offset) = (op.integers("strides")?, op.integers("offset")?[0]);
    if x.len() < y.len() && strides == contiguous(y) {
        let flat = graph.integers(&[-1], &[1]);
        let flat = graph.node("Reshape", &[&op.inputs[0], &flat], &[]);
        let [start, end] = [offset, offset + op.step.value.len()].map(|bound| graph.integers(&[bound as i64], &[1]));
        let part = graph.node("Slice", &[&flat, &start, &end], &[]);
        return reshape(graph, op, &part);
    }
    let own: Vec<usize> = contiguous(x).into_iter().map(|stride| stride.max(1)).collect();
    let [mut starts, mut ends, mut steps] = [const { Vec::new() }; 3];
    let mut k = 0;
    for (&size, &stride) in x.iter().zip(&own) {
        let start = offset / stride;
        offset -= start * stride;
        // The next axis of the view, if it steps along this one.
        let next = y.get(k).zip(strides.get(k));
        let along = next.filter(|&(&count, &step)| {
            step % stride == 0 && step > 0 && (count == 0 || start + (count - 1) * (step / stride) < size)
        });
        let (count, step) = match along {
            Some((&count, &step)) if y.len() - k == x.len() - starts.len() || count != 1 => {
                k += 1;
                (count, step / stride)
            }
            _ => (1, 1),
        };
        starts.push(start as i64);
        steps.push(step as i64);
        // To the end of the axis, where the size of the batch is not known.
        let whole = start == 0 && step == 1 && count == size;
        ends.push(if whole { i64::MAX } else { (start + (count.max(1) - 1) * step + usize::from(count > 0)) as i64 });
    }
    if k < y.len() {
        return Err("a slice that is not a range of each axis".into());
    }
    let axes: Vec<i64> = (0..x.len() as i64).collect();
    let [starts, ends, axes, steps] = [starts, ends, axes, steps].map(|list| graph.integers(&list, &[list.len()]));
    let sliced = graph.node("Slice", &[&op.inputs[0], &starts, &ends, &axes, &steps], &[]);
    if x.len() == y.len() { Ok(sliced) } else { reshape(graph, op, &sliced) }
}

fn embedding(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let is_input = |input: &Example| {
        let Example::Indices(example) = input else { return false };
        op.step.settings.value("indices") == Some(&Setting::Indices(example.clone()))
    };
    let input = graph.run.inputs.iter().find(|(_, input)| is_input(input));
    let indices = match input {
        Some((name, _)) => name.clone(),
        None => match op.setting("indices")? {
            Setting::Indices(indices) => graph.integers(&signed(indices.as_slice()), indices.shape()),
            other => return Err(format!("indices in another form: {other:?}")),
        },
    };
    Ok(graph.node("Gather", &[&op.inputs[0], &indices], &[("axis", Integer(0))]))
}

fn masked_fill(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let Setting::Mask(mask) = op.setting("mask")? else { return Err("one without a mask".into()) };
    let (mask, fill) = (graph.mask(mask), graph.number(op.number("value")?));
    Ok(graph.node("Where", &[&mask, &fill, &op.inputs[0]], &[]))
}
