//! Reading elements by position and its adjoint, adding at positions: the rule of each is the other.

use crate::autograd::{Op, Save, Saved, Var};
use crate::panics;
use crate::tensor::{AxisIndex, Dims, Float, Tensor, resolve_axis};
use std::fmt::{self, Debug, Formatter};
use std::rc::Rc;

/// Positions in the row-major order of a value, in the order of another.
#[derive(Clone)]
pub(super) struct Positions {
    pub(super) positions: Rc<[usize]>,
    /// The shape of the value that is made of the elements at the positions.
    pub(super) picked: Dims,
    /// The shape of the value that the positions are in.
    pub(super) whole: Dims,
}

impl Debug for Positions {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{{ positions: {:?} }}", self.picked)
    }
}

/// `y[k] = x[positions[k]]`.
#[derive(Debug)]
struct Take(Positions);

impl<T: Float> Op<T, 1> for Take {
    const NAME: &'static str = "take";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let x = x.as_slice();
        Tensor::build(self.0.picked.clone(), |y| {
            y.iter_mut().zip(&*self.0.positions).for_each(|(y, &at)| *y = x[at]);
        })
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.put(self.0.clone()))]
    }
}

/// `y[positions[k]] += x[k]`, onto zeros.
#[derive(Debug)]
struct Put(Positions);

impl<T: Float> Op<T, 1> for Put {
    const NAME: &'static str = "put";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let mut y = Tensor::zeros(self.0.whole.as_slice());
        let elements = y.as_mut_slice();
        x.as_slice().iter().zip(&*self.0.positions).for_each(|(&x, &at)| elements[at] += x);
        y
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.take(self.0.clone()))]
    }
}

impl<T: Float> Var<T> {
    /// The given positions of an axis, in that order; one may occur several times, and its gradients add up.
    ///
    /// With axis 0 this looks up rows, as an embedding does.
    ///
    /// # Panics
    /// If the axis or an index is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.index_select(0, &[1, 1, 0]);
    /// assert_eq!(y.value(), &tensor![[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]);
    /// assert_eq!(y.sum().grad(&x).value(), &tensor![[1.0, 1.0], [2.0, 2.0]]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: impl AxisIndex, indices: &[usize]) -> Var<T> {
        let axis = resolve_axis("index_select", axis.index(), self.shape());
        let n = self.shape()[axis];
        if let Some(&index) = indices.iter().find(|&&index| index >= n) {
            panics::selection_out_of_range("index_select", index as isize, axis, self.shape());
        }
        let inner: usize = self.shape()[axis + 1..].iter().product();
        let outer: usize = self.shape()[..axis].iter().product();
        let run = |start: usize| start..start + inner;
        let positions = (0..outer).flat_map(|k| indices.iter().flat_map(move |index| run((k * n + index) * inner)));
        let mut picked = self.value().dims();
        picked[axis] = indices.len();
        self.take(Positions { positions: positions.collect(), picked, whole: self.value().dims() })
    }

    /// The elements at the given positions.
    #[track_caller]
    pub(super) fn take(&self, positions: Positions) -> Var<T> {
        self.apply(Take(positions))
    }

    /// Zeros with these elements added at the given positions.
    #[track_caller]
    pub(super) fn put(&self, positions: Positions) -> Var<T> {
        self.apply(Put(positions))
    }
}
