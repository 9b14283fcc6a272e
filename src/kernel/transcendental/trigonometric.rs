//! Sine, cosine and tangent.

use crate::kernel::transcendental::polynomial;

/// 32 zero bits and the first 224 binary digits of 2/π.
const TWO_OVER_PI: [u32; 8] =
    [0, 0xa2f9_836e, 0x4e44_1529, 0xfc27_57d1, 0xf534_ddc0, 0xdb62_9599, 0x3c43_9041, 0xfe51_63ab];

/// q mod 4 and r of |x| = q π/2 + r with |r| ≤ π/4, by Payne and Hanek (1983).
///
/// x is an integer m times a power of two. Of m times 2/π, shifted by that power, only the digits around the binary point are
/// computed: the higher ones are multiples of 4 in q.
#[inline(always)]
fn reduce(x: f32) -> (u32, f64) {
    let bits = x.to_bits() & 0x7fff_ffff;
    let m = u64::from((bits & 0x007f_ffff) | 0x0080_0000);
    // The factor is the 96 digits of 2/π from here on; the product then has 62 digits after the binary point.
    let from = (bits >> 23).wrapping_sub(120);
    // Selects among constants: a table would be read one element at a time.
    let either = |bit: u32, yes: u32, no: u32| if from & bit == 0 { no } else { yes };
    const P: [u32; 8] = TWO_OVER_PI;
    let (a, b, c) = (either(64, P[2], P[0]), either(64, P[3], P[1]), either(64, P[4], P[2]));
    let (d, e) = (either(64, P[5], P[3]), either(64, P[6], P[4]));
    let (a, b, c, d) = (either(32, b, a), either(32, c, b), either(32, d, c), either(32, e, d));
    let (a, b, c, d) = (either(128, P[4], a), either(128, P[5], b), either(128, P[6], c), either(128, P[7], d));
    let digits = |high: u32, low: u32| u64::from((high << (from & 31)) | (low >> 1 >> (31 - (from & 31))));
    let product = ((m * digits(a, b)) << 32).wrapping_add(m * digits(b, c)).wrapping_add((m * digits(c, d)) >> 32);
    let quadrant = (product.wrapping_add(1 << 61) >> 62) as u32;
    let r = (product << 2) as i64 as f64 * (std::f64::consts::FRAC_PI_2 / 18_446_744_073_709_551_616.0);
    // Small numbers need no reduction; `0.0 * x` makes infinities NaN.
    let a = f64::from(x.abs());
    if a < 0.5 { (0, a) } else { (quadrant, r + 0.0 * a) }
}

/// The sine of r + q π/2.
#[inline(always)]
fn sine(q: u32, r: f64) -> f32 {
    let r = r as f32;
    let z = r * r;
    let sine = r + r * (z * polynomial(z, [-1.951_861_8e-4, 8.332_191e-3, -1.666_665_5e-1]));
    let cosine = 1.0 - (0.5 * z - z * z * polynomial(z, [2.443_066_8e-5, -1.388_730_1e-3, 4.166_664_6e-2]));
    let y = if q & 1 == 0 { sine } else { cosine };
    f32::from_bits(y.to_bits() ^ ((q & 2) << 30))
}

/// sin x, odd.
#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (q, r) = reduce(x);
    f32::from_bits(sine(q, r).to_bits() ^ (x.to_bits() & 0x8000_0000))
}

/// cos x = sin(|x| + π/2).
#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (q, r) = reduce(x);
    sine(q + 1, r)
}

/// tan x, odd: that of r, or −1 over it if q is odd.
///
/// It is computed with the precision of `f64`, by a convergent of Lambert's continued fraction (1768): its derivative amplifies errors.
#[inline(always)]
pub(crate) fn tan(x: f32) -> f32 {
    let (q, r) = reduce(x);
    let z = r * r;
    let (a, b) = (r * polynomial(z, [21.0, -1260.0, 10395.0]), polynomial(z, [-1.0, 210.0, -4725.0, 10395.0]));
    let y = (if q & 1 == 0 { a / b } else { -b / a }) as f32;
    f32::from_bits(y.to_bits() ^ (x.to_bits() & 0x8000_0000))
}
