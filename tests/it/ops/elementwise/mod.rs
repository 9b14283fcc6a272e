//! Functions of each element, most of them smooth.

mod activation;
mod arithmetic;
mod error_function;
mod exponential;
mod hyperbolic;
mod mask;
mod minmax;
mod power;
mod rounding;
mod scalar;
mod sign;
mod trigonometric;

use crate::support::gradients::{Domain, Row};
use crate::support::panics::Panic;

/// Within (−1, 1), where the inverse functions are defined.
const UNIT: Domain = &[(-0.8, 0.8)];

pub fn rows() -> Vec<Row> {
    let rows = [
        activation::rows(),
        arithmetic::rows(),
        error_function::rows(),
        exponential::rows(),
        hyperbolic::rows(),
        mask::rows(),
        minmax::rows(),
        power::rows(),
        rounding::rows(),
        scalar::rows(),
        sign::rows(),
        trigonometric::rows(),
    ];
    rows.into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [activation::PANICS, arithmetic::PANICS, mask::PANICS].concat()
}
