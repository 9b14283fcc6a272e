//! Lists of axis sizes.

use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, DerefMut};

/// A list of sizes, one per axis; up to four are stored inline.
///
/// Every operation copies and compares a few of these. Unused entries are 0, so that both take a fixed number of
/// instructions; a general small vector needs a loop.
#[derive(PartialEq)]
pub(crate) enum Dims {
    Few(Few),
    /// Five or more.
    Many(Vec<usize>),
}

/// Up to four sizes; the entries from `count` on are 0.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Few {
    count: Count,
    sizes: [usize; 4],
}

/// A number up to four, as wide as a size, so that a list is copied by whole words.
#[derive(Clone, Copy, PartialEq)]
#[repr(usize)]
enum Count {
    Zero,
    One,
    Two,
    Three,
    Four,
}

impl Dims {
    #[inline]
    pub(crate) const fn new() -> Self {
        Dims::few(Count::Zero, [0; 4])
    }

    #[inline]
    const fn few(count: Count, sizes: [usize; 4]) -> Self {
        Dims::Few(Few { count, sizes })
    }

    #[inline]
    pub(crate) fn from_slice(sizes: &[usize]) -> Self {
        match *sizes {
            [] => Dims::new(),
            [a] => Dims::few(Count::One, [a, 0, 0, 0]),
            [a, b] => Dims::few(Count::Two, [a, b, 0, 0]),
            [a, b, c] => Dims::few(Count::Three, [a, b, c, 0]),
            [a, b, c, d] => Dims::few(Count::Four, [a, b, c, d]),
            _ => Dims::copy_many(sizes),
        }
    }

    /// Kept out of line: it is rare, and lists are copied everywhere.
    #[cold]
    #[inline(never)]
    fn copy_many(sizes: &[usize]) -> Self {
        Dims::Many(sizes.to_vec())
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        self
    }

    pub(crate) fn push(&mut self, size: usize) {
        match self {
            Dims::Few(Few { count, sizes: [a, b, c, d] }) => {
                let (count, mut longer) = (*count as usize, [*a, *b, *c, *d, 0]);
                longer[count] = size;
                *self = Dims::from_slice(&longer[..=count]);
            }
            Dims::Many(sizes) => sizes.push(size),
        }
    }

    pub(crate) fn remove(&mut self, at: usize) {
        let (before, after) = self.split_at(at);
        *self = before.iter().chain(&after[1..]).copied().collect();
    }
}

impl Clone for Dims {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Dims::Few(few) => Dims::Few(*few),
            Dims::Many(sizes) => Dims::copy_many(sizes),
        }
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
            Dims::Few(few) => &few.sizes[..few.count as usize],
            Dims::Many(sizes) => sizes,
        }
    }
}

impl DerefMut for Dims {
    fn deref_mut(&mut self) -> &mut [usize] {
        match self {
            Dims::Few(few) => &mut few.sizes[..few.count as usize],
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
        let (mut count, mut few) = (0, [0; 4]);
        let mut sizes = sizes.into_iter();
        while let Some(size) = sizes.next() {
            if count == few.len() {
                return Dims::Many(few.into_iter().chain([size]).chain(sizes).collect());
            }
            few[count] = size;
            count += 1;
        }
        Dims::from_slice(&few[..count])
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

/// The most elements of a tensor: in double precision their bytes are as many as one allocation may have.
pub(crate) const MAX_ELEMENTS: usize = isize::MAX as usize / size_of::<f64>();
/// The most axes of a tensor, as in numpy.
pub(crate) const MAX_RANK: usize = 64;

/// The number of elements of a shape; `None` if no tensor has that shape.
///
/// The sizes other than 0 must multiply to at most [`MAX_ELEMENTS`] even if one size is 0. So no product of sizes, strides or
/// positions within a tensor overflows, and no sum of a few.
#[inline]
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    if shape.len() > MAX_RANK {
        return None;
    }
    let (mut whole, mut empty) = (1usize, false);
    for &size in shape {
        empty |= size == 0;
        whole = whole.checked_mul(size.max(1))?;
    }
    (whole <= MAX_ELEMENTS).then_some(if empty { 0 } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_five_words() {
        assert_eq!(size_of::<Dims>(), 5 * size_of::<usize>());
    }

    #[test]
    fn lists_of_any_length_hold_what_was_put_in() {
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
