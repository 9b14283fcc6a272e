//! Charts with a logarithmic vertical axis.

use crate::support::figure::{Canvas, Outcome};
use crate::support::log::Log;
use crate::support::number::number;
use crate::support::stroke::stroke;
use crate::support::style::FONT;
use plotters::prelude::*;
use std::ops::Range;

/// One line of a [`curves`] chart.
pub struct Curve {
    pub label: String,
    pub points: Vec<(f64, f64)>,
    pub color: RGBColor,
}

/// Draws curves with a legend on a logarithmic vertical axis, cut off at the ranges.
pub fn curves(
    area: &Canvas,
    caption: &str,
    axes: (&str, &str),
    ranges: (Range<f64>, Range<f64>),
    all: &[Curve],
) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption(caption, (FONT, 17))
        .margin(12)
        .margin_right(20)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(ranges.0, Log(ranges.1))?;
    let chart_height = chart.plotting_area().dim_in_pixel().1 as usize;
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .x_label_formatter(&number)
        // Labels 16 pixels apart, at least.
        .y_labels(chart_height / 16)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for curve in all {
        let style = curve.color.stroke_width(2);
        stroke(&chart, curve.points.iter().copied(), style)?;
        chart
            .draw_series(LineSeries::new([], style))?
            .label(&curve.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .margin(14)
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}
