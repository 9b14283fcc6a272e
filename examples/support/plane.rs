//! Charts of the plane, with the same scale on both axes.

use crate::support::arrow::arrow;
use crate::support::figure::{Canvas, Outcome};
use crate::support::number::number;
use crate::support::stroke::{Chart, pixel};
use crate::support::style::FONT;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::error::Error;
use std::ops::Range;

/// A chart of the plane.
pub type Plane<'a> = Chart<'a, RangedCoordf64, RangedCoordf64>;

/// Ranges and labels of the two axes.
pub struct Axes<'a> {
    pub ranges: [Range<f64>; 2],
    pub names: [&'a str; 2],
}

/// Draws a plane below a caption, as large as the area allows.
pub fn plane<'a>(area: &Canvas<'a>, caption: &str, axes: &Axes) -> Result<Plane<'a>, Box<dyn Error>> {
    const LABELS: (u32, u32) = (52, 42);
    const MARGIN: u32 = 10;
    let area = area.titled(caption, (FONT, 18))?;
    let (width, height) = area.dim_in_pixel();
    let available = [width - LABELS.0 - 2 * MARGIN, height - LABELS.1 - 2 * MARGIN].map(f64::from);
    let [x, y] = [0, 1].map(|axis: usize| axes.ranges[axis].end - axes.ranges[axis].start);
    let scale = (available[0] / x).min(available[1] / y);
    let spare = [available[0] - scale * x, available[1] - scale * y].map(|pixels| pixels as u32 / 2);
    let mut chart = ChartBuilder::on(&area)
        .margin_left(MARGIN + spare[0])
        .margin_right(MARGIN + spare[0])
        .margin_top(MARGIN + spare[1])
        .margin_bottom(MARGIN + spare[1])
        .y_label_area_size(LABELS.0)
        .x_label_area_size(LABELS.1)
        .build_cartesian_2d(axes.ranges[0].clone(), axes.ranges[1].clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(7)
        .y_labels(7)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .x_desc(axes.names[0])
        .y_desc(axes.names[1])
        .draw()?;
    Ok(chart)
}

/// Draws an arrow between two points of the plane.
pub fn vector(chart: &Plane, ends: [(f64, f64); 2], color: RGBColor, width: u32) -> Outcome {
    let area = chart.plotting_area().strip_coord_spec();
    arrow(&area, ends.map(|end| pixel(chart, end)), color, width)
}
