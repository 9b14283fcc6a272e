//! A digit as an image, for the examples that look at single ones.

use crate::common::{Canvas, FONT, Outcome};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Draws 28 × 28 pixels from 0 to 1, dark on light, under a caption; they need 112 × 140 pixels of the area.
///
/// What is too faint to be seen is left out, for the sake of the file's size.
pub fn digit(area: &Canvas, pixels: &[f32], caption: &str) -> Outcome {
    const SCALE: i32 = 4;
    const SIDE: i32 = 28 * SCALE;
    let (left, top) = ((area.dim_in_pixel().0 as i32 - SIDE) / 2, 27);
    let style = (FONT, 16).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Bottom));
    area.draw(&Text::new(caption, (left + SIDE / 2, top - 5), style))?;
    for (position, ink) in (0..).zip(pixels).filter(|(_, ink)| **ink > 0.02) {
        let (x, y) = (left + position % 28 * SCALE, top + position / 28 * SCALE);
        let grey = (255.0 * (1.0 - ink)) as u8;
        area.draw(&Rectangle::new([(x, y), (x + SCALE, y + SCALE)], RGBColor(grey, grey, grey).filled()))?;
    }
    let frame = [(left - 1, top - 1), (left + SIDE, top + SIDE)];
    Ok(area.draw(&Rectangle::new(frame, BLACK.mix(0.3)))?)
}
