//! Matrix products.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_chain", || _ = matrix().matmul(&matrix())),
    ("wrong_shapes do_not_chain", || _ = Tensor::<f32>::ones([2]).matmul(&Tensor::ones([3]))),
    ("wrong_shapes not_vectors", || _ = matrix().dot(&matrix())),
    ("wrong_shapes sizes_differ", || _ = Tensor::<f32>::ones([2]).dot(&Tensor::ones([3]))),
    ("wrong_shapes not_vectors", || _ = matrix().outer(&matrix())),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
