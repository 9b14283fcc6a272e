//! The check of one case: output, gradients, and the derivatives of those.

use crate::Fault;
use crate::attributes::Attributes;
use crate::json::{Map, Value, field};
use crate::operators;
use std::panic::{self, AssertUnwindSafe};
use wengert::{Tape, Tensor, Var};

/// How far from the expected value is near enough: `atol + rtol |want|`.
pub struct Tolerance {
    relative: f64,
    absolute: f64,
}

/// What a NaN among the expected values asks for.
#[derive(Clone, Copy, PartialEq)]
pub enum Nan {
    /// A NaN.
    Required,
    /// Nothing: the derivative is not defined.
    Undefined,
}

impl Tolerance {
    /// The tolerance that a file asks for.
    pub fn of(file: &Value) -> Result<Self, Fault> {
        let tolerance: Value = field(file, "tolerance")?;
        Ok(Tolerance { relative: field(&tolerance, "rtol")?, absolute: field(&tolerance, "atol")? })
    }

    /// An infinity is near itself only.
    fn near(&self, got: f64, want: f64) -> bool {
        got == want || (want.is_finite() && (got - want).abs() <= self.absolute + self.relative * want.abs())
    }

    /// Compares tensors.
    pub fn compare(&self, what: &str, got: &Tensor<f64>, want: &Tensor<f64>, nan: Nan) -> Result<(), Fault> {
        if got.shape() != want.shape() {
            return Err(Fault::Failed(format!("{what}: got shape {:?}, want {:?}", got.shape(), want.shape())));
        }
        let agrees = |got: f64, want: f64| match want.is_nan() {
            true => got.is_nan() || nan == Nan::Undefined,
            false => self.near(got, want),
        };
        let pairs = got.as_slice().iter().zip(want.as_slice());
        let Some((k, (x, y))) = pairs.enumerate().find(|(_, (got, want))| !agrees(**got, **want)) else {
            return Ok(());
        };
        Err(Fault::Failed(format!("{what}, element {k} of {:?}: got {x:?}, want {y:?}", want.shape())))
    }

    /// Compares lists of numbers.
    pub fn numbers(&self, what: &str, got: &[f64], want: &[f64]) -> Result<(), Fault> {
        let list = |numbers: &[f64]| Tensor::from_slice(numbers, [numbers.len()]);
        self.compare(what, &list(got), &list(want), Nan::Required)
    }

    /// Compares derivatives with respect to `x`; on either side none at all means zeros.
    fn derivative(
        &self,
        what: &str,
        x: &Var<f64>,
        got: &Option<Var<f64>>,
        want: &Option<Tensor<f64>>,
    ) -> Result<(), Fault> {
        let zeros = Tensor::zeros(x.shape());
        let got = got.as_ref().map_or(&zeros, Var::value);
        self.compare(what, got, want.as_ref().unwrap_or(&zeros), Nan::Undefined)
    }
}

/// Runs a function; if it panics, returns the message instead of printing it.
pub fn quietly<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    panic::set_hook(hook);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
        format!("panic: {}", message.unwrap_or_default())
    })
}

/// Checks everything that a case of an operator or a program says; without a cotangent the output alone.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let tape = Tape::new_f64();
    let inputs: Vec<Tensor<f64>> = field(case, "inputs")?;
    let inputs: Vec<Var<f64>> = inputs.iter().map(|x| tape.var(x)).collect();
    let y = evaluate(case, &inputs)?;
    tolerance.compare("output", y.value(), &field(case, "output")?, Nan::Required)?;
    let Some(u) = field::<Option<Tensor<f64>>>(case, "grad_output")?.map(|u| tape.var(u)) else { return Ok(()) };
    let gradients = y.vjp(&u, &inputs.iter().collect::<Vec<_>>());
    let expected: Vec<Option<Tensor<f64>>> = each(case, "grads", &inputs)?;
    for (k, x) in inputs.iter().enumerate() {
        tolerance.derivative(&format!("gradient of input {k}"), x, &gradients[k], &expected[k])?;
    }
    match field::<Option<Value>>(case, "second")? {
        Some(second) => second_order(&second, &inputs, &u, &gradients, tolerance),
        None => Ok(()),
    }
}

/// Checks the derivatives of s = Σ ⟨vᵢ, gradientᵢ⟩ with respect to the inputs and the cotangent `u`.
fn second_order(
    second: &Value,
    inputs: &[Var<f64>],
    u: &Var<f64>,
    gradients: &[Option<Var<f64>>],
    tolerance: &Tolerance,
) -> Result<(), Fault> {
    let directions: Vec<Tensor<f64>> = each(second, "v", inputs)?;
    let terms = gradients.iter().zip(&directions).filter_map(|(g, v)| Some((g.as_ref()? * v).sum()));
    let targets: Vec<&Var<f64>> = inputs.iter().chain([u]).collect();
    let found = match terms.reduce(|sum, term| sum + term) {
        Some(s) => s.vjp(&s.constant(1.0), &targets),
        None => vec![None; targets.len()],
    };
    let hvp: Vec<Option<Tensor<f64>>> = each(second, "hvp", inputs)?;
    for (k, x) in inputs.iter().enumerate() {
        tolerance.derivative(&format!("hvp of input {k}"), x, &found[k], &hvp[k])?;
    }
    tolerance.derivative("jvp", u, &found[inputs.len()], &field(second, "jvp")?)
}

/// A list with one entry for each input.
fn each<T>(object: &Value, key: &str, inputs: &[Var<f64>]) -> Result<Vec<T>, Fault>
where
    Vec<T>: crate::json::Read,
{
    let list: Vec<T> = field(object, key)?;
    let counts = || format!("`{key}` has {} entries for {} inputs", list.len(), inputs.len());
    if list.len() == inputs.len() { Ok(list) } else { Err(Fault::Failed(counts())) }
}

/// The result of the case's operator, or of the last step of its program.
fn evaluate(case: &Value, inputs: &[Var<f64>]) -> Result<Var<f64>, Fault> {
    let (op, attributes) = (field::<String>(case, "op")?, field::<Map<_, _>>(case, "attrs")?);
    if op != "program" {
        return operators::apply(&op, inputs, &attributes);
    }
    let program = Attributes::new(&op, &attributes);
    let steps: Vec<Value> = program.get("steps")?;
    program.all_read()?;
    run(&steps, inputs)
}

/// The result of the last of some steps.
pub fn run(steps: &[Value], inputs: &[Var<f64>]) -> Result<Var<f64>, Fault> {
    let mut values = inputs.to_vec();
    for step in steps {
        let arguments = field::<Vec<usize>>(step, "args")?;
        let value = |&k: &usize| values.get(k).cloned().ok_or_else(|| Fault::Failed(format!("no value {k}")));
        let arguments: Vec<Var<f64>> = arguments.iter().map(value).collect::<Result<_, _>>()?;
        values.push(operators::apply(&field::<String>(step, "op")?, &arguments, &field(step, "attrs")?)?);
    }
    values.pop().ok_or_else(|| Fault::Failed("a program of nothing".into()))
}
