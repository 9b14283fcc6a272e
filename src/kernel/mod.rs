//! Numerical kernels: loops over slices, and the only `unsafe` code of the crate.
//!
//! A kernel knows nothing of tensors or gradients. It takes slices that its caller has sized, and
//! writes every element of its output. Kernels declared with [`simd!`] are compiled for several
//! instruction sets, and the best version is chosen at run time, so a default build is fast without
//! compiler flags. No version reorders a sum or contracts a multiplication and an addition into a
//! fused multiply-add, so all of them give the same bits.

/// Declares a kernel that is compiled for AVX-512, for AVX2 and for the baseline of the target.
///
/// It reads like a function whose generics stand in square brackets:
/// `simd! { pub(crate) fn name[T: Float](x: &[T], y: &mut [T]) { … } }`.
macro_rules! simd {
    ($(#[$meta:meta])* pub(crate) fn $name:ident [$($generics:tt)*] ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[inline(never)]
        pub(crate) fn $name<$($generics)*>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<$($generics)*>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512<$($generics)*>($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($generics)*>($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::kernel::base::simd::level() {
                    // SAFETY: the level is `Avx512` only if the processor has every feature that `avx512` enables.
                    $crate::kernel::base::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the level is `Avx2` only if the processor has every feature that `avx2` enables.
                    $crate::kernel::base::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernel::base::simd::Level::Base => {}
                }
            }
            body($($arg),*)
        }
    };
}

pub(crate) mod attention;
pub(crate) mod base;
pub(crate) mod dropout;
pub(crate) mod elementwise;
pub(crate) mod linalg;
pub(crate) mod lookup;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod softmax;
pub(crate) mod sort;
pub(crate) mod strided;
pub(crate) mod transcendental;
pub(crate) mod update;
pub(crate) mod window;

pub use base::float::Float;
pub(crate) use base::threads::map_indices;
pub use base::threads::{num_threads, set_num_threads, with_threads};
