//! The page that shows how a training went: one file of HTML with everything in it.

use crate::network::{KIND, Network};
use crate::options::{Options, short};
use crate::training::{Epoch, PIXELS, Run};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use wengert::data::Images;
use wengert::metrics::ConfusionMatrix;
use wengert::prelude::*;

/// Blue and vermilion, which stay apart for the colour-blind: Okabe and Ito 2008.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILION: RGBColor = RGBColor(213, 94, 0);

/// How many of the worst mistakes are shown.
const SHOWN: usize = 24;

/// The look of the page.
const STYLE: &str = "
body { margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; color: #1c1e21; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
h1 { margin: 0 0 4px; font-size: 28px; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 48px 0 4px; font-size: 19px; font-weight: 650; }
p { margin: 0 0 14px; max-width: 46em; color: #5a6068; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 22px; }
.facts div { flex: 1 1 130px; padding: 12px 16px; border: 1px solid #e2e5e9; border-radius: 8px; }
.facts b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts span { color: #5a6068; font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 16px; }
.charts svg { width: 100%; height: auto; }
svg text { font-family: inherit; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.confusion td, .confusion th { width: 54px; height: 32px; padding: 0 10px; box-sizing: border-box; text-align: right; }
.confusion td { border: 2px solid #fff; background: #f6f7f8; }
.confusion th, .confusion .share { font-weight: 500; color: #5a6068; background: none; }
.confusion .share { padding-left: 18px; }
.gallery { display: grid; grid-template-columns: repeat(8, 1fr); gap: 18px 14px; }
figure { margin: 0; font-size: 13px; line-height: 1.4; }
figure svg { display: block; width: 100%; margin-bottom: 5px; border: 1px solid #e2e5e9; border-radius: 6px; }
figcaption span { display: block; color: #5a6068; font-variant-numeric: tabular-nums; }
pre { margin: 0; padding: 14px 18px; overflow-x: auto; background: #f6f7f8; border-radius: 8px;
  font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
summary { margin: 12px 0; color: #5a6068; cursor: pointer; }
.settings { columns: 2; column-gap: 48px; }
.settings div { display: flex; justify-content: space-between; gap: 24px; padding: 5px 0;
  border-bottom: 1px solid #e9ebee; break-inside: avoid; }
.settings span { color: #5a6068; }
.settings b { font-weight: 500; overflow-wrap: anywhere; text-align: right; }
";

/// An image that the model took for something else.
struct Mistake {
    image: usize,
    label: usize,
    answer: usize,
    /// What the model gave its answer.
    probability: f32,
}

/// Writes the page, and beside it the drawing of the tape in a file of its own.
pub fn write(
    options: &Options,
    run: &Run,
    schedule: &dyn Schedule,
    train: &Images,
    test: &Images,
) -> Result<(), Box<dyn Error>> {
    let (matrix, mistakes) = examine(&run.model, test);
    let tape = tape(options, run, train);
    let graph = format!(
        "{}<details><summary>As a list</summary>\n{}</details>",
        tape.to_svg(),
        preformatted(&tape.to_string())
    );
    let page = [
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>MNIST</title>\n".to_string(),
        format!("<style>{STYLE}</style>\n</head>\n<body>\n<h1>Handwritten digits</h1>\n"),
        format!(
            "<p>A {KIND}, trained on {} images of MNIST and tested on {} others.</p>\n",
            grouped(train.len()),
            grouped(test.len())
        ),
        facts(options, run, &matrix),
        section("Learning curves", CURVES, &curves(options, run, schedule, train.len())?),
        section("Confusion matrix", MATRIX, &confusion(&matrix)),
        section("Worst mistakes", WORST, &gallery(test, &mistakes)),
        section("The network", NETWORK, &preformatted(&run.model.summary().to_string())),
        section("The graph of a step", GRAPH, &graph),
        section("Settings", SETTINGS, &settings(options)),
        "</body>\n</html>\n".into(),
    ]
    .concat();
    let explained = |error| format!("{:?}: {error}", options.report);
    if let Some(directory) = options.report.parent() {
        fs::create_dir_all(directory).map_err(explained)?;
    }
    fs::write(options.report.with_extension("svg"), tape.to_svg()).map_err(explained)?;
    Ok(fs::write(&options.report, page).map_err(explained)?)
}

const CURVES: &str = "After each epoch: means over the batches while it trained, and over the test images once it had. Loss is on a logarithmic scale.";
const MATRIX: &str = "How often each digit, on the left, got each answer, above. Recall is the share of a digit that was found, precision the share of an answer that is right.";
const WORST: &str =
    "The wrong answers that the network was surest of: digit, answer, and the probability that it gave it.";
const NETWORK: &str = "Layers with the shapes of their parameters.";
const GRAPH: &str = "The tape of one training step, which is replayed backwards for the gradients: operations with their settings and the shapes of their values, the parameters and constants that they read, what each saves for its rule, and the line of the program. In the list a constant is written _.";
const SETTINGS: &str = "All options. The same options train the same network, bit for bit.";

/// A part of the page.
fn section(title: &str, text: &str, content: &str) -> String {
    format!("<h2>{title}</h2>\n<p>{text}</p>\n{content}\n")
}

/// Text in which nothing is markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn preformatted(text: &str) -> String {
    format!("<pre>{}</pre>", escaped(text.trim_end()))
}

/// A number with a narrow space after every three digits.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join("\u{202f}")
}

/// The figures that everybody asks for first.
fn facts(options: &Options, run: &Run, matrix: &ConfusionMatrix) -> String {
    let right: u64 = (0..matrix.classes()).map(|class| matrix.count(class, class)).sum();
    let facts = [
        ("test accuracy", format!("{:.4}", matrix.accuracy())),
        ("mistakes", grouped((matrix.total() - right) as usize)),
        ("parameters", grouped(run.model.parameter_count())),
        ("epochs", run.history.len().to_string()),
        ("seconds of training", format!("{:.1}", run.history.iter().map(|epoch| epoch.seconds).sum::<f64>())),
        ("seed", options.seed.to_string()),
    ];
    let boxes: String =
        facts.iter().map(|(name, value)| format!("<div><b>{value}</b><span>{name}</span></div>\n")).collect();
    format!("<div class=\"facts\">\n{boxes}</div>\n")
}

/// Has the model read all images: how often what was taken for what, and the mistakes, the surest first.
fn examine(model: &Network, images: &Images) -> (ConfusionMatrix, Vec<Mistake>) {
    let (mut matrix, mut mistakes) = (ConfusionMatrix::new(10), Vec::new());
    for batch in images.batches(1000) {
        let first = matrix.total() as usize;
        let scores = model.forward(&Tape::inference().constant(batch.images));
        matrix.add(scores.value(), &batch.labels);
        let probabilities = scores.softmax(1);
        for (row, (answer, &label)) in scores.value().argmax(1).into_iter().zip(&batch.labels).enumerate() {
            if answer != label {
                let probability = probabilities.value()[[row, answer]];
                mistakes.push(Mistake { image: first + row, label, answer, probability });
            }
        }
    }
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    (matrix, mistakes)
}

/// A line of a chart, with a name unless it is the only one.
struct Line {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Loss, accuracy and learning rate, beside each other.
fn curves(options: &Options, run: &Run, schedule: &dyn Schedule, images: usize) -> Result<String, Box<dyn Error>> {
    let epochs = run.history.len();
    if epochs == 0 {
        return Ok("<p>There was no epoch.</p>".into());
    }
    let line = |name, colour, note: fn(&Epoch) -> f64| {
        let points = run.history.iter().enumerate().map(|(index, epoch)| ((index + 1) as f64, note(epoch)));
        Line { name, colour, points: points.filter(|(_, value)| value.is_finite() && *value > 0.0).collect() }
    };
    let loss = [line("train", BLUE, |epoch| epoch.train_loss), line("test", VERMILION, |epoch| epoch.test_loss)];
    let accuracy =
        [line("train", BLUE, |epoch| epoch.train_accuracy), line("test", VERMILION, |epoch| epoch.test_accuracy)];
    let mut charts = String::new();
    // What is not a finite number is not drawn, and if nothing is, there is no chart.
    if let Some((low, high)) = range(&loss) {
        charts += &chart("Loss", (low / 1.3..high * 1.3).log_scale(), true, epochs, &loss)?;
    }
    if let Some((low, _)) = range(&accuracy) {
        charts += &chart("Accuracy", low - (1.02 - low) * 0.1..1.0 + (1.0 - low) * 0.02, false, epochs, &accuracy)?;
    }
    let (last, samples) = (options.steps(images) - 1, 300);
    let sample = |sample: usize| {
        let way = sample as f64 / samples as f64;
        (way * options.epochs as f64, schedule.at((way * last as f64).round() as usize))
    };
    let rate = [Line { name: "", colour: BLUE, points: (0..=samples).map(sample).collect() }];
    if let Some((_, high)) = range(&rate) {
        charts += &chart("Learning rate", 0.0..high * 1.05, false, options.epochs, &rate)?;
    }
    Ok(format!("<div class=\"charts\">\n{charts}</div>"))
}

/// The least and the largest value of some lines, unless they have none.
fn range(lines: &[Line]) -> Option<(f64, f64)> {
    let values = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    values.map(|value| (value, value)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// A chart over the epochs, as SVG. On a logarithmic axis the curves fall, on others they rise.
fn chart<Y>(title: &str, y: Y, logarithmic: bool, epochs: usize, lines: &[Line]) -> Result<String, Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (360, 280)).into_drawing_area();
    let first = if lines.len() > 1 { 1.0 } else { 0.0 };
    let margin = (epochs as f64 * 0.03).max(0.1);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(40)
        .y_label_area_size(58)
        .build_cartesian_2d(first - margin..epochs as f64 + margin, y)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_desc("epoch")
        .x_labels(8)
        .y_labels(if logarithmic { 20 } else { 7 })
        .x_label_formatter(&|x| if x.fract() == 0.0 { x.to_string() } else { String::new() })
        .y_label_formatter(&|y| tick(*y, logarithmic))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 13))
        .axis_style(BLACK.mix(0.4))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for Line { name, colour, points } in lines {
        let style = colour.stroke_width(2);
        let drawn = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        if !name.is_empty() {
            drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
        }
    }
    if lines.len() > 1 {
        let corner = if logarithmic { SeriesLabelPosition::UpperRight } else { SeriesLabelPosition::LowerRight };
        let mut legend = chart.configure_series_labels();
        legend.position(corner).background_style(WHITE.mix(0.85)).label_font(("sans-serif", 13)).draw()?;
    }
    area.present()?;
    drop((chart, area));
    Ok(svg)
}

/// The label of a tick, without the digits that rounding adds; of those between two powers of ten 2 and 5 have one.
fn tick(value: f64, logarithmic: bool) -> String {
    let text = format!("{value:.3e}").parse().map_or(String::new(), |value: f64| value.to_string());
    let named = text.trim_matches(['0', '.']).parse::<u32>().is_ok_and(|digit| [1, 2, 5].contains(&digit));
    if named || !logarithmic { text } else { String::new() }
}

/// The confusion matrix as a table: blue where the answer is right, vermilion the stronger the more often it is wrong.
fn confusion(matrix: &ConfusionMatrix) -> String {
    let classes = 0..matrix.classes();
    let wrong = |label, answer| if label == answer { 0 } else { matrix.count(label, answer) };
    let most = classes.clone().flat_map(|label| classes.clone().map(move |answer| wrong(label, answer))).max();
    let cell = |label: usize, answer: usize| {
        let count = matrix.count(label, answer);
        let (RGBColor(red, green, blue), strength) = match label == answer {
            true => (BLUE, 0.25),
            false => (VERMILION, 0.75 * (count as f64 / most.unwrap_or(0).max(1) as f64).sqrt()),
        };
        match count {
            0 => "<td></td>".to_string(),
            _ => format!("<td style=\"background:rgba({red},{green},{blue},{strength:.2})\">{count}</td>"),
        }
    };
    let share = |share: f64| format!("<td class=\"share\">{share:.3}</td>");
    let mut table = String::from("<table class=\"confusion\">\n<tr><th></th>");
    table.extend(classes.clone().map(|answer| format!("<th>{answer}</th>")));
    table += "<th>recall</th></tr>\n";
    for label in classes.clone() {
        let cells: String = classes.clone().map(|answer| cell(label, answer)).collect();
        table += &format!("<tr><th>{label}</th>{cells}{}</tr>\n", share(matrix.class(label).recall));
    }
    let shares: String = classes.map(|answer| share(matrix.class(answer).precision)).collect();
    table + &format!("<tr><th>precision</th>{shares}<td class=\"share\"></td></tr>\n</table>")
}

/// The worst mistakes as pictures.
fn gallery(images: &Images, mistakes: &[Mistake]) -> String {
    if mistakes.is_empty() {
        return "<p>There are none.</p>".into();
    }
    let mut gallery = String::from("<div class=\"gallery\">\n");
    for Mistake { image, label, answer, probability } in mistakes.iter().take(SHOWN) {
        let picture = picture(images.batch(&[*image]).images.as_slice(), images.image_shape()[1]);
        gallery += &format!(
            "<figure>{picture}<figcaption>{label}, taken for {answer}<span>with {probability:.4}</span></figcaption></figure>\n"
        );
    }
    gallery + "</div>"
}

/// An image as SVG: for each of 15 shades one path of the rows' pieces that have it.
fn picture(pixels: &[f32], width: usize) -> String {
    let shade = |pixel: &f32| (15.0 * (f64::from(*pixel) * PIXELS.1 + PIXELS.0)).round() as usize;
    let mut paths = vec![String::new(); 16];
    for (y, row) in pixels.chunks(width).enumerate() {
        let mut x = 0;
        for piece in row.chunk_by(|a, b| shade(a) == shade(b)) {
            write!(paths[shade(&piece[0])], "M{x} {y}.5h{}", piece.len()).expect("a string takes everything");
            x += piece.len();
        }
    }
    let mut svg = format!("<svg viewBox=\"0 0 {width} {}\" shape-rendering=\"crispEdges\">", pixels.len() / width);
    for (shade, path) in paths.iter().enumerate().skip(1).filter(|(_, path)| !path.is_empty()) {
        svg += &format!("<path stroke=\"#000\" stroke-opacity=\"{:.2}\" d=\"{path}\"/>", shade as f64 / 15.0);
    }
    svg + "</svg>"
}

/// The tape of a training step.
fn tape(options: &Options, run: &Run, images: &Images) -> Tape {
    let tape = Tape::training(&mut run.rng.clone());
    tape.name_parameters(&run.model);
    if let Some(batch) = images.batches(options.batch).next() {
        _ = run.model.forward(&tape.constant(batch.images)).softmax_cross_entropy(&batch.labels);
    }
    tape
}

/// All options with their values.
fn settings(options: &Options) -> String {
    let given = options.settings.iter().map(|(name, value)| (name.as_str(), short(Path::new(value))));
    let program = [("threads", wengert::num_threads().to_string()), ("wengert", env!("CARGO_PKG_VERSION").into())];
    let row = |(name, value): (&str, String)| format!("<div><span>{name}</span><b>{}</b></div>\n", escaped(&value));
    format!("<div class=\"settings\">\n{}</div>", given.chain(program).map(row).collect::<String>())
}
