//! Indexing and its adjoint, indexed addition: each is the other's rule.

use crate::autograd::{Description, Op, Operand, Save, Saved, Setting, Var};
use crate::ops::registry::Registered;
use crate::tensor::{AxisIndex, Float, Indices, Positions, Rows, Tensor, source_of};

/// `y[k] = x[indices[k]]` for rows along an axis.
pub(crate) struct IndexSelect(Rows);

impl<T: Float> Op<T, 1> for IndexSelect {
    const NAME: &'static str = "index_select";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        describe_rows(&self.0, description);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.select_rows(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.scatter_rows(self.0.clone()))]
    }
}

/// `y[indices[k]] += x[k]` for rows along an axis, starting from zeros.
pub(crate) struct IndexAdd(Rows);

impl<T: Float> Op<T, 1> for IndexAdd {
    const NAME: &'static str = "index_add";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        describe_rows(&self.0, description);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.scatter_rows(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.select_rows(self.0.clone()))]
    }
}

/// `y[k] = x[positions[k]]` for elements.
pub(crate) struct Take(Positions);

impl<T: Float> Op<T, 1> for Take {
    const NAME: &'static str = "take";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        describe_positions(&self.0, description);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.gather_positions(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.scatter_positions(self.0.clone()))]
    }
}

/// `y[positions[k]] += x[k]` for elements, starting from zeros.
pub(crate) struct Put(Positions);

impl<T: Float> Op<T, 1> for Put {
    const NAME: &'static str = "put";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        describe_positions(&self.0, description);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.scatter_positions(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.take(self.0.clone()))]
    }
}

fn describe_rows(rows: &Rows, description: &mut Description) {
    let (chosen, count) = rows.counts();
    description.field("rows", &format_args!("{chosen} of {count}"));
    if let Some((axis, indices)) = rows.of_axis() {
        description.data("axis", Setting::Integers(vec![axis])).data("indices", Setting::Indices(indices));
    } else if let Some((count, indices)) = rows.of_leading() {
        description.data("leading", Setting::Integers(vec![count])).data("indices", Setting::Indices(indices));
    }
}

fn describe_positions(positions: &Positions, description: &mut Description) {
    description.field("positions", &positions.out_shape);
    if let Some(axis) = positions.axis() {
        let indices = Indices::new(positions.indices.to_vec(), positions.out_shape.as_slice());
        description.data("axis", Setting::Integers(vec![axis])).data("indices", Setting::Indices(indices));
    }
}

impl<T: Float> Var<T> {
    /// Selects indices of an axis, in the given order. The gradients of an index that occurs several times add up.
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
    #[doc(alias = "take")]
    #[track_caller]
    pub fn index_select(&self, axis: impl AxisIndex, indices: &[usize]) -> Var<T> {
        self.select_rows(Rows::along("index_select", self.shape(), axis.index(), indices, &[indices.len()]))
    }

    /// A copy with `source` added along an axis: row k of the source is added to row `indices[k]`.
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the source does not have this shape with as many rows as indices.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([1.0, 1.0, 1.0]);
    /// let y = x.index_add(0, &[2, 0, 2], &tensor![1.0, 2.0, 3.0]);
    /// assert_eq!(y.value(), &tensor![3.0, 1.0, 5.0]);
    /// ```
    #[doc(alias = "index_add_")]
    #[track_caller]
    pub fn index_add(&self, axis: impl AxisIndex, indices: &[usize], source: impl Operand<T>) -> Var<T> {
        let rows = Rows::along("index_add", self.shape(), axis.index(), indices, &[indices.len()]);
        let source = self.resolve_operand(&source);
        self.defined("index_add", &source, source_of(&rows.out_shape, source.shape()));
        self + source.scatter_rows(rows)
    }

    /// Gathers elements along an axis: `y[i, j] = x[i, indices[i, j]]` for axis 1. The result has the shape of the [`Indices`].
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the indices differ in the number of axes or are longer on another axis.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.gather(1, [[0, 0], [2, 1]]).value(), &tensor![[1.0, 1.0], [6.0, 5.0]]);
    /// ```
    #[doc(alias = "take_along_axis")]
    #[doc(alias = "take_along_dim")]
    #[track_caller]
    pub fn gather(&self, axis: impl AxisIndex, indices: impl Into<Indices>) -> Var<T> {
        let positions = Positions::along("gather", self.shape(), axis.index(), &indices.into());
        if positions.in_shape.as_ref() == self.shape() {
            return self.take(positions);
        }
        self.slice_by(positions.view_of(self.shape())).take(positions)
    }

    /// A copy with `source` added at the positions that [`gather`](Var::gather) would read: `y[i, indices[i, j]] += source[i, j]`
    /// for axis 1.
    ///
    /// # Panics
    /// As `gather`, and if the source does not have the shape of the indices.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let counts = tape.constant(Tensor::zeros([3])).scatter_add(0, [2, 0, 2], &Tensor::ones([3]));
    /// assert_eq!(counts.value(), &tensor![1.0, 0.0, 2.0]);
    /// ```
    #[doc(alias = "scatter_add_")]
    #[track_caller]
    pub fn scatter_add(&self, axis: impl AxisIndex, indices: impl Into<Indices>, source: impl Operand<T>) -> Var<T> {
        let positions = Positions::along("scatter_add", self.shape(), axis.index(), &indices.into());
        let source = self.resolve_operand(&source);
        self.defined("scatter_add", &source, source_of(&positions.out_shape, source.shape()));
        let view = positions.view_of(self.shape());
        let added = source.scatter_positions(positions);
        if added.shape() == self.shape() {
            return self + added;
        }
        self + added.pad_by(view, self.value().dims(), 0.0)
    }

    /// Indexes the leading axes with arrays of indices, one per axis, which broadcast: numpy's `x[i, j]`.
    ///
    /// # Panics
    /// If there are more arrays than axes, the arrays do not broadcast, or an index is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let y = x.index(&[[2, 0].into(), 1.into()]);
    /// assert_eq!(y.value(), &tensor![6.0, 2.0]);
    /// ```
    #[doc(alias = "fancy_indexing")]
    #[track_caller]
    pub fn index(&self, indices: &[Indices]) -> Var<T> {
        self.select_rows(Rows::of_leading_axes(self.shape(), indices))
    }

    /// The rows at given positions.
    #[track_caller]
    fn select_rows(&self, rows: Rows) -> Var<T> {
        IndexSelect(rows).of([self])
    }

    /// Zeros with these rows added at given positions.
    #[track_caller]
    pub(crate) fn scatter_rows(&self, rows: Rows) -> Var<T> {
        IndexAdd(rows).of([self])
    }

    /// The elements at given positions.
    #[track_caller]
    pub(crate) fn take(&self, positions: Positions) -> Var<T> {
        Take(positions).of([self])
    }

    /// Zeros with these elements added at given positions.
    #[track_caller]
    pub(crate) fn scatter_positions(&self, positions: Positions) -> Var<T> {
        Put(positions).of([self])
    }
}
