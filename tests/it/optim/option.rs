//! Numeric options: every builder and setter refuses what is out of range, by name and value.

use crate::support::panics::message_of;
use wengert::data::{Images, Samples};
use wengert::optim::schedule::*;
use wengert::optim::{
    AdaDelta, AdaGrad, Adamax, EarlyStopping, Group, LearningRateFinder, Lion, NAdam, RAdam, RmsProp, Settings,
};
use wengert::prelude::*;

/// An option by the name that the message must contain, and the end of its range that is excluded, if it has one.
type Row = (&'static str, Option<f64>, fn(f64));

/// Numbers from 0, or from the excluded end, to any finite one or to the excluded end.
const FINITE: &[Row] = &[
    ("learning_rate", None, |x| _ = Sgd::<f32>::new(x)),
    ("learning_rate", None, |x| _ = AdaDelta::<f32>::new(x)),
    ("learning_rate", None, |x| _ = AdaGrad::<f32>::new(x)),
    ("learning_rate", None, |x| _ = Adam::<f32>::new(x)),
    ("learning_rate", None, |x| _ = AdamW::<f32>::new(x)),
    ("learning_rate", None, |x| _ = Adamax::<f32>::new(x)),
    ("learning_rate", None, |x| _ = Lion::<f32>::new(x)),
    ("learning_rate", None, |x| _ = NAdam::<f32>::new(x)),
    ("learning_rate", None, |x| _ = RAdam::<f32>::new(x)),
    ("learning_rate", None, |x| _ = RmsProp::<f32>::new(x)),
    ("learning_rate", None, |x| _ = Settings::new(x)),
    ("learning_rate", None, |x| Sgd::<f32>::new(0.1).set_learning_rate(x)),
    ("learning_rate", None, |x| step_with(|optimizer| optimizer.settings_mut().learning_rate = x)),
    ("weight_decay", None, |x| step_with(|optimizer| optimizer.settings_mut().weight_decay = x)),
    ("weight_decay", None, |x| _ = Sgd::<f32>::new(0.1).weight_decay(x)),
    ("weight_decay", None, |x| _ = Group::with_prefix("").weight_decay(x)),
    ("learning_rate_factor", None, |x| _ = Group::with_prefix("").learning_rate_factor(x)),
    ("momentum", None, |x| _ = Sgd::<f32>::new(0.1).momentum(x)),
    ("dampening", Some(1.0), |x| _ = Sgd::<f32>::new(0.1).dampening(x)),
    ("epsilon", None, |x| _ = AdaDelta::<f32>::new(0.1).epsilon(x)),
    ("rho", Some(1.0), |x| _ = AdaDelta::<f32>::new(0.1).rho(x)),
    ("epsilon", None, |x| _ = AdaGrad::<f32>::new(0.1).epsilon(x)),
    ("learning_rate_decay", None, |x| _ = AdaGrad::<f32>::new(0.1).learning_rate_decay(x)),
    ("initial_accumulator", None, |x| _ = AdaGrad::<f32>::new(0.1).initial_accumulator(x)),
    ("beta1", Some(1.0), |x| _ = Adam::<f32>::new(0.1).betas(x, 0.9)),
    ("beta2", Some(1.0), |x| _ = AdamW::<f32>::new(0.1).betas(0.9, x)),
    ("epsilon", None, |x| _ = Adam::<f32>::new(0.1).epsilon(x)),
    ("beta1", Some(1.0), |x| _ = Adamax::<f32>::new(0.1).betas(x, 0.9)),
    ("epsilon", None, |x| _ = Adamax::<f32>::new(0.1).epsilon(x)),
    ("beta2", Some(1.0), |x| _ = Lion::<f32>::new(0.1).betas(0.9, x)),
    ("beta2", Some(1.0), |x| _ = NAdam::<f32>::new(0.1).betas(0.9, x)),
    ("epsilon", None, |x| _ = NAdam::<f32>::new(0.1).epsilon(x)),
    ("momentum_decay", None, |x| _ = NAdam::<f32>::new(0.1).momentum_decay(x)),
    ("beta1", Some(1.0), |x| _ = RAdam::<f32>::new(0.1).betas(x, 0.9)),
    ("epsilon", None, |x| _ = RAdam::<f32>::new(0.1).epsilon(x)),
    ("epsilon", None, |x| _ = RmsProp::<f32>::new(0.1).epsilon(x)),
    ("alpha", Some(1.0), |x| _ = RmsProp::<f32>::new(0.1).alpha(x)),
    ("momentum", None, |x| _ = RmsProp::<f32>::new(0.1).momentum(x)),
    ("learning_rate", None, |x| _ = StepDecay::new(x, 1)),
    ("gamma", None, |x| _ = StepDecay::new(0.1, 1).gamma(x)),
    ("learning_rate", None, |x| _ = MultiStep::new(x, [1])),
    ("gamma", None, |x| _ = MultiStep::new(0.1, [1]).gamma(x)),
    ("learning_rate", None, |x| _ = Exponential::new(x, 0.5)),
    ("gamma", None, |x| _ = Exponential::new(0.1, x)),
    ("learning_rate", None, |x| _ = Polynomial::new(x, 1)),
    ("power", None, |x| _ = Polynomial::new(0.1, 1).power(x)),
    ("learning_rate", None, |x| _ = Cosine::new(x, 1)),
    ("minimum", None, |x| _ = Cosine::new(0.1, 1).minimum(x)),
    ("learning_rate", None, |x| _ = CosineWarmRestarts::new(x, 1)),
    ("minimum", None, |x| _ = CosineWarmRestarts::new(0.1, 1).minimum(x)),
    ("learning_rate", None, |x| _ = OneCycle::new(x, 1)),
    ("rise", Some(1.0), |x| _ = OneCycle::new(0.1, 1).rise(x)),
    ("start_factor", None, |x| _ = OneCycle::new(0.1, 1).start_factor(x)),
    ("end_factor", None, |x| _ = OneCycle::new(0.1, 1).end_factor(x)),
    ("learning_rate", None, |x| _ = Constant::new(x, 0.5, 1)),
    ("factor", None, |x| _ = Constant::new(0.1, x, 1)),
    ("learning_rate", None, |x| _ = LinearRamp::new(x, 1)),
    ("start_factor", None, |x| _ = LinearRamp::new(0.1, 1).start_factor(x)),
    ("end_factor", None, |x| _ = LinearRamp::new(0.1, 1).end_factor(x)),
    ("learning_rate", None, |x| _ = ReduceOnPlateau::new(x)),
    ("factor", Some(1.0), |x| _ = ReduceOnPlateau::new(0.1).factor(x)),
    ("threshold", None, |x| _ = ReduceOnPlateau::new(0.1).threshold(x)),
    ("minimum", None, |x| _ = ReduceOnPlateau::new(0.1).minimum(x)),
    ("epsilon", None, |x| _ = ReduceOnPlateau::new(0.1).epsilon(x)),
    ("min_delta", None, |x| _ = EarlyStopping::new(1).min_delta(x)),
    ("low", Some(0.0), |x| _ = LearningRateFinder::new(x, 1.0, 10)),
    ("high", Some(0.1), |x| _ = LearningRateFinder::new(0.1, x, 10)),
    ("momentum", Some(5.0), |x| _ = BatchNorm::<f32>::new(2).momentum(x)),
    ("epsilon", None, |x| _ = BatchNorm::<f32>::new(2).epsilon(x)),
    ("epsilon", None, |x| _ = LayerNorm::<f32>::new([2]).epsilon(x)),
    ("epsilon", None, |x| _ = RmsNorm::<f32>::new([2]).epsilon(x)),
    ("epsilon", None, |x| _ = GroupNorm::<f32>::new(1, 2).epsilon(x)),
    ("epsilon", None, |x| _ = InstanceNorm::<f32>::new().epsilon(x)),
    ("dropout", Some(1.0), |x| _ = Dropout::new(x)),
    ("Init::Normal", None, |x| _ = initial(Init::Normal(x))),
    ("Init::Uniform", None, |x| _ = initial(Init::Uniform(x))),
    ("Init::Scaled: gain", None, |x| _ = initial(Init::Scaled { gain: x, fan: Fan::In, uniform: true })),
    ("std", Some(0.0), |x| _ = images().normalize(0.5, x)),
    ("split", Some(1.5), |x| _ = samples().split(x, &mut wengert::rng(0))),
];

/// Bounds that may be infinite.
const BOUNDS: &[Row] = &[
    ("clip_norm: the bound", None, |x| _ = Gradients::<f32>::from_iter([]).clip_norm(x)),
    ("clip_norm: the bound", None, |x| _ = Gradients::<f32>::from_iter([]).clip_norm_p(x, 1.0)),
    ("norm: p", Some(0.0), |x| _ = Gradients::<f32>::from_iter([]).clip_norm_p(1.0, x)),
    ("norm: p", Some(0.0), |x| _ = Gradients::<f32>::from_iter([]).norm_p(x)),
    ("clip_value: the bound", None, |x| Gradients::<f32>::from_iter([]).clip_value(x)),
];

/// Counts of which 0 is refused.
const COUNTS: &[Row] = &[
    ("steps", Some(0.0), |x| _ = StepDecay::new(0.1, x as usize)),
    ("steps", Some(0.0), |x| _ = Polynomial::new(0.1, x as usize)),
    ("steps", Some(0.0), |x| _ = Cosine::new(0.1, x as usize)),
    ("steps", Some(0.0), |x| _ = CosineWarmRestarts::new(0.1, x as usize)),
    ("growth", Some(0.0), |x| _ = CosineWarmRestarts::new(0.1, 1).growth(x as usize)),
    ("steps", Some(0.0), |x| _ = OneCycle::new(0.1, x as usize)),
    ("steps", Some(0.0), |x| _ = LinearRamp::new(0.1, x as usize)),
    ("steps", Some(2.0), |x| _ = LearningRateFinder::new(0.1, 1.0, x as usize)),
    ("batches: a batch needs at least one sample", Some(0.0), |x| _ = samples().batches(x as usize)),
    ("k_fold", Some(1.0), |x| _ = samples().k_fold(x as usize, &mut wengert::rng(0))),
];

fn step_with(change: impl Fn(&mut Sgd)) {
    let (mut optimizer, mut model) = (Sgd::new(0.1), Param::new([1.0]));
    change(&mut optimizer);
    let gradients = Tape::new().param(&model).sum().backward();
    optimizer.step(&mut model, &gradients);
}

fn initial(init: Init) -> Tensor {
    init.tensor([2, 3], &mut wengert::rng(0))
}

fn images() -> Images {
    Images::new(vec![0, 255], vec![0], [1, 2])
}

fn samples() -> Samples {
    Samples::new(Tensor::ones([4, 2]), vec![0; 4])
}

#[test]
fn numbers_out_of_range_are_refused_by_name_and_value() {
    let everywhere = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0];
    let below = [f64::NAN, f64::NEG_INFINITY, -1.0];
    for (rows, values) in [(FINITE, &everywhere[..]), (BOUNDS, &below), (COUNTS, &[])] {
        for &(name, end, set) in rows {
            for value in values.iter().copied().chain(end) {
                let message = message_of(|| set(value));
                let named = message.starts_with(name) && message.contains(&format!("{value}"));
                assert!(named, "{name} = {value}: {message}");
            }
        }
    }
    for value in [f64::NAN, f64::INFINITY] {
        let message = message_of(|| _ = images().normalize(value, 1.0));
        assert!(message.starts_with(&format!("mean: {value}")), "{message}");
    }
}

#[test]
fn nesterov_momentum_is_refused_without_momentum_and_with_dampening() {
    let momentum = || Sgd::<f32>::new(0.1).momentum(0.9);
    let refused: [fn(Sgd); 4] = [
        |sgd| _ = sgd.momentum(0.0).nesterov(),
        |sgd| _ = sgd.nesterov().momentum(0.0),
        |sgd| _ = sgd.dampening(0.5).nesterov(),
        |sgd| _ = sgd.nesterov().dampening(0.5),
    ];
    for case in refused {
        let message = message_of(|| case(momentum()));
        assert!(message.starts_with("nesterov: the momentum is"), "{message}");
    }
    _ = momentum().nesterov().momentum(0.5).dampening(0.0);
}
