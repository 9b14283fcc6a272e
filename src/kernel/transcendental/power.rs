//! Powers, by way of logarithms and exponentials in double precision, and the hypotenuse, by way of squares in it.

use crate::kernel::transcendental::double;

/// xᵖ, with the special values of IEEE 754.
#[inline(always)]
pub(crate) fn powf(x: f32, p: f32) -> f32 {
    let (size, p) = (f64::from(x.abs()), f64::from(p));
    // A NaN goes through the comparisons and then through the exponential function.
    let log = if size == 0.0 { f64::NEG_INFINITY } else { double::ln(size) };
    let log = if size < f64::INFINITY { log } else { size };
    let y = double::exp(p * log) as f32;
    let (integer, odd) = (p.floor() == p, (p * 0.5).floor() != p * 0.5);
    let y = if integer && odd { y.copysign(x) } else { y };
    let y = if x < 0.0 && !integer && size < f64::INFINITY { f32::NAN } else { y };
    let one = p == 0.0 || x == 1.0 || (size == 1.0 && p.abs() == f64::INFINITY);
    if one { 1.0 } else { y }
}

/// √(x² + y²) of squares that neither overflow nor round; infinite if either is, even beside a NaN.
#[inline(always)]
pub(crate) fn hypot(x: f32, y: f32) -> f32 {
    let (a, b) = (f64::from(x.abs()), f64::from(y.abs()));
    let infinite = a == f64::INFINITY || b == f64::INFINITY;
    if infinite { f32::INFINITY } else { (a * a + b * b).sqrt() as f32 }
}
