//! Properties of the Jacobian J of an operation for random shapes, settings and values.

use crate::support::draw::Draw;
use wengert::functional;
use wengert::prelude::*;

type Function = Box<dyn Fn(&[Var<f64>]) -> Var<f64>>;

/// A random case of an operation.
pub struct Case {
    /// The shapes of the inputs.
    pub shapes: Vec<Vec<usize>>,
    /// The operation with its settings applied.
    pub f: Function,
}

impl Case {
    /// The value at the given inputs.
    pub fn value(&self, inputs: &[Tensor<f64>]) -> Tensor<f64> {
        let tape = Tape::<f64>::with_mode(Mode::Inference);
        let x: Vec<_> = inputs.iter().map(|x| tape.constant(x)).collect();
        (self.f)(&x).value().clone()
    }

    /// The products of a cotangent with the Jacobian with respect to each input; zeros where there is no gradient.
    pub fn vjp(&self, inputs: &[Tensor<f64>], cotangent: &Tensor<f64>) -> Vec<Tensor<f64>> {
        let tape = Tape::new_f64();
        let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
        let flows = (self.f)(&x).vjp(&tape.constant(cotangent), &x.iter().collect::<Vec<_>>());
        let flow = |(flow, x): (Option<Var<f64>>, &Tensor<f64>)| {
            flow.map_or_else(|| Tensor::zeros(x.shape()), |flow| flow.value().clone())
        };
        flows.into_iter().zip(inputs).map(flow).collect()
    }
}

/// The name of an operation and a function that draws a random case.
pub type Random = (&'static str, fn(&mut Draw) -> Case);

pub fn case(shapes: impl Into<Vec<Vec<usize>>>, f: impl Fn(&[Var<f64>]) -> Var<f64> + 'static) -> Case {
    Case { shapes: shapes.into(), f: Box::new(f) }
}

/// A case of a function of one input of any shape.
pub fn any(draw: &mut Draw, f: fn(&Var<f64>) -> Var<f64>) -> Case {
    case([draw.shape(0)], move |x| f(&x[0]))
}

/// A case of a function of one input along an axis.
pub fn along(draw: &mut Draw, f: fn(&Var<f64>, isize) -> Var<f64>) -> Case {
    let shape = draw.full_shape(1);
    let axis = draw.axis(&shape);
    case([shape], move |x| f(&x[0], axis))
}

/// A case of a function of two inputs that broadcast.
pub fn broadcasting(draw: &mut Draw, f: fn(&Var<f64>, &Var<f64>) -> Var<f64>) -> Case {
    let shape = draw.shape(0);
    let mut narrow = |shape: &[usize]| {
        let from = draw.size(0, shape.len());
        shape[from..].iter().map(|&n| if draw.size(0, 2) == 0 { 1 } else { n }).collect::<Vec<_>>()
    };
    let (a, b) = (narrow(&shape), shape);
    case([a, b], move |x| f(&x[0], &x[1]))
}

/// The number of random cases for each operation.
const DRAWS: u64 = 40;

/// Checks operations that are linear in each input separately: the properties of every operation, and adjointness.
pub fn check_linear(operations: &[Random]) {
    check_jacobian(operations);
    for_each(operations, vjp_of_a_linear_operation_is_its_adjoint);
}

/// Checks the properties that hold for every operation.
pub fn check_jacobian(operations: &[Random]) {
    for_each(operations, vjp_is_linear_in_the_cotangent);
    for_each(operations, vjp_is_the_adjoint_of_the_derivative_along_a_direction);
    for_each(operations, jvp_is_the_derivative_along_a_direction);
    for_each(operations, recording_does_not_change_the_value);
}

/// Runs a check on random cases of operations and their inputs.
fn for_each(operations: &[Random], check: fn(&str, &Case, &[Tensor<f64>], &mut Draw)) {
    for (name, operation) in operations {
        for seed in 0..DRAWS {
            let mut draw = Draw::new(seed);
            let case = operation(&mut draw);
            let inputs = draw.normals(&case.shapes);
            check(&format!("{name}, draw {seed}, {:?}", case.shapes), &case, &inputs, &mut draw);
        }
    }
}

/// The sum of the inner products of corresponding tensors.
fn dot(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).sum().item()).sum()
}

/// The inputs displaced along directions.
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
fn vjp_is_linear_in_the_cotangent(what: &str, case: &Case, inputs: &[Tensor<f64>], draw: &mut Draw) {
    let y = case.value(inputs);
    let (u, w) = (draw.normal(y.shape()), draw.normal(y.shape()));
    let whole = case.vjp(inputs, &(&u * 2.0 - &w * 0.5));
    let (of_u, of_w) = (case.vjp(inputs, &u), case.vjp(inputs, &w));
    for ((whole, u), w) in whole.iter().zip(&of_u).zip(&of_w) {
        assert_all_near(what, whole, &(u * 2.0 - w * 0.5), 1e-12);
    }
}

/// `⟨u, J v⟩ = ⟨Jᵀu, v⟩`, where `J v` is a central difference of values along v and uses no backward rule.
fn vjp_is_the_adjoint_of_the_derivative_along_a_direction(
    what: &str,
    case: &Case,
    inputs: &[Tensor<f64>],
    draw: &mut Draw,
) {
    let directions = draw.normals(&case.shapes);
    let u = draw.normal(case.value(inputs).shape());
    let step = 1e-5;
    let ahead = case.value(&moved(inputs, &directions, step));
    let behind = case.value(&moved(inputs, &directions, -step));
    let along = (&u * (ahead - behind)).sum().item() / (2.0 * step);
    assert_near(what, along, dot(&case.vjp(inputs, &u), &directions), 1e-7);
}

/// Forward mode, composed of two reverse passes, agrees with the central difference as well.
fn jvp_is_the_derivative_along_a_direction(what: &str, case: &Case, inputs: &[Tensor<f64>], draw: &mut Draw) {
    let directions = draw.normals(&case.shapes);
    let (value, along) = functional::jvp(|x: &Vec<Var<f64>>| (case.f)(x), &inputs.to_vec(), &directions);
    assert_eq!(value, case.value(inputs), "{what}");
    let step = 1e-5;
    let ahead = case.value(&moved(inputs, &directions, step));
    let behind = case.value(&moved(inputs, &directions, -step));
    assert_all_near(what, &along, &((ahead - behind) / (2.0 * step)), 1e-7);
}

/// A linear operation is its own derivative: `J v = f(v)`, hence `⟨u, f(v)⟩ = ⟨Jᵀu, v⟩` at any point, up to rounding.
fn vjp_of_a_linear_operation_is_its_adjoint(what: &str, case: &Case, inputs: &[Tensor<f64>], draw: &mut Draw) {
    let y = case.value(inputs);
    let u = draw.normal(y.shape());
    assert_near(what, (&u * y).sum().item(), dot(&case.vjp(inputs, &u), inputs), 1e-12);
}

/// The same inputs give the same bits, with and without recording.
fn recording_does_not_change_the_value(what: &str, case: &Case, inputs: &[Tensor<f64>], _: &mut Draw) {
    let tape = Tape::new_f64();
    let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
    assert_eq!((case.f)(&x).value(), &case.value(inputs), "{what}");
}
