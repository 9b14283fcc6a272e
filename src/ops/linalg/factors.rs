//! The LU factors of matrices, and what can be read off them.

use crate::kernel::linalg::lu;
use crate::tensor::{Dims, Float, Offsets, Tensor, broadcast};

/// `P A = L U` for each matrix of a stack.
pub(crate) struct Factors<T: Float> {
    /// In the shape of the matrices.
    factors: Tensor<T>,
    /// The row that each step exchanged, `[…, n]`.
    pivots: Vec<usize>,
    n: usize,
    /// The first singular matrix, and the step that found no pivot in it.
    pub(crate) singular: Option<(usize, usize)>,
}

impl<T: Float> Factors<T> {
    /// Factors each of a stack of square matrices.
    pub(crate) fn of(a: &Tensor<T>) -> Self {
        let n = a.shape()[a.rank() - 1];
        let (mut factors, mut singular) = (a.clone(), None);
        let mut pivots = vec![0; a.len().checked_div(n).unwrap_or(0)];
        let matrices = factors.as_mut_slice().chunks_exact_mut((n * n).max(1));
        for (k, (matrix, pivots)) in matrices.zip(pivots.chunks_exact_mut(n.max(1))).enumerate() {
            let without_pivot = lu::factor(matrix, n, pivots);
            singular = singular.or(without_pivot.map(|pivot| (k, pivot)));
        }
        Factors { factors, pivots, n, singular }
    }

    /// X with `A X = B` for B `[…, n, m]`, the axes in front broadcast; not finite where A is singular.
    pub(crate) fn solve(&self, b: &Tensor<T>) -> Tensor<T> {
        let n = self.n;
        solve_each(self.factors.shape(), b, |k, x, m| {
            lu::solve(&self.factors.as_slice()[k * n * n..][..n * n], n, &self.pivots[k * n..][..n], x, m);
        })
    }

    /// The sign of each determinant, 0 if it is 0.
    pub(crate) fn signs(&self) -> Tensor<T> {
        let sign = |pivot: T| if pivot == T::ZERO { T::ZERO } else { pivot.sign() };
        self.each(|pivots, exchanges| pivots.fold(exchanges, |product, pivot| product * sign(pivot)))
    }

    /// Each determinant.
    pub(crate) fn determinants(&self) -> Tensor<T> {
        self.each(|pivots, exchanges| pivots.fold(exchanges, |product, pivot| product * pivot))
    }

    /// The logarithm of the size of each determinant.
    pub(crate) fn logarithms(&self) -> Tensor<T> {
        self.each(|pivots, _| pivots.fold(T::ZERO, |sum, pivot| sum + pivot.abs().ln()))
    }

    /// Whether a matrix is singular up to rounding: its smallest pivot vanishes beside the largest.
    pub(crate) fn nearly_singular(&self) -> bool {
        let negligible = T::EPSILON * T::from_f64(self.n as f64);
        let ratio = self.each(|pivots, _| {
            let bounds = (T::INFINITY, T::ZERO);
            let (least, most) = pivots.fold(bounds, |(least, most), p| (p.abs().minimum(least), p.abs().maximum(most)));
            if least <= negligible * most { T::ZERO } else { T::ONE }
        });
        ratio.as_slice().contains(&T::ZERO)
    }

    /// A function of the pivots of each matrix and of −1 to the number of its exchanges, in the shape of the stack.
    fn each(&self, f: impl Fn(&mut dyn Iterator<Item = T>, T) -> T) -> Tensor<T> {
        let n = self.n;
        let stack = &self.factors.shape()[..self.factors.rank() - 2];
        Tensor::build(Dims::from_slice(stack), |y| {
            for (k, y) in y.iter_mut().enumerate() {
                let exchanged = |&(step, &row): &(usize, &usize)| step != row;
                let exchanges = self.pivots[k * n..][..n].iter().enumerate().filter(exchanged).count();
                let mut pivots = (0..n).map(|i| self.factors.as_slice()[k * n * n + i * (n + 1)]);
                *y = f(&mut pivots, if exchanges % 2 == 0 { T::ONE } else { -T::ONE });
            }
        })
    }
}

/// Replaces each right-hand side of B `[…, n, m]` by what `solve` makes of it with the matrix of that number, of a stack of shape
/// `[…, n, n]`; the axes in front broadcast.
pub(crate) fn solve_each<T: Float>(
    matrices: &[usize],
    b: &Tensor<T>,
    mut solve: impl FnMut(usize, &mut [T], usize),
) -> Tensor<T> {
    let (own, sizes) = b.shape().split_at(b.rank() - 2);
    let matrices = &matrices[..matrices.len() - 2];
    let stack = broadcast(matrices, own).expect("the caller checks that the stacks broadcast");
    let of = Offsets::new(matrices, &stack);
    let shape: Dims = stack.iter().chain(sizes).copied().collect();
    let mut x = b.expanded(&shape);
    for (k, x) in x.as_mut_slice().chunks_exact_mut((sizes[0] * sizes[1]).max(1)).enumerate() {
        solve(of.of(k), x, sizes[1]);
    }
    x
}
