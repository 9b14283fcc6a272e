//! Index arrays.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("element_count", || _ = Indices::new([0, 1, 2], [2, 2]))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn a_reference_to_an_array_is_a_list_of_indices() {
    let indices = [2, 0];
    let table = Tape::new().constant([[1.0], [2.0], [3.0]]);
    assert_eq!(table.embedding(indices, None).value(), &tensor![[3.0], [1.0]]);
    assert_eq!(Indices::from(&indices).to_vec(), indices);
}
