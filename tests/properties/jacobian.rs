//! What holds for the Jacobian J of every operation.

use crate::draw::Draw;
use crate::table::{CURVED, Case, LINEAR, Row};
use wengert::functional;
use wengert::prelude::*;

/// Uses that are drawn of each operation.
const DRAWS: u64 = 40;

/// Runs a check on drawn uses of operations, with the inputs.
fn for_each(rows: &[&[Row]], check: impl Fn(&str, &Case, &[Tensor<f64>], &mut Draw)) {
    for (name, row) in rows.iter().copied().flatten() {
        for seed in 0..DRAWS {
            let mut draw = Draw::new(seed);
            let case = row(&mut draw);
            let inputs = draw.normals(&case.shapes);
            check(&format!("{name}, draw {seed}, {:?}", case.shapes), &case, &inputs, &mut draw);
        }
    }
}

/// The sum of the products of elements, of several pairs.
fn dot(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).sum().item()).sum()
}

/// The inputs moved along directions.
fn moved(inputs: &[Tensor<f64>], directions: &[Tensor<f64>], step: f64) -> Vec<Tensor<f64>> {
    inputs.iter().zip(directions).map(|(x, v)| x + v * step).collect()
}

#[track_caller]
fn assert_near(what: &str, a: f64, b: f64, tolerance: f64) {
    let scale = a.abs().max(b.abs()).max(1.0);
    assert!((a - b).abs() <= tolerance * scale, "{what}: {a} and {b}");
}

#[track_caller]
fn assert_all_near(what: &str, a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    a.as_slice().iter().zip(b.as_slice()).for_each(|(&a, &b)| assert_near(what, a, b, tolerance));
}

/// `(αu + βw)ᵀ J = α uᵀJ + β wᵀJ`.
#[test]
fn the_vjp_is_linear_in_the_cotangent() {
    for_each(&[LINEAR, CURVED], |what, case, inputs, draw| {
        let y = case.value(inputs);
        let (u, w) = (draw.normal(y.shape()), draw.normal(y.shape()));
        let whole = case.vjp(inputs, &(&u * 2.0 - &w * 0.5));
        let (of_u, of_w) = (case.vjp(inputs, &u), case.vjp(inputs, &w));
        for ((whole, u), w) in whole.iter().zip(&of_u).zip(&of_w) {
            assert_all_near(what, whole, &(u * 2.0 - w * 0.5), 1e-12);
        }
    });
}

/// `⟨u, J v⟩ = ⟨Jᵀu, v⟩`, where `J v` is a central difference of values along v: no rule takes part in it.
#[test]
fn the_vjp_is_the_adjoint_of_the_derivative_along_a_direction() {
    for_each(&[LINEAR, CURVED], |what, case, inputs, draw| {
        let directions = draw.normals(&case.shapes);
        let u = draw.normal(case.value(inputs).shape());
        let step = 1e-5;
        let ahead = case.value(&moved(inputs, &directions, step));
        let behind = case.value(&moved(inputs, &directions, -step));
        let along = (&u * (ahead - behind)).sum().item() / (2.0 * step);
        assert_near(what, along, dot(&case.vjp(inputs, &u), &directions), 1e-7);
    });
}

/// Forward mode, which is made of two reverse passes, gives the difference of values as well.
#[test]
fn the_jvp_is_the_derivative_along_a_direction() {
    for_each(&[LINEAR, CURVED], |what, case, inputs, draw| {
        let directions = draw.normals(&case.shapes);
        let (value, along) = functional::jvp(|x: &Vec<Var<f64>>| (case.f)(x), &inputs.to_vec(), &directions);
        assert_eq!(value, case.value(inputs), "{what}");
        let step = 1e-5;
        let ahead = case.value(&moved(inputs, &directions, step));
        let behind = case.value(&moved(inputs, &directions, -step));
        assert_all_near(what, &along, &((ahead - behind) / (2.0 * step)), 1e-7);
    });
}

/// A linear operation is its own derivative: `J v = f(v)`, hence `⟨u, f(v)⟩ = ⟨Jᵀu, v⟩` at any point, to the last digits.
#[test]
fn the_vjp_of_a_linear_operation_is_its_adjoint() {
    for_each(&[LINEAR], |what, case, inputs, draw| {
        let y = case.value(inputs);
        let u = draw.normal(y.shape());
        assert_near(what, (&u * y).sum().item(), dot(&case.vjp(inputs, &u), inputs), 1e-12);
    });
}

/// The same inputs give the same bits, recorded or not.
#[test]
fn recording_does_not_change_the_value() {
    for_each(&[LINEAR, CURVED], |what, case, inputs, _| {
        let tape = Tape::new_f64();
        let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
        assert_eq!((case.f)(&x).value(), &case.value(inputs), "{what}");
    });
}
