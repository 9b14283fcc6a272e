//! The end of a run whose numbers are not finite.

use std::error;
use std::fmt::{self, Display, Formatter};

/// A loss, the norm of gradients, or a parameter that is not a finite number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diverged {
    /// What is not finite, such as `loss`.
    pub what: String,
    /// The value: infinite or NaN.
    pub value: f64,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step, counted from 0 over all epochs.
    pub step: usize,
}

impl Display for Diverged {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Diverged { what, value, epoch, step } = self;
        write!(
            f,
            "epoch {epoch}, step {step}: the {what} is {value}: try a smaller learning rate, a warm-up, less weight decay or clip_norm; \
             Tape::detect_anomaly() names the operation where it began"
        )
    }
}

impl error::Error for Diverged {}
