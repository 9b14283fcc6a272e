//! Mistakes in linear algebra, normalisation and Einstein summation.

use super::{Case, matrix, variable};
use wengert::ops::Triangle;
use wengert::prelude::*;

/// Linear algebra.
pub const LINEAR_ALGEBRA: &[Case] = &[
    ("wrong_shapes not_vectors", || _ = variable().dot(Tensor::ones([3]))),
    ("wrong_shapes not_vectors", || _ = variable().outer(2.0)),
    ("wrong_shapes sizes_differ", || _ = variable().sum_over(0).dot(Tensor::ones([4]))),
    ("wrong_shapes do_not_chain", || _ = variable().addmm(matrix(), matrix(), 1.0, 1.0)),
    ("wrong_shapes not_a_matrix", || _ = variable().sum_over(0).trace()),
    ("wrong_shapes not_square", || _ = variable().det()),
    ("wrong_shapes not_square", || _ = variable().slogdet()),
    ("wrong_shapes not_square", || _ = variable().matrix_power(0)),
    ("wrong_shapes not_square", || _ = variable().solve(matrix())),
    ("wrong_shapes do_not_chain", || _ = square().solve(Tensor::ones([4]))),
    ("singular", || _ = square().inverse()),
    ("singular", || _ = square().matrix_power(-1)),
    ("singular", || _ = square().solve(Tensor::ones([3, 1]))),
    ("singular", || _ = square().solve_triangular(Tensor::ones([3]), Triangle::Upper)),
    ("not_positive_definite", || _ = (square() - Tensor::eye(3) * 1.5).cholesky()),
];

/// Normalisation.
pub const NORMALIZATION: &[Case] = &[
    ("not_trailing", || _ = variable().layer_norm([2], 1.0, 0.0, 1e-5)),
    ("not_trailing", || _ = variable().rms_norm((), 1.0, 1e-5)),
    ("affine_shape", || _ = variable().layer_norm([3], Tensor::ones([2, 3]), 0.0, 1e-5)),
    ("no_channels", || _ = variable().sum_over(0).group_norm(1, 1.0, 0.0, 1e-5)),
    ("groups", || _ = variable().group_norm(2, 1.0, 0.0, 1e-5)),
    ("no_positions", || _ = variable().instance_norm(1.0, 0.0, 1e-5)),
    ("not_trailing", || _ = LayerNorm::new([2]).forward(&variable())),
    ("not_trailing", || _ = RmsNorm::new([3, 2]).forward(&variable())),
    ("groups", || _ = GroupNorm::<f32>::new(2, 3)),
    ("affine_shape", || _ = GroupNorm::new(1, 4).forward(&variable())),
    ("no_positions", || _ = InstanceNorm::new().forward(&variable())),
];

/// Einstein summation.
pub const EINSUM: &[Case] = &[
    ("einsum_character", || _ = einsum("ij,j1->i", &[&matrix(), &matrix()])),
    ("einsum_character", || _ = einsum("ij;jk->ik", &[&matrix(), &matrix()])),
    ("einsum_dots", || _ = einsum("..ij->ij", &[&matrix()])),
    ("einsum_second_ellipsis", || _ = einsum("...i...->i", &[&matrix()])),
    ("einsum_half_arrow", || _ = einsum("ij-ji", &[&matrix()])),
    ("einsum_half_arrow", || _ = einsum("ij>ji", &[&matrix()])),
    ("einsum_second_arrow", || _ = einsum("ij->ji->ij", &[&matrix()])),
    ("einsum_second_output", || _ = einsum("ij->i,j", &[&matrix()])),
    ("einsum_operands", || _ = einsum("ij,jk->ik", &[&matrix()])),
    ("einsum_operands", || _ = einsum("ij->ij", &[&variable(), &variable()])),
    ("einsum_operands", || _ = einsum::<Tensor>("", &[])),
    ("einsum_rank", || _ = einsum("ijk->i", &[&variable()])),
    ("einsum_too_many", || _ = einsum("...ijk->i", &[&variable()])),
    ("einsum_sizes", || _ = einsum("ij,jk->ik", &[&variable(), &variable()])),
    ("einsum_sizes", || _ = einsum("ii->i", &[&variable()])),
    ("einsum_sizes", || _ = einsum("...,...", &[&matrix(), &Tensor::ones([4])])),
    ("einsum_repeated_output", || _ = einsum("ij->iij", &[&variable()])),
    ("einsum_unknown_output", || _ = einsum("ij->ik", &[&variable()])),
];

/// Two matrices, the second of which is singular.
fn square() -> Var {
    let singular = tensor![[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 0.0]];
    let regular = Tensor::eye(3) * 2.0;
    Tape::new().var(Tensor::from_vec([regular.to_vec(), singular.to_vec()].concat(), [2, 3, 3]))
}
