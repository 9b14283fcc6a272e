//! Arrows.

use crate::support::figure::{Canvas, Outcome};
use plotters::prelude::*;

/// Length of the head in pixels; a shorter arrow consists of the head only.
const HEAD: f64 = 10.0;

/// Draws a straight arrow from a tail to a tip, in pixels.
pub fn arrow(area: &Canvas, [tail, tip]: [(i32, i32); 2], color: RGBColor, width: u32) -> Outcome {
    let (x, y) = (f64::from(tip.0 - tail.0), f64::from(tip.1 - tail.1));
    let length = x.hypot(y);
    if length < 1.0 {
        return Ok(());
    }
    let (x, y) = (x / length, y / length);
    let at = |back: f64, side: f64| {
        let point = (f64::from(tip.0) - back * x - side * y, f64::from(tip.1) - back * y + side * x);
        (point.0.round() as i32, point.1.round() as i32)
    };
    let head = HEAD.min(length);
    // The shaft ends inside the head, or it would blunt the tip.
    area.draw(&PathElement::new([tail, at(0.8 * head, 0.0)], color.stroke_width(width)))?;
    area.draw(&Polygon::new([tip, at(head, 0.42 * head), at(head, -0.42 * head)], color.filled()))?;
    Ok(())
}
