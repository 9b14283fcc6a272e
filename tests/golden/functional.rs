//! Derivatives of whole functions.

use crate::Fault;
use crate::check::{self, Nan, Tolerance};
use crate::json::{Value, field};
use wengert::functional;
use wengert::{Tape, Tensor, Var};

/// Checks every derivative that a case gives, all with respect to its first input.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let steps: Vec<Value> = field(case, "steps")?;
    let inputs: Vec<Tensor<f64>> = field(case, "inputs")?;
    let Some((x, constants)) = inputs.split_first() else { return Err(Fault::Failed("no input".into())) };
    let values = |x: &Var<f64>| {
        let constants = constants.iter().map(|constant| x.constant(constant));
        std::iter::once(x.clone()).chain(constants).collect::<Vec<_>>()
    };
    let compare = |key: &str, got: &Tensor<f64>| tolerance.compare(key, got, &field(case, key)?, Nan::Required);

    let tape = Tape::new_f64();
    compare("output", check::run(&steps, &values(&tape.var(x)))?.value())?;
    // A step that is not known has been reported by now.
    let f = |x: &Var<f64>| check::run(&steps, &values(x)).expect("the steps have run before");
    let [u, v]: [Tensor<f64>; 2] = [field(case, "u")?, field(case, "v")?];
    compare("jacobian", &functional::jacobian(f, x))?;
    let (output, product) = functional::jvp(f, x, &v);
    compare("output", &output)?;
    compare("jvp", &product)?;
    let (output, product) = functional::vjp(f, x, &u);
    compare("output", &output)?;
    compare("vjp", &product)?;
    if field::<Option<Tensor<f64>>>(case, "gradient")?.is_none() {
        return Ok(());
    }
    compare("gradient", &functional::grad(f, x))?;
    compare("hessian", &functional::hessian(f, x))?;
    compare("hvp", &functional::hvp(f, x, &v))?;
    let near = functional::quadratic_model(f, x);
    compare("output", &near.value)?;
    compare("gradient", &near.gradient)?;
    compare("hvp", &near.product(&v))
}
