//! Embeddings.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("selection_out_of_range", || _ = Embedding::<f32>::new(3, 2, Init::He, &mut wengert::rng(0)).padding(3)),
    ("selection_out_of_range", || {
        _ = Embedding::new(3, 2, Init::He, &mut wengert::rng(0)).forward(&Tape::new(), [2, 3]);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
