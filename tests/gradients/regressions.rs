//! Mistakes that engines of this kind have made, each with a test that is named after it.

use wengert::autograd::MissingGradient;
use wengert::ops::BatchStatistics;
use wengert::prelude::*;

const TOLERANCE: f64 = 1e-12;

pub fn assert_close(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert_eq!(a.shape(), b.shape());
    let error = (a - b).map(f64::abs).max().item();
    assert!(error <= TOLERANCE, "{a} and {b} differ by {error}");
}

/// The value of a function, its derivative by a cotangent, and the derivative of that by another.
fn orders(f: impl Fn(&Var<f64>) -> Var<f64>, x: &Tensor<f64>) -> [Tensor<f64>; 3] {
    let mut rng = wengert::rng(5);
    let tape = Tape::new_f64();
    let x = tape.var(x);
    let y = f(&x);
    let cotangent = tape.constant(Tensor::randn(y.shape(), &mut rng));
    let first = y.vjp(&cotangent, &[&x])[0].clone().unwrap();
    let direction = tape.constant(Tensor::randn(x.shape(), &mut rng));
    let second = first.vjp(&direction, &[&x])[0].clone().unwrap();
    [y.value().clone(), first.value().clone(), second.value().clone()]
}

fn assert_same_orders(f: impl Fn(&Var<f64>) -> Var<f64>, reference: impl Fn(&Var<f64>) -> Var<f64>) {
    let x = tensor![f64; [0.3, -1.2, 2.0], [1.0, 0.0, -0.5]];
    for (a, b) in orders(f, &x).iter().zip(&orders(reference, &x)) {
        assert_close(a, b);
    }
}

#[test]
fn second_derivatives_miss_no_path() {
    let tape = Tape::new_f64();
    let x = tape.var(0.8);
    let second = |y: Var<f64>| y.grad(&x).grad(&x).item();
    assert!((second(x.sin().square()) - 2.0 * 1.6f64.cos()).abs() < TOLERANCE);
    assert!((second(&x * &x * &x) - 6.0 * 0.8).abs() < TOLERANCE);
    assert!((second(x.powi(3)) - 6.0 * 0.8).abs() < TOLERANCE);
}

#[test]
fn gradients_of_two_uses_may_arrive_in_any_order_and_shape() {
    let x = tensor![f64; 1.0, -2.0, 0.5];
    let gradient = |f: fn(&Var<f64>) -> Var<f64>| {
        let tape = Tape::new_f64();
        let x = tape.var(&x);
        f(&x).sum().backward()[&x].clone()
    };
    let expected = &x * 4.0 + 2.0;
    assert_eq!(gradient(|x| x.broadcast_to([2, 3]) + x.square()), expected);
    assert_eq!(gradient(|x| x.square() + x.broadcast_to([2, 3])), expected);
}

#[test]
fn a_diamond_runs_each_rule_once() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let a = &x + &x;
    let b = &a * &a;
    assert_eq!(b.grad(&x).item(), 24.0);
    assert_eq!(b.grad(&x).grad(&x).item(), 8.0);
    assert_eq!(b.backward()[&x].item(), 24.0);
}

/// `y = a + 3b`.
#[derive(Debug)]
struct Weighted;

impl Op<f64, 2> for Weighted {
    const NAME: &'static str = "weighted";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [a, b]: [&Tensor<f64>; 2]) -> Tensor<f64> {
        a + b * 3.0
    }
    fn backward(&self, _: &Saved<f64, 2>, gy: &Var<f64>) -> [Option<Var<f64>>; 2] {
        [Some(gy.clone()), Some(gy * 3.0)]
    }
}

#[test]
fn an_input_that_is_given_twice_gets_both_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var(2.0);
    assert_eq!(wengert::apply(Weighted, [&x, &x]).grad(&x).item(), 4.0);
    assert_eq!(wengert::apply(Weighted, [&x, &x]).backward()[&x].item(), 4.0);
}

#[test]
fn every_kind_of_pass_gives_the_same_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var([[0.3, -1.0], [2.0, 0.7]]);
    let y = (x.matmul(&x).tanh() * x.softmax(-1)).sum();
    let (first, second, recorded) = (y.gradients(), y.gradients(), y.grad(&x));
    assert_eq!(first[&x], second[&x]);
    assert_eq!(&first[&x], recorded.value());
    assert_eq!(y.backward()[&x], first[&x]);
}

#[test]
fn softmax_is_its_composition_at_every_order() {
    let softmax = |x: &Var<f64>| x.exp() / x.exp().sum_over(keepdim(1));
    assert_same_orders(|x| x.softmax(1), softmax);
    assert_same_orders(|x| x.log_softmax(1), |x| softmax(x).ln());
    assert_same_orders(|x| x.logsumexp_over(1), |x| x.exp().sum_over(1).ln());
}

#[test]
fn cross_entropy_is_its_composition_at_every_order() {
    let labels = tensor![f64; [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    let log_softmax = |x: &Var<f64>| (x.exp() / x.exp().sum_over(keepdim(1))).ln();
    assert_same_orders(|x| x.softmax_cross_entropy(&[2, 0]), |x| -(log_softmax(x) * &labels).sum() / 2.0);
    assert_same_orders(|x| x.log_softmax(1).nll_loss(&[2, 0]), |x| -(log_softmax(x) * &labels).sum() / 2.0);
    let smoothed = &labels * 0.9 + 0.1 / 3.0;
    let options = CrossEntropy::new().label_smoothing(0.1).reduction(Reduction::Sum);
    assert_same_orders(|x| options.loss(x, &[2, 0]), |x| -(log_softmax(x) * &smoothed).sum());
    // The middle axis is that of the classes, the first label is ignored, and the mean is weighted.
    let options = CrossEntropy::new().label_smoothing(0.1).class_weights(&[1.0, 2.0, 0.5]).ignore_index(2);
    let weights = tensor![f64; [[0.0, 0.9], [0.0, 0.0], [0.0, 0.0]]]
        + tensor![f64; [[0.0, 1.0], [0.0, 2.0], [0.0, 0.5]]] * (0.1 / 3.0);
    assert_same_orders(
        |x| options.loss(&x.transpose(0, 1).unsqueeze(0), &[2, 0]),
        |x| -(log_softmax(x).transpose(0, 1).unsqueeze(0) * &weights).sum(),
    );
}

#[test]
fn gradients_flow_through_the_gradients_of_fused_operations() {
    type Function = fn(&Var<f64>) -> Var<f64>;
    let fused: [Function; 6] = [
        |x| x.softmax(-1),
        |x| x.log_softmax(-1),
        |x| x.softmax_cross_entropy(&[2, 0]),
        |x| x.layer_norm([3], 1.0, 0.0, 1e-5),
        |x| x.rms_norm([3], 1.0, 1e-5),
        |x| x.batch_norm(1.0, 0.0, wengert::ops::BatchStatistics::OfBatch, 0.1).y,
    ];
    let x = tensor![f64; [0.3, -1.2, 2.0], [1.0, 0.0, -0.5]];
    for f in fused {
        // The square of a gradient, as a penalty on it would have.
        let penalty = |x: &[Var<f64>]| (f(&x[0]) * &x[1]).sum().grad(&x[0]).square().sum();
        assert_eq!(check::gradients(penalty, &[x.clone(), &x * 2.0 - 1.0]), Ok(()));
    }
}

#[test]
fn the_gradient_of_dropout_is_its_mask() {
    let tape = Tape::<f64>::with_mode(Mode::Training(3));
    let x = tape.var(Tensor::ones([100]));
    let y = x.dropout(0.5);
    let mask = y.value().clone();
    assert!(mask.as_slice().contains(&0.0) && mask.as_slice().contains(&2.0));
    assert_eq!(y.sum().backward()[&x], mask);
}

#[test]
fn gradients_of_several_batches_add_up() {
    let weight = Param::<f64>::new([1.0, 2.0]);
    let batch = |x: [f64; 2]| (Tape::new_f64().constant(x) * &weight).sum().backward();
    let mut gradients = batch([1.0, 10.0]);
    gradients += batch([2.0, 20.0]);
    assert_eq!(gradients[&weight], tensor![f64; 3.0, 30.0]);
}

#[test]
fn a_gradient_of_one_batch_only_is_taken_over() {
    let (a, b) = (Param::<f64>::new(1.0), Param::<f64>::new(2.0));
    let mut gradients = (Tape::new_f64().constant(3.0) * &a).backward();
    gradients += (Tape::new_f64().constant(5.0) * &b).backward();
    assert_eq!((gradients[&a].item(), gradients[&b].item()), (3.0, 5.0));
}

#[test]
fn a_parameter_used_twice_is_one_leaf() {
    let weight = Param::<f64>::new(3.0);
    let tape = Tape::new_f64();
    let y = (tape.constant(2.0) * &weight) * &weight;
    let gradients = y.backward();
    assert_eq!(gradients.len(), 1);
    assert_eq!(gradients[&weight].item(), 12.0);
}

#[test]
fn two_parameters_tied_to_one_variable_add_their_gradients() {
    let (a, b) = (Param::<f64>::new(0.0), Param::<f64>::new(0.0));
    let tape = Tape::new_f64();
    let shared = tape.var(3.0);
    tape.bind(&a, &shared);
    tape.bind(&b, &(&shared * 2.0));
    let y = (tape.constant(1.0) * &a) * &b;
    assert_eq!(y.item(), 18.0);
    assert_eq!(y.grad(&shared).item(), 12.0);
    assert_eq!(y.grad(&shared).grad(&shared).item(), 4.0);
    assert!(y.backward().get(&a).is_none(), "a bound parameter is not a leaf");
}

#[test]
fn detach_cuts_the_gradient_and_nothing_else() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let y = &x * x.square().detach();
    assert_eq!(y.item(), 27.0);
    assert_eq!(y.backward()[&x].item(), 9.0);
}

#[test]
fn a_constant_gets_no_gradient() {
    let tape = Tape::new_f64();
    let (x, constant) = (tape.var(3.0), tape.constant(2.0));
    let y = &x * &constant;
    assert!(y.vjp(&tape.constant(1.0), &[&constant])[0].is_none());
    let gradients = y.backward();
    assert_eq!((gradients.len(), gradients[&x].item()), (1, 2.0));
    assert!(gradients.get(&constant).is_none());
}

#[test]
fn the_gradient_of_a_batch_norm_is_not_a_detach() {
    let weight = Param::new(tensor![f64; 1.0, -2.0]);
    let tape = Tape::new_f64();
    let x = tape.var(tensor![f64; [1.0, 4.0], [3.0, 0.0], [2.0, 1.0]]);
    let y = (&x * &weight).batch_norm(1.0, 0.0, BatchStatistics::OfBatch, 1e-5).y;
    _ = y.square().sum().grad(&x);
    let gradients = x.square().sum().backward();
    assert!(matches!(gradients.why_missing(&weight), Some(MissingGradient::Unused { .. })));
}
