//! Checkpoints: a resumed run gives the same bits as an uninterrupted one.

use crate::support::files::{bits, directory, message, mismatches};
use crate::support::panics::panic_of;
use std::path::Path;
use wengert::Generator;
use wengert::data::{Dataset, MinMax, Standardizer};
use wengert::io::{self, Checkpoint, Integers, Resume, safetensors};
use wengert::optim::schedule::ReduceOnPlateau;
use wengert::optim::{Adam, EarlyStopping, Lion, NAdam, RmsProp, Slot, Status};
use wengert::prelude::*;

struct Network {
    hidden: Linear,
    norm: BatchNorm,
    output: Linear,
}
module!(Network { hidden, norm, output });

/// Random points with labels.
struct Points(Tensor);

impl Dataset for Points {
    type Batch = (Tensor, Vec<usize>);

    fn len(&self) -> usize {
        self.0.shape()[0]
    }
    fn batch(&self, indices: &[usize]) -> Self::Batch {
        (self.0.rows(indices), indices.iter().map(|k| k % 3).collect())
    }
}

/// All state that changes during training.
struct Run<O> {
    model: Network,
    optimizer: O,
    rng: Generator,
    epoch: usize,
    best: f64,
    /// The bits of all losses since the start of the run.
    losses: Vec<u32>,
}

impl<O: Optimizer> Run<O> {
    fn new(optimizer: O, seed: u64) -> Self {
        let mut rng = wengert::rng(seed);
        let model = Network {
            hidden: Linear::new(6, 10, Init::He, &mut rng),
            norm: BatchNorm::new(10),
            output: Linear::new(10, 3, Init::Xavier, &mut rng),
        };
        Run { model, optimizer, rng, epoch: 0, best: f64::INFINITY, losses: Vec::new() }
    }

    /// Runs five steps on shuffled batches, with dropout and a decaying learning rate.
    fn epoch(&mut self) {
        let points = Points(Tensor::randn([40, 6], &mut wengert::rng(99)));
        for (images, labels) in points.batches(8).shuffled(&mut self.rng) {
            let tape = Tape::training(&mut self.rng);
            let h = self.model.hidden.forward(&tape.constant(images));
            let h = self.model.norm.forward(&h).relu().dropout(0.3);
            let loss = self.model.output.forward(&h).softmax_cross_entropy(&labels);
            self.losses.push(loss.item().to_bits());
            self.best = self.best.min(f64::from(loss.item()));
            self.optimizer.step(&mut self.model, &loss.backward());
        }
        self.epoch += 1;
        self.optimizer.set_learning_rate(self.optimizer.learning_rate() * 0.9);
    }

    fn save(&self, path: &Path) {
        let checkpoint = Checkpoint::new().model(&self.model).optimizer(&self.optimizer).generator(&self.rng);
        checkpoint.counter("epoch", self.epoch).number("best", self.best).save(path).unwrap();
    }

    fn resume(&mut self, path: &Path) -> Result<(), wengert::Error> {
        Resume::new()
            .model(&mut self.model)
            .optimizer(&mut self.optimizer)
            .generator(&mut self.rng)
            .counter("epoch", &mut self.epoch)
            .number("best", &mut self.best)
            .load(path)
    }

    /// All bits that training depends on or produces.
    fn bits(&self) -> (Vec<u32>, String, [u64; 4], usize, u64) {
        let slots: Vec<_> = self.optimizer.state().iter().collect();
        let state = format!("{slots:?} {:?}", self.optimizer.learning_rate().to_bits());
        (bits(&self.model), state, self.rng.state(), self.epoch, self.best.to_bits())
    }
}

fn resuming_changes_nothing<O: Optimizer>(make: impl Fn() -> O) {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut whole = Run::new(make(), 0);
    (0..4).for_each(|_| whole.epoch());

    let mut first = Run::new(make(), 0);
    (0..2).for_each(|_| first.epoch());
    first.save(&path);
    let mut second = Run::new(make(), 1);
    // Earlier state must not remain.
    second.epoch();
    second.losses.clear();
    second.resume(&path).unwrap();
    assert_eq!(second.bits(), first.bits());
    (0..2).for_each(|_| second.epoch());

    assert_eq!([first.losses, second.losses.clone()].concat(), whole.losses);
    assert_eq!(second.bits(), whole.bits());
}

#[test]
fn resuming_changes_no_bit() {
    resuming_changes_nothing(|| Adam::new(1e-2));
    resuming_changes_nothing(|| Adam::new(1e-2).amsgrad().weight_decay(1e-3));
    resuming_changes_nothing(|| Sgd::new(1e-1));
    resuming_changes_nothing(|| Sgd::new(1e-1).momentum(0.9).nesterov().weight_decay(1e-3));
    resuming_changes_nothing(|| NAdam::new(1e-2));
    resuming_changes_nothing(|| Lion::new(1e-3).maximize());
    resuming_changes_nothing(|| RmsProp::new(1e-3));
}

#[test]
fn what_listens_to_a_metric_goes_on() {
    let directory = directory();
    let path = directory.path().join("listeners");
    let begin = || (ReduceOnPlateau::new(0.1).patience(1).cooldown(1), EarlyStopping::new(3).maximize());
    let metric = |epoch: usize| [0.5, 0.7, 0.7, 0.6, 0.8, 0.1, 0.2, 0.3][epoch];
    let (mut plateau, mut stopping) = begin();
    let epoch = |plateau: &mut ReduceOnPlateau, stopping: &mut EarlyStopping, epoch| {
        (plateau.observe(1.0 - metric(epoch)).to_bits(), stopping.update(metric(epoch)))
    };
    let before = [0, 1, 2, 3].map(|number| epoch(&mut plateau, &mut stopping, number).1);
    assert_eq!(before, [Status::Improved, Status::Improved, Status::Continue, Status::Continue]);
    let (listens, stops) = (plateau.state(), stopping.state());
    Checkpoint::new()
        .number("learning_rate", listens.learning_rate)
        .number("best", listens.best)
        .counter("bad_epochs", listens.bad_epochs)
        .counter("resting", listens.resting)
        .scope("stopping")
        .number("best", stops.best)
        .counter("best_epoch", stops.best_epoch)
        .counter("epochs", stops.epochs)
        .counter("bad_epochs", stops.bad_epochs)
        .save(&path)
        .unwrap();

    let (mut plateau_again, mut stopping_again) = begin();
    let (listens, stops) = (plateau_again.state_mut(), stopping_again.state_mut());
    Resume::new()
        .number("learning_rate", &mut listens.learning_rate)
        .number("best", &mut listens.best)
        .counter("bad_epochs", &mut listens.bad_epochs)
        .counter("resting", &mut listens.resting)
        .scope("stopping")
        .number("best", &mut stops.best)
        .counter("best_epoch", &mut stops.best_epoch)
        .counter("epochs", &mut stops.epochs)
        .counter("bad_epochs", &mut stops.bad_epochs)
        .load(&path)
        .unwrap();
    for number in 4..8 {
        let expected = epoch(&mut plateau, &mut stopping, number);
        assert_eq!(epoch(&mut plateau_again, &mut stopping_again, number), expected);
    }
    assert_eq!((stopping_again.best(), stopping_again.best_epoch()), (Some(0.8), Some(4)));
}

#[test]
fn a_checkpoint_is_a_picture_of_its_moment() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut run = Run::new(Adam::new(1e-2), 0);
    run.epoch();
    let checkpoint = Checkpoint::new().model(&run.model).optimizer(&run.optimizer);
    let before = bits(&run.model);
    run.epoch();
    checkpoint.save(&path).unwrap();
    assert_ne!(bits(&run.model), before);
    Resume::new().model(&mut run.model).optimizer(&mut run.optimizer).load(&path).unwrap();
    assert_eq!(bits(&run.model), before);
}

#[test]
fn all_that_does_not_fit_is_listed_and_nothing_changes() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let run = Run::new(Sgd::new(0.1), 0);
    Checkpoint::new().model(&run.model.hidden).optimizer(&run.optimizer).counter("step", 3).save(&path).unwrap();
    let mut other = Run::new(Adam::new(1e-2), 1);
    other.epoch();
    let before = other.bits();
    let found = mismatches(other.resume(&path));
    let begin = "model.hidden.weight: expected F32 [10, 6], found nothing";
    assert_eq!((found.len(), found[0].as_str()), (15, begin));
    let end = [
        "model.bias: expected nothing, found F32 [10]",
        "model.weight: expected nothing, found F32 [10, 6]",
        "optimizer: expected Adam, found Sgd",
        "generator: expected I64 [4], found nothing",
        "counter.epoch: expected I64 [], found nothing",
        "number.best: expected F64 [], found nothing",
    ];
    assert_eq!(found[9..], end);
    assert_eq!(other.bits(), before);
}

#[test]
fn a_state_that_no_optimizer_has_is_refused() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut run = Run::new(Adam::new(1e-2), 0);
    run.epoch();
    let slot = |steps, tensors| Slot { steps, product: 1.0, tensors };
    let state = run.optimizer.state_mut();
    state.insert("hidden.weight", slot(3, vec![Tensor::zeros([10, 6])]));
    state.insert("hidden.bias", slot(i32::MAX, vec![Tensor::zeros([10]), Tensor::zeros([10]), Tensor::zeros([10])]));
    state.insert("norm.weight", slot(-1, vec![Tensor::zeros([10]), Tensor::zeros([11])]));
    run.save(&path);
    let expected = [
        "optimizer.steps.hidden.bias: expected a step count, found 2147483647",
        "optimizer.tensors.1.hidden.weight: expected F32 [10, 6], found nothing",
        "optimizer.tensors.1.norm.weight: expected F32 [10], found F32 [11]",
        "optimizer.steps.norm.weight: expected a step count, found -1",
        "optimizer.tensors.2.hidden.bias: expected nothing, found F32 [10]",
    ];
    assert_eq!(mismatches(run.resume(&path)), expected);

    safetensors::write([("generator", Integers::new(vec![0; 4], [4]))], &path).unwrap();
    let zeros = mismatches(Resume::new().generator(&mut run.rng).load(&path));
    assert_eq!(zeros, ["generator: expected a nonzero state, found four zeros"]);
    safetensors::write([("counter.epoch", Integers::new(vec![-1], ()))], &path).unwrap();
    let negative = mismatches(Resume::new().counter("epoch", &mut run.epoch).load(&path));
    assert_eq!(negative, ["counter.epoch: expected a non-negative integer, found -1"]);
}

#[test]
fn parts_can_be_taken_alone_and_several_have_names() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let (mut first, mut second) = (Run::new(Adam::new(1e-2), 0), Run::new(Sgd::new(0.1).momentum(0.9), 1));
    first.epoch();
    second.epoch();
    let all = Checkpoint::new().scope("first").model(&first.model).optimizer(&first.optimizer);
    all.scope("second").model(&second.model).optimizer(&second.optimizer).save(&path).unwrap();
    let (expected, state) = (bits(&first.model), second.bits().1);
    first.epoch();
    second.epoch();
    Resume::new().scope("first").model(&mut first.model).load(&path).unwrap();
    assert_eq!(bits(&first.model), expected);
    assert_ne!(second.bits().1, state);
    Resume::new().scope("second").optimizer(&mut second.optimizer).load(&path).unwrap();
    assert_eq!(second.bits().1, state);

    let twice = Checkpoint::new().model(&first.model.output).model(&second.model.output).save(&path);
    assert_eq!(mismatches(twice).len(), 2);
    let missing = message(Resume::new().generator(&mut first.rng).load(directory.path().join("none")));
    assert!(missing.contains("No such file"), "{missing}");
}

#[test]
fn double_precision_resumes_too() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut model = Param::<f64>::new(tensor![f64; 0.1, 0.2]);
    let mut optimizer = Adam::<f64>::new(0.01);
    let step = |model: &mut Param<f64>, optimizer: &mut Adam<f64>| {
        let loss = (Tape::new_f64().constant(1.0) * &*model).square().sum();
        optimizer.step(model, &loss.backward());
    };
    step(&mut model, &mut optimizer);
    Checkpoint::new().model(&model).optimizer(&optimizer).save(&path).unwrap();
    let (mut other, mut its_optimizer) = (Param::<f64>::new([0.0, 0.0]), Adam::<f64>::new(1.0));
    Resume::new().model(&mut other).optimizer(&mut its_optimizer).load(&path).unwrap();
    step(&mut model, &mut optimizer);
    step(&mut other, &mut its_optimizer);
    assert_eq!(other.value(), model.value());
    // The file holds more than a model.
    assert!(io::load(&mut other, &path).is_err());
}

#[test]
fn scalings_and_names_are_saved_with_the_model() {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut rng = wengert::rng(0);
    let samples: Tensor<f64> = Tensor::randn([50, 2, 3], &mut rng) * 1e9 + 1e12;
    let (standardizer, range) = (Standardizer::fit(&samples), MinMax::fit(&samples));
    let names = ["setosa", "日本", "", "a\"b\n"].map(String::from);
    let checkpoint = Checkpoint::new().scaling("x", &standardizer).scope("second").scaling("x", &range);
    checkpoint.names("classes", &names).names::<&str>("none", &[]).save(&path).unwrap();

    let (mut a, mut b, mut classes, mut none) = Default::default();
    let resume = Resume::new().scaling::<Standardizer>("x", &mut a).scope("second").scaling::<MinMax>("x", &mut b);
    resume.names("classes", &mut classes).names("none", &mut none).load(&path).unwrap();
    assert_eq!(a.apply(&samples), standardizer.apply(&samples));
    assert_eq!((a.mean(), a.std()), (standardizer.mean(), standardizer.std()));
    assert_eq!(b.invert(&b.apply(&samples)), range.invert(&range.apply(&samples)));
    assert_eq!((classes.as_slice(), none), (names.as_slice(), Vec::new()));

    // Nothing changes if a part is wrong.
    let bad = Tensor::<f64>::zeros([3, 2]);
    let arrays = [("scaling.zero", io::Array::from(&bad)), ("names.two", Integers::new(vec![2], ()).into())];
    safetensors::write(arrays, &path).unwrap();
    let mut other = vec!["kept".to_string()];
    let resume = Resume::new().scaling("zero", &mut a).scaling("one", &mut b).names("two", &mut other);
    let expected = [
        "scaling.zero: expected finite offsets and positive factors, found others",
        "scaling.one: expected F64 [3, ...], found nothing",
        "names.two.0: expected a name, found nothing",
    ];
    assert_eq!(mismatches(resume.load(&path)), expected);
    assert_eq!((a.mean(), other), (standardizer.mean(), vec!["kept".to_string()]));
}

#[test]
fn a_counter_that_could_not_be_read_again_is_refused() {
    let report = panic_of(|| _ = Checkpoint::new().counter("best", usize::MAX)).unwrap();
    assert_eq!(report.message, "counter: 18446744073709552000 is not a signed integer, which files hold");
    assert_eq!(report.line, line!() as usize - 2);
}
