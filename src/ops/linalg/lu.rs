//! LU decomposition, and what follows from it.

use crate::kernel::linalg::lu;
use crate::kernel::matmul::gemm::for_each_matrix;
use crate::tensor::{Dims, Float, Offsets, Tensor, broadcast};
use std::cell::OnceCell;
use std::rc::Rc;

/// The decomposition of the matrices of an operation, which is computed once for it and its gradients.
pub(crate) struct SharedFactors<T: Float>(Rc<OnceCell<LuFactors<T>>>);

impl<T: Float> SharedFactors<T> {
    /// The factors of `a`, which is the same tensor at every call.
    pub(crate) fn of(&self, a: &Tensor<T>) -> &LuFactors<T> {
        self.0.get_or_init(|| LuFactors::new(a))
    }
}

impl<T: Float> Default for SharedFactors<T> {
    fn default() -> Self {
        SharedFactors(Rc::default())
    }
}

impl<T: Float> Clone for SharedFactors<T> {
    fn clone(&self) -> Self {
        SharedFactors(self.0.clone())
    }
}

/// `P A = L U` for each matrix of a batch.
pub(crate) struct LuFactors<T: Float> {
    /// L and U in the shape of A, as `kernel::linalg::lu` packs them.
    factors: Tensor<T>,
    /// The row that each step swapped with, `[…, n]`.
    pivots: Vec<usize>,
    n: usize,
    /// The first singular matrix and its zero pivot, as indices.
    pub(crate) singular: Option<(usize, usize)>,
}

impl<T: Float> LuFactors<T> {
    /// Factors each matrix of a batch of square ones.
    fn new(a: &Tensor<T>) -> Self {
        let n = a.shape()[a.rank() - 1];
        let (mut factors, mut pivots) = (a.clone(), vec![0; a.len().checked_div(n).unwrap_or(0)]);
        let matrices = factors.as_mut_slice().chunks_exact_mut((n * n).max(1));
        let pairs = matrices.zip(pivots.chunks_exact_mut(n.max(1)));
        let mut each: Vec<_> = pairs.map(|(matrix, pivots)| (matrix, pivots, None)).collect();
        for_each_matrix(&mut each, 1, n * n * n, |_, each| {
            each.iter_mut().for_each(|(matrix, pivots, zero_pivot)| *zero_pivot = lu::factor(matrix, n, pivots));
        });
        let singular = each.iter().enumerate().find_map(|(k, (_, _, zero_pivot))| zero_pivot.map(|pivot| (k, pivot)));
        LuFactors { factors, pivots, n, singular }
    }

    /// The solution X of `A X = B`, or of `Aᵀ X = B`, for B `[…, n, m]`; the batch axes broadcast. Not finite where A is singular.
    pub(crate) fn solve(&self, b: &Tensor<T>, transposed: bool) -> Tensor<T> {
        let n = self.n;
        solve_each(self.factors.shape(), b, |k, x, m| {
            lu::solve(&self.factors.as_slice()[k * n * n..][..n * n], &self.pivots[k * n..][..n], transposed, x, m);
        })
    }

    /// The sign of each determinant: −1, 0 or 1.
    pub(crate) fn signs(&self) -> Tensor<T> {
        let sign_of = |pivot: T| if pivot == T::ZERO { T::ZERO } else { pivot.sign() };
        self.map_pivots(|pivots, sign| pivots.fold(sign, |product, pivot| product * sign_of(pivot)))
    }

    /// Each determinant.
    pub(crate) fn determinants(&self) -> Tensor<T> {
        self.map_pivots(|pivots, sign| pivots.fold(sign, |product, pivot| product * pivot))
    }

    /// The logarithm of the absolute value of each determinant.
    pub(crate) fn log_determinants(&self) -> Tensor<T> {
        self.map_pivots(|pivots, _| pivots.fold(T::ZERO, |sum, pivot| sum + pivot.abs().ln()))
    }

    /// Whether a matrix is singular up to rounding: its smallest pivot is negligible relative to its largest.
    pub(crate) fn nearly_singular(&self) -> bool {
        let negligible = T::EPSILON * T::from_f64(self.n as f64);
        let ratio = self.map_pivots(|pivots, _| {
            let bounds = (T::INFINITY, T::ZERO);
            let (least, most) = pivots.fold(bounds, |(least, most), p| (p.abs().minimum(least), p.abs().maximum(most)));
            if least <= negligible * most { T::ZERO } else { T::ONE }
        });
        ratio.as_slice().contains(&T::ZERO)
    }

    /// Applies `f` to the pivots and the sign of the permutation of each matrix; the result has the batch shape.
    fn map_pivots(&self, f: impl Fn(&mut dyn Iterator<Item = T>, T) -> T) -> Tensor<T> {
        let n = self.n;
        let batch = &self.factors.shape()[..self.factors.rank() - 2];
        Tensor::build(Dims::from_slice(batch), |y| {
            for (k, y) in y.iter_mut().enumerate() {
                let is_swap = |&(step, &row): &(usize, &usize)| step != row;
                let swaps = self.pivots[k * n..][..n].iter().enumerate().filter(is_swap).count();
                let mut pivots = (0..n).map(|i| self.factors.as_slice()[k * n * n + i * (n + 1)]);
                *y = f(&mut pivots, if swaps % 2 == 0 { T::ONE } else { -T::ONE });
            }
        })
    }
}

/// Solves for each right-hand side of B `[…, n, m]`, given matrices of shape `[…, n, n]`; the batch axes broadcast.
///
/// `solve(k, x, m)` replaces the right-hand side x `[n, m]` by the solution for matrix k.
pub(crate) fn solve_each<T: Float>(
    matrices: &[usize],
    b: &Tensor<T>,
    solve: impl Fn(usize, &mut [T], usize) + Sync,
) -> Tensor<T> {
    let (batch_of_b, sizes) = b.shape().split_at(b.rank() - 2);
    let batch_of_a = &matrices[..matrices.len() - 2];
    let batch = broadcast(batch_of_a, batch_of_b).expect("the caller checks that the batches broadcast");
    let matrix = Offsets::new(batch_of_a, &batch);
    let shape: Dims = batch.iter().chain(sizes).copied().collect();
    let mut x = b.expand_to(&shape);
    let [n, m] = [sizes[0], sizes[1]];
    for_each_matrix(x.as_mut_slice(), n * m, n * n * m, |k, x| solve(matrix.of(k), x, m));
    x
}
