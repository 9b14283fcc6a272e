//! The wording of every panic: mistakes of the program that uses the crate.
//!
//! Each is one sentence: the operation first, then every shape and what does not fit. All functions are cold and report the
//! caller's line. A long one, such as one with the shape of each of a thousand operands, loses its middle.

mod reasons;

pub(crate) use reasons::*;

use crate::error::shortened;
use std::fmt::{Debug, Display};
use std::ops::{Bound, RangeBounds};
use std::panic::Location;

/// The maximum length of a message, in characters.
const MAX_LENGTH: usize = 2000;

macro_rules! panic_messages {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),* $(,)?) $text:literal)*) => {
        $($(#[$meta])*
        #[cold]
        #[inline(never)]
        #[track_caller]
        pub(crate) fn $name($($arg: $ty),*) -> ! {
            panic!("{}", shortened(&format!($text), MAX_LENGTH))
        })*
    };
}

/// The shapes of an operation; panics if there is a reason why it has none.
#[track_caller]
pub(crate) fn defined<R>(op: &str, shapes: Result<R, String>) -> R {
    match shapes {
        Ok(shapes) => shapes,
        Err(reason) => wrong_shapes(op, &reason, ""),
    }
}

panic_messages! {
    /// `reason` is one of [`reasons`]; `origin` is where the operands come from, or empty.
    wrong_shapes(op: &str, reason: &str, origin: &str)
        "{op}: {reason}{origin}"
    axis_out_of_range(op: &str, axis: i128, shape: &[usize])
        "{op}: shape {shape:?} has no axis {axis}: axes count from 0, or from the end as -1"
    new_axis_out_of_range(op: &str, position: i128, shape: &[usize])
        "{op}: a new axis of shape {shape:?} cannot be at position {position}: positions count from 0, or from the end as -1"
    axis_twice(op: &str, axis: usize, shape: &[usize])
        "{op}: axis {axis} of shape {shape:?} is named twice: name each axis once"
    nothing_to_choose(op: &str, axis: usize, shape: &[usize])
        "{op}: axis {axis} of shape {shape:?} has no elements to choose from"
    too_few_elements(op: &str, k: usize, axis: usize, shape: &[usize])
        "{op}: k = {k} exceeds the size of axis {axis} of shape {shape:?}"
    no_heads(shape: &[usize])
        "self_attention: the number of heads in the last axis of {shape:?} is not set: use Attention::new().heads(...)"
    cache_recorded(shape: &[usize])
        "cached_attention: the value of shape {shape:?} is recorded, but gradients do not flow into a cache: generate on Tape::inference(), or train with self_attention"
    cache_shape(shape: &[usize], sequences: usize, width: usize, cache: &[usize])
        "cached_attention: keys of {sequences} sequences and width {width}, from shape {shape:?}, do not fit the cache {cache:?}: its axes are [sequences, positions, width]"
    cache_full(next: usize, length: usize, capacity: usize)
        "cached_attention: {next} more positions do not fit into a cache that holds {length} of {capacity}: create it for more, or truncate it"
    head_count(embed_dim: usize, heads: usize)
        "MultiHeadAttention: {heads} heads do not divide vectors of size {embed_dim}: the number of heads must divide the size"
    kv_head_count(heads: usize, kv_heads: usize)
        "MultiHeadAttention: {kv_heads} heads of keys and values cannot serve {heads} heads of queries: the first number must divide the second, and cannot be raised"
    rotary_size(size: usize)
        "Rotary: vectors of size {size} have no pairs to rotate: the size must be even and not 0"
    rotary_shape(shape: &[usize], size: usize, first: usize, positions: usize)
        "rotary: shape {shape:?} does not hold vectors of size {size} at positions from {first} on, of {positions}: it must be [..., positions, n * size]"
    not_one_element(op: &str, shape: &[usize])
        "{op}: shape {shape:?} does not have exactly one element: as_slice() reads them all, sum() or mean() reduces them to one"
    index_out_of_range(index: &[usize], shape: &[usize])
        "index: {index:?} is out of range for shape {shape:?}: give one index per axis, each less than its size"
    row_out_of_range(row: usize, shape: &[usize])
        "rows: shape {shape:?} has no row {row}: rows count from 0 along the first axis"
    ranks_differ_in(op: &str, what: &str, rank: usize)
        "{op}: {what} of rank {rank} differs from that of rank 0: every rank must run the same steps, with equal models and equally seeded generators"
    not_in_the_model(op: &str, gradients: usize, updates: usize, known: (usize, usize))
        "{op}: the loss has gradients of {gradients} parameters and {updates} updates of buffers, of which the model has {known:?}: the model must contain all that the loss trains"
    #[cfg(target_arch = "x86_64")]
    instruction_set(name: &str)
        "WENGERT_SIMD: {name:?} is not an instruction set: use baseline, avx2 or avx512"
    out_of_memory(bytes: usize)
        "tensor: the system cannot provide {bytes} bytes of memory: use smaller batches or shapes"
    not_a_shape(op: &str, entries: &[i128])
        "{op}: {entries:?} is not a valid shape: sizes are 0 or more, and only a reshape may have one -1"
    element_count(op: &str, from: &[usize], to: &[i128], count: usize)
        "{op}: {from:?} has {count} elements, which do not fit shape {to:?}: its sizes must multiply to that number; one may be -1, which is inferred"
    range(op: &str, start: f64, end: f64, step: f64)
        "{op}: {start} to {end} by {step} is not a finite range: the step must not be 0, and all three must be finite"
    not_a_permutation(axes: &[i128], shape: &[usize])
        "permute: {axes:?} is not a permutation of the axes of shape {shape:?}: list each axis once, from 0, in the new order"
    does_not_broadcast_to(op: &str, shape: &[usize], target: &dyn Debug)
        "{op}: shape {shape:?} does not broadcast to {target:?}: aligned at the last axis, each of its sizes must be 1 or equal"
    not_removable(axis: usize, shape: &[usize])
        "squeeze: axis {axis} of shape {shape:?} does not have size 1: only axes of size 1 can be removed"
    axes_out_of_order(start: usize, end: usize, shape: &[usize])
        "flatten: axis {start} comes after axis {end} of shape {shape:?}: give the first axis first"
    slice_step(shape: &[usize])
        "slice: the step along an axis of shape {shape:?} is 0: use 1 for every element, -1 for the reverse order"

    no_input(kind: &str, name: &str)
        "Inputs::{kind}: there is no input of this kind named {name:?}: declare it with Export::input(...) or Export::indices(...)"
    two_tapes(op: &str, left: &dyn Display, right: &dyn Display)
        "{op}: the operands are on two different tapes ({left}; {right}): create all variables on one tape, or copy a value to it with tape.constant(x.value())"
    not_scalar(op: &str, shape: &[usize], place: &dyn Display)
        "{op}: the result has shape {shape:?} instead of one element: reduce it first, for example with .sum() or .mean() ({place})"
    not_recorded(op: &str, place: &dyn Display)
        "{op}: nothing was recorded: the result does not depend on a parameter or a tape.var(..), of which value() is a constant, or the tape is for inference ({place})"
    running(op: &str, place: &dyn Display)
        "{op}: the rule of {place} is running and cannot differentiate its own operation"
    does_not_depend(y: &dyn Display, x: &dyn Display)
        "grad: the result ({y}) does not depend on the variable ({x}), so its derivative is zero everywhere: vjp() returns None in that case"
    by_a_constant(y: &dyn Display)
        "grad: the result ({y}) cannot be differentiated with respect to a constant: create it with tape.var(..), on a tape that records"
    cotangent_shape(shape: &[usize], expected: &[usize])
        "vjp: the cotangent has shape {shape:?}, the result {expected:?}: they must be equal"
    direction_shape(op: &str, shape: &[usize], expected: &[usize])
        "{op}: the direction has shape {shape:?}, the input {expected:?}: they must be equal"
    direction_count(op: &str, count: usize, expected: usize)
        "{op}: {count} directions for {expected} inputs: there must be one for each"
    released(op: &str, place: &dyn Display, by: &Location)
        "{op}: {place} was released by the backward pass at {by}: use gradients() there to keep the tape"
    gradient_shape(op: &str, at: &Location, input: usize, gradient: &[usize], shape: &[usize])
        "{op}: for input {input} of shape {shape:?}, its rule returned a gradient of shape {gradient:?}, which does not sum to that shape (while differentiating {op} at {at})"
    not_saved(op: &str, what: &dyn Debug, save: &dyn Debug)
        "{op}: its rule reads {what:?}, but its SAVE is {save:?}: a rule can only read what is saved"
    parameter_changed(shape: &[usize])
        "tape: a parameter of shape {shape:?} changed after this tape read it: create a new tape for each step"
    reads_parameters()
        "recompute: the function reads a parameter, which would get no gradient: nn::recompute takes the layer whose parameters are read"
    bound_shape(shape: &[usize], value: &[usize])
        "bind: the parameter has shape {shape:?}, the variable {value:?}: they must be equal"
    bound_too_late(op: &str, shape: &[usize])
        "{op}: the parameter of shape {shape:?} was already read or bound on this tape: {op} it once, before its first use"
    no_gradient(place: &dyn Display)
        "gradients: there is no gradient for {place}, because the result does not depend on it: get() returns None in that case"
    gradient_of_a_constant()
        "gradients: a constant has no gradient: create it with tape.var(..), on a tape that records"
    not_retained(place: &dyn Display)
        "gradients: the gradient of an intermediate result is not kept: call retain_grad() on it before the backward pass ({place})"
    /// `report` is written by the observer.
    anomaly(report: &str)
        "{report}"

    selection_out_of_range(op: &str, index: i128, axis: usize, shape: &[usize])
        "{op}: index {index} is out of range for axis {axis} of shape {shape:?}: indices count from 0"
    index_shape(op: &str, indices: &[usize], axis: usize, shape: &[usize])
        "{op}: indices of shape {indices:?} do not fit shape {shape:?}: they need the same number of axes, and may be longer only on axis {axis}"
    index_count(arrays: usize, shape: &[usize])
        "index: {arrays} index arrays are too many for shape {shape:?}: give at most one for each axis"
    indices_do_not_broadcast(a: &[usize], b: &[usize])
        "index: index arrays of shapes {a:?} and {b:?} do not broadcast: aligned at the last axis, sizes must be equal or 1"
    no_matrix(op: &str, shape: &[usize])
        "{op}: shape {shape:?} has no matrices, which are the last two axes: it needs at least two axes"
    repeats(repeats: &[i128], shape: &[usize])
        "repeat: {repeats:?} does not fit shape {shape:?}: give one count per axis, 0 or more"
    pad_count(pairs: usize, shape: &[usize])
        "pad: {pairs} pairs are too many for shape {shape:?}: give at most one for each axis, the last axis first"
    pad_size(mode: &dyn Debug, before: usize, after: usize, most: isize, axis: usize, shape: &[usize])
        "pad: {mode:?} cannot pad axis {axis} of shape {shape:?} by {before} before and {after} after: at most {most} on each side"
    piece_size(axis: usize, shape: &[usize])
        "split: axis {axis} of shape {shape:?} cannot be split into pieces of size 0: the size must be at least 1"
    piece_sizes(sizes: &[usize], total: u128, axis: usize, shape: &[usize])
        "split: the sizes {sizes:?} add up to {total}, not to the size of axis {axis} of shape {shape:?}"
    chunk_count(count: usize, axis: usize, shape: &[usize])
        "chunk: axis {axis} of shape {shape:?} cannot be split into {count} chunks: give at least 1, and at most 65536 if the axis is empty"
    nothing_to_join(op: &str)
        "{op}: there is nothing to join: give at least one value"
    label_count(op: &str, shape: &[usize], labels: usize, expected: usize)
        "{op}: scores of shape {shape:?} need {expected} labels, not {labels}"
    label_out_of_range(op: &str, label: i64, position: usize, classes: usize)
        "{op}: label {label} at position {position} is not one of the {classes} classes, which count from 0"
    class_weights(op: &str, weights: usize, classes: usize)
        "{op}: {weights} class weights for {classes} classes: there must be one for each"
    no_class_axis(op: &str)
        "{op}: a scalar has no classes: scores are [classes], [N, classes] or [N, classes, ...]"
    odd_axis(op: &str, axis: usize, shape: &[usize])
        "{op}: axis {axis} of shape {shape:?} cannot be halved: its size must be even"
    probability(op: &str, p: f64)
        "{op}: the rate {p} is not in 0 <= rate < 1: it is a fraction, such as 0.5, not a percentage"
    prelu_weight(weight: &[usize], shape: &[usize])
        "prelu: a weight of shape {weight:?} is neither [1] nor one element per channel (axis 1) of {shape:?}"

    einsum_character(equation: &str, character: char, at: usize)
        "einsum: {equation:?} has {character:?} at character {at}: axes are named by the letters a to z and A to Z"
    einsum_dots(equation: &str, at: usize)
        "einsum: {equation:?} has a '.' at character {at} that is not part of '...': three dots stand for any number of axes"
    einsum_second_ellipsis(equation: &str, at: usize)
        "einsum: {equation:?} has a second '...' in one term, at character {at}: one stands for all axes without a letter"
    einsum_half_arrow(equation: &str, character: char, at: usize)
        "einsum: {equation:?} has {character:?} at character {at} that is not part of '->': an arrow precedes the output"
    einsum_second_arrow(equation: &str, at: usize)
        "einsum: {equation:?} has a second '->', at character {at}: there is only one output"
    einsum_second_output(equation: &str, at: usize)
        "einsum: {equation:?} has a ',' after '->', at character {at}: there is only one output"
    einsum_operands(equation: &str, terms: usize, operands: usize)
        "einsum: {equation:?} has {terms} terms for {operands} operands: give one term for each operand, separated by commas"
    einsum_rank(equation: &str, operand: usize, letters: usize, shape: &[usize])
        "einsum: {equation:?} names {letters} axes of operand {operand}, whose shape is {shape:?}: give a letter for each axis, or '...'"
    einsum_too_many(equation: &str, operand: usize, letters: usize, shape: &[usize])
        "einsum: {equation:?} names {letters} axes of operand {operand} besides '...', but its shape is {shape:?}"
    einsum_sizes(equation: &str, name: &str, a: &str, b: &str)
        "einsum: in {equation:?}, {name} has {a} and {b}: they must be equal, or 1 in another operand"
    einsum_repeated_output(equation: &str, letter: char)
        "einsum: {equation:?} repeats {letter:?} in the output: each letter may occur only once"
    einsum_unknown_output(equation: &str, letter: char)
        "einsum: {equation:?} has {letter:?} in the output, but no operand has it"
    no_channels(op: &str, shape: &[usize])
        "{op}: shape {shape:?} has no channels: they are axis 1 of [N, C] or [N, C, ...]"
    not_per_channel(op: &str, given: &[usize], shape: &[usize])
        "{op}: a value of shape {given:?} does not have one element per channel (axis 1) of {shape:?}"
    affine_shape(op: &str, given: &[usize], expected: &[usize])
        "{op}: the weight or bias has shape {given:?}, not {expected:?}: it must have this shape or be a number"
    not_trailing(op: &str, shape: &[usize], normalized: &[usize])
        "{op}: the normalized shape {normalized:?} does not match one or more of the last axes of {shape:?}"
    groups(groups: usize, channels: usize, shape: &[usize])
        "group_norm: {channels} channels (axis 1 of {shape:?}) cannot be divided into {groups} groups of equal size"
    no_positions(shape: &[usize])
        "instance_norm: shape {shape:?} has fewer than two positions per channel, so the variance is 0: it takes [N, C, ...] with at least two"
    batch_of_one(shape: &[usize])
        "BatchNorm: a training batch of shape {shape:?} has one value per channel, so the variance is 0: use batches of two or more, or a tape that is not for training"
    initial_statistics(path: &str, at: &Location)
        "step: the batch normalization at {at} used the running statistics {path:?}, which no batch has updated yet, since its tape is not for training: start each training step with Tape::training"
    buffer_shape(buffer: &[usize], value: &[usize])
        "update_buffer: the buffer has shape {buffer:?}, the value {value:?}: they must be equal"
    not_a_batch(op: &str, shape: &[usize])
        "{op}: shape {shape:?} is not [N, in]: a step takes a row for each sequence of the batch"
    not_sequences(op: &str, shape: &[usize], layout: &str, axis: usize)
        "{op}: shape {shape:?} is not a batch of sequences, {layout}: unsqueeze({axis}) makes a batch of one"
    recurrent_inputs(op: &str, shape: &[usize], inputs: usize)
        "{op}: the last axis of shape {shape:?} must have the size {inputs}, the number of inputs of the layer"
    initial_state(op: &str, state: &[usize], expected: &[usize])
        "{op}: the initial state has shape {state:?}, not {expected:?}: pass None to start from zeros"
    sequence_lengths(op: &str, lengths: &[usize], batch: usize, steps: usize)
        "{op}: the lengths {lengths:?} do not fit {batch} sequences of {steps} steps: give one length for each sequence, at most the number of steps"
    no_images(op: &str, shape: &[usize], axes: usize)
        "{op}: shape {shape:?} has too few axes: the window slides along {axes}"
    no_image_batch(op: &str, shape: &[usize])
        "{op}: shape {shape:?} is not [N, C, H, W]: unsqueeze(0) makes a batch of one"
    window_too_large(op: &str, span: usize, axis: usize, shape: &[usize], room: usize)
        "{op}: the kernel spans {span} elements of axis {axis} of shape {shape:?}, which has {room} including padding: use a smaller kernel or dilation, or more padding"
    window_on_padding(op: &str, window: usize, axis: usize, shape: &[usize])
        "{op}: window {window} along axis {axis} of shape {shape:?} lies entirely in the padding: use less padding, or a larger kernel"
    nothing_left(op: &str, padding: usize, axis: usize, shape: &[usize], whole: usize)
        "{op}: a padding of {padding} removes all {whole} output elements of axis {axis} of shape {shape:?}: use less padding"
    layer_groups(inputs: usize, outputs: usize, groups: usize)
        "grouped: {inputs} input channels and {outputs} output channels cannot be split into {groups} equal groups"
    output_padding(op: &str, padding: usize, allowed: &dyn Display)
        "{op}: an output padding of {padding} must be {allowed}"
    option(what: &str, value: f64, range: &str)
        "{what}: {value} is not {range}"
    not_a_probability(op: &str, what: &str, value: &dyn Display, element: usize, shape: &[usize])
        "{op}: {value}, element {element} of the {what} of shape {shape:?}, is not between 0 and 1: bce_with_logits_loss takes scores before a sigmoid"
    fans(shape: &[usize])
        "Init: shape {shape:?} has no fan-in and fan-out: they need two axes, [out, in, ...]"
    other_parameters(found: usize, expected: usize)
        "Norms::after: the {found} parameters of this model are not the {expected} whose norms were taken: give the model that was updated"
    state_shape(path: &str, state: &[usize], parameter: &[usize])
        "step: the parameter {path:?} has shape {parameter:?}, but the optimizer's state for it has shape {state:?}: use one optimizer per model"
    gradient_of_parameter(path: &str, gradient: &[usize], parameter: &[usize])
        "step: the parameter {path:?} has shape {parameter:?}, its gradient {gradient:?}: the shape changed after the forward pass"
    state_tensors(path: &str, state: usize, rule: &str, tensors: usize)
        "step: the optimizer's state for the parameter {path:?} has {state} tensors, but {rule} with these options keeps {tensors}: set the options before the first step"
    option_after_steps(rule: &str, option: &str)
        "{rule}: {option} changes what the state consists of: set it before the first step"
    slot_tensors(tensors: usize, asked: usize)
        "slices: the rule works on {asked} tensors, but the slot has {tensors}: Rule::tensors returns their number"
    unmatched_group(group: &str, paths: &str)
        "step: {group} matches no trainable parameter of the model, which has {paths}: with_prefix and with_suffix match whole components, between the dots"
    gradients_of_another_model(count: usize, paths: &str)
        "step: none of the gradients ({count}) belongs to the model, which has {paths}: the loss was computed with another model, and a clone counts as another model"
    nesterov(momentum: f64, dampening: f64)
        "nesterov: the momentum is {momentum} and the dampening {dampening}: to look ahead, set a momentum(..) above 0 first, and no dampening"
    state_of_another_model(path: &str, shape: &[usize])
        "step: the optimizer's state for the parameter {path:?} of shape {shape:?} belongs to a parameter of another model with the same path: use one optimizer per model"
    not_an_interval(op: &str, low: f64, high: f64)
        "{op}: {low} to {high} is not an interval: it must not end before it starts, and its ends and its length must be finite"
    batch_size()
        "batches: a batch needs at least one sample, not 0"
    sample_count(inputs: usize, targets: usize)
        "Samples: {inputs} inputs and {targets} targets: there must be one target for each input"
    sample_weights(weights: usize, count: usize)
        "weighted: {weights} weights for {count} samples: there must be one for each"
    portion(portion: &dyn Debug, count: usize)
        "split: {portion:?} is not a part of {count} samples: the first part is a fraction from 0 to 1, or a number of samples"
    folds(k: usize, count: usize)
        "k_fold: {count} samples cannot be split into {k} folds: k must be 2 or more, and at most the number of samples"
    no_samples(op: &str, shape: &[usize])
        "{op}: shape {shape:?} has no samples: they are the first axis of [n, ...], at least one"
    feature_not_finite(op: &str, sample: usize, feature: usize, value: f64)
        "{op}: feature {feature} of sample {sample} is {value}: replace missing values, or leave out their samples"
    feature_shape(op: &str, shape: &[usize], features: &[usize])
        "{op}: shape {shape:?} is not [n, ...] with features of the fitted shape {features:?}"
    image_shape(op: &str, shape: &[usize], expected: &str)
        "{op}: {shape:?} is not the shape of an image: it must be {expected}, with sizes of at least 1"
    channel_scale(means: usize, stds: usize, shape: &[usize])
        "normalize_channels: {means} means and {stds} standard deviations for images {shape:?}: there must be one for each channel, which is the first axis"
    delimiter(delimiter: char)
        "delimiter: {delimiter:?} cannot separate fields: it must be an ASCII character, neither a quote nor a line break"
    predictions(predictions: usize, labels: usize)
        "ConfusionMatrix: {predictions} predictions for {labels} labels: there must be one for each"
    class_count(shape: &[usize], classes: usize)
        "ConfusionMatrix: scores of shape {shape:?} do not have {classes} classes"

    token_out_of_range(op: &str, token: usize, position: usize, count: usize)
        "{op}: token {token} at position {position} is not one of the {count} tokens of the vocabulary, which count from 0"
    token_range(position: usize, wanted: usize, count: usize)
        "read: {wanted} tokens from position {position} are not within the file, which has {count}"
    window_length(length: usize, count: usize)
        "Windows: {count} tokens are too few for a window of {length} and the target after it: use shorter windows or a longer text"
    stream_count(streams: usize, count: usize)
        "streams: {count} tokens cannot be cut into {streams} streams, which need at least one token each and one more for the last target"
    not_a_logarithm(op: &str, what: &str, value: &dyn Display, element: usize, shape: &[usize])
        "{op}: {value}, element {element} of the {what} of shape {shape:?}, is neither a finite number nor -inf"
    impossible(row: usize, shape: &[usize])
        "Categorical: row {row} of the logits of shape {shape:?} is -inf throughout: at least one category must be possible"
    category_shape(categories: &[usize], logits: &[usize])
        "log_prob: categories of shape {categories:?} do not fit logits of shape {logits:?}: give one for each row, along the last axis"
    beam_shape(shape: &[usize], beams: usize)
        "BeamSearch: log-probabilities of shape {shape:?} for {beams} beams: they must be [beams, K]"
}

/// Returns the value of a numeric option; panics if it is not a finite number in the range.
#[track_caller]
pub(crate) fn check_option(what: &str, value: f64, range: impl RangeBounds<f64>) -> f64 {
    if !value.is_finite() || !range.contains(&value) {
        let range =
            if value.is_infinite() { "finite".into() } else { describe(range.start_bound(), range.end_bound()) };
        option(what, value, &range);
    }
    value
}

/// The numbers between two bounds, in words.
#[cold]
fn describe(low: Bound<&f64>, high: Bound<&f64>) -> String {
    let low = match low {
        Bound::Included(low) => format!("at least {low}"),
        Bound::Excluded(low) => format!("more than {low}"),
        Bound::Unbounded => return "finite".into(),
    };
    match high {
        Bound::Included(high) => format!("{low} and at most {high}"),
        Bound::Excluded(high) => format!("{low} and less than {high}"),
        Bound::Unbounded => low,
    }
}

/// Report of the first non-finite value; `report` has a line for everything that helps to find the cause.
pub(crate) fn anomaly_report(op: &str, what: &str, stats: &dyn Display, place: &str, report: &str) -> String {
    format!("{op}: {what} is the first on this tape that is not finite: {stats} ({place}){report}")
}
