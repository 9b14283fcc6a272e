//! The charts of the report: loss, accuracy and learning rate over the epochs.

use crate::support::log::Log;
use crate::support::mnist::options::Options;
use crate::support::number::number;
use crate::support::style::{COLORS, FONT};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::error::Error;
use wengert::training::History;

pub const BLUE: RGBColor = COLORS[0];
pub const VERMILION: RGBColor = COLORS[1];

/// A line of a chart; without a name if it is the only one.
struct Line {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Charts of loss, accuracy and learning rate, side by side.
pub fn curves(options: &Options, history: &History, images: usize) -> Result<String, Box<dyn Error>> {
    let epochs = history.epochs().len();
    if epochs == 0 {
        return Ok("<p>No epoch was trained.</p>".into());
    }
    let line = |name, color, metric: &str| {
        let values = (1..).zip(history.epochs()).filter_map(|(k, epoch)| Some((f64::from(k), epoch.metric(metric)?)));
        Line { name, color, points: values.filter(|(_, value)| value.is_finite() && *value > 0.0).collect() }
    };
    let loss = [line("train", BLUE, "loss"), line("test", VERMILION, "test_loss")];
    let accuracy = [line("train", BLUE, "accuracy"), line("test", VERMILION, "validation")];
    let mut charts = String::new();
    // Values that are not finite are skipped; without any value there is no chart.
    if let Some((low, high)) = range(&loss) {
        charts += &chart("Loss", Log(low / 1.3..high * 1.3), true, epochs, &loss)?;
    }
    if let Some((low, _)) = range(&accuracy) {
        charts += &chart("Accuracy", low - (1.02 - low) * 0.1..1.0 + (1.0 - low) * 0.02, false, epochs, &accuracy)?;
    }
    let (last, samples, schedule) = (options.steps(images) - 1, 300, options.schedule(images));
    let sample = |sample: usize| {
        let progress = sample as f64 / samples as f64;
        (progress * options.epochs as f64, schedule.at((progress * last as f64).round() as usize))
    };
    let rate = [Line { name: "", color: BLUE, points: (0..=samples).map(sample).collect() }];
    if let Some((_, high)) = range(&rate) {
        charts += &chart("Learning rate", 0.0..high * 1.05, false, options.epochs, &rate)?;
    }
    Ok(format!("<div class=\"charts\">\n{charts}</div>"))
}

/// The smallest and the largest value of the lines, if there are any.
fn range(lines: &[Line]) -> Option<(f64, f64)> {
    let values = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    values.map(|value| (value, value)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// A chart over the epochs, as SVG. The legend assumes falling curves on a logarithmic axis and rising ones otherwise.
///
/// It is drawn enlarged, as plotters knows whole pixels only.
fn chart<Y>(title: &str, y: Y, logarithmic: bool, epochs: usize, lines: &[Line]) -> Result<String, Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    const SCALE: u32 = 10;
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (360 * SCALE, 280 * SCALE)).into_drawing_area();
    let first = if lines.len() > 1 { 1.0 } else { 0.0 };
    let margin = (epochs as f64 * 0.03).max(0.1);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 16 * SCALE))
        .margin(8 * SCALE)
        .x_label_area_size(40 * SCALE)
        .y_label_area_size(58 * SCALE)
        .build_cartesian_2d(first - margin..epochs as f64 + margin, y)?;
    let axis = BLACK.mix(0.4).stroke_width(SCALE);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_desc("epoch")
        .x_labels(8)
        .y_labels(if logarithmic { 12 } else { 7 })
        .x_label_formatter(&|x| if x.fract() == 0.0 { number(x) } else { String::new() })
        .y_label_formatter(&number)
        .label_style((FONT, 13 * SCALE))
        .axis_desc_style((FONT, 13 * SCALE))
        .axis_style(axis)
        .set_all_tick_mark_size(5 * SCALE)
        .bold_line_style(BLACK.mix(0.12).stroke_width(SCALE))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for Line { name, color, points } in lines {
        let (style, unit) = (color.stroke_width(2 * SCALE), SCALE as i32);
        let drawn = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        if !name.is_empty() {
            drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18 * unit, y)], style));
            chart.draw_series(points.iter().map(|&point| Circle::new(point, 3 * unit, color.filled())))?;
        }
    }
    if lines.len() > 1 {
        let corner = if logarithmic { SeriesLabelPosition::UpperRight } else { SeriesLabelPosition::LowerRight };
        let mut legend = chart.configure_series_labels();
        legend
            .position(corner)
            .margin(10 * SCALE)
            .legend_area_size(30 * SCALE)
            .label_font((FONT, 13 * SCALE))
            .draw()?;
    }
    area.present()?;
    drop((chart, area));
    let described = format!("<svg role=\"img\" aria-label=\"{title} by epoch\" ");
    Ok(svg.replacen("<svg ", &described, 1))
}
