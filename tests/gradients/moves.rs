//! Mistakes that engines have made in operations that move elements, each with a test that is named after it.

use wengert::prelude::*;

/// The gradient of a sum of squares of what a function makes of x, and the Hessian's product with ones.
fn orders(f: impl Fn(&Var<f64>) -> Var<f64>, x: &Tensor<f64>) -> [Tensor<f64>; 2] {
    let tape = Tape::new_f64();
    let x = tape.var(x);
    let gradient = f(&x).square().sum().grad(&x);
    let second = gradient.vjp(&tape.constant(Tensor::ones(x.shape())), &[&x])[0].clone();
    [gradient.value().clone(), second.map_or(Tensor::zeros(x.shape()), |second| second.value().clone())]
}

#[test]
fn the_last_piece_of_a_split_is_shorter_and_has_its_own_gradient() {
    let tape = Tape::new_f64();
    let x = tape.var([1.0, 2.0, 3.0, 4.0, 5.0]);
    let pieces = x.split(2, 0);
    assert_eq!(pieces.iter().map(|piece| piece.shape()[0]).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pieces[2].square().sum().grad(&x).value(), &tensor![f64; 0.0, 0.0, 0.0, 0.0, 10.0]);
}

#[test]
fn a_chunk_of_more_pieces_than_elements_gives_what_there_is() {
    let x = Tape::new_f64().var([1.0, 2.0, 3.0]);
    assert_eq!(x.chunk(5, 0).len(), 3);
    let sizes: Vec<_> = x.slice(0, ..0).chunk(2, 0).iter().map(|piece| piece.shape()[0]).collect();
    assert_eq!(sizes, [0, 0]);
}

#[test]
fn a_negative_step_starts_at_the_end_of_the_range() {
    let tape = Tape::new_f64();
    let x = tape.var([0.0, 1.0, 2.0, 3.0, 4.0]);
    let y = x.slice_step(0, 1..5, -2);
    assert_eq!(y.value(), &tensor![f64; 4.0, 2.0]);
    let weights = tensor![f64; 10.0, 20.0];
    assert_eq!((y * weights).sum().grad(&x).value(), &tensor![f64; 0.0, 0.0, 20.0, 0.0, 10.0]);
}

#[test]
fn repeated_indices_add_up_at_every_order() {
    let x = tensor![f64; 1.0, 2.0, 3.0];
    let expected = [tensor![f64; 4.0, 0.0, 6.0], tensor![f64; 4.0, 0.0, 2.0]];
    assert_eq!(orders(|x| x.index_select(0, &[0, 2, 0]), &x), expected);
    assert_eq!(orders(|x| x.gather(0, [0, 2, 0]), &x), expected);
    assert_eq!(orders(|x| x.index(&[[0, 2, 0].into()]), &x), expected);
    assert_eq!(orders(|x| x.embedding([0, 2, 0], None), &x), expected);
}

#[test]
fn a_source_is_added_once_for_each_of_its_elements() {
    let tape = Tape::new_f64();
    let (x, source) = (tape.var([1.0, 1.0]), tape.var([10.0, 20.0, 30.0]));
    let y = x.scatter_add(0, [1, 1, 0], &source);
    assert_eq!(y.value(), &tensor![f64; 31.0, 31.0]);
    let gradients = (y * tensor![f64; 1.0, 2.0]).sum().backward();
    assert_eq!(gradients[&x], tensor![f64; 1.0, 2.0]);
    assert_eq!(gradients[&source], tensor![f64; 2.0, 2.0, 1.0]);
}

#[test]
fn the_padding_row_gets_no_gradient_at_any_order() {
    let table = tensor![f64; [1.0], [2.0], [3.0]];
    let [first, second] = orders(|x| x.embedding([0, 1, 1], Some(1)), &table);
    assert_eq!(first, tensor![f64; [2.0], [0.0], [0.0]]);
    assert_eq!(second, tensor![f64; [2.0], [0.0], [0.0]]);
}

#[test]
fn one_variable_joined_with_itself_gets_both_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var([1.0, 2.0]);
    let weights = tensor![f64; 1.0, 2.0, 30.0, 40.0];
    let joined = Var::concat(&[&x, &x], 0);
    assert_eq!((&joined * &weights).sum().grad(&x).value(), &tensor![f64; 31.0, 42.0]);
    assert_eq!(joined.powi(3).sum().grad(&x).sum().grad(&x).value(), &tensor![f64; 12.0, 24.0]);
    let stacked = Var::stack(&[&x, &tape.constant([7.0, 7.0]), &x], 0);
    assert_eq!(stacked.square().sum().backward()[&x], tensor![f64; 4.0, 8.0]);
}

#[test]
fn a_join_of_many_values_is_one_operation() {
    let tape = Tape::new_f64();
    let values: Vec<_> = (0..100).map(|k| tape.var(f64::from(k))).collect();
    let before = tape.len();
    let y = Var::stack(&values, 0);
    assert_eq!(tape.len() - before, 1);
    let gradients = y.square().sum().backward();
    assert!(values.iter().enumerate().all(|(k, x)| gradients[x].item() == 2.0 * k as f64));
}

#[test]
fn only_what_is_differentiated_is_sliced_out_of_a_join() {
    let tape = Tape::new_f64();
    let (x, constant) = (tape.var([1.0]), tape.constant([2.0, 3.0]));
    let gradients = Var::concat(&[&constant, &x, &constant], 0).square().sum().backward();
    assert_eq!((gradients.len(), gradients[&x].item()), (1, 2.0));
}

#[test]
fn an_operation_used_twice_gives_the_same_gradient_in_either_order() {
    let up = |x: &Var<f64>| x.repeat([3, 1]).sum_over(0);
    let square = |x: &Var<f64>| x.square();
    let x = tensor![f64; 1.0, -2.0];
    assert_eq!(orders(|x| up(x) + square(x), &x), orders(|x| square(x) + up(x), &x));
    assert_eq!(orders(|x| up(&square(x)) + square(&up(x)), &x), orders(|x| square(&up(x)) + up(&square(x)), &x));
}

#[test]
fn an_empty_axis_goes_through_every_operation() {
    let tape = Tape::new_f64();
    let x = tape.var(Tensor::zeros([0, 2]));
    let results = [
        x.slice_step(0, .., -1),
        x.flip([0, 1]),
        x.roll(3, 0),
        x.repeat([2, 1]),
        x.repeat_interleave(3, 0),
        x.index_select(0, &[]),
        x.gather(0, Indices::new([], [0, 1])),
        x.scatter_add(0, Indices::new([], [0, 2]), &x),
        x.tril(0),
        x.cumsum(0),
        x.cumprod(0),
        x.logcumsumexp(0),
        x.split(2, 0).swap_remove(0),
        Var::concat(&[&x, &x], 0),
        Var::stack(&[&x, &x], 0),
        x.pad(&[(1, 1)], PadMode::Replicate),
        x.diagonal(0, 0, 1),
    ];
    for y in results {
        assert!(y.value().is_empty(), "{:?}", y.shape());
        assert_eq!(y.sum().grad(&x).shape(), [0, 2]);
    }
    assert_eq!(x.pad(&[(0, 0), (1, 0)], PadMode::Constant(3.0)).value(), &tensor![f64; [3.0, 3.0]]);
    assert_eq!(Var::concat(&[&x, &tape.var([[1.0, 2.0]])], 0).value(), &tensor![f64; [1.0, 2.0]]);
}

#[test]
fn a_scalar_goes_through_what_needs_no_axis() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let results = [
        x.flip([] as [i32; 0]),
        x.repeat(()),
        x.pad(&[], PadMode::Circular),
        x.cumsum(0),
        x.cumprod(-1),
        x.logcumsumexp(0),
        x.index(&[]),
        Var::stack(&[&x], 0).select(0, 0),
    ];
    for y in results {
        assert_eq!((y.shape(), y.item()), (&[] as &[usize], 3.0));
        assert_eq!(y.square().grad(&x).item(), 6.0);
    }
    assert_eq!(x.repeat([2]).square().sum().grad(&x).item(), 12.0);
}

#[test]
fn zeros_are_no_special_case_of_a_running_product() {
    // By hand: d/dx of x₀ + x₀x₁ + x₀x₁x₂ + x₀x₁x₂x₃.
    let gradient = |x: [f64; 4]| {
        let tape = Tape::new_f64();
        let x = tape.var(x);
        x.cumprod(0).sum().grad(&x).value().clone()
    };
    assert_eq!(gradient([2.0, 0.0, 5.0, 7.0]), tensor![f64; 1.0, 2.0 + 10.0 + 70.0, 0.0, 0.0]);
    assert_eq!(gradient([0.0, 3.0, 0.0, 7.0]), tensor![f64; 1.0 + 3.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient([0.0, 0.0, 0.0, 0.0]), tensor![f64; 1.0, 0.0, 0.0, 0.0]);
    let tape = Tape::new_f64();
    let x = tape.var([2.0, 0.0, 0.0, 7.0]);
    let mixed = x.cumprod(0).sum().grad(&x).select(0, 1).grad(&x);
    assert_eq!(mixed.value(), &tensor![f64; 1.0, 0.0, 2.0 + 14.0, 0.0]);
}

#[test]
fn a_running_logsumexp_of_numbers_far_apart_has_finite_derivatives() {
    let tape = Tape::new_f64();
    let x = tape.var([1000.0, -1000.0, 1001.0]);
    let y = x.logcumsumexp(0);
    let gradient = y.sum().grad(&x);
    let share = 1.0 / (1.0 + 1f64.exp());
    let expected = tensor![f64; 2.0 + share, 0.0, 1.0 - share];
    let error = (gradient.value() - expected).map(f64::abs).max().item();
    assert!(error < 1e-12, "{gradient}");
    let second = gradient.select(0, 0).grad(&x);
    assert!((second.value()[[0]] - share * (1.0 - share)).abs() < 1e-12, "{second}");
}
