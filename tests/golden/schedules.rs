//! Learning-rate schedules by their names in PyTorch.

use crate::Fault;
use crate::attributes::Attributes;
use crate::check::Tolerance;
use crate::formula;
use crate::json::{Map, Value, field};
use wengert::Tape;
use wengert::optim::schedule::*;

/// Compares the learning rates of a schedule, step by step.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let (name, options) = (field::<String>(case, "scheduler")?, field::<Map<_, _>>(case, "options")?);
    let (a, base) = (Attributes::new(&name, &options), field::<f64>(case, "base_lr")?);
    let want: Vec<f64> = field(case, "lr")?;
    let got: Vec<f64> = match name.as_str() {
        "ReduceLROnPlateau" => {
            let (mut plateau, metrics) = (plateau(&a, base)?, field::<Vec<f64>>(case, "metrics")?);
            let first = plateau.learning_rate();
            std::iter::once(first).chain(metrics.iter().map(|&metric| plateau.observe(metric))).collect()
        }
        _ => {
            let Some(schedule) = by_name(&name, &a, base)? else { return Err(Fault::Unsupported(name)) };
            (0..want.len()).map(|step| schedule.at(step)).collect()
        }
    };
    a.all_read()?;
    tolerance.numbers("lr", &got, &want)
}

/// The schedule of that name. Options that are left out have PyTorch's defaults.
fn by_name(name: &str, a: &Attributes, base: f64) -> Result<Option<Box<dyn Schedule>>, Fault> {
    Ok(Some(match name {
        "StepLR" => Box::new(StepDecay::new(base, a.get("step_size")?).gamma(a.get_or("gamma", 0.1)?)),
        "MultiStepLR" => {
            let milestones: Vec<usize> = a.get("milestones")?;
            Box::new(MultiStep::new(base, milestones).gamma(a.get_or("gamma", 0.1)?))
        }
        "ExponentialLR" => Box::new(Exponential::new(base, a.real("gamma")?)),
        "CosineAnnealingLR" => Box::new(Cosine::new(base, a.get("T_max")?).minimum(a.get_or("eta_min", 0.0)?)),
        "CosineAnnealingWarmRestarts" => {
            let schedule = CosineWarmRestarts::new(base, a.get("T_0")?).growth(a.get_or("T_mult", 1)?);
            Box::new(schedule.minimum(a.get_or("eta_min", 0.0)?))
        }
        "LinearLR" => {
            let (start, end) = (a.get_or("start_factor", 1.0 / 3.0)?, a.get_or("end_factor", 1.0)?);
            Box::new(LinearRamp::new(base, a.get_or("total_iters", 5)?).start_factor(start).end_factor(end))
        }
        "PolynomialLR" => {
            let steps = a.get_or("total_iters", 5)?;
            Box::new(Polynomial::new(base, steps).power(a.get_or("power", 1.0)?))
        }
        "ConstantLR" => {
            let factor = a.get_or("factor", 1.0 / 3.0)?;
            Box::new(Constant::new(base, factor, a.get_or("total_iters", 5)?))
        }
        "LambdaLR" => {
            let factor: String = a.get("lr_lambda")?;
            lambda(&factor, 0)?;
            Box::new(move |step| base * lambda(&factor, step).unwrap_or(f64::NAN))
        }
        "OneCycleLR" => Box::new(one_cycle(a)?),
        _ => return Ok(None),
    }))
}

/// A factor that is given as a formula, such as `0.95 ** epoch` or `lambda t: 1 / (1 + t)`.
fn lambda(factor: &str, step: usize) -> Result<f64, Fault> {
    let tape = Tape::new_f64();
    let step = tape.constant(step as f64);
    let variable = |name: &str| ["epoch", "step", "t", "e", "k", "n"].contains(&name).then(|| step.clone());
    let formula = factor.rsplit(':').next().unwrap_or_default();
    Ok(formula::evaluate(formula, &step, &variable)?.item())
}

fn one_cycle(a: &Attributes) -> Result<OneCycle, Fault> {
    if a.get_or("three_phase", false)? {
        return Err(a.unknown("three_phase"));
    }
    let start = 1.0 / a.get_or("div_factor", 25.0)?;
    let end = start / a.get_or("final_div_factor", 1e4)?;
    let schedule = OneCycle::new(a.real("max_lr")?, a.get("total_steps")?);
    let schedule = schedule.rise(a.get_or("pct_start", 0.3)?).start_factor(start).end_factor(end);
    match a.get_or("anneal_strategy", "cos".to_string())?.as_str() {
        "cos" => Ok(schedule),
        "linear" => Ok(schedule.linear()),
        _ => Err(a.unknown("anneal_strategy")),
    }
}

fn plateau(a: &Attributes, base: f64) -> Result<ReduceOnPlateau, Fault> {
    let plateau = ReduceOnPlateau::new(base).factor(a.get_or("factor", 0.1)?).patience(a.get_or("patience", 10)?);
    let plateau = plateau.threshold(a.get_or("threshold", 1e-4)?).cooldown(a.get_or("cooldown", 0)?);
    let plateau = plateau.minimum(a.get_or("min_lr", 0.0)?).epsilon(a.get_or("eps", 1e-8)?);
    let plateau = match a.get_or("mode", "min".to_string())?.as_str() {
        "min" => plateau,
        "max" => plateau.maximize(),
        _ => return Err(a.unknown("mode")),
    };
    match a.get_or("threshold_mode", "rel".to_string())?.as_str() {
        "rel" => Ok(plateau),
        "abs" => Ok(plateau.absolute()),
        _ => Err(a.unknown("threshold_mode")),
    }
}
