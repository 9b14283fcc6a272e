//! The example `mnist_mpi` as processes: the same bits for any number of them, and the end of a job.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use tempfile::tempdir;
use wengert::distributed::{self, Communicator};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist");
/// Some two epochs of 12 steps, the last of each on a smaller batch.
const SMALL: [&str; 14] = [
    "--data",
    MNIST,
    "--limit",
    "1500",
    "--hidden",
    "24,16",
    "--epochs",
    "2",
    "--every",
    "3",
    "--dropout",
    "0.2",
    "--seed",
    "1",
];

/// Runs the example, which is built together with the tests, on so many ranks.
fn mpirun(ranks: usize, arguments: &[&str]) -> Output {
    let mut example = std::env::current_exe().unwrap();
    example.pop();
    example.pop();
    program(ranks, &example.join("examples/mnist_mpi"), &[&SMALL, arguments].concat())
}

fn program(ranks: usize, path: &Path, arguments: &[&str]) -> Output {
    // Ranks that hang are a failure, and not the end of all tests.
    Command::new("timeout")
        .args(["--kill-after=5", "120", "mpirun", "--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string()])
        // Ranks that wait do not keep the processor from others.
        .args(["--mca", "mpi_yield_when_idle", "1"])
        .arg(path)
        .args(arguments)
        .output()
        .expect("mpirun is installed")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What a run on so many ranks prints, and its last checkpoint.
fn trained(ranks: usize, folder: &Path, arguments: &[&str]) -> (String, Vec<u8>) {
    let checkpoint = folder.join("run.safetensors");
    let output = mpirun(ranks, &[&["--checkpoint", checkpoint.to_str().unwrap()], arguments].concat());
    assert!(output.status.success(), "{}", text(output.stderr));
    (text(output.stdout), fs::read(checkpoint).unwrap())
}

#[test]
fn messages_arrive() {
    let output = program(3, &std::env::current_exe().unwrap(), &["--exact", "messages_of_a_rank", "--ignored"]);
    let (out, message) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success() && out.matches("1 passed").count() == 3, "{out}{message}");
}

/// Messages of every length between the ways in which they are sent, from each rank to each, as they are between threads.
#[test]
#[ignore = "messages_arrive runs it on several ranks"]
fn messages_of_a_rank() {
    fn received(ranks: &dyn Communicator) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for length in [0, 1, 1000, 30_000, 100_000, 3_000_000] {
            let message = |to: usize| vec![(10 * ranks.rank() + to) as u8; length * ranks.rank() + length / (to + 1)];
            let messages: Vec<Vec<u8>> = (0..ranks.size()).map(message).collect();
            all.extend(ranks.exchange(&messages.iter().map(Vec::as_slice).collect::<Vec<_>>()));
            all.extend(ranks.all_gather(&messages[0]));
            all.push(ranks.broadcast(&messages[1]));
        }
        assert_eq!(distributed::map(ranks, &[0.0; 0], |x| [*x]), [[0.0]; 0]);
        all
    }
    let expected = distributed::on_threads(3, received);
    let status = wengert_mpi::run(|world| {
        assert!(received(world) == expected[world.rank()]);
        Ok::<_, Infallible>(ExitCode::SUCCESS)
    });
    assert_eq!(status, ExitCode::SUCCESS);
}

#[test]
fn any_number_of_ranks_and_threads_gives_the_same_bits() {
    let folder = tempdir().unwrap();
    let (losses, weights) = trained(1, folder.path(), &["--threads", "1"]);
    assert_eq!(losses.lines().count(), 10, "{losses}");
    for (ranks, threads) in [(1, "3"), (2, "1"), (2, "2"), (3, "1"), (4, "1")] {
        let (other, found) = trained(ranks, folder.path(), &["--threads", threads]);
        assert_eq!(other, losses, "{ranks} ranks of {threads} threads");
        assert!(found == weights, "{ranks} ranks of {threads} threads: other weights");
    }
    let (other, _) = trained(2, folder.path(), &["--shards", "2"]);
    assert_ne!(other, losses, "the number of shards is part of a run");
}

#[test]
fn a_rank_that_dies_ends_the_job_which_resumes_on_another_number_of_ranks() {
    let folder = tempdir().unwrap();
    let (losses, weights) = trained(1, folder.path(), &[]);
    let checkpoint = folder.path().join("broken.safetensors");
    let path = checkpoint.to_str().unwrap();

    let output = mpirun(4, &["--checkpoint", path, "--fail", "2,7"]);
    let message = text(output.stderr);
    assert!(!output.status.success() && output.status.code() != Some(124), "it ends by itself: {message}");
    assert!(message.contains("rank 2") && message.contains("signal 6 (Aborted)"), "{message}");
    let before = text(output.stdout);
    assert!(losses.starts_with(&before) && before.lines().count() == 2, "{before}");

    let output = mpirun(2, &["--checkpoint", path, "--resume", path]);
    let after = text(output.stdout);
    assert_eq!(before + &after, losses, "{}", text(output.stderr));
    assert!(fs::read(path).unwrap() == weights, "resuming gives other weights");
}

#[test]
fn an_error_on_one_rank_ends_all() {
    // Only rank 0 writes.
    let output = mpirun(2, &["--checkpoint", "no/such/folder/run.safetensors"]);
    let message = text(output.stderr);
    assert!(!output.status.success() && output.status.code() != Some(124), "{message}");
    assert!(message.contains("error: rank 0 of 2 on ") && message.contains("no/such/folder"), "{message}");
}

#[test]
fn a_loss_that_is_not_finite_ends_all_with_its_own_status() {
    let output = mpirun(2, &["--learning-rate", "1e300"]);
    let message = text(output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("the loss is"), "{message}");
}
