//! The generator of random numbers, whose state can be saved.

use rand::rand_core::{Infallible, SeedableRng, TryRng};

/// A generator of random numbers with a fixed algorithm: xoshiro256++ of Blackman and Vigna 2019, seeded by SplitMix64.
///
/// The same seed gives the same numbers on every machine and in every version. Its whole state is four numbers,
/// which a checkpoint keeps.
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
    /// All that the numbers to come depend on.
    pub fn state(&self) -> [u64; 4] {
        self.state
    }

    /// A generator that goes on where another one was. Four zeros are not a state, and mean that of the seed 0.
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

    fn agrees(mut ours: Generator, mut theirs: Xoshiro256PlusPlus) {
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
    fn the_numbers_are_those_of_rand() {
        for seed in [0, 1, 42, u64::MAX] {
            agrees(Generator::seed_from_u64(seed), Xoshiro256PlusPlus::seed_from_u64(seed));
        }
        for seed in [[0; 32], std::array::from_fn(|k| k as u8)] {
            agrees(Generator::from_seed(seed), Xoshiro256PlusPlus::from_seed(seed));
        }
    }

    #[test]
    fn the_numbers_never_change() {
        // The published ones of the authors' program for the state 1, 2, 3, 4.
        let mut generator = Generator::from_state([1, 2, 3, 4]);
        let expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205];
        assert_eq!(expected.map(|_| generator.next_u64()), expected);
    }

    #[test]
    fn four_zeros_are_not_a_state() {
        assert_eq!(Generator::from_state([0; 4]), Generator::seed_from_u64(0));
    }
}
