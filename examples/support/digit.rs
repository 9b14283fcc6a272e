//! Images of digits.

use crate::support::figure::{Canvas, Outcome};
use crate::support::image::image;
use crate::support::style::FONT;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Draws 28 × 28 pixels with values from 0 to 1, dark on light, under a caption; takes 112 × 140 pixels of the area.
pub fn digit(area: &Canvas, pixels: &[f32], caption: &str) -> Outcome {
    const SCALE: i32 = 4;
    const SIDE: i32 = 28 * SCALE;
    let (left, top) = ((area.dim_in_pixel().0 as i32 - SIDE) / 2, 27);
    let style = (FONT, 16).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Bottom));
    area.draw(&Text::new(caption, (left + SIDE / 2, top - 5), style))?;
    image(area, (left, top), SCALE, 28, pixels)?;
    let frame = [(left - 1, top - 1), (left + SIDE, top + SIDE)];
    Ok(area.draw(&Rectangle::new(frame, BLACK.mix(0.3)))?)
}
