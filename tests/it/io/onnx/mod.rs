//! Exports to ONNX. `tests/python/onnx_runtime.py` sets `ONNX_DIRECTORY` and compares what its runtime computes from the files.

mod operations;

use crate::support::files::{directory, mismatches, names};
use crate::support::panics::{Panic, messages};
use crate::support::resnet::ResNet;
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use wengert::io::onnx::{Export, Inputs};
use wengert::io::{Array, Integers, safetensors};
use wengert::nn::{Recurrent, Rotary};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("no_input", || {
        let model: Param = Param::new(1.0);
        let export = Export::new(&model).input("x", [1.0]);
        _ = export.save(|inputs| vec![("y", inputs.values("z"))], "none.onnx");
    }),
    ("no_input", || {
        let model: Param = Param::new(1.0);
        let export = Export::new(&model).input("x", [1.0]);
        _ = export.save(|inputs| vec![("y", inputs.tape().constant([inputs.indices("x").item() as f32]))], "none.onnx");
    }),
];

#[test]
fn inputs_that_were_not_declared_are_mistakes() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Where files are written: where the script looks for them, or a directory that is removed at the end.
fn place(temporary: &Path) -> PathBuf {
    std::env::var_os("ONNX_DIRECTORY").map_or(temporary.into(), PathBuf::from)
}

/// An input of a model, and how it is declared.
enum Input {
    Values(Tensor),
    Indices(Indices),
}

/// Exports a model and returns the bytes of the file. Beside it are inputs and the outputs of the model, for another size of the
/// batch than that of the example if any is possible.
fn export<M: Module>(
    name: &str,
    model: &M,
    any_batch: bool,
    sample: impl Fn(usize) -> Input,
    forward: impl Fn(&Inputs) -> Var,
) -> Vec<u8> {
    export_inputs(name, model, any_batch, |n| vec![("x", sample(n))], forward)
}

fn export_inputs<M: Module>(
    name: &str,
    model: &M,
    any_batch: bool,
    samples: impl Fn(usize) -> Vec<(&'static str, Input)>,
    forward: impl Fn(&Inputs) -> Var,
) -> Vec<u8> {
    let temporary = directory();
    let path = place(temporary.path()).join(format!("{name}.onnx"));
    let with = |n: usize| {
        samples(n).into_iter().fold(Export::new(model), |export, (name, input)| match input {
            Input::Values(x) => export.input(name, x),
            Input::Indices(x) => export.indices(name, x),
        })
    };
    let options = if any_batch { with(2).any_batch() } else { with(2) };
    options.save(|inputs| vec![("y", forward(inputs))], &path).unwrap();
    let batch = if any_batch { 3 } else { 2 };
    let array = |input: Input| match input {
        Input::Values(x) => Array::from(x),
        Input::Indices(x) => Integers::new(x.as_slice().iter().map(|&k| k as i64).collect(), x.shape()).into(),
    };
    // What the model computes is read off by exporting it once more, to a file that nobody needs.
    let y = RefCell::new(Tensor::zeros([0]));
    let spare = temporary.path().join("spare.onnx");
    let watched = |inputs: &Inputs| {
        let value = forward(inputs);
        *y.borrow_mut() = value.value().clone();
        vec![("y", value)]
    };
    with(batch).save(watched, &spare).unwrap();
    let inputs = samples(batch).into_iter().map(|(name, input)| (name, array(input)));
    safetensors::write(inputs.chain([("y", y.into_inner().into())]), path.with_extension("safetensors")).unwrap();
    fs::read(&path).unwrap()
}

fn random(shape: &[usize]) -> Input {
    Input::Values(Tensor::randn(shape.to_vec(), &mut wengert::rng(7)))
}

/// Whether a file has all of these texts.
fn has(file: &[u8], texts: &[&str]) -> bool {
    texts.iter().all(|text| file.windows(text.len()).any(|window| window == text.as_bytes()))
}

/// A normalization whose statistics are not those that it starts with.
fn trained(size: usize) -> BatchNorm {
    let mut norm = BatchNorm::new(size);
    *norm.running_mean.value_mut() = Tensor::randn([size], &mut wengert::rng(1));
    *norm.running_var.value_mut() = Tensor::randn([size], &mut wengert::rng(2)).map(|x| x * x + 0.1);
    norm
}

#[test]
fn perceptrons_are_exported_with_the_names_of_their_parameters() {
    let rng = &mut wengert::rng(0);
    let linear = |inputs, outputs, rng: &mut _| Linear::new(inputs, outputs, Init::He, rng);
    let model = (linear(20, 16, rng), trained(16), linear(16, 10, rng));
    let forward = |inputs: &Inputs| {
        let h = model.1.forward(&model.0.forward(&inputs.values("x"))).relu().dropout(0.5);
        model.2.forward(&h).log_softmax(-1)
    };
    let file = export("mlp", &model, true, |n| random(&[n, 20]), forward);
    assert!(has(&file, &["0.weight", "2.bias", "Gemm", "BatchNormalization", "LogSoftmax", "batch"]));
    assert!(!has(&file, &["dropout"]));
    assert_eq!(file, export("mlp", &model, true, |n| random(&[n, 20]), forward));
}

#[test]
fn convolutional_networks_are_exported() {
    let rng = &mut wengert::rng(0);
    let first = Conv2d::new(1, 4, 5, Init::He, rng);
    let second = Conv2d::grouped(4, 6, 3, 2, Init::He, rng).stride(2).padding(1);
    let model = (first, trained(4), second, Linear::new(6 * 3 * 3, 10, Init::He, rng));
    let forward = |inputs: &Inputs| {
        let h = model.1.forward(&model.0.forward(&inputs.values("x"))).relu();
        let h = model.2.forward(&h.max_pool2d(2)).silu();
        model.3.forward(&h.flatten(1, -1)).softmax(-1)
    };
    let file = export(
        "cnn",
        &model,
        true,
        |n| random(&[n, 1, 16, 14]),
        |inputs| {
            let h = model.2.forward(&model.1.forward(&model.0.forward(&inputs.values("x"))).relu().max_pool2d(2));
            let h = h.adaptive_avg_pool2d(3).flatten(1, -1);
            model.3.forward(&h)
        },
    );
    assert!(has(&file, &["0.weight", "Conv", "MaxPool", "AveragePool", "Reshape"]));
    export("cnn_softmax", &model, true, |n| random(&[n, 1, 16, 16]), forward);
}

#[test]
fn convolutions_along_one_axis_are_exported() {
    let rng = &mut wengert::rng(0);
    let model = Conv1d::new(3, 4, 3, Init::He, rng).dilation(2);
    let forward = |inputs: &Inputs| {
        let h = model.forward(&inputs.values("x")).gelu_tanh();
        h.avg_pool1d(2).max_pool1d(2).mean_over(2)
    };
    export("conv1d", &model, true, |n| random(&[n, 3, 21]), forward);
}

#[test]
fn residual_networks_are_exported() {
    let mut model = ResNet::new(2, 4, 10);
    for (seed, (path, param)) in model.parameters_mut().into_iter().enumerate() {
        let sample = Tensor::randn(param.shape().to_vec(), &mut wengert::rng(seed as u64));
        match path.rsplit('.').next() {
            Some("running_mean") => *param.value_mut() = sample,
            Some("running_var") => *param.value_mut() = sample.square() + 0.5,
            _ => {}
        }
    }
    let forward = |inputs: &Inputs| model.forward(&inputs.values("x"));
    let file = export("resnet", &model, true, |n| random(&[n, 3, 32, 32]), forward);
    assert!(has(&file, &["blocks.2.skip.0.weight", "Conv", "BatchNormalization"]));
}

#[test]
fn layers_of_every_kind_are_exported() {
    let rng = &mut wengert::rng(0);
    let images: Sequential = Sequential::new()
        .append(ConvTranspose2d::grouped(4, 6, 3, 2, Init::He, rng).stride(2).padding(1).output_padding(1))
        .append(GroupNorm::new(3, 6))
        .append(Elu(1.0))
        .append(InstanceNorm::affine(6))
        .append(Softplus)
        .append(AvgPool2d::new(3).stride(2).padding(1))
        .append(LeakyRelu(0.1))
        .append(AdaptiveAvgPool2d::new([2, 3]))
        .append(LayerNorm::new([2, 3]))
        .append(Gelu)
        .append(RmsNorm::new([6, 2, 3]))
        .append(Silu)
        .append(MaxPool2d::new(2).stride(1))
        .append(Flatten)
        .append(Dropout::new(0.5))
        .append(GroupNorm::new(2, 12))
        .append(LogSoftmax(-1));
    let file = export("images", &images, true, |n| random(&[n, 4, 5, 6]), |inputs| images.forward(&inputs.values("x")));
    assert!(has(&file, &["ConvTranspose", "LayerNormalization", "Elu", "Softplus", "MatMul"]));
    let signals: Sequential = Sequential::new()
        .append(ConvTranspose1d::new(2, 3, 4, Init::He, rng).stride(3))
        .append(Tanh)
        .append(AvgPool1d::new(3).padding(1))
        .append(InstanceNorm::new())
        .append(AdaptiveAvgPool1d::new(4))
        .append(Sigmoid)
        .append(Softmax(-1));
    export("signals", &signals, true, |n| random(&[n, 2, 7]), |inputs| signals.forward(&inputs.values("x")));
}

#[test]
fn attention_is_exported_with_a_memory_and_rotary_positions() {
    let rng = &mut wengert::rng(0);
    let model = (TransformerDecoderLayer::new(8, 2, 16, rng), MultiHeadAttention::new(8, 2, rng));
    let samples = |n: usize| vec![("x", random(&[n, 5, 8])), ("memory", random(&[n, 3, 8]))];
    let forward = |inputs: &Inputs| {
        let (x, memory) = (inputs.values("x"), inputs.values("memory"));
        let h = model.0.forward(&x, &memory, &Attention::new().causal(), &Attention::new());
        let weights = model.1.weights(&h, &memory, &Attention::new());
        Var::concat(&[model.1.forward(&h, &Attention::new().causal()), weights], 2)
    };
    export_inputs("decoder", &model, true, samples, forward);
    let rotary = Rotary::new(4, 9, 10_000.0);
    let scale: Param = Param::new(2.0);
    let forward = |inputs: &Inputs| {
        let x = inputs.values("x") * inputs.tape().param(&scale);
        x.rotary(&rotary, 0) + x.rotary(&rotary.clone().interleaved(), 2)
    };
    export("rotary", &scale, true, |n| random(&[n, 5, 24]), forward);
}

#[test]
fn recurrent_layers_are_exported_as_layers() {
    let rng = &mut wengert::rng(0);
    let options = Recurrent::new().layers(2).bidirectional().batch_first();
    let lstm = (Lstm::with_options(3, 4, options, rng), Linear::new(8, 2, Init::Xavier, rng));
    let batch_first = |n: usize| random(&[n, 5, 3]);
    let forward = |inputs: &Inputs| {
        let (y, state) = lstm.0.forward_state(&inputs.values("x"), None);
        let states = state.h.permute([1, 0, 2]).flatten(1, -1);
        Var::concat(&[lstm.1.forward(&y).flatten(1, -1), y.select(1, -1), states, state.c.select(0, -1)], 1)
    };
    let file = export("lstm", &lstm, true, batch_first, forward);
    assert!(has(&file, &["0.weight_ih_l0", "LSTM", "reverse"]));
    assert!(!has(&file, &["Sigmoid"]));
    let options = Recurrent::new().batch_first();
    let gru: Gru = Gru::with_options(3, 4, options, rng);
    export("gru", &gru, true, batch_first, |inputs| gru.forward(&inputs.values("x")));
    let rnn: Rnn = Rnn::with_options(3, 4, options.bidirectional(), rng).relu();
    export("rnn", &rnn, true, batch_first, |inputs| rnn.forward(&inputs.values("x")));
    // The state before the first step is an input too.
    let cell: LstmCell = LstmCell::new(3, 4, rng);
    let samples = |n: usize| vec![("x", random(&[n, 3])), ("h", random(&[n, 4])), ("c", random(&[n, 4]))];
    let forward = |inputs: &Inputs| {
        let state = LstmState { h: inputs.values("h"), c: inputs.values("c") };
        let state = cell.forward(&inputs.values("x"), Some(&state));
        Var::stack(&[state.h, state.c], 1)
    };
    export_inputs("lstm_cell", &cell, true, samples, forward);
}

#[test]
fn sequences_of_different_lengths_are_refused() {
    let model: Gru = Gru::new(3, 4, &mut wengert::rng(0));
    let export = Export::new(&model).input("x", Tensor::ones([5, 2, 3]));
    let forward = |inputs: &Inputs| vec![("y", model.forward_padded(&inputs.values("x"), &[5, 3], None).0)];
    let found = mismatches(export.save(forward, "none.onnx"));
    assert!(found[0].ends_with("found a layer over sequences of different lengths"), "{found:?}");
}

#[test]
fn transformers_are_exported_with_tokens_as_indices() {
    let rng = &mut wengert::rng(0);
    let (tokens, positions) =
        (Embedding::new(11, 8, Init::Normal(1.0), rng), Embedding::new(5, 8, Init::Normal(1.0), rng));
    let layers: Vec<_> =
        (0..2).map(|_| TransformerEncoderLayer::new(8, 2, 16, rng).activation(Var::gelu).norm_first()).collect();
    let model = ((tokens, positions), layers, RmsNorm::new([8]));
    let forward = |inputs: &Inputs| {
        let ((tokens, positions), layers, norm) = &model;
        let places: Vec<usize> = (0..5).collect();
        let mut h = tokens.forward(inputs.tape(), inputs.indices("x")) + positions.forward(inputs.tape(), places);
        for layer in layers {
            h = layer.forward(&h, &Attention::new().causal());
        }
        norm.forward(&h).linear(&tokens.weight)
    };
    let sample =
        |n: usize| Input::Indices(Indices::new((0..5 * n).map(|k| (7 * k + 3) % 11).collect::<Vec<_>>(), [n, 5]));
    let file = export("transformer", &model, true, sample, forward);
    assert!(has(&file, &["0.0.weight", "Gather", "LayerNormalization", "Where", "Softmax", "Erf"]));
}

#[test]
fn what_onnx_does_not_express_is_listed_with_its_line() {
    let directory = directory();
    let path = directory.path().join("model.onnx");
    let model: Param = Param::new(1.0);
    let export = || Export::new(&model).input("x", Tensor::eye(2));
    let result = export()
        .save(|inputs| vec![("y", inputs.values("x").cholesky().inverse() + inputs.values("x").slogdet().1)], &path);
    let found = mismatches(result);
    let place = |line: &str| line.split_once(" at tests/it/io/onnx/mod.rs:").map(|(name, _)| name.to_string());
    assert_eq!(found.iter().filter_map(|line| place(line)).collect::<Vec<_>>(), ["cholesky", "inverse", "slogdet"]);
    assert!(
        found[0].ends_with(": expected an operation that ONNX expresses, found one without a mapping: compute it outside of the model, or by other operations"),
        "{}",
        found[0]
    );
    // What is not needed for the outputs is not exported.
    export()
        .save(
            |inputs| {
                _ = inputs.values("x").cholesky();
                vec![("y", inputs.values("x"))]
            },
            &path,
        )
        .unwrap();
    assert_eq!(names(directory.path()), ["model.onnx"]);
}

/// Why the output of a function of the inputs is not exported.
fn refused(inputs: fn(Export) -> Export, forward: fn(&Inputs) -> Var) -> Vec<String> {
    let (directory, model) = (directory(), Param::<f32>::new(1.0));
    let path = directory.path().join("model.onnx");
    mismatches(inputs(Export::new(&model)).save(|inputs| vec![("y", forward(inputs))], path))
}

#[test]
fn what_depends_on_the_batch_is_an_error_if_its_size_is_open() {
    let export = |forward| refused(|export| export.input("x", Tensor::ones([2, 3])).any_batch(), forward);
    // Neither is a multiple of the batch; 10 and 19 are on a line that does not begin there.
    for forward in [
        |inputs: &Inputs| inputs.values("x").std_over(.., 1.0),
        |inputs: &Inputs| inputs.values("x") * [0.0, 0.0, 10.0, 19.0, 25.0][inputs.values("x").shape()[0]],
    ] {
        let root = export(forward);
        assert!(root[0].contains("found a setting that depends on the batch"), "{root:?}");
    }
    let constant = export(|inputs| {
        let x = inputs.values("x");
        &x + Tensor::eye(3).slice(0, ..x.shape()[0] as isize)
    });
    assert!(constant[0].contains("found a constant that depends on the batch"), "{constant:?}");
    let steps = export(|inputs| {
        let x = inputs.values("x");
        if x.shape()[0] == 2 { x.relu() } else { x.relu().relu() }
    });
    assert_eq!(steps, ["batch: expected the same operations for every size, found others"]);
}

#[test]
fn what_depends_on_the_values_of_the_inputs_is_no_constant() {
    let export = |forward| {
        refused(|export| export.input("x", Tensor::arange(1.0, 7.0, 1.0)).input("zeros", Tensor::zeros([4])), forward)
    };
    let sorted = export(|inputs| inputs.values("x").sort(0, true).0);
    assert!(sorted[0].contains("found a setting that depends on the values of the inputs: indices"), "{sorted:?}");
    let zeros = export(|inputs| inputs.values("zeros").sort(0, true).0);
    assert!(zeros[0].contains("found a setting that depends on the values of the inputs: indices"), "{zeros:?}");
    let mask = export(|inputs| {
        let x = inputs.values("x");
        x.masked_fill(&x.value().mask(|x| x > 4.0), 0.0)
    });
    assert!(mask[0].contains("found a setting that depends on the values of the inputs: mask"), "{mask:?}");
    // The operations of a derivative are not those of the model.
    let derivative = export(|inputs| inputs.values("x").square().sum().grad(&inputs.values("x")));
    assert_eq!(
        derivative,
        ["y: expected a value of the model, found a constant that depends on the values of the inputs"]
    );
    let shape = export(|inputs| inputs.values("x").slice(0, ..inputs.values("x").value().as_slice()[0] as isize));
    assert!(shape[0].contains("found a"), "{shape:?}");
    let steps = export(|inputs| {
        let x = inputs.values("x");
        if x.value().as_slice()[0] == 1.0 { x.relu() } else { x.relu().relu() }
    });
    assert_eq!(steps, ["model: expected the same operations for all values of the inputs, found others"]);
}

#[test]
fn constants_that_equal_an_input_of_indices_stay_constants() {
    let model: Embedding = Embedding::new(4, 2, Init::Normal(1.0), &mut wengert::rng(0));
    let forward = |inputs: &Inputs| {
        model.forward(inputs.tape(), inputs.indices("x")) + model.forward(inputs.tape(), [[0, 1], [2, 3]])
    };
    let sample = |_| Input::Indices([[0, 1], [2, 3]].into());
    let file = export("positions", &model, false, sample, forward);
    assert!(has(&file, &["Gather", "/constant_"]));
}
