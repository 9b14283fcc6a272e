//! The message of every panic, and that each is reported at the line of the caller.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use wengert::ops::BatchStatistics;
use wengert::optim::{Group, Slot};
use wengert::prelude::*;

#[path = "panics/algebra.rs"]
mod algebra;
#[path = "panics/data.rs"]
mod data;
#[path = "panics/windows.rs"]
mod windows;

/// The messages that a case shows, by their names in `src/panics.rs`, and a mistake that leads to them.
type Case = (&'static str, fn());

const TENSORS: &[Case] = &[
    ("wrong_shapes do_not_broadcast", || _ = matrix() + Tensor::ones([4])),
    ("wrong_shapes do_not_broadcast", || _ = matrix().zip(&Tensor::ones([3, 3]), f32::max)),
    ("does_not_broadcast_to", || {
        let mut sum = Tensor::ones([3]);
        sum += &matrix();
    }),
    ("wrong_shapes do_not_chain", || _ = matrix().matmul(&matrix())),
    ("axis_out_of_range", || _ = matrix().sum_over(2)),
    ("axis_out_of_range", || _ = matrix().mean_over([0, -3])),
    ("axis_out_of_range", || _ = matrix().transpose(0, 2)),
    ("axis_out_of_range", || _ = matrix().permute([0, 2])),
    ("axis_out_of_range", || _ = matrix().argmax(2)),
    ("axis_twice", || _ = matrix().max_over([1, -1])),
    ("nothing_to_choose", || _ = Tensor::<f32>::zeros([2, 0]).argmin(1)),
    ("not_one_element", || _ = matrix().item()),
    ("index_out_of_range", || _ = matrix()[[2, 0]]),
    ("index_out_of_range", || matrix()[[0]] = 1.0),
    ("row_out_of_range", || _ = matrix().rows(&[1, 2])),
    ("not_a_shape", || _ = Tensor::<f32>::zeros([-2])),
    ("not_a_shape", || _ = matrix().reshape([-1, -1])),
    ("element_count", || _ = matrix().reshape([4, -1])),
    ("element_count", || _ = Tensor::from_vec(vec![1.0f32, 2.0], [3])),
    ("element_count", || _ = Tensor::from_slice(&[1.0f32, 2.0], [3])),
    ("range", || _ = Tensor::<f32>::arange(0.0, 1.0, 0.0)),
    ("not_a_permutation", || _ = matrix().permute([1, 1])),
    ("not_a_permutation", || _ = matrix().permute([0])),
    ("does_not_broadcast_to", || _ = matrix().broadcast_to([2, 4])),
    ("slice_step", || _ = matrix().slice_step(0, .., 0)),
    ("selection_out_of_range", || _ = matrix().select(1, 3)),
    ("piece_size", || _ = matrix().split(0, 1)),
    ("piece_sizes", || _ = matrix().split_with_sizes(&[1, 1], 1)),
    ("chunk_count", || _ = matrix().chunk(0, 1)),
    ("axis_twice", || _ = matrix().flip([1, -1])),
    ("axis_out_of_range", || _ = matrix().diagonal(0, 0, 2)),
    ("index_shape", || _ = matrix().gather(1, [0, 1])),
    ("selection_out_of_range", || _ = matrix().gather(0, [[0, 2, 1]])),
    ("selection_out_of_range", || _ = matrix().index_select(1, &[3])),
    ("index_count", || _ = matrix().index(&[0.into(), 0.into(), 0.into()])),
    ("element_count", || _ = Indices::new([0, 1, 2], [2, 2])),
    ("no_matrix", || _ = matrix().sum_over(0).tril(0)),
    ("repeats", || _ = matrix().repeat([2])),
    ("axis_out_of_range", || _ = matrix().repeat_interleave(2, 2)),
    ("axis_out_of_range", || _ = matrix().roll(1, 2)),
    ("axis_out_of_range", || _ = matrix().cumsum(2)),
    ("axis_out_of_range", || _ = matrix().cumprod(-3)),
    ("pad_size", || _ = matrix().pad(&[(3, 0)], PadMode::Reflect)),
    ("nothing_to_join", || _ = Tensor::<f32>::concat(&[] as &[Tensor], 0)),
    ("wrong_shapes do_not_join", || _ = Tensor::concat(&[matrix(), Tensor::ones([2, 4])], 0)),
    ("wrong_shapes do_not_stack", || _ = Tensor::stack(&[matrix(), Tensor::ones([2, 4])], 0)),
];

const OPERATIONS: &[Case] = &[
    ("wrong_shapes do_not_broadcast", || _ = variable() + &Tensor::ones([4])),
    ("wrong_shapes do_not_broadcast", || _ = &Tensor::ones([4]) - variable() * 2.0),
    ("wrong_shapes do_not_broadcast", || _ = &Param::new([1.0, 2.0]) / &variable()),
    ("wrong_shapes do_not_broadcast", || _ = variable().mse_loss(Tensor::ones([4]), Reduction::Mean)),
    ("wrong_shapes do_not_broadcast", || _ = variable().where_(&Tensor::ones([2]), 0.0)),
    ("wrong_shapes mask_does_not_fit", || _ = variable().masked_fill(&Tensor::ones([3, 3]), 0.0)),
    ("wrong_shapes do_not_chain", || _ = variable().matmul(matrix())),
    ("wrong_shapes no_matrices", || _ = variable().matmul(2.0)),
    ("wrong_shapes batches_do_not_broadcast", || {
        _ = variable().broadcast_to([2, 2, 3]).matmul(Tensor::ones([3, 3, 2]));
    }),
    ("wrong_shapes not_linear", || _ = variable().linear(Tensor::ones([3]))),
    ("wrong_shapes linear_inputs", || _ = variable().linear(Tensor::ones([3, 2]))),
    ("wrong_shapes linear_bias", || _ = variable().linear_bias(Tensor::ones([4, 3]), Tensor::ones([3]))),
    ("wrong_shapes linear_inputs", || {
        _ = Linear::new(2, 1, Init::He, &mut wengert::rng(0)).forward(&variable());
    }),
    ("wrong_shapes probability_shape", || {
        _ = CrossEntropy::new().loss_of_probabilities(&variable(), Tensor::ones([3]));
    }),
    ("axis_out_of_range", || _ = variable().sum_over([0, 2])),
    ("axis_out_of_range", || _ = variable().std_over(keepdim(2), 1.0)),
    ("axis_out_of_range", || _ = variable().prod_over(2)),
    ("axis_out_of_range", || _ = variable().norm_over(3.0, 2)),
    ("axis_out_of_range", || _ = variable().softmax(2)),
    ("axis_out_of_range", || _ = variable().log_softmax(-3)),
    ("axis_out_of_range", || _ = variable().logsumexp_over(2)),
    ("axis_out_of_range", || _ = variable().transpose(0, 2)),
    ("axis_out_of_range", || _ = variable().slice(2, ..)),
    ("axis_out_of_range", || _ = variable().unsqueeze(4)),
    ("axis_out_of_range", || _ = variable().glu(2)),
    ("axis_twice", || _ = variable().var_over([1, 1], 0.0)),
    ("nothing_to_choose", || _ = variable().slice(1, ..0).max()),
    ("nothing_to_choose", || _ = variable().slice(1, ..0).min_over(1)),
    ("not_one_element", || _ = variable().item()),
    ("element_count", || _ = variable().reshape([5])),
    ("not_a_permutation", || _ = variable().permute([0, 0])),
    ("does_not_broadcast_to", || _ = variable().broadcast_to([3])),
    ("not_removable", || _ = variable().squeeze_axis(0)),
    ("axes_out_of_order", || _ = variable().flatten(1, 0)),
    ("slice_step", || _ = variable().slice_step(0, .., 0)),
    ("selection_out_of_range", || _ = variable().index_select(1, &[0, 3])),
    ("selection_out_of_range", || _ = variable().select(0, -3)),
    ("wrong_shapes source_shape", || _ = variable().index_add(0, &[0, 1, 1], matrix())),
    ("wrong_shapes source_shape", || _ = variable().scatter_add(1, [[0, 1]], matrix())),
    ("index_shape", || _ = variable().gather(1, [[0], [1], [2]])),
    ("selection_out_of_range", || _ = variable().index(&[0.into(), [1, 3].into()])),
    ("indices_do_not_broadcast", || _ = variable().index(&[[0, 1].into(), [0, 1, 2].into()])),
    ("selection_out_of_range", || _ = variable().embedding([0, 2], None)),
    ("selection_out_of_range", || _ = variable().embedding([0, 1], Some(2))),
    ("axis_out_of_range", || _ = variable().sum().embedding([0, 1], None)),
    ("no_matrix", || _ = variable().sum_over(1).triu(0)),
    ("axis_twice", || _ = variable().diagonal(0, 1, -1)),
    ("axis_out_of_range", || _ = variable().sum().diag_embed(0)),
    ("repeats", || _ = variable().repeat([2, -1])),
    ("axis_out_of_range", || _ = variable().roll(1, 2)),
    ("axis_out_of_range", || _ = variable().logcumsumexp(2)),
    ("pad_count", || _ = variable().pad(&[(1, 1); 3], PadMode::Constant(0.0))),
    ("pad_size", || _ = variable().pad(&[(0, 4)], PadMode::Circular)),
    ("piece_size", || _ = variable().split(0, 1)),
    ("piece_sizes", || _ = variable().split_with_sizes(&[2, 2], -1)),
    ("chunk_count", || _ = variable().chunk(0, 0)),
    ("axis_out_of_range", || _ = variable().flip([0, 2])),
    ("nothing_to_join", || _ = Var::<f32>::concat(&[] as &[Var], 0)),
    ("nothing_to_join", || _ = Var::<f32>::stack(&[] as &[Var], 0)),
    ("axis_out_of_range", || _ = Var::concat(&[variable()], 2)),
    ("axis_out_of_range", || _ = Var::stack(&[variable()], -4)),
    ("wrong_shapes do_not_join", || {
        let x = variable();
        _ = Var::concat(&[&x, &x.exp(), &x.transpose(0, 1)], 1);
    }),
    ("wrong_shapes ranks_differ", || {
        let x = variable();
        _ = Var::concat(&[&x, &x.sum_over(0)], 0);
    }),
    ("wrong_shapes do_not_stack", || {
        let x = variable();
        _ = Var::stack(&[&x, &x.transpose(0, 1)], 0);
    }),
    ("odd_axis", || _ = variable().glu(1)),
    ("probability", || _ = variable().dropout(1.0)),
    ("prelu_weight", || _ = variable().prelu(Tensor::ones([2]))),
    ("label_count", || _ = variable().softmax_cross_entropy(&[0])),
    ("label_out_of_range", || _ = variable().nll_loss(&[0, 3])),
    ("class_weights", || _ = CrossEntropy::new().class_weights(&[1.0]).loss(&variable(), &[0, 1])),
    ("no_class_axis", || _ = variable().sum().softmax_cross_entropy(&[0])),
    ("option", || _ = CrossEntropy::new().label_smoothing(1.5)),
    ("no_channels", || _ = variable().sum_over(0).batch_norm(1.0, 0.0, BatchStatistics::OfBatch, 1e-5)),
    ("not_per_channel", || {
        _ = variable().batch_norm(Tensor::ones([2]), 0.0, BatchStatistics::OfBatch, 1e-5);
    }),
    ("not_per_channel", || {
        let (mean, variance) = (&Tensor::zeros([2]), &Tensor::ones([2]));
        _ = variable().batch_norm(1.0, 0.0, BatchStatistics::Given { mean, variance }, 1e-5);
    }),
];

const TAPES: &[Case] = &[
    ("two_tapes", || _ = variable() + variable().exp()),
    ("two_tapes", || _ = variable().sum().grad(&variable())),
    ("two_tapes", || _ = Var::concat(&[variable(), variable()], 0)),
    ("two_tapes", || Tape::new().bind(&Param::new(matrix()), &variable())),
    ("not_scalar", || _ = variable().backward()),
    ("not_scalar", || _ = variable().grad(&variable())),
    ("not_recorded", || _ = variable().detach().sum().backward()),
    ("not_recorded", || _ = Tape::inference().var(1.0).gradients()),
    ("does_not_depend", || {
        let x = variable();
        _ = x.tape().var(1.0).exp().grad(&x);
    }),
    ("by_a_constant", || {
        let x = variable();
        _ = x.sum().grad(&x.detach());
    }),
    ("cotangent_shape", || _ = variable().vjp(&variable().sum(), &[])),
    ("not_scalar", || _ = functional::grad(|x| x.exp(), &matrix())),
    ("not_scalar", || _ = functional::per_sample_gradients(|x, _| x.exp(), &matrix(), &[0])),
    ("two_tapes", || _ = functional::jacobian(|_| variable(), &matrix())),
    ("cotangent_shape", || _ = functional::vjp(|x| x.sum(), &matrix(), &matrix())),
    ("direction_shape", || _ = functional::jvp(|x| x.sum(), &matrix(), &Tensor::ones([2]))),
    ("direction_shape", || {
        let weight = Param::new([1.0, 2.0]);
        let direction = Gradients::from_iter([(&weight, matrix())]);
        _ = functional::hvp(|tape| tape.param(&weight).square().sum(), &weight, &direction);
    }),
    ("direction_count", || _ = functional::quadratic_model(|x| x[0].sum(), &vec![matrix()]).product(&vec![])),
    ("released", || {
        let y = variable().sum();
        y.clone().backward();
        y.backward();
    }),
    ("gradient_shape", || _ = variable().apply(WrongShape).sum().backward()),
    ("not_saved", || _ = variable().apply(ReadsWhatIsNotSaved).sum().backward()),
    ("running", || {
        let x = variable();
        _ = x.apply(DifferentiatesItself).sum().grad(&x);
    }),
    ("parameter_changed", || {
        let (mut weight, x) = (Param::new(1.0), variable());
        let y = &x * &weight;
        *weight.value_mut() = tensor![2.0];
        _ = y * &weight;
    }),
    ("bound_shape", || {
        let x = variable();
        x.tape().bind(&Param::new(1.0), &x);
    }),
    ("bound_shape", || {
        let (weight, x) = (Param::new(1.0), variable());
        x.tape().with_bound([(&weight, &x)], || ());
    }),
    ("reads_parameters", || {
        let layer = std::rc::Rc::new(Linear::new(3, 2, Init::He, &mut wengert::rng(0)));
        _ = variable().recompute(move |x| layer.forward(x));
    }),
    ("two_tapes", || {
        let (x, y) = (variable(), variable());
        _ = x.recompute(move |_| y.exp());
    }),
    ("buffer_shape", || Tape::new().update_buffer(&Param::new(1.0), 0.9, matrix())),
    ("bound_too_late", || {
        let (weight, x) = (Param::new(matrix()), variable());
        let y = &x * &weight;
        y.tape().bind(&weight, &x);
    }),
    ("no_gradient", || {
        let x = variable();
        let unused = x.tape().var(1.0);
        _ = x.sum().backward()[&unused];
    }),
    ("no_gradient", || _ = variable().sum().backward()[&Param::new(1.0)]),
    ("not_retained", || {
        let h = variable().exp();
        _ = h.sum().backward()[&h];
    }),
    ("anomaly", || {
        let (model, tape) = (layers(), Tape::new().detect_anomaly());
        tape.name_parameters(&model);
        let h = model[1].forward(&model[0].forward(&tape.constant(matrix())));
        _ = h.ln() * tape.var([1.0, f32::INFINITY]);
    }),
    ("anomaly", || _ = Tape::inference().detect_anomaly().constant([f32::NAN, 1.0, 2.0]) * 2.0),
    ("anomaly", || {
        let tape = Tape::new().detect_anomaly();
        _ = tape.var([4.0, 0.0]).sqrt().sum().backward();
    }),
    ("anomaly", || {
        let x = Tape::new_f64().detect_anomaly().var([1.0, 0.0]);
        _ = (&x * Param::new([1.0, 0.0])).powf(1.5).sum().grad(&x).sum().grad(&x);
    }),
    ("anomaly", || {
        let x = Tape::new().detect_anomaly().var(1.0);
        _ = (&x * f64::from(f32::MAX) + &x * f64::from(f32::MAX) * 0.5 - 1.0).hook(|gradient| gradient).backward();
    }),
    ("does_not_broadcast_to", || {
        let mut weight = Param::new([1.0, 2.0]);
        let mut gradients = gradients_of(&weight);
        *weight.value_mut() = Tensor::ones([3]);
        gradients += gradients_of(&weight);
    }),
];

const MODELS: &[Case] = &[
    ("fans", || _ = Init::He.tensor::<f32>([3], &mut wengert::rng(0))),
    ("batch_of_one", || {
        let tape = Tape::training(&mut wengert::rng(0));
        _ = BatchNorm::new(3).forward(&tape.var(Tensor::ones([1, 3])));
    }),
    ("initial_statistics", || {
        let mut layer = BatchNorm::new(3);
        let gradients = layer.forward(&variable()).sum().backward();
        Sgd::new(0.1).step(&mut layer, &gradients);
    }),
    ("not_per_channel", || _ = BatchNorm::new(2).forward(&variable())),
    ("selection_out_of_range", || _ = Embedding::<f32>::new(3, 2, Init::He, &mut wengert::rng(0)).padding(3)),
    ("selection_out_of_range", || {
        _ = Embedding::new(3, 2, Init::He, &mut wengert::rng(0)).forward(&Tape::new(), [2, 3]);
    }),
    ("probability", || _ = Dropout::new(-0.1).forward(&variable())),
    ("option", || _ = Sgd::<f32>::new(-1.0)),
    ("option", || _ = Adam::<f32>::new(0.1).betas(0.9, 1.0)),
    ("gradient_of_parameter", || {
        let mut weight = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&weight);
        *weight.value_mut() = Tensor::ones([3]);
        Sgd::new(0.1).step(&mut weight, &gradients);
    }),
    ("state_shape", || {
        let mut optimizer = Adam::new(0.1);
        for size in [2, 3] {
            let mut weight = Param::new(Tensor::ones([size]));
            let gradients = gradients_of(&weight);
            optimizer.step(&mut weight, &gradients);
        }
    }),
    ("state_tensors", || {
        let mut weight = Param::new([1.0, 2.0]);
        let mut optimizer = Adam::new(0.1);
        let gradients = gradients_of(&weight);
        optimizer.step(&mut weight, &gradients);
        optimizer = optimizer.amsgrad();
        let gradients = gradients_of(&weight);
        optimizer.step(&mut weight, &gradients);
    }),
    ("slot_tensors", || {
        let mut slot = Slot::<f32> { steps: 0, product: 1.0, tensors: vec![Tensor::zeros([2])] };
        let [_m, _s] = slot.slices();
    }),
    ("unmatched_group", || {
        let mut weight = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&weight);
        Sgd::new(0.1).group(Group::with_prefix("layers.1").frozen()).step(&mut weight, &gradients);
    }),
    ("gradients_of_another_model", || {
        let weight = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&weight);
        Sgd::new(0.1).step(&mut weight.clone(), &gradients);
    }),
    ("nesterov", || _ = Sgd::<f32>::new(0.1).nesterov()),
];

fn matrix() -> Tensor {
    Tensor::ones([2, 3])
}

fn layers() -> [Linear; 2] {
    let layer = |weight| Linear::new(3, 3, Init::Constant(weight), &mut wengert::rng(0));
    let mut layers = [layer(1.0), layer(-1.0)];
    *layers[1].weight.value_mut() = Tensor::full([2, 3], -1.0);
    *layers[1].bias.as_mut().expect("it has one").value_mut() = tensor![0.0, 9.0];
    layers
}

fn variable() -> Var {
    Tape::new().var(matrix())
}

fn gradients_of(weight: &Param) -> Gradients {
    (Tape::new().constant(1.0) * weight).sum().backward()
}

/// Declares the identity with a mistake in its rule.
macro_rules! wrong {
    ($op:ident, $save:expr, |$saved:ident| $rule:expr) => {
        #[derive(Debug)]
        struct $op;

        impl Op<f32, 1> for $op {
            const NAME: &'static str = "custom";
            const SAVE: Save = $save;

            fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
                x.clone()
            }
            fn backward(&self, $saved: &Saved<f32, 1>, _: &Var) -> [Option<Var>; 1] {
                [Some($rule)]
            }
        }
    };
}
wrong!(WrongShape, Save::Nothing, |saved| saved.constant(Tensor::ones([4])));
wrong!(ReadsWhatIsNotSaved, Save::Output, |saved| saved.input(0));
wrong!(DifferentiatesItself, Save::InputsAndOutput, |saved| saved.output().sum().grad(&saved.input(0)));

thread_local! {
    /// While a panic is expected on this thread: the file in which it was reported.
    static REPORTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What the mistake of a case says, and the file in which it is reported.
fn panic_of((name, mistake): &Case) -> (String, String) {
    static SILENCED: Once = Once::new();
    SILENCED.call_once(|| {
        let aloud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let expected = REPORTED.with_borrow_mut(|reported| {
                let file = info.location().map_or(String::new(), |location| location.file().into());
                reported.as_mut().map(|reported| *reported = file)
            });
            if expected.is_none() {
                aloud(info);
            }
        }));
    });
    REPORTED.set(Some(String::new()));
    let panicked = panic::catch_unwind(AssertUnwindSafe(*mistake));
    let file = REPORTED.take().unwrap_or_default();
    let Err(payload) = panicked else { panic!("the mistake of {name} was accepted") };
    let without_arguments = || payload.downcast_ref::<&str>().map(|text| text.to_string());
    let message = payload.downcast_ref::<String>().cloned().or_else(without_arguments);
    (message.expect("a panic of this crate has a text"), file)
}

fn cases() -> impl Iterator<Item = &'static Case> {
    [
        TENSORS,
        OPERATIONS,
        windows::WINDOWS,
        algebra::LINEAR_ALGEBRA,
        algebra::NORMALIZATION,
        algebra::EINSUM,
        TAPES,
        MODELS,
        data::DATA,
        data::METRICS,
    ]
    .into_iter()
    .flatten()
}

/// The names in the source of the messages, each with the text that follows it, cut where arguments stand.
fn messages(source: &str) -> Vec<(&str, Vec<&str>)> {
    let mut messages = Vec::new();
    let mut name = "";
    for line in source.lines().map(str::trim) {
        let signature = line.strip_prefix("pub(crate) fn ").unwrap_or(line);
        let end = signature.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(signature.len());
        if end > 0 && signature[end..].starts_with('(') && line != "panic!($text)" {
            name = &signature[..end];
        }
        let text = line.strip_prefix("format!(").unwrap_or(line).strip_prefix('"');
        if let Some((text, _)) = text.and_then(|text| text.rsplit_once('"')) {
            let fixed = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
            messages.push((name, fixed.collect()));
        }
    }
    messages
}

/// Whether a message consists of these parts, with something between them.
fn consists_of(message: &str, parts: &[&str]) -> bool {
    let after = parts.iter().try_fold(message, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]));
    after.is_some()
}

/// The message without line and column numbers.
fn without_lines(message: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    let mut parts = message.split(".rs:");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| {
        let column = part.trim_start_matches(digits).trim_start_matches(':');
        text + ".rs" + column.trim_start_matches(digits)
    })
}

#[test]
fn every_message_reads_well() {
    let text = |case: &Case| format!("{}\n    {}\n", case.0, without_lines(&panic_of(case).0));
    insta::assert_snapshot!(cases().map(text).collect::<String>());
}

#[test]
fn every_panic_is_reported_at_the_callers_line() {
    for case in cases() {
        let (message, file) = panic_of(case);
        assert!(file.starts_with("tests/panics"), "{}, reported in {file}: {message}", case.0);
    }
}

#[test]
fn every_message_has_a_case() {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/panics.rs")).unwrap();
    let messages = messages(&source);
    assert!(messages.len() >= 45, "only {} messages were found", messages.len());
    let shown: Vec<(&str, String)> = cases().map(|case| (case.0, panic_of(case).0)).collect();
    for (name, parts) in &messages {
        let of_this_name = || shown.iter().filter(|(names, _)| names.split(' ').any(|other| other == *name));
        assert!(of_this_name().count() > 0, "no case shows {name}");
        assert!(
            of_this_name().all(|(_, message)| consists_of(message, parts)),
            "a case of {name} shows another message"
        );
    }
}
