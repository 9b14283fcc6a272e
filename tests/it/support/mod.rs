//! Helpers shared by several test files.

pub mod adjoint;
pub mod allocator;
pub mod compare;
pub mod draw;
pub mod files;
pub mod gradients;
pub mod panics;
pub mod random;
pub mod resnet;
pub mod samples;
