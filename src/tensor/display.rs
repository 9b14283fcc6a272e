//! Printing like numpy: aligned columns, at most eight digits after the point, long axes abbreviated.

use super::{Float, Tensor};
use std::fmt::{self, Debug, Display, Formatter};

/// Tensors with more elements than this are abbreviated …
const THRESHOLD: usize = 1000;
/// … to this many at either end of an axis.
const EDGE: usize = 3;
/// Digits after the point, unless the format string gives a precision (`{:.3}`).
const PRECISION: usize = 8;

/// Prints like numpy; a precision as in `{:.3}` limits the digits after the point.
///
/// ```
/// use wengert::prelude::*;
///
/// assert_eq!(tensor![[1.0, 2.5], [-3.0, 10.0]].to_string() + "\n", "\
/// [[ 1.   2.5]
///  [-3.  10. ]]
/// ");
/// ```
impl<T: Float> Display for Tensor<T> {
    #[inline(never)]
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("[]");
        }
        let shown = shown(self);
        let format = Format::of(&shown, f.precision().unwrap_or(PRECISION));
        let mut cells = shown.iter().map(|&x| format.cell(x));
        write_axis(f, self.shape(), 1, self.len() > THRESHOLD, &mut cells)
    }
}

impl<T: Float> Debug for Tensor<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "Tensor<{}> {:?}\n{self}", T::NAME, self.shape())
    }
}

/// The printed positions of an axis; `None` for the ellipsis.
fn positions(n: usize, abbreviate: bool) -> impl Iterator<Item = Option<usize>> {
    let cut = abbreviate && n > 2 * EDGE;
    let head = if cut { EDGE } else { n };
    (0..head).map(Some).chain(cut.then_some(None)).chain(if cut { n - EDGE..n } else { 0..0 }.map(Some))
}

/// The printed elements, in order.
fn shown<T: Float>(x: &Tensor<T>) -> Vec<T> {
    let mut offsets = vec![0];
    for &n in x.shape() {
        let visible: Vec<usize> = positions(n, x.len() > THRESHOLD).flatten().collect();
        offsets = offsets.iter().flat_map(|at| visible.iter().map(move |k| at * n + k)).collect();
    }
    offsets.into_iter().map(|at| x.as_slice()[at]).collect()
}

fn write_axis(
    f: &mut Formatter,
    shape: &[usize],
    depth: usize,
    abbreviate: bool,
    cells: &mut impl Iterator<Item = String>,
) -> fmt::Result {
    let [n, rest @ ..] = shape else {
        let cell = cells.next().unwrap_or_default();
        return f.write_str(if depth == 1 { cell.trim() } else { &cell });
    };
    f.write_str("[")?;
    for (k, position) in positions(*n, abbreviate).enumerate() {
        if k > 0 {
            match rest.len() {
                0 => f.write_str(" ")?,
                gap => write!(f, "{}{}", "\n".repeat(gap), " ".repeat(depth))?,
            }
        }
        match position {
            Some(_) => write_axis(f, rest, depth + 1, abbreviate, cells)?,
            None => f.write_str("...")?,
        }
    }
    f.write_str("]")
}

/// The number format of one tensor, so that its columns line up.
struct Format {
    precision: usize,
    scientific: bool,
    /// The number of characters before the point, including the sign, and after it.
    left: usize,
    right: usize,
    /// The number of characters of a cell, to whose end `nan` and `inf` are aligned.
    width: usize,
}

impl Format {
    fn of<T: Float>(elements: &[T], precision: usize) -> Self {
        let sizes = || elements.iter().map(|x| x.to_f64().abs()).filter(|x| x.is_finite() && *x > 0.0);
        let (largest, smallest) = (sizes().fold(0.0, f64::max), sizes().fold(f64::INFINITY, f64::min));
        let scientific =
            largest >= 1e8 || (smallest < 1e-4 && smallest > 0.0) || largest / smallest > 1e3 && largest < 1.0;
        let scientific = scientific && largest > 0.0;
        let mut format = Format { precision, scientific, left: 0, right: 0, width: 0 };
        for &x in elements {
            let (left, right) = format.parts(x);
            if x.is_finite() {
                format.left = format.left.max(left.len());
                format.right = format.right.max(right.len());
            } else {
                format.width = format.width.max(left.len());
            }
        }
        if format.left > 0 {
            format.width = format.width.max(format.left + 1 + format.right);
            format.left = format.width - 1 - format.right;
        }
        format
    }

    /// The text before and after the point.
    fn parts<T: Float>(&self, x: T) -> (String, String) {
        if !x.is_finite() {
            let name = if x.is_nan() {
                "nan"
            } else if x > T::ZERO {
                "inf"
            } else {
                "-inf"
            };
            return (name.into(), String::new());
        }
        let (shortest, rounded) = match self.scientific {
            true => (format!("{x:e}"), format!("{x:.*e}", self.precision)),
            false => (format!("{x}"), format!("{x:.*}", self.precision)),
        };
        let text = if shortest.len() <= rounded.len() { shortest } else { rounded };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, ""));
        let (left, right) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let right = right.trim_end_matches('0');
        // A value that rounds to zero is shown without its sign.
        let left = if left == "-0" && right.is_empty() { "0" } else { left };
        if self.scientific {
            let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
            (left.into(), format!("{right}e{sign}{digits:0>2}"))
        } else {
            (left.into(), right.into())
        }
    }

    fn cell<T: Float>(&self, x: T) -> String {
        let (left, right) = self.parts(x);
        if x.is_finite() {
            format!("{left:>before$}.{right:<after$}", before = self.left, after = self.right)
        } else {
            format!("{left:>width$}", width = self.width)
        }
    }
}
