//! Linear systems.

use super::{SYSTEMS, regular, square};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![row("solve", SYSTEMS, |x| regular(&x[0]).solve(&x[1]))]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_chain", || _ = Tensor::<f32>::eye(3).solve(Tensor::ones([2]))),
    ("wrong_shapes singular", || _ = Tensor::<f32>::zeros([2, 2]).solve(Tensor::ones([2]))),
    ("wrong_shapes not_square", || _ = variable().solve(matrix())),
    ("wrong_shapes do_not_chain", || _ = square().solve(Tensor::ones([4]))),
    ("singular", || _ = square().solve(Tensor::ones([3, 1]))),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn solutions_of_systems_of_any_size_solve_them() {
    let mut rng = wengert::rng(0);
    for n in 1..34 {
        let (a, b): (Tensor<f64>, Tensor<f64>) = (Tensor::randn([n, n], &mut rng), Tensor::randn([n, 3], &mut rng));
        let a = Tape::new_f64().constant(a);
        let rest = a.matmul(a.solve(&b)) - &b;
        assert!(rest.value().iter().all(|rest| rest.abs() < 1e-9), "{n}: {}", rest.value());
    }
}
