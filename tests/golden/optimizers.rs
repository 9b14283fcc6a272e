//! Optimizers by their names in PyTorch, on given gradients and on functions of two variables.

use crate::Fault;
use crate::attributes::Attributes;
use crate::check::Tolerance;
use crate::formula;
use crate::json::{Map, Value, field};
use wengert::optim::{AdaDelta, AdaGrad, Adamax, NAdam, Optimizer, RAdam, RmsProp};
use wengert::prelude::{Adam, AdamW, Gradients, Param, Sgd, Tape, Tensor};

/// Follows an optimizer along a stream of gradients that the file holds.
pub fn stream(file: &Value, case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let initial: Vec<Tensor<f64>> = field(file, "params")?;
    let mut model: Vec<Param<f64>> = initial.into_iter().map(Param::new).collect();
    let mut optimizer = build(case)?;
    let streams: Value = field(file, "streams")?;
    let steps: Vec<Vec<Vec<f64>>> = field(&streams, &field::<String>(case, "stream")?)?;
    let trajectory: Vec<Vec<Vec<f64>>> = field(case, "trajectory")?;
    same_length("steps", steps.len(), trajectory.len())?;
    for (k, (step, want)) in steps.iter().zip(&trajectory).enumerate() {
        same_length("gradients", step.len(), model.len())?;
        same_length("parameters", want.len(), model.len())?;
        let shaped = |(gradient, param): (&Vec<f64>, &Param<f64>)| Tensor::from_slice(gradient, param.shape());
        let gradients = given(&model, step.iter().zip(&model).map(shaped));
        optimizer.step(&mut model, &gradients);
        for (number, (param, want)) in model.iter().zip(want).enumerate() {
            tolerance.numbers(&format!("parameter {number} after step {}", k + 1), param.value().as_slice(), want)?;
        }
    }
    Ok(())
}

/// Follows an optimizer down a function.
pub fn descent(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let function: String = field(case, "function")?;
    // A name may precede the formula.
    let formula = match function.rsplit([':', '=']).next().unwrap_or_default() {
        "himmelblau" => "(x0^2 + x1 - 11)^2 + (x0 + x1^2 - 7)^2",
        formula => formula,
    };
    let start: Vec<f64> = field(case, "start")?;
    let mut point = Param::new(Tensor::from_slice(&start, [2]));
    let mut optimizer = build(case)?;
    let values: Vec<f64> = field(case, "values")?;
    let trajectory: Vec<Vec<f64>> = field(case, "trajectory")?;
    same_length("values", values.len(), trajectory.len())?;
    for (k, (value, want)) in values.iter().zip(&trajectory).enumerate() {
        let tape = Tape::new_f64();
        let x = tape.param(&point);
        let coordinate = |name: &str| match name {
            "x0" => Some(x.slice(0, 0..1)),
            "x1" => Some(x.slice(0, 1..2)),
            _ => None,
        };
        let y = formula::evaluate(formula, &x, &coordinate)?;
        tolerance.numbers(&format!("value before step {}", k + 1), y.value().as_slice(), &[*value])?;
        drop(x);
        optimizer.step(&mut point, &y.backward());
        tolerance.numbers(&format!("point after step {}", k + 1), point.value().as_slice(), want)?;
    }
    Ok(())
}

/// Gradients that are given: those of the sum of each parameter times what its gradient is to be.
pub fn given(params: &[Param<f64>], gradients: impl Iterator<Item = Tensor<f64>>) -> Gradients<f64> {
    let tape = Tape::new_f64();
    let terms = params.iter().zip(gradients).map(|(param, gradient)| (tape.constant(gradient) * param).sum());
    terms.reduce(|sum, term| sum + term).expect("a case has parameters").backward()
}

fn same_length(what: &str, got: usize, want: usize) -> Result<(), Fault> {
    if got == want { Ok(()) } else { Err(Fault::Failed(format!("{got} {what} for {want}"))) }
}

/// The optimizer that a case names, with its options. Options that are left out have PyTorch's defaults.
pub fn build(case: &Value) -> Result<Box<dyn Optimizer<f64>>, Fault> {
    let (name, options) = (field::<String>(case, "optimizer")?, field::<Map<_, _>>(case, "options")?);
    let a = Attributes::new(&name, &options);
    let Some(mut optimizer) = by_name(&name, &a)? else { return Err(Fault::Unsupported(name)) };
    let settings = optimizer.settings_mut();
    settings.weight_decay = a.get_or("weight_decay", settings.weight_decay)?;
    settings.maximize = a.get_or("maximize", false)?;
    // How PyTorch computes the same.
    for key in ["foreach", "fused", "capturable", "differentiable"] {
        a.get::<Option<bool>>(key)?;
    }
    a.all_read()?;
    Ok(optimizer)
}

fn by_name(name: &str, a: &Attributes) -> Result<Option<Box<dyn Optimizer<f64>>>, Fault> {
    let rate = a.real("lr")?;
    let epsilon = |default: f64| a.get_or("eps", default);
    Ok(Some(match name {
        "SGD" => {
            let momentum = a.get_or("momentum", 0.0)?;
            let sgd = Sgd::new(rate).momentum(momentum).dampening(a.get_or("dampening", 0.0)?);
            Box::new(when(a.get_or("nesterov", false)?, sgd, Sgd::nesterov))
        }
        "Adagrad" => {
            let (decay, initial) = (a.get_or("lr_decay", 0.0)?, a.get_or("initial_accumulator_value", 0.0)?);
            let ada_grad = AdaGrad::new(rate).learning_rate_decay(decay).initial_accumulator(initial);
            Box::new(ada_grad.epsilon(epsilon(1e-10)?))
        }
        "RMSprop" => {
            let (alpha, momentum) = (a.get_or("alpha", 0.99)?, a.get_or("momentum", 0.0)?);
            let rms_prop = RmsProp::new(rate).alpha(alpha).momentum(momentum).epsilon(epsilon(1e-8)?);
            Box::new(when(a.get_or("centered", false)?, rms_prop, RmsProp::centered))
        }
        "Adadelta" => Box::new(AdaDelta::new(rate).rho(a.get_or("rho", 0.9)?).epsilon(epsilon(1e-6)?)),
        _ => return adam_by_name(name, a, rate),
    }))
}

/// Adam and its variants.
fn adam_by_name(name: &str, a: &Attributes, rate: f64) -> Result<Option<Box<dyn Optimizer<f64>>>, Fault> {
    let [beta1, beta2] = a.get_or("betas", vec![0.9, 0.999])?[..] else { return Err(a.unknown("betas")) };
    let epsilon = a.get_or("eps", 1e-8)?;
    let flag = |key| a.get_or(key, false);
    Ok(Some(match name {
        "Adam" if flag("decoupled_weight_decay")? => return adam_by_name("AdamW", a, rate),
        "Adam" => {
            let adam = Adam::new(rate).betas(beta1, beta2).epsilon(epsilon);
            Box::new(when(flag("amsgrad")?, adam, Adam::amsgrad))
        }
        "AdamW" => {
            let adam = AdamW::new(rate).betas(beta1, beta2).epsilon(epsilon);
            Box::new(when(flag("amsgrad")?, adam, AdamW::amsgrad))
        }
        "Adamax" => Box::new(Adamax::new(rate).betas(beta1, beta2).epsilon(epsilon)),
        "NAdam" => {
            let adam = NAdam::new(rate).betas(beta1, beta2).epsilon(epsilon);
            let adam = adam.momentum_decay(a.get_or("momentum_decay", 0.004)?);
            Box::new(when(flag("decoupled_weight_decay")?, adam, NAdam::decoupled))
        }
        "RAdam" => {
            let adam = RAdam::new(rate).betas(beta1, beta2).epsilon(epsilon);
            Box::new(when(flag("decoupled_weight_decay")?, adam, RAdam::decoupled))
        }
        _ => return Ok(None),
    }))
}

/// With an option or without.
fn when<O>(chosen: bool, optimizer: O, option: impl FnOnce(O) -> O) -> O {
    if chosen { option(optimizer) } else { optimizer }
}
