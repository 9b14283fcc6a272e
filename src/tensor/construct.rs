//! Constructors.

use super::buffer::Buffer;
use super::{Dims, Float, IntoShape, Number, Tensor, checked_shape, element_count, resolve_shape};
use crate::kernel::elementwise::fill;
use crate::panics;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal, StandardUniform};
use std::ops::Range;

/// Builds a [`Tensor`] from a nested list: `tensor![[1.0, 2.0], [3.0, 4.0]]`.
///
/// The elements are `f32`, or of the type given first: `tensor![f64; 0.1, 0.2]`.
///
/// ```
/// use wengert::prelude::*;
///
/// let matrix = tensor![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(matrix.shape(), [2, 2]);
/// let double = tensor![f64; 0.1, 0.2];
/// assert_eq!(double[[1]], 0.2);
/// ```
#[macro_export]
macro_rules! tensor {
    ($t:ident; $($elements:tt)*) => { $crate::Tensor::<$t>::from($crate::__nested!([$($elements)*])) };
    ($($elements:tt)*) => { $crate::Tensor::<f32>::from($crate::__nested!([$($elements)*])) };
}

/// Converts the lists of [`tensor!`] to arrays of `f64`.
#[doc(hidden)]
#[macro_export]
macro_rules! __nested {
    ([$([$($row:tt)*]),+ $(,)?]) => { [$($crate::__nested!([$($row)*])),+] };
    ([$($x:expr),* $(,)?]) => { [$(f64::from($x)),*] };
}

impl<T: Float> Tensor<T> {
    /// A tensor of the given shape from its elements in row-major order; the vector is not copied.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    #[doc(alias("from_numpy", "asarray", "ndarray"))]
    #[track_caller]
    pub fn from_vec(elements: Vec<T>, shape: impl IntoShape) -> Self {
        let shape = resolve_shape("from_vec", shape, Some((elements.len(), &[elements.len()])));
        Tensor { shape, buffer: Buffer::adopt(elements) }
    }

    /// A tensor of the given shape from its elements in row-major order, which are copied.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    #[track_caller]
    pub fn from_slice(elements: &[T], shape: impl IntoShape) -> Self {
        let shape = resolve_shape("from_slice", shape, Some((elements.len(), &[elements.len()])));
        Tensor::build(shape, |y| y.copy_from_slice(elements))
    }

    /// A scalar: a tensor without axes.
    pub fn scalar(x: impl Number) -> Self {
        Tensor::filled(Dims::new(), T::from_f64(x.number()))
    }

    /// A tensor of zeros.
    ///
    /// # Panics
    /// If the shape has a negative entry; this holds for the other constructors as well.
    #[doc(alias = "zeros_like")]
    #[track_caller]
    pub fn zeros(shape: impl IntoShape) -> Self {
        Tensor::zeros_of(resolve_shape("zeros", shape, None))
    }

    #[inline(never)]
    #[track_caller]
    fn zeros_of(shape: Dims) -> Self {
        Tensor { buffer: Buffer::zeros(element_count(&shape)), shape }
    }

    /// A tensor of ones.
    #[doc(alias = "ones_like")]
    #[track_caller]
    pub fn ones(shape: impl IntoShape) -> Self {
        Tensor::filled(resolve_shape("ones", shape, None), T::ONE)
    }

    /// A tensor filled with one value.
    #[doc(alias = "full_like")]
    #[track_caller]
    pub fn full(shape: impl IntoShape, value: f64) -> Self {
        Tensor::filled(resolve_shape("full", shape, None), T::from_f64(value))
    }

    /// A tensor of double-precision numbers, rounded to the element type.
    #[inline(never)]
    fn rounded(elements: &[f64], shape: &[usize]) -> Self {
        Tensor::from_vec(elements.iter().map(|&x| T::from_f64(x)).collect(), shape)
    }

    #[inline(never)]
    #[track_caller]
    pub(crate) fn filled(shape: Dims, value: T) -> Self {
        Tensor::build(shape, |y| fill(y, value))
    }

    /// `start, start + step, …` while less than `end` (greater, if `step` is negative).
    ///
    /// # Panics
    /// If `step` is 0 or one of the numbers is not finite.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(Tensor::<f32>::arange(0.0, 1.0, 0.25), tensor![0.0, 0.25, 0.5, 0.75]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn arange(start: f64, end: f64, step: f64) -> Self {
        let count = ((end - start) / step).ceil();
        if step == 0.0 || !count.is_finite() {
            panics::range("arange", start, end, step);
        }
        let count = count.max(0.0) as usize;
        Tensor::of_positions("arange", &[count], |k| start + k as f64 * step)
    }

    /// `count` evenly spaced values from `start` to `end`, both included.
    ///
    /// # Panics
    /// If the distance from `start` to `end` is not finite.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(Tensor::<f32>::linspace(0.0, 1.0, 5), tensor![0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn linspace(start: f64, end: f64, count: usize) -> Self {
        let step = (end - start) / count.saturating_sub(1).max(1) as f64;
        if !step.is_finite() {
            panics::range("linspace", start, end, step);
        }
        let at = |k: usize| if k > 0 && k + 1 == count { end } else { start + k as f64 * step };
        Tensor::of_positions("linspace", &[count], at)
    }

    /// The tensor whose elements are given by their positions in row-major order.
    #[track_caller]
    pub(crate) fn of_positions(op: &str, shape: &[usize], at: impl Fn(usize) -> f64) -> Self {
        Tensor::build(checked_shape(op, Dims::from_slice(shape)), |y| {
            y.iter_mut().enumerate().for_each(|(k, y)| *y = T::from_f64(at(k)));
        })
    }

    /// The identity matrix `[n, n]`.
    #[doc(alias = "identity")]
    #[track_caller]
    #[inline(never)]
    pub fn eye(n: usize) -> Self {
        let mut y = Tensor::zeros_of(checked_shape("eye", Dims::from_slice(&[n, n])));
        y.as_mut_slice().iter_mut().step_by(n + 1).for_each(|y| *y = T::ONE);
        y
    }

    /// Independent samples of the standard normal distribution, with mean 0 and standard deviation 1.
    ///
    /// They are drawn as `f64`, so that a seed gives the same numbers in both precisions, up to rounding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let mut rng = wengert::rng(1);
    /// let noise: Tensor = Tensor::randn([1000], &mut rng) * 0.1;
    /// assert!(noise.mean().item().abs() < 0.02);
    /// ```
    #[doc(alias("normal", "standard_normal"))]
    #[track_caller]
    pub fn randn(shape: impl IntoShape, rng: &mut impl Rng) -> Self {
        Tensor::normal(resolve_shape("randn", shape, None), rng)
    }

    /// Independent samples of the uniform distribution on `[low, high)`; `low` if no number of the type is between the two.
    ///
    /// # Panics
    /// If `low` is greater than `high`, or one of the two or their distance is not finite.
    #[doc(alias = "rand")]
    #[track_caller]
    pub fn uniform(shape: impl IntoShape, low: f64, high: f64, rng: &mut impl Rng) -> Self {
        if low > high || !(high - low).is_finite() {
            panics::not_an_interval("uniform", low, high);
        }
        Tensor::uniform_in(resolve_shape("uniform", shape, None), low..high, rng)
    }

    #[inline(never)]
    #[track_caller]
    fn normal(shape: Dims, rng: &mut dyn Rng) -> Self {
        Tensor::build(shape, |y| y.fill_with(|| T::from_f64(StandardNormal.sample(rng))))
    }

    #[inline(never)]
    #[track_caller]
    fn uniform_in(shape: Dims, range: Range<f64>, rng: &mut dyn Rng) -> Self {
        let Range { start: low, end: high } = range;
        // A number just below `high` may be rounded to it.
        let (first, last) = (T::from_f64(low), next_below(T::from_f64(high)));
        Tensor::build(shape, |y| {
            y.fill_with(|| {
                let unit: f64 = StandardUniform.sample(rng);
                T::from_f64(low + (high - low) * unit).minimum(last).maximum(first)
            });
        })
    }
}

/// The largest number of the type that is less than `x`.
fn next_below<T: Float>(x: T) -> T {
    let x = x.to_f64();
    T::from_f64(if size_of::<T>() == size_of::<f32>() { f64::from((x as f32).next_down()) } else { x.next_down() })
}

impl<T: Float, N: Number> From<N> for Tensor<T> {
    fn from(x: N) -> Self {
        Tensor::scalar(x)
    }
}

/// A vector `[n]`; the elements are not copied.
impl<T: Float> From<Vec<T>> for Tensor<T> {
    fn from(elements: Vec<T>) -> Self {
        Tensor { shape: Dims::from_slice(&[elements.len()]), buffer: Buffer::adopt(elements) }
    }
}

/// A vector `[n]`.
impl<T: Float> From<&Vec<T>> for Tensor<T> {
    fn from(elements: &Vec<T>) -> Self {
        elements.as_slice().into()
    }
}

/// A vector `[n]`.
impl<T: Float> From<&[T]> for Tensor<T> {
    fn from(elements: &[T]) -> Self {
        elements.to_vec().into()
    }
}

impl<T: Float> From<&Tensor<T>> for Tensor<T> {
    fn from(x: &Tensor<T>) -> Self {
        x.clone()
    }
}

/// Arrays of numbers, nested to any depth, as accepted by [`tensor!`] and `Tensor::from`.
pub trait Nested {
    #[doc(hidden)]
    fn shape(dims: &mut Vec<usize>);
    #[doc(hidden)]
    fn flatten(&self, elements: &mut Vec<f64>);
}

impl<N: Number> Nested for N {
    fn shape(_: &mut Vec<usize>) {}
    fn flatten(&self, elements: &mut Vec<f64>) {
        elements.push(self.number());
    }
}

impl<X: Nested, const N: usize> Nested for [X; N] {
    fn shape(dims: &mut Vec<usize>) {
        dims.push(N);
        X::shape(dims);
    }
    fn flatten(&self, elements: &mut Vec<f64>) {
        self.iter().for_each(|x| x.flatten(elements));
    }
}

impl<T: Float, X: Nested, const N: usize> From<[X; N]> for Tensor<T> {
    fn from(array: [X; N]) -> Self {
        let (mut dims, mut elements) = (Vec::new(), Vec::new());
        <[X; N]>::shape(&mut dims);
        array.flatten(&mut elements);
        Tensor::rounded(&elements, &dims)
    }
}
