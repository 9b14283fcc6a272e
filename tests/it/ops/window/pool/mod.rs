//! Pooling with windows that overlap, leave gaps and stand out.

pub mod average;
pub mod max;

use crate::support::gradients::Shapes;

/// Rows of numbers to pool.
const LINE: Shapes = &[&[&[2, 7]], &[&[1, 2, 5]]];
/// Images to pool.
const IMAGE: Shapes = &[&[&[1, 2, 5, 6]], &[&[4, 5]]];
