//! Paths finer than whole pixels.

use crate::support::figure::{Canvas, FINE, Outcome};
use plotters::prelude::*;

/// Draws a path through pixels of an area.
pub fn path(area: &Canvas, points: &[(f64, f64)], style: ShapeStyle) -> Outcome {
    if points.is_empty() {
        return Ok(());
    }
    let (left, top) = area.get_base_pixel();
    let fine = |place: f64, base: i32| ((place + f64::from(base)) * f64::from(FINE)).round() as i32 - base;
    let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (fine(x, left), fine(y, top))).collect();
    let path = PathElement::new(points, style.color.stroke_width(FINE * style.stroke_width));
    // As a part of an element at a point, which is not cut off at the frame as the element itself would be.
    Ok(area.draw(&(EmptyElement::at((0, 0)) + path))?)
}
