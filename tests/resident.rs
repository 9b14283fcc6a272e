//! Long training: resident memory stays flat, and a replay gives the same bits. Alone in its binary, so that no other test disturbs it.
#![cfg(target_os = "linux")]

use std::path::Path;
use wengert::Generator;
use wengert::io::{Checkpoint, Resume};
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Environment variable for long runs: the number of steps, each of which is run twice.
const STEPS: &str = "WENGERT_TEST_STEPS";
/// Steps between checkpoints.
const SEGMENT: usize = 1000;
/// Growth that is accepted: that of the allocator of the system.
const MOST_KIB: usize = 256;

/// Resident memory in KiB, as the system counts it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has the line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("it is a number")
}

/// A small model in training.
struct Run {
    model: (Linear, BatchNorm, Linear),
    optimizer: Adam,
    rng: Generator,
}

impl Run {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let model =
            (Linear::new(8, 16, Init::He, &mut rng), BatchNorm::new(16), Linear::new(16, 4, Init::He, &mut rng));
        Run { model, optimizer: Adam::new(1e-3), rng }
    }

    /// Scores of random samples, and their labels: which of the first four features is largest.
    fn scores(&mut self, tape: &Tape, count: usize) -> (Var, Vec<usize>) {
        let samples: Tensor = Tensor::randn([count, 8], &mut self.rng);
        let largest = |row: &[f32]| (0..4).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("there are four");
        let labels = samples.as_slice().chunks(8).map(largest).collect();
        let h = self.model.1.forward(&self.model.0.forward(&tape.constant(samples)));
        (self.model.2.forward(&h.relu().dropout(0.1)), labels)
    }

    /// Steps with batches of changing sizes, some of them with a second derivative, and evaluations in between.
    fn train(&mut self, steps: usize) -> f32 {
        let mut evaluation = 0.0;
        for step in 1..=steps {
            let count = self.rng.random_range(2..=40);
            let tape = Tape::training(&mut self.rng);
            let (scores, labels) = self.scores(&tape, count);
            let mut loss = scores.softmax_cross_entropy(&labels);
            if step % 50 == 0 {
                let weight = tape.param(&self.model.2.weight);
                loss = &loss + loss.grad(&weight).square().sum() * 0.01;
            }
            self.optimizer.step(&mut self.model, &loss.backward());
            if step % 100 == 0 {
                let (scores, labels) = self.scores(&Tape::inference(), 64);
                evaluation = scores.softmax_cross_entropy(&labels).item();
            }
        }
        evaluation
    }

    fn save(&self, path: &Path) {
        Checkpoint::new().model(&self.model).optimizer(&self.optimizer).generator(&self.rng).save(path).unwrap();
    }

    fn load(path: &Path) -> Self {
        let mut run = Run::new();
        let resume = Resume::new().model(&mut run.model).optimizer(&mut run.optimizer).generator(&mut run.rng);
        resume.load(path).unwrap();
        run
    }
}

#[test]
fn long_training_leaves_memory_flat_and_a_replay_gives_the_same_bits() {
    let steps: usize = std::env::var(STEPS).map_or(10_000, |steps| steps.parse().expect("a number"));
    let directory = tempfile::tempdir().unwrap();
    let [before, after, replayed] = ["before", "after", "replayed"].map(|name| directory.path().join(name));
    let mut run = Run::new();
    let first = run.train(SEGMENT);
    let (mut memory, mut last) = (Vec::new(), first);
    for segment in 0..steps.div_ceil(SEGMENT) {
        run.save(&before);
        let evaluation = run.train(SEGMENT);
        run.save(&after);

        let mut replay = Run::load(&before);
        assert_eq!(replay.train(SEGMENT).to_bits(), evaluation.to_bits(), "segment {segment}");
        replay.save(&replayed);
        assert!(std::fs::read(&replayed).unwrap() == std::fs::read(&after).unwrap(), "segment {segment}");
        (last, _) = (evaluation, memory.push(resident()));
        if segment % 100 == 0 {
            println!("step {}: {} KiB, loss {evaluation}", (segment + 1) * SEGMENT, resident());
        }
    }
    let [start, end] = [memory[memory.len() / 10 + 1], memory[memory.len() - 1]];
    println!("{steps} steps, each twice: {start} KiB after a tenth, {end} KiB at the end");
    assert!(last < 0.8 * first, "it learns: {first}, then {last}");
    assert!(end < start + MOST_KIB, "{start} KiB, then {end} KiB");
}
