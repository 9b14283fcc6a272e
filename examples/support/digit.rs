//! Images of digits.

use crate::support::figure::{Canvas, Outcome};
use crate::support::style::FONT;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Draws 28 × 28 pixels with values from 0 to 1, dark on light, under a caption; takes 112 × 140 pixels of the area.
///
/// Each run of pixels with the same gray level is one rectangle, to keep the file small.
pub fn digit(area: &Canvas, pixels: &[f32], caption: &str) -> Outcome {
    const SCALE: i32 = 4;
    const SIDE: i32 = 28 * SCALE;
    const SHADES: f32 = 10.0;
    let (left, top) = ((area.dim_in_pixel().0 as i32 - SIDE) / 2, 27);
    let style = (FONT, 16).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Bottom));
    area.draw(&Text::new(caption, (left + SIDE / 2, top - 5), style))?;
    let shade = |ink: &f32| (SHADES * ink).round();
    for (y, row) in (0..).zip(pixels.chunks(28)) {
        let (y, mut x) = (top + y * SCALE, left);
        for run in row.chunk_by(|a, b| shade(a) == shade(b)) {
            let (start, gray) = (x, (255.0 * (1.0 - shade(&run[0]) / SHADES)) as u8);
            x += run.len() as i32 * SCALE;
            if gray < 255 {
                area.draw(&Rectangle::new([(start, y), (x, y + SCALE)], RGBColor(gray, gray, gray).filled()))?;
            }
        }
    }
    let frame = [(left - 1, top - 1), (left + SIDE, top + SIDE)];
    Ok(area.draw(&Rectangle::new(frame, BLACK.mix(0.3)))?)
}
