//! Arrows.

use crate::support::figure::{Canvas, Outcome};
use crate::support::path::path;
use plotters::prelude::*;

/// Length of the head in pixels; a shorter arrow consists of the head only.
const HEAD: f64 = 9.0;

/// Draws a straight arrow from a tail to a tip, in pixels.
pub fn arrow(area: &Canvas, [tail, tip]: [(f64, f64); 2], color: RGBColor, width: u32) -> Outcome {
    let (x, y) = (tip.0 - tail.0, tip.1 - tail.1);
    let length = x.hypot(y);
    if length < 1.0 {
        return Ok(());
    }
    let (x, y) = (x / length, y / length);
    let at = |back: f64, side: f64| (tip.0 - back * x - side * y, tip.1 - back * y + side * x);
    // The stroke reaches beyond the point where the sides of the head meet.
    let (inset, head) = (f64::from(width), HEAD.min(length));
    path(area, &[tail, at(inset.min(length), 0.0)], color.stroke_width(width))?;
    path(
        area,
        &[at(head, 0.4 * head), at(inset.min(head / 2.0), 0.0), at(head, -0.4 * head)],
        color.stroke_width(width),
    )
}
