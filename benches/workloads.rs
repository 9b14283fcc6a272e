//! Throughput of training steps on small networks and of matrix products.
//!
//! Usage: `cargo bench --bench workloads [-- NAME SECONDS THREADS]`.
//!
//! NAME selects the rows whose name contains it; SECONDS is the length of a measurement window, and each figure is the median
//! of five windows; THREADS is a list of thread counts such as `1,2`. A training step comprises the batch, sliced in order from
//! one array, the forward pass, reading the loss, the backward pass and the update. All layers have biases, the loss is
//! cross-entropy, and the images are random, or those of MNIST with `--mnist DIRECTORY`, which holds the uncompressed files.
//!
//! | row | network | optimizer | batch size |
//! |---|---|---|---|
//! | w1 | 784-50-10 | SGD | 100 |
//! | w2 | 784-256-128-10 | Adam | 128 |
//! | w3 | 784-512-512-10 with batch normalization and dropout | AdamW | 128 |
//! | w4 | 784-2048-2048-10 | SGD with momentum | 256 |
//! | w5 | convolutions of 32 and 64 channels, each with ReLU and max pooling, and layers of 128 and 10 | Adam | 64 |
//! | w6 | a chain of 10 000 operations on scalars | – | – |
//! | w7b1, w7b32 | 64 layers of 32 × 32 | SGD | 1, 32 |
//! | w9 | an embedding of 65 characters, an LSTM of two layers of 128 units, and a linear layer, over 50 steps | Adam, clipped | 50 |
//! | w8 | GPT: 4 layers of 4 heads, 128 wide, 64 positions, no biases | AdamW, gradients clipped | 12 |
//! | w11 | GPT: 6 layers of 6 heads, 384 wide, 256 positions, no biases | AdamW, gradients clipped | 4 |
//! | microgpt | GPT: 1 layer of 4 heads, 16 wide, 16 positions, with RMS normalization and ReLU | Adam | 1 |
//! | w10 | ResNet-20 on images of 3 × 32 × 32, its convolutions without biases | SGD with momentum and weight decay | 64 |
//!
//! `mlp:WIDTH:BATCH:DEPTH` is a network like w7 of any size.
//!
//! `distance` is the round trip of a cache line between two processors. Sharing work among threads costs more where they are far
//! apart, and virtual processors migrate.
//!
//! `epochs`, which requires `--mnist`, trains w2 for five epochs and tests it. `--json` prints machine-readable lines: the rates
//! of all windows, the first and the last loss, and the peak resident memory in MiB.

#[path = "../examples/support/gpt.rs"]
#[expect(dead_code, reason = "the example also generates")]
mod gpt;
#[path = "workloads/networks.rs"]
mod networks;

use clap::{Arg, ArgAction, Command, value_parser};
use gpt::{Gpt, Sizes};
use networks::{Characters, Convolutional, LanguageModel, MicroGpt, Mlp, Normalized, ResNet};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wengert::data::{ImageBatch, mnist};
use wengert::prelude::*;

/// Measurement settings.
struct Settings {
    window: Duration,
    windows: usize,
    mnist: Option<PathBuf>,
}

/// The calls per second in each window, and the first and the last loss.
struct Measured {
    rates: Vec<f64>,
    losses: [f64; 2],
}

impl Settings {
    /// Times a step that returns its loss, after a warm-up.
    fn measure(&self, mut step: impl FnMut() -> f64) -> Measured {
        let mut timed = || {
            let (start, mut count, mut loss) = (Instant::now(), 0, 0.0);
            while start.elapsed() < self.window || count < 2 {
                loss = step();
                count += 1;
            }
            (count as f64 / start.elapsed().as_secs_f64(), loss)
        };
        let (_, first) = timed();
        let (rates, losses): (Vec<f64>, Vec<f64>) = (0..self.windows).map(|_| timed()).unzip();
        Measured { rates, losses: [first, losses.last().copied().unwrap_or(first)] }
    }

    /// Trains a network on batches of the given size.
    fn training(
        &self,
        [batch, inputs, classes]: [usize; 3],
        mut model: impl Layer,
        mut optimizer: impl Optimizer,
    ) -> Measured {
        let mut rng = wengert::rng(0);
        let (images, labels) = match &self.mnist {
            Some(directory) if inputs == 784 => load(directory, 0..784),
            Some(directory) if inputs == 32 => load(directory, 300..332),
            _ => {
                let images = Tensor::uniform([64 * batch, inputs], 0.0, 1.0, &mut rng);
                (images, (0..64 * batch).map(|row| row * 7 % classes).collect())
            }
        };
        let mut batches = (0..labels.len() / batch).map(|k| k * batch..(k + 1) * batch).cycle();
        self.measure(|| {
            let rows = batches.next().expect("more samples than in a batch");
            let tape = Tape::training(&mut rng);
            let x = tape.constant(images.slice(0, rows.start as isize..rows.end as isize));
            let loss = model.forward(&x).softmax_cross_entropy(&labels[rows]);
            let value = loss.item();
            optimizer.step(&mut model, &loss.backward());
            f64::from(value)
        })
    }

    /// Trains a network on windows of a text, 50 steps long.
    fn characters(&self) -> Measured {
        const STEPS: usize = 50;
        const BATCH: usize = 50;
        const CLASSES: usize = 65;
        let mut rng = wengert::rng(0);
        let mut model = Characters {
            embedding: Embedding::new(CLASSES, 128, Init::Normal(1.0), &mut rng),
            lstm: Lstm::with_options(128, 128, Recurrent::new().layers(2), &mut rng),
            output: Linear::new(128, CLASSES, Init::LeCunUniform, &mut rng),
        };
        let mut optimizer = Adam::new(2e-3);
        let text: Vec<usize> = (0..100_000).map(|k| (k * 7919 + k / 13) % CLASSES).collect();
        let mut starts = (0..90_000).step_by(997).cycle();
        self.measure(|| {
            let window = &text[starts.next().expect("it has no end")..][..STEPS * BATCH + 1];
            let tape = Tape::training(&mut rng);
            let inputs = Indices::new(&window[..STEPS * BATCH], [STEPS, BATCH]);
            let h = model.lstm.forward(&model.embedding.forward(&tape, inputs));
            let loss = model.output.forward(&h.flatten(0, 1)).softmax_cross_entropy(&window[1..]);
            let value = loss.item();
            let mut gradients = loss.backward();
            gradients.clip_norm(5.0);
            optimizer.step(&mut model, &gradients);
            f64::from(value)
        })
    }

    /// Trains a language model on windows of a text without meaning.
    fn language(
        &self,
        [batch, length, vocabulary]: [usize; 3],
        mut model: impl LanguageModel,
        mut optimizer: impl Optimizer,
    ) -> Measured {
        let text: Vec<usize> = (0..100_000).map(|k| (k * 7919 + k / 13) % vocabulary).collect();
        let count = batch * length;
        let mut starts = (0..text.len() - count - 1).step_by(997).cycle();
        self.measure(|| {
            let start = starts.next().expect("the text is longer than a batch");
            let tokens = Indices::new(text[start..start + count].to_vec(), [batch, length]);
            let scores = model.scores(&Tape::new(), &tokens).flatten(0, 1);
            let loss = scores.softmax_cross_entropy(&text[start + 1..start + count + 1]);
            let value = loss.item();
            let mut gradients = loss.backward();
            gradients.clip_norm(1.0);
            optimizer.step(&mut model, &gradients);
            f64::from(value)
        })
    }

    /// A chain of scalar operations, forward and backward.
    fn chain(&self) -> Measured {
        let [x, a, b] = [1.0, 0.9999, 1e-4].map(|value| Tensor::<f32>::full([1], value));
        self.measure(|| {
            let tape = Tape::new();
            let (a, b) = (tape.var(&a), tape.var(&b));
            let mut y = tape.var(&x);
            for _ in 0..5000 {
                y *= &a;
                y += &b;
            }
            f64::from(y.backward()[&a].item())
        })
    }

    /// One hundred thousand round trips between two threads. Neither pauses while it waits, since a pause takes about as long
    /// as a round trip.
    fn distance(&self) -> Measured {
        const END: usize = 0;
        // A static, because other data on the stack would share its cache line.
        static WORD: AtomicUsize = AtomicUsize::new(END);
        WORD.store(1, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    match WORD.load(Ordering::Acquire) {
                        END => break,
                        question if question % 2 == 0 => WORD.store(question + 1, Ordering::Release),
                        _ => {}
                    }
                }
            });
            let measured = self.measure(|| {
                for question in (2..200_002).step_by(2) {
                    WORD.store(question, Ordering::Release);
                    while WORD.load(Ordering::Acquire) != question + 1 {
                        black_box(());
                    }
                }
                0.0
            });
            WORD.store(END, Ordering::Relaxed);
            measured
        })
    }

    /// A matrix product `[m, k] · [k, n]`, optionally with the second factor stored transposed.
    fn product(&self, [m, k, n]: [usize; 3], transposed: bool) -> Measured {
        let mut rng = wengert::rng(0);
        let tape = Tape::inference();
        let a = tape.constant(Tensor::randn([m, k], &mut rng));
        let b = tape.constant(Tensor::randn(if transposed { [n, k] } else { [k, n] }, &mut rng));
        let settings = Settings { window: self.window / 4, mnist: None, ..*self };
        settings.measure(|| {
            drop(black_box(if transposed { a.linear(&b) } else { a.matmul(&b) }));
            0.0
        })
    }
}

/// Reads the given pixels of the training images, scaled to [0, 1], and the classes.
fn load(directory: &Path, pixels: std::ops::Range<usize>) -> (Tensor, Vec<usize>) {
    let open = |name| BufReader::new(File::open(directory.join(name)).expect("the uncompressed MNIST files"));
    let (mut labels, mut header, mut image) = (Vec::new(), [0; 16], [0; 784]);
    open("train-labels-idx1-ubyte").read_to_end(&mut labels).expect("labels");
    labels.drain(..8);
    let mut file = open("train-images-idx3-ubyte");
    file.read_exact(&mut header).expect("a header");
    let mut images = Vec::with_capacity(labels.len() * pixels.len());
    for _ in &labels {
        file.read_exact(&mut image).expect("an image");
        images.extend(image[pixels.clone()].iter().map(|&pixel| f32::from(pixel) / 255.0));
    }
    let images = Tensor::from_vec(images, [labels.len(), pixels.len()]);
    (images, labels.into_iter().map(usize::from).collect())
}

/// Trains w2 for five epochs and returns the accuracy on the test set.
fn epochs(directory: &Path) -> f64 {
    let (train, test) = mnist::load(directory).expect("the MNIST files");
    let mut rng = wengert::rng(0);
    let (mut model, mut optimizer) = (Mlp::new(&[784, 256, 128, 10], false), Adam::new(1e-3));
    for _ in 0..5 {
        for batch in train.batches(128).shuffled(&mut rng).drop_last() {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
            optimizer.step(&mut model, &loss.backward());
        }
    }
    let score = |batch: ImageBatch| {
        let scores = model.forward(&Tape::inference().constant(batch.images));
        scores.value().argmax(1).iter().zip(&batch.labels).filter(|(guess, label)| guess == label).count()
    };
    test.batches(1000).map(score).sum::<usize>() as f64 / test.len() as f64
}

/// The peak resident memory in MiB; 0 where the system does not report it.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// A row of the table.
struct Row {
    name: String,
    unit: &'static str,
    /// Converts calls per second to the unit.
    convert: Box<dyn Fn(f64) -> f64>,
    run: Box<dyn Fn(&Settings) -> Measured>,
}

impl Row {
    fn steps(name: &str, run: impl Fn(&Settings) -> Measured + 'static) -> Self {
        Row { name: name.into(), unit: "steps/s", convert: Box::new(|rate| rate), run: Box::new(run) }
    }

    /// Layers of one width, each with ReLU; the last one gives the scores.
    fn deep(name: &str, width: usize, batch: usize, depth: usize) -> Self {
        Row::steps(name, move |settings| {
            let model = Mlp::new(&vec![width; depth + 1], true);
            settings.training([batch, width, width], model, Sgd::new(0.01))
        })
    }

    /// The model of nanoGPT.
    fn gpt(name: &str, batch: usize, [positions, layers, heads, width]: [usize; 4]) -> Self {
        Row::steps(name, move |settings| {
            let sizes = Sizes { vocabulary: 65, positions, layers, heads, width };
            let optimizer = AdamW::new(1e-3).betas(0.9, 0.99).weight_decay(0.1);
            settings.language([batch, positions, 65], Gpt::new(sizes, &mut wengert::rng(0)), optimizer)
        })
    }

    fn product(shape @ [m, k, n]: [usize; 3], transposed: bool) -> Self {
        let name = format!("gemm {m}x{k}x{n}{}", if transposed { " t" } else { "" });
        let convert = move |rate| rate * 2e-9 * (m * k * n) as f64;
        let run = move |settings: &Settings| settings.product(shape, transposed);
        Row { name, unit: "GFLOPS", convert: Box::new(convert), run: Box::new(run) }
    }
}

fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::steps("w1", |s| s.training([100, 784, 10], Mlp::new(&[784, 50, 10], false), Sgd::new(0.1))),
        Row::steps("w2", |s| s.training([128, 784, 10], Mlp::new(&[784, 256, 128, 10], false), Adam::new(1e-3))),
        Row::steps("w3", |s| s.training([128, 784, 10], Normalized::new(), AdamW::new(1e-3).weight_decay(1e-4))),
        Row::steps("w4", |s| {
            s.training([256, 784, 10], Mlp::new(&[784, 2048, 2048, 10], false), Sgd::new(0.01).momentum(0.9))
        }),
        Row::steps("w5", |s| s.training([64, 784, 10], Convolutional::new(), Adam::new(1e-3))),
        Row {
            name: "w6".into(),
            unit: "ns/op",
            convert: Box::new(|rate| 1e9 / rate / 1e4),
            run: Box::new(Settings::chain),
        },
        Row::deep("w7b1", 32, 1, 64),
        Row::deep("w7b32", 32, 32, 64),
        Row::steps("w9", Settings::characters),
        Row::gpt("w8", 12, [64, 4, 4, 128]),
        Row::gpt("w11", 4, [256, 6, 6, 384]),
        Row::steps("microgpt", |s| s.language([1, 16, 27], MicroGpt::new(), Adam::new(1e-2).betas(0.85, 0.99))),
        Row::steps("w10", |s| {
            s.training([64, 3072, 10], ResNet::new(), Sgd::new(0.1).momentum(0.9).weight_decay(1e-4))
        }),
    ];
    // On a single processor each turn would last a scheduler time slice.
    if std::thread::available_parallelism().is_ok_and(|number| number.get() > 1) {
        rows.push(Row {
            name: "distance".into(),
            unit: "ns",
            convert: Box::new(|rate| 1e4 / rate),
            run: Box::new(Settings::distance),
        });
    }
    let products = [
        ([64, 64, 64], false),
        ([256, 256, 256], false),
        ([1024, 1024, 1024], false),
        ([128, 784, 256], false),
        ([128, 784, 256], true),
        ([128, 256, 784], false),
        ([256, 128, 784], false),
        ([100, 784, 50], true),
        ([128, 256, 128], true),
        ([128, 128, 10], true),
        ([256, 2048, 2048], true),
        ([32, 32, 32], true),
        ([1, 32, 32], true),
    ];
    rows.extend(products.map(|(shape, transposed)| Row::product(shape, transposed)));
    rows
}

/// Parses `mlp:WIDTH:BATCH:DEPTH`.
fn row_of_any_size(name: &str) -> Option<Row> {
    let sizes: Vec<usize> = name.strip_prefix("mlp:")?.split(':').map_while(|size| size.parse().ok()).collect();
    let [width, batch, depth] = sizes[..] else { return None };
    Some(Row::deep(name, width, batch, depth))
}

fn main() {
    let option = |name| Arg::new(name).long(name).value_name("VALUE");
    let arguments = Command::new("workloads")
        .arg(Arg::new("name").default_value(""))
        .arg(Arg::new("seconds").value_parser(value_parser!(f64)).default_value("0.3"))
        .arg(Arg::new("threads").value_parser(value_parser!(usize)).value_delimiter(','))
        .arg(option("windows").value_parser(value_parser!(usize)).default_value("5"))
        .arg(option("mnist").value_parser(value_parser!(PathBuf)))
        .args(["json", "bench"].map(|flag| Arg::new(flag).long(flag).action(ArgAction::SetTrue)))
        .get_matches();
    let settings = Settings {
        window: Duration::from_secs_f64(arguments.get_one::<f64>("seconds").copied().unwrap_or(0.3)),
        windows: arguments.get_one("windows").copied().unwrap_or(5),
        mnist: arguments.get_one::<PathBuf>("mnist").cloned(),
    };
    let (json, all) = (arguments.get_flag("json"), wengert::num_threads());
    let both = if all > 1 { vec![1, all] } else { vec![1] };
    let threads: Vec<usize> = arguments.get_many("threads").map_or(both, |numbers| numbers.copied().collect());
    let name = arguments.get_one::<String>("name").map_or("", |name| if name == "all" { "" } else { name });
    if name == "epochs" {
        wengert::set_num_threads(threads[0]);
        let accuracy = epochs(settings.mnist.as_deref().expect("epochs needs --mnist"));
        return println!("{{\"accuracy\": {accuracy}, \"resident\": {}}}", resident());
    }
    let named = rows().into_iter().filter(|row| row.name.contains(name)).chain(row_of_any_size(name));
    for row in named {
        print!("{}", if json { String::new() } else { format!("{:22}", row.name) });
        for &number in &threads {
            wengert::set_num_threads(number);
            let Measured { mut rates, losses } = (row.run)(&settings);
            if json {
                println!("{{\"rates\": {rates:?}, \"losses\": {losses:?}, \"resident\": {}}}", resident());
                continue;
            }
            rates.sort_by(f64::total_cmp);
            print!(" {:10.1} ({number})", (row.convert)(rates[rates.len() / 2]));
        }
        print!("{}", if json { String::new() } else { format!(" {}\n", row.unit) });
    }
}
