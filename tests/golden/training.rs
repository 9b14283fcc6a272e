//! Whole trainings, and the running averages of batch normalisation.

use crate::Fault;
use crate::check::Tolerance;
use crate::json::{Map, Value, field};
use crate::optimizers::build;
use wengert::nn::{Elu, Flatten, Gelu, Identity, LeakyRelu, Path, Relu, Sequential, Sigmoid, Silu, Softplus, Tanh};
use wengert::prelude::*;

/// The network that a case describes, such as `Linear 8-16, ReLU, Linear 16-4`, with a state by PyTorch's names. The shapes
/// are those of the state.
fn network(words: &str, state: &Value) -> Result<Sequential<f64>, Fault> {
    let (mut net, mut depth) = (Sequential::new(), 0);
    let outside = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    for (k, layer) in words.split(outside).enumerate() {
        let shape = || Ok(value(state, &format!("{k}.weight"))?.shape().to_vec());
        let bias = state.get(format!("{k}.bias")).is_some();
        net = append(net, layer.trim(), shape, bias)?;
    }
    load(&mut net, state)?;
    Ok(net)
}

/// Sets the parameters of a module to those of a state by PyTorch's names.
pub fn load(module: &mut dyn Module<f64>, state: &Value) -> Result<(), Fault> {
    let mut fault = None;
    module.visit_mut(&mut Path::new(), &mut |path, param| match value(state, path.as_str()) {
        Ok(value) if value.shape() == param.shape() => *param.value_mut() = value,
        Ok(value) => fault = Some(Fault::Failed(format!("{path} has shape {:?}", value.shape()))),
        Err(error) => fault = Some(error),
    });
    fault.map_or(Ok(()), Err)
}

/// Appends the layer whose name in PyTorch is the first word.
fn append(
    net: Sequential<f64>,
    layer: &str,
    shape: impl Fn() -> Result<Vec<usize>, Fault>,
    bias: bool,
) -> Result<Sequential<f64>, Fault> {
    let (rng, init) = (&mut wengert::rng(0), Init::Constant(0.0));
    let unsupported = || Fault::Unsupported(format!("layer {layer}"));
    Ok(match layer.split([' ', '(']).next().unwrap_or_default() {
        "Linear" => {
            let [outputs, inputs] = shape()?[..] else { return Err(unsupported()) };
            net.append(if bias { Linear::new } else { Linear::without_bias }(inputs, outputs, init, rng))
        }
        "BatchNorm1d" | "BatchNorm2d" => net.append(BatchNorm::new(shape()?[0])),
        "LayerNorm" if bias => net.append(LayerNorm::new(shape()?)),
        "ReLU" => net.append(Relu),
        "Sigmoid" => net.append(Sigmoid),
        "Tanh" => net.append(Tanh),
        "GELU" => net.append(Gelu),
        "SiLU" => net.append(Silu),
        "ELU" => net.append(Elu(1.0)),
        "LeakyReLU" => net.append(LeakyRelu(0.01)),
        "Softplus" => net.append(Softplus),
        "Flatten" => net.append(Flatten),
        "Identity" => net.append(Identity),
        _ => return Err(unsupported()),
    })
}

/// An entry of a state: a tensor, or a count.
fn value(state: &Value, name: &str) -> Result<Tensor<f64>, Fault> {
    field(state, name).or_else(|_| Ok(Tensor::scalar(field::<f64>(state, name)?)))
}

/// Trains on the whole batch for as many steps as there are losses.
pub fn train(file: &Value, case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let data: Value = field(&field(file, "data")?, &field::<String>(case, "data")?)?;
    let (input, labels): (Tensor<f64>, Tensor<f64>) = (field(&data, "input")?, field(&data, "target")?);
    let labels: Vec<usize> = labels.as_slice().iter().map(|&label| label as usize).collect();
    let mut net = network(&field::<String>(&data, "model")?, &field(&data, "initial")?)?;
    let mut optimizer = build(case)?;
    for (step, want) in field::<Vec<f64>>(case, "losses")?.into_iter().enumerate() {
        let tape = Tape::with_mode(Mode::Training(0));
        let loss = net.forward(&tape.constant(&input)).softmax_cross_entropy(&labels);
        tolerance.numbers(&format!("loss before step {}", step + 1), &[loss.item()], &[want])?;
        let gradients = loss.backward();
        if step == 0 {
            let wanted: Map<String, Value> = field(case, "first_grads")?;
            let all = net.parameters();
            for (name, param) in all.iter().filter(|(_, param)| param.is_trainable()) {
                let want: Tensor<f64> = field(&Value::Object(wanted.clone()), name)?;
                tolerance.numbers(&format!("gradient of {name}"), gradients[*param].as_slice(), want.as_slice())?;
            }
        }
        optimizer.step(&mut net, &gradients);
    }
    let last: Value = field(case, "final")?;
    for (name, param) in net.parameters() {
        tolerance.numbers(&format!("final {name}"), param.value().as_slice(), value(&last, &name)?.as_slice())?;
    }
    Ok(())
}

/// Feeds batches to a batch normalisation, then one in evaluation.
pub fn running(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let (weight, bias): (Tensor<f64>, Tensor<f64>) = (field(case, "weight")?, field(case, "bias")?);
    let mut layer = BatchNorm::new(weight.len()).momentum(field(case, "momentum")?).epsilon(field(case, "eps")?);
    (*layer.weight.value_mut(), *layer.bias.value_mut()) = (weight, bias);
    let compare = |what: &str, got: &Tensor<f64>, at: &Value, key: &str| {
        tolerance.numbers(what, got.as_slice(), value(at, key)?.as_slice())
    };
    // The step that puts the averages in place must not change anything else.
    let mut optimizer = Sgd::new(0.0);
    for (k, batch) in field::<Vec<Value>>(case, "train")?.iter().enumerate() {
        let tape = Tape::with_mode(Mode::Training(0));
        let y = layer.forward(&tape.constant(field::<Tensor<f64>>(batch, "input")?));
        compare(&format!("output {k}"), y.value(), batch, "output")?;
        optimizer.step(&mut layer, &y.sum().backward());
        compare(&format!("mean {k}"), layer.running_mean.value(), batch, "running_mean")?;
        compare(&format!("variance {k}"), layer.running_var.value(), batch, "running_var")?;
        compare(&format!("count {k}"), layer.num_batches_tracked.value(), batch, "num_batches_tracked")?;
    }
    let tape = Tape::with_mode(Mode::Inference);
    let y = layer.forward(&tape.constant(field::<Tensor<f64>>(case, "eval_input")?));
    compare("evaluation", y.value(), case, "eval_output")
}
