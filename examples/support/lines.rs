//! Line charts with linear axes.

use crate::support::figure::{Canvas, Outcome};
use crate::support::number::number;
use crate::support::stroke::{Chart, stroke};
use crate::support::style::{COLORS, FONT};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::error::Error;

/// One line of a [`lines`] chart.
pub struct Line {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}

/// The range of the finite numbers among some, with a margin; 0 to 1 if there are none.
pub fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match high - low {
        size if size > 0.0 => low - 0.04 * size..high + 0.04 * size,
        0.0 => low - 0.5..high + 0.5,
        _ => 0.0..1.0,
    }
}

/// Draws lines below a legend. The axes fit the points; `y` overrides the vertical range.
pub fn lines(
    area: &Canvas,
    caption: &str,
    axes: (&str, &str),
    y: Option<std::ops::Range<f64>>,
    all: &[Line],
) -> Outcome {
    let points = || all.iter().flat_map(|line| line.points.iter().copied());
    let y = y.unwrap_or_else(|| range(points().map(|(_, y)| y)));
    let below = legend(&area.titled(caption, (FONT, 18))?, all)?;
    let mut chart = ChartBuilder::on(&below)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(range(points().map(|(x, _)| x)), y)?;
    mesh(&mut chart, axes)?;
    for (k, line) in all.iter().enumerate() {
        stroke(&chart, line.points.iter().copied(), color(k).stroke_width(2))?;
    }
    Ok(())
}

/// The label of a tick, of which 0 can be a sum of steps such as −1.1e-16.
fn tick(value: &f64) -> String {
    number(if value.abs() < 1e-12 { &0.0 } else { value })
}

/// Draws the axes of a chart, with their names, and a grid.
pub fn mesh(chart: &mut Chart<RangedCoordf64, RangedCoordf64>, (x, y): (&str, &str)) -> Outcome {
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(())
}

/// The color of the line at an index.
fn color(index: usize) -> RGBColor {
    COLORS[index % COLORS.len()]
}

/// Draws the legend in rows above the chart, where it covers no line; returns the area below.
fn legend<'a>(area: &Canvas<'a>, all: &[Line]) -> Result<Canvas<'a>, Box<dyn Error>> {
    const ROW: i32 = 20;
    const LEFT: i32 = 70;
    let width = area.dim_in_pixel().0 as i32;
    let (mut x, mut y) = (LEFT, ROW / 2);
    for (k, line) in all.iter().enumerate() {
        // A stroke, a gap, and a generous eight pixels per letter.
        let needed = 40 + 8 * line.label.chars().count() as i32;
        if x > LEFT && x + needed > width {
            (x, y) = (LEFT, y + ROW);
        }
        area.draw(&PathElement::new([(x, y), (x + 18, y)], color(k).stroke_width(3)))?;
        area.draw(&Text::new(line.label.as_str(), (x + 24, y - 6), (FONT, 15)))?;
        x += needed;
    }
    Ok(area.split_vertically(y + ROW / 2).1)
}
