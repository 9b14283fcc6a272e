//! Shapes and axes as arguments, and the arithmetic of shapes.

use crate::kernel::base::dims::{Dims, MAX_ELEMENTS, MAX_RANK, count};
use crate::panics;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::ops::{Bound, Deref, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// The integer type of an axis or a size: `i32`, `isize` or `usize`. Negative axes count from the end.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an axis",
    label = "axes are of type `i32`, `isize` or `usize`",
    note = "convert another integer type with `as isize`"
)]
pub trait AxisIndex: Copy {
    /// The value, in a type that holds every integer as it was written.
    fn index(self) -> i128;
}

/// A range of an axis: `1..3`, `..-1`, `..`, of any [`AxisIndex`] type. Negative bounds count from the end.
///
/// ```
/// use wengert::prelude::*;
///
/// let (x, labels, k): (Tensor, _, _) = (tensor![1.0, 2.0, 3.0], [0, 1, 1], 1);
/// assert_eq!(x.slice(0, k..k + 2), tensor![2.0, 3.0]);
/// assert_eq!(labels[k..k + 2], [1, 1]); // so k is a usize
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a range of an axis",
    label = "expected a range such as `1..3`, `..-1` or `..`",
    note = "bounds are of type `i32`, `isize` or `usize`"
)]
pub trait AxisRange {
    /// The bounds, in a type that holds every integer as it was written.
    fn bounds(self) -> (Bound<i128>, Bound<i128>);
}

impl AxisRange for RangeFull {
    fn bounds(self) -> (Bound<i128>, Bound<i128>) {
        (Bound::Unbounded, Bound::Unbounded)
    }
}

macro_rules! axis_range {
    ($($range:ty)*) => { $(
        impl<I: AxisIndex> AxisRange for $range {
            fn bounds(self) -> (Bound<i128>, Bound<i128>) {
                (self.start_bound().map(|k| k.index()), self.end_bound().map(|k| k.index()))
            }
        }
    )* };
}
axis_range!(Range<I> RangeFrom<I> RangeInclusive<I> RangeTo<I> RangeToInclusive<I> (Bound<I>, Bound<I>));

/// A shape as an argument: `[2, 3]`, `&[usize]`, `()` for a scalar, or one number for a vector.
///
/// One entry may be −1 if the number of elements is known, as in `reshape([-1, 28])`. A tuple of up to six entries mixes
/// integer types: `reshape((n, -1))` with `n: usize`.
///
/// ```
/// use wengert::prelude::*;
///
/// let images = Tensor::<f32>::zeros([4, 28, 28]);
/// let n = images.shape()[0];
/// assert_eq!(images.reshape((n, -1)).shape(), [4, 784]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "expected a shape such as `[2, 3]`, `&[usize]`, `(n, -1)`, `()` or a number",
    note = "entries are of type `i32`, `isize` or `usize`; a tuple mixes them"
)]
pub trait IntoShape {
    /// The entries as written.
    #[doc(hidden)]
    fn entries(&self) -> Entries;
}

/// The entries of a shape or a list of axes, as written.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Entries(SmallVec<[i128; 4]>);

impl Deref for Entries {
    type Target = [i128];
    fn deref(&self) -> &[i128] {
        &self.0
    }
}

impl<I: AxisIndex> FromIterator<I> for Entries {
    fn from_iter<L: IntoIterator<Item = I>>(entries: L) -> Self {
        Entries(entries.into_iter().map(I::index).collect())
    }
}

macro_rules! axis_index {
    ($($t:ty)*) => { $(
        impl AxisIndex for $t {
            fn index(self) -> i128 {
                self as i128
            }
        }
        impl IntoShape for $t {
            fn entries(&self) -> Entries {
                Entries::from_iter([*self])
            }
        }
        impl Axes for $t {
            fn list(&self) -> AxisList {
                [*self].list()
            }
        }
    )* };
}
axis_index!(i32 isize usize);

macro_rules! tuples {
    ($(($($t:ident $entry:ident),+))*) => { $(
        impl<$($t: AxisIndex),+> IntoShape for ($($t,)+) {
            fn entries(&self) -> Entries {
                let ($($entry,)+) = *self;
                Entries([$($entry.index()),+].into_iter().collect())
            }
        }
        impl<$($t: AxisIndex),+> Axes for ($($t,)+) {
            fn list(&self) -> AxisList {
                AxisList { axes: Some(self.entries()), keepdim: false }
            }
        }
    )* };
}
tuples! {
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
}

impl<I: AxisIndex, const N: usize> IntoShape for [I; N] {
    fn entries(&self) -> Entries {
        self.as_slice().entries()
    }
}
impl<I: AxisIndex> IntoShape for [I] {
    fn entries(&self) -> Entries {
        self.iter().copied().collect()
    }
}
impl<I: AxisIndex> IntoShape for Vec<I> {
    fn entries(&self) -> Entries {
        self.as_slice().entries()
    }
}
impl IntoShape for () {
    fn entries(&self) -> Entries {
        Entries(SmallVec::new())
    }
}
impl<S: IntoShape + ?Sized> IntoShape for &S {
    fn entries(&self) -> Entries {
        (**self).entries()
    }
}

/// Resolves a shape for a value of `elements` elements; `None` if any number will do.
#[track_caller]
pub(crate) fn resolve_shape(op: &str, shape: impl IntoShape, elements: Option<(usize, &[usize])>) -> Dims {
    resolve_entries(op, &shape.entries(), elements)
}

#[track_caller]
#[inline(never)]
fn resolve_entries(op: &str, entries: &[i128], elements: Option<(usize, &[usize])>) -> Dims {
    let unknown = entries.iter().filter(|&&d| d < 0).count();
    if entries.iter().any(|&d| d < -1) || unknown > 1 || (unknown == 1 && elements.is_none()) {
        panics::not_a_shape(op, entries);
    }
    let sizes: Dims = entries.iter().filter(|&&d| d >= 0).map(|&d| usize::try_from(d).unwrap_or(usize::MAX)).collect();
    let Some(known) = count(&sizes) else { panics::wrong_shapes(op, &no_tensor(entries), "") };
    let fits = |total: usize| if unknown == 1 { known > 0 && total.is_multiple_of(known) } else { known == total };
    if let Some((total, from)) = elements
        && !fits(total)
    {
        panics::element_count(op, from, entries, total);
    }
    let size = |&d: &i128| if d < 0 { elements.map_or(0, |(total, _)| total / known) } else { d as usize };
    entries.iter().map(size).collect()
}

/// The axes of a reduction: one (`1`, `-1`), several (`[0, 2]`), or all (`..`); [`keepdim`] around any of these.
///
/// ```
/// use wengert::prelude::*;
///
/// let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(x.sum_over(0), tensor![5.0, 7.0, 9.0]);
/// assert_eq!(x.sum_over(keepdim(-1)), tensor![[6.0], [15.0]]);
/// assert_eq!(x.sum_over(..), x.sum());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name axes",
    label = "expected one axis (`1`, `-1`), several (`[0, 2]`), all (`..`), or `keepdim` around these",
    note = "axes are of type `i32`, `isize` or `usize`"
)]
pub trait Axes {
    #[doc(hidden)]
    fn list(&self) -> AxisList;
}

/// Axes as written; `None` means all of them.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct AxisList {
    axes: Option<Entries>,
    keepdim: bool,
}

impl<I: AxisIndex, const N: usize> Axes for [I; N] {
    fn list(&self) -> AxisList {
        self.as_slice().list()
    }
}
impl<I: AxisIndex> Axes for [I] {
    fn list(&self) -> AxisList {
        AxisList { axes: Some(self.entries()), keepdim: false }
    }
}
impl Axes for std::ops::RangeFull {
    fn list(&self) -> AxisList {
        AxisList { axes: None, keepdim: false }
    }
}
impl<A: Axes + ?Sized> Axes for &A {
    fn list(&self) -> AxisList {
        (**self).list()
    }
}
impl Axes for AxisList {
    fn list(&self) -> AxisList {
        self.clone()
    }
}

/// Keeps the reduced axes in the shape with size 1, so that the result broadcasts against the input.
///
/// ```
/// use wengert::prelude::*;
///
/// let x = tensor![[1.0, 3.0], [2.0, 6.0]];
/// assert_eq!(&x - x.mean_over(keepdim(1)), tensor![[-1.0, 1.0], [-2.0, 2.0]]);
/// ```
#[doc(alias = "keepdims")]
pub fn keepdim(axes: impl Axes) -> impl Axes {
    AxisList { keepdim: true, ..axes.list() }
}

/// A reduction of a given shape: the axes that are reduced, and the shapes with and without them.
#[derive(Clone)]
pub(crate) struct Reduction {
    /// The reduced axes, ascending.
    pub(crate) axes: Dims,
    /// The input's shape.
    pub(crate) from: Dims,
    /// The input's shape with 1 for each reduced axis.
    pub(crate) kept: Dims,
    /// The result's shape: `kept`, or without the reduced axes.
    pub(crate) shape: Dims,
    /// The number of elements reduced into each element of the result.
    pub(crate) count: usize,
}

impl Reduction {
    /// The reduced axes merged into one last axis: the permutation, unless they are last already, and the resulting shape.
    pub(crate) fn to_last(&self) -> (Option<Dims>, Dims) {
        let left: Dims = (0..self.from.len()).filter(|axis| !self.axes.contains(axis)).collect();
        let shape = left.iter().map(|&axis| self.from[axis]).chain([self.count]).collect();
        let in_order = self.axes.iter().enumerate().all(|(k, &axis)| axis == left.len() + k);
        let order = (!in_order).then(|| left.iter().chain(&self.axes).copied().collect());
        (order, shape)
    }
}

/// Resolves the axes of a reduction against a shape.
#[track_caller]
pub(crate) fn reduction_of(op: &str, shape: &[usize], axes: &impl Axes) -> Reduction {
    reduction_of_list(op, shape, &axes.list())
}

#[track_caller]
#[inline(never)]
fn reduction_of_list(op: &str, shape: &[usize], list: &AxisList) -> Reduction {
    let mut reduced: Dims = match &list.axes {
        None => (0..shape.len()).collect(),
        // A scalar has no axis, but 0 and −1 are allowed to mean it, as in PyTorch.
        Some(axes) if shape.is_empty() && axes.iter().all(|&a| a == 0 || a == -1) => Dims::new(),
        Some(axes) => resolve_axes(op, axes, shape),
    };
    reduced.sort_unstable();
    if let Some(pair) = reduced.windows(2).find(|pair| pair[0] == pair[1]) {
        panics::axis_twice(op, pair[0], shape);
    }
    let kept: Dims = shape.iter().enumerate().map(|(k, &d)| if reduced.contains(&k) { 1 } else { d }).collect();
    let left = || shape.iter().enumerate().filter(|(k, _)| !reduced.contains(k)).map(|(_, &d)| d).collect();
    let result = if list.keepdim { kept.clone() } else { left() };
    let count = reduced.iter().map(|&k| shape[k]).product();
    Reduction { axes: reduced, from: Dims::from_slice(shape), kept, shape: result, count }
}

/// Resolves a possibly negative axis.
#[track_caller]
pub(crate) fn resolve_axis(op: &str, axis: i128, shape: &[usize]) -> usize {
    match resolve_index(axis, shape.len()) {
        Some(axis) => axis,
        None => panics::axis_out_of_range(op, axis, shape),
    }
}

/// An index below `count`, from the end if it is negative; `None` if it is out of range.
pub(super) fn resolve_index(index: i128, count: usize) -> Option<usize> {
    let index = if index < 0 { index + count as i128 } else { index };
    usize::try_from(index).ok().filter(|&index| index < count)
}

/// Resolves the possibly negative position of a new axis.
#[track_caller]
pub(crate) fn resolve_new_axis(op: &str, position: i128, shape: &[usize]) -> usize {
    match resolve_index(position, shape.len() + 1) {
        Some(axis) => axis,
        None => panics::new_axis_out_of_range(op, position, shape),
    }
}

/// Resolves possibly negative axes.
#[track_caller]
pub(super) fn resolve_axes(op: &str, axes: &[i128], shape: &[usize]) -> Dims {
    let mut resolved = Dims::new();
    // A closure would lose the caller's line.
    for &axis in axes {
        resolved.push(resolve_axis(op, axis, shape));
    }
    resolved
}

/// The number of elements of a shape that is known to be one of a tensor.
///
/// # Panics
/// If no tensor has that shape. Operations find that out before, to name themselves.
#[inline]
#[track_caller]
pub(crate) fn element_count(shape: &[usize]) -> usize {
    match count(shape) {
        Some(count) => count,
        None => panics::wrong_shapes("tensor", &no_tensor(shape), ""),
    }
}

/// Why no tensor has a shape.
#[cold]
fn no_tensor<D: Debug>(shape: &[D]) -> String {
    match shape.len() {
        ..=MAX_RANK => panics::too_large(&shape, MAX_ELEMENTS),
        axes => panics::too_many_axes(axes, MAX_RANK),
    }
}

/// Checks that a tensor may have a shape; the error says why not.
pub(crate) fn check_shape(shape: Dims) -> Result<Dims, String> {
    if count(&shape).is_some() { Ok(shape) } else { Err(no_tensor(shape.as_slice())) }
}

/// The shape, if a tensor may have it.
#[track_caller]
pub(crate) fn checked_shape(op: &str, shape: Dims) -> Dims {
    panics::defined(op, check_shape(shape))
}

/// The shape to which two broadcast; the error says why there is none.
pub(crate) fn broadcast_shapes(a: &[usize], b: &[usize]) -> Result<Dims, String> {
    check_shape(broadcast(a, b).ok_or_else(|| panics::do_not_broadcast(a, b))?)
}

/// Whether two shapes are equal; for a few sizes faster than the general comparison of slices.
#[inline]
pub(crate) fn same(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// The broadcast shape of two inputs by numpy's rules: aligned at the last axis, sizes equal or 1.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Dims> {
    if same(a, b) {
        return Some(Dims::from_slice(a));
    }
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |k| shape[k]);
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// Whether `small` broadcasts to `large`, so that a value of shape `large` can be summed down to `small`.
pub(crate) fn sums_to(large: &[usize], small: &[usize]) -> bool {
    same(large, small) || broadcast(large, small).is_some_and(|common| common.as_slice() == large)
}
