//! Activation functions.

use crate::support::gradients::{BOTH_SIDES, PLAIN, Row, check_gradients, row, unary};
use crate::support::panics::{Panic, messages};
use crate::support::random::{any, check_jacobian};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        unary("sigmoid", PLAIN, |x| x.sigmoid()),
        unary("log_sigmoid", PLAIN, |x| x.log_sigmoid()),
        unary("gelu", PLAIN, |x| x.gelu()),
        unary("gelu", PLAIN, |x| x.gelu().sum().grad(x)),
        unary("gelu_tanh", PLAIN, |x| x.gelu_tanh()),
        unary("silu", PLAIN, |x| x.silu()),
        unary("mish", PLAIN, |x| x.mish()),
        unary("softplus", PLAIN, |x| x.softplus()),
        unary("softplus_with", &[(-2.0, 2.0), (3.0, 4.0)], |x| x.softplus_with(2.0, 5.0)),
        unary("relu", BOTH_SIDES, |x| x.relu()),
        unary("leaky_relu", BOTH_SIDES, |x| x.leaky_relu(0.1)),
        row("prelu", &[&[&[4], &[1]], &[&[2, 3], &[3]], &[&[2, 3, 2], &[3]], &[&[], &[1]]], |x| x[0].prelu(&x[1]))
            .on(&[BOTH_SIDES, PLAIN]),
        unary("elu", BOTH_SIDES, |x| x.elu(1.3)),
        unary("selu", BOTH_SIDES, |x| x.selu()),
        unary("celu", BOTH_SIDES, |x| x.celu(0.7)),
        unary("softsign", BOTH_SIDES, |x| x.softsign()),
        unary("relu6", &[(-2.0, -0.1), (0.1, 5.9), (6.1, 8.0)], |x| x.relu6()),
        unary("hardsigmoid", &[(-4.0, -3.1), (-2.9, 2.9), (3.1, 4.0)], |x| x.hardsigmoid()),
        unary("hardswish", &[(-4.0, -3.1), (-2.9, 2.9), (3.1, 4.0)], |x| x.hardswish()),
        row("swiglu", &[&[&[4]], &[&[2, 6]]], |x| x[0].swiglu(-1)),
        row("geglu", &[&[&[4]], &[&[2, 6]]], |x| x[0].geglu(-1)),
        row("glu", &[&[&[4]], &[&[2, 6]], &[&[3, 0]]], |x| x[0].glu(-1)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().glu(2)),
    ("option", || _ = variable().celu(0.0)),
    ("option", || _ = variable().softplus_with(0.0, 20.0)),
    ("odd_axis", || _ = variable().glu(1)),
    ("odd_axis", || _ = variable().swiglu(1)),
    ("odd_axis", || _ = variable().geglu(1)),
    ("prelu_weight", || _ = variable().prelu(Tensor::ones([2]))),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("gelu", |draw| any(draw, |x| x.gelu()))]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn activations_of_infinities_are_their_limits() {
    type Function = fn(&Var) -> Var;
    let gated: [Function; 5] = [|x| x.silu(), |x| x.gelu(), |x| x.gelu_tanh(), |x| x.mish(), |x| x.hardswish()];
    for f in gated {
        let x = Tape::new().var([f32::NEG_INFINITY, -1e38, 1e38, f32::INFINITY]);
        let y = f(&x);
        assert_eq!(y.value(), &tensor![0.0, 0.0, 1e38, f32::INFINITY]);
        assert_eq!(y.sum().backward()[&x], tensor![0.0, 0.0, 1.0, 1.0]);
        assert!(f(&Tape::new().var(f32::NAN)).item().is_nan());
    }
    let x = Tape::new().var([f32::NEG_INFINITY, 3e38]);
    assert_eq!(x.softsign().value(), &tensor![-1.0, 1.0]);
    assert_eq!(x.softplus_with(5.0, 1000.0).value(), &tensor![0.0, 3e38]);
    assert_eq!(Tape::new().var(100.0).softplus_with(5.0, 1000.0).item(), 100.0);
}

#[test]
fn gradients_at_nan_are_those_of_pytorch() {
    type Function = fn(&Var) -> Var;
    let functions: [(Function, f32); 5] = [
        (|x| x.relu(), 1.0),
        (|x| x.leaky_relu(0.1), 0.1),
        (|x| x.prelu(0.25), 0.25),
        (|x| x.hardsigmoid(), 0.0),
        (|x| x.clamp(-1.0, 1.0), 0.0),
    ];
    for (f, expected) in functions {
        let x = Tape::new().var(f32::NAN);
        assert_eq!(f(&x).backward()[&x].item(), expected);
    }
}

#[test]
fn second_derivatives_of_gated_activations_of_large_numbers_are_0() {
    const LARGE: [f32; 6] = [1e13, -1e20, 1e30, f32::MIN, f32::INFINITY, f32::NEG_INFINITY];
    for f in [Var::gelu, Var::gelu_tanh, Var::silu, Var::mish] {
        let x = Tape::new().var(LARGE);
        let second = f(&x).sum().grad(&x).sum().grad(&x);
        assert_eq!(second.value(), &Tensor::zeros([6]));
        assert_eq!(second.sum().grad(&x).value(), &Tensor::zeros([6]));
    }
}

#[test]
fn prelu_keeps_the_shape_of_a_scalar_and_ignores_the_other_side() {
    let tape = Tape::new();
    let (x, weight) = (tape.var(-2.0), tape.var([0.25]));
    assert_eq!(x.prelu(&weight).value(), &Tensor::scalar(-0.5));
    let infinite = tape.constant([f32::INFINITY]).prelu(&weight);
    assert_eq!((infinite.item(), infinite.sum().backward()[&weight].item()), (f32::INFINITY, 0.0));
}

#[test]
fn a_value_does_not_depend_on_its_neighbors() {
    let mut rng = wengert::rng(0);
    let x: Tensor = Tensor::randn([200], &mut rng) * 2.0;
    let gated: [fn(&Var) -> Var; 3] = [|x| x.silu(), |x| x.gelu(), |x| x.gelu_tanh()];
    for f in gated {
        let of = |x: Tensor| {
            let x = Tape::new().var(x);
            let y = f(&x);
            (y.value().clone(), y.sum().grad(&x).value().clone())
        };
        let (values, slopes) = of(x.clone());
        for (k, &x) in x.iter().enumerate() {
            let (value, slope) = of(Tensor::scalar(f64::from(x)));
            assert_eq!((value.item(), slope.item()), (values[[k]], slopes[[k]]), "at {x}");
        }
    }
}
