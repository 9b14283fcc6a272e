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

#[test]
fn a_padding_row_that_is_loaded_with_other_values_is_still_0() {
    let mut rng = wengert::rng(0);
    let source = Embedding::<f32>::new(3, 2, Init::Constant(1.0), &mut rng);
    let mut layer = Embedding::new(3, 2, Init::Normal(1.0), &mut rng).padding(1);
    let file = tempfile::NamedTempFile::new().unwrap();
    wengert::io::save(&source, file.path()).unwrap();
    wengert::io::load(&mut layer, file.path()).unwrap();
    let y = layer.forward(&Tape::new(), [[1, 2], [0, 1]]);
    assert_eq!(y.value(), &tensor![[[0.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]]].reshape([2, 2, 2]));
    assert_eq!(y.sum().backward()[&layer.weight], tensor![[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]);
}
