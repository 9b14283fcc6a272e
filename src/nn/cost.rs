//! What the operations of a forward pass cost.

use crate::autograd::trace::Step;
use crate::tensor::Float;

/// Operations that only move elements.
const VIEWS: [&str; 4] = ["reshape", "permute", "slice", "broadcast_to"];
/// Operations that copy elements.
const COPIES: [&str; 12] =
    ["concat", "stack", "pad", "roll", "tril", "triu", "take", "put", "index_select", "embedding", "unfold", "dropout"];

/// The floating-point operations of a step: two for each multiply-add of a product, and one for each element of any other function.
pub(super) fn operations<T: Float>(step: &Step<T>) -> usize {
    let inputs: Vec<&[usize]> = step.inputs.iter().map(|x| x.shape()).collect();
    let length = step.value.len();
    let bias = |count: usize| if inputs.len() > count { length } else { 0 };
    match step.name {
        "matmul" | "linear" => 2 * length * inputs[0].last().copied().unwrap_or(1) + bias(2),
        "conv" => 2 * length * inputs[1][1..].iter().product::<usize>() + bias(2),
        "conv_transpose" => 2 * step.inputs[0].len() * inputs[1][1..].iter().product::<usize>() + bias(2),
        name if VIEWS.contains(&name) || COPIES.contains(&name) => 0,
        _ => step.inputs.iter().map(|x| x.len()).fold(length, usize::max),
    }
}

/// The memory, in bytes, of the value that a step computes.
pub(super) fn bytes<T: Float>(step: &Step<T>) -> usize {
    if VIEWS.contains(&step.name) { 0 } else { step.value.len() * size_of::<T>() }
}
