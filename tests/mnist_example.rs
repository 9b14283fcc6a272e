//! The MNIST example as a command: what it prints, and how it fails.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist");

/// Damage to a file.
type Change = fn(&mut Vec<u8>);

/// The example, which is built together with the tests, next to their directory.
fn example() -> Command {
    example_named("mnist")
}

fn example_named(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    Command::new(path.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

fn run(arguments: &[&str]) -> Output {
    example().args(arguments).output().expect("cargo test builds the examples")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Checks that the example refuses to run: the status, nothing on stdout, one line on stderr, which is returned.
fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    let message = text(output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(text(output.stdout), "", "{arguments:?}");
    assert!(message.starts_with("error: ") && message.ends_with('\n'), "{arguments:?}: {message}");
    assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    message
}

#[test]
fn it_trains_and_prints_a_line_an_epoch() {
    let arguments = ["--limit", "512", "--epochs", "3", "--hidden", "32,16", "--batch", "16"];
    let [output, again] = [run(&arguments), run(&arguments)];
    assert!(output.status.success());
    assert_eq!(text(output.stderr), "", "no bar where there is no terminal");
    let out = text(output.stdout);
    assert!(out.contains("layers.1  Linear  weight [16, 32], bias [16]"), "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("epoch ")).count(), 3, "{out}");
    let last = |out: &str| out.lines().last().unwrap().to_string();
    let accuracy: f64 = last(&out).strip_prefix("test accuracy: ").unwrap().parse().unwrap();
    assert!(accuracy > 0.4 && accuracy < 1.0, "{out}");
    assert_eq!(last(&text(again.stdout)), last(&out), "the same seed trains the same network");
}

#[test]
fn the_readme_quotes_what_it_prints() {
    let quoted = include_str!("../README.md").split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let (begin, end) = quoted.split_once("…\n").expect("epochs left out");
    let output = run(&[]);
    assert!(output.status.success());
    let [begin, end, out] = [begin, end, &text(output.stdout)].map(without_speed);
    assert!(out.starts_with(&begin) && out.ends_with(&end), "{out}");
}

/// The lines of a text without the samples per second.
fn without_speed(text: &str) -> String {
    let line = |line: &str| {
        line.strip_suffix(" samples/s").map_or(line, |line| line.trim_end_matches(char::is_numeric)).to_string()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_convolutional_network_trains_with_the_same_options() {
    let run = |arguments: &[&str]| example_named("mnist_cnn").args(arguments).output().expect("it is built too");
    let output = run(&["--limit", "1024", "--epochs", "2", "--hidden", "32", "--batch", "16", "--batch-norm"]);
    assert!(output.status.success());
    let out = text(output.stdout);
    assert!(out.contains("convolutions.1  Conv2d     weight [32, 16, 5, 5], bias [32]"), "{out}");
    assert!(out.contains("report: target/mnist_cnn/report.html"), "{out}");
    let accuracy: f64 = out.lines().last().unwrap().strip_prefix("test accuracy: ").unwrap().parse().unwrap();
    assert!(accuracy > 0.8 && accuracy < 1.0, "{out}");
    assert!(text(run(&["--help"]).stdout).starts_with("Trains a convolutional network"));
    assert_eq!(run(&["--batch", "0"]).status.code(), Some(2));
}

#[test]
fn a_killed_run_goes_on_to_the_same_model_and_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).into_os_string().into_string().unwrap();
    let [whole, resumed, checkpoint, report] = ["whole", "resumed", "checkpoint", "report.html"].map(path);
    let command = |more: &[&str]| {
        let mut command = example();
        command.args(["--limit", "256", "--epochs", "4", "--hidden", "24", "--batch", "16", "--batch-norm"]);
        command.args(["--dropout", "0.2", "--optimizer", "nadam", "--report", &report]).args(more);
        command
    };
    assert!(command(&["--save", &whole]).output().unwrap().status.success());

    let events = path("events");
    let mut command_of_child = command(&["--checkpoint", &checkpoint, "--tensorboard", &events]);
    let mut child = command_of_child.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch 2/4")));
    let files: Vec<_> = std::fs::read_dir(&events).unwrap().map(|entry| entry.unwrap().path()).collect();
    let written = std::fs::read(&files[0]).unwrap();
    for name in ["parameters/layers.0.weight*", "gradients/layers.0.weight*"] {
        assert!(written.windows(name.len()).any(|bytes| bytes == name.as_bytes()), "no histogram {name}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let page = || std::fs::read_to_string(&report).unwrap();
    assert!(page().contains("http-equiv=\"refresh\""), "a browser follows the run");

    let output = command(&["--resume", &checkpoint, "--save", &resumed]).output().unwrap();
    assert!(text(output.stdout).contains("\nafter epoch "), "it does not begin anew");
    assert_eq!(std::fs::read(&resumed).unwrap(), std::fs::read(&whole).unwrap(), "the same bits");

    let page = page();
    assert!(!page.contains("http-equiv"), "it has ended");
    for part in ["Learning curves", "Confusion matrix", "Worst mistakes", "The network", "Settings", "nadam", "<svg"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("--optimizer nadam") && page.contains("</table>"), "the command and the numbers");
    let page = page.replace("href=\"data:", "");
    let loads = ["src=", "href=", "url(", "@import"];
    assert!(loads.iter().all(|load| !page.contains(load)), "the page has everything in it");
}

/// Options of a short run, and its report.
fn short_run(directory: &Path, [limit, epochs, batch]: [&str; 3]) -> Vec<String> {
    let report = path_in(directory, "report.html");
    let options =
        ["--limit", limit, "--epochs", epochs, "--batch", batch, "--hidden", "24", "--dropout", "0.2", "--report"];
    options.map(String::from).into_iter().chain([report]).collect()
}

fn path_in(directory: &Path, name: &str) -> String {
    directory.join(name).into_os_string().into_string().unwrap()
}

#[test]
fn a_run_resumed_with_another_number_of_threads_gives_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let [whole, resumed, checkpoint] = ["whole", "resumed", "checkpoint"].map(|name| path_in(directory.path(), name));
    let run = |threads: &str, more: &[&str]| {
        let mut command = example();
        command.env("WENGERT_NUM_THREADS", threads).args(short_run(directory.path(), ["256", "3", "16"])).args(more);
        assert!(command.output().unwrap().status.success(), "{more:?}");
    };
    run("1", &["--save", &whole, "--checkpoint", &checkpoint, "--keep", "3"]);
    for threads in ["1", "2", "5"] {
        run(threads, &["--resume", &format!("{checkpoint}.epoch-1"), "--save", &resumed]);
        assert_eq!(std::fs::read(&resumed).unwrap(), std::fs::read(&whole).unwrap(), "{threads} threads");
    }
}

#[test]
fn the_last_checkpoints_and_the_best_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = path_in(directory.path(), "run.safetensors");
    let output = example()
        .args(short_run(directory.path(), ["256", "3", "16"]))
        .args(["--checkpoint", &checkpoint, "--keep", "2"])
        .output();
    assert!(output.unwrap().status.success());
    let mut names: Vec<String> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("run"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["run.best.safetensors", "run.epoch-2.safetensors", "run.epoch-3.safetensors", "run.safetensors"]
    );
    assert!(refusal(&["--keep", "2"]).contains("required arguments"));

    let mut bytes = std::fs::read(&checkpoint).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&checkpoint, bytes).unwrap();
    let message = refusal(&["--resume", &checkpoint]);
    assert!(message.contains("CRC-32 of the elements") && message.contains("the file is damaged"), "{message}");
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_keeps_the_good_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let [checkpoint, model] = ["run", "model.safetensors"].map(|name| path_in(directory.path(), name));
    let run = |epochs: &str, more: &[&str]| {
        let files = ["--checkpoint", &checkpoint, "--save", &model];
        example().args(short_run(directory.path(), ["256", epochs, "16"])).args(files).args(more).output().unwrap()
    };
    assert!(run("1", &[]).status.success());
    let good = [&checkpoint, &model].map(|path| std::fs::read(path).unwrap());
    let diverges: [&[&str]; 3] = [
        &["--learning-rate", "1e30", "--resume", &checkpoint],
        &["--weight-decay", "1e300", "--optimizer", "adamw"],
        &["--learning-rate", "1e20"],
    ];
    for more in diverges {
        let output = run("3", more);
        let message = text(output.stderr);
        assert_eq!(output.status.code(), Some(3), "{more:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        for part in ["error: epoch ", ", step ", "--learning-rate", "detect_anomaly()"] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!([&checkpoint, &model].map(|path| std::fs::read(path).unwrap()), good, "{more:?}");
    }

    let mut arrays = wengert::io::safetensors::read(&model).unwrap();
    let weight = arrays["layers.0.weight"].tensor::<f32>().map(|_| f32::NAN);
    arrays.insert("layers.0.weight".into(), weight.into());
    let bad = path_in(directory.path(), "bad");
    wengert::io::safetensors::write(arrays, &bad).unwrap();
    let output = run("3", &["--load", &bad]);
    let message = text(output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.starts_with("warning: ") && message.contains("layers.0.weight"), "{message}");
}

#[cfg(unix)]
fn send(signal: &str, child: &std::process::Child) {
    // It may have ended at the signal before.
    _ = Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// Starts a command and waits for a line. Returns the process, and the lines after it.
#[cfg(unix)]
fn started(mut command: Command, line: &str) -> (std::process::Child, impl Iterator<Item = String>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|other| other.contains(line)));
    std::thread::sleep(std::time::Duration::from_millis(20));
    (child, lines)
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_after_the_step_and_goes_on_to_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let [whole, resumed, checkpoint] = ["whole", "resumed", "checkpoint"].map(|name| path_in(directory.path(), name));
    let command = |more: &[&str]| {
        let mut command = example();
        // Long epochs, of small steps.
        command.args(short_run(directory.path(), ["4000", "3", "1"])).args(more);
        command
    };
    assert!(command(&["--save", &whole]).output().unwrap().status.success());
    let interrupt = |more: &[&str], line: &str, signal: &str| {
        let (mut child, lines) = started(command(&[more, &["--checkpoint", &checkpoint]].concat()), line);
        send(signal, &child);
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}: {rest:?}");
        assert!(rest.iter().any(|line| line.starts_with("interrupted at step ")), "{rest:?}");
        assert!(rest.iter().any(|line| line.starts_with("report: ")), "{rest:?}");
    };
    interrupt(&[], "epoch 1/3", "-INT");
    interrupt(&["--resume", &checkpoint], "epoch 2/3", "-TERM");

    let output = command(&["--resume", &checkpoint, "--save", &resumed]).output().unwrap();
    let out = text(output.stdout);
    assert!(out.contains("\nafter epoch 2 and "), "{out}");
    assert_eq!(std::fs::read(&resumed).unwrap(), std::fs::read(&whole).unwrap(), "the same bits");
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_ends_a_run_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = example();
    // A single step, of a second.
    command.args([
        "--limit",
        "20000",
        "--batch",
        "20000",
        "--hidden",
        "500",
        "--report",
        &path_in(directory.path(), "report.html"),
    ]);
    let (mut child, mut lines) = started(command, "test loss");
    let mut sent = 0;
    while child.try_wait().unwrap().is_none() {
        send("-INT", &child);
        sent += 1;
    }
    assert!(sent >= 2 && child.wait().unwrap().code() == Some(130), "{sent}");
    assert!(lines.all(|line| !line.starts_with("report: ")), "it wrote nothing more");
}

#[test]
fn help_is_not_an_error() {
    let output = run(&["--help"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let help = text(output.stdout);
    assert!(help.contains("Exit status: 0 after training, 2 for an error, 3 if"), "{help}");
    for option in ["epochs", "batch", "learning-rate", "hidden", "seed", "data", "limit"] {
        assert!(help.contains(&format!("--{option} ")), "{option}: {help}");
    }
}

#[test]
fn wrong_options_are_refused_in_one_line() {
    let cases: [(&[&str], &str); 12] = [
        (&["--epoch", "1"], "unexpected argument '--epoch' found; a similar argument exists: '--epochs'"),
        (&["digits"], "unexpected argument 'digits'"),
        (&["--epochs", "many"], "'many' for '--epochs <N>'"),
        (&["--epochs"], "a value is required for '--epochs <N>'"),
        (&["--batch", "0"], "'0' for '--batch <N>'"),
        (&["--batch", "-1"], "'-1' for '--batch <N>'"),
        (&["--learning-rate", "-0.1"], "'-0.1' for '--learning-rate <RATE>'"),
        (&["--learning-rate", "NaN"], "'NaN' for '--learning-rate <RATE>'"),
        (&["--hidden", ""], "'' for '--hidden <N,…>'"),
        (&["--hidden", "256,,128"], "'' for '--hidden <N,…>'"),
        (&["--seed", "1.5"], "'1.5' for '--seed <SEED>'"),
        (&["--limit", "0"], "'0' for '--limit <N>'"),
    ];
    for (arguments, expected) in cases {
        let message = refusal(arguments);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn wrong_files_are_refused_in_one_line() {
    assert!(refusal(&["--data", "no such directory"]).contains("\"no such directory\": found neither train-images"));

    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong_files_are_refused_in_one_line");
    std::fs::create_dir_all(&directory).unwrap();
    let copy = |name: &str, change: Change| -> PathBuf {
        let mut bytes = std::fs::read(Path::new(MNIST).join(name)).unwrap();
        change(&mut bytes);
        let path = directory.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"] {
        copy(name, |_| {});
    }
    let wrong: [(Change, &str); 3] = [
        (|bytes| bytes.truncate(1000), "expected intact data"),
        (|bytes| bytes[2000] ^= 0x10, "expected intact data"),
        (|bytes| bytes.clear(), "magic number at byte 0: expected 4 bytes"),
    ];
    for (change, expected) in wrong {
        let path = copy("t10k-labels-idx1-ubyte.gz", change);
        let message = refusal(&["--data", directory.to_str().unwrap()]);
        assert!(message.contains(&format!("{path:?}")) && message.contains(expected), "{message}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_reader_may_leave() {
    let mut child = example()
        .args(["--limit", "64", "--epochs", "3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo test builds the examples");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("layer"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(output.stderr), "");
}
