//! Custom operations made of two closures.

use crate::support::panics::message_of;
use wengert::autograd::custom;
use wengert::prelude::*;

#[test]
fn two_closures_are_an_operation_of_any_order() {
    let product = |x: &[Var<f64>]| {
        custom(
            "product",
            [&x[0], &x[1]],
            |[a, b]| a * b,
            |saved, gy| [saved.needs(0).then(|| gy * saved.input(1)), saved.needs(1).then(|| gy * saved.input(0))],
        )
    };
    let cube = |x: &[Var<f64>]| {
        let k = 3;
        custom(
            "cube",
            [&x[0]],
            move |[x]| x.map(|x| x.powi(k)),
            |saved, gy| {
                // Computed from the output, so that the rule is differentiated too: 3x² = 3y/x.
                [Some(gy * 3.0 * saved.output() / saved.input(0))]
            },
        )
    };
    let inputs = [tensor![f64; [0.5, -1.0], [2.0, 0.3]], tensor![f64; 0.7, -0.2]];
    check::gradients_to_order(3, product, &inputs).unwrap();
    check::gradients_to_order(3, cube, &inputs[..1]).unwrap();
    let wrong = |x: &[Var<f64>]| custom("wrong", [&x[0]], |[x]| x.map(f64::sin), |_, gy| [Some(gy.clone())]);
    assert!(check::gradients(wrong, &inputs[..1]).is_err());
}

#[test]
fn a_closure_is_named_in_listings_and_messages() {
    let tape = Tape::new_f64();
    let (x, y) = (tape.var([1.0, 2.0]), Tape::new_f64().var([1.0, 2.0]));
    let first =
        |x: &Var<f64>, y: &Var<f64>| custom("first", [x, y], |[x, _]| x.clone(), |_, gy| [Some(gy.clone()), None]);
    let gradients = first(&x, &tape.var(1.0)).sum().backward();
    assert_eq!(gradients[&x], Tensor::ones([2]));
    assert!(tape.to_string().contains("first(%0, %1)"), "{tape}");
    let message = message_of(|| _ = first(&x, &y));
    assert!(message.starts_with("first: the operands are on two different tapes"), "{message}");
}

#[test]
fn a_reversed_gradient_trains_features_against_what_reads_them() {
    // The classifier learns to tell two domains apart, the feature extractor to prevent it: one loss, one backward pass.
    let reversed = |x: &Var<f64>| custom("reverse_gradient", [x], |[x]| x.clone(), |_, gy| [Some(-gy)]);
    let (feature, reader) = (Param::<f64>::new([1.5, -0.5]), Param::<f64>::new([0.8, 0.3]));
    let gradients = |turn: bool| {
        let tape = Tape::new_f64();
        let features = tape.constant([[1.0, 2.0], [3.0, -1.0]]) * &feature;
        let read = if turn { reversed(&features) } else { features };
        (read * &reader).sum_over(1).bce_with_logits_loss(tensor![f64; 1.0, 0.0], Reduction::Mean).backward()
    };
    let (plain, adversarial) = (gradients(false), gradients(true));
    assert_eq!(plain[&reader], adversarial[&reader]);
    assert_eq!(plain[&feature], -&adversarial[&feature]);
    // Reversed twice and differentiated twice: the sign for each order.
    let x = Tape::new_f64().var(2.0);
    let y = reversed(&x).powi(3);
    assert_eq!((y.grad(&x).item(), y.grad(&x).grad(&x).item()), (-12.0, 12.0));
}
