//! Maxima and minima along axes.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Axes, Dims, Float, Positions, Reduction, Tensor, reduction_of};
use std::sync::Arc;

/// The first maximum or minimum along the last axis, which gets the whole gradient.
pub(crate) struct FirstExtremum {
    largest: bool,
    /// The positions of the extrema, on which no derivative depends.
    positions: Option<Positions>,
}

impl<T: Float> Op<T, 1> for FirstExtremum {
    const NAME: &'static str = "first_extremum";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.flag("largest", self.largest);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (rows, n) = x.shape().split_at(x.rank() - 1);
        let positions = Positions {
            indices: Arc::new(x.position_of(if self.largest { "max" } else { "min" }, -1, self.largest)),
            n: n[0],
            inner: 1,
            out_shape: Dims::from_slice(rows),
            in_shape: x.dims(),
        };
        let y = x.gather_positions(&positions);
        self.positions = Some(positions);
        y
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [self.positions.clone().map(|positions| gy.scatter_positions(positions))]
    }
}

/// The maximum or minimum along axes, which are kept with size 1; ties share the gradient.
pub(crate) struct Extremum {
    largest: bool,
    reduction: Reduction,
}

impl<T: Float> Op<T, 1> for Extremum {
    const NAME: &'static str = "extremum";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        description.flag("largest", self.largest).integers("axes", &self.reduction.axes);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let y = match self.largest {
            true => x.largest(&self.reduction),
            false => x.smallest(&self.reduction),
        };
        y.with_shape(self.reduction.kept.clone())
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (x, y) = (saved.input(0), saved.output());
        let equal = |x: T, y: T| if x == y || (x.is_nan() && y.is_nan()) { T::ONE } else { T::ZERO };
        let ties = x.value().zip(y.value(), equal);
        let share = &ties / ties.sum_with(&self.reduction).with_shape(self.reduction.kept.clone());
        [Some(gy * share)]
    }
}

impl<T: Float> Var<T> {
    /// The maximum of all elements; ties share the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn max(&self) -> Var<T> {
        self.amax_over(..)
    }

    /// The minimum of all elements; ties share the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(&self) -> Var<T> {
        self.amin_over(..)
    }

    /// The maximum over [`Axes`]; the first of several equal maxima gets the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or there are no elements to choose from.
    #[track_caller]
    pub fn max_over(&self, axes: impl Axes) -> Var<T> {
        self.first_extremum("max", true, &reduction_of("max", self.shape(), &axes))
    }

    /// The minimum over [`Axes`]; the first of several equal minima gets the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or there are no elements to choose from.
    #[track_caller]
    pub fn min_over(&self, axes: impl Axes) -> Var<T> {
        self.first_extremum("min", false, &reduction_of("min", self.shape(), &axes))
    }

    /// The maximum over [`Axes`]; ties share the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or there are no elements to choose from.
    #[doc(alias("amax", "reduce_max"))]
    #[track_caller]
    pub fn amax_over(&self, axes: impl Axes) -> Var<T> {
        self.shared_extremum("amax", true, reduction_of("amax", self.shape(), &axes))
    }

    /// The minimum over [`Axes`]; ties share the gradient. NaN if any element is.
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or there are no elements to choose from.
    #[track_caller]
    pub fn amin_over(&self, axes: impl Axes) -> Var<T> {
        self.shared_extremum("amin", false, reduction_of("amin", self.shape(), &axes))
    }

    #[track_caller]
    fn first_extremum(&self, op: &str, largest: bool, reduction: &Reduction) -> Var<T> {
        if reduction.count == 0 {
            self.refuse_choice(op, reduction);
        }
        let rows = self.last(reduction);
        FirstExtremum { largest, positions: None }.of([&rows]).with_shape(reduction.shape.clone())
    }

    #[track_caller]
    pub(crate) fn shared_extremum(&self, op: &str, largest: bool, reduction: Reduction) -> Var<T> {
        if reduction.count == 0 && !reduction.shape.contains(&0) {
            self.refuse_choice(op, &reduction);
        }
        let shape = reduction.shape.clone();
        Extremum { largest, reduction }.of([self]).with_shape(shape)
    }

    /// Panics because an axis is empty.
    #[track_caller]
    fn refuse_choice(&self, op: &str, reduction: &Reduction) -> ! {
        let empty = reduction.axes.iter().copied().find(|&axis| self.shape()[axis] == 0);
        panics::nothing_to_choose(op, empty.unwrap_or_default(), self.shape())
    }

    /// Moves the reduced axes to the end and merges them into one.
    #[track_caller]
    pub(crate) fn last(&self, reduction: &Reduction) -> Var<T> {
        let (order, shape) = reduction.to_last();
        match order {
            Some(order) => self.permute_by(order).with_shape(shape),
            None => self.with_shape(shape),
        }
    }
}
