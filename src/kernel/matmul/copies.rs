//! Copies and transposes of matrices in vector registers.

use crate::kernel::Float;
use crate::kernel::matmul::vector::Vector;

/// Copies `[rows, columns]`; rows are `source_step` and `target_step` apart. With `PAD` the target's rows are filled up with
/// zeros to whole vectors.
///
/// # Safety
/// The processor must have the instructions of the vectors. `source` must be readable and `target` writable for `rows` rows of
/// `columns` elements at these steps, with `PAD` the target for rows rounded up to whole vectors. They may not overlap.
#[inline(always)]
pub(super) unsafe fn copy<V: Vector, const PAD: bool>(
    rows: usize,
    columns: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    for row in 0..rows {
        for at in (0..columns).step_by(V::LANES) {
            // SAFETY: the caller guarantees the instructions. The elements from `at` on that are before the end of the row are
            // within both matrices, with `PAD` a whole vector of the target.
            unsafe {
                let x = V::load_up_to(columns - at, source.add(row * source_step + at));
                let target = target.add(row * target_step + at);
                if PAD { x.store(target) } else { x.store_up_to(columns - at, target) }
            }
        }
    }
}

/// Writes the transpose of `[rows, columns]`; rows are `source_step` apart, those of the transpose `target_step`. With `PAD`
/// the latter are filled up with zeros to whole vectors.
///
/// # Safety
/// The processor must have the instructions of the vectors. `source` must be readable for `rows` rows of `columns` elements, and
/// `target` writable for `columns` rows of `rows` elements, with `PAD` rounded up to whole vectors. They may not overlap.
#[inline(always)]
pub(super) unsafe fn transpose<V: Vector, const PAD: bool>(
    rows: usize,
    columns: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    for row in (0..rows).step_by(V::LANES) {
        for column in (0..columns).step_by(V::LANES) {
            let (height, width) = (V::LANES.min(rows - row), V::LANES.min(columns - column));
            // SAFETY: the caller guarantees the instructions. The square starts within both matrices; its height and width are at
            // most what is left of them, and a vector each in the first case.
            unsafe {
                let (source, target) = (source.add(row * source_step + column), target.add(column * target_step + row));
                if height == V::LANES && width == V::LANES {
                    transpose_square::<V, true, PAD>(height, width, source, source_step, target, target_step);
                } else {
                    transpose_square::<V, false, PAD>(height, width, source, source_step, target, target_step);
                }
            }
        }
    }
}

/// [`transpose`] of `[height, width]`, at most a vector in both directions, and exactly that if it is `WHOLE`.
///
/// # Safety
/// As for [`transpose`] of `height` rows and `width` columns. With `WHOLE` both must be the lanes of a vector.
#[expect(
    clippy::needless_range_loop,
    reason = "iterators are inlined only by link-time optimization, which a program may turn off"
)]
#[inline(always)]
unsafe fn transpose_square<V: Vector, const WHOLE: bool, const PAD: bool>(
    height: usize,
    width: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    // SAFETY: the caller guarantees the instructions.
    let mut square = [unsafe { V::splat(V::Element::ZERO) }; 16];
    // Constant bounds, so that the lines stay in registers.
    for k in 0..V::LANES {
        // SAFETY: row k < height of the source is readable for `width` elements, which is a whole vector in the first case.
        unsafe {
            if WHOLE {
                square[k] = V::load(source.add(k * source_step));
            } else if k < height {
                square[k] = V::load_up_to(width, source.add(k * source_step));
            }
        }
    }
    // Within parts of 16 bytes first, the high bit before the low one, then among the parts.
    if size_of::<V::Element>() == 4 {
        exchange::<V, 1>(&mut square);
        exchange::<V, 0>(&mut square);
    } else {
        exchange::<V, 0>(&mut square);
        exchange::<V, 1>(&mut square);
    }
    if V::LANES > 4 {
        exchange::<V, 2>(&mut square);
    }
    if V::LANES > 8 {
        exchange::<V, 3>(&mut square);
    }
    for k in 0..V::LANES {
        // SAFETY: row k < width of the target is writable for `height` elements, which is a whole vector with `WHOLE`; with `PAD`
        // it is writable for a whole vector in any case.
        unsafe {
            if WHOLE || (PAD && k < width) {
                square[k].store(target.add(k * target_step));
            } else if k < width {
                square[k].store_up_to(height, target.add(k * target_step));
            }
        }
    }
}

/// Exchanges a bit of the line number with one of the lane number: all bits exchanged make a transpose.
#[inline(always)]
fn exchange<V: Vector, const BIT: usize>(square: &mut [V; 16]) {
    for pair in 0..V::LANES / 2 {
        let low = pair % (1 << BIT);
        let (k, l) = (2 * pair - low, 2 * pair - low + (1 << BIT));
        let in_parts = (size_of::<V::Element>() << BIT) < 16;
        let exchanged = if in_parts { square[k].interleave(square[l]) } else { square[k].split_parts(square[l]) };
        [square[k], square[l]] = exchanged;
    }
}
