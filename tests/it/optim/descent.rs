//! Optimizers: custom rules, parameter groups, and mistakes that must not go unnoticed.

use crate::support::panics::{Panic, message_of, messages};
use crate::support::samples::gradients_of;
use wengert::io::{Checkpoint, Resume};
use wengert::optim::{AdaGrad, Adamax, Descent, Group, NAdam, RAdam, RmsProp, Rule, Slot, Step};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("option_after_steps", || {
        let mut model = Param::new([1.0, 2.0]);
        let mut optimizer = RmsProp::new(0.1).momentum(0.9);
        let gradients = gradients_of(&model);
        optimizer.step(&mut model, &gradients);
        _ = optimizer.momentum(0.0).centered();
    }),
    ("state_tensors", || {
        let mut weight = Param::new([1.0, 2.0]);
        let mut optimizer = Adam::new(0.1);
        let gradients = gradients_of(&weight);
        optimizer.step(&mut weight, &gradients);
        optimizer = optimizer.amsgrad();
        let gradients = gradients_of(&weight);
        optimizer.step(&mut weight, &gradients);
    }),
    ("slot_tensors", || {
        let mut slot = Slot::<f32> { steps: 0, product: 1.0, tensors: vec![Tensor::zeros([2])] };
        let [_m, _s] = slot.slices();
    }),
    ("unmatched_group", || {
        let mut weight = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&weight);
        Sgd::new(0.1).group(Group::with_prefix("layers.1").frozen()).step(&mut weight, &gradients);
    }),
    ("gradients_of_another_model", || {
        let weight = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&weight);
        Sgd::new(0.1).step(&mut weight.clone(), &gradients);
    }),
    ("state_of_another_model", || {
        let (mut first, mut second, mut optimizer) = (Param::new([1.0, 2.0]), Param::new([1.0, 2.0]), Adam::new(0.1));
        let (of_first, of_second) = (gradients_of(&first), gradients_of(&second));
        optimizer.step(&mut second, &of_second);
        optimizer.step(&mut first, &of_first);
    }),
    ("nesterov", || _ = Sgd::<f32>::new(0.1).nesterov()),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Adam, written like the optimizers of the crate.
struct OwnAdam;

impl<T: Float> Rule<T> for OwnAdam {
    fn name(&self) -> &'static str {
        "OwnAdam"
    }
    fn tensors(&self) -> usize {
        2
    }
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let step_size = step.learning_rate / (1.0 - 0.9f64.powi(slot.steps));
        let correction = 1.0 / (1.0 - 0.999f64.powi(slot.steps)).sqrt();
        let [step_size, correction, epsilon] = [step_size, correction, 1e-8].map(T::from_f64);
        let [a, b, c, d] = [0.9, 1.0 - 0.9, 0.999, 1.0 - 0.999].map(T::from_f64);
        slot.elementwise(parameter, gradient, step, |p, g, [m, s]| {
            let (m, s) = (a * m + b * g, c * s + d * g * g);
            (p - step_size * m / (s.sqrt() * correction + epsilon), [m, s])
        });
    }
}

/// Momentum with the given number of state tensors, of which the last holds the velocity; computed by hand.
struct OwnMomentum<const N: usize>;

impl<const N: usize> Rule for OwnMomentum<N> {
    fn name(&self) -> &'static str {
        "OwnMomentum"
    }
    fn tensors(&self) -> usize {
        N
    }
    fn update(&self, slot: &mut Slot, parameter: &mut [f32], gradient: &[f32], step: &Step) {
        let rate = step.learning_rate as f32;
        slot.elementwise::<N>(parameter, gradient, step, |p, g, mut state| {
            state[N - 1] = 0.9 * state[N - 1] + g;
            (p - rate * state[N - 1], state)
        });
    }
}

#[derive(Clone)]
struct Network {
    hidden: Linear,
    hidden2: Linear,
    norm: BatchNorm,
}
module!(Network { hidden, hidden2, norm });

impl Network {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let hidden = Linear::new(3, 4, Init::He, &mut rng);
        Network { hidden, hidden2: Linear::new(4, 2, Init::He, &mut rng), norm: BatchNorm::new(2) }
    }

    fn gradients(&self, seed: u64) -> Gradients {
        let mut rng = wengert::rng(seed);
        let x: Tensor = Tensor::randn([5, 3], &mut rng);
        let h = self.hidden.forward(&Tape::training(&mut rng).constant(x)).tanh();
        self.norm.forward(&self.hidden2.forward(&h)).square().sum().backward()
    }

    fn bits(&self) -> Vec<u32> {
        self.parameters().iter().flat_map(|(_, param)| param.value().to_vec()).map(f32::to_bits).collect()
    }
}

/// The parameters after some steps.
fn trained(optimizer: &mut dyn Optimizer) -> Vec<u32> {
    let mut model = Network::new();
    for seed in 0..4 {
        let gradients = model.gradients(seed);
        optimizer.step(&mut model, &gradients);
    }
    model.bits()
}

#[test]
fn a_rule_of_a_user_has_the_bits_of_the_same_built_in_one() {
    let decaying = Group::with_suffix("weight").weight_decay(0.01);
    let mut own = Descent::with_rule(OwnAdam, 0.1).group(decaying.clone()).maximize();
    assert_eq!(trained(&mut own), trained(&mut Adam::new(0.1).group(decaying).maximize()));

    let expected = trained(&mut Sgd::new(0.1).momentum(0.9).weight_decay(0.1));
    assert_eq!(trained(&mut Descent::with_rule(OwnMomentum::<1>, 0.1).weight_decay(0.1)), expected);
    assert_eq!(trained(&mut Descent::with_rule(OwnMomentum::<2>, 0.1).weight_decay(0.1)), expected);
    assert_eq!(trained(&mut Descent::with_rule(OwnMomentum::<3>, 0.1).weight_decay(0.1)), expected);
    assert_eq!(trained(&mut Descent::with_rule(OwnMomentum::<4>, 0.1).weight_decay(0.1)), expected);
}

#[test]
fn a_rule_of_a_user_is_of_any_precision_and_saved_in_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut model = Param::<f64>::new([0.5, -0.25]);
    let mut optimizer = Descent::with_rule(OwnAdam, 0.1);
    let gradients = Tape::new_f64().param(&model).square().sum().backward();
    optimizer.step(&mut model, &gradients);
    Checkpoint::new().optimizer(&optimizer).save(&path).unwrap();

    let mut other: Descent<OwnAdam, f64> = Descent::with_rule(OwnAdam, 1.0);
    Resume::new().optimizer(&mut other).load(&path).unwrap();
    assert_eq!(format!("{:?}", other.state()), format!("{:?}", optimizer.state()));
    let error = Resume::new().optimizer(&mut Adam::<f64>::new(1.0)).load(&path).unwrap_err();
    assert!(error.to_string().contains("optimizer: expected Adam, found OwnAdam"), "{error}");
}

#[test]
fn prefixes_and_suffixes_are_whole_components() {
    let decays = |group: Group, path: &str| {
        let optimizer: Sgd = Sgd::new(0.1).weight_decay(1.0).group(group.weight_decay(0.0));
        optimizer.settings().step_for(path).unwrap().weight_decay == 1.0
    };
    for path in ["1", "1.weight", "1.0.bias"] {
        assert!(!decays(Group::with_prefix("1"), path), "{path}");
    }
    for path in ["10.weight", "0.1.weight", ""] {
        assert!(decays(Group::with_prefix("1"), path), "{path}");
    }
    assert!(!decays(Group::with_prefix("h.1"), "h.1.weight") && decays(Group::with_prefix("h.1"), "h.10.weight"));
    assert!(!decays(Group::with_suffix("bias"), "bias") && !decays(Group::with_suffix("bias"), "0.bias"));
    assert!(decays(Group::with_suffix("bias"), "user_bias") && decays(Group::with_suffix("bias"), "bias.0"));
    assert!(!decays(Group::matching(|path| path.ends_with("bias")), "user_bias"));
}

#[test]
fn a_group_of_a_model_is_chosen_by_shapes() {
    let mut model = (Param::new(Tensor::ones([2, 2])), Param::new(Tensor::ones([2])));
    let vectors = Group::of(&model, |_, param| param.shape().len() < 2);
    let mut optimizer: Sgd = Sgd::new(1.0).weight_decay(0.5).group(vectors.weight_decay(0.0));
    let tape = Tape::new();
    let loss = (tape.param(&model.0).sum() + tape.param(&model.1).sum()) * 0.0;
    optimizer.step(&mut model, &loss.backward());
    assert_eq!(model.0.value(), &Tensor::full([2, 2], 0.5));
    assert_eq!(model.1.value(), &Tensor::ones([2]));
}

#[test]
fn a_group_that_matches_nothing_is_reported_before_anything_changes() {
    let mut model = Network::new();
    let (before, gradients) = (model.bits(), model.gradients(0));
    let mut optimizer = Adam::new(0.1).group(Group::with_suffix("bias").frozen()).group(Group::with_prefix("output"));
    let message = message_of(|| optimizer.step(&mut model, &gradients));
    assert!(message.contains("Group::with_prefix(\"output\") matches no trainable parameter"), "{message}");
    assert!(message.contains("\"hidden.weight\", \"hidden.bias\", \"hidden2.weight\""), "{message}");
    assert_eq!((model.bits(), optimizer.state().iter().count()), (before, 0));
    // Buffers are not trained, so a group of buffers has no effect.
    let mut optimizer = Sgd::new(0.1).group(Group::with_suffix("running_mean").frozen());
    assert!(message_of(|| optimizer.step(&mut model, &gradients)).contains("running_mean"));
    let mut optimizer = Sgd::new(0.1).group(Group::matching(|_| false));
    assert!(message_of(|| optimizer.step(&mut model, &gradients)).contains(file!()));
    // A group needs to match only once, since the parts of a model may be stepped one by one.
    let mut optimizer = Sgd::new(0.1).group(Group::with_prefix("hidden").frozen());
    optimizer.step(&mut model, &gradients);
    optimizer.step(&mut model.hidden, &gradients);
}

#[test]
fn nothing_changes_if_anything_does_not_fit() {
    let mut model = Network::new();
    let mut optimizer = Adam::new(0.1);
    let gradients = model.gradients(0);
    optimizer.step(&mut model, &gradients);
    let snapshot = |model: &Network, optimizer: &Adam| (model.bits(), format!("{:?}", optimizer.state()));
    let before = snapshot(&model, &optimizer);

    // A gradient of another shape, for the last parameter only, so that the first ones would already have changed.
    let weight = &model.norm.weight;
    let given = [(&model.hidden.weight, Tensor::ones([4, 3])), (weight, Tensor::ones([3]))];
    let gradients: Gradients = given.into_iter().collect();
    assert!(message_of(|| optimizer.step(&mut model, &gradients)).contains("norm.weight"));
    assert_eq!(snapshot(&model, &optimizer), before);

    // A state of another shape.
    optimizer.state_mut().insert("norm.bias", Slot { steps: 1, product: 1.0, tensors: vec![Tensor::zeros([3]); 2] });
    let (before, gradients) = (snapshot(&model, &optimizer), model.gradients(1));
    assert!(message_of(|| optimizer.step(&mut model, &gradients)).contains("norm.bias"));
    assert_eq!(snapshot(&model, &optimizer), before);
}

#[test]
fn options_that_change_the_state_are_refused_after_the_first_step() {
    let mut model = Network::new();
    let mut step = |optimizer: &mut dyn Optimizer| {
        let gradients = model.gradients(0);
        optimizer.step(&mut model, &gradients);
    };
    let mut optimizer = RmsProp::new(0.1);
    step(&mut optimizer);
    assert!(message_of(|| _ = optimizer.clone().centered()).contains("before the first step"));
    let mut changed = optimizer.clone().momentum(0.9);
    assert!(message_of(|| step(&mut changed)).contains("RmsProp with these options keeps 2"));
    step(&mut optimizer.epsilon(1e-3).alpha(0.9));
}

#[test]
fn rms_prop_remembers_what_its_options_need() {
    let tensors = |mut optimizer: RmsProp| {
        trained(&mut optimizer);
        optimizer.state().get("hidden.weight").unwrap().tensors.len()
    };
    assert_eq!(tensors(RmsProp::new(0.1)), 1);
    assert_eq!(tensors(RmsProp::new(0.1).centered()), 2);
    assert_eq!(tensors(RmsProp::new(0.1).momentum(0.9)), 2);
    assert_eq!(tensors(RmsProp::new(0.1).momentum(0.9).centered()), 3);
}

#[test]
fn gradients_of_a_clone_are_refused() {
    let (model, mut clone) = (Network::new(), Network::new());
    let gradients = model.gradients(0);
    let message = message_of(|| Sgd::new(0.1).step(&mut clone, &gradients));
    assert!(
        message.contains("none of the gradients (6) belongs to the model, which has \"hidden.weight\""),
        "{message}"
    );
}

#[test]
fn a_step_with_nothing_to_do_is_none() {
    let mut model = Network::new();
    let (before, gradients) = (model.bits(), model.gradients(0));
    // No gradients were given.
    Sgd::new(0.1).step(&mut model, &Gradients::from_iter([]));
    // All parameters are frozen, with or without gradients.
    let mut frozen = Sgd::new(0.1).group(Group::matching(|_| true).frozen());
    let mut other = Network::new();
    frozen.step(&mut other, &gradients);
    frozen.step(&mut other.hidden, &gradients);
    // No parameter is trainable.
    Sgd::new(0.1).step(&mut Param::buffer([1.0]), &gradients);
    // The model was used, but the result does not depend on it.
    let (tape, x) = (Tape::new(), Param::new(1.0));
    _ = tape.param(&model.hidden.weight).square();
    let of_x = tape.param(&x).square().backward();
    Sgd::new(0.1).step(&mut model, &of_x);
    assert_eq!(model.bits(), before);
    // A single gradient is enough.
    let one: Gradients = [(&model.norm.bias, Tensor::ones([2]))].into_iter().collect();
    Sgd::new(0.1).step(&mut model, &one);
    assert_ne!(model.bits(), before);
}

/// Two steps of Adam for each of two parameters with the same path.
fn two_models(create: impl Fn() -> Param, gradients: impl Fn(&Param, &Param) -> [Gradients; 2]) -> String {
    let (mut first, mut second, mut optimizer) = (create(), create(), Adam::new(0.1));
    message_of(|| {
        for _ in 0..2 {
            let [of_first, of_second] = gradients(&first, &second);
            optimizer.step(&mut first, &of_first);
            optimizer.step(&mut second, &of_second);
        }
    })
}

#[test]
fn two_models_do_not_mix_in_one_optimizer() {
    let apart = two_models(|| Param::new([1.0]), |a, b| [gradients_of(a), gradients_of(b)]);
    assert!(apart.contains("the parameter \"\" of shape [1] belongs to a parameter of another model"), "{apart}");
    let together = two_models(
        || Param::new(1.0),
        |a, b| {
            let tape = Tape::new();
            let gradients = (tape.param(a) - tape.param(b) * 100.0).backward();
            [gradients.clone(), gradients]
        },
    );
    assert!(together.contains("belongs to a parameter of another model"), "{together}");
    // Two parts of one model.
    let mut layers =
        (Linear::new(2, 2, Init::He, &mut wengert::rng(0)), Linear::new(2, 2, Init::He, &mut wengert::rng(1)));
    let (tape, mut optimizer) = (Tape::new(), Sgd::new(0.1).momentum(0.9));
    let gradients = layers.1.forward(&layers.0.forward(&tape.constant([[1.0, 2.0]]))).sum().backward();
    optimizer.step(&mut layers.0, &gradients);
    assert!(message_of(|| optimizer.step(&mut layers.1, &gradients)).contains("\"weight\" of shape [2, 2]"));
}

#[test]
fn a_new_model_does_not_inherit_the_state_of_another() {
    let mut optimizer = Adam::new(0.1);
    let mut fold = || {
        let mut model = Param::new([1.0, 2.0]);
        let gradients = gradients_of(&model);
        optimizer.step(&mut model, &gradients);
    };
    fold();
    let message = message_of(fold);
    assert!(message.contains("the parameter \"\" of shape [2] belongs to a parameter of another model"), "{message}");
}

#[test]
fn the_state_follows_a_clone_that_replaces_the_model() {
    let (mut model, mut optimizer) = (Network::new(), Adam::new(0.1));
    let mut whole = Adam::new(0.1);
    let expected = trained(&mut whole);
    for seed in 0..4 {
        model = model.clone();
        let gradients = model.gradients(seed);
        optimizer.step(&mut model, &gradients);
    }
    assert_eq!(model.bits(), expected);
    // The state of a checkpoint belongs to any model, also to an earlier one.
    let mut earlier = Network::new();
    let gradients = earlier.gradients(0);
    let mut resumed = Adam::new(0.1);
    for (path, slot) in optimizer.state().iter() {
        resumed.state_mut().insert(path, slot.clone());
    }
    resumed.step(&mut earlier, &gradients);
    // Without state there is nothing to mix.
    let (mut first, mut second, mut plain) = (Param::new([1.0]), Param::new([1.0]), Sgd::new(0.1));
    for _ in 0..2 {
        let (of_first, of_second) = (gradients_of(&first), gradients_of(&second));
        plain.step(&mut first, &of_first);
        plain.step(&mut second, &of_second);
    }
    assert_eq!(first.value(), second.value());
}

#[test]
fn the_step_count_does_not_overflow() {
    fn last(mut optimizer: impl Optimizer) {
        let mut model = Param::new([1.0]);
        let gradients = gradients_of(&model);
        optimizer.step(&mut model, &gradients);
        let slot = Slot { steps: i32::MAX - 3, ..optimizer.state().get("").unwrap().clone() };
        optimizer.state_mut().insert("", slot);
        for _ in 0..3 {
            let gradients = gradients_of(&model);
            optimizer.step(&mut model, &gradients);
        }
        assert!(model.value().item().is_finite(), "{}", optimizer.name());
        let path = tempfile::NamedTempFile::new().unwrap();
        Checkpoint::new().optimizer(&optimizer).save(path.path()).unwrap();
        Resume::new().optimizer(&mut optimizer).load(path.path()).unwrap();
        assert_eq!(optimizer.state().get("").unwrap().steps, i32::MAX - 1);
    }
    last(Adam::new(0.1).amsgrad());
    last(AdamW::new(0.1));
    last(AdaGrad::new(0.1).learning_rate_decay(0.1));
    last(Adamax::new(0.1));
    last(NAdam::new(0.1));
    last(RAdam::new(0.1));
    last(Sgd::new(0.1).momentum(0.9).dampening(0.5));
}

#[test]
fn many_given_gradients_are_collected_in_time() {
    let params: Vec<Param> = (0..60_000).map(|_| Param::new(0.0)).collect();
    let twice = params.iter().rev().chain(&params);
    let gradients: Gradients = twice.map(|param| (param, Tensor::scalar(1.0))).collect();
    assert_eq!(gradients.len(), params.len());
    assert!(params.iter().all(|param| gradients[param].item() == 2.0));
    let mut model = params;
    Sgd::new(1.0).momentum(0.9).step(&mut model, &gradients);
    assert!(model.iter().all(|param| param.value().item() == -2.0));
}
