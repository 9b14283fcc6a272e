//! The server of predictions as a command: a network of the example `mnist`, clients with good and bad requests at the same time, a
//! new model under load, and both ways to end.

#[path = "../examples/support/serve/clients.rs"]
mod clients;

use clients::{Client, body, load};
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use wengert::data::idx;
use wengert::prelude::*;

const PIXELS: usize = 784;

/// An example, which is built together with the tests, next to their directory.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    Command::new(path.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

/// Trains a network for some epochs; continues if there is a checkpoint.
fn train(checkpoint: &Path, epochs: &str) {
    let checkpoint = checkpoint.to_str().unwrap();
    let mut command = example("mnist");
    command.args(["--limit", "1024", "--hidden", "32,16", "--batch-norm", "--batch", "32", "--epochs", epochs]);
    if Path::new(checkpoint).exists() {
        command.args(["--resume", checkpoint]);
    }
    let report = format!("{checkpoint}.html");
    let output = command.args(["--checkpoint", checkpoint, "--report", &report]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Labeled images of the test set.
fn images() -> Vec<(Vec<u8>, usize)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist");
    let read = |name: &str| idx::read(folder.join(name)).unwrap().elements;
    let (pixels, labels) = (read("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz"));
    pixels.chunks(PIXELS).map(<[u8]>::to_vec).zip(labels.into_iter().map(usize::from)).take(500).collect()
}

struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Server {
    fn start(checkpoint: &Path) -> Self {
        let mut command = example("29_serve");
        command.arg("--model").arg(checkpoint).args(["--port", "0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it prints where it listens").unwrap();
        let address = line.strip_prefix("listening on http://").unwrap().parse().unwrap();
        Server { child, lines, address }
    }

    /// Sends a request on a connection of its own.
    fn request(&self, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
        Client::connect(self.address).unwrap().request(method, path, body).unwrap()
    }

    fn model(&self) -> u64 {
        self.request("GET", "/status", "").1["model"].as_u64().unwrap()
    }

    /// Waits for the end; returns the last line.
    fn end(mut self) -> String {
        let last = self.lines.last().expect("a last line").unwrap();
        assert!(self.child.wait().unwrap().success());
        last
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Bad requests, each twice on one connection where it stays open; what goes wrong with their answers.
fn misbehave(address: SocketAddr) -> Vec<String> {
    let wrong_pixel = body(&[0; PIXELS], None).replacen('0', "-1", 1);
    let cases = [
        (400, "POST", "/predict", "{", "body: expected JSON"),
        (400, "POST", "/predict", "[]", "pixels: expected 784 integers from 0 to 255, row by row, found no such field"),
        (400, "POST", "/predict", "{\"pixels\": [1.5]}", "found 1"),
        (400, "POST", "/predict", wrong_pixel.as_str(), "pixels[0]: expected 784 integers"),
        (400, "POST", "/learn", "{\"label\": \"7\"}", "label: expected an integer from 0 to 9, found \"7\""),
        (405, "DELETE", "/predict", "", "method: expected POST, found DELETE"),
        (404, "GET", "/favicon.ico", "", "found /favicon.ico"),
    ];
    let mut wrong = Vec::new();
    for (status, method, path, body, text) in cases {
        let mut client = Client::connect(address).unwrap();
        for _ in 0..2 {
            match client.request(method, path, body) {
                Ok((found, answer)) if found == status && answer["error"].as_str().unwrap_or("").contains(text) => {}
                other => wrong.push(format!("{method} {path} {body:.30}: {other:?}")),
            }
        }
    }
    let huge = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n";
    let long_header = [b"GET /status HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 1 << 20]].concat();
    for bytes in [huge.as_slice(), b"nonsense\r\n\r\n", &long_header] {
        // The server may close the connection before it has read everything.
        match Client::connect(address).unwrap().send(bytes) {
            Ok((status, _)) if !(400..500).contains(&status) => wrong.push(format!("{status} for {bytes:.30?}")),
            _ => {}
        }
    }
    // Clients that leave: before they say anything, and in the middle of a body.
    drop(TcpStream::connect(address));
    let mut client = TcpStream::connect(address).unwrap();
    let _ = std::io::Write::write_all(&mut client, b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{");
    wrong
}

#[test]
fn nothing_is_lost_while_the_model_is_replaced_and_others_misbehave() {
    let checkpoint = folder("serve_under_load").join("mnist.safetensors");
    train(&checkpoint, "1");
    let server = Server::start(&checkpoint);
    let (images, address, count) = (images(), server.address, 60);
    let (before, bad) = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut loads = vec![load(address, 16, count, &images)];
            // Until the new model answers, which is soon after its file is there.
            let begin = Instant::now();
            while loads.iter().all(|load| load.models.iter().all(|&model| model == 1)) {
                assert!(begin.elapsed() < Duration::from_secs(120), "the new file was not noticed");
                loads.push(load(address, 16, count, &images));
            }
            loads
        });
        let bad = scope.spawn(|| misbehave(address));
        train(&checkpoint, "3");
        (asking.join().unwrap(), bad.join().unwrap())
    });
    assert_eq!(bad, [""; 0]);
    let lost: Vec<&String> = before.iter().flat_map(|load| &load.lost).collect();
    assert!(lost.is_empty(), "{lost:?}");

    // Every image, by the last model.
    assert_eq!(server.request("POST", "/reload", "").0, 200);
    let after = load(address, 4, images.len() / 4, &images);
    assert!(after.lost.is_empty(), "{:?}", after.lost);
    // Guesses would be 50.
    assert!(after.correct > 250, "{} of {} correct", after.correct, images.len());

    // A damaged file changes nothing.
    let last = server.model();
    let bytes = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    let (status, answer) = server.request("POST", "/reload", "");
    assert_eq!(status, 409, "{answer}");
    assert!(answer["error"].as_str().unwrap().starts_with("the model stays: "), "{answer}");
    assert_eq!(server.model(), last);
    let (status, answer) = server.request("POST", "/predict", &body(&images[0].0, None));
    let sum: f64 = answer["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).sum();
    assert!(status == 200 && (sum - 1.0).abs() < 1e-4, "{answer}");

    assert_eq!(server.request("POST", "/shutdown", "").0, 200);
    let predictions = before.iter().map(|load| load.latencies.len()).sum::<usize>() + after.latencies.len() + 1;
    let line = server.end();
    assert!(line.starts_with(&format!("{predictions} predictions in ")), "{line}, of {predictions}");
}

#[test]
fn it_learns_while_it_predicts_and_ends_on_an_interrupt() {
    let checkpoint = folder("serve_learning").join("mnist.safetensors");
    train(&checkpoint, "1");
    let server = Server::start(&checkpoint);
    // One image under a wrong label, until the server says so too.
    let (pixels, label) = &images()[0];
    let wrong = (label + 1) % 10;
    let class = |server: &Server| server.request("POST", "/predict", &body(pixels, None)).1["class"].as_u64();
    let mut steps = 0;
    while class(&server) != Some(wrong as u64) {
        assert_eq!(server.request("POST", "/learn", &body(pixels, Some(wrong))).0, 202);
        steps += 1;
        assert!(steps < 5000, "nothing is learned");
    }
    assert!(server.model() > 1);

    // A connection that says nothing does not keep it.
    let _idle = Client::connect(server.address).unwrap();
    if cfg!(unix) {
        assert!(Command::new("kill").args(["-INT", &server.child.id().to_string()]).status().unwrap().success());
    } else {
        server.request("POST", "/shutdown", "");
    }
    assert!(server.end().contains(" predictions in "));
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let folder = folder("serve_refused");
    let model = folder.join("model.safetensors");
    let weight = wengert::Tensor::<f32>::zeros([10, 784]);
    wengert::io::safetensors::write([("layers.0.weight", &weight)], &model).unwrap();
    let cases =
        [(model.as_path(), "expected a --checkpoint of the example mnist"), (&folder.join("missing"), "No such file")];
    for (path, expected) in cases {
        let output = example("29_serve").arg("--model").arg(path).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.starts_with("error: ") && message.contains(expected), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

/// The bits of a small network after training on random samples, and of its predictions.
fn trained_bits(seed: u64) -> Vec<u32> {
    let mut rng = wengert::rng(seed);
    let mut model = (Linear::new(256, 128, Init::He, &mut rng), Linear::new(128, 10, Init::He, &mut rng));
    let forward = |model: &(Linear, Linear), x: &Var| model.1.forward(&model.0.forward(x).relu());
    let x = Tensor::randn([128, 256], &mut rng);
    let labels: Vec<usize> = (0..128).map(|k| k % 10).collect();
    let mut optimizer = Adam::new(1e-3);
    for _ in 0..5 {
        let tape = Tape::training(&mut rng);
        let loss = forward(&model, &tape.constant(&x)).softmax_cross_entropy(&labels);
        optimizer.step(&mut model, &loss.backward());
    }
    let scores = forward(&model, &Tape::inference().constant(&x));
    let parameters = model.parameters().into_iter().flat_map(|(_, param)| param.value().as_slice());
    parameters.chain(scores.value().as_slice()).map(|x| x.to_bits()).collect()
}

#[test]
fn tasks_of_a_pool_train_and_predict_at_once_with_the_bits_of_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tasks: Vec<_> = (0..6).map(|seed| runtime.spawn_blocking(move || trained_bits(seed))).collect();
    for (seed, task) in (0..).zip(tasks) {
        let found = runtime.block_on(task).unwrap();
        assert!(found == wengert::with_threads(1, || trained_bits(seed)), "seed {seed}");
    }
}
