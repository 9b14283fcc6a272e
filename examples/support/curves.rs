//! Charts with a logarithmic vertical axis.

use crate::support::figure::{Canvas, Outcome};
use crate::support::style::FONT;
use plotters::prelude::*;
use std::ops::Range;

/// One line of a [`curves`] chart.
pub struct Curve {
    pub label: String,
    pub points: Vec<(f64, f64)>,
    pub color: RGBColor,
}

/// Draws curves with a legend on a logarithmic vertical axis. Points outside the ranges are not drawn.
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
        .build_cartesian_2d(ranges.0.clone(), ranges.1.clone().log_scale())?;
    // Rounded, to hide rounding errors.
    let number = |value: &f64| ((value * 1e6).round() / 1e6).to_string();
    // Only the ticks at 1, 2 and 5 times a power of ten are labeled.
    let power = |value: &f64| {
        let text = number(value);
        let labeled = text.trim_matches(['0', '.']).parse::<u32>().is_ok_and(|digit| [1, 2, 5].contains(&digit));
        if labeled { text } else { String::new() }
    };
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .x_label_formatter(&number)
        .y_label_formatter(&power)
        .y_labels(20)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for curve in all {
        let inside = |(x, y): &(f64, f64)| ranges.0.contains(x) && ranges.1.contains(y);
        let style = curve.color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied().filter(inside), style))?
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
