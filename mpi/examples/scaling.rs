//! Measures training steps on several ranks, and what of them is communication:
//! `WENGERT_NUM_THREADS=1 mpirun -n 2 target/release/examples/scaling w2 100`.
//!
//! The arguments are the name of a workload of `benches/workloads.rs` and the number of steps. Each rank computes one batch a step.
//! Rank 0 prints milliseconds: the mean processor time of its main thread for all but communication, then the least and the median wall
//! times until all ranks have announced their gradients, which includes waiting for the slowest, of the exchange of parts, of the
//! gathering of sums, and of the whole step. `docs/scaling.md` compares them with a model. The workload `messages` measures the
//! communication alone, for sizes from 1 byte.

#[path = "../../examples/support/gpt.rs"]
#[expect(dead_code, reason = "the example also generates")]
mod gpt;
#[path = "../../examples/support/mlp.rs"]
mod mlp;

use gpt::{Gpt, Sizes};
use mlp::Mlp;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;
use wengert::distributed::{self, Communicator};
use wengert::prelude::*;
use wengert_mpi::World;

/// Milliseconds of processor time of this thread so far.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    text.split(' ').next().and_then(|text| text.parse::<f64>().ok()).expect("a number of nanoseconds") / 1e6
}

/// A communicator that notes how long each call takes.
struct Timed<'a> {
    world: &'a World,
    /// Wall times in milliseconds.
    calls: RefCell<Vec<f64>>,
    processor: Cell<f64>,
}

impl Timed<'_> {
    fn measure<R>(&self, call: impl FnOnce(&World) -> R) -> R {
        let (start, before) = (Instant::now(), processor_time());
        let result = call(self.world);
        self.calls.borrow_mut().push(1e3 * start.elapsed().as_secs_f64());
        self.processor.set(self.processor.get() + processor_time() - before);
        result
    }
}

impl Communicator for Timed<'_> {
    fn rank(&self) -> usize {
        self.world.rank()
    }
    fn size(&self) -> usize {
        self.world.size()
    }
    fn exchange(&self, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        self.measure(|world| world.exchange(messages))
    }
    fn all_gather(&self, message: &[u8]) -> Vec<Vec<u8>> {
        self.measure(|world| world.all_gather(message))
    }
}

/// The least time and the median.
fn summary(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2);
    times.first().zip(median).map_or("-".into(), |(least, median)| format!("{least:.3} {median:.3}"))
}

/// Trains a model for some steps, and prints the times of a step.
fn steps<M: Module + Sync>(
    world: &World,
    [name, count]: [&str; 2],
    mut model: M,
    mut optimizer: impl Optimizer,
    loss: impl Fn(&M, &Tape, usize) -> Var + Sync,
) {
    let mut rng = wengert::rng(0);
    let shards: Vec<usize> = (0..world.size()).collect();
    let (mut all, mut own) = (vec![Vec::new(); 4], 0.0);
    let count: usize = count.parse().expect("a number of steps");
    for step in 0..=count {
        let timed = Timed { world, calls: RefCell::default(), processor: Cell::new(0.0) };
        let (start, before) = (Instant::now(), processor_time());
        let loss = |tape: &Tape, shard: &usize| loss(&model, tape, *shard);
        let (_, gradients) = distributed::gradients(&timed, &model, &mut rng, &shards, loss).expect("there are shards");
        optimizer.step(&mut model, &gradients);
        if step > 0 {
            own += processor_time() - before - timed.processor.get();
            all[3].push(1e3 * start.elapsed().as_secs_f64());
            all.iter_mut().zip(timed.calls.take()).for_each(|(list, time)| list.push(time));
        }
    }
    if world.rank() == 0 {
        let (ranks, bytes, own) = (world.size(), 4 * model.parameter_count(), own / count as f64);
        print!("{name}  ranks {ranks}  bytes {bytes}  own {own:.3}");
        ["announce", "exchange", "gather", "step"]
            .iter()
            .zip(all)
            .for_each(|(name, times)| print!("  {name} {}", summary(times)));
        println!();
    }
}

/// Prints the wall times of the exchange of messages of one size.
fn messages(world: &World, count: usize) {
    for exponent in 0..8 {
        let message = vec![1u8; 10usize.pow(exponent)];
        let time = |call: &dyn Fn()| {
            let times = (0..count).map(|_| {
                world.all_gather(&[]);
                let start = Instant::now();
                call();
                1e3 * start.elapsed().as_secs_f64()
            });
            summary(times.collect())
        };
        let exchange = time(&|| _ = world.exchange(&vec![&message[..]; world.size()]));
        let gather = time(&|| _ = world.all_gather(&message));
        if world.rank() == 0 {
            println!("messages  bytes {}  exchange {exchange}  gather {gather}", message.len());
        }
    }
}

fn gpt(world: &World, settings: [&str; 2], sizes: Sizes, batch: usize) {
    let count = batch * sizes.positions;
    let text: Vec<usize> = (0..count + 1000).map(|k| (k * 7919 + k / 13) % sizes.vocabulary).collect();
    let model = Gpt::new(sizes, &mut wengert::rng(0));
    steps(world, settings, model, AdamW::new(1e-3), |model, tape, shard| {
        let window = &text[shard % 1000..];
        let tokens = Indices::new(window[..count].to_vec(), [batch, sizes.positions]);
        model.forward(tape, &tokens).flatten(0, 1).softmax_cross_entropy(&window[1..count + 1])
    });
}

/// Two convolutions with ReLU and max pooling, and two linear layers.
type Convolutional = ([Conv2d; 2], [Linear; 2]);

fn run(world: &World, name: &str, count: &str) {
    let (settings, rng) = ([name, count], &mut wengert::rng(0));
    let images = |size: usize| Tensor::uniform([size, 784], 0.0, 1.0, &mut wengert::rng(1));
    let labels = |size: usize| (0..size).map(|row| row * 7 % 10).collect::<Vec<_>>();
    match name {
        "w2" => {
            let (images, labels) = (images(128), labels(128));
            steps(world, settings, Mlp::new(&[784, 256, 128, 10], rng), Adam::new(1e-3), |model, tape, _| {
                model.forward(&tape.constant(&images)).softmax_cross_entropy(&labels)
            });
        }
        "w5" => {
            let (images, labels) = (images(64).reshape([-1, 1, 28, 28]), labels(64));
            let convolutions = [(1, 32), (32, 64)].map(|(from, to)| Conv2d::new(from, to, 3, Init::He, rng));
            let layers = [(1600, 128), (128, 10)].map(|(from, to)| Linear::new(from, to, Init::He, rng));
            steps(world, settings, (convolutions, layers), Adam::new(1e-3), |model: &Convolutional, tape, _| {
                let block = |h: Var, convolution: &Conv2d| convolution.forward(&h).relu().max_pool2d(2);
                let h = model.0.iter().fold(tape.constant(&images), block).flatten(1, -1);
                model.1[1].forward(&model.1[0].forward(&h).relu()).softmax_cross_entropy(&labels)
            });
        }
        "w8" => gpt(world, settings, Sizes { vocabulary: 65, positions: 64, layers: 4, heads: 4, width: 128 }, 12),
        "w11" => gpt(world, settings, Sizes { vocabulary: 65, positions: 256, layers: 6, heads: 6, width: 384 }, 4),
        "messages" => messages(world, count.parse().expect("a number of repetitions")),
        _ => panic!("{name:?} is none of w2, w5, w8, w11 and messages"),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count] = &arguments[..] else {
        eprintln!("usage: scaling WORKLOAD STEPS");
        return ExitCode::from(2);
    };
    wengert_mpi::run(|world| {
        run(world, name, count);
        Ok::<_, Infallible>(ExitCode::SUCCESS)
    })
}
