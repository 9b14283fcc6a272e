//! Why shapes do not fit an operation: the reasons in [`wrong_shapes`](super::wrong_shapes).

use std::fmt::Debug;

/// Why two shapes do not broadcast.
pub(crate) fn do_not_broadcast(a: &[usize], b: &[usize]) -> String {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |k| shape[k]);
    let clash = (0..rank).rev().find(|&k| size(a, k) != size(b, k) && size(a, k) != 1 && size(b, k) != 1);
    let axis = clash.unwrap_or(0);
    let (x, y) = (size(a, axis), size(b, axis));
    format!(
        "shapes {a:?} and {b:?} do not broadcast: {x} against {y} on axis {axis}, where they must be equal or one of them 1"
    )
}

/// Why a matrix product does not apply to a scalar.
pub(crate) fn no_matrices(a: &[usize], b: &[usize]) -> String {
    format!("{a:?} and {b:?} are not both vectors or matrices: use * for a scalar")
}

/// Why two matrices do not chain.
pub(crate) fn do_not_chain(a: &[usize], b: &[usize], columns: usize, rows: usize) -> String {
    let remedy = if a.len().max(b.len()) > 1 { ": transpose(-1, -2) swaps the two" } else { "" };
    format!("{a:?} and {b:?} do not chain: {columns} columns against {rows} rows, which must be equal{remedy}")
}

/// Why an operation on vectors does not apply.
pub(crate) fn not_vectors(a: &[usize], b: &[usize]) -> String {
    format!("{a:?} and {b:?} are not two vectors: matmul multiplies matrices")
}

/// Why two vectors have no dot product.
pub(crate) fn sizes_differ(a: &[usize], b: &[usize]) -> String {
    format!("the vectors {a:?} and {b:?} differ in size")
}

/// Why no tensor has a shape.
pub(crate) fn too_large(shape: &dyn Debug, most: usize) -> String {
    format!("shape {shape:?} is too large: its sizes other than 0 multiply to more than {most}")
}

/// Why no tensor has that many axes.
pub(crate) fn too_many_axes(axes: usize, most: usize) -> String {
    format!("{axes} axes are too many: at most {most} are possible")
}

/// Why a system of equations has no solution.
pub(crate) fn singular(matrix: usize, shape: &[usize], pivot: usize) -> String {
    format!("matrix {matrix} of {shape:?} is singular: pivot {pivot} is 0, so it has no inverse")
}

/// Why a matrix has no Cholesky factor.
pub(crate) fn not_positive_definite(matrix: usize, shape: &[usize], pivot: usize, value: f64) -> String {
    format!(
        "matrix {matrix} of {shape:?} is not positive definite: pivot {pivot} is {value}, but all must be greater than 0"
    )
}

/// Why an operation on matrices does not apply.
pub(crate) fn not_a_matrix(shape: &[usize]) -> String {
    format!("shape {shape:?} is not a matrix or a batch of matrices, [..., rows, columns]")
}

/// Why an operation on square matrices does not apply.
pub(crate) fn not_square(shape: &[usize]) -> String {
    format!("shape {shape:?} is not a square matrix or a batch of them: the last two sizes must be equal")
}

/// Why two batches of matrices do not match.
pub(crate) fn batches_do_not_broadcast(a: &[usize], b: &[usize]) -> String {
    format!("{a:?} and {b:?} do not chain: the axes in front of the matrices do not broadcast")
}

/// Why a source cannot be added at some positions.
pub(crate) fn source_shape(source: &[usize], expected: &[usize]) -> String {
    format!("a source of shape {source:?} does not fit the indices, which need {expected:?}")
}

/// Why values of different rank do not join.
pub(crate) fn ranks_differ(a: &[usize], b: &[usize]) -> String {
    format!("shapes {a:?} and {b:?} do not join: {} axes against {}", a.len(), b.len())
}

/// Why values do not join along an axis.
pub(crate) fn do_not_join(a: &[usize], b: &[usize], axis: usize, clash: usize) -> String {
    let (x, y) = (a[clash], b[clash]);
    format!("shapes {a:?} and {b:?} do not join along axis {axis}: {x} against {y} on axis {clash}")
}

/// Why values do not stack.
pub(crate) fn do_not_stack(a: &[usize], b: &[usize]) -> String {
    format!("shapes {a:?} and {b:?} do not stack: they must be equal; concat joins along an existing axis")
}

/// Why a mask does not broadcast to a value.
pub(crate) fn mask_does_not_fit(mask: &[usize], shape: &[usize]) -> String {
    format!(
        "a mask of shape {mask:?} does not broadcast to {shape:?}: aligned at the last axis, each of its sizes must be 1 or equal"
    )
}

/// Why a linear map does not apply: the rank of the input or the weight.
pub(crate) fn not_linear(x: &[usize], weight: &[usize]) -> String {
    format!("{x:?} and the weight {weight:?} do not fit: they must be [..., in] and [out, in]")
}

/// Why a linear map does not apply: the number of inputs.
pub(crate) fn linear_inputs(x: &[usize], weight: &[usize], inputs: usize, columns: usize) -> String {
    let hint = if x.len() > 2 { ": flatten(1, -1) makes rows of images" } else { "" };
    format!("{x:?} and the weight {weight:?} do not fit: {inputs} inputs against {columns} columns of [out, in]{hint}")
}

/// Why a bias does not fit a linear map.
pub(crate) fn linear_bias(bias: &[usize], weight: &[usize]) -> String {
    format!("the bias {bias:?} does not fit the weight {weight:?}: for [out, in] it must be [out]")
}

/// Why a target does not fit the input of a loss.
pub(crate) fn target_shape(input: &[usize], target: &[usize]) -> String {
    let count = |shape: &[usize]| shape.iter().product::<usize>();
    let remedy = match target {
        [] => "Tensor::scalar(target).broadcast_to",
        _ if count(input) == count(target) => "target.reshape",
        _ => "target.broadcast_to",
    };
    format!("the input {input:?} and the target {target:?} differ in shape: make them equal by {remedy}({input:?})")
}

/// Why target probabilities do not fit the scores.
pub(crate) fn probability_shape(scores: &[usize], target: &[usize]) -> String {
    format!("scores {scores:?} and target probabilities {target:?} differ in shape")
}

/// Why a convolution does not apply: the rank of the input or the weight.
pub(crate) fn not_convolvable(x: &[usize], weight: &[usize], channels: &str, axes: usize) -> String {
    let (images, kernel) = if axes == 1 { ("length", "kernel") } else { ("H, W", "kernel height, kernel width") };
    let hint =
        if (x.len(), axes) == (2, 2) { ": reshape([-1, 1, 28, 28]) makes images of rows of 784 pixels" } else { "" };
    format!(
        "{x:?} and the weight {weight:?} do not fit: they must be [N, channels, {images}] and [{channels}, {kernel}]{hint}"
    )
}

/// Why a convolution does not apply: the number of channels.
pub(crate) fn conv_channels(x: &[usize], weight: &[usize], channels: usize, inputs: usize, groups: usize) -> String {
    let expected = inputs.saturating_mul(groups);
    format!(
        "{x:?} has {channels} channels (axis 1), but the weight {weight:?} of [out, channels / groups, ..] with groups = {groups} takes {expected}"
    )
}

/// Why a transposed convolution does not apply: the number of channels.
pub(crate) fn transpose_channels(x: &[usize], weight: &[usize], channels: usize, expected: usize) -> String {
    format!(
        "{x:?} has {channels} channels (axis 1), but the weight {weight:?} of [channels, out / groups, ..] takes {expected}"
    )
}

/// Why a weight cannot be split into groups.
pub(crate) fn conv_groups(weight: &[usize], outputs: usize, groups: usize) -> String {
    format!("the {outputs} channels of axis 0 of the weight {weight:?} cannot be split into {groups} equal groups")
}

/// Why a weight has no elements per channel.
pub(crate) fn empty_kernel(weight: &[usize]) -> String {
    format!("the weight {weight:?} has an empty kernel: its sizes must be at least 1")
}

/// Why a bias does not fit a convolution.
pub(crate) fn conv_bias(bias: &[usize], channels: usize) -> String {
    format!("the bias {bias:?} does not have one element for each of the {channels} output channels")
}

/// Why the operands of attention have too few axes.
#[cold]
pub(crate) fn attention_rank(shapes: &[&[usize]], form: &str) -> String {
    format!("attention does not apply to {}: the shapes must be {form}", list(shapes))
}

/// Why queries, keys and values do not fit each other.
#[cold]
pub(crate) fn attention_shapes(shapes: [&[usize]; 3]) -> String {
    format!(
        "queries, keys and values of shapes {} do not fit: keys need the size of the queries, values the positions of the keys, and all three the same leading axes",
        list(&shapes)
    )
}

/// Why vectors without elements have no scores.
#[cold]
pub(crate) fn attention_empty(shape: &[usize]) -> String {
    format!("the vectors of queries, keys or values have no elements, with scores {shape:?}: sizes must be at least 1")
}

/// Why the last axes cannot be split into heads.
#[cold]
pub(crate) fn attention_width(shapes: [&[usize]; 3], heads: usize, kv_heads: usize) -> String {
    format!(
        "the last axes of {} do not split into {heads} heads of queries and {kv_heads} of keys and values: sizes must be divisible",
        list(&shapes)
    )
}

/// Why the last axis does not hold queries, keys and values.
#[cold]
pub(crate) fn attention_packed(shape: &[usize], heads: usize, kv_heads: usize) -> String {
    format!(
        "the last axis of {shape:?} does not hold {heads} heads of queries and {kv_heads} each of keys and of values: it must be divisible by {heads} + 2 * {kv_heads}"
    )
}

/// Why heads cannot form groups.
#[cold]
pub(crate) fn attention_groups(heads: usize, kv_heads: usize) -> String {
    format!(
        "{heads} heads of queries cannot share {kv_heads} heads of keys and values: the second number must divide the first"
    )
}

/// Why a mask or a bias does not fit.
#[cold]
pub(crate) fn attention_mask(mask: &[usize], scores: &[usize]) -> String {
    format!(
        "a mask or bias of shape {mask:?} does not broadcast to the scores {scores:?}: its axes are [..., heads, queries, keys], each of full size or 1"
    )
}

/// Shapes in a row.
fn list(shapes: &[&[usize]]) -> String {
    let shapes: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
    shapes.join(", ")
}
