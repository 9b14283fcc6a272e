//! Ctrl-C, SIGTERM and SIGHUP: the first one asks the run to end after the current step, a second one ends it at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit status of a run that was interrupted: that of Ctrl-C in a shell.
pub const STATUS: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Notes interrupts from now on, instead of ending the process.
pub fn listen() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            process::exit(STATUS.into());
        }
    })
}

/// Whether the run was interrupted.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
