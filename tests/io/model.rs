//! Models: what is saved comes back, what does not fit changes nothing, and a failed save loses nothing.

use crate::{bits, directory, fixture, message, mismatches};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};
use wengert::io::{self, Array, Integers, safetensors};
use wengert::prelude::*;

struct Network<T: Float = f32> {
    linear: Linear<T>,
    norm: BatchNorm<T>,
}
module!(Network<T> { linear, norm });

impl<T: Float> Network<T> {
    fn new(seed: u64) -> Self {
        Network { linear: Linear::new(3, 2, Init::He, &mut wengert::rng(seed)), norm: BatchNorm::new(2) }
    }
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_model_comes_back_with_its_buffers() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let mut model: Network = Network::new(0);
    let odd = [f32::NAN, f32::NEG_INFINITY];
    *model.norm.running_mean.value_mut() = Tensor::from_slice(&odd, [2]);
    *model.norm.bias.value_mut() = Tensor::from_slice(&[-0.0, f32::from_bits(1)], [2]);
    io::save(&model, &path).unwrap();
    let mut other: Network = Network::new(1);
    assert_ne!(bits(&other), bits(&model));
    io::load(&mut other, &path).unwrap();
    assert_eq!(bits(&other), bits(&model));
    assert_eq!(names(directory.path()), ["model.safetensors"]);
    io::save(&other as &dyn Module, &path).unwrap();
    io::load(&mut other as &mut dyn Module, &path).unwrap();
}

#[test]
fn double_precision_comes_back_and_single_precision_widens() {
    let directory = directory();
    let [single, double] = ["f32", "f64"].map(|name| directory.path().join(name));
    let model: Network<f64> = Network::new(0);
    io::save(&model, &double).unwrap();
    let mut other: Network<f64> = Network::new(1);
    io::load(&mut other, &double).unwrap();
    assert_eq!(other.linear.weight.value(), model.linear.weight.value());

    let narrow: Network = Network::new(2);
    io::save(&narrow, &single).unwrap();
    io::load(&mut other, &single).unwrap();
    let widened = Array::from(narrow.linear.weight.value()).tensor::<f64>();
    assert_eq!(other.linear.weight.value(), &widened);

    let mut narrow = narrow;
    let refused = mismatches(io::load(&mut narrow, &double));
    assert_eq!(refused.len(), 7);
    assert_eq!(refused[0], "linear.weight: expected F32 [2, 3], found F64 [2, 3]");
}

#[test]
fn a_model_of_python_is_loaded_with_its_counter() {
    let mut model: Network = Network::new(0);
    io::load(&mut model, fixture("model.safetensors")).unwrap();
    assert_eq!(model.linear.weight.value(), &tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(model.norm.running_var.value(), &tensor![15.0, 16.0]);
    assert_eq!(model.norm.num_batches_tracked.value().item(), 17.0);
}

#[test]
fn all_that_does_not_fit_is_listed_and_nothing_changes() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let arrays: [(&str, Array); 6] = [
        ("linear.weight", tensor![[1.0, 2.0, 3.0]].into()),
        ("linear.bias", tensor![f64; 1.0, 2.0].into()),
        ("norm.weight", tensor![1.0, 2.0].into()),
        ("norm.running_mean", Integers::new(vec![1 << 24, (1 << 24) + 1], [2]).into()),
        ("norm.num_batches_tracked", Integers::new(vec![i64::MAX], ()).into()),
        ("linear.scale", tensor![1.0].into()),
    ];
    safetensors::write(arrays, &path).unwrap();
    let mut model: Network = Network::new(0);
    let before = bits(&model);
    let result = io::load(&mut model, &path);
    let text = message(io::load(&mut model, &path));
    let expected = [
        "linear.weight: expected F32 [2, 3], found F32 [1, 3]",
        "linear.bias: expected F32 [2], found F64 [2]",
        "norm.bias: expected F32 [2], found nothing",
        "norm.running_mean: expected F32 [2], found I64 [2] with values that F32 cannot represent",
        "norm.running_var: expected F32 [2], found nothing",
        "norm.num_batches_tracked: expected F32 [], found I64 [] with values that F32 cannot represent",
        "linear.scale: expected nothing, found F32 [1]",
    ];
    assert_eq!(text, format!("does not match:\n  {}", expected.join("\n  ")));
    assert_eq!(mismatches(result), expected);
    assert_eq!(bits(&model), before);
}

#[test]
fn names_that_cannot_be_written_leave_the_file_alone() {
    let directory = directory();
    let path = directory.path().join("arrays");
    for write in [safetensors::write::<&str, Tensor>, io::npz::write::<&str, Tensor>] as [fn(_, _) -> _; 2] {
        write(vec![("x", tensor![1.0])], path.clone()).unwrap();
        let before = fs::read(&path).unwrap();
        let result = write(vec![("x", tensor![1.0]), ("x", tensor![2.0])], path.clone());
        assert_eq!(mismatches(result).len(), 1);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let reserved = mismatches(safetensors::write([("__metadata__", tensor![1.0])], &path));
    assert_eq!(reserved, ["__metadata__: expected the name of a tensor, found a name reserved by the format"]);
    for name in ["../x", "/x", "a//b", "c:x", "a\\b", &"x".repeat(70_000)] {
        assert_eq!(mismatches(io::npz::write([(name, tensor![1.0])], &path)).len(), 1);
    }
    assert_eq!(names(directory.path()), ["arrays"]);
}

#[test]
fn a_save_that_fails_loses_nothing() {
    let directory = directory();
    let inside = directory.path().join("inside");
    let path = inside.join("model.safetensors");
    let model: Network = Network::new(0);
    let missing = io::save(&model, &path).unwrap_err().to_string();
    assert!(missing.contains("No such file"), "{missing}");
    fs::create_dir(&inside).unwrap();
    io::save(&model, &path).unwrap();
    assert_eq!(message(io::save(&model, &inside)), "not a regular file");
    assert_eq!(names(&inside), ["model.safetensors"]);

    // A place in which no file can be made, also for the administrator, who may do everything in a read-only directory.
    let below = path.join("model.safetensors");
    assert!(io::save(&model, &below).is_err());
    let mut other: Network = Network::new(1);
    io::load(&mut other, &path).unwrap();
    assert_eq!(bits(&other), bits(&model));
}

/// In the environment of a process that is to be killed: the file to which it saves models without end.
const VICTIM: &str = "WENGERT_TEST_SAVES_TO";

#[test]
fn killing_a_process_that_saves_leaves_a_whole_file() {
    let model = |value: f64| Param::<f32>::new(Tensor::full([500_000], value));
    if let Some(path) = env::var_os(VICTIM) {
        let mut save = 0.0;
        loop {
            save += 1.0;
            io::save(&model(save), &path).unwrap();
        }
    }
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    io::save(&model(0.0), &path).unwrap();
    let mut hits = 0;
    for _ in 0..1000 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "model::killing_a_process_that_saves_leaves_a_whole_file"])
            .env(VICTIM, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // A file beside the other says that a save is under way.
        while names(directory.path()).len() == hits + 1 {
            assert!(child.try_wait().unwrap().is_none(), "it saves until it is killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut loaded = model(-1.0);
        io::load(&mut loaded, &path).unwrap();
        let values = loaded.value().as_slice();
        assert!(values[0] >= 0.0 && values.iter().all(|value| *value == values[0]), "of one save");
        // What was written aside is left, unless the kill came after the renaming.
        hits = names(directory.path()).len() - 1;
        if hits == 5 {
            return;
        }
    }
    panic!("no save was hit in the middle");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_and_permissions_stay() {
        let directory = directory();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        let model: Network = Network::new(0);
        io::save(&model, &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        let other: Network = Network::new(1);
        io::save(&other, &link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        let mut loaded: Network = Network::new(2);
        io::load(&mut loaded, &file).unwrap();
        assert_eq!(bits(&loaded), bits(&other));
    }

    #[test]
    fn devices_and_pipes_are_no_files() {
        let model: Network = Network::new(0);
        assert_eq!(message(io::save(&model, "/dev/null")), "not a regular file");
        assert_eq!(message(safetensors::read("/dev/zero")), "not a regular file");
        assert_eq!(message(io::npz::read("/dev/zero")), "not a regular file");
    }

    #[test]
    fn a_directory_that_is_read_only_keeps_its_file() {
        let directory = directory();
        let path = directory.path().join("model.safetensors");
        let model: Network = Network::new(0);
        io::save(&model, &path).unwrap();
        let before = fs::read(&path).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o500)).unwrap();
        let outcome = io::save(&Network::<f32>::new(1), &path);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        // The administrator may write anyway; then the new file is there, whole.
        if outcome.is_err() {
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        io::load(&mut Network::<f32>::new(2), &path).unwrap();
        assert_eq!(names(directory.path()), ["model.safetensors"]);
    }
}
