//! Fuzz targets: the readers of `readers.rs`, one program for each.

pub mod readers;

use std::env::temp_dir;
use std::panic;
use std::path::PathBuf;
use std::process;
use std::sync::LazyLock;

/// The file that is read; in memory where `TMPDIR` is.
static PATH: LazyLock<PathBuf> = LazyLock::new(|| temp_dir().join(format!("wengert-fuzz-{}", process::id())));

/// Reads one input.
pub fn read(name: &str, bytes: &[u8]) {
    _ = readers::read(name, &PATH, bytes);
}

/// Lets panics of `einsum` be caught, at which the hook of libFuzzer would end the process.
pub fn explain_equations() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload_as_str().is_some_and(|message| message.starts_with("einsum: ")) {
            end(info);
        }
    }));
}

/// The fuzz target of a reader.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(
            init: $crate::explain_equations(),
            |bytes: &[u8]| $crate::read($name, bytes)
        );
    };
}
