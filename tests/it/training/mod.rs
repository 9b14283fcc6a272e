//! Training loops.

mod tensorboard;

use crate::support::files::{bits, directory, mismatches};
use crate::support::panics::{Panic, messages};
use wengert::Generator;
use wengert::data::Samples;
use wengert::io::{Checkpoint, Resume, safetensors};
use wengert::optim::{Adam, EarlyStopping, Status};
use wengert::prelude::*;
use wengert::training::Fit;

pub fn panics() -> Vec<Panic> {
    [tensorboard::PANICS, PANICS].concat()
}

const PANICS: &[Panic] = &[
    ("bound", || _ = Fit::<Param>::new(1).clip_norm(-1.0)),
    ("no epoch", || _ = Fit::<Param>::new(1).validate(&Param::new(0.0), 0.5)),
];

#[test]
fn panics_of_loops() {
    insta::assert_snapshot!(messages(PANICS));
}

fn loss(model: &Param) -> Var {
    Tape::new().param(model).square().sum()
}

#[test]
fn the_best_model_is_kept_and_training_stops() {
    let (mut model, mut optimizer) = (Param::new(4.0), Sgd::new(0.25));
    let mut fit = Fit::new(10).patience(2);
    for validation in [3.0, 1.0, 2.0, f64::NAN] {
        assert!(fit.next_epoch());
        fit.step(loss(&model), &mut model, &mut optimizer).unwrap();
        _ = fit.validate(&model, validation);
    }
    assert!(!fit.next_epoch());
    assert_eq!((fit.best_model().unwrap().value().item(), model.value().item()), (1.0, 0.25));
}

#[test]
fn larger_values_are_better_if_it_says_so() {
    let mut fit = Fit::<Param>::new(2).stopping(EarlyStopping::new(5).maximize());
    let statuses: Vec<Status> = [0.5, 0.75]
        .map(|accuracy| {
            assert!(fit.next_epoch());
            fit.validate(&Param::new(accuracy as f32), accuracy)
        })
        .into();
    assert_eq!(statuses, [Status::Improved, Status::Improved]);
    assert!(!fit.next_epoch());
    assert_eq!(fit.best_model().unwrap().value().item(), 0.75);
}

#[test]
fn a_step_with_a_loss_or_gradient_that_is_not_finite_changes_nothing() {
    let mut optimizer = Sgd::new(0.1);
    for start in [1e30f32, f32::NAN] {
        let mut model = Param::new(start);
        let mut fit = Fit::new(1);
        assert!(fit.next_epoch());
        let error = fit.step(loss(&model), &mut model, &mut optimizer).unwrap_err();
        assert_eq!((error.epoch, error.step), (1, 0));
        assert!(error.to_string().starts_with("epoch 1, step 0: the loss is "), "{error}");
        assert_eq!(model.value().item().to_bits(), start.to_bits());
    }
    // The loss is 0, its gradient infinite.
    let mut model = Param::new(0.0f32);
    let mut fit = Fit::new(1);
    assert!(fit.next_epoch());
    let root = Tape::new().param(&model).sqrt();
    let error = fit.step(root, &mut model, &mut optimizer).unwrap_err();
    assert!(error.to_string().contains(": the norm of the gradients is inf: "), "{error}");
}

#[test]
fn gradients_are_clipped_and_the_schedule_followed() {
    let (mut model, mut optimizer) = (Param::new(4.0f32), Sgd::new(9.0));
    let mut fit = Fit::new(1).clip_norm(1.0).schedule(|step: usize| 0.5 / (step + 1) as f64);
    assert!(fit.next_epoch());
    let norms = [(); 2].map(|()| fit.step(loss(&model), &mut model, &mut optimizer).unwrap());
    assert!(norms[0] == 8.0 && (norms[1] - 7.0).abs() < 1e-5, "{norms:?}");
    assert!((model.value().item() - 3.25).abs() < 1e-5);
}

#[test]
fn the_history_is_written() {
    let (mut model, mut optimizer) = (Param::new(4.0), Sgd::new(0.25));
    let mut fit = Fit::new(2);
    while fit.next_epoch() {
        for _ in 0..2 {
            fit.step(loss(&model), &mut model, &mut optimizer).unwrap();
        }
    }
    fit.metric("true, or \"not\"", 0.5, 1.0);
    fit.metric("true, or \"not\"", 0.25, 3.0);
    _ = fit.validate(&model, f64::INFINITY);
    insta::assert_snapshot!(fit.history().to_csv() + &fit.history().to_json() + &format!("{fit}\n"));
}

/// A run with dropout, a schedule and validation.
struct Run {
    model: (Linear, Linear),
    optimizer: Adam,
    rng: Generator,
    fit: Fit<(Linear, Linear)>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = wengert::rng(seed);
        let mut layer = |inputs, outputs| Linear::new(inputs, outputs, Init::He, &mut rng);
        let model = (layer(3, 8), layer(8, 1));
        let fit = Fit::new(6).patience(2).clip_norm(1.0).schedule(|step: usize| 0.05 / (1.0 + step as f64));
        Run { model, optimizer: Adam::new(0.1), rng, fit }
    }

    /// Trains until there are no more epochs, or for a number of steps. The validations get worse from the third on.
    fn train(&mut self, steps: usize) {
        let rng = &mut wengert::rng(9);
        let data = Samples::new(Tensor::<f32>::randn([30, 3], rng), Tensor::<f32>::randn([30, 1], rng));
        while self.fit.next_epoch() {
            for batch in self.fit.batches(&mut self.rng, |rng| data.batches(8).shuffled(rng)) {
                if self.fit.steps() == steps {
                    return;
                }
                let tape = Tape::training(&mut self.rng);
                let h = self.model.0.forward(&tape.constant(batch.inputs)).relu().dropout(0.3);
                let loss = self.model.1.forward(&h).mse_loss(&batch.targets, Reduction::Mean);
                self.fit.metric("batches", 1.0, batch.targets.len() as f64);
                self.fit.step_weighted(loss, batch.targets.len() as f64, &mut self.model, &mut self.optimizer).unwrap();
            }
            let validation = [3.0, 1.0, 2.0, 2.0][self.fit.epoch() - 1];
            _ = self.fit.validate(&self.model, validation);
        }
    }

    fn save(&self, path: &std::path::Path) {
        let all = Checkpoint::new().fit(&self.fit, &self.model).optimizer(&self.optimizer).generator(&self.rng);
        all.save(path).unwrap();
    }

    fn resume(&mut self, path: &std::path::Path) -> Result<(), wengert::Error> {
        let all = Resume::new().fit(&mut self.fit, &mut self.model).optimizer(&mut self.optimizer);
        all.generator(&mut self.rng).load(path)
    }
}

#[test]
fn a_loop_resumed_at_any_step_goes_on_to_the_same_bits() {
    let directory = directory();
    let path = directory.path().join("run");
    let mut whole = Run::new(1);
    whole.train(usize::MAX);
    assert_eq!((whole.fit.epoch(), whole.fit.steps()), (4, 16), "the patience ended it");
    // At the beginning, within epochs, at their ends, and after the last.
    for steps in 0..=16 {
        let mut begun = Run::new(1);
        begun.train(steps);
        begun.save(&path);
        let mut resumed = Run::new(2);
        resumed.resume(&path).unwrap();
        resumed.train(usize::MAX);
        assert_eq!(bits(&resumed.model), bits(&whole.model), "after {steps} steps");
        assert_eq!(resumed.fit.history().to_csv(), whole.fit.history().to_csv(), "after {steps} steps");
        let best = [&resumed, &whole].map(|run| bits(run.fit.best_model().unwrap()));
        assert_eq!(best[0], best[1], "after {steps} steps");
    }
}

#[test]
fn an_epoch_whose_batches_the_loop_does_not_know_is_whole() {
    let directory = directory();
    let path = directory.path().join("run");
    let (mut model, mut optimizer, mut fit) = (Param::new(4.0), Sgd::new(0.25), Fit::new(3));
    assert!(fit.next_epoch());
    fit.step(loss(&model), &mut model, &mut optimizer).unwrap();
    Checkpoint::new().fit(&fit, &model).save(&path).unwrap();
    let mut resumed = Fit::new(3);
    Resume::new().fit(&mut resumed, &mut model).load(&path).unwrap();
    assert!(resumed.next_epoch() && resumed.epoch() == 2 && resumed.best_model().is_none());
}

#[test]
fn a_checkpoint_without_a_sound_loop_is_refused() {
    let directory = directory();
    let path = directory.path().join("run");
    let mut run = Run::new(1);
    run.train(9);
    run.save(&path);
    let mut arrays = safetensors::read(&path).unwrap();
    let epochs = arrays["fit.epochs"].tensor::<f64>();
    arrays.insert("fit.epochs".into(), (-epochs).into());
    safetensors::write(arrays, &path).unwrap();
    let before = run.fit.history().to_csv();
    let refused = mismatches(run.resume(&path));
    assert!(refused.iter().any(|line| line.contains("fit.metrics: expected a text, found nothing")), "{refused:?}");
    assert_eq!(run.fit.history().to_csv(), before);
}

#[test]
fn a_parameter_that_is_not_finite_is_found() {
    let fit = Fit::<[Param; 1]>::new(1);
    assert!(fit.check(&[Param::new([1.0, 2.0])]).is_ok());
    let error = fit.check(&[Param::new([1.0, f32::NEG_INFINITY])]).unwrap_err();
    assert_eq!(error.value, f64::NEG_INFINITY);
    assert!(error.to_string().contains("the parameter 0 is -inf"), "{error}");
}

#[test]
fn gradients_of_several_batches_make_one_step() {
    let (mut model, mut optimizer, mut fit) = (Param::new(4.0f32), Sgd::new(0.25), Fit::new(1));
    assert!(fit.next_epoch());
    let (mut sum, norm) = fit.backward(loss(&model), 1.0).unwrap();
    sum += fit.backward(loss(&model) * 0.5, 3.0).unwrap().0;
    fit.update(&sum, &mut model, &mut optimizer);
    assert_eq!((norm, model.value().item(), fit.steps()), (8.0, 1.0, 1));
    assert_eq!(fit.history().epochs()[0].loss(), 10.0);
}
