//! Run-time detection of vector instructions.
#![cfg(target_arch = "x86_64")]

use crate::panics;
use std::env::{VarError, var};
use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Base,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, BW, DQ and VL, and everything in `Avx2`.
    Avx512,
}

/// The best level that this processor supports and `WENGERT_SIMD` permits; detected once.
#[inline]
pub(crate) fn level() -> Level {
    // Unlike a `LazyLock`, it gives the same message to every thread that finds a wrong variable.
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| supported().min(permitted()))
}

fn supported() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Base,
    }
}

fn permitted() -> Level {
    match var("WENGERT_SIMD").as_deref() {
        Ok("baseline") => Level::Base,
        Ok("avx2") => Level::Avx2,
        Ok("avx512") | Err(VarError::NotPresent) => Level::Avx512,
        Ok(other) => panics::instruction_set(other),
        Err(VarError::NotUnicode(other)) => panics::instruction_set(&other.to_string_lossy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_level_of_this_process() {
        println!("level {:?}", level());
    }

    #[test]
    fn the_variable_holds_a_process_to_a_level() {
        for (name, most) in [("baseline", Level::Base), ("avx2", Level::Avx2), ("avx512", Level::Avx512)] {
            let arguments = ["--exact", "--nocapture", "kernel::base::simd::tests::the_level_of_this_process"];
            let mut command = Command::new(std::env::current_exe().unwrap());
            let output = command.args(arguments).env("WENGERT_SIMD", name).output().unwrap();
            let expected = format!("level {:?}\n", supported().min(most));
            assert!(String::from_utf8(output.stdout).unwrap().contains(&expected), "{name}");
        }
    }
}
