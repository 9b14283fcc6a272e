//! The element types: `f32` and `f64`.

use crate::kernel::base::memory::{Block, Pooled};
use crate::kernel::matmul::dispatch;
use crate::kernel::matmul::product::{Matrix, Product};
use crate::kernel::transcendental::inverse_hyperbolic::double as inverse_hyperbolic;
use crate::kernel::transcendental::normal::double as normal;
use crate::kernel::transcendental::{self, atan2, hypot, powf};
use std::fmt::{Debug, Display, LowerExp};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Range, Sub, SubAssign};

mod sealed {
    pub trait Sealed: super::Pooled {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// An element type: `f32`, the default everywhere, or `f64`, which gradient checking needs.
///
/// The trait is sealed. It is the only type parameter of most of the public API.
pub trait Float:
    sealed::Sealed
    + Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// ∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive number of full precision.
    #[doc(hidden)]
    const MIN_POSITIVE: Self;
    /// The name of the type in Rust.
    const NAME: &'static str;

    /// The nearest value of this type.
    fn from_f64(x: f64) -> Self;
    /// The same value as an `f64`.
    fn to_f64(self) -> f64;
    /// Whether this is NaN.
    fn is_nan(self) -> bool;
    /// Whether this is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// Computes the block of C in the given rows and columns of a matrix product.
    ///
    /// # Safety
    /// The rows and columns must be within C, and no other thread may access that block of C during the call.
    #[doc(hidden)]
    unsafe fn gemm(product: &Product<Self>, rows: Range<usize>, columns: Range<usize>);
    /// Packs the right-hand side of several products, if [`gemm`](Self::gemm) reads packed matrices.
    #[doc(hidden)]
    fn pack(b: &Matrix<Self>) -> Option<Block<Self>>;

    /// Writes the transpose of the matrix `[rows, columns]` at the beginning of `x`, whose rows are `x_step` apart, to `y`, where
    /// they are `y_step` apart.
    #[doc(hidden)]
    fn transpose(rows: usize, columns: usize, x: &[Self], x_step: usize, y: &mut [Self], y_step: usize);

    /// Appends the bytes of numbers, in little-endian order.
    #[doc(hidden)]
    fn write_bytes(numbers: &[Self], bytes: &mut Vec<u8>);
    /// The numbers that [`write_bytes`](Self::write_bytes) wrote.
    #[doc(hidden)]
    fn read_bytes(bytes: &[u8]) -> Vec<Self>;

    /// √x.
    fn sqrt(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// 2ˣ.
    fn exp2(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0.
    fn ln_1p(self) -> Self;
    /// Logarithm to base 2.
    fn log2(self) -> Self;
    /// Logarithm to base 10.
    fn log10(self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;
    /// Tangent.
    fn tan(self) -> Self;
    /// Arc sine.
    fn asin(self) -> Self;
    /// Arc cosine.
    fn acos(self) -> Self;
    /// Arc tangent.
    fn atan(self) -> Self;
    /// Hyperbolic sine.
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    fn cosh(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// Inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// Inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// 1 − erf(x), accurate for large x.
    fn erfc(self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// Largest integer ≤ x.
    fn floor(self) -> Self;
    /// Smallest integer ≥ x.
    fn ceil(self) -> Self;
    /// Nearest integer, halves to even.
    fn round_ties_even(self) -> Self;
    /// xʸ.
    fn powf(self, y: Self) -> Self;
    /// xⁿ.
    fn powi(self, n: i32) -> Self;
    /// Angle of the point (x, self).
    fn atan2(self, x: Self) -> Self;
    /// √(self² + y²).
    fn hypot(self, y: Self) -> Self;

    /// exp(−self − rest) for self ≥ 0 and a small rest.
    #[doc(hidden)]
    fn exp_neg(self, rest: Self) -> Self;
    /// exp(−c self²) for a power of two c.
    #[doc(hidden)]
    fn gaussian(self, c: Self) -> Self;
    /// x Φ(−x) for x ≥ 0, where Φ is the standard normal distribution function.
    #[doc(hidden)]
    fn normal_tail(self) -> Self;
    /// Φ(−x) − x φ(x) for x ≥ 0, where φ is the standard normal density.
    #[doc(hidden)]
    fn normal_tail_slope(self) -> Self;

    /// exp(−|x|), the smaller of eˣ and e⁻ˣ.
    #[doc(hidden)]
    #[inline(always)]
    fn exp_neg_abs(self) -> Self {
        self.abs().exp_neg(Self::ZERO)
    }
    /// 1/(1 + e⁻ˣ), in terms of exp(−|x|), so that no digit cancels in the tails.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let q = self.exp_neg_abs();
        (if self < Self::ZERO { q } else { Self::ONE }) / (Self::ONE + q)
    }
    /// The larger of the two; NaN if either is.
    #[inline]
    fn maximum(self, y: Self) -> Self {
        if self > y || self.is_nan() { self } else { y }
    }
    /// The smaller of the two; NaN if either is.
    #[inline]
    fn minimum(self, y: Self) -> Self {
        if self < y || self.is_nan() { self } else { y }
    }
    /// −1, 0 or 1; NaN stays NaN.
    #[inline]
    fn sign(self) -> Self {
        if self > Self::ZERO {
            Self::ONE
        } else if self < Self::ZERO {
            -Self::ONE
        } else {
            self
        }
    }
}

/// The power of two at or below a magnitude, between the smallest normal number and the largest power: dividing by it is exact.
pub(crate) fn power_of_two_below(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    const LARGEST: f64 = f64::from_bits(0x7fe << 52);
    f64::from_bits(x.to_bits() & EXPONENT).clamp(f64::MIN_POSITIVE, LARGEST)
}

/// exp(−c x²). The exponential would amplify the rounding error of a square, so it is taken of `high²`, which is exact, and the rest.
fn gaussian(x: f64, c: f64) -> f64 {
    let high = f64::from(x as f32);
    let rest = if x.abs() < 40.0 { (x - high) * (x + high) } else { 0.0 };
    (-c * high * high).exp() * (-c * rest).exp()
}

/// Implements [`Float`]: the primitive's inherent methods, and functions `f(x)` from the modules of the other lists.
macro_rules! float {
    (
        type: $t:ident,
        matrices: [$gemm:path, $pack:path, $transpose:path],
        functions_of_two: [$power:path, $atan2:path, $hypot:path, $exp_neg:expr, $gaussian:path],
        erfc: $erfc:path,
        methods: [$($method:ident),*],
        functions: $($module:ident [$($function:ident),*]),*
    ) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $t::INFINITY;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            const NAN: Self = $t::NAN;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const NAME: &'static str = stringify!($t);

            #[inline]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            #[inline]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            unsafe fn gemm(product: &Product<Self>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: both functions have the same contract.
                unsafe { $gemm(product, rows, columns) }
            }
            fn pack(b: &Matrix<Self>) -> Option<Block<Self>> {
                $pack(b)
            }
            fn transpose(rows: usize, columns: usize, x: &[Self], x_step: usize, y: &mut [Self], y_step: usize) {
                $transpose(rows, columns, x, x_step, y, y_step);
            }
            fn write_bytes(numbers: &[Self], bytes: &mut Vec<u8>) {
                let start = bytes.len();
                bytes.resize(start + size_of_val(numbers), 0);
                let places = bytes[start..].as_chunks_mut().0;
                places.iter_mut().zip(numbers).for_each(|(place, x)| *place = x.to_le_bytes());
            }
            fn read_bytes(bytes: &[u8]) -> Vec<Self> {
                bytes.as_chunks().0.iter().map(|&bytes| $t::from_le_bytes(bytes)).collect()
            }
            #[inline(always)]
            fn powf(self, y: Self) -> Self {
                $power(self, y)
            }
            #[inline]
            fn powi(self, n: i32) -> Self {
                f64::from(self).powi(n) as $t
            }
            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                $atan2(self, x)
            }
            #[inline(always)]
            fn hypot(self, y: Self) -> Self {
                $hypot(self, y)
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                $erfc(f64::from(self)) as $t
            }
            #[inline(always)]
            fn exp_neg(self, rest: Self) -> Self {
                $exp_neg(self, rest)
            }
            #[inline(always)]
            fn gaussian(self, c: Self) -> Self {
                $gaussian(self, c)
            }
            $(#[inline]
            fn $method(self) -> Self {
                self.$method()
            })*
            $($(#[inline(always)]
            fn $function(self) -> Self {
                $module::$function(self)
            })*)*
        }
    };
}

float! {
    type: f32,
    matrices: [dispatch::single::block, dispatch::single::pack, dispatch::single::transpose],
    functions_of_two: [powf, atan2, hypot, transcendental::exp_neg, transcendental::gaussian],
    erfc: transcendental::erfc,
    methods: [sqrt, exp2, log2, log10, abs, floor, ceil, round_ties_even],
    functions: transcendental [
        exp, ln, exp_m1, ln_1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, erf, normal_tail,
        normal_tail_slope
    ]
}
float! {
    type: f64,
    matrices: [dispatch::double::block, dispatch::double::pack, dispatch::double::transpose],
    functions_of_two: [f64::powf, f64::atan2, f64::hypot, |x: f64, rest: f64| (-x - rest).exp(), gaussian],
    erfc: libm::erfc,
    methods: [sqrt, exp2, log2, log10, abs, floor, ceil, round_ties_even],
    functions: f64 [exp, ln, exp_m1, ln_1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh],
        inverse_hyperbolic [asinh, acosh, atanh], libm [erf], normal [normal_tail, normal_tail_slope]
}
