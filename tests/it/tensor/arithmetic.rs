//! Tensor arithmetic.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_broadcast", || _ = matrix() + Tensor::ones([4])),
    ("wrong_shapes do_not_broadcast", || _ = matrix().zip(&Tensor::ones([3, 3]), f32::max)),
    ("does_not_broadcast_to", || {
        let mut sum = Tensor::ones([3]);
        sum += &matrix();
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn tensors_are_assigned_to_in_place_unless_shared() {
    let mut x = Tensor::from(vec![1.0f32, 2.0, 3.0]);
    let (shared, memory) = (x.clone(), x.as_slice().as_ptr());
    x += 1;
    assert_ne!(x.as_slice().as_ptr(), memory);
    let own = x.as_slice().as_ptr();
    x *= &tensor![2.0, 2.0, 2.0];
    x /= 0.5;
    assert_eq!(x.as_slice().as_ptr(), own, "with a number or a tensor of its shape it is in place");
    x -= tensor![1.0];
    assert_eq!((x, shared), (tensor![7.0, 11.0, 15.0], tensor![1.0, 2.0, 3.0]));
}

#[test]
#[should_panic(expected = "sub_assign: shape [2] does not broadcast to [1]")]
fn the_left_side_of_an_assignment_does_not_broadcast() {
    let mut x = tensor![1.0];
    x -= tensor![1.0, 2.0];
}

#[test]
fn sums_of_tensors_broadcast() {
    let parts = [tensor![1.0, 2.0], tensor![3.0], tensor![0.5, 0.5]];
    assert_eq!(parts.iter().sum::<Tensor>(), tensor![4.5, 5.5]);
    assert_eq!(parts.into_iter().sum::<Tensor>(), tensor![4.5, 5.5]);
    assert_eq!(Vec::<Tensor>::new().into_iter().sum::<Tensor>(), Tensor::scalar(0.0));
}

#[test]
fn short_and_long_rows_broadcast_alike() {
    for n in [1, 2, 7, 63, 64, 65, 300, 1100] {
        let x: Tensor = Tensor::randn([3, 5, n], &mut wengert::rng(0));
        for shape in [[3, 5, 1], [1, 5, 1], [3, 1, 1], [1, 1, n], [3, 1, n], [1, 5, n], [1, 1, 1]] {
            let other: Tensor = Tensor::randn(shape, &mut wengert::rng(1));
            let whole = other.broadcast_to([3, 5, n]);
            assert_eq!(&x - &other, &x - &whole, "[3, 5, {n}] and {shape:?}");
            assert_eq!(&other - &x, &whole - &x, "{shape:?} and [3, 5, {n}]");
        }
    }
}

#[test]
fn large_tensors_broadcast_on_several_threads() {
    wengert::set_num_threads(3);
    // Rows short and long, and parts along the third axis that end within the share of a thread.
    for [m, n, k] in [[7, 11, 1301], [41, 337, 7], [1, 1, 100_003], [5, 20_011, 1], [90, 13, 90]] {
        let x: Tensor = Tensor::randn([m, n, k], &mut wengert::rng(0));
        for shape in [[m, n, 1], [1, n, 1], [m, 1, 1], [1, 1, k], [m, 1, k], [1, n, k], [1, 1, 1]] {
            let other: Tensor = Tensor::randn(shape, &mut wengert::rng(1));
            let whole = other.broadcast_to([m, n, k]);
            assert_eq!(&x - &other, &x - &whole, "{:?} and {shape:?}", x.shape());
        }
    }
}
