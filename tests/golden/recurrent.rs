//! Recurrent layers and cells, with the gradients of their inputs and weights.

use crate::Fault;
use crate::attributes::Attributes;
use crate::check::{Nan, Tolerance};
use crate::json::{Map, Value, field};
use wengert::prelude::*;

/// A layer or a cell. The value of each output is in the order of its names.
enum Net {
    Rnn(Rnn<f64>),
    Lstm(Lstm<f64>),
    Gru(Gru<f64>),
    RnnCell(RnnCell<f64>),
    LstmCell(LstmCell<f64>),
    GruCell(GruCell<f64>),
}

impl Net {
    /// The network that a case describes, whose options may be entries of the case or of `attrs`.
    fn new(case: &Value) -> Result<Self, Fault> {
        let module: String = field(case, "module")?;
        let mut all: Map<String, Value> = field(case, "attrs").unwrap_or_default();
        let own = ["name", "module", "attrs", "inputs", "state", "outputs", "grad_outputs", "grads", "state_grads"];
        let entries = case.as_object().into_iter().flatten().filter(|(key, _)| !own.contains(&key.as_str()));
        all.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
        let a = Attributes::new(&module, &all);
        let (inputs, hidden, rng) = (a.get("input_size")?, a.get("hidden_size")?, &mut wengert::rng(0));
        let bias = a.get_or("bias", true)?;
        let relu = match a.get_or("nonlinearity", "tanh".to_string())?.as_str() {
            "tanh" => false,
            "relu" => true,
            _ => return Err(a.unknown("nonlinearity")),
        };
        let layers = a.get::<Option<usize>>("layers")?.or(a.get("num_layers")?).unwrap_or(1);
        let dropout = a.get_or("dropout", 0.0)?;
        let mut options = Recurrent::new().layers(layers).dropout(dropout);
        if !bias {
            options = options.without_bias();
        }
        if a.get_or("bidirectional", false)? {
            options = options.bidirectional();
        }
        if a.get_or("batch_first", false)? {
            options = options.batch_first();
        }
        macro_rules! cell {
            ($cell:ident) => {
                if bias { $cell::new(inputs, hidden, rng) } else { $cell::without_bias(inputs, hidden, rng) }
            };
        }
        let net = match module.as_str() {
            "RNN" if relu => Net::Rnn(Rnn::with_options(inputs, hidden, options, rng).relu()),
            "RNN" => Net::Rnn(Rnn::with_options(inputs, hidden, options, rng)),
            "LSTM" => Net::Lstm(Lstm::with_options(inputs, hidden, options, rng)),
            "GRU" => Net::Gru(Gru::with_options(inputs, hidden, options, rng)),
            "RNNCell" if relu => Net::RnnCell(cell!(RnnCell).relu()),
            "RNNCell" => Net::RnnCell(cell!(RnnCell)),
            "LSTMCell" => Net::LstmCell(cell!(LstmCell)),
            "GRUCell" => Net::GruCell(cell!(GruCell)),
            _ => return Err(Fault::Unsupported(format!("module {module}"))),
        };
        a.all_read().map(|()| net)
    }

    fn module(&self) -> &dyn Module<f64> {
        match self {
            Net::Rnn(net) => net,
            Net::Lstm(net) => net,
            Net::Gru(net) => net,
            Net::RnnCell(net) => net,
            Net::LstmCell(net) => net,
            Net::GruCell(net) => net,
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<f64> {
        match self {
            Net::Rnn(net) => net,
            Net::Lstm(net) => net,
            Net::Gru(net) => net,
            Net::RnnCell(net) => net,
            Net::LstmCell(net) => net,
            Net::GruCell(net) => net,
        }
    }

    /// The outputs and their names.
    fn forward(&self, x: &Var<f64>, h: Option<&Var<f64>>, c: Option<&Var<f64>>) -> Vec<(&'static str, Var<f64>)> {
        let state = h.zip(c).map(|(h, c)| LstmState { h: h.clone(), c: c.clone() });
        let sequence = |(output, h): (Var<f64>, Var<f64>)| vec![("output", output), ("h", h)];
        match self {
            Net::Rnn(net) => sequence(net.forward_state(x, h)),
            Net::Gru(net) => sequence(net.forward_state(x, h)),
            Net::Lstm(net) => {
                let (output, LstmState { h, c }) = net.forward_state(x, state.as_ref());
                vec![("output", output), ("h", h), ("c", c)]
            }
            Net::RnnCell(net) => vec![("h", net.forward(x, h))],
            Net::GruCell(net) => vec![("h", net.forward(x, h))],
            Net::LstmCell(net) => {
                let LstmState { h, c } = net.forward(x, state.as_ref());
                vec![("h", h), ("c", c)]
            }
        }
    }
}

/// Checks outputs and gradients, of a plain backward pass and of a recorded one.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let mut net = Net::new(case)?;
    let state: Value = field(case, "state")?;
    for (name, param) in net.module_mut().parameters_mut() {
        let value: Tensor<f64> = field(&state, &name)?;
        if value.shape() != param.shape() {
            return Err(Fault::Failed(format!("{name} has shape {:?}", value.shape())));
        }
        *param.value_mut() = value;
    }
    let (tape, inputs): (_, Value) = (Tape::new_f64(), field(case, "inputs")?);
    let input = |name: &str| Ok(field::<Option<Tensor<f64>>>(&inputs, name)?.map(|x| tape.var(x)));
    let [x, h0, c0] = [input("x")?, input("h0")?, input("c0")?];
    let x = x.ok_or_else(|| Fault::Failed("no input x".into()))?;
    let (wanted, cotangents): (Value, Value) = (field(case, "outputs")?, field(case, "grad_outputs")?);
    let mut loss = tape.constant(0.0);
    for (name, y) in net.forward(&x, h0.as_ref(), c0.as_ref()) {
        tolerance.compare(name, y.value(), &field(&wanted, name)?, Nan::Required)?;
        loss += (y * field::<Tensor<f64>>(&cotangents, name)?).sum();
    }
    let mut checks: Vec<(String, Var<f64>, Tensor<f64>)> = Vec::new();
    let grads: Value = field(case, "grads")?;
    for (name, x) in [("x", Some(x)), ("h0", h0), ("c0", c0)] {
        if let Some(x) = x {
            checks.push((name.into(), x, field(&grads, name)?));
        }
    }
    let state_grads: Value = field(case, "state_grads")?;
    for (name, param) in net.module().parameters() {
        let want = field(&state_grads, &name)?;
        checks.push((name, tape.param(param), want));
    }
    let plain = loss.gradients();
    for (name, x, want) in &checks {
        tolerance.compare(&format!("gradient of {name}"), &plain[x], want, Nan::Required)?;
        tolerance.compare(&format!("recorded gradient of {name}"), loss.grad(x).value(), want, Nan::Required)?;
    }
    Ok(())
}
