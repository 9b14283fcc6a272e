//! Atomic replacement of files: a save that fails loses nothing.

use crate::io::Network;
use crate::support::files::{bits, directory, message, names};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};
use wengert::io::{self, safetensors};
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::text::{TokenFile, write_tokens};

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

/// A file system of 256 KiB, which is unmounted when this is dropped.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount() -> Option<Self> {
        let disk = SmallDisk(directory());
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "none"]).arg(disk.0.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(disk)
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_and_keeps_what_was_there() {
    let Some(disk) = SmallDisk::mount() else {
        return println!("left out: this process may not mount a file system");
    };
    let path = disk.0.path().join("model.safetensors");
    let model = |value: f64| Param::<f32>::new(Tensor::full([40_000], value));
    io::save(&model(1.0), &path).unwrap();
    for _ in 0..3 {
        let error = io::save(&model(2.0), &path).unwrap_err().to_string();
        assert!(error.contains("No space left on device") && error.contains("model.safetensors"), "{error}");
        assert_eq!(names(disk.0.path()), ["model.safetensors"], "the half of a file is gone");
        let mut loaded = model(0.0);
        io::load(&mut loaded, &path).unwrap();
        assert_eq!(loaded.value(), model(1.0).value());
    }
}

/// Environment variable of a process to be killed: the file to which it saves models in a loop.
const VICTIM: &str = "WENGERT_TEST_SAVES_TO";
/// Environment variable for long runs: how many processes are killed.
const KILLS: &str = "WENGERT_TEST_KILLS";

/// A model that holds the number of its save.
fn numbered(save: f64) -> Param {
    Param::new(Tensor::full([500_000], save))
}

/// The number of the save in a file, which is whole.
fn saved_number(path: &Path) -> f64 {
    let mut model = numbered(-1.0);
    io::load(&mut model, path).unwrap();
    let values = model.value().as_slice();
    assert!(values.iter().all(|value| *value == values[0]), "of one save");
    values[0].into()
}

#[test]
fn killing_a_process_loses_no_save_that_it_acknowledged() {
    if let Some(path) = env::var_os(VICTIM) {
        let path = Path::new(&path);
        loop {
            let save = saved_number(path) + 1.0;
            io::save(&numbered(save), path).unwrap();
            println!("{save}");
        }
    }
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    io::save(&numbered(0.0), &path).unwrap();
    let wanted = env::var(KILLS).map_or(10, |kills| kills.parse().expect("a number"));
    let mut rng = wengert::rng(0);
    let (mut acknowledged, mut hits) = (0.0, 0);
    for kill in 0..1000 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "file::killing_a_process_loses_no_save_that_it_acknowledged"])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(rng.random_range(20..120)));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let numbers = lines.lines().filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        acknowledged = numbers.fold(acknowledged, f64::max);
        assert!(saved_number(&path) >= acknowledged, "kill {kill}");
        // The file of an earlier kill is gone; that of this one stays, unless the process was between two saves.
        let files = names(directory.path()).len();
        assert!(files <= 2, "{files} files");
        hits += files - 1;
        if kill + 1 >= wanted && hits > 0 && acknowledged > 0.0 {
            io::save(&numbered(0.0), &path).unwrap();
            assert_eq!(names(directory.path()), ["model.safetensors"]);
            return;
        }
    }
    panic!("{hits} saves were hit in the middle, {acknowledged} acknowledged");
}

/// Saves to a path; calls `meanwhile` when the temporary file is there.
fn save_and(path: &Path, meanwhile: impl Fn()) {
    let tokens = (0..3usize).inspect(|&token| {
        if token == 1 {
            meanwhile()
        }
    });
    write_tokens(path, 10, tokens).unwrap();
}

/// The temporary file in a directory.
fn temporary(directory: &Path) -> PathBuf {
    let name = names(directory).into_iter().find(|name| name.ends_with(".tmp"));
    directory.join(name.expect("one is being written"))
}

#[test]
fn a_save_removes_what_a_crash_left_and_nothing_else() {
    let directory = directory();
    let path = directory.path().join("tokens");
    save_and(&path, || {
        // As if this process had been killed here.
        let name = temporary(directory.path());
        let name = name.file_name().unwrap().to_str().unwrap();
        fs::write(directory.path().join(format!("{}-left.tmp", &name[..name.len() - 4])), "left").unwrap();
    });
    assert_eq!(names(directory.path()).len(), 2);
    fs::write(directory.path().join(".wengert-00000000-0.tmp"), "for another file").unwrap();
    save_and(&path, || ());
    let mut left = names(directory.path());
    left.sort();
    assert_eq!(left, [".wengert-00000000-0.tmp", "tokens"]);
}

#[test]
fn two_saves_of_one_file_at_a_time_both_succeed() {
    let directory = directory();
    let path = directory.path().join("tokens");
    save_and(&path, || save_and(&path, || ()));
    assert_eq!(names(directory.path()), ["tokens"]);
    let save = |_| (0..50).for_each(|_| save_and(&path, || ()));
    thread::scope(|scope| (0..4).for_each(|k| _ = scope.spawn(move || save(k))));
    assert_eq!(TokenFile::open(&path).unwrap().read(0, 3).unwrap(), [0, 1, 2]);
    assert_eq!(names(directory.path()), ["tokens"]);
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
    fn a_link_to_no_file_yet_stays() {
        let directory = directory();
        let [file, link, second] = ["file", "link", "second"].map(|name| directory.path().join(name));
        symlink("file", &link).unwrap();
        symlink(&link, &second).unwrap();
        let model: Network = Network::new(0);
        io::save(&model, &second).unwrap();
        assert!([&link, &second].iter().all(|link| fs::symlink_metadata(link).unwrap().is_symlink()));
        io::load(&mut Network::<f32>::new(1), &file).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&second, &file).unwrap();
        assert!(io::save(&model, &second).is_err(), "a loop");
    }

    #[test]
    fn a_private_file_is_private_while_it_is_written() {
        let directory = directory();
        let path = directory.path().join("tokens");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        save_and(&path, || ());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        save_and(&path, || assert_eq!(mode(&temporary(directory.path())), 0o600));
        assert_eq!(mode(&path), 0o640);
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
