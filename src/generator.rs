//! A random number generator whose state can be saved.

use rand::rand_core::{Infallible, SeedableRng, TryRng};

/// A random number generator with a fixed algorithm: xoshiro256++ (Blackman and Vigna 2019), seeded by SplitMix64.
///
/// The same seed gives the same numbers on every machine and in every version. The state is four words, which a
/// [`Checkpoint`](crate::io::Checkpoint) can save.
///
/// ```
/// use wengert::Generator;
/// use wengert::rand::Rng;
///
/// let mut rng = wengert::rng(7);
/// rng.next_u64();
/// let mut copy = Generator::from_state(rng.state());
/// assert_eq!(copy.next_u64(), rng.next_u64());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    state: [u64; 4],
}

impl Generator {
    /// The state, which determines all future numbers.
    pub fn state(&self) -> [u64; 4] {
        self.state
    }

    /// A generator that continues from a saved state. Four zeros are not a valid state and stand for the seed 0.
    pub fn from_state(state: [u64; 4]) -> Self {
        if state == [0; 4] { Generator::seed_from_u64(0) } else { Generator { state } }
    }
}

impl SeedableRng for Generator {
    type Seed = [u8; 32];

    #[inline]
    fn from_seed(seed: [u8; 32]) -> Self {
        let mut words = seed.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word));
        Generator::from_state([(); 4].map(|()| words.next().unwrap_or_default()))
    }

    #[inline]
    fn seed_from_u64(mut seed: u64) -> Self {
        let mut word = || {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Generator { state: [(); 4].map(|()| word()) }
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        Ok(result)
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use rand::rngs::Xoshiro256PlusPlus;

    fn assert_same(mut ours: Generator, mut theirs: Xoshiro256PlusPlus) {
        for length in 0..40 {
            assert_eq!(ours.next_u64(), theirs.next_u64());
            assert_eq!(ours.next_u32(), theirs.next_u32());
            let (mut a, mut b) = (vec![0; length], vec![0; length]);
            ours.fill_bytes(&mut a);
            theirs.fill_bytes(&mut b);
            assert_eq!(a, b);
        }
    }

    #[test]
    fn output_matches_rand() {
        for seed in [0, 1, 42, u64::MAX] {
            assert_same(Generator::seed_from_u64(seed), Xoshiro256PlusPlus::seed_from_u64(seed));
        }
        for seed in [[0; 32], std::array::from_fn(|k| k as u8)] {
            assert_same(Generator::from_seed(seed), Xoshiro256PlusPlus::from_seed(seed));
        }
    }

    #[test]
    fn output_matches_the_reference_implementation() {
        // The output of the authors' reference implementation for the state 1, 2, 3, 4.
        let mut generator = Generator::from_state([1, 2, 3, 4]);
        let expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205];
        assert_eq!(expected.map(|_| generator.next_u64()), expected);
    }

    #[test]
    fn a_zero_state_is_the_seed_0() {
        assert_eq!(Generator::from_state([0; 4]), Generator::seed_from_u64(0));
    }
}
