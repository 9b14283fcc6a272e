//! Operations defined by programs, correct and incorrect.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

/// `y = a + 3b`.
#[derive(Debug)]
struct Weighted;

impl Op<f64, 2> for Weighted {
    const NAME: &'static str = "weighted";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [a, b]: [&Tensor<f64>; 2]) -> Tensor<f64> {
        a + b * 3.0
    }
    fn backward(&self, _: &Saved<f64, 2>, gy: &Var<f64>) -> [Option<Var<f64>>; 2] {
        [Some(gy.clone()), Some(gy * 3.0)]
    }
}

#[test]
fn an_input_that_is_given_twice_gets_both_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var(2.0);
    assert_eq!(wengert::apply(Weighted, [&x, &x]).grad(&x).item(), 4.0);
    assert_eq!(wengert::apply(Weighted, [&x, &x]).backward()[&x].item(), 4.0);
}

pub const PANICS: &[Panic] = &[
    ("gradient_shape", || _ = variable().apply(WrongShape).sum().backward()),
    ("not_saved", || _ = variable().apply(ReadsWhatIsNotSaved).sum().backward()),
    ("running", || {
        let x = variable();
        _ = x.apply(DifferentiatesItself).sum().grad(&x);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Declares the identity with an error in its backward rule.
macro_rules! wrong {
    ($op:ident, $save:expr, |$saved:ident| $rule:expr) => {
        #[derive(Debug)]
        struct $op;

        impl Op<f32, 1> for $op {
            const NAME: &'static str = "custom";
            const SAVE: Save = $save;

            fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
                x.clone()
            }
            fn backward(&self, $saved: &Saved<f32, 1>, _: &Var) -> [Option<Var>; 1] {
                [Some($rule)]
            }
        }
    };
}
wrong!(WrongShape, Save::Nothing, |saved| saved.constant(Tensor::ones([4])));
wrong!(ReadsWhatIsNotSaved, Save::Output, |saved| saved.input(0));
wrong!(DifferentiatesItself, Save::InputsAndOutput, |saved| saved.output().sum().grad(&saved.input(0)));
