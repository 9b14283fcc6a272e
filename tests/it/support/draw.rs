//! Random shapes, settings and values.

use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::{Generator, Indices};

/// The random source of a case.
pub struct Draw(Generator);

impl Draw {
    /// A source with the given seed.
    pub fn new(seed: u64) -> Self {
        Draw(wengert::rng(seed))
    }

    /// A number from an inclusive range.
    pub fn size(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// A number from an inclusive range.
    pub fn int(&mut self, low: isize, high: isize) -> isize {
        low + self.size(0, (high - low) as usize) as isize
    }

    /// A fair coin toss.
    pub fn coin(&mut self) -> bool {
        self.0.random_range(0..2) == 0
    }

    /// A shape of `low` to 4 axes of 1 to 4 elements; one axis in eight is empty.
    pub fn shape(&mut self, low: usize) -> Vec<usize> {
        let rank = self.size(low, 4);
        (0..rank).map(|_| if self.size(1, 8) == 8 { 0 } else { self.size(1, 4) }).collect()
    }

    /// A shape of `low` to 4 axes of 1 to 4 elements.
    pub fn full_shape(&mut self, low: usize) -> Vec<usize> {
        let rank = self.size(low, 4);
        (0..rank).map(|_| self.size(1, 4)).collect()
    }

    /// An axis of a shape of at least one axis, counted from either end.
    pub fn axis(&mut self, shape: &[usize]) -> isize {
        let rank = shape.len() as isize;
        self.int(-rank, rank - 1)
    }

    /// Some of the axes of a shape, in any order.
    pub fn axes(&mut self, shape: &[usize]) -> Vec<usize> {
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        for k in (1..axes.len()).rev() {
            let other = self.size(0, k);
            axes.swap(k, other);
        }
        axes.truncate(self.size(0, shape.len()));
        axes
    }

    /// Positions below `n`; none if `n` is 0.
    pub fn positions(&mut self, n: usize, most: usize) -> Vec<usize> {
        let count = if n == 0 { 0 } else { self.size(0, most) };
        (0..count).map(|_| self.size(0, n - 1)).collect()
    }

    /// Indices below `n`, of the given shape.
    pub fn indices(&mut self, n: usize, shape: &[usize]) -> Indices {
        let count = shape.iter().product();
        let values: Vec<usize> = (0..count).map(|_| self.size(0, n - 1)).collect();
        Indices::new(values, shape)
    }

    /// Normal deviates of the given shape.
    pub fn normal(&mut self, shape: &[usize]) -> Tensor<f64> {
        Tensor::randn(shape, &mut self.0)
    }

    /// Normal deviates of each of the given shapes.
    pub fn normals(&mut self, shapes: &[Vec<usize>]) -> Vec<Tensor<f64>> {
        shapes.iter().map(|shape| self.normal(shape)).collect()
    }
}

/// Resolves a possibly negative axis.
pub fn resolve(axis: isize, shape: &[usize]) -> usize {
    (if axis < 0 { axis + shape.len() as isize } else { axis }) as usize
}
