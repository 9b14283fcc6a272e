//! Trains a multilayer perceptron on MNIST with several processes: `mpirun -n 2 target/release/examples/mnist_mpi`.
//!
//! `-- --help` lists the options. The loss is printed with all digits: it is the same for any number of processes and threads.

use clap::{Arg, ArgAction, Command, value_parser};
use std::error::Error;
use std::path::PathBuf;
use std::process::{ExitCode, abort};
use std::time::Instant;
use wengert::Generator;
use wengert::data::{Images, mnist};
use wengert::distributed::{self, Communicator};
use wengert::io::{Checkpoint, Resume};
use wengert::metrics::accuracy;
use wengert::prelude::*;
use wengert_mpi::World;

/// Mean and standard deviation of the training pixels.
const PIXELS: (f64, f64) = (0.1307, 0.3081);
/// Exit status of a run whose loss is not finite, as in the example `mnist`.
const DIVERGED: u8 = 3;

/// Linear layers with batch normalization, ReLU and dropout between them.
struct Mlp {
    layers: Vec<Linear>,
    norms: Vec<BatchNorm>,
    dropout: f64,
}
module!(Mlp { layers, norms; dropout });

impl Mlp {
    fn new(hidden: &[usize], dropout: f64, rng: &mut impl Rng) -> Self {
        let sizes = [&[784], hidden, &[10]].concat();
        let layers = sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], Init::He, rng)).collect();
        Mlp { layers, norms: hidden.iter().map(|&size| BatchNorm::new(size)).collect(), dropout }
    }

    fn forward(&self, x: &Var) -> Var {
        let (output, hidden) = self.layers.split_last().expect("at least an output layer");
        let layer = |h: Var, (layer, norm): (&Linear, &BatchNorm)| {
            norm.forward(&layer.forward(&h)).relu().dropout(self.dropout)
        };
        output.forward(&hidden.iter().zip(&self.norms).fold(x.clone(), layer))
    }
}

struct Options {
    hidden: Vec<usize>,
    dropout: f64,
    learning_rate: f64,
    epochs: usize,
    batch: usize,
    shards: usize,
    seed: u64,
    limit: usize,
    every: usize,
    data: PathBuf,
    checkpoint: Option<PathBuf>,
    resume: Option<PathBuf>,
    fail: Vec<usize>,
}

impl Options {
    fn parse() -> Self {
        let option = |name: &'static str, default: &'static str, help: &'static str| {
            Arg::new(name).long(name).default_value(default).value_name("N").help(help)
        };
        let number = |name, default, help| option(name, default, help).value_parser(value_parser!(usize));
        let positive = |name, default, help| {
            let parse = |text: &str| text.parse::<usize>().ok().filter(|&n| n > 0).ok_or("expected a positive integer");
            option(name, default, help).value_parser(parse)
        };
        let file = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
        };
        let list =
            |name: &'static str| Arg::new(name).long(name).value_delimiter(',').value_parser(value_parser!(usize));
        let matches = Command::new("mnist_mpi")
            .about("Trains a multilayer perceptron on MNIST with several processes, started by mpirun.")
            .arg(list("hidden").value_name("SIZES").default_value("256,128").help("Sizes of the hidden layers"))
            .arg(option("dropout", "0.1", "Rate of dropout").value_parser(value_parser!(f64)))
            .arg(option("learning-rate", "0.002", "Learning rate").value_parser(value_parser!(f64)))
            .arg(positive("epochs", "3", "Number of epochs"))
            .arg(positive("batch", "128", "Size of a batch, over all processes"))
            .arg(positive(
                "shards",
                "4",
                "Shards of a batch: the results depend on it, and not on the number of processes",
            ))
            .arg(option("seed", "0", "Seed of the random numbers").value_parser(value_parser!(u64)))
            .arg(positive("limit", "60000", "Number of training images"))
            .arg(positive("every", "50", "Steps from one line, and checkpoint, to the next"))
            .arg(file("data", "Folder of the data set").default_value("data/mnist"))
            .arg(file("checkpoint", "Writes the state of the run to this file, from rank 0"))
            .arg(file("resume", "Continues a run from its checkpoint, which all processes read"))
            .arg(list("fail").value_name("RANK,STEP").num_args(1).help("Aborts that process at that step"))
            .arg(number("threads", "0", "Threads of each process; 0 for one per processor").action(ArgAction::Set))
            .get_matches();
        let usize = |name: &str| *matches.get_one::<usize>(name).expect("it has a default");
        let f64 = |name: &str| *matches.get_one::<f64>(name).expect("it has a default");
        let usizes = |name: &str| matches.get_many::<usize>(name).into_iter().flatten().copied().collect();
        if usize("threads") > 0 {
            wengert::set_num_threads(usize("threads"));
        }
        Options {
            hidden: usizes("hidden"),
            dropout: f64("dropout"),
            learning_rate: f64("learning-rate"),
            epochs: usize("epochs"),
            batch: usize("batch"),
            shards: usize("shards"),
            seed: *matches.get_one("seed").expect("it has a default"),
            limit: usize("limit"),
            every: usize("every"),
            data: matches.get_one::<PathBuf>("data").expect("it has a default").clone(),
            checkpoint: matches.get_one::<PathBuf>("checkpoint").cloned(),
            resume: matches.get_one::<PathBuf>("resume").cloned(),
            fail: usizes("fail"),
        }
    }
}

/// The state of a training run, equal on all ranks.
struct Run {
    model: Mlp,
    optimizer: AdamW,
    rng: Generator,
    /// The generator from which the order of the current epoch was drawn.
    order: Generator,
    /// Completed epochs, and steps of the current one.
    epoch: usize,
    step: usize,
}

impl Run {
    fn new(options: &Options) -> Self {
        let mut rng = wengert::rng(options.seed);
        let model = Mlp::new(&options.hidden, options.dropout, &mut rng);
        let optimizer = AdamW::new(options.learning_rate).weight_decay(0.1);
        Run { model, optimizer, order: rng.clone(), rng, epoch: 0, step: 0 }
    }

    fn save(&self, path: &PathBuf) -> Result<(), wengert::Error> {
        Checkpoint::new()
            .model(&self.model)
            .optimizer(&self.optimizer)
            .generator(&self.rng)
            .counter("epoch", self.epoch)
            .counter("step", self.step)
            .scope("order")
            .generator(&self.order)
            .save(path)
    }

    fn resume(&mut self, path: &PathBuf) -> Result<(), wengert::Error> {
        Resume::new()
            .model(&mut self.model)
            .optimizer(&mut self.optimizer)
            .generator(&mut self.rng)
            .counter("epoch", &mut self.epoch)
            .counter("step", &mut self.step)
            .scope("order")
            .generator(&mut self.order)
            .load(path)
    }

    /// Trains on one batch and returns its mean loss.
    fn train(&mut self, world: &World, images: &Images, batch: &[usize], shards: usize) -> f64 {
        let shards: Vec<&[usize]> = batch.chunks(batch.len().div_ceil(shards)).collect();
        let loss = |tape: &Tape, shard: &&[usize]| {
            let samples = images.batch(shard);
            let scores = self.model.forward(&tape.constant(samples.images));
            scores.softmax_cross_entropy(&samples.labels) * (shard.len() as f64 / batch.len() as f64)
        };
        let (loss, gradients) = distributed::gradients(world, &self.model, &mut self.rng, &shards, loss)
            .expect("a batch has at least one shard");
        if loss.is_finite() {
            self.optimizer.step(&mut self.model, &gradients);
        }
        loss
    }

    /// Trains an epoch, or the rest of one. `Err` is a loss that is not finite.
    fn epoch(&mut self, world: &World, images: &Images, options: &Options) -> Result<Result<(), f64>, wengert::Error> {
        let mut order = self.order.clone();
        let batches = images.batches(options.batch).shuffled(&mut order).indices();
        if self.step == 0 {
            self.rng = order;
        }
        for batch in batches.skip(self.step) {
            if let [rank, step] = options.fail[..]
                && (rank, step) == (world.rank(), self.step)
            {
                abort();
            }
            let loss = self.train(world, images, &batch, options.shards);
            if !loss.is_finite() {
                return Ok(Err(loss));
            }
            self.step += 1;
            if self.step.is_multiple_of(options.every) && world.rank() == 0 {
                println!("epoch {}  step {}  loss {loss}", self.epoch + 1, self.step);
                options.checkpoint.as_ref().map_or(Ok(()), |path| self.save(path))?;
            }
        }
        (self.epoch, self.step, self.order) = (self.epoch + 1, 0, self.rng.clone());
        Ok(Ok(()))
    }

    /// The mean loss and the accuracy.
    fn evaluate(&self, world: &World, images: &Images) -> [f64; 2] {
        let positions: Vec<usize> = (0..images.len()).collect();
        let parts: Vec<&[usize]> = positions.chunks(500).collect();
        let sums = distributed::map(world, &parts, |part| {
            let samples = images.batch(part);
            let scores = self.model.forward(&Tape::inference().constant(samples.images));
            let [loss, count] = [scores.softmax_cross_entropy(&samples.labels).item().into(), part.len() as f64];
            [loss * count, accuracy(scores.value(), &samples.labels) * count]
        });
        [0, 1].map(|k| sums.iter().map(|sum| sum[k]).sum::<f64>() / images.len() as f64)
    }
}

fn train(world: &World, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let (train_set, test_set) = mnist::load(&options.data)?;
    let [train_set, test_set] = [train_set.take(options.limit), test_set].map(|set| set.normalize(PIXELS.0, PIXELS.1));
    let mut run = Run::new(options);
    distributed::broadcast_parameters(world, &mut run.model)?;
    if let Some(path) = &options.resume {
        run.resume(path)?;
    }
    let (start, first) = (Instant::now(), run.epoch);
    while run.epoch < options.epochs {
        if let Err(loss) = run.epoch(world, &train_set, options)? {
            if world.rank() == 0 {
                let place = format!("epoch {}, step {}", run.epoch + 1, run.step + 1);
                eprintln!("error: {place}: the loss is {loss}: try a lower --learning-rate");
            }
            return Ok(ExitCode::from(DIVERGED));
        }
        let [loss, accuracy] = run.evaluate(world, &test_set);
        if world.rank() == 0 {
            println!("epoch {}/{}  test loss {loss}  accuracy {accuracy:.4}", run.epoch, options.epochs);
            options.checkpoint.as_ref().map_or(Ok(()), |path| run.save(path))?;
        }
    }
    if world.rank() == 0 {
        eprintln!("{} ranks: {:.3} s for {} epochs", world.size(), start.elapsed().as_secs_f64(), run.epoch - first);
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    let options = Options::parse();
    wengert_mpi::run(|world| train(world, &options))
}
