//! Binding rows and elements by position and its adjoint, adding at positions: the rule of each is the other.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{AxisIndex, Float, Indices, Positions, Rows, Tensor};

/// `y[k] = x[indices[k]]`, rows along an axis.
pub(crate) struct IndexSelect(Rows);

impl<T: Float> Op<T, 1> for IndexSelect {
    const NAME: &'static str = "index_select";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let (chosen, rows) = self.0.counts();
        description.field("rows", &format_args!("{chosen} of {rows}"));
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.selected(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.added_at(self.0.clone()))]
    }
}

/// `y[indices[k]] += x[k]`, rows along an axis, onto zeros.
pub(crate) struct IndexAdd(Rows);

impl<T: Float> Op<T, 1> for IndexAdd {
    const NAME: &'static str = "index_add";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let (chosen, rows) = self.0.counts();
        description.field("rows", &format_args!("{chosen} of {rows}"));
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.added_at(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.selected(self.0.clone()))]
    }
}

/// `y[k] = x[positions[k]]`, elements.
pub(crate) struct Take(Positions);

impl<T: Float> Op<T, 1> for Take {
    const NAME: &'static str = "take";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("positions", &self.0.picked);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.taken(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.put(self.0.clone()))]
    }
}

/// `y[positions[k]] += x[k]`, elements, onto zeros.
pub(crate) struct Put(Positions);

impl<T: Float> Op<T, 1> for Put {
    const NAME: &'static str = "put";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("positions", &self.0.picked);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.put(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.take(self.0.clone()))]
    }
}

impl<T: Float> Var<T> {
    /// The given positions of an axis, in that order; one may occur several times, and its gradients add up.
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
        self.selected(Rows::along("index_select", self.shape(), axis.index(), indices, &[indices.len()]))
    }

    /// A copy to whose positions `indices[k]` of an axis the positions k of `source` are added.
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the source does not have this shape with an index for each of its positions.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([1.0, 1.0, 1.0]);
    /// let y = x.index_add(0, &[2, 0, 2], &tensor![1.0, 2.0, 3.0]);
    /// assert_eq!(y.value(), &tensor![3.0, 1.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn index_add(&self, axis: impl AxisIndex, indices: &[usize], source: impl Operand<T>) -> Var<T> {
        let rows = Rows::along("index_add", self.shape(), axis.index(), indices, &[indices.len()]);
        let source = self.beside(&source);
        if source.shape() != rows.picked.as_ref() {
            self.shape_error("index_add", &source, &panics::source_shape(source.shape(), &rows.picked));
        }
        self + source.added_at(rows)
    }

    /// For each of the [`Indices`] the element that it names along an axis, in the place of the index on the other axes:
    /// `y[i, j] = x[i, index[i, j]]` along axis 1.
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the indices have another number of axes or are longer on another axis.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.gather(1, [[0, 0], [2, 1]]).value(), &tensor![[1.0, 1.0], [6.0, 5.0]]);
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: impl AxisIndex, indices: impl Into<Indices>) -> Var<T> {
        self.take(Positions::along("gather", self.shape(), axis.index(), &indices.into()))
    }

    /// A copy to which `source` is added at the places that [`gather`](Var::gather) would read.
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
    #[track_caller]
    pub fn scatter_add(&self, axis: impl AxisIndex, indices: impl Into<Indices>, source: impl Operand<T>) -> Var<T> {
        let positions = Positions::along("scatter_add", self.shape(), axis.index(), &indices.into());
        let source = self.beside(&source);
        if source.shape() != positions.picked.as_ref() {
            self.shape_error("scatter_add", &source, &panics::source_shape(source.shape(), &positions.picked));
        }
        self + source.put(positions)
    }

    /// The elements, or rows, at positions of the leading axes: an array of indices for each, which broadcast; numpy's `x[i, j]`.
    ///
    /// # Panics
    /// If there are more arrays than axes, they do not broadcast, or an index is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let y = x.index(&[[2, 0].into(), 1.into()]);
    /// assert_eq!(y.value(), &tensor![6.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index(&self, indices: &[Indices]) -> Var<T> {
        self.selected(Rows::of_leading_axes(self.shape(), indices))
    }

    /// The rows at some positions.
    #[track_caller]
    fn selected(&self, rows: Rows) -> Var<T> {
        IndexSelect(rows).of([self])
    }

    /// Zeros with these rows added at some positions.
    #[track_caller]
    pub(crate) fn added_at(&self, rows: Rows) -> Var<T> {
        IndexAdd(rows).of([self])
    }

    /// The elements at some positions.
    #[track_caller]
    pub(crate) fn take(&self, positions: Positions) -> Var<T> {
        Take(positions).of([self])
    }

    /// Zeros with these elements added at some positions.
    #[track_caller]
    pub(crate) fn put(&self, positions: Positions) -> Var<T> {
        Put(positions).of([self])
    }
}
