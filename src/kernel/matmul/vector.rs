//! Vector registers of x86-64, for the loops that the compiler does not vectorize well by itself.

use crate::kernel::Float;
use std::arch::x86_64::*;

/// A vector register.
///
/// A value can only be made by an `unsafe` method, whose caller guarantees that the processor has the instructions of the
/// implementation. So operations on values are safe: a value proves that its instructions exist.
///
/// # Safety
/// Implementations must not offer another way to make a value, and may not access memory beyond the elements that each
/// method names.
pub(crate) unsafe trait Vector: Copy {
    type Element: Float;
    /// Elements in a vector.
    const LANES: usize;

    /// The same value in all lanes.
    ///
    /// # Safety
    /// The processor must have the instructions of this vector.
    unsafe fn splat(x: Self::Element) -> Self;

    /// The element at an address in all lanes. In a debug build it costs no checks, unlike [`splat`](Self::splat) of `*from`.
    ///
    /// # Safety
    /// The processor must have the instructions of this vector, and `from` must be readable for one initialized element.
    unsafe fn splat_from(from: *const Self::Element) -> Self;

    /// Loads [`LANES`](Self::LANES) elements.
    ///
    /// # Safety
    /// The processor must have the instructions of this vector. `from` must be readable for `LANES` initialized elements;
    /// any alignment of the element type will do.
    unsafe fn load(from: *const Self::Element) -> Self;

    /// Loads the first `count` elements and sets the other lanes to zero.
    ///
    /// # Safety
    /// The processor must have the instructions of this vector, `count` must be less than `LANES`, and `from` must be
    /// readable for `count` initialized elements.
    unsafe fn load_first(count: usize, from: *const Self::Element) -> Self;

    /// Stores all lanes.
    ///
    /// # Safety
    /// `to` must be writable for `LANES` elements.
    unsafe fn store(self, to: *mut Self::Element);

    /// Stores the first `count` lanes.
    ///
    /// # Safety
    /// `count` must be less than `LANES`, and `to` must be writable for `count` elements.
    unsafe fn store_first(self, count: usize, to: *mut Self::Element);

    /// `self · factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;

    /// Interleaves the lanes of both within each 16 bytes: those of the lower halves, and those of the upper halves.
    fn interleave(self, other: Self) -> [Self; 2];

    /// The even 16-byte parts of both, one vector after the other, and the odd ones.
    fn split_parts(self, other: Self) -> [Self; 2];

    /// Loads up to `LANES` elements, without a mask in the usual case that all are there.
    ///
    /// # Safety
    /// The processor must have the instructions of this vector, and `from` must be readable for `min(count, LANES)`
    /// initialized elements.
    #[inline(always)]
    unsafe fn load_up_to(count: usize, from: *const Self::Element) -> Self {
        // SAFETY: the caller guarantees the instructions, and `LANES` readable elements in the first case and `count`,
        // which is less than that, in the second.
        unsafe { if count >= Self::LANES { Self::load(from) } else { Self::load_first(count, from) } }
    }

    /// Stores up to `LANES` lanes.
    ///
    /// # Safety
    /// `to` must be writable for `min(count, LANES)` elements.
    #[inline(always)]
    unsafe fn store_up_to(self, count: usize, to: *mut Self::Element) {
        // SAFETY: the caller guarantees `LANES` writable elements in the first case and `count`, which is less than that,
        // in the second.
        unsafe { if count >= Self::LANES { self.store(to) } else { self.store_first(count, to) } }
    }
}

/// Prefetches the cache line at an address into all levels of the cache.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    // SAFETY: all x86-64 processors have the instruction, and it never faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}

/// Prefetches the cache line at an address into the second-level cache.
#[inline(always)]
pub(crate) fn prefetch_l2<T>(at: *const T) {
    // SAFETY: as for `prefetch`.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
}

/// Declares a vector type and implements [`Vector`] for it by intrinsics.
macro_rules! vector {
    (
        $(#[$meta:meta])*
        struct $name:ident($register:ty);
        element: $element:ty,
        lanes: $lanes:literal,
        splat: $splat:ident,
        splat_from: $broadcast:ident($load_one:ident),
        load: |$load_from:ident| $load:expr,
        store: $store:ident,
        load_first: |$count:ident, $from:ident| $load_first:expr,
        store_first: |$store_count:ident, $to:ident, $value:ident| $store_first:expr,
        mul_add: $mul_add:ident,
        interleave: [$unpack_low:ident, $unpack_high:ident],
        split_parts: [$shuffle:ident, even: $even:literal, odd: $odd:literal],
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        // SAFETY: the field is private, and only the methods of the trait make values.
        unsafe impl Vector for $name {
            type Element = $element;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $element) -> Self {
                // SAFETY: the caller guarantees the instructions.
                $name(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn splat_from(from: *const $element) -> Self {
                // SAFETY: the caller guarantees the instructions and the element.
                $name(unsafe { $broadcast($load_one(from)) })
            }
            #[inline(always)]
            unsafe fn load($load_from: *const $element) -> Self {
                // A load with all lanes in its mask is a plain one, without the checks that the plain intrinsic has in debug builds.
                // SAFETY: the caller guarantees the instructions and the elements; the load is an unaligned one.
                $name(unsafe { $load })
            }
            #[inline(always)]
            unsafe fn load_first($count: usize, $from: *const $element) -> Self {
                // SAFETY: the caller guarantees the instructions and `count` elements. The mask has that many lanes, and a
                // masked load reads no others.
                $name(unsafe { $load_first })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $element) {
                // SAFETY: `self` proves the instructions, the caller guarantees the elements, and the store is an unaligned
                // one.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_first(self, $store_count: usize, $to: *mut $element) {
                let $value = self.0;
                // SAFETY: `self` proves the instructions and the caller guarantees `count` elements. The mask has that many
                // lanes, and a masked store writes no others.
                unsafe { $store_first }
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: `self` proves the instructions.
                $name(unsafe { $mul_add(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            fn interleave(self, other: Self) -> [Self; 2] {
                // SAFETY: `self` proves the instructions.
                unsafe { [$name($unpack_low(self.0, other.0)), $name($unpack_high(self.0, other.0))] }
            }
            #[inline(always)]
            fn split_parts(self, other: Self) -> [Self; 2] {
                // SAFETY: `self` proves the instructions.
                unsafe { [$name($shuffle::<$even>(self.0, other.0)), $name($shuffle::<$odd>(self.0, other.0))] }
            }
        }
    };
}

vector! {
    /// Sixteen `f32`; needs AVX-512 F.
    struct F32x16(__m512);
    element: f32,
    lanes: 16,
    splat: _mm512_set1_ps,
    splat_from: _mm512_broadcastss_ps(_mm_load_ss),
    load: |from| _mm512_maskz_loadu_ps(u16::MAX, from),
    store: _mm512_storeu_ps,
    load_first: |count, from| _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, from),
    store_first: |count, to, value| _mm512_mask_storeu_ps(to, ((1u32 << count) - 1) as u16, value),
    mul_add: _mm512_fmadd_ps,
    interleave: [_mm512_unpacklo_ps, _mm512_unpackhi_ps],
    split_parts: [_mm512_shuffle_f32x4, even: 0x88, odd: 0xdd],
}
vector! {
    /// Eight `f64`; needs AVX-512 F.
    struct F64x8(__m512d);
    element: f64,
    lanes: 8,
    splat: _mm512_set1_pd,
    splat_from: _mm512_broadcastsd_pd(_mm_load_sd),
    load: |from| _mm512_maskz_loadu_pd(u8::MAX, from),
    store: _mm512_storeu_pd,
    load_first: |count, from| _mm512_maskz_loadu_pd(((1u32 << count) - 1) as u8, from),
    store_first: |count, to, value| _mm512_mask_storeu_pd(to, ((1u32 << count) - 1) as u8, value),
    mul_add: _mm512_fmadd_pd,
    interleave: [_mm512_unpacklo_pd, _mm512_unpackhi_pd],
    split_parts: [_mm512_shuffle_f64x2, even: 0x88, odd: 0xdd],
}
vector! {
    /// Eight `f32`; needs AVX2 and FMA.
    struct F32x8(__m256);
    element: f32,
    lanes: 8,
    splat: _mm256_set1_ps,
    splat_from: _mm256_broadcastss_ps(_mm_load_ss),
    load: |from| _mm256_maskload_ps(from, _mm256_set1_epi32(-1)),
    store: _mm256_storeu_ps,
    load_first: |count, from| _mm256_maskload_ps(from, mask_32(count)),
    store_first: |count, to, value| _mm256_maskstore_ps(to, mask_32(count), value),
    mul_add: _mm256_fmadd_ps,
    interleave: [_mm256_unpacklo_ps, _mm256_unpackhi_ps],
    split_parts: [_mm256_permute2f128_ps, even: 0x20, odd: 0x31],
}
vector! {
    /// Four `f64`; needs AVX2 and FMA.
    struct F64x4(__m256d);
    element: f64,
    lanes: 4,
    splat: _mm256_set1_pd,
    splat_from: _mm256_broadcastsd_pd(_mm_load_sd),
    load: |from| _mm256_maskload_pd(from, _mm256_set1_epi32(-1)),
    store: _mm256_storeu_pd,
    load_first: |count, from| _mm256_maskload_pd(from, mask_64(count)),
    store_first: |count, to, value| _mm256_maskstore_pd(to, mask_64(count), value),
    mul_add: _mm256_fmadd_pd,
    interleave: [_mm256_unpacklo_pd, _mm256_unpackhi_pd],
    split_parts: [_mm256_permute2f128_pd, even: 0x20, odd: 0x31],
}

/// Mask of the first `count` of eight 32-bit lanes: a window into as many ones followed by as many zeros.
///
/// # Safety
/// The processor must have AVX.
#[inline(always)]
unsafe fn mask_32(count: usize) -> __m256i {
    const ONES_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the caller guarantees the instruction. Slicing checks that count ≤ 8, so eight numbers follow.
    unsafe { _mm256_loadu_si256(ONES_ZEROS[8 - count..].as_ptr().cast()) }
}

/// Mask of the first `count` of four 64-bit lanes.
///
/// # Safety
/// The processor must have AVX.
#[inline(always)]
unsafe fn mask_64(count: usize) -> __m256i {
    const ONES_ZEROS: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
    // SAFETY: the caller guarantees the instruction. Slicing checks that count ≤ 4, so four numbers follow.
    unsafe { _mm256_loadu_si256(ONES_ZEROS[4 - count..].as_ptr().cast()) }
}
