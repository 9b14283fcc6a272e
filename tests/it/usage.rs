//! What a program can write: operands, assignments, shapes, labels, and functions of plain tensors.

use wengert::metrics::{ConfusionMatrix, accuracy};
use wengert::prelude::*;

#[test]
fn numbers_of_every_type_stand_beside_variables_and_tensors() {
    let x = Tape::new().var([1.0, 2.0]);
    let t = tensor![1.0, 2.0];
    let (rate, count) = (0.5f32, 4usize);
    for y in [&x * rate * 2, &x * count / 4u8, 2 * &x / 2i64, 1.0 * x.clone() + 0] {
        assert_eq!(y.value(), &t);
    }
    for y in [&t * rate * 2, &t * count / 4u8, 2 * &t / 2i64, 1.0 * t.clone() + 0] {
        assert_eq!(y, t);
    }
    assert_eq!((1 - &x).value(), &(1 - &t));
    assert_eq!((3 / x).value(), &(3 / t));
}

#[test]
fn literals_beside_operands_are_double_precision_unless_they_are_integers() {
    let x = Tape::<f64>::new().var([0.0]);
    assert_eq!((&x + 0.1).item(), 0.1);
    assert_eq!((&x + 0.1f32).item(), f64::from(0.1f32));
    assert_eq!((1.0 - x.square()).rsqrt().item(), 1.0);
    assert_eq!(x.maximum(2).pow(3).item(), 8.0);
}

#[test]
fn variables_are_assigned_to() {
    let tape = Tape::new();
    let (a, b) = (tape.var(3.0), Param::new(2.0));
    let mut y = a.clone();
    y += &b;
    y *= 4;
    y -= &a;
    y /= 2.0;
    assert_eq!(y.item(), 8.5);
    let gradients = y.backward();
    assert_eq!((gradients[&a].item(), gradients[&b].item()), (1.5, 2.0));
}

#[test]
fn sums_of_variables_flow_to_each() {
    let tape = Tape::new();
    let xs = [tape.var([1.0, 2.0]), tape.var([3.0, 4.0]), tape.var([5.0, 6.0])];
    let total: Var = xs.iter().map(Var::square).sum();
    assert_eq!(total.value(), &tensor![35.0, 56.0]);
    assert_eq!(xs.iter().sum::<Var>().value(), &tensor![9.0, 12.0]);
    assert_eq!(total.sum().backward()[&xs[2]], tensor![10.0, 12.0]);
}

#[test]
#[should_panic(expected = "sum: there are no variables")]
fn a_sum_of_no_variables_is_explained() {
    let nothing: [Var; 0] = [];
    _ = nothing.iter().sum::<Var>();
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
fn vectors_and_integers_become_tensors() {
    let tape = Tape::new();
    let data = vec![1.0, 2.0];
    assert_eq!(tape.var(&data).value(), &tensor![1.0, 2.0]);
    assert_eq!(tape.constant(&data[1..]).value(), &tensor![2.0]);
    assert_eq!(tape.var(data).shape(), [2]);
    assert_eq!(tape.var([[1, 2], [3, 4]]).value(), &tensor![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(tape.var(3).item(), 3.0);
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    assert_eq!(x.iter().copied().fold(0.0, f32::max), 4.0);
    assert_eq!((&x).into_iter().count(), 4);
    assert_eq!(x.into_vec(), [1.0, 2.0, 3.0, 4.0]);
}

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

#[test]
fn labels_are_integers_of_any_type() {
    let tape = Tape::new();
    let scores = tape.constant([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]]);
    let expected = scores.softmax_cross_entropy(&[0, 1]).item();
    let (bytes, long) = (vec![0u8, 1], [0i64, 1]);
    assert_eq!(scores.softmax_cross_entropy(&bytes).item(), expected);
    assert_eq!(scores.softmax_cross_entropy(&bytes[..]).item(), expected);
    assert_eq!(scores.softmax_cross_entropy(&long).item(), expected);
    assert_eq!(scores.log_softmax(1).nll_loss(&vec![0u32, 1]).item(), expected);
    assert_eq!(accuracy(scores.value(), &bytes), 1.0);
    let mut matrix = ConfusionMatrix::new(3);
    matrix.add(scores.value(), &long);
    assert_eq!(matrix.accuracy(), 1.0);
}

#[test]
fn an_ignored_label_may_be_negative() {
    let scores = Tape::new().var([[2.0, 1.0], [0.0, 3.0], [5.0, 0.0]]);
    let alone = scores.slice(0, ..2);
    let options = CrossEntropy::new().ignore_index(-100);
    let (y, expected) = (options.loss(&scores, &[0, 1, -100]), alone.softmax_cross_entropy(&[0, 1]));
    assert_eq!(y.item(), expected.item());
    assert_eq!(y.grad(&scores).value().select(0, 2), tensor![0.0, 0.0]);
    let y = options.nll_loss(&scores.log_softmax(1), &[0, 1, -100]);
    assert_eq!(y.item(), expected.item());
}

#[test]
#[should_panic(expected = "label -1 at position 1 is not one of the 2 classes")]
fn a_negative_label_is_named() {
    _ = Tape::new().constant(Tensor::zeros([2, 2])).softmax_cross_entropy(&[0, -1]);
}

#[test]
fn functions_of_plain_tensors_have_the_values_of_variables() {
    let values = Tensor::<f64>::uniform([3, 4], 0.1, 0.9, &mut wengert::rng(1));
    let other = Tensor::<f64>::uniform([4], 0.1, 0.9, &mut wengert::rng(2));
    let mask = values.mask(|x| x > 0.5);
    let tape = Tape::<f64>::inference();
    let (x, z) = (tape.constant(&values), tape.constant(&other));
    macro_rules! agree {
        ($($method:ident($($argument:expr),*))*) => {
            $(assert_eq!(&values.$method($($argument),*), x.$method($($argument),*).value(), stringify!($method));)*
        };
    }
    agree! {
        exp() exp2() expm1() ln() log1p() log2() log10() sin() cos() tan() asin() acos() atan() sinh() cosh() tanh() asinh()
        atanh() erf() erfc() square() sqrt() rsqrt() reciprocal() abs() sign() floor() ceil() round() sigmoid() relu()
        log_sigmoid() leaky_relu(0.1) elu(0.5) selu() celu(0.5) gelu() gelu_tanh() silu() mish() softplus()
        softplus_with(2.0, 1.0) softsign() relu6() hardsigmoid() hardswish() glu(-1) powi(3) powf(0.3) clamp(0.2, 0.7)
        masked_fill(&mask, 0.5) where_(&mask, 0.25) softmax(0) softmax(-1) log_softmax(1) logsumexp() logsumexp_over(0)
        var() var_over(1, 0.0) std() std_over(keepdim(0), 1.0) norm() norm_over(1.0, 0) norm_over(3.0, 1)
        flatten(0, 1) squeeze() unsqueeze(1) norm_over(f64::INFINITY, ..) normalize(2.0, 1, 1e-12) prod_over(1) mean_over(0)
        maximum(0.5) minimum(0.5) pow(2.0) hypot(1.0) atan2(1.0) logaddexp(0.0)
    }
    assert_eq!(&values.maximum(&other), x.maximum(&z).value());
    assert_eq!(&values.pow(&other), x.pow(&z).value());
}

#[test]
#[should_panic(expected = "maximum: shapes [3, 4] and [3] do not broadcast")]
fn functions_of_plain_tensors_name_themselves_in_messages() {
    _ = Tensor::<f32>::zeros([3, 4]).maximum(Tensor::zeros([3]));
}

#[test]
fn a_tape_of_either_precision_has_the_same_constructors() {
    let tape = Tape::<f64>::training(&mut wengert::rng(0));
    assert!(tape.is_training());
    assert_eq!(tape.var(0.1).item(), 0.1f64);
    assert!(Tape::<f64>::inference().var(1.0).tape().is_empty());
    assert_eq!(Tape::new().var(0.1).item(), 0.1f32);
    assert_eq!(Tape::<f64>::default().mode(), Mode::Differentiable);
}
