//! Lists of sizes.

use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, DerefMut};

/// A list of sizes, one an axis; up to four in place.
///
/// Every operation copies and compares a few of these. With the places that are not in use at 0, both take a fixed
/// number of instructions and no loop, which a general small vector needs.
#[derive(Clone, PartialEq)]
pub(crate) enum Dims {
    /// How many, and they themselves.
    Few(u8, [usize; 4]),
    /// Five or more.
    Many(Vec<usize>),
}

impl Dims {
    pub(crate) const fn new() -> Self {
        Dims::Few(0, [0; 4])
    }

    pub(crate) fn from_slice(sizes: &[usize]) -> Self {
        match *sizes {
            [] => Dims::new(),
            [a] => Dims::Few(1, [a, 0, 0, 0]),
            [a, b] => Dims::Few(2, [a, b, 0, 0]),
            [a, b, c] => Dims::Few(3, [a, b, c, 0]),
            [a, b, c, d] => Dims::Few(4, [a, b, c, d]),
            _ => Dims::Many(sizes.to_vec()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        self
    }

    pub(crate) fn push(&mut self, size: usize) {
        match self {
            Dims::Few(count, sizes) if *count < 4 => {
                sizes[usize::from(*count)] = size;
                *count += 1;
            }
            Dims::Few(_, sizes) => {
                let mut sizes = sizes.to_vec();
                sizes.push(size);
                *self = Dims::Many(sizes);
            }
            Dims::Many(sizes) => sizes.push(size),
        }
    }

    pub(crate) fn remove(&mut self, at: usize) {
        let (before, after) = self.split_at(at);
        *self = before.iter().chain(&after[1..]).copied().collect();
    }
}

impl Default for Dims {
    fn default() -> Self {
        Dims::new()
    }
}

impl Deref for Dims {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        match self {
            Dims::Few(count, sizes) => &sizes[..usize::from(*count)],
            Dims::Many(sizes) => sizes,
        }
    }
}

impl DerefMut for Dims {
    fn deref_mut(&mut self) -> &mut [usize] {
        match self {
            Dims::Few(count, sizes) => &mut sizes[..usize::from(*count)],
            Dims::Many(sizes) => sizes,
        }
    }
}

impl Extend<usize> for Dims {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, sizes: I) {
        sizes.into_iter().for_each(|size| self.push(size));
    }
}

impl FromIterator<usize> for Dims {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        let mut dims = Dims::new();
        dims.extend(sizes);
        dims
    }
}

impl<'a> IntoIterator for &'a Dims {
    type Item = &'a usize;
    type IntoIter = std::slice::Iter<'a, usize>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Debug for Dims {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Debug::fmt(self.as_slice(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_are_what_was_put_in() {
        for length in 0..8 {
            let sizes: Vec<usize> = (1..=length).collect();
            let dims: Dims = sizes.iter().copied().collect();
            assert_eq!(dims.as_slice(), sizes);
            assert_eq!(dims, Dims::from_slice(&sizes));
            assert_ne!(dims, std::iter::repeat_n(0, length + 1).collect());
            let mut longer = dims.clone();
            longer.push(7);
            longer.remove(length);
            assert_eq!(longer, dims);
        }
    }
}
