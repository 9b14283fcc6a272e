//! Heat maps of small matrices.

use crate::support::figure::{Canvas, Outcome};
use crate::support::style::{COLORS, FONT};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Side of a cell in pixels.
const SIDE: i32 = 20;
/// The space above and to the left of the cells.
const TOP: i32 = 60;
const LEFT: i32 = 36;

/// The pixels that a heat map takes.
pub fn heat_map_size([rows, columns]: [&str; 2]) -> (u32, u32) {
    let side = |text: &str, before: i32| (before + text.chars().count() as i32 * SIDE + SIDE) as u32;
    (side(columns, LEFT), side(rows, TOP))
}

/// Draws numbers from 0 to 1, a row for each character of `rows` and a column for each of `columns`, under a caption.
pub fn heat_map(area: &Canvas, caption: &str, [rows, columns]: [&str; 2], numbers: &[f32]) -> Outcome {
    area.draw(&Text::new(caption, (LEFT, 12), (FONT, 15)))?;
    let style = (FONT, 15).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Center));
    let label = |c: char, at: (i32, i32)| {
        // A space would not be visible.
        let c = if c == ' ' { '␣' } else { c };
        area.draw(&Text::new(c.to_string(), at, style.clone()))
    };
    let [height, width] = [rows, columns].map(|text| text.chars().count());
    for (x, c) in (0..).zip(columns.chars()) {
        label(c, (LEFT + x * SIDE + SIDE / 2, TOP - 12))?;
    }
    for (y, c) in (0..).zip(rows.chars()) {
        label(c, (LEFT - 12, TOP + y * SIDE + SIDE / 2))?;
    }
    for (y, row) in (0..).zip(numbers.chunks(width)) {
        for (x, &number) in (0..).zip(row) {
            let corner = (LEFT + x * SIDE, TOP + y * SIDE);
            let opposite = (corner.0 + SIDE, corner.1 + SIDE);
            // Rounded, to keep the file small.
            let shade = (100.0 * f64::from(number)).round() / 100.0;
            if shade > 0.0 {
                area.draw(&Rectangle::new([corner, opposite], COLORS[0].mix(shade).filled()))?;
            }
        }
    }
    let end = (LEFT + width as i32 * SIDE, TOP + height as i32 * SIDE);
    let line = |from, to| area.draw(&PathElement::new([from, to], BLACK.mix(0.08)));
    for x in (LEFT..=end.0).step_by(SIDE as usize) {
        line((x, TOP), (x, end.1))?;
    }
    for y in (TOP..=end.1).step_by(SIDE as usize) {
        line((LEFT, y), (end.0, y))?;
    }
    Ok(())
}
