//! Elementwise functions, the operators `+ - * /`, and comparisons.

use super::{Float, Tensor, broadcast, sums_to};
use crate::kernel::elementwise::{self, Broadcast};
use crate::panics;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

impl<T: Float> Tensor<T> {
    /// `f` of each element.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 4.0].map(f32::sqrt), tensor![1.0, 2.0]);
    /// ```
    pub fn map(&self, f: impl Fn(T) -> T + Sync) -> Self {
        Tensor::build(self.dims(), |y| elementwise::map(self.as_slice(), y, f))
    }

    /// `f` of each pair of elements; the shapes broadcast by numpy's rules.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn zip(&self, other: &Self, f: impl Fn(T, T) -> T + Sync) -> Self {
        self.zip_named("zip", other, f)
    }

    /// [`zip`](Tensor::zip) under the name that an error shall show.
    #[track_caller]
    pub(crate) fn zip_named(&self, op: &str, other: &Self, f: impl Fn(T, T) -> T + Sync) -> Self {
        if self.shape == other.shape {
            return Tensor::build(self.dims(), |y| elementwise::zip_equal(self.as_slice(), other.as_slice(), y, f));
        }
        let Some(shape) = broadcast(self.shape(), other.shape()) else {
            panics::wrong_shapes(op, &panics::do_not_broadcast(self.shape(), other.shape()), "")
        };
        let plan = Broadcast::new(self.shape(), other.shape(), &shape);
        Tensor::build(shape, |y| elementwise::zip(&plan, self.as_slice(), other.as_slice(), y, f))
    }

    /// 1 where `f` holds for an element and 0 elsewhere: a mask for `where_` and `masked_fill`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![-1.0, 2.0].mask(|x| x > 0.0), tensor![0.0, 1.0]);
    /// ```
    pub fn mask(&self, f: impl Fn(T) -> bool + Sync) -> Self {
        self.map(|x| if f(x) { T::ONE } else { T::ZERO })
    }

    /// The same elements in the other precision.
    pub fn cast<U: Float>(&self) -> Tensor<U> {
        Tensor::from_vec(self.as_slice().iter().map(|x| U::from_f64(x.to_f64())).collect(), self.shape())
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:literal, |$x:ident, $y:ident| $f:expr) => {
        impl<T: Float> $trait<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                self.zip_named($op, other, |$x, $y| $f)
            }
        }
        impl<T: Float> $trait<Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self.zip_named($op, &other, |$x, $y| $f)
            }
        }
        impl<T: Float> $trait<&Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                self.zip_named($op, other, |$x, $y| $f)
            }
        }
        impl<T: Float> $trait<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self.zip_named($op, &other, |$x, $y| $f)
            }
        }
        impl<T: Float> $trait<f64> for &Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, other: f64) -> Tensor<T> {
                let $y = T::from_f64(other);
                self.map(|$x| $f)
            }
        }
        impl<T: Float> $trait<f64> for Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, other: f64) -> Tensor<T> {
                (&self).$method(other)
            }
        }
        impl<T: Float> $trait<&Tensor<T>> for f64 {
            type Output = Tensor<T>;
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                let $x = T::from_f64(self);
                other.map(|$y| $f)
            }
        }
        impl<T: Float> $trait<Tensor<T>> for f64 {
            type Output = Tensor<T>;
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self.$method(&other)
            }
        }
    };
}
operator!(Add, add, "add", |x, y| x + y);
operator!(Sub, sub, "sub", |x, y| x - y);
operator!(Mul, mul, "mul", |x, y| x * y);
operator!(Div, div, "div", |x, y| x / y);

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
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

/// Adds in place, unless another tensor shares the elements. The right side broadcasts, the left does not.
impl<T: Float> AddAssign<&Tensor<T>> for Tensor<T> {
    #[track_caller]
    fn add_assign(&mut self, other: &Tensor<T>) {
        if self.shape == other.shape {
            elementwise::update(self.as_mut_slice(), other.as_slice(), |y, x| y + x);
        } else if sums_to(self.shape(), other.shape()) {
            *self = &*self + other;
        } else {
            panics::does_not_broadcast_to("add_assign", other.shape(), &self.shape());
        }
    }
}
