//! Whole trainings, and the running averages of batch normalisation.

use crate::Fault;
use crate::check::Tolerance;
use crate::json::{Map, Value, field};
use crate::optimizers::build;
use wengert::nn::Path;
use wengert::prelude::*;

/// `Linear, ReLU, Linear`, or with a batch normalisation `Linear, BatchNorm, Sigmoid, Linear`.
struct Net {
    first: Linear<f64>,
    norm: Option<BatchNorm<f64>>,
    last: Linear<f64>,
}
module!(Net in f64 { first, norm, last });

impl Net {
    /// A network of the shapes of a state by PyTorch's names, with that state.
    fn new(state: &Value) -> Result<Self, Fault> {
        let normalized = state.get("1.weight").is_some();
        let first: Tensor<f64> = field(state, "0.weight")?;
        let last: Tensor<f64> = field(state, if normalized { "3.weight" } else { "2.weight" })?;
        let (hidden, inputs, outputs) = (first.shape()[0], first.shape()[1], last.shape()[0]);
        let (rng, init) = (&mut wengert::rng(0), Init::Constant(0.0));
        let mut net = Net {
            first: if normalized { Linear::without_bias } else { Linear::new }(inputs, hidden, init, rng),
            norm: normalized.then(|| BatchNorm::new(hidden)),
            last: Linear::new(hidden, outputs, init, rng),
        };
        let mut fault = None;
        net.visit_mut(
            &mut Path::new(),
            &mut |path, param| match value(state, &pytorch_name(path.as_str(), normalized)) {
                Ok(value) => *param.value_mut() = value,
                Err(error) => fault = Some(error),
            },
        );
        fault.map_or(Ok(net), Err)
    }

    fn forward(&self, x: &Var<f64>) -> Var<f64> {
        let h = self.first.forward(x);
        let h = match &self.norm {
            Some(norm) => norm.forward(&h).sigmoid(),
            None => h.relu(),
        };
        self.last.forward(&h)
    }
}

/// The name that PyTorch's `Sequential` has for a parameter.
fn pytorch_name(path: &str, normalized: bool) -> String {
    let last = if normalized { "3." } else { "2." };
    path.replacen("first.", "0.", 1).replacen("norm.", "1.", 1).replacen("last.", last, 1)
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
    let mut net = Net::new(&field(&data, "initial")?)?;
    let normalized = net.norm.is_some();
    let mut optimizer = build(case)?;
    for (step, want) in field::<Vec<f64>>(case, "losses")?.into_iter().enumerate() {
        let tape = Tape::with_mode(Mode::Training(0));
        let loss = net.forward(&tape.constant(&input)).softmax_cross_entropy(&labels);
        tolerance.numbers(&format!("loss before step {}", step + 1), &[loss.item()], &[want])?;
        let gradients = loss.backward();
        if step == 0 {
            let wanted: Map<String, Value> = field(case, "first_grads")?;
            let all = net.parameters();
            for (path, param) in all.iter().filter(|(_, param)| param.is_trainable()) {
                let name = pytorch_name(path, normalized);
                let want: Tensor<f64> = field(&Value::Object(wanted.clone()), &name)?;
                tolerance.numbers(&format!("gradient of {name}"), gradients[*param].as_slice(), want.as_slice())?;
            }
        }
        optimizer.step(&mut net, &gradients);
    }
    let last: Value = field(case, "final")?;
    for (path, param) in net.parameters() {
        let name = pytorch_name(&path, normalized);
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
