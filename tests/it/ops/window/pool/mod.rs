//! Pooling with windows that overlap, leave gaps and extend past the edge.

pub mod average;
pub mod max;

use crate::support::gradients::Shapes;

/// Sequences to pool.
const LINE: Shapes = &[&[&[2, 7]], &[&[1, 2, 5]]];
/// Images to pool.
const IMAGE: Shapes = &[&[&[1, 2, 5, 6]], &[&[4, 5]]];
