//! Vector registers of x86-64, for the kernels that the compiler does not vectorise well by itself.

use crate::kernel::Float;

/// A vector register.
///
/// # Safety
/// The functions may only be called where the processor has the instructions of the implementation, and what they read and
/// write must lie in live memory; addresses need not be aligned.
pub(crate) trait Vector: Copy {
    type Element: Float;
    /// Elements in a vector.
    const LANES: usize;

    /// The same value in all lanes.
    unsafe fn splat(x: Self::Element) -> Self;
    unsafe fn load(from: *const Self::Element) -> Self;
    unsafe fn store(self, to: *mut Self::Element);
    /// Asks for the line of the cache at an address.
    unsafe fn prefetch(at: *const Self::Element);
    /// The same, to the second-level cache only.
    unsafe fn prefetch_far(at: *const Self::Element);
    /// The first `count` elements, and zeros.
    unsafe fn load_first(count: usize, from: *const Self::Element) -> Self;
    /// Writes the first `count` elements only.
    unsafe fn store_first(self, count: usize, to: *mut Self::Element);
    /// `self · factor + term`, rounded once where the processor can do that.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// All lanes, or the first `count`: the usual case without a mask.
    #[inline(always)]
    unsafe fn load_up_to(count: usize, from: *const Self::Element) -> Self {
        unsafe { if count >= Self::LANES { Self::load(from) } else { Self::load_first(count, from) } }
    }
    /// Writes all lanes, or the first `count`.
    #[inline(always)]
    unsafe fn store_up_to(self, count: usize, to: *mut Self::Element) {
        unsafe { if count >= Self::LANES { self.store(to) } else { self.store_first(count, to) } }
    }
    /// In each part of 16 bytes, lanes of both in turns: those of the first halves of their parts, and those of the second halves.
    unsafe fn zip_lanes(self, other: Self) -> [Self; 2];
    /// The even parts of 16 bytes of both one after the other, and the odd ones.
    unsafe fn split_parts(self, other: Self) -> [Self; 2];
}

mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    /// An implementation by intrinsics.
    macro_rules! vector {
        (
            $vector:ty, $t:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $mul_add:ident,
            |$count:ident, $from:ident| $load_first:expr, |$value:ident, $to:ident| $store_first:expr,
            [$zip_first:ident, $zip_second:ident], |$a:ident, $b:ident| $split:expr
        ) => {
            impl Vector for $vector {
                type Element = $t;
                const LANES: usize = $lanes;

                #[inline(always)]
                unsafe fn splat(x: $t) -> Self {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $t) -> Self {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $t) {
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn prefetch(at: *const $t) {
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
                }
                #[inline(always)]
                unsafe fn prefetch_far(at: *const $t) {
                    unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
                }
                #[inline(always)]
                unsafe fn load_first($count: usize, $from: *const $t) -> Self {
                    unsafe { $load_first }
                }
                #[inline(always)]
                unsafe fn store_first(self, $count: usize, $to: *mut $t) {
                    let $value = self;
                    unsafe { $store_first }
                }
                #[inline(always)]
                unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                    unsafe { $mul_add(self, factor, term) }
                }
                #[inline(always)]
                unsafe fn zip_lanes(self, other: Self) -> [Self; 2] {
                    unsafe { [$zip_first(self, other), $zip_second(self, other)] }
                }
                #[inline(always)]
                unsafe fn split_parts(self, other: Self) -> [Self; 2] {
                    let ($a, $b) = (self, other);
                    unsafe { $split }
                }
            }
        };
    }

    /// Masks for the first lanes of a vector of `N`: ones, of which one begins reading later the fewer lanes it wants.
    const MASK_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    const MASK_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    #[inline(always)]
    unsafe fn mask_32(count: usize) -> __m256i {
        unsafe { _mm256_loadu_si256(MASK_32[8 - count..].as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn mask_64(count: usize) -> __m256i {
        unsafe { _mm256_loadu_si256(MASK_64[4 - count..].as_ptr().cast()) }
    }

    vector!(
        __m512,
        f32,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        |count, from| _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, from),
        |value, to| _mm512_mask_storeu_ps(to, ((1u32 << count) - 1) as u16, value),
        [_mm512_unpacklo_ps, _mm512_unpackhi_ps],
        |a, b| [_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b)]
    );
    vector!(
        __m512d,
        f64,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        |count, from| _mm512_maskz_loadu_pd(((1u32 << count) - 1) as u8, from),
        |value, to| _mm512_mask_storeu_pd(to, ((1u32 << count) - 1) as u8, value),
        [_mm512_unpacklo_pd, _mm512_unpackhi_pd],
        |a, b| [_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0xdd>(a, b)]
    );
    vector!(
        __m256,
        f32,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        |count, from| _mm256_maskload_ps(from, mask_32(count)),
        |value, to| _mm256_maskstore_ps(to, mask_32(count), value),
        [_mm256_unpacklo_ps, _mm256_unpackhi_ps],
        |a, b| [_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b)]
    );
    vector!(
        __m256d,
        f64,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        |count, from| _mm256_maskload_pd(from, mask_64(count)),
        |value, to| _mm256_maskstore_pd(to, mask_64(count), value),
        [_mm256_unpacklo_pd, _mm256_unpackhi_pd],
        |a, b| [_mm256_permute2f128_pd::<0x20>(a, b), _mm256_permute2f128_pd::<0x31>(a, b)]
    );
}
