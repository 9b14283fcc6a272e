//! Images in shades of gray.

use crate::support::figure::{Canvas, Outcome};
use plotters::prelude::*;

/// Number of gray levels that are told apart.
const SHADES: f32 = 10.0;

/// Draws rows of pixels with values from 0 to 1, dark on light, each `scale` pixels of the area wide.
///
/// Each run of pixels with the same gray level is one rectangle, and those of a level follow one another, to keep the file small.
pub fn image(area: &Canvas, (left, top): (i32, i32), scale: i32, width: usize, pixels: &[f32]) -> Outcome {
    let shade = |ink: &f32| (SHADES * ink.clamp(0.0, 1.0)).round() as i32;
    let mut runs = Vec::new();
    for (y, row) in (0..).zip(pixels.chunks(width)) {
        let (y, mut x) = (top + y * scale, left);
        for run in row.chunk_by(|a, b| shade(a) == shade(b)) {
            let start = x;
            x += run.len() as i32 * scale;
            runs.push((shade(&run[0]), [(start, y), (x, y + scale)]));
        }
    }
    runs.sort();
    for (shade, corners) in runs.into_iter().filter(|&(shade, _)| shade > 0) {
        let gray = (255.0 * (1.0 - shade as f32 / SHADES)) as u8;
        area.draw(&Rectangle::new(corners, RGBColor(gray, gray, gray).filled()))?;
    }
    Ok(())
}
