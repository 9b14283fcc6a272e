//! Elementwise functions, most of them smooth.

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
use wengert::prelude::*;

/// Values in (−1, 1), where the inverse functions are defined.
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

#[test]
fn functions_of_plain_tensors_have_the_values_of_variables() {
    let values = Tensor::<f64>::uniform([3, 4], 0.1, 0.9, &mut wengert::rng(1));
    let other = Tensor::<f64>::uniform([4], 0.1, 0.9, &mut wengert::rng(2));
    let mask = values.mask(|x| x > 0.5);
    let tape = Tape::<f64>::inference();
    let (x, z) = (tape.constant(&values), tape.constant(&other));
    macro_rules! agree {
        ($($method:ident($($argument:expr),*))*) => {
            $(assert_eq!(&values.$method($($argument),*), x.$method($($argument),*).value(), stringify!($method));)*
        };
    }
    agree! {
        exp() exp2() expm1() ln() log1p() log2() log10() sin() cos() tan() asin() acos() atan() sinh() cosh() tanh() asinh()
        atanh() erf() erfc() square() sqrt() rsqrt() reciprocal() abs() sign() floor() ceil() round() sigmoid() relu()
        log_sigmoid() leaky_relu(0.1) elu(0.5) selu() celu(0.5) gelu() gelu_tanh() silu() mish() softplus()
        softplus_with(2.0, 1.0) softsign() relu6() hardsigmoid() hardswish() glu(-1) swiglu(-1) geglu(-1) powi(3) powf(0.3) clamp(0.2, 0.7)
        masked_fill(&mask, 0.5) where_(&mask, 0.25) softmax(0) softmax(-1) log_softmax(1) logsumexp() logsumexp_over(0)
        var() var_over(1, 0.0) std() std_over(keepdim(0), 1.0) norm() norm_over(1.0, 0) norm_over(3.0, 1)
        flatten(0, 1) squeeze() unsqueeze(1) norm_over(f64::INFINITY, ..) normalize(2.0, 1, 1e-12) prod_over(1) mean_over(0)
        maximum(0.5) minimum(0.5) pow(2.0) hypot(1.0) atan2(1.0) logaddexp(0.0)
    }
    assert_eq!(&values.maximum(&other), x.maximum(&z).value());
    assert_eq!(&values.pow(&other), x.pow(&z).value());
}

#[test]
#[should_panic(expected = "maximum: shapes [3, 4] and [3] do not broadcast")]
fn functions_of_plain_tensors_name_themselves_in_messages() {
    _ = Tensor::<f32>::zeros([3, 4]).maximum(Tensor::zeros([3]));
}
