//! The places of numbers on axes.

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

/// An axis that places numbers more precisely than in whole pixels.
pub trait Scale: Ranged<ValueType = f64> {
    /// The place of a number between the start, 0, and the end, 1.
    fn share(&self, value: f64) -> f64;
}

impl Scale for RangedCoordf64 {
    fn share(&self, value: f64) -> f64 {
        let range = self.range();
        (value - range.start) / (range.end - range.start)
    }
}
