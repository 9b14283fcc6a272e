//! Elementwise functions, the operators `+ - * /`, and comparisons.

use super::{Float, Number, Tensor, broadcast_shapes, element_count, sums_to};
use crate::kernel::elementwise::{self, Broadcast, Pass, PassOfRows, PassOfTwo};
use crate::panics;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

impl<T: Float> Tensor<T> {
    /// Applies `f` to each element.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 4.0].map(f32::sqrt), tensor![1.0, 2.0]);
    /// ```
    #[inline]
    pub fn map(&self, f: impl Fn(T) -> T + Sync) -> Self {
        // A single number is not worth a pass, nor the choice of an instruction set.
        match self.as_slice() {
            [x] => self.with_element(f(*x)),
            _ => self.map_by(&|x, y| elementwise::map(x, y, &f)),
        }
    }

    /// [`map`](Tensor::map) by a pass over the elements. Compiled once for all functions.
    #[inline(never)]
    pub(crate) fn map_by(&self, pass: &Pass<T>) -> Self {
        Tensor::build(self.dims(), |y| elementwise::share(self.as_slice(), y, pass))
    }

    /// Applies `f` to each pair of elements; the shapes broadcast by numpy's rules.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    #[inline]
    pub fn zip(&self, other: &Self, f: impl Fn(T, T) -> T + Sync) -> Self {
        self.zip_named("zip", other, f)
    }

    /// [`zip`](Tensor::zip) with the operation name used in errors.
    #[track_caller]
    #[inline]
    pub(crate) fn zip_named(&self, op: &str, other: &Self, f: impl Fn(T, T) -> T + Sync) -> Self {
        match (self.as_slice(), other.as_slice()) {
            ([a], [b]) if self.shape == other.shape => self.with_element(f(*a, *b)),
            _ => self.zip_by(op, other, &|a, b, inner, y| elementwise::zip(a, b, inner, y, &f)),
        }
    }

    /// [`zip_named`](Tensor::zip_named) by a pass over rows. Compiled once for all functions.
    #[track_caller]
    #[inline(never)]
    fn zip_by(&self, op: &str, other: &Self, pass: &PassOfRows<T>) -> Self {
        let (a, b) = (self.as_slice(), other.as_slice());
        if self.shape == other.shape {
            return Tensor::build(self.dims(), |y| elementwise::share_rows(a, b, y, pass));
        }
        let shape = match broadcast_shapes(self.shape(), other.shape()) {
            Ok(shape) => shape,
            Err(reason) => panics::wrong_shapes(op, &reason, ""),
        };
        if [a.len(), b.len()] == [element_count(&shape); 2] {
            // Only axes of size 1 differ.
            return Tensor::build(shape, |y| elementwise::share_rows(a, b, y, pass));
        }
        let plan = Broadcast::new(self.shape(), other.shape(), &shape);
        Tensor::build(shape, |y| plan.for_each_block(a, b, y, pass))
    }

    /// [`zip`](Tensor::zip) of tensors that are known to have the same shape: less code.
    #[inline]
    pub(crate) fn zip_equal(&self, other: &Self, f: impl Fn(T, T) -> T + Sync) -> Self {
        match (self.as_slice(), other.as_slice()) {
            ([a], [b]) if self.shape == other.shape => self.with_element(f(*a, *b)),
            _ => self.zip_equal_by(other, &|a, b, y| elementwise::pair(a, b, y, &f)),
        }
    }

    /// [`zip_equal`](Tensor::zip_equal) by a pass over the elements. Compiled once for all functions.
    #[inline(never)]
    fn zip_equal_by(&self, other: &Self, pass: &PassOfTwo<T>) -> Self {
        assert_eq!(self.shape, other.shape, "the caller knows that the shapes are equal");
        Tensor::build(self.dims(), |y| elementwise::share_two(self.as_slice(), other.as_slice(), y, pass))
    }

    /// 1 where `f` holds and 0 elsewhere: a mask for `where_` and `masked_fill`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![-1.0, 2.0].mask(|x| x > 0.0), tensor![0.0, 1.0]);
    /// ```
    #[doc(alias("greater", "less", "gt", "lt"))]
    pub fn mask(&self, f: impl Fn(T) -> bool + Sync) -> Self {
        self.map(|x| if f(x) { T::ONE } else { T::ZERO })
    }

    /// The same elements in the other precision.
    #[doc(alias("astype", "dtype"))]
    #[inline(never)]
    pub fn cast<U: Float>(&self) -> Tensor<U> {
        Tensor::from_vec(self.as_slice().iter().map(|x| U::from_f64(x.to_f64())).collect(), self.shape())
    }
}

/// An operator between tensors, and between a tensor and a number. Three functions, compiled once, compute it; the other impls
/// only forward to them.
macro_rules! operator {
    ($trait:ident::$method:ident, $assign_trait:ident::$assign:ident, |$x:ident, $y:ident| $f:expr) => {
        impl<T: Float> $trait<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline(never)]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                self.zip_named(stringify!($method), other, |$x, $y| $f)
            }
        }

        impl<T: Float, N: Number> $trait<N> for &Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, other: N) -> Tensor<T> {
                #[inline(never)]
                fn with_number<T: Float>(x: &Tensor<T>, $y: T) -> Tensor<T> {
                    x.map(|$x| $f)
                }
                with_number(self, T::from_f64(other.number()))
            }
        }

        impl<T: Float> $trait<&Tensor<T>> for f64 {
            type Output = Tensor<T>;
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                #[inline(never)]
                fn number_with<T: Float>($x: T, y: &Tensor<T>) -> Tensor<T> {
                    y.map(|$y| $f)
                }
                number_with(T::from_f64(self), other)
            }
        }

        impl<T: Float> $trait<&Tensor<T>> for i32 {
            type Output = Tensor<T>;
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                f64::from(self).$method(other)
            }
        }

        /// Updates in place, unless another tensor shares the elements. The right side broadcasts, the left does not.
        impl<T: Float> $assign_trait<&Tensor<T>> for Tensor<T> {
            #[track_caller]
            #[inline(never)]
            fn $assign(&mut self, other: &Tensor<T>) {
                if self.shape == other.shape {
                    elementwise::update(self.as_mut_slice(), other.as_slice(), |$x, $y| $f);
                } else if sums_to(self.shape(), other.shape()) {
                    *self = (&*self).$method(other);
                } else {
                    panics::does_not_broadcast_to(stringify!($assign), other.shape(), &self.shape());
                }
            }
        }

        impl<T: Float> $assign_trait<Tensor<T>> for Tensor<T> {
            #[track_caller]
            fn $assign(&mut self, other: Tensor<T>) {
                self.$assign(&other);
            }
        }

        impl<T: Float, N: Number> $assign_trait<N> for Tensor<T> {
            fn $assign(&mut self, other: N) {
                #[inline(never)]
                fn with_number<T: Float>(x: &mut Tensor<T>, $y: T) {
                    for element in x.as_mut_slice() {
                        let $x = *element;
                        *element = $f;
                    }
                }
                with_number(self, T::from_f64(other.number()));
            }
        }

        operator!(@owned $trait::$method, Tensor<T>, &Tensor<T>, |left, right| (&left).$method(right));
        operator!(@owned $trait::$method, Tensor<T>, Tensor<T>, |left, right| (&left).$method(&right));
        operator!(@owned $trait::$method, &Tensor<T>, Tensor<T>, |left, right| left.$method(&right));
        operator!(@owned $trait::$method, f64, Tensor<T>, |left, right| left.$method(&right));
        operator!(@owned $trait::$method, i32, Tensor<T>, |left, right| left.$method(&right));

        impl<T: Float, N: Number> $trait<N> for Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, other: N) -> Tensor<T> {
                (&self).$method(other)
            }
        }
    };
    (@owned $trait:ident::$method:ident, $left_type:ty, $right_type:ty, |$left:ident, $right:ident| $value:expr) => {
        impl<T: Float> $trait<$right_type> for $left_type {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: $right_type) -> Tensor<T> {
                let ($left, $right) = (self, other);
                $value
            }
        }
    };
}
operator!(Add::add, AddAssign::add_assign, |x, y| x + y);
operator!(Sub::sub, SubAssign::sub_assign, |x, y| x - y);
operator!(Mul::mul, MulAssign::mul_assign, |x, y| x * y);
operator!(Div::div, DivAssign::div_assign, |x, y| x / y);

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[inline(never)]
    fn neg(self) -> Tensor<T> {
        self.map(|x| -x)
    }
}

impl<T: Float> Neg for Tensor<T> {
    type Output = Tensor<T>;
    fn neg(self) -> Tensor<T> {
        -&self
    }
}

/// The sum of tensors whose shapes broadcast; the scalar 0 if there are none.
impl<T: Float> Sum for Tensor<T> {
    fn sum<I: Iterator<Item = Self>>(tensors: I) -> Self {
        tensors.reduce(|sum, x| sum + x).unwrap_or_else(|| Tensor::scalar(0.0))
    }
}

/// The sum of tensors whose shapes broadcast; the scalar 0 if there are none.
impl<'a, T: Float> Sum<&'a Tensor<T>> for Tensor<T> {
    fn sum<I: Iterator<Item = &'a Self>>(tensors: I) -> Self {
        tensors.cloned().sum()
    }
}
