//! Principal component analysis.

use wengert::prelude::*;

/// The two directions of largest variance.
pub struct Pca {
    pub mean: Tensor,
    /// Orthonormal columns: `[d, 2]`.
    pub directions: Tensor,
}

impl Pca {
    /// Finds the directions for points `[n, d]`, which are given in batches and read twice, by orthogonal iteration: multiplying
    /// by the covariance turns any two directions toward those of largest variance.
    pub fn new<I: Iterator<Item = Tensor>>(batches: impl Fn() -> I) -> Self {
        let count = batches().map(|points| points.shape()[0]).sum::<usize>() as f64;
        let total = |parts: &mut dyn Iterator<Item = Tensor>| parts.reduce(|sum, part| sum + part).expect("points");
        let mean = total(&mut batches().map(|points| points.sum_over(0) / count));
        let covariance = total(&mut batches().map(|points| {
            let centered = points - &mean;
            centered.transpose(0, 1).matmul(&centered) / count
        }));
        let mut directions = Tensor::randn([mean.len(), 2], &mut wengert::rng(0));
        for _ in 0..100 {
            directions = orthonormal(&covariance.matmul(&directions));
        }
        Pca { mean, directions }
    }

    /// The coordinates of points in the plane: `[n, 2]`.
    pub fn encode(&self, points: &Tensor) -> Tensor {
        (points - &self.mean).matmul(&self.directions)
    }
}

/// Orthonormalizes two columns by Gram–Schmidt.
fn orthonormal(columns: &Tensor) -> Tensor {
    let rows = columns.transpose(0, 1);
    let unit = |row: Tensor| {
        let length = row.map(|x| x * x).sum().item().sqrt();
        row / f64::from(length)
    };
    let [first, second] = [0, 1].map(|row| rows.rows(&[row]));
    let first = unit(first);
    let overlap = (&first * &second).sum();
    let second = unit(second - &first * overlap);
    Tensor::from_vec([first.to_vec(), second.to_vec()].concat(), rows.shape()).transpose(0, 1)
}
