//! Clipping of gradients.

use crate::Fault;
use crate::check::Tolerance;
use crate::json::{Value, field};
use crate::optimizers::given;
use wengert::{Param, Tensor};

/// Clips a set of gradients by norm or by value.
pub fn case(case: &Value, tolerance: &Tolerance) -> Result<(), Fault> {
    let tensors: Vec<Tensor<f64>> = field(case, "grads")?;
    let params: Vec<Param<f64>> = tensors.iter().map(|gradient| Param::new(Tensor::zeros(gradient.shape()))).collect();
    let mut gradients = given(&params, tensors.into_iter());
    let bound: f64 = field(case, "bound")?;
    match field::<String>(case, "kind")?.as_str() {
        "norm" => {
            let norm = gradients.clip_norm_p(bound, field(case, "norm_type")?);
            tolerance.numbers("total_norm", &[norm], &[field(case, "total_norm")?])?;
        }
        "value" => gradients.clip_value(bound),
        kind => return Err(Fault::Unsupported(format!("kind {kind}"))),
    }
    let clipped: Vec<Tensor<f64>> = field(case, "clipped")?;
    if clipped.len() != params.len() {
        return Err(Fault::Failed(format!("{} clipped for {} gradients", clipped.len(), params.len())));
    }
    for (number, (param, want)) in params.iter().zip(&clipped).enumerate() {
        tolerance.numbers(&format!("gradient {number}"), gradients[param].as_slice(), want.as_slice())?;
    }
    Ok(())
}
