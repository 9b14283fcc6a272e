//! Dropout with a counter-based generator: the mask is a function of a seed, and is never stored.

use crate::kernel::Float;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};

/// Elements that share a key.
const BLOCK: usize = 1 << 14;

/// `y = scale x` where the 32 random bits of the position are at least `threshold`, and 0 elsewhere.
#[inline(never)]
pub(crate) fn dropout<T: Float>(x: &[T], seed: u64, threshold: u32, scale: T, y: &mut [T]) {
    let size = chunk_size(x.len(), BLOCK);
    for_each_chunk(y, size, |index, y| {
        let x = &x[index * size..][..y.len()];
        for (k, (x, y)) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)).enumerate() {
            dropout_block(x, key(seed, index * size / BLOCK + k), threshold, scale, y);
        }
    });
}

/// [`dropout`] in place, of the part of a larger input that begins at its element `start`.
pub(crate) fn dropout_part<T: Float>(mut x: &mut [T], mut start: usize, seed: u64, threshold: u32, scale: T) {
    while !x.is_empty() {
        let at = start % BLOCK;
        let (part, rest) = x.split_at_mut(x.len().min(BLOCK - at));
        start += part.len();
        drop_in_place(part, at, key(seed, (start - 1) / BLOCK), threshold, scale);
        x = rest;
    }
}

simd! {
    pub(crate) fn drop_in_place[T: Float](x: &mut [T], start: usize, key: [u32; 2], threshold: u32, scale: T) {
        for (k, x) in x.iter_mut().enumerate() {
            *x = if bits((start + k) as u32, key) < threshold { T::ZERO } else { scale * *x };
        }
    }
}

simd! {
    pub(crate) fn dropout_block[T: Float](x: &[T], key: [u32; 2], threshold: u32, scale: T, y: &mut [T]) {
        for (k, (y, &x)) in y.iter_mut().zip(x).enumerate() {
            *y = if bits(k as u32, key) < threshold { T::ZERO } else { scale * x };
        }
    }
}

/// The key of a block: SplitMix64 (Steele, Lea and Flood 2014).
fn key(seed: u64, block: usize) -> [u32; 2] {
    let z = seed.wrapping_add((block as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let z = z ^ (z >> 31);
    [z as u32, (z >> 32) as u32]
}

/// The random bits of a position in a block: the hash triple32 (Wellons 2018), with the key added before and within.
#[inline(always)]
fn bits(position: u32, key: [u32; 2]) -> u32 {
    let h = position.wrapping_add(key[0]);
    let h = (h ^ (h >> 17)).wrapping_mul(0xed5a_d4bb);
    let h = (h ^ (h >> 11)).wrapping_add(key[1]).wrapping_mul(0xac4c_1b51);
    let h = (h ^ (h >> 15)).wrapping_mul(0x3184_8bab);
    h ^ (h >> 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements dropped of many at a rate of 1/4.
    fn mask(seed: u64) -> Vec<bool> {
        let ones = vec![1f32; 1 << 20];
        let mut y = ones.clone();
        dropout(&ones, seed, 1 << 30, 2.0, &mut y);
        assert!(y.iter().all(|&y| y == 0.0 || y == 2.0));
        y.iter().map(|&y| y == 0.0).collect()
    }

    /// How far the share of pairs that are dropped in both masks is from 1/16, in standard deviations.
    fn deviation(a: &[bool], b: &[bool]) -> f64 {
        let count = a.iter().zip(b).filter(|(a, b)| **a && **b).count() as f64;
        let n = a.len().min(b.len()) as f64;
        (count - n / 16.0) / (n / 16.0 * 15.0 / 16.0).sqrt()
    }

    #[test]
    fn elements_are_dropped_independently_of_one_another() {
        for seed in [0, 1, u64::MAX] {
            let first = mask(seed);
            let share = first.iter().filter(|&&dropped| dropped).count() as f64 / first.len() as f64;
            assert!((share - 0.25).abs() < 4.0 * (0.1875 / first.len() as f64).sqrt(), "{share}");
            for distance in [1, 2, 3, 4, 8, 16, 32, 64, 100, 512, 1024, BLOCK, 2 * BLOCK] {
                let deviation = deviation(&first, &first[distance..]);
                assert!(deviation.abs() < 4.5, "{deviation} standard deviations at distance {distance}");
            }
            let deviation = deviation(&first, &mask(seed.wrapping_add(1)));
            assert!(deviation.abs() < 4.5, "{deviation} standard deviations at the next seed");
        }
    }
}
