//! Pairs of operations adjoint to each other: `⟨A x, y⟩ = ⟨x, B y⟩`.

use crate::support::draw::Draw;
use wengert::prelude::*;

/// The input shape of the first operation, and both operations.
pub type Pair = (Vec<usize>, Function, Function);

type Function = Box<dyn Fn(&Var<f64>) -> Var<f64>>;

/// Two operations, and the input shape of the first.
pub fn pair(
    shape: Vec<usize>,
    a: impl Fn(&Var<f64>) -> Var<f64> + 'static,
    b: impl Fn(&Var<f64>) -> Var<f64> + 'static,
) -> Pair {
    (shape, Box::new(a), Box::new(b))
}

/// Checks random pairs: the values are adjoint, and the backward rule of each operation is the other.
pub fn check_adjoint(draw_pair: fn(&mut Draw) -> Pair) {
    (0..100).for_each(|seed| adjoint_by_values(draw_pair, seed));
    (0..40).for_each(|seed| rules_are_each_other(draw_pair, seed));
}

fn adjoint_by_values(draw_pair: fn(&mut Draw) -> Pair, seed: u64) {
    let mut draw = Draw::new(seed);
    let (shape, a, b) = draw_pair(&mut draw);
    let tape = Tape::<f64>::with_mode(Mode::Inference);
    let x = tape.constant(draw.normal(&shape));
    let ax = a(&x);
    let y = tape.constant(draw.normal(ax.shape()));
    let by = b(&y);
    assert_eq!(by.shape(), shape, "draw {seed}");
    let (left, right) = ((ax * &y).sum().item(), (&x * by).sum().item());
    let error = (left - right).abs();
    assert!(error <= 1e-12 * left.abs().max(1.0), "draw {seed}, {shape:?}: {left} and {right}");
}

fn rules_are_each_other(draw_pair: fn(&mut Draw) -> Pair, seed: u64) {
    let mut draw = Draw::new(seed);
    let (shape, a, b) = draw_pair(&mut draw);
    let tape = Tape::new_f64();
    let x = tape.var(draw.normal(&shape));
    let ax = a(&x);
    let y = tape.var(draw.normal(ax.shape()));
    for (flow, other) in [(ax.vjp(&y, &[&x]), b(&y)), (b(&y).vjp(&x, &[&y]), a(&x))] {
        let flow = flow[0].as_ref().expect("each depends on what it is given");
        let error = (flow.value() - other.value()).map(f64::abs).max().item();
        assert!(error <= 1e-14, "draw {seed}, {shape:?}: a difference of {error}");
    }
}
