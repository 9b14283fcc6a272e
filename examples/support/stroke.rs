//! Lines in charts.

use crate::support::figure::Outcome;
use crate::support::path::path;
use crate::support::scale::Scale;
use plotters::prelude::*;

/// A chart in two dimensions.
pub type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

/// The place of a point of a chart in pixels of the plotting area.
pub fn pixel<X: Scale, Y: Scale>(chart: &Chart<X, Y>, (x, y): (f64, f64)) -> (f64, f64) {
    let area = chart.plotting_area();
    let (width, height) = area.dim_in_pixel();
    let axes = area.as_coord_spec();
    // The logarithm of 0 is infinite, and a line to it leaves the frame.
    let [x, y] = [axes.x_spec().share(x), axes.y_spec().share(y)].map(|share| share.clamp(-1e4, 1e4));
    (x * f64::from(width), (1.0 - y) * f64::from(height))
}

/// Draws a line through points of a chart, cut off at its frame and interrupted where a number is NaN.
pub fn stroke<X: Scale, Y: Scale>(
    chart: &Chart<X, Y>,
    points: impl IntoIterator<Item = (f64, f64)>,
    style: impl Into<ShapeStyle>,
) -> Outcome {
    let style = style.into();
    let area = chart.plotting_area().strip_coord_spec();
    let (width, height) = area.dim_in_pixel();
    let pixels: Vec<(f64, f64)> = points.into_iter().map(|point| pixel(chart, point)).collect();
    let mut line: Vec<(f64, f64)> = Vec::new();
    for step in pixels.windows(2) {
        let clipped = clip([step[0], step[1]], [f64::from(width), f64::from(height)]);
        if clipped.is_none_or(|[from, _]| line.last() != Some(&from)) {
            path(&area, &line, style)?;
            line.clear();
        }
        if let Some([from, to]) = clipped {
            if line.is_empty() {
                line.push(from);
            }
            line.push(to);
        }
    }
    path(&area, &line, style)
}

/// The part of a segment inside a rectangle from (0, 0) to a corner, by the method of Liang and Barsky (1984).
fn clip([from, to]: [(f64, f64); 2], corner: [f64; 2]) -> Option<[(f64, f64); 2]> {
    let (from, to) = ([from.0, from.1], [to.0, to.1]);
    let (mut enter, mut leave) = (0f64, 1f64);
    for axis in 0..2 {
        let (start, size) = (from[axis], to[axis] - from[axis]);
        let shares = [-start / size, (corner[axis] - start) / size];
        if size != 0.0 {
            enter = enter.max(shares[0].min(shares[1]));
            leave = leave.min(shares[0].max(shares[1]));
        } else if !(0.0..=corner[axis]).contains(&start) {
            return None;
        }
    }
    let at = |share: f64, end: [f64; 2]| match share {
        0.0 | 1.0 => (end[0], end[1]),
        _ => (from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])),
    };
    let finite = from.iter().chain(&to).all(|place| place.is_finite());
    (finite && enter <= leave).then(|| [at(enter, from), at(leave, to)])
}
