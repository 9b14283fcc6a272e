//! Atomic replacement of files: a save that fails loses nothing.

use crate::io::Network;
use crate::support::files::{bits, directory, message, names};
use std::process::{Command, Stdio};
use std::{env, fs};
use wengert::io::{self, safetensors};
use wengert::prelude::*;

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

    // A location where no file can be created, even for root, who may write to read-only directories.
    let below = path.join("model.safetensors");
    assert!(io::save(&model, &below).is_err());
    let mut other: Network = Network::new(1);
    io::load(&mut other, &path).unwrap();
    assert_eq!(bits(&other), bits(&model));
}

/// Environment variable of a process to be killed: the file to which it saves models in a loop.
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
            .args(["--exact", "file::killing_a_process_that_saves_leaves_a_whole_file"])
            .env(VICTIM, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // A second file in the directory indicates a save in progress.
        while names(directory.path()).len() == hits + 1 {
            assert!(child.try_wait().unwrap().is_none(), "it saves until it is killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut loaded = model(-1.0);
        io::load(&mut loaded, &path).unwrap();
        let values = loaded.value().as_slice();
        assert!(values[0] >= 0.0 && values.iter().all(|value| *value == values[0]), "of one save");
        // The temporary file remains, unless the process was killed after renaming it.
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
        // Root may write anyway; then the new file is complete.
        if outcome.is_err() {
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        io::load(&mut Network::<f32>::new(2), &path).unwrap();
        assert_eq!(names(directory.path()), ["model.safetensors"]);
    }
}
