//! The table of operations: the nodes of ONNX for each name in a trace.

use super::graph::{Graph, Operation, signed};
use super::messages::Attribute::{Float, Integer, Integers};
use super::{losses, parts, recurrent, rotary, scans, windows};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E, LOG10_E, PI};

/// Operations that are one node without settings.
const ALIKE: [(&str, &str); 35] = [
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
    ("det", "Det"),
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

/// Nodes that follow each other, some with a number as second input.
type Chain<'a> = &'a [(&'a str, Option<f64>)];

/// Operations that are a chain of nodes.
const CHAINS: [(&str, Chain); 8] = [
    ("erfc", &[("Erf", None), ("Neg", None), ("Add", Some(1.0))]),
    ("exp2", &[("Mul", Some(LN_2)), ("Exp", None)]),
    ("expm1", &[("Exp", None), ("Sub", Some(1.0))]),
    ("log10", &[("Log", None), ("Mul", Some(LOG10_E))]),
    ("log1p", &[("Add", Some(1.0)), ("Log", None)]),
    ("log2", &[("Log", None), ("Mul", Some(LOG2_E))]),
    ("log_sigmoid", &[("Neg", None), ("Softplus", None), ("Neg", None)]),
    ("rsqrt", &[("Sqrt", None), ("Reciprocal", None)]),
];

/// Adds the nodes of an operation; returns the name of the result. `Err` is why there are none.
pub(super) fn write(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
    if let Some(result) = write_by_table(graph, op, &inputs)? {
        return Ok(result);
    }
    match op.step.name {
        "hardsigmoid" => Ok(graph.node("HardSigmoid", &inputs, &[("alpha", Float(1.0 / 6.0)), ("beta", Float(0.5))])),
        "linear" => Ok(graph.node("Gemm", &inputs, &[("transB", Integer(1))])),
        "matmul" => matmul(graph, op),
        "conv" | "conv_transpose" => windows::convolution(graph, op),
        "max_pool" | "avg_pool" => windows::pooling(graph, op),
        "unfold" => windows::columns(graph, op),
        "lstm" | "gru" | "rnn" => recurrent::layer(graph, op),
        "rotary" => rotary::rotate(graph, op),
        "batch_norm" => batch_norm(graph, op),
        "row_norm" => row_norm(graph, op),
        "softmax" => Ok(graph.node("Softmax", &inputs, &[("axis", Integer(op.integer("axis")?))])),
        "log_softmax" => Ok(graph.node("LogSoftmax", &inputs, &[("axis", Integer(op.integer("axis")?))])),
        "softmax_cross_entropy"
        | "bce_loss"
        | "bce_with_logits_loss"
        | "kl_div_loss"
        | "kl_div_log_loss"
        | "weighted"
        | "huber" => losses::loss(graph, op),
        "sum" | "extremum" | "first_extremum" | "norm" | "logsumexp" => reduction(graph, op),
        "cumsum" => scans::sums(graph, op),
        "logcumsumexp" => scans::logarithms_of_sums(graph, op),
        "recurrence" => scans::recurrence(graph, op),
        "tril" | "triu" => {
            let diagonal = op.signed("diagonal")?[0] as i64;
            let diagonal = graph.integers(&[diagonal], &[]);
            let upper = Integer((op.step.name == "triu").into());
            Ok(graph.node("Trilu", &[inputs[0], &diagonal], &[("upper", upper)]))
        }
        "permute" => {
            let axes = signed(op.integers("axes")?);
            Ok(graph.node("Transpose", &inputs, &[("perm", Integers(&axes))]))
        }
        "concat" => Ok(graph.node("Concat", &inputs, &[("axis", Integer(op.integer("axis")?))])),
        "reshape" => graph.reshape(op, inputs[0]),
        "broadcast_to" => parts::broadcast(graph, op),
        "stack" => parts::stack(graph, op),
        "slice" => parts::slice(graph, op),
        "pad" => parts::pad(graph, op),
        "embedding" | "index_select" => parts::lookup(graph, op),
        "take" => parts::take(graph, op),
        "put" | "index_add" => parts::scatter(graph, op),
        "roll" => parts::roll(graph, op),
        "masked_fill" | "where" => {
            let mask = graph.mask(op.tensor("mask")?);
            let [yes, no] = match &inputs[..] {
                [yes, no] => [yes.to_string(), no.to_string()],
                _ => [graph.number(op.number("value")?), inputs[0].to_string()],
            };
            Ok(graph.node("Where", &[&mask, &yes, &no], &[]))
        }
        _ => elementwise(graph, op, &inputs),
    }
}

/// Adds the nodes of an operation in one of the tables.
fn write_by_table(graph: &mut Graph, op: &Operation, inputs: &[&str]) -> Result<Option<String>, String> {
    let name = op.step.name;
    if let Some((_, operator)) = ALIKE.iter().find(|(other, _)| *other == name) {
        return Ok(Some(graph.node(operator, inputs, &[])));
    }
    if let Some((_, nodes)) = CHAINS.iter().find(|(other, _)| *other == name) {
        return Ok(Some(chain(graph, inputs[0], nodes)));
    }
    let Some((_, operator, first)) = WITH_NUMBER.iter().find(|(other, ..)| *other == name) else { return Ok(None) };
    let number = graph.number_of(op, "c")?;
    let operands = if *first { [&number, inputs[0]] } else { [inputs[0], &number] };
    Ok(Some(graph.node(operator, &operands, &[])))
}

/// Elementwise functions with settings, or composed of several nodes.
fn elementwise(graph: &mut Graph, op: &Operation, inputs: &[&str]) -> Result<String, String> {
    let x = inputs[0];
    Ok(match op.step.name {
        "square" => graph.node("Mul", &[x, x], &[]),
        "silu" => {
            let gate = graph.node("Sigmoid", &[x], &[]);
            graph.node("Mul", &[x, &gate], &[])
        }
        "mish" => {
            let gate = chain(graph, x, &[("Softplus", None), ("Tanh", None)]);
            graph.node("Mul", &[x, &gate], &[])
        }
        "gelu" => {
            let erf = chain(graph, x, &[("Mul", Some(FRAC_1_SQRT_2)), ("Erf", None)]);
            half_of_one_plus(graph, x, &erf)
        }
        "gelu_tanh" => {
            let square = graph.node("Mul", &[x, x], &[]);
            let factor = chain(graph, &square, &[("Mul", Some(0.044715)), ("Add", Some(1.0))]);
            let scaled = chain(graph, x, &[("Mul", Some((2.0 / PI).sqrt()))]);
            let inner = graph.node("Mul", &[&scaled, &factor], &[]);
            let tanh = graph.node("Tanh", &[&inner], &[]);
            half_of_one_plus(graph, x, &tanh)
        }
        "powi" => chain(graph, x, &[("Pow", Some(op.number("n")?))]),
        "powf" => chain(graph, x, &[("Pow", Some(op.number("exponent")?))]),
        "leaky_relu" => graph.node("LeakyRelu", &[x], &[("alpha", Float(op.number("slope")?))]),
        "elu" => {
            // With u = x/width it is scale width u for positive u, and scale width (α/width) (eᵘ − 1) for others.
            let [scale, alpha, width] = [op.number("scale")?, op.number("alpha")?, op.number("width")?];
            let scaled = chain(graph, x, &[("Div", Some(width))]);
            let elu = graph.node("Elu", &[&scaled], &[("alpha", Float(alpha / width))]);
            chain(graph, &elu, &[("Mul", Some(scale * width))])
        }
        "softplus" if op.step.settings.value("threshold").is_some() => return Err("a softplus with a threshold".into()),
        "softplus" => {
            let beta = Some(op.number("beta")?);
            chain(graph, x, &[("Mul", beta), ("Softplus", None), ("Div", beta)])
        }
        "clamp" => {
            let (low, high) = (graph.number(op.number("low")?), graph.number(op.number("high")?));
            graph.node("Clip", &[x, &low, &high], &[])
        }
        "hypot" => {
            let [a, b] = [0, 1].map(|k| graph.node("Mul", &[inputs[k], inputs[k]], &[]));
            let sum = graph.node("Add", &[&a, &b], &[]);
            graph.node("Sqrt", &[&sum], &[])
        }
        "atan2" => atan2(graph, inputs),
        "logaddexp" => {
            let difference = graph.node("Sub", &[x, inputs[1]], &[]);
            let rest = graph.node("Softplus", &[&difference], &[]);
            graph.node("Add", &[inputs[1], &rest], &[])
        }
        _ => return Err("one without a mapping: compute it outside of the model, or by other operations".into()),
    })
}

pub(super) fn chain(graph: &mut Graph, x: &str, nodes: Chain) -> String {
    nodes.iter().fold(x.to_string(), |x, &(operator, number)| match number {
        Some(number) => {
            let number = graph.number(number);
            graph.node(operator, &[&x, &number], &[])
        }
        None => graph.node(operator, &[&x], &[]),
    })
}

/// The angle of |y| and |x|, from 0 to π/2, which is reflected where x or y is negative.
fn atan2(graph: &mut Graph, inputs: &[&str]) -> String {
    let [y, x] = [inputs[0], inputs[1]];
    let [height, width] = [y, x].map(|x| graph.node("Abs", &[x], &[]));
    let ratio = graph.node("Div", &[&height, &width], &[]);
    let angle = graph.node("Atan", &[&ratio], &[]);
    let [zero, half_turn] = [0.0, PI].map(|number| graph.number(number));
    // At the origin the ratio is NaN.
    let level = graph.node("Equal", &[y, &zero], &[]);
    let angle = graph.node("Where", &[&level, &zero, &angle], &[]);
    let reflected = graph.node("Sub", &[&half_turn, &angle], &[]);
    let negative = graph.node("Less", &[x, &zero], &[]);
    let angle = graph.node("Where", &[&negative, &reflected, &angle], &[]);
    let reflected = graph.node("Neg", &[&angle], &[]);
    let negative = graph.node("Less", &[y, &zero], &[]);
    graph.node("Where", &[&negative, &reflected, &angle], &[])
}

/// `x (1 + y) / 2`.
fn half_of_one_plus(graph: &mut Graph, x: &str, y: &str) -> String {
    let sum = chain(graph, y, &[("Add", Some(1.0))]);
    let half = chain(graph, x, &[("Mul", Some(0.5))]);
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
    let [size, run] = op.settings(["size", "run"])?.map(|values| values[0]);
    let (x, channels) = (&op.step.inputs[0], op.step.inputs[1].len() as i64);
    let [weight, bias] = [&op.inputs[1], &op.inputs[2]];
    if channels == size && run == 1 && x.shape().last().map(|&n| n as i64) == Some(size) {
        return normal_rows(graph, op, &op.inputs[0], size, Some([weight, bias]));
    }
    let shapes = [vec![-1, size], vec![-1, channels, run], vec![channels, 1]];
    let [rows, by_channels, column] = shapes.map(|shape| graph.integers(&shape, &[shape.len()]));
    let rows = graph.node("Reshape", &[&op.inputs[0], &rows], &[]);
    let normal = normal_rows(graph, op, &rows, size, None)?;
    let mut y = graph.node("Reshape", &[&normal, &by_channels], &[]);
    for (operator, parameter) in [("Mul", weight), ("Add", bias)] {
        let parameter = graph.node("Reshape", &[parameter, &column], &[]);
        y = graph.node(operator, &[&y, &parameter], &[]);
    }
    graph.reshape(op, &y)
}

/// Normalizes along the last axis, of the given size, with a weight and a bias for each of its elements, if there are any.
fn normal_rows(
    graph: &mut Graph,
    op: &Operation,
    x: &str,
    size: i64,
    affine: Option<[&String; 2]>,
) -> Result<String, String> {
    let epsilon = op.number("epsilon")?;
    if op.integer("centered")? == 1 {
        let weight = match affine {
            Some([weight, _]) => weight.clone(),
            None => graph.constant(&vec![1.0; size as usize], &[size as usize]),
        };
        let inputs: Vec<&str> = [x, &weight].into_iter().chain(affine.map(|[_, bias]| bias.as_str())).collect();
        return Ok(graph.node("LayerNormalization", &inputs, &[("axis", Integer(-1)), ("epsilon", Float(epsilon))]));
    }
    let square = graph.node("Mul", &[x, x], &[]);
    let mean = graph.node("ReduceMean", &[&square], &[("axes", Integers(&[-1])), ("keepdims", Integer(1))]);
    let root = chain(graph, &mean, &[("Add", Some(epsilon)), ("Sqrt", None)]);
    let normal = graph.node("Div", &[x, &root], &[]);
    let Some([weight, bias]) = affine else { return Ok(normal) };
    let scaled = graph.node("Mul", &[&normal, weight], &[]);
    Ok(graph.node("Add", &[&scaled, bias], &[]))
}

fn reduction(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let (x, y) = (&op.step.inputs[0], &op.step.value);
    let axes = match op.step.name {
        "first_extremum" | "logsumexp" => vec![-1],
        _ => signed(op.integers("axes")?),
    };
    let keepdims = ("keepdims", Integer((x.rank() == y.rank()).into()));
    let operator = match op.step.name {
        "sum" => {
            let axes = graph.integers(&axes, &[axes.len()]);
            return Ok(graph.node("ReduceSum", &[&op.inputs[0], &axes], &[keepdims]));
        }
        "norm" => "ReduceL2",
        "logsumexp" => "ReduceLogSumExp",
        _ if op.integer("largest")? == 1 => "ReduceMax",
        _ => "ReduceMin",
    };
    Ok(graph.node(operator, &[&op.inputs[0]], &[("axes", Integers(&axes)), keepdims]))
}
