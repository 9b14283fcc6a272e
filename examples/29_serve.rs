//! A server of predictions, as JSON over HTTP on this machine: `cargo run --release --example 29_serve`.
//!
//! Without options it trains a small network on MNIST, starts a server, and is its own client. It shows
//! - how requests that wait are predicted together: requests per second and latencies for 1, 8 and 64 clients,
//! - a model that is replaced while clients ask, without losing a request,
//! - what bad requests are told,
//! - learning while predicting: digits in white on black turn black on white, and the model follows.
//!
//! With a checkpoint of the example `mnist` it serves that network until Ctrl-C or POST /shutdown:
//!
//!     cargo run --release --example mnist -- --checkpoint target/mnist.safetensors
//!     cargo run --release --example 29_serve -- --model target/mnist.safetensors
//!
//! POST /predict takes {"pixels": [784 integers]}, /learn the same with a "label". When the file changes, or on POST /reload, the
//! new model answers; GET /status tells its number.

mod support {
    pub mod command;
    pub mod serve;
}

use clap::{Arg, value_parser};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};
use support::command::start;
use support::serve::classifier::{Classifier, PIXELS};
use support::serve::clients::{Client, body, load};
use support::serve::{Models, Server, Stop};
use wengert::data::{ImageBatch, Images, idx, mnist};
use wengert::prelude::*;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;
/// Pixels with their class.
type Labeled = Vec<(Vec<u8>, usize)>;

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist");

fn main() {
    let model = Arg::new("model").long("model").value_name("FILE").value_parser(value_parser!(PathBuf));
    let port = Arg::new("port").long("port").value_parser(value_parser!(u16)).requires("model");
    let options = [
        model.help("Serves this checkpoint of the example mnist"),
        port.help("The port to listen at; 0 is any free one [default: 8080]"),
    ];
    let matches = start(include_str!("29_serve.rs"), options);
    let outcome = match matches.get_one::<PathBuf>("model") {
        Some(path) => serve(path, matches.get_one("port").copied().unwrap_or(8080)),
        None => demonstrate(matches.get_flag("quick")),
    };
    if let Err(error) = outcome {
        eprintln!("error: {error}");
        exit(2);
    }
}

/// Serves until it is told to stop.
fn serve(path: &Path, port: u16) -> Outcome {
    let models = Arc::new(Models::load(path).map_err(|error| error as Box<dyn Error>)?);
    let stop = Stop::default();
    let server = Server::bind(port, Arc::clone(&models), stop.clone())?;
    let interrupted = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if interrupted.swap(true, Ordering::Relaxed) {
            exit(130);
        }
        stop.request();
    })?;
    println!("listening on http://{}", server.address());
    server.run().map_err(|error| error as Box<dyn Error>)?;
    let [predictions, batches] = models.counts();
    println!("{predictions} predictions in {batches} batches");
    Ok(())
}

/// Starts a server and asks it.
fn demonstrate(quick: bool) -> Outcome {
    let (train, _) = mnist::load(MNIST)?;
    let train = train.take(if quick { 2000 } else { 20_000 });
    let images = labeled("t10k", if quick { 200 } else { 2000 })?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("serve.safetensors");
    fs::create_dir_all(path.parent().expect("it is in a folder"))?;

    let mut rng = wengert::rng(0);
    let mut model = Classifier::new(&[PIXELS, 100, 10], &mut rng);
    let mut optimizer = Adam::new(0.002);
    train_epoch(&mut model, &mut optimizer, &train, &mut rng);
    model.save(&path)?;

    let models = Arc::new(Models::load(&path).map_err(|error| error as Box<dyn Error>)?);
    let server = Server::bind(0, Arc::clone(&models), Stop::default())?;
    let address = server.address();
    println!("listening on http://{address}");
    let running = thread::spawn(move || server.run());
    measure(address, &models, &images, if quick { 640 } else { 19_200 });
    train_epoch(&mut model, &mut optimizer, &train, &mut rng);
    swap(address, &images, if quick { 200 } else { 2000 }, || Ok(model.save(&path)?))?;
    show_refusals(address)?;
    learn(address, &images, if quick { 1000 } else { 5000 })?;
    let (status, _) = Client::connect(address)?.request("POST", "/shutdown", "")?;
    running.join().expect("the server does not panic").map_err(|error| error as Box<dyn Error>)?;
    println!("\nPOST /shutdown: {status}, and the server has ended");
    Ok(())
}

fn train_epoch(model: &mut Classifier, optimizer: &mut Adam, images: &Images, rng: &mut wengert::Generator) {
    for ImageBatch { images, labels } in images.clone().normalize(0.1307, 0.3081).batches(100).shuffled(rng) {
        model.step(optimizer, &ImageBatch { images, labels });
    }
}

/// The pixels and classes of a part of MNIST.
fn labeled(part: &str, count: usize) -> Outcome<Labeled> {
    let read = |name: &str| idx::read(format!("{MNIST}/{part}-{name}-ubyte.gz"));
    let (pixels, labels) = (read("images-idx3")?.elements, read("labels-idx1")?.elements);
    let images = pixels.chunks(PIXELS).map(<[u8]>::to_vec).zip(labels.into_iter().map(usize::from));
    Ok(images.take(count).collect())
}

/// Requests per second and latencies for different numbers of clients.
fn measure(address: SocketAddr, models: &Models, images: &Labeled, requests: usize) {
    println!("\nclients  requests/s    p50 ms    p99 ms   images in a batch   accuracy");
    for clients in [1, 8, 64] {
        let before = models.counts();
        let load = load(address, clients, requests / clients, images);
        assert!(load.lost.is_empty(), "{:?}", load.lost);
        let [predictions, batches] = models.counts();
        let (done, size) =
            (load.latencies.len() as f64, (predictions - before[0]) as f64 / (batches - before[1]) as f64);
        let [p50, p99] = [0.5, 0.99].map(|fraction| percentile(&load.latencies, fraction));
        let (speed, accuracy) = (done / load.seconds, load.correct as f64 / done);
        println!("{clients:7}  {speed:10.0}  {p50:8.2}  {p99:8.2}  {size:18.1}  {accuracy:9.4}");
    }
}

/// The time within which a fraction of the requests was answered, in milliseconds.
fn percentile(latencies: &[Duration], fraction: f64) -> f64 {
    let place = (fraction * (latencies.len() - 1) as f64).round() as usize;
    1e3 * latencies[place].as_secs_f64()
}

/// Replaces the file of the model, and with it the model, while clients ask.
fn swap(address: SocketAddr, images: &Labeled, count: usize, save: impl Fn() -> Outcome) -> Outcome {
    let clients = 8;
    let mut client = Client::connect(address)?;
    let mut predictions = || -> Outcome<u64> {
        let (_, status) = client.request("GET", "/status", "")?;
        status["predictions"].as_u64().ok_or_else(|| format!("no status: {status}").into())
    };
    let middle = predictions()? + (clients * count / 4) as u64;
    let replaced = AtomicBool::new(false);
    let rounds = thread::scope(|scope| -> Outcome<_> {
        // The last round begins when the new model is there.
        let asking = scope.spawn(|| {
            let mut rounds = Vec::new();
            loop {
                let last = replaced.load(Ordering::SeqCst);
                rounds.push(load(address, clients, count, images));
                if last {
                    return rounds;
                }
            }
        });
        while predictions()? < middle {
            thread::yield_now();
        }
        let outcome = save().and_then(|()| Client::connect(address)?.request("POST", "/reload", ""));
        replaced.store(true, Ordering::SeqCst);
        let (status, answer) = outcome?;
        assert_eq!(status, 200, "{answer}");
        Ok(asking.join().expect("clients do not panic"))
    })?;
    let mut models: Vec<usize> = rounds.iter().flat_map(|round| round.models.iter().copied()).collect();
    models.sort();
    models.dedup();
    let lost: Vec<&String> = rounds.iter().flat_map(|round| &round.lost).collect();
    let after = load(address, clients, images.len() / clients, images);
    println!(
        "\na new model while {clients} clients send {} requests: {} lost",
        rounds.len() * clients * count,
        lost.len()
    );
    println!("answers came from the models {models:?}");
    println!("accuracy of the new one {:.4}", after.correct as f64 / after.latencies.len() as f64);
    assert!(lost.is_empty() && after.lost.is_empty() && models.len() > 1, "{lost:?} {:?}", after.lost);
    Ok(())
}

/// What bad requests are told.
fn show_refusals(address: SocketAddr) -> Outcome {
    println!();
    let predict = |body: &str| ("POST", "/predict", body.to_string());
    let requests = [
        predict("{\"pixels\": [1, 2, 3]"),
        predict("{\"pixels\": [1, 2, 3]}"),
        predict(&body(&[0; PIXELS], None).replacen('0', "256", 1)),
        predict(&" ".repeat(1 << 17)),
        ("POST", "/learn", body(&[0; PIXELS], Some(10))),
        ("GET", "/predict", String::new()),
        ("GET", "/", String::new()),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in requests {
        answers.push(Client::connect(address)?.request(method, path, &body)?);
    }
    // What a header claims is neither waited for nor allocated.
    let claim = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n";
    answers.push(Client::connect(address)?.send(claim)?);
    for (status, answer) in answers {
        println!("{status} {}", answer["error"].as_str().unwrap_or_default());
        assert!((400..500).contains(&status), "{answer}");
    }
    Ok(())
}

/// Sends digits in black on white, first to ask about, and then with their labels.
fn learn(address: SocketAddr, images: &Labeled, count: usize) -> Outcome {
    let inverted = |images: Labeled| -> Labeled {
        images.into_iter().map(|(pixels, label)| (pixels.iter().map(|pixel| 255 - pixel).collect(), label)).collect()
    };
    let examples = inverted(labeled("train", count)?);
    let images = inverted(images.clone());
    let accuracy = || {
        let load = load(address, 4, images.len() / 4, &images);
        load.correct as f64 / load.latencies.len() as f64
    };
    let mut client = Client::connect(address)?;
    println!("\naccuracy on black digits on white {:.4}", accuracy());
    for (number, (pixels, label)) in (1..).zip(&examples) {
        let body = body(pixels, Some(*label));
        while client.request("POST", "/learn", &body)?.0 == 503 {
            thread::yield_now();
        }
        if number % (count / 4) == 0 {
            println!("after {number:5} labeled examples       {:.4}", accuracy());
        }
    }
    Ok(())
}
