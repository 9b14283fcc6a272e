//! Functions and operators that act on each element.

use crate::row::{BOTH_SIDES, Domain, PLAIN, POSITIVE, Row, pair, row, unary};
use wengert::prelude::*;

/// Inside of (−1, 1), where the inverse functions are defined.
const UNIT: Domain = &[(-0.8, 0.8)];

/// Smooth functions of one input.
pub fn smooth() -> Vec<Row> {
    vec![
        unary("sin", PLAIN, |x| x.sin()),
        unary("cos", PLAIN, |x| x.cos()),
        unary("tan", UNIT, |x| x.tan()),
        unary("asin", UNIT, |x| x.asin()),
        unary("acos", UNIT, |x| x.acos()),
        unary("atan", PLAIN, |x| x.atan()),
        unary("sinh", PLAIN, |x| x.sinh()),
        unary("cosh", PLAIN, |x| x.cosh()),
        unary("tanh", PLAIN, |x| x.tanh()),
        unary("asinh", PLAIN, |x| x.asinh()),
        unary("acosh", &[(1.5, 3.0)], |x| x.acosh()),
        unary("atanh", UNIT, |x| x.atanh()),
        unary("erf", PLAIN, |x| x.erf()),
        unary("erfc", PLAIN, |x| x.erfc()),
        unary("exp", PLAIN, |x| x.exp()),
        unary("exp2", PLAIN, |x| x.exp2()),
        unary("expm1", PLAIN, |x| x.expm1()),
        unary("ln", POSITIVE, |x| x.ln()),
        unary("log1p", POSITIVE, |x| x.log1p()),
        unary("log2", POSITIVE, |x| x.log2()),
        unary("log10", POSITIVE, |x| x.log10()),
        unary("square", PLAIN, |x| x.square()),
        unary("sqrt", POSITIVE, |x| x.sqrt()),
        unary("rsqrt", POSITIVE, |x| x.rsqrt()),
        unary("reciprocal", BOTH_SIDES, |x| x.reciprocal()).on(&[&[(-2.0, -0.5), (0.5, 2.0)]]),
        unary("powi", POSITIVE, |x| x.powi(0) + x.powi(1) + x.powi(2) + x.powi(5) + x.powi(-2)),
        unary("powf", POSITIVE, |x| x.powf(0.0) + x.powf(2.7) + x.powf(-0.5)),
        unary("sigmoid", PLAIN, |x| x.sigmoid()),
        unary("log_sigmoid", PLAIN, |x| x.log_sigmoid()),
        unary("gelu", PLAIN, |x| x.gelu()),
        unary("gelu_tanh", PLAIN, |x| x.gelu_tanh()),
        unary("silu", PLAIN, |x| x.silu()),
        unary("mish", PLAIN, |x| x.mish()),
        unary("softplus", PLAIN, |x| x.softplus()),
        unary("softplus_with", &[(-2.0, 2.0), (3.0, 4.0)], |x| x.softplus_with(2.0, 5.0)),
    ]
}

/// Functions of one input with a kink or a jump, which their domains leave out.
pub fn kinked() -> Vec<Row> {
    vec![
        unary("abs", BOTH_SIDES, |x| x.abs()),
        unary("sign", BOTH_SIDES, |x| x.sign()),
        unary("floor", &[(-1.9, -1.1), (0.1, 0.9)], |x| x.floor()),
        unary("ceil", &[(-1.9, -1.1), (0.1, 0.9)], |x| x.ceil()),
        unary("round", &[(-1.4, -0.6), (0.6, 1.4)], |x| x.round()),
        unary("relu", BOTH_SIDES, |x| x.relu()),
        unary("leaky_relu", BOTH_SIDES, |x| x.leaky_relu(0.1)),
        unary("elu", BOTH_SIDES, |x| x.elu(1.3)),
        unary("selu", BOTH_SIDES, |x| x.selu()),
        unary("celu", BOTH_SIDES, |x| x.celu(0.7)),
        unary("softsign", BOTH_SIDES, |x| x.softsign()),
        unary("relu6", &[(-2.0, -0.1), (0.1, 5.9), (6.1, 8.0)], |x| x.relu6()),
        unary("hardsigmoid", &[(-4.0, -3.1), (-2.9, 2.9), (3.1, 4.0)], |x| x.hardsigmoid()),
        unary("hardswish", &[(-4.0, -3.1), (-2.9, 2.9), (3.1, 4.0)], |x| x.hardswish()),
        unary("clamp", &[(-2.0, -1.1), (-0.9, 0.4), (0.6, 2.0)], |x| x.clamp(-1.0, 0.5)),
        unary("clamp", BOTH_SIDES, |x| x.clamp(f64::NEG_INFINITY, 0.0)),
        unary("dropout", PLAIN, |x| x.dropout(0.5)),
        unary("dropout_seeded", PLAIN, |x| x.dropout_seeded(0.5, 3)),
    ]
}

/// Functions and operators of two inputs that broadcast.
pub fn binary() -> Vec<Row> {
    let smooth = [
        pair("add", [PLAIN, PLAIN], |a, b| a + b),
        pair("sub", [PLAIN, PLAIN], |a, b| a - b),
        pair("mul", [PLAIN, PLAIN], |a, b| a * b),
        pair("div", [PLAIN, POSITIVE], |a, b| a / b),
        pair("pow", [POSITIVE, PLAIN], |a, b| a.pow(b)),
        pair("hypot", [POSITIVE, PLAIN], |a, b| a.hypot(b)),
        pair("atan2", [PLAIN, POSITIVE], |a, b| a.atan2(b)),
        pair("logaddexp", [PLAIN, PLAIN], |a, b| a.logaddexp(b)),
    ];
    let apart: [Domain; 2] = [&[(-2.0, -1.1), (1.1, 2.0)], &[(-1.0, 1.0)]];
    let kinked = [
        pair("maximum", apart, |a, b| a.maximum(b)),
        pair("minimum", apart, |a, b| a.minimum(b)),
        pair("where_", [PLAIN, PLAIN], |a, b| a.where_(&tensor![f64; 1.0], b)),
        row("where_", &[&[&[2, 2], &[2]], &[&[2, 1], &[]]], |x| {
            x[0].where_(&tensor![f64; [1.0, 0.0], [0.0, 1.0]], &x[1])
        }),
        row("masked_fill", &[&[&[2, 2]]], |x| x[0].masked_fill(&tensor![f64; 1.0, 0.0], 3.0)),
        row("prelu", &[&[&[4], &[1]], &[&[2, 3], &[3]], &[&[2, 3, 2], &[3]], &[&[], &[1]]], |x| x[0].prelu(&x[1]))
            .on(&[BOTH_SIDES, PLAIN]),
    ];
    smooth.into_iter().chain(kinked).chain(repeated()).collect()
}

/// Functions of two inputs that are one and the same variable.
fn repeated() -> Vec<Row> {
    vec![
        unary("add", PLAIN, |x| x + x),
        unary("sub", PLAIN, |x| x - x.clone()),
        unary("mul", PLAIN, |x| x * x),
        unary("div", POSITIVE, |x| x / x.clone()),
        unary("pow", POSITIVE, |x| x.pow(x)),
        unary("hypot", POSITIVE, |x| x.hypot(x)),
        unary("atan2", POSITIVE, |x| x.atan2(x)),
        unary("logaddexp", PLAIN, |x| x.logaddexp(x)),
        row("matmul", &[&[&[2, 2]], &[&[3]]], |x| x[0].matmul(&x[0])),
    ]
}

/// Operators with a number, a tensor or a parameter on one side, and a change of sign.
pub fn operands() -> Vec<Row> {
    let tensor = || tensor![f64; [0.5], [-1.5]];
    vec![
        unary("neg", PLAIN, |x| -x),
        unary("add_scalar", PLAIN, |x| (x + 2.0) * (2.0 + x)),
        unary("rsub_scalar", PLAIN, |x| (2.0 - x) * (x - 2.0)),
        unary("mul_scalar", PLAIN, |x| (x * 3.0) * (3.0 * x)),
        unary("div_scalar", PLAIN, |x| x / 3.0),
        unary("rdiv_scalar", POSITIVE, |x| 3.0 / x),
        row("add", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] + tensor()) * (tensor() + &x[0])),
        row("sub", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] - &tensor()) * (&tensor() - &x[0])),
        row("mul", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] * tensor()) * (tensor() * &x[0])),
        row("div", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] / Param::new(tensor())) + (&Param::new(tensor()) / &x[0]))
            .on(&[POSITIVE]),
    ]
}
