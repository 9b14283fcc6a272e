//! Marks that tell the ten digits apart in a plane.

use crate::support::figure::{Canvas, Outcome};
use crate::support::style::{COLORS, FONT};
use plotters::prelude::*;

/// The mark of a digit: one of five colors, as a dot up to 4 and as a triangle from 5 on.
pub fn mark<'a, Point: Clone + 'static>(
    digit: usize,
    at: Point,
    size: i32,
) -> DynElement<'static, SVGBackend<'a>, Point> {
    let style = COLORS[digit % 5].filled();
    if digit < 5 {
        Circle::new(at, size, style).into_dyn()
    } else {
        TriangleMarker::new(at, size + 1, style).into_dyn()
    }
}

/// Draws the marks of all digits in a row of 600 pixels, from `left`.
pub fn draw_legend(area: &Canvas, left: i32) -> Outcome {
    for number in 0..10 {
        let x = left + 60 * number as i32;
        area.draw(&mark(number, (x, 17), 5))?;
        area.draw(&Text::new(number.to_string(), (x + 10, 8), (FONT, 18)))?;
    }
    Ok(())
}
