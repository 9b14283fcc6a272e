//! Shape and axis arguments.

use wengert::prelude::*;

#[test]
fn shapes_and_axes_mix_integer_types() {
    let n = 2usize;
    let x = Tape::new().var(Tensor::ones([2, 3, 4]));
    assert_eq!(x.reshape((n, -1)).shape(), [2, 12]);
    assert_eq!(x.reshape((-1,)).shape(), [24]);
    assert_eq!(x.reshape((1, n, 1, -1, 2, 2isize)).shape(), [1, 2, 1, 3, 2, 2]);
    assert_eq!(Tensor::<f32>::zeros((n, 3)).shape(), [2, 3]);
    assert_eq!(x.permute((n, 0, -2)).shape(), [4, 2, 3]);
    assert_eq!(x.sum_over(keepdim((n, -3))).shape(), [1, 3, 1]);
}
