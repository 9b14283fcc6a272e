//! Reading elements by position and its adjoint, adding at positions: the rule of each is the other.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Dims, Float, Tensor};
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
