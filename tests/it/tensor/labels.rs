//! Labels of every integer type.

use wengert::metrics::{ConfusionMatrix, accuracy};
use wengert::prelude::*;

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
