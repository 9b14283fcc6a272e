//! Tensors without gradients.

mod arithmetic;
mod construct;
mod display;
mod index;
mod indices;
mod labels;
mod lookup;
mod matmul;
mod pad;
mod parts;
mod reduce;
mod scan;
mod shape;
mod transform;

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub fn panics() -> Vec<Panic> {
    [
        arithmetic::PANICS,
        construct::PANICS,
        index::PANICS,
        indices::PANICS,
        lookup::PANICS,
        matmul::PANICS,
        pad::PANICS,
        parts::PANICS,
        reduce::PANICS,
        scan::PANICS,
        transform::PANICS,
        PANICS,
    ]
    .concat()
}

const PANICS: &[Panic] =
    &[("not_one_element", || _ = matrix().item()), ("not_one_element", || _ = wengert::Indices::from([[1, 2]]).item())];

#[test]
fn panics_of_elements() {
    insta::assert_snapshot!(messages(PANICS));
}
