//! Training on several ranks, which are threads here; the package `wengert-mpi` tests processes.

use crate::support::panics::{Panic, messages, panic_of};
use std::panic::resume_unwind;
use wengert::distributed::{self, Communicator, on_threads};
use wengert::prelude::*;
use wengert::{Generator, parallel};

/// The second of two ranks alone, which hears from the first what it would say itself and then one more number.
struct Second(u64);

impl Communicator for Second {
    fn rank(&self) -> usize {
        1
    }
    fn size(&self) -> usize {
        2
    }
    fn exchange(&self, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        let own = messages[0].to_vec();
        let mut other = own.clone();
        other[8 * self.0 as usize] ^= 1;
        vec![other, own]
    }
}

/// A step of a model of which each half reads one parameter.
fn step(ranks: &dyn Communicator, model: &dyn Module, weight: &Param) {
    let loss = |tape: &Tape, _: &i32| tape.param(weight).square().sum();
    distributed::gradients(ranks, model, &mut wengert::rng(0), &[1, 2], loss);
}

fn differing(what: u64) {
    let weight = Param::new(1.0);
    step(&Second(what), &weight, &weight);
}

pub const PANICS: &[Panic] = &[
    ("ranks_differ_in", || differing(0)),
    ("ranks_differ_in", || differing(1)),
    ("ranks_differ_in", || differing(2)),
    ("not_in_the_model", || step(&Second(0), &Param::new(1.0), &Param::new(2.0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A model with a table, a layer that only some shards use, batch normalization, and a parameter that none uses.
struct Model {
    table: Embedding,
    norm: BatchNorm,
    sometimes: Linear,
    output: Linear,
    unused: Param,
}
module!(Model { table, norm, sometimes, output, unused });

impl Model {
    fn new(rng: &mut Generator) -> Self {
        Model {
            table: Embedding::new(50, 6, Init::Normal(1.0), rng),
            norm: BatchNorm::new(6),
            sometimes: Linear::new(6, 6, Init::He, rng),
            output: Linear::new(6, 3, Init::He, rng),
            unused: Param::new(1.0),
        }
    }

    fn loss(&self, tape: &Tape, shard: &usize) -> Var {
        let words: Vec<usize> = (0..7).map(|k| (shard * 31 + k * k * 17) % 50).collect();
        let mut h = self.norm.forward(&self.table.forward(tape, words.as_slice())).dropout(0.3);
        if shard % 3 == 1 {
            h = self.sometimes.forward(&h);
        }
        if shard % 5 == 4 {
            h += tape.param(&self.table.weight).mean(); // the whole table, not a list of rows
        }
        self.output.forward(&h).softmax_cross_entropy(&words.iter().map(|word| word % 3).collect::<Vec<_>>())
    }
}

/// The bits of losses, parameters and buffers of some steps.
fn train(ranks: Option<&dyn Communicator>, shards: usize) -> Vec<u64> {
    let mut rng = wengert::rng(3);
    // Parameters of another rank have other numbers within the process.
    let _others: Vec<Param> = (0..ranks.map_or(0, |ranks| ranks.rank())).map(|_| Param::new(0.0)).collect();
    let mut model = Model::new(&mut rng);
    let mut optimizer = Adam::new(1e-2);
    let mut bits = Vec::new();
    for step in 0..4 {
        let shards: Vec<usize> = (0..shards).map(|k| k + 100 * step).collect();
        let loss = |tape: &Tape, shard: &usize| model.loss(tape, shard);
        let (loss, mut gradients) = match ranks {
            None => parallel::gradients(&mut rng, &shards, loss).unwrap(),
            Some(ranks) => distributed::gradients(ranks, &model, &mut rng, &shards, loss).unwrap(),
        };
        bits.push(loss.to_bits());
        bits.push(gradients.rows(&model.table.weight).map_or(u64::MAX, |rows| rows.indices().len() as u64));
        assert!(gradients.get(&model.unused).is_none());
        bits.push(gradients.clip_norm(1.0).to_bits());
        optimizer.step(&mut model, &gradients);
    }
    let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
    bits.extend(values.map(|x| u64::from(x.to_bits())));
    bits
}

#[test]
fn any_number_of_ranks_gives_the_same_bits() {
    for shards in [1, 2, 3, 4, 6, 8] {
        let alone = train(None, shards);
        for ranks in [1, 2, 3, 4, 8] {
            for (rank, bits) in on_threads(ranks, |ranks| train(Some(ranks), shards)).into_iter().enumerate() {
                assert!(bits == alone, "{shards} shards: rank {rank} of {ranks} differs from a single process");
            }
        }
    }
}

#[test]
fn zeros_keep_their_signs() {
    let signs = |ranks: &dyn Communicator| {
        let model = [Param::new([0.0, 0.0, 1.0]), Param::new([1.0])];
        let [weight, other] = &model;
        let loss = |tape: &Tape, shard: &f64| match *shard {
            0.0 => tape.param(other).sum(),
            x => (tape.param(weight) * -0.0 * x).sum(),
        };
        let shards = [0.0, 1.0, 0.0, 1.0];
        let (_, gradients) = distributed::gradients(ranks, &model, &mut wengert::rng(0), &shards, loss).unwrap();
        gradients[weight].to_vec().into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let alone = on_threads(1, signs).remove(0);
    assert_eq!(alone, [1 << 31; 3]);
    assert_eq!(on_threads(4, signs), vec![alone; 4]);
}

#[test]
fn no_shards_have_no_gradients() {
    let weight = Param::new(1.0);
    let loss = |tape: &Tape, _: &()| tape.param(&weight).sum();
    let found =
        on_threads(2, |ranks| distributed::gradients(ranks, &weight, &mut wengert::rng(0), &[], loss).is_none());
    assert_eq!(found, [true, true]);
}

#[test]
fn a_model_that_differs_is_described_on_every_rank() {
    let of_sizes = |ranks: &dyn Communicator, outputs: [usize; 3]| {
        let mut model: Linear = Linear::new(2, outputs[ranks.rank()], Init::He, &mut wengert::rng(ranks.rank() as u64));
        let before = model.weight.value().clone();
        let result = distributed::broadcast_parameters(ranks, &mut model);
        (result.map_err(|error| error.to_string()), before, model.weight.value().clone())
    };
    let expected = "rank 1: the model does not match that of rank 0:\n  bias: expected f32 [3], found f32 [4]\n  \
                    weight: expected f32 [3, 2], found f32 [4, 2]";
    for (result, before, after) in on_threads(3, |ranks| of_sizes(ranks, [3, 4, 5])) {
        assert_eq!((result.unwrap_err().as_str(), before), (expected, after));
    }
    let equal = on_threads(3, |ranks| of_sizes(ranks, [3, 3, 3]));
    assert!(equal.iter().all(|(result, _, after)| result.is_ok() && *after == equal[0].1));
}

#[test]
fn work_is_divided_and_its_results_are_in_order() {
    for (ranks, count) in [(1, 5), (3, 7), (4, 2), (2, 0)] {
        let items: Vec<f64> = (0..count).map(f64::from).collect();
        let expected: Vec<[f64; 2]> = items.iter().map(|x| [*x, x * x]).collect();
        let found = on_threads(ranks, |ranks| distributed::map(ranks, &items, |x| [*x, x * x]));
        assert_eq!(found, vec![expected; ranks]);
    }
}

#[test]
fn a_rank_that_ends_does_not_leave_the_others_waiting() {
    let mistake = || {
        _ = on_threads(3, |ranks| {
            if ranks.rank() == 1 {
                resume_unwind(Box::new("rank 1 has had enough".to_string())); // which prints nothing
            }
            panic_of(|| _ = ranks.all_gather(b"still here")).map(|report| report.message)
        })
    };
    assert!(panic_of(mistake).is_some_and(|report| report.message == "rank 1 has had enough"));
}
