//! Initial weights: their scale, and samples of them.

use crate::Fault;
use crate::check::Tolerance;
use crate::json::{Value, field};
use wengert::{Fan, Init, Nonlinearity, Tensor};

/// Compares gain, fans, standard deviation and bound of a rule, and draws from it.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let shape: Vec<usize> = field(case, "shape")?;
    let near = |what: &str, got: f64, key: &str| tolerance.numbers(what, &[got], &[field(case, key)?]);
    let gain = nonlinearity(case)?.gain();
    near("gain", gain, "gain")?;
    for (fan, key) in [(Fan::In, "fan_in"), (Fan::Out, "fan_out")] {
        let std = Init::Scaled { gain: 1.0, fan, uniform: false }.std(&shape);
        near(key, std.powi(-2), key)?;
    }
    let (fan, uniform) = rule(case)?;
    let rules = [Some(Init::Scaled { gain, fan, uniform }), named(case, fan, uniform)?];
    for rule in rules.into_iter().flatten() {
        near("std", rule.std(&shape), "std")?;
        let sample: Tensor<f64> = rule.tensor(&shape, &mut wengert::rng(0));
        let (count, square) = (sample.as_slice().len() as f64, (&sample * &sample).mean().item());
        if (square.sqrt() / rule.std(&shape) - 1.0).abs() > 5.0 / (2.0 * count).sqrt() {
            return Err(Fault::Failed(format!("a sample's root mean square is {}", square.sqrt())));
        }
        if uniform {
            near("bound", rule.std(&shape) * 3f64.sqrt(), "bound")?;
            let (largest, bound) = (sample.map(f64::abs).max().item(), field::<f64>(case, "bound")?);
            if !(0.9 * bound..=bound).contains(&largest) {
                return Err(Fault::Failed(format!("the largest of a sample is {largest}")));
            }
        }
    }
    Ok(())
}

fn nonlinearity(case: &Value) -> Result<Nonlinearity, Fault> {
    Ok(match field::<String>(case, "nonlinearity")?.as_str() {
        "linear" => Nonlinearity::Linear,
        "sigmoid" => Nonlinearity::Sigmoid,
        "tanh" => Nonlinearity::Tanh,
        "relu" => Nonlinearity::Relu,
        "leaky_relu" => Nonlinearity::LeakyRelu(field(case, "negative_slope")?),
        "selu" => Nonlinearity::Selu,
        other => return Err(Fault::Unsupported(format!("nonlinearity {other}"))),
    })
}

/// What the variance is divided by, and whether the distribution is uniform.
fn rule(case: &Value) -> Result<(Fan, bool), Fault> {
    let (init, mode) = (field::<String>(case, "init")?, field::<Option<String>>(case, "mode")?);
    let fan = match (init.as_str(), mode.as_deref()) {
        ("xavier_normal" | "xavier_uniform", None) => Fan::Average,
        ("kaiming_normal" | "kaiming_uniform", Some("fan_in")) => Fan::In,
        ("kaiming_normal" | "kaiming_uniform", Some("fan_out")) => Fan::Out,
        _ => return Err(Fault::Unsupported(format!("{init} with mode {mode:?}"))),
    };
    Ok((fan, init.ends_with("_uniform")))
}

/// The name that the crate has for the rule, if any.
fn named(case: &Value, fan: Fan, uniform: bool) -> Result<Option<Init>, Fault> {
    Ok(match (nonlinearity(case)?, fan, uniform) {
        (Nonlinearity::Relu, Fan::In, false) => Some(Init::He),
        (Nonlinearity::Relu, Fan::In, true) => Some(Init::HeUniform),
        (Nonlinearity::Linear, Fan::In, false) => Some(Init::LeCun),
        (Nonlinearity::Linear, Fan::In, true) => Some(Init::LeCunUniform),
        (Nonlinearity::Linear, Fan::Average, false) => Some(Init::Xavier),
        (Nonlinearity::Linear, Fan::Average, true) => Some(Init::XavierUniform),
        _ => None,
    })
}
